//! How the demo's repository is run: the policy of every repository, with limits short enough to watch.

use banksman_core::{
    policy::Limits,
    repo::RepoRules,
    text::{CheckName, EngineName, RepoName},
};
use banksman_engine::{EngineDefinition, Network, PromptVia, Unattended, UsageFormat, builtin_engines};
use jiff::SignedDuration;
use std::{collections::BTreeMap, path::Path};

/// Approvals that a merge needs. Heads need not contain their base: the conflict of the story would be found too early otherwise.
pub(crate) const REQUIRED_APPROVALS: u32 = 1;

/// The engine that implements the children.
pub(crate) fn implementer() -> EngineName {
    engine("demo")
}

/// The engine that reviews them: the same program under a name of its own, as on a forge where nobody approves their own work.
pub(crate) fn reviewer() -> EngineName {
    engine("demo-reviewer")
}

fn engine(name: &str) -> EngineName {
    #[expect(clippy::expect_used, reason = "constants of the required shape")]
    EngineName::new(name).expect("the name of the demo's engine is valid")
}

/// What has to pass before a merge.
pub(crate) fn checks() -> Vec<(CheckName, String)> {
    #[expect(clippy::expect_used, reason = "a constant of the required shape")]
    let name = CheckName::new("tests").expect("the name of the demo's check is valid");
    vec![(name, "sh tests/run.sh".to_owned())]
}

/// The rules of the demo's repository. One attempt per task, because the script always does the same; red checks call a person after ten
/// seconds, which is long enough for the checks of all children at once on a slow host.
pub(crate) fn rules(repo: RepoName) -> RepoRules {
    RepoRules {
        reviewers: vec![reviewer()],
        limits: Limits {
            response_time: SignedDuration::from_secs(1),
            red_checks: SignedDuration::from_secs(10),
            ..Limits::default()
        },
        attempts: 1,
        retry_pause: SignedDuration::from_millis(500),
        checks: checks().into_iter().map(|(name, _)| name).collect(),
        ..RepoRules::new(repo, implementer())
    }
}

/// Both engines: `program demo-agent`, in the sandbox, without the network. `program` is the binary that runs now.
pub(crate) fn engines(program: &Path) -> BTreeMap<EngineName, EngineDefinition> {
    let Some(shell) = builtin_engines().remove("shell") else { return BTreeMap::new() };
    let definition = EngineDefinition {
        program: program.to_owned(),
        args: ["demo-agent", "--task-file", "{task_file}", "--task-dir", "{task_dir}"]
            .map(str::to_owned)
            .into(),
        prompt: PromptVia::File,
        unattended: Unattended::Never,
        command: None,
        class: "scripted".to_owned(),
        parallel: 4,
        timeout: SignedDuration::from_mins(1),
        network: Network::Off,
        usage: UsageFormat::Claude,
        ..shell
    };
    [(implementer(), definition.clone()), (reviewer(), definition)].into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_engines_are_complete_and_named_in_the_rules() {
        let engines = engines(Path::new("/usr/bin/banksman"));
        let rules = rules(RepoName::new("local/shop").unwrap());
        assert!(engines[&rules.implementer].is_complete());
        assert!(rules.reviewers.iter().all(|name| engines.contains_key(name) && *name != rules.implementer));
        assert_eq!((rules.limits.conflict_requests, rules.check_fix_rounds), (2, 2));
    }
}
