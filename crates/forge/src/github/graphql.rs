//! GraphQL documents and their answers. A document is a file and a name; an answer is data of its type, or a fault told by the codes of its
//! errors.

use super::{
    fault::{Fault, No},
    governor::{Rate, Resource},
    wire::{Word, word},
};
use banksman_core::port::{Refusal, Scope};
use jiff::Timestamp;
use serde::{Deserialize, de::DeserializeOwned};

/// One operation in a file of its own, checked against the allowlist and GitHub's schema by tests (S1).
pub(super) trait Document {
    /// The operation's name.
    const NAME: &'static str;
    /// The file.
    const TEXT: &'static str;
    /// Points that it costs, as far as known beforehand.
    const POINTS: u32 = 1;
    /// What is read of the answer.
    type Data: DeserializeOwned;
}

/// Binds a file of `documents/`, with those of `documents/parts/` whose fragments it spreads, to its name and the type of its data.
macro_rules! document {
    ($(#[$doc:meta])* $name:ident, $file:literal $(with $($part:literal)+)?, $data:ty) => {
        $(#[$doc])*
        pub(super) struct $name;

        impl $crate::github::graphql::Document for $name {
            const NAME: &'static str = stringify!($name);
            const TEXT: &'static str = concat!(
                include_str!(concat!("documents/", $file, ".graphql")),
                $($("\n", include_str!(concat!("documents/parts/", $part, ".graphql")),)+)?
            );
            type Data = $data;
        }
    };
}
pub(super) use document;

/// What every answer has, whatever was asked.
#[derive(Deserialize)]
struct Skim {
    #[serde(default)]
    data: Option<SkimData>,
    #[serde(default)]
    errors: Vec<Error>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SkimData {
    #[serde(default)]
    rate_limit: Option<RateLimit>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RateLimit {
    cost: u32,
    remaining: u32,
    reset_at: Timestamp,
    #[serde(default)]
    limit: u32,
}

#[derive(Deserialize)]
struct Error {
    #[serde(rename = "type", default, deserialize_with = "word")]
    code: Code,
    #[serde(default)]
    path: Vec<Place>,
    #[serde(default)]
    extensions: Extensions,
}

#[derive(Default, Deserialize)]
struct Extensions {
    #[serde(default)]
    saml_failure: bool,
    #[serde(default, deserialize_with = "word")]
    code: Schema,
}

/// Whether the host knows the document at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Schema {
    #[default]
    Known,
    /// It has no such field or argument; nothing was done.
    Unknown,
}

impl Word for Schema {
    fn of(code: &str) -> Self {
        match code {
            "undefinedField"
            | "argumentNotAccepted"
            | "missingRequiredInputObjectAttribute"
            | "undefinedType" => Self::Unknown,
            _ => Self::Known,
        }
    }
}

/// GitHub's codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Code {
    NotFound,
    Forbidden,
    RateLimited,
    InsufficientScopes,
    Unprocessable,
    StaleData,
    #[default]
    Unknown,
}

impl Word for Code {
    fn of(code: &str) -> Self {
        match code {
            "NOT_FOUND" => Self::NotFound,
            "FORBIDDEN" => Self::Forbidden,
            "RATE_LIMITED" | "RATE_LIMIT" => Self::RateLimited,
            "INSUFFICIENT_SCOPES" => Self::InsufficientScopes,
            "UNPROCESSABLE" => Self::Unprocessable,
            "STALE_DATA" => Self::StaleData,
            _ => Self::Unknown,
        }
    }
}

/// A step in the path of an error: one of our own field names, or a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Checks,
    Issues,
    Pulls,
    Other,
}

impl Word for Place {
    fn of(field: &str) -> Self {
        match field {
            "statusCheckRollup" | "checkSuite" | "contexts" => Self::Checks,
            "issue" | "issues" => Self::Issues,
            "pullRequest" | "pullRequests" => Self::Pulls,
            _ => Self::Other,
        }
    }
}

impl<'de> Deserialize<'de> for Place {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        word(from)
    }
}

/// What the errors of an answer come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// There are none.
    Clean,
    /// Something that was asked for is not there; what is there can be used.
    Gaps,
    /// A limit was hit; nothing was done.
    Limited,
    /// Refused or failed.
    Fault(Fault),
}

/// The part of an answer that every answer has.
pub(super) struct Skimmed {
    /// The budget and the cost.
    pub(super) rate: Option<Rate>,
    /// The errors.
    pub(super) verdict: Verdict,
}

/// Reads what every answer has; `None`: it is no whole answer.
pub(super) fn skim(body: &[u8]) -> Option<Skimmed> {
    let skim: Skim = serde_json::from_slice(body).ok()?;
    if skim.data.is_none() && skim.errors.is_empty() {
        return None;
    }
    let rate = skim.data.and_then(|data| data.rate_limit).map(|rate| Rate {
        resource: Resource::Graphql,
        limit: rate.limit,
        remaining: rate.remaining,
        reset_at: rate.reset_at,
        cost: Some(rate.cost),
    });
    Some(Skimmed { rate, verdict: verdict(&skim.errors) })
}

/// The weightiest error decides.
fn verdict(errors: &[Error]) -> Verdict {
    let mut verdict = Verdict::Clean;
    for error in errors {
        let found = if error.extensions.saml_failure {
            Verdict::Fault(Fault::Refused(Refusal::SsoRequired))
        } else {
            match error.code {
                Code::RateLimited => return Verdict::Limited,
                Code::NotFound => Verdict::Gaps,
                Code::Forbidden => Verdict::Fault(match error.path.iter().rfind(|p| **p != Place::Other) {
                    Some(Place::Checks) => Fault::Refused(Refusal::NoScope(Scope::Checks)),
                    Some(Place::Issues) => Fault::Refused(Refusal::NoScope(Scope::Issues)),
                    Some(Place::Pulls) => Fault::Refused(Refusal::NoScope(Scope::PullRequests)),
                    Some(Place::Other) | None => Fault::No(No::Forbidden),
                }),
                Code::InsufficientScopes => Verdict::Fault(Fault::Refused(Refusal::NoScope(Scope::Repo))),
                Code::Unprocessable => Verdict::Fault(Fault::No(No::Invalid)),
                Code::StaleData => Verdict::Fault(Fault::No(No::Conflict)),
                Code::Unknown if error.extensions.code == Schema::Unknown => {
                    Verdict::Fault(Fault::No(No::Gone))
                }
                Code::Unknown => Verdict::Fault(Fault::Unclear("GitHub reported an error")),
            }
        };
        // What is unknown may have had an effect, whatever else was refused.
        let weight = |v: &Verdict| match v {
            Verdict::Clean => 0,
            Verdict::Gaps => 1,
            Verdict::Fault(Fault::No(_)) => 2,
            Verdict::Fault(Fault::Refused(_)) => 3,
            Verdict::Fault(Fault::Later(_) | Fault::Unclear(_)) => 4,
            Verdict::Limited => 5,
        };
        if weight(&found) > weight(&verdict) {
            verdict = found;
        }
    }
    verdict
}

/// Reads the data of an answer.
pub(super) fn data<T: DeserializeOwned>(body: &[u8]) -> Result<Option<T>, Fault> {
    #[derive(Deserialize)]
    #[serde(bound = "T: DeserializeOwned")]
    struct Envelope<T> {
        #[serde(default = "none")]
        data: Option<T>,
    }
    fn none<T>() -> Option<T> {
        None
    }
    // The parser's error may quote the text, so it is dropped.
    let envelope: Envelope<T> =
        serde_json::from_slice(body).map_err(|_| Fault::Unclear("GitHub's answer has another shape"))?;
    Ok(envelope.data)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict_of(errors: &str) -> Verdict {
        skim(format!("{{\"data\":null,\"errors\":[{errors}]}}").as_bytes()).unwrap().verdict
    }

    #[test]
    fn errors_are_read_by_their_codes() {
        assert_eq!(
            verdict_of(r#"{"type":"NOT_FOUND","path":["repository","i3"],"message":"x"}"#),
            Verdict::Gaps
        );
        assert_eq!(verdict_of(r#"{"type":"NOT_FOUND"},{"type":"RATE_LIMITED"}"#), Verdict::Limited);
        let checks =
            r#"{"type":"FORBIDDEN","path":["repository","pullRequests","nodes",0,"statusCheckRollup"]}"#;
        assert_eq!(verdict_of(checks), Verdict::Fault(Fault::Refused(Refusal::NoScope(Scope::Checks))));
        assert_eq!(
            verdict_of(r#"{"type":"FORBIDDEN","extensions":{"saml_failure":true}}"#),
            Verdict::Fault(Fault::Refused(Refusal::SsoRequired))
        );
        assert!(matches!(
            verdict_of(r#"{"message":"Something went wrong"}"#),
            Verdict::Fault(Fault::Unclear(_))
        ));
    }

    #[test]
    fn a_cut_off_answer_is_none() {
        assert!(skim(br#"{"data":{"rateLimit":{"cost":1,"#).is_none());
        assert!(skim(b"{}").is_none());
    }

    #[test]
    fn the_cost_is_read_beside_the_data() {
        let body = br#"{"data":{"rateLimit":{"cost":1,"remaining":4999,"resetAt":"2026-11-21T20:00:00Z","limit":5000},"x":3}}"#;
        let rate = skim(body).unwrap().rate.unwrap();
        assert_eq!((rate.cost, rate.remaining, rate.limit), (Some(1), 4999, 5000));
        #[derive(Deserialize)]
        struct X {
            x: u32,
        }
        assert_eq!(data::<X>(body).unwrap().unwrap().x, 3);
    }
}
