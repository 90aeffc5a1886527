//! What a token for GitHub is good for, as far as GitHub says without being asked for anything else: whom it stands for, which rights a classic
//! one lacks, and how far the clocks are apart.

use banksman_core::{
    port::{ForgeError, Refusal, Scope},
    text::Login,
};
use banksman_forge::github::transport::{Kind, Request, Response, SendError, Transport, Verb};
use jiff::{SignedDuration, fmt::rfc2822};
use serde::Deserialize;

/// What is known of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TokenFacts {
    /// The account; `None`: an app's, which stands for itself.
    pub(crate) login: Option<Login>,
    /// The right that nothing works without, if it is lacking.
    pub(crate) missing: Option<Scope>,
    /// A right that some work needs, in words.
    pub(crate) note: Option<&'static str>,
    /// How far GitHub's clock is ahead of this host's.
    pub(crate) ahead: SignedDuration,
}

#[derive(Deserialize)]
struct User {
    login: Login,
}

/// Asks for the account and looks at what stands beside the answer.
pub(crate) async fn examine(wire: &impl Transport) -> Result<TokenFacts, ForgeError> {
    let asked = |path: &str, operation| Request {
        verb: Verb::Get,
        path: path.to_owned(),
        headers: Vec::new(),
        body: None,
        kind: Kind::Read,
        operation,
    };
    let answer = wire.send(asked("/user", "account_of_token")).await.map_err(unreachable)?;
    // The token of an app's installation is nobody's; GitHub says so with 403, and with 401 where a token is not valid.
    let login = match answer.status {
        200 => serde_json::from_slice::<User>(&answer.body).ok().map(|user| user.login),
        401 => return Err(ForgeError::Refused(Refusal::BadCredential)),
        403 | 404 => None,
        429 | 500..=599 => return Err(ForgeError::Unclear("GitHub answers with errors")),
        _ => return Err(ForgeError::Unclear("this is no API of GitHub's")),
    };
    Ok(facts(login, &answer))
}

fn unreachable(error: SendError) -> ForgeError {
    match error {
        SendError::NotSent => ForgeError::Unclear("GitHub cannot be reached"),
        SendError::NoAnswer => ForgeError::Unclear("GitHub gave no answer"),
    }
}

fn facts(login: Option<Login>, answer: &Response) -> TokenFacts {
    // Only classic tokens have such a header; what others may do shows when they do it.
    let scopes = answer.header("x-oauth-scopes");
    let has = |wanted: &str| scopes.is_none_or(|all| all.split(',').any(|scope| scope.trim() == wanted));
    let missing = (!has("repo") && !has("public_repo")).then_some(Scope::Repo);
    let note = (!has("workflow")).then_some(
        "the token lacks the scope `workflow`: a branch that changes workflow files cannot be pushed",
    );
    let date =
        answer.header("date").and_then(|date| rfc2822::DateTimeParser::new().parse_timestamp(date).ok());
    let ahead = date.map_or(SignedDuration::ZERO, |date| date.duration_since(crate::clock::now()));
    TokenFacts { login, missing, note, ahead }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(headers: &[(&str, &str)]) -> TokenFacts {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        facts(None, &Response { status: 200, headers, body: Vec::new() })
    }

    #[test]
    fn the_scopes_of_a_classic_token_are_looked_at() {
        assert_eq!(of(&[]).missing, None, "a fine-grained token has none");
        assert_eq!(of(&[("x-oauth-scopes", "gist, read:org")]).missing, Some(Scope::Repo));
        assert_eq!(of(&[("x-oauth-scopes", "")]).missing, Some(Scope::Repo));
        let fair = of(&[("x-oauth-scopes", "repo")]);
        assert_eq!((fair.missing, fair.note.is_some()), (None, true));
        let all = of(&[("x-oauth-scopes", "public_repo, workflow")]);
        assert_eq!((all.missing, all.note), (None, None));
    }

    #[test]
    fn a_clock_that_is_wrong_is_noticed() {
        let far = of(&[("date", "Sat, 01 Jan 2050 00:00:00 GMT")]);
        assert!(far.ahead > SignedDuration::from_hours(1000));
        assert_eq!(of(&[("date", "nonsense")]).ahead, SignedDuration::ZERO);
    }
}
