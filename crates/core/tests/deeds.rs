//! Deeds, steps and receipts; what is said. Properties over generated values (I3, I6, S7).

#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use banksman_core::{
    id::{CommentId, Number, ThreadId},
    intent::{
        AGENTIC, APPROVED, Deed, EpicDraft, Made, MergeMethod, NEEDS_APPROVAL, NEEDS_INTERVENTION, Phase,
        PhaseDraft, Receipt, Step, Theme, label,
    },
    policy::EscalateReason,
    say::{Instruction, Sentence},
    signals::Mark,
    text::{BranchName, EngineName, Fingerprint, Label, ScopeWord, Sha},
    work::Task,
};
use jiff::Timestamp;
use proptest::prelude::*;
use std::collections::BTreeSet;

fn number() -> impl Strategy<Value = Number> {
    (1..1000u64).prop_map(Number)
}

fn numbers() -> impl Strategy<Value = Vec<Number>> {
    prop::collection::btree_set(1..1000u64, 0..6).prop_map(|n| n.into_iter().map(Number).collect())
}

fn sha() -> impl Strategy<Value = Sha> {
    "[0-9a-f]{40}".prop_map(|t| Sha::new(&t).unwrap())
}

fn branch() -> impl Strategy<Value = BranchName> {
    "[a-z0-9][a-z0-9._-]{0,9}[a-z0-9]".prop_filter_map("no branch name", |t| BranchName::new(&t).ok())
}

fn scope() -> impl Strategy<Value = ScopeWord> {
    "[a-z0-9._/-]{1,40}".prop_map(|t| ScopeWord::new(&t).unwrap())
}

fn theme() -> impl Strategy<Value = Theme> {
    let plain = prop::sample::select(vec![
        Theme::Security,
        Theme::Quality,
        Theme::Performance,
        Theme::Testing,
        Theme::Documentation,
        Theme::Audit,
    ]);
    let whole = prop_oneof![plain, scope().prop_map(Theme::Feature)];
    (whole, prop::option::of(scope())).prop_map(|(theme, package)| match package {
        None => theme,
        Some(package) => Theme::Package(Box::new(theme), package),
    })
}

fn phases() -> impl Strategy<Value = Vec<PhaseDraft>> {
    numbers().prop_flat_map(|all| {
        prop::collection::vec(0..3usize, all.len()).prop_map(move |which| {
            let of =
                |phase: usize| all.iter().zip(&which).filter(move |(_, p)| **p == phase).map(|(n, _)| *n);
            Phase::ALL
                .into_iter()
                .enumerate()
                .map(|(index, phase)| PhaseDraft { phase, children: of(index).collect() })
                .filter(|draft| !draft.children.is_empty())
                .collect()
        })
    })
}

fn draft() -> impl Strategy<Value = EpicDraft> {
    (theme(), prop::option::of(any::<u32>()), phases()).prop_map(|(theme, part, phases)| EpicDraft {
        theme,
        part,
        phases,
    })
}

fn reason() -> impl Strategy<Value = EscalateReason> {
    prop::sample::select(vec![
        EscalateReason::ReviewLimit,
        EscalateReason::ConflictUnresolved,
        EscalateReason::ChecksRed,
        EscalateReason::AttemptsFailed,
        EscalateReason::NoPull,
        EscalateReason::PullClosed,
        EscalateReason::Refused,
    ])
}

fn deed() -> impl Strategy<Value = Deed> {
    let label = || "[a-z]{1,10}:[a-z]{1,10}".prop_map(|t| Label::new(&t).unwrap());
    let threads = prop::collection::btree_set(1..1000u64, 1..6)
        .prop_map(|t| t.into_iter().map(ThreadId).collect::<Vec<_>>());
    let mark = (sha(), 0..3u32, any::<[bool; 3]>()).prop_map(
        |(head, unresolved, [conflicting, failing, pending])| Mark {
            head,
            unresolved,
            conflicting,
            failing,
            pending,
        },
    );
    let method = prop::sample::select(vec![MergeMethod::Squash, MergeMethod::Merge]);
    prop_oneof![
        ("[0-9a-f]{32}", numbers())
            .prop_map(|(f, blocks)| Deed::CreateIssue { fingerprint: Fingerprint::new(&f).unwrap(), blocks }),
        (number(), numbers()).prop_map(|(audit, created)| Deed::CloseAudit { audit, created }),
        draft().prop_map(|epic| Deed::CreateEpic { epic }),
        (number(), phases()).prop_map(|(epic, phases)| Deed::ExtendEpic { epic, phases }),
        (number(), number(), branch(), label()).prop_map(|(child, epic, branch, label)| Deed::Dispatch {
            child,
            epic,
            branch,
            label
        }),
        (number(), label()).prop_map(|(issue, label)| Deed::DispatchDirect { issue, label }),
        number().prop_map(|child| Deed::FlagApproval { child }),
        (number(), branch(), branch()).prop_map(|(child, head, base)| Deed::OpenPull { child, head, base }),
        number().prop_map(|pull| Deed::RequestReviewFix { pull }),
        number().prop_map(|pull| Deed::RequestConflictFix { pull }),
        (number(), threads).prop_map(|(pull, threads)| Deed::ResolveThreads { pull, threads }),
        (number(), sha()).prop_map(|(pull, head)| Deed::UpdateBranch { pull, head }),
        (number(), sha()).prop_map(|(pull, head)| Deed::EnableAutoMerge { pull, head }),
        (number(), sha(), method).prop_map(|(pull, head, method)| Deed::Merge { pull, head, method }),
        number().prop_map(|pull| Deed::ResolveConflict { pull }),
        (number(), reason(), prop::option::of(mark)).prop_map(|(subject, reason, mark)| Deed::Escalate {
            subject,
            reason,
            mark
        }),
        (number(), numbers()).prop_map(|(epic, children)| Deed::TickParent { epic, children }),
        number().prop_map(|child| Deed::CloseChild { child }),
        (number(), branch(), branch()).prop_map(|(epic, head, base)| Deed::OpenEpicPull { epic, head, base }),
        (number(), branch(), prop::option::of(sha())).prop_map(|(epic, branch, merged)| Deed::CloseEpic {
            epic,
            branch,
            merged
        }),
    ]
}

/// What a forge makes of a step.
fn receipt(step: &Step, serial: u64) -> Receipt {
    let made = match step {
        Step::CreateIssue { .. } | Step::CreateEpic { .. } => Made::Issue { number: Number(5000 + serial) },
        Step::OpenPull { .. } => Made::Pull { number: Number(5000 + serial) },
        Step::Comment { .. } => Made::Comment { id: CommentId(serial) },
        Step::CreateBranch { .. } | Step::UpdateBranch { .. } | Step::Merge { .. } => {
            Made::Commit { sha: Sha::new(&"c".repeat(40)).unwrap() }
        }
        Step::ExtendChecklist { .. }
        | Step::AddLabel { .. }
        | Step::CloseIssue { .. }
        | Step::LinkChild { .. }
        | Step::LinkBlocker { .. }
        | Step::DeleteBranch { .. }
        | Step::ResolveThread { .. }
        | Step::EnableAutoMerge { .. }
        | Step::Tick { .. } => Made::Change,
    };
    Receipt { at: Timestamp::UNIX_EPOCH, made }
}

/// How many effects a deed has, by its documentation.
fn effects(deed: &Deed) -> usize {
    match deed {
        // The issue, then one link per member of the pattern.
        Deed::CreateIssue { blocks, .. } => 1 + blocks.len(),
        // The issue and the branch (E9), then for each child the comment and the link (E8).
        Deed::CreateEpic { epic } => 2 + 2 * epic.children().count(),
        Deed::ExtendEpic { phases, .. } => 1 + 2 * phases.iter().map(|p| p.children.len()).sum::<usize>(),
        Deed::ResolveThreads { threads, .. } => threads.len(),
        // The work item is the effect.
        Deed::ResolveConflict { .. } => 0,
        Deed::CloseAudit { .. }
        | Deed::Dispatch { .. }
        | Deed::FlagApproval { .. }
        | Deed::Escalate { .. }
        | Deed::CloseEpic { .. } => 2,
        Deed::DispatchDirect { .. }
        | Deed::OpenPull { .. }
        | Deed::RequestReviewFix { .. }
        | Deed::RequestConflictFix { .. }
        | Deed::UpdateBranch { .. }
        | Deed::EnableAutoMerge { .. }
        | Deed::Merge { .. }
        | Deed::TickParent { .. }
        | Deed::CloseChild { .. }
        | Deed::OpenEpicPull { .. } => 1,
    }
}

/// All steps of a deed in their order.
fn steps(deed: &Deed) -> Vec<Step> {
    let (mut receipts, mut steps) = (Vec::new(), Vec::new());
    while let Some(step) = deed.step(&receipts) {
        assert!(steps.len() < 100, "never ends: {deed:?}");
        receipts.push(receipt(&step, steps.len() as u64));
        steps.push(step);
    }
    steps
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_deed_ends_after_its_effects_and_no_effect_comes_twice(deed in deed()) {
        let steps = steps(&deed);
        prop_assert_eq!(steps.len(), effects(&deed));
        for (index, step) in steps.iter().enumerate() {
            prop_assert!(!steps[..index].contains(step), "{step:?}");
        }
        // After a crash the same receipts give the same step.
        let receipts: Vec<Receipt> = (0u64..).zip(&steps).map(|(n, s)| receipt(s, n)).collect();
        for done in 0..=steps.len() {
            prop_assert_eq!(deed.step(&receipts[..done]), steps.get(done).cloned());
        }
    }

    #[test]
    fn the_trigger_comes_last(deed in deed()) {
        // Whoever the label wakes finds the target branch; who sees a closed audit finds the numbers.
        let last = steps(&deed).pop();
        match deed {
            Deed::Dispatch { child, label, .. } => prop_assert_eq!(last, Some(Step::AddLabel { on: child, label })),
            Deed::CloseAudit { audit, .. } => prop_assert_eq!(last, Some(Step::CloseIssue { issue: audit })),
            Deed::CloseEpic { epic, .. } => prop_assert_eq!(last, Some(Step::CloseIssue { issue: epic })),
            Deed::DispatchDirect { issue, label } => {
                prop_assert_eq!(last, Some(Step::AddLabel { on: issue, label }));
            }
            _ => {}
        }
    }

    #[test]
    fn a_key_names_one_decision(a in deed(), b in deed(), round in 1..4u32) {
        let (one, other) = (a.key(round), b.key(round));
        prop_assert!(one.len() < 200 && one.bytes().all(|b| b.is_ascii_graphic()));
        prop_assert_eq!(&one, &a.clone().key(round));
        if std::mem::discriminant(&a) != std::mem::discriminant(&b) {
            prop_assert_ne!(one, other);
        } else if one == other {
            prop_assert_eq!(decision(&a), decision(&b));
        }
    }

    #[test]
    fn a_deed_survives_the_store(deed in deed()) {
        let json = serde_json::to_string(&deed).unwrap();
        prop_assert_eq!(serde_json::from_str::<Deed>(&json).unwrap(), deed);
    }

    #[test]
    fn an_epics_branch_is_always_valid(draft in draft(), epic in any::<u64>()) {
        let slug = draft.slug();
        prop_assert!(!slug.is_empty() && slug.len() <= 60 && !slug.starts_with('-') && !slug.ends_with('-'));
        prop_assert!(slug.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'));
        let branch = draft.branch(Number(epic));
        prop_assert_eq!(branch.as_str(), format!("epic/{epic}-{slug}"));
    }

    #[test]
    fn a_theme_is_read_back_from_its_words(theme in theme()) {
        prop_assert_eq!(theme.to_string().parse::<Theme>().unwrap(), theme.clone());
        let json = serde_json::to_string(&theme).unwrap();
        prop_assert_eq!(serde_json::from_str::<Theme>(&json).unwrap(), theme);
    }

    #[test]
    fn no_other_words_are_a_theme(text in any::<String>()) {
        if let Ok(theme) = text.parse::<Theme>() {
            prop_assert_eq!(theme.to_string(), text);
        }
    }

    #[test]
    fn sentences_are_compiled_in_words_and_their_parameters(
        branch in branch(),
        epic in number(),
        issues in numbers(),
        reason in reason(),
    ) {
        let said = [
            Sentence::FixReviews,
            Sentence::FixConflict,
            Sentence::TargetBranch { branch: branch.clone(), epic },
            Sentence::Parent { epic },
            Sentence::Created { issues: issues.clone() },
            Sentence::NeedsIntervention { reason },
            Sentence::NeedsApproval,
        ];
        let listed: String = issues.iter().map(|n| format!(" #{n}")).collect();
        let expected = [
            "Can you fix the code reviews?".to_owned(),
            "Can you fix the merge conflict?".to_owned(),
            format!("Target branch: {branch} (epic #{epic})"),
            format!("Parent: #{epic}"),
            format!("Created:{listed}"),
            format!("This needs a person: {}. The epic goes on without it.", reason.describe()),
            "A feature is dispatched only after a person approved it.".to_owned(),
        ];
        prop_assert_eq!(said.map(|s| s.to_string()), expected);
    }

    #[test]
    fn a_prompt_differs_by_the_path_of_its_file_alone(path in "[a-z/{}%$]{1,40}") {
        for instruction in INSTRUCTIONS {
            let prompt = instruction.prompt(&path);
            prop_assert_eq!(&prompt, &instruction.prompt("\u{0}").replacen('\u{0}', &path, 1));
            prop_assert_eq!(prompt.matches(&path).count() >= 1, true);
        }
    }
}

const INSTRUCTIONS: [Instruction; 6] = [
    Instruction::Implement,
    Instruction::FixReviews,
    Instruction::FixConflict,
    Instruction::FixChecks,
    Instruction::ResolveConflict,
    Instruction::Review,
];

/// The part of a deed that makes it one decision and no other: what a key has to tell apart.
fn decision(deed: &Deed) -> String {
    let first = |phases: &[PhaseDraft]| phases.iter().flat_map(|p| p.children.clone()).min();
    match deed {
        // What follows from the first value is part of the same decision.
        Deed::CreateIssue { fingerprint, .. } => format!("{fingerprint}"),
        Deed::CloseAudit { audit, .. } => format!("{audit}"),
        // An issue is on one epic only, so its lowest child names it.
        Deed::CreateEpic { epic } => format!("{:?}", first(&epic.phases)),
        Deed::ExtendEpic { epic, phases } => format!("{epic} {:?}", first(phases)),
        Deed::Dispatch { child, .. } | Deed::OpenPull { child, .. } => format!("{child}"),
        Deed::DispatchDirect { issue, .. } => format!("{issue}"),
        Deed::OpenEpicPull { epic, .. } | Deed::CloseEpic { epic, .. } => format!("{epic}"),
        Deed::Escalate { subject, .. } => format!("{subject}"),
        Deed::Merge { pull, head, .. } => format!("{pull} {head}"),
        Deed::ResolveThreads { pull, threads } => format!("{pull} {:?} {}", threads.last(), threads.len()),
        Deed::FlagApproval { .. }
        | Deed::RequestReviewFix { .. }
        | Deed::RequestConflictFix { .. }
        | Deed::UpdateBranch { .. }
        | Deed::EnableAutoMerge { .. }
        | Deed::ResolveConflict { .. }
        | Deed::TickParent { .. }
        | Deed::CloseChild { .. } => format!("{deed:?}"),
    }
}

#[test]
fn compiled_in_labels_have_the_shape_of_labels() {
    for text in [NEEDS_INTERVENTION, NEEDS_APPROVAL, APPROVED, AGENTIC] {
        assert_eq!(label(text).as_str(), text);
    }
}

#[test]
fn what_may_be_repeated_has_a_key_per_round() {
    let head = Sha::new(&"a".repeat(40)).unwrap();
    let pull = Number(1);
    let repeated = [
        Deed::RequestReviewFix { pull },
        Deed::RequestConflictFix { pull },
        Deed::UpdateBranch { pull, head },
        Deed::Escalate { subject: pull, reason: EscalateReason::ChecksRed, mark: None },
        Deed::TickParent { epic: pull, children: vec![Number(2)] },
    ];
    for deed in repeated {
        assert_ne!(deed.key(1), deed.key(2));
    }
    assert_eq!(Deed::ResolveConflict { pull }.key(1), Deed::ResolveConflict { pull }.key(2));
}

#[test]
fn prompts_name_the_file_once_and_forbid_orders_from_it() {
    let prompts: BTreeSet<String> = INSTRUCTIONS.map(|i| i.prompt("/task/brief.md")).into_iter().collect();
    assert_eq!(prompts.len(), INSTRUCTIONS.len());
    for prompt in prompts {
        assert_eq!(prompt.matches("/task/brief.md").count(), 1);
        assert!(prompt.is_ascii() && !prompt.contains("{}"));
    }
}

#[test]
fn tasks_have_keys_of_their_own_and_an_instruction_each() {
    let sha = Sha::new(&"a".repeat(40)).unwrap();
    let branch = BranchName::new("b").unwrap();
    let tasks = |n: u64| {
        let pull = Number(n);
        [
            Task::Implement { child: pull, base: branch.clone() },
            Task::FixReviews { pull, round: 1 },
            Task::FixConflict { pull, round: 1 },
            Task::FixChecks { pull, head: sha.clone(), round: 1 },
            Task::ResolveConflict { pull },
            Task::Review { pull, head: sha.clone() },
        ]
    };
    let keys: BTreeSet<String> = (1..20).flat_map(&tasks).map(|t| t.key()).collect();
    assert_eq!(keys.len(), 19 * 6);
    assert_eq!(tasks(4).map(|t| t.instruction()), INSTRUCTIONS);
    assert!(tasks(4).iter().all(|t| t.subject() == Number(4)));
    assert_ne!(
        Task::FixReviews { pull: Number(1), round: 1 }.key(),
        Task::FixReviews { pull: Number(1), round: 2 }.key()
    );
    assert!(EngineName::new("claude").is_ok());
}
