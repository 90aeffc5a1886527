//! An epic to be made: what its children have in common and in which phases they come.

use crate::{
    id::Number,
    text::{BadText, BranchName, ScopeWord},
};
use serde::{Deserialize, Serialize};

/// An epic to be made. Titles of children are filled in by the forge, which has them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EpicDraft {
    /// What its children have in common.
    pub theme: Theme,
    /// Number of the part when a theme was split, from 1.
    pub part: Option<u32>,
    /// Children by phase, in order; no empty phase.
    pub phases: Vec<PhaseDraft>,
}

/// One phase of an epic to be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhaseDraft {
    /// Which phase.
    pub phase: Phase,
    /// Its children, ascending.
    pub children: Vec<Number>,
}

/// An ordered group of children (E5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// What others wait for.
    Blockers,
    /// Independent work.
    Parallel,
    /// Docs, removal, final checks.
    Cleanup,
}

impl Phase {
    /// All phases in order.
    pub const ALL: [Phase; 3] = [Phase::Blockers, Phase::Parallel, Phase::Cleanup];

    /// Its number in headings, from 1.
    pub fn number(self) -> u8 {
        match self {
            Self::Blockers => 1,
            Self::Parallel => 2,
            Self::Cleanup => 3,
        }
    }

    /// Its name in one word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Blockers => "blockers",
            Self::Parallel => "parallel",
            Self::Cleanup => "cleanup",
        }
    }

    /// Its heading in an epic's body, exactly (E6).
    pub fn heading(self) -> &'static str {
        match self {
            Self::Blockers => "### Phase 1: Blockers (blocking)",
            Self::Parallel => "### Phase 2: Parallel (parallelisable)",
            Self::Cleanup => "### Phase 3: Cleanup",
        }
    }
}

/// What the children of an epic have in common (E3). Written in words: `security`, `feature api`, `security api`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[expect(missing_docs, reason = "the words of E3")]
pub enum Theme {
    Security,
    Quality,
    Performance,
    Testing,
    Documentation,
    /// Fewer than five audit issues in the repository: one epic for all.
    Audit,
    /// Features of one subsystem.
    Feature(ScopeWord),
    /// A theme too large for one epic, narrowed to one package.
    Package(Box<Theme>, ScopeWord),
}

impl EpicDraft {
    /// Its children in the order of the phases.
    pub fn children(&self) -> impl Iterator<Item = Number> + '_ {
        self.phases.iter().flat_map(|draft| draft.children.iter().copied())
    }

    /// The epic's branch: `epic/<number>-<slug>` (E9).
    pub fn branch(&self, epic: Number) -> BranchName {
        let name = format!("epic/{epic}-{}", self.slug());
        #[expect(
            clippy::expect_used,
            reason = "a slug is made of [a-z0-9-] and bounded, which a property test checks"
        )]
        BranchName::new(&name).expect("an epic's slug is a valid branch name")
    }

    /// The theme and part as `[a-z0-9-]`, at most 60 characters.
    pub fn slug(&self) -> String {
        let mut slug: String = self
            .theme
            .to_string()
            .chars()
            .map(|c| if c.is_ascii_lowercase() || c.is_ascii_digit() { c } else { '-' })
            .take(49)
            .collect();
        if let Some(part) = self.part {
            slug.push_str(&format!("-{part}"));
        }
        slug.trim_matches('-').to_owned()
    }
}

impl Theme {
    /// The theme without the package that it was narrowed to.
    pub fn whole(&self) -> &Theme {
        match self {
            Self::Package(theme, _) => theme.whole(),
            theme => theme,
        }
    }
}

/// A theme as [`Theme`]'s `Display` writes it.
impl std::str::FromStr for Theme {
    type Err = BadText;

    fn from_str(text: &str) -> Result<Self, BadText> {
        let bad = BadText("theme (such as \"security\", \"security api\" or \"feature api\")");
        let mut words = text.split(' ');
        let theme = match words.next() {
            Some("security") => Self::Security,
            Some("quality") => Self::Quality,
            Some("performance") => Self::Performance,
            Some("testing") => Self::Testing,
            Some("documentation") => Self::Documentation,
            Some("audit") => Self::Audit,
            Some("feature") => Self::Feature(ScopeWord::new(words.next().ok_or(bad)?).map_err(|_| bad)?),
            _ => return Err(bad),
        };
        let package = words.next().map(ScopeWord::new).transpose().map_err(|_| bad)?;
        match (package, words.next()) {
            (None, None) => Ok(theme),
            (Some(package), None) => Ok(Self::Package(Box::new(theme), package)),
            (_, Some(_)) => Err(bad),
        }
    }
}

impl TryFrom<String> for Theme {
    type Error = BadText;
    fn try_from(text: String) -> Result<Self, BadText> {
        text.parse()
    }
}

impl From<Theme> for String {
    fn from(theme: Theme) -> String {
        theme.to_string()
    }
}

impl std::fmt::Display for Theme {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Security => f.write_str("security"),
            Self::Quality => f.write_str("quality"),
            Self::Performance => f.write_str("performance"),
            Self::Testing => f.write_str("testing"),
            Self::Documentation => f.write_str("documentation"),
            Self::Audit => f.write_str("audit"),
            Self::Feature(scope) => write!(f, "feature {scope}"),
            Self::Package(theme, scope) => write!(f, "{theme} {scope}"),
        }
    }
}
