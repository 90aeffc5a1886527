//! Tokens of the embedded forge: for its owner the one that `serve` makes, for Banksman itself and for everybody else a file of mode 600 each,
//! in a folder of the home. Who is given one acts in his own name, so that the forge tells who did what.

use crate::{home::Home, output::Failure};
use anyhow::Context as _;
use banksman_core::{port::book::Who, text::Login};
use banksman_facade::{Token, Tokens};
use banksman_tracker::serve::kept_token;
use secrecy::SecretString;
use std::{
    fs,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// How old may be what is known of the files.
const GOOD_FOR: Duration = Duration::from_secs(1);
/// The name under which Banksman itself has a token; nobody else can have it.
const BANKSMAN: &str = "banksman";

/// The tokens of a home.
pub(crate) struct ForgeTokens {
    owner: Login,
    owners: PathBuf,
    others: PathBuf,
    read: Mutex<Option<Read>>,
}

/// What the files said, and when.
struct Read {
    at: Instant,
    tokens: Vec<(Token, Who)>,
}

impl ForgeTokens {
    /// Those of a home; nothing is made.
    pub(crate) fn of(home: &Home, owner: &Login) -> Self {
        let at = |name| home.folder().join(name);
        Self {
            owner: owner.clone(),
            owners: at("forge-token"),
            others: at("forge-tokens"),
            read: Mutex::default(),
        }
    }

    /// The file of the owner's token; made if it is missing.
    pub(crate) fn owners(&self) -> anyhow::Result<&Path> {
        kept_token(&self.owners).with_context(|| self.owners.display().to_string())?;
        Ok(&self.owners)
    }

    /// The file of Banksman's own token; made if it is missing.
    pub(crate) fn banksmans(&self) -> anyhow::Result<PathBuf> {
        self.made(BANKSMAN)
    }

    /// The file of somebody's token; made if it is missing.
    pub(crate) fn of_login(&self, login: &Login) -> anyhow::Result<PathBuf> {
        if *login == self.owner {
            return self.owners().map(Path::to_owned);
        }
        self.made(file_name(login)?)
    }

    /// Takes somebody's token back. False: there was none.
    pub(crate) fn take_back(&self, login: &Login) -> anyhow::Result<bool> {
        let path =
            if *login == self.owner { self.owners.clone() } else { self.others.join(file_name(login)?) };
        match fs::remove_file(&path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error).with_context(|| format!("cannot remove {}", path.display())),
        }
    }

    fn made(&self, name: &str) -> anyhow::Result<PathBuf> {
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.others);
        made.with_context(|| format!("cannot make {}", self.others.display()))?;
        let path = self.others.join(name);
        kept_token(&path).with_context(|| path.display().to_string())?;
        Ok(path)
    }

    /// What the files say now. One that others can read counts for nothing, as one that is not there.
    fn files(&self) -> Vec<(Token, Who)> {
        let mut tokens = Vec::new();
        let mut add = |path: &Path, who: Who| {
            let kept = path.exists().then(|| kept_token(path)).and_then(Result::ok);
            let text = kept.and_then(|_| fs::read_to_string(path).ok());
            tokens.extend(text.map(|text| (Token::of(&SecretString::from(text.trim().to_owned())), who)));
        };
        add(&self.owners, Who::Person(self.owner.clone()));
        for file in fs::read_dir(&self.others).into_iter().flatten().flatten() {
            match file.file_name().to_str() {
                Some(BANKSMAN) => add(&file.path(), Who::Banksman),
                Some(name) if !name.contains("[bot]") => {
                    if let Ok(login) = Login::new(name) {
                        add(&file.path(), Who::Person(login));
                    }
                }
                Some(_) | None => {}
            }
        }
        tokens
    }

    fn look<R>(&self, take: impl FnOnce(&Vec<(Token, Who)>) -> R) -> R {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if read.as_ref().is_none_or(|read| read.at.elapsed() >= GOOD_FOR) {
            *read = Some(Read { at: Instant::now(), tokens: self.files() });
        }
        match &*read {
            Some(read) => take(&read.tokens),
            None => take(&Vec::new()),
        }
    }
}

impl Tokens for ForgeTokens {
    fn bearer(&self, token: &Token) -> Option<Who> {
        self.look(|tokens| tokens.bearer(token))
    }

    fn bearers(&self) -> Vec<Who> {
        self.look(Tokens::bearers)
    }
}

/// The name of a login's file: a login is no path.
fn file_name(login: &Login) -> anyhow::Result<&str> {
    let name = login.as_str();
    let plain =
        name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)) && !name.starts_with('.');
    if plain && name != BANKSMAN {
        return Ok(name);
    }
    let what = format!("{} can have no token of a person", crate::output::clean(name));
    let help = "a login here has letters, digits, `-`, `_` and `.`; engines work without tokens, and Banksman's own is made by `serve`";
    Err(Failure::usage(what, help))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn token(path: &Path) -> Token {
        Token::of(&SecretString::from(fs::read_to_string(path).unwrap().trim().to_owned()))
    }

    #[test]
    fn everybody_acts_in_his_own_name_until_the_token_is_taken_back() {
        let folder = tempfile::tempdir().unwrap();
        let (home, me, ann) =
            (Home::at(folder.path()), Login::new("me").unwrap(), Login::new("ann").unwrap());
        let tokens = || ForgeTokens::of(&home, &me);
        let owners = tokens().of_login(&me).unwrap();
        let (anns, own) = (tokens().of_login(&ann).unwrap(), tokens().banksmans().unwrap());
        assert_eq!(fs::metadata(&anns).unwrap().permissions().mode() & 0o777, 0o600);
        let known = tokens();
        assert_eq!(known.bearer(&token(&owners)), Some(Who::Person(me.clone())));
        assert_eq!(known.bearer(&token(&anns)), Some(Who::Person(ann.clone())));
        assert_eq!(known.bearer(&token(&own)), Some(Who::Banksman));
        assert_eq!(known.bearers().len(), 3);
        let anns_token = token(&anns);
        fs::set_permissions(&own, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(tokens().take_back(&ann).unwrap() && !tokens().take_back(&ann).unwrap());
        assert_eq!(tokens().bearer(&anns_token), None);
        assert_eq!(tokens().bearers().len(), 1, "one that others can read counts for nothing");
    }

    #[test]
    fn a_login_is_no_path_and_nobody_is_taken_for_banksman() {
        let folder = tempfile::tempdir().unwrap();
        let tokens = ForgeTokens::of(&Home::at(folder.path()), &Login::new("me").unwrap());
        for bad in ["../x", "a/b", ".x", "banksman", "claude[bot]"] {
            if let Ok(login) = Login::new(bad) {
                assert!(tokens.of_login(&login).is_err(), "{bad}");
            }
        }
    }
}
