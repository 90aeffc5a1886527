//! One decision with all its data, its key, and how it expands into steps.

use super::{
    EpicDraft, Made, MergeMethod, NEEDS_APPROVAL, NEEDS_INTERVENTION, PhaseDraft, Receipt, Step, label,
};
use crate::{
    id::{Number, ThreadId},
    policy::EscalateReason,
    say::Sentence,
    signals::Mark,
    text::{BranchName, Fingerprint, Label, Sha},
};
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
            // A branch that grew after its merge needs another one.
            Self::OpenEpicPull { epic, .. } => format!("open-epic-pull:{epic}:{round}"),
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
