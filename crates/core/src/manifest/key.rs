//! The keys of a manifest, in the order in which they are printed.

use super::error::{Nearness, nearest, shown};

/// A key that has a meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::enum_variant_names, reason = "the variants repeat the keys as they are written")]
pub(super) enum Key {
    Engine,
    EngineClass,
    Profile,
    Cwd,
    Worktree,
    Yolo,
    Lock,
    Timeout,
    Priority,
    Capabilities,
    DependsOn,
    IdempotencyKey,
    TrackerItem,
    Retries,
    NotBefore,
    Review,
    Verify,
    Base,
    Branch,
    MaxCost,
    MaxTokens,
    Env,
}

impl Key {
    pub(super) const ALL: [Self; 22] = [
        Self::Engine,
        Self::EngineClass,
        Self::Profile,
        Self::Cwd,
        Self::Worktree,
        Self::Yolo,
        Self::Lock,
        Self::Timeout,
        Self::Priority,
        Self::Capabilities,
        Self::DependsOn,
        Self::IdempotencyKey,
        Self::TrackerItem,
        Self::Retries,
        Self::NotBefore,
        Self::Review,
        Self::Verify,
        Self::Base,
        Self::Branch,
        Self::MaxCost,
        Self::MaxTokens,
        Self::Env,
    ];

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Engine => "engine",
            Self::EngineClass => "engine-class",
            Self::Profile => "profile",
            Self::Cwd => "cwd",
            Self::Worktree => "worktree",
            Self::Yolo => "yolo",
            Self::Lock => "lock",
            Self::Timeout => "timeout",
            Self::Priority => "priority",
            Self::Capabilities => "capabilities",
            Self::DependsOn => "depends-on",
            Self::IdempotencyKey => "idempotency-key",
            Self::TrackerItem => "tracker-item",
            Self::Retries => "retries",
            Self::NotBefore => "not-before",
            Self::Review => "review",
            Self::Verify => "verify",
            Self::Base => "base",
            Self::Branch => "branch",
            Self::MaxCost => "max-cost",
            Self::MaxTokens => "max-tokens",
            Self::Env => "env",
        }
    }

    pub(super) fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|key| key.as_str() == name)
    }
}

/// What to say of a key that is not known (Q1). `more` are keys that are known here beside those of a manifest.
pub(super) fn unknown(name: &str, more: &[&'static str]) -> String {
    if name.is_empty() {
        return "a key is empty".to_owned();
    }
    let known = Key::ALL.map(Key::as_str);
    let hint = match nearest(name, known.iter().chain(more).copied()) {
        Some((key, Nearness::Meant)) => format!("did you mean `{key}`?"),
        Some((key, Nearness::Far)) => {
            format!("the nearest key is `{key}`; keys of your own start with `x-`")
        }
        None => String::new(),
    };
    format!("unknown key `{}`: {hint}", shown(name))
}
