//! Intents: what Banksman is about to change in the world, written down first (architecture, "Effects are intents first"). A
//! [`Deed`] is one decision; it expands into [`Step`]s, single effects on the forge; each step done leaves a [`Receipt`].

use crate::{
    id::{CommentId, Number, ThreadId},
    policy::EscalateReason,
    say::Sentence,
    signals::Mark,
    text::{BadText, BranchName, Fingerprint, Label, RepoName, ScopeWord, Sha},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What is intended: one decision with everything that its effects need, and no text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "deed")]
pub enum Deed {
    /// Make the issue of a finding or a pattern; its text comes from the report at the time of the step (S8).
    CreateIssue {
        /// Which finding or pattern.
        fingerprint: Fingerprint,
        /// Issues that the new one blocks (the members of a pattern).
        blocks: Vec<Number>,
    },
    /// Comment the created numbers on an audit issue and close it (A12).
    CloseAudit {
        /// The audit issue.
        audit: Number,
        /// What was created.
        created: Vec<Number>,
    },
    /// Make an epic: issue, links to its children, branch (E6 to E9).
    CreateEpic {
        /// Its plan.
        epic: EpicDraft,
    },
    /// Add children to the checklist of an epic that exists (E2).
    ExtendEpic {
        /// The epic.
        epic: Number,
        /// New children by phase.
        phases: Vec<PhaseDraft>,
    },
    /// Hand a child to an implementer (X1).
    Dispatch {
        /// The child.
        child: Number,
        /// Its epic.
        epic: Number,
        /// The epic's branch.
        branch: BranchName,
        /// The implementer's label, the trigger.
        label: Label,
    },
    /// Hand an issue without an epic to an implementer (A9); its work goes to the default branch.
    DispatchDirect {
        /// The issue.
        issue: Number,
        /// The implementer's label, the trigger.
        label: Label,
    },
    /// Ask a person for approval of a feature (X3).
    FlagApproval {
        /// The child.
        child: Number,
    },
    /// Open the pull request of a child's published branch.
    OpenPull {
        /// The child it closes.
        child: Number,
        /// Its branch.
        head: BranchName,
        /// Where it goes.
        base: BranchName,
    },
    /// Say the fixed sentence about reviews.
    RequestReviewFix {
        /// The pull request.
        pull: Number,
    },
    /// Say the fixed sentence about the conflict.
    RequestConflictFix {
        /// The pull request.
        pull: Number,
    },
    /// Resolve review threads.
    ResolveThreads {
        /// The pull request.
        pull: Number,
        /// Which.
        threads: Vec<ThreadId>,
    },
    /// Merge the base into the head branch.
    UpdateBranch {
        /// The pull request.
        pull: Number,
        /// The evaluated head.
        head: Sha,
    },
    /// Switch auto-merge on.
    EnableAutoMerge {
        /// The pull request.
        pull: Number,
        /// The evaluated head.
        head: Sha,
    },
    /// Merge.
    Merge {
        /// The pull request.
        pull: Number,
        /// The evaluated head; any other is refused.
        head: Sha,
        /// How.
        method: MergeMethod,
    },
    /// Start Banksman's own attempt at a conflict; the work item is the effect.
    ResolveConflict {
        /// The pull request.
        pull: Number,
    },
    /// Call a person (X8).
    Escalate {
        /// The child or pull request.
        subject: Number,
        /// Why.
        reason: EscalateReason,
        /// What was seen; `None` for an issue without a pull request.
        mark: Option<Mark>,
    },
    /// Tick children on their epic's checklist (X9).
    TickParent {
        /// The epic.
        epic: Number,
        /// Which, ascending.
        children: Vec<Number>,
    },
    /// Close a child that the forge did not close (X10).
    CloseChild {
        /// The child.
        child: Number,
    },
    /// Open the pull request of an epic's branch to the default branch (X13).
    OpenEpicPull {
        /// The epic.
        epic: Number,
        /// Its branch.
        head: BranchName,
        /// The default branch.
        base: BranchName,
    },
    /// Delete a merged epic's branch and close the epic (X13).
    CloseEpic {
        /// The epic.
        epic: Number,
        /// Its branch.
        branch: BranchName,
        /// The head that was merged; a branch that moved on is kept. `None` when there was nothing to merge.
        merged: Option<Sha>,
    },
}

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

/// How a pull request is merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MergeMethod {
    /// One commit on the base.
    Squash,
    /// A merge commit.
    Merge,
}

/// One effect on the forge, at most once per intent and position (I3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "step")]
pub enum Step {
    /// Open the issue of a finding or pattern.
    CreateIssue {
        /// Which; the text is handed over beside the step.
        fingerprint: Fingerprint,
    },
    /// Open an epic's issue with its checklist.
    CreateEpic {
        /// Its plan.
        epic: EpicDraft,
    },
    /// Append children to an epic's checklist.
    ExtendChecklist {
        /// The epic.
        epic: Number,
        /// New children.
        phases: Vec<PhaseDraft>,
    },
    /// Say a fixed sentence.
    Comment {
        /// On which issue or pull request.
        on: Number,
        /// What.
        say: Sentence,
    },
    /// Add a label, made if it is missing.
    AddLabel {
        /// To which issue or pull request.
        on: Number,
        /// Which.
        label: Label,
    },
    /// Close an issue as completed.
    CloseIssue {
        /// Which.
        issue: Number,
    },
    /// Make `child` a sub-issue of `parent`.
    LinkChild {
        /// The epic.
        parent: Number,
        /// The child.
        child: Number,
    },
    /// Record that `blocker` blocks `blocked`.
    LinkBlocker {
        /// The one that comes first.
        blocker: Number,
        /// The one that waits.
        blocked: Number,
    },
    /// Make a branch at the head of the default branch.
    CreateBranch {
        /// Its name.
        branch: BranchName,
    },
    /// Delete a branch if it still is at that commit; open pull requests into it move to the default branch.
    DeleteBranch {
        /// Its name.
        branch: BranchName,
        /// Where it has to be; `None`: only if it has nothing that the default branch lacks.
        at: Option<Sha>,
    },
    /// Open a pull request.
    OpenPull {
        /// The issue it closes, or the epic.
        closes: Number,
        /// From.
        head: BranchName,
        /// Into.
        base: BranchName,
    },
    /// Resolve one thread.
    ResolveThread {
        /// The pull request.
        pull: Number,
        /// The thread.
        thread: ThreadId,
    },
    /// Merge the base into the head branch if the head is still that commit.
    UpdateBranch {
        /// The pull request.
        pull: Number,
        /// The evaluated head.
        head: Sha,
    },
    /// Switch auto-merge on.
    EnableAutoMerge {
        /// The pull request.
        pull: Number,
        /// The evaluated head.
        head: Sha,
    },
    /// Merge if the head is still that commit.
    Merge {
        /// The pull request.
        pull: Number,
        /// The evaluated head.
        head: Sha,
        /// How.
        method: MergeMethod,
    },
    /// Tick these children on the epic's checklist, changing nothing else.
    Tick {
        /// The epic.
        epic: Number,
        /// Which.
        children: Vec<Number>,
    },
}

/// Proof that a step was done: ids and server times only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// Server time of the effect.
    pub at: Timestamp,
    /// What it made.
    pub made: Made,
}

/// What a step made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "made")]
pub enum Made {
    /// An issue.
    Issue {
        /// Its number.
        number: Number,
    },
    /// A pull request.
    Pull {
        /// Its number.
        number: Number,
    },
    /// A comment.
    Comment {
        /// Its id.
        id: CommentId,
    },
    /// A commit (a merge, an updated head, a new branch's tip).
    Commit {
        /// Its id.
        sha: Sha,
    },
    /// Something that has no id of its own: a label, a link, a tick, a closing.
    Change,
}

/// An intent to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewIntent {
    /// The repository.
    pub repo: RepoName,
    /// Unique inside the repository; see [`Deed::key`].
    pub key: String,
    /// What it is about.
    pub subject: Number,
    /// What is intended.
    pub deed: Deed,
    /// Now.
    pub at: Timestamp,
}

/// An intent in the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// The repository.
    pub repo: RepoName,
    /// Unique inside the repository.
    pub key: String,
    /// What it is about.
    pub subject: Number,
    /// What is intended.
    pub deed: Deed,
    /// When it was written.
    pub created_at: Timestamp,
    /// One receipt per step done so far, in order.
    pub receipts: Vec<Receipt>,
    /// Where it is.
    pub state: IntentState,
}

/// Where an intent is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum IntentState {
    /// Written; some steps may be done. After a crash recovery looks at the forge for the first step without a receipt and
    /// goes on.
    Open,
    /// All steps done.
    Done {
        /// Server time of the last step.
        at: Timestamp,
    },
    /// The forge refused a step for good. The same key may be opened again, which counts a try.
    Refused {
        /// Why.
        reason: crate::port::Refusal,
        /// When.
        at: Timestamp,
        /// How often, this time included.
        tries: u32,
    },
}

/// Label that calls a person (X8).
pub const NEEDS_INTERVENTION: &str = "needs-intervention";
/// Label of a feature that waits for a person (X3).
pub const NEEDS_APPROVAL: &str = "needs-approval";
/// Label by which a person approves a feature.
pub const APPROVED: &str = "approved";
/// Label of an epic (E7).
pub const AGENTIC: &str = "agentic";

/// A compiled-in label as a value. The constants above satisfy the shape; the fallback cannot be reached.
pub fn label(text: &'static str) -> Label {
    #[expect(
        clippy::expect_used,
        reason = "only called with the constants of this module, checked by a test"
    )]
    Label::new(text).expect("a compiled-in label is valid")
}

impl Deed {
    /// Unique key: the same decision about the same state gives the same key, so that it is carried out once. `round` tells
    /// apart requests that may be repeated on purpose.
    pub fn key(&self, round: u32) -> String {
        match self {
            Self::CreateIssue { fingerprint, .. } => format!("create-issue:{fingerprint}"),
            Self::CloseAudit { audit, .. } => format!("close-audit:{audit}"),
            Self::CreateEpic { epic } => {
                format!("create-epic:{}", epic.children().map(|n| n.0).min().unwrap_or_default())
            }
            Self::ExtendEpic { epic, phases } => format!(
                "extend-epic:{epic}:{}",
                phases.iter().flat_map(|p| &p.children).map(|n| n.0).min().unwrap_or_default()
            ),
            Self::Dispatch { child, .. } => format!("dispatch:{child}"),
            Self::DispatchDirect { issue, .. } => format!("dispatch-direct:{issue}"),
            Self::FlagApproval { child } => format!("flag-approval:{child}"),
            Self::OpenPull { child, .. } => format!("open-pull:{child}"),
            Self::RequestReviewFix { pull } => format!("request-review-fix:{pull}:{round}"),
            Self::RequestConflictFix { pull } => format!("request-conflict-fix:{pull}:{round}"),
            Self::ResolveThreads { pull, threads } => {
                let newest = threads.iter().map(|t| t.0).max().unwrap_or_default();
                format!("resolve-threads:{pull}:{newest}:{}", threads.len())
            }
            Self::UpdateBranch { pull, head } => format!("update-branch:{pull}:{head}:{round}"),
            Self::EnableAutoMerge { pull, head } => format!("auto-merge:{pull}:{head}"),
            Self::Merge { pull, head, .. } => format!("merge:{pull}:{head}"),
            Self::ResolveConflict { pull } => format!("resolve-conflict:{pull}"),
            Self::Escalate { subject, .. } => format!("escalate:{subject}:{round}"),
            Self::TickParent { epic, children } => {
                // A foreign edit may take a tick back: the next round makes it again.
                let children: Vec<String> = children.iter().map(ToString::to_string).collect();
                format!("tick:{epic}:{}:{round}", children.join("+"))
            }
            Self::CloseChild { child } => format!("close-child:{child}"),
            Self::OpenEpicPull { epic, .. } => format!("open-epic-pull:{epic}"),
            Self::CloseEpic { epic, .. } => format!("close-epic:{epic}"),
        }
    }

    /// The next step, given the receipts of the steps done so far; `None` when all are done. Pure, so that recovery after a
    /// crash computes the same steps.
    pub fn step(&self, done: &[Receipt]) -> Option<Step> {
        let at = done.len();
        match self {
            Self::CreateIssue { fingerprint, blocks } => match (at, done.first().map(|r| &r.made)) {
                (0, _) => Some(Step::CreateIssue { fingerprint: fingerprint.clone() }),
                (n, Some(Made::Issue { number })) => {
                    blocks.get(n - 1).map(|b| Step::LinkBlocker { blocker: *number, blocked: *b })
                }
                _ => None,
            },
            Self::CloseAudit { audit, created } => [
                Step::Comment { on: *audit, say: Sentence::Created { issues: created.clone() } },
                Step::CloseIssue { issue: *audit },
            ]
            .into_iter()
            .nth(at),
            Self::CreateEpic { epic } => match (at, done.first().map(|r| &r.made)) {
                (0, _) => Some(Step::CreateEpic { epic: epic.clone() }),
                (n, Some(Made::Issue { number })) => {
                    let children: Vec<Number> = epic.children().collect();
                    match n - 1 {
                        0 => Some(Step::CreateBranch { branch: epic.branch(*number) }),
                        k => link_child(*number, &children, k - 1),
                    }
                }
                _ => None,
            },
            Self::ExtendEpic { epic, phases } => {
                let children: Vec<Number> = phases.iter().flat_map(|p| p.children.iter().copied()).collect();
                match at {
                    0 => Some(Step::ExtendChecklist { epic: *epic, phases: phases.clone() }),
                    k => link_child(*epic, &children, k - 1),
                }
            }
            Self::Dispatch { child, epic, branch, label } => [
                Step::Comment {
                    on: *child,
                    say: Sentence::TargetBranch { branch: branch.clone(), epic: *epic },
                },
                // The label is the trigger, so it comes last: whoever it wakes finds the target branch.
                Step::AddLabel { on: *child, label: label.clone() },
            ]
            .into_iter()
            .nth(at),
            Self::DispatchDirect { issue, label } => {
                once(at, Step::AddLabel { on: *issue, label: label.clone() })
            }
            Self::FlagApproval { child } => [
                Step::AddLabel { on: *child, label: label(NEEDS_APPROVAL) },
                Step::Comment { on: *child, say: Sentence::NeedsApproval },
            ]
            .into_iter()
            .nth(at),
            Self::OpenPull { child, head, base } => {
                once(at, Step::OpenPull { closes: *child, head: head.clone(), base: base.clone() })
            }
            Self::RequestReviewFix { pull } => {
                once(at, Step::Comment { on: *pull, say: Sentence::FixReviews })
            }
            Self::RequestConflictFix { pull } => {
                once(at, Step::Comment { on: *pull, say: Sentence::FixConflict })
            }
            Self::ResolveThreads { pull, threads } => {
                threads.get(at).map(|thread| Step::ResolveThread { pull: *pull, thread: *thread })
            }
            Self::UpdateBranch { pull, head } => {
                once(at, Step::UpdateBranch { pull: *pull, head: head.clone() })
            }
            Self::EnableAutoMerge { pull, head } => {
                once(at, Step::EnableAutoMerge { pull: *pull, head: head.clone() })
            }
            Self::Merge { pull, head, method } => {
                once(at, Step::Merge { pull: *pull, head: head.clone(), method: *method })
            }
            Self::ResolveConflict { .. } => None,
            Self::Escalate { subject, reason, .. } => [
                Step::AddLabel { on: *subject, label: label(NEEDS_INTERVENTION) },
                Step::Comment { on: *subject, say: Sentence::NeedsIntervention { reason: *reason } },
            ]
            .into_iter()
            .nth(at),
            Self::TickParent { epic, children } => {
                once(at, Step::Tick { epic: *epic, children: children.clone() })
            }
            Self::CloseChild { child } => once(at, Step::CloseIssue { issue: *child }),
            Self::OpenEpicPull { epic, head, base } => {
                once(at, Step::OpenPull { closes: *epic, head: head.clone(), base: base.clone() })
            }
            Self::CloseEpic { epic, branch, merged } => [
                Step::DeleteBranch { branch: branch.clone(), at: merged.clone() },
                Step::CloseIssue { issue: *epic },
            ]
            .into_iter()
            .nth(at),
        }
    }
}

fn once(at: usize, step: Step) -> Option<Step> {
    (at == 0).then_some(step)
}

/// Steps of linking children to an epic: for each child the comment `Parent: #N` (E8), then the sub-issue link.
fn link_child(epic: Number, children: &[Number], k: usize) -> Option<Step> {
    let child = *children.get(k / 2)?;
    Some(if k.is_multiple_of(2) {
        Step::Comment { on: child, say: Sentence::Parent { epic } }
    } else {
        Step::LinkChild { parent: epic, child }
    })
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
