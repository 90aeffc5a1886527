//! Text that came from outside and was validated: bounded printable ASCII of a known shape (S3). Whatever does not fit
//! is refused here, once, so that no other module ever holds a stranger's free text.

use serde::{Deserialize, Serialize};
use std::{borrow::Borrow, fmt, str::FromStr, sync::Arc};

/// A text that does not have the shape its type requires. Carries the type's name only, never the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a valid {0}")]
pub struct BadText(pub &'static str);

/// Defines a validated text type with the given predicate.
macro_rules! text_type {
    ($(#[$doc:meta])* $name:ident, $what:literal, $valid:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// Checks the shape; the error does not repeat the text.
            pub fn new(text: &str) -> Result<Self, BadText> {
                let valid: fn(&str) -> bool = $valid;
                if valid(text) { Ok(Self(text.into())) } else { Err(BadText($what)) }
            }

            /// The validated text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = BadText;
            fn from_str(text: &str) -> Result<Self, BadText> {
                Self::new(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = BadText;
            fn try_from(text: String) -> Result<Self, BadText> {
                Self::new(&text)
            }
        }

        impl From<$name> for String {
            fn from(text: $name) -> String {
                text.0.to_string()
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}

fn graphic(text: &str, max: usize) -> bool {
    !text.is_empty() && text.len() <= max && text.bytes().all(|b| b.is_ascii_graphic())
}

fn word(text: &str, max: usize) -> bool {
    !text.is_empty()
        && text.len() <= max
        && !text.starts_with(['-', '.'])
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

text_type!(
    /// A git object id: 40 (SHA-1) or 64 (SHA-256) lower-case hex digits.
    Sha, "git object id", |t| matches!(t.len(), 40 | 64)
        && t.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
);
text_type!(
    /// A repository: `owner/name`; repositories of the embedded forge have the owner `local`.
    RepoName, "repository name (owner/name)", |t| {
        t.split_once('/').is_some_and(|(owner, name)| word(owner, 64) && word(name, 100))
    }
);
text_type!(
    /// A branch by its short name, inside what `git check-ref-format` allows and without anything a shell could mistake.
    BranchName, "branch name", |t| {
        t.len() <= 200
            && t.split('/').all(|part| word(part, 200) && !part.ends_with('.') && !part.ends_with(".lock"))
            && !t.contains("..")
            && t != "HEAD"
    }
);
text_type!(
    /// Account name on the forge: for people to read; decisions use [`crate::id::ActorId`].
    Login, "login", |t| graphic(t, 64)
);
text_type!(
    /// A label of an issue or a pull request: printable ASCII, single spaces allowed inside, at most 50 characters.
    Label, "label", |t| {
        !t.is_empty() && t.len() <= 50 && t.trim() == t && t.bytes().all(|b| b.is_ascii_graphic() || b == b' ')
    }
);
text_type!(
    /// Colour of a label: six lower-case hex digits.
    Color, "colour (six hex digits)", |t| t.len() == 6 && t.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
);
text_type!(
    /// Name of a check. Names are compared with the configured ones and shown, nothing else (S10).
    CheckName, "check name", |t| {
        !t.is_empty() && t.len() <= 100 && t.trim() == t && t.bytes().all(|b| b.is_ascii_graphic() || b == b' ')
    }
);
text_type!(
    /// Name of a configured engine.
    EngineName, "engine name", |t| word(t, 40)
);
text_type!(
    /// Name of a class of interchangeable engines, such as `agentic-coder`.
    ClassName, "engine class", |t| word(t, 40)
);
text_type!(
    /// A member of the team: whose quota a dispatch uses.
    MemberName, "member name", |t| word(t, 60)
);
text_type!(
    /// Who grants quotas: an agent's vendor or account, such as `jules` or `anthropic`.
    ProviderName, "provider name", |t| word(t, 40)
);
text_type!(
    /// Name of a model in the host's own words, such as `gpt-5.1` or `qwen3:32b`.
    ModelName, "model name", |t| {
        t.len() <= 80
            && t.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
            && t.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b':' | b'/' | b'+'))
    }
);
text_type!(
    /// Name of a scheduled run.
    ScheduleName, "schedule name", |t| word(t, 40)
);
text_type!(
    /// Name of a configured profile.
    ProfileName, "profile name", |t| word(t, 40)
);
text_type!(
    /// Name of a lock: at most one job that holds it runs at a time, across the whole fleet.
    LockName, "lock name", |t| word(t, 100)
);
text_type!(
    /// What a worker offers and a job may require: `key:value`.
    Capability, "capability (key:value)", |t| {
        t.split_once(':').is_some_and(|(key, value)| word(key, 40) && graphic(value, 100))
    }
);
text_type!(
    /// Idempotency key of a job: unique over all stages, for ever. Never all digits, so that it is not taken for a job's id.
    JobKey, "idempotency key", |t| graphic(t, 200) && !t.bytes().all(|b| b.is_ascii_digit())
);
text_type!(
    /// Name of a job as part of a file name (Q5): `[a-z0-9._-]`, at most 60 characters, no dot in front.
    JobName, "job name", |t| {
        !t.is_empty()
            && t.len() <= 60
            && !t.starts_with(['.', '-'])
            && t.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'_' | b'-'))
    }
);
text_type!(
    /// Id of an item in a tracker.
    ItemId, "tracker item id", |t| graphic(t, 100) && !t.contains(['?', '#', '\\', '%']) && t != "." && t != ".."
);
text_type!(
    /// Name of an environment variable.
    VarName, "variable name", |t| {
        !t.is_empty()
            && t.len() <= 100
            && !t.starts_with(|c: char| c.is_ascii_digit())
            && t.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    }
);
text_type!(
    /// A git revision as a person writes it: branch, tag or commit; nothing that could be taken for an option or a range.
    Revision, "git revision", |t| {
        graphic(t, 200) && !t.starts_with('-') && !t.contains("..") && !t.contains([':', '?', '*', '[', '\\'])
    }
);
text_type!(
    /// The scope word in a title such as `fix(api): ...`: a package or subsystem.
    ScopeWord, "scope", |t| {
        !t.is_empty()
            && t.len() <= 40
            && t.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_' | b'.' | b'/'))
    }
);
text_type!(
    /// Stable identity of a finding: lower-case hex (A10).
    Fingerprint, "fingerprint", |t| t.len() == 32 && t.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
);
text_type!(
    /// Who holds a lease: host, process and start of the process, made by the wiring.
    Holder, "lease holder", |t| graphic(t, 200)
);

impl Fingerprint {
    /// From its sixteen bytes.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_branch_names_are_refused() {
        for bad in [
            "",
            "-x",
            "a..b",
            "a b",
            "a/.b",
            "a.lock",
            "HEAD",
            "a\u{202e}b",
            "a/",
            "/a",
            "a~1",
            "a:b",
            "@{u}",
        ] {
            assert!(BranchName::new(bad).is_err(), "{bad:?}");
        }
        assert!(BranchName::new("epic/12-security").is_ok());
    }

    #[test]
    fn errors_do_not_repeat_the_text() {
        assert_eq!(
            RepoName::new("canary").unwrap_err().to_string(),
            "not a valid repository name (owner/name)"
        );
    }
}
