//! The types of `schema.graphql` are GitHub's: every field and argument that GitHub publishes has its published type.

use crate::installed;
use async_graphql::parser::{
    parse_schema,
    types::{FieldDefinition, InputValueDefinition, TypeKind, TypeSystemDefinition},
};
use std::collections::{BTreeMap, BTreeSet};

/// What the published schema lacks and GitHub answers, or answered when the versions of `gh` that ask for it were made.
const UNPUBLISHED: [&str; 42] = [
    "ActorConnection",
    "AddBlockedByInput",
    "AddBlockedByPayload",
    "Assignee",
    "AssigneeConnection",
    "CreateIssueInput.issueTypeId",
    "Issue.assignedActors",
    "Issue.blockedBy",
    "Issue.blocking",
    "Issue.issueDependenciesSummary",
    "Issue.issueType",
    "Issue.suggestedActors",
    "IssueDependenciesSummary",
    "IssueType",
    "IssueTypeColor",
    "IssueTypeConnection",
    "Mutation.addBlockedBy",
    "Mutation.removeBlockedBy",
    "PullRequest.assignedActors",
    "PullRequest.suggestedActors",
    "PullRequest.suggestedReviewerActors",
    "RemoveBlockedByInput",
    "RemoveBlockedByPayload",
    "Repository.issueTypes",
    "Repository.suggestedActors",
    "RequestReviewsInput.botIds",
    "UpdateIssueInput.issueTypeId",
    // Enterprise servers and older versions.
    "Issue.projectCards",
    "Project",
    "ProjectCard",
    "ProjectCardConnection",
    "ProjectColumn",
    "PullRequest.projectCards",
    // Words that this crate has for a list of GitHub's.
    "FundingPlatform",
    "IssueClosedStateReason",
    "IssueTimelineItemsItemType",
    "Labelable",
    "PullRequestUpdateState",
    "ReferencedSubject",
    "RequestedReviewer",
    "SearchResultItem",
    "StatusCheckRollupContext",
];

fn types(text: &str) -> BTreeMap<String, TypeKind> {
    let document = parse_schema(text).unwrap();
    let kinds = document.definitions.into_iter().filter_map(|definition| match definition {
        TypeSystemDefinition::Type(ty) => Some((ty.node.name.node.to_string(), ty.node.kind)),
        _ => None,
    });
    kinds.collect()
}

fn fields(kind: &TypeKind) -> Vec<&FieldDefinition> {
    match kind {
        TypeKind::Object(object) => object.fields.iter().map(|field| &field.node).collect(),
        TypeKind::Interface(interface) => interface.fields.iter().map(|field| &field.node).collect(),
        _ => Vec::new(),
    }
}

fn inputs(kind: &TypeKind) -> Vec<&InputValueDefinition> {
    match kind {
        TypeKind::InputObject(object) => object.fields.iter().map(|field| &field.node).collect(),
        _ => Vec::new(),
    }
}

#[test]
fn every_field_has_its_published_type() {
    let Some(path) = installed("npm/node_modules/@octokit/graphql-schema/schema.graphql") else { return };
    let published = types(&std::fs::read_to_string(path).unwrap());
    let ours = types(banksman_facade::sdl());
    let excused: BTreeSet<&str> = UNPUBLISHED.into_iter().collect();
    let mut faults = Vec::new();
    for (name, kind) in &ours {
        let Some(theirs) = published.get(name) else {
            faults.push(name.clone());
            continue;
        };
        for field in fields(kind) {
            let at = format!("{name}.{}", field.name.node);
            match fields(theirs).into_iter().find(|their| their.name.node == field.name.node) {
                Some(their) if their.ty.node.to_string() == field.ty.node.to_string() => {
                    for argument in &field.arguments {
                        let (argument, all) = (&argument.node, &their.arguments);
                        let their = all.iter().find(|their| their.node.name.node == argument.name.node);
                        let right =
                            their.is_some_and(|t| t.node.ty.node.to_string() == argument.ty.node.to_string());
                        if !right {
                            faults.push(format!("{at}({})", argument.name.node));
                        }
                    }
                }
                Some(their) => faults.push(format!("{at}: {} instead of {}", field.ty.node, their.ty.node)),
                None => faults.push(at),
            }
        }
        for input in inputs(kind) {
            let at = format!("{name}.{}", input.name.node);
            match inputs(theirs).into_iter().find(|their| their.name.node == input.name.node) {
                Some(their) if their.ty.node.to_string() == input.ty.node.to_string() => {}
                Some(their) => faults.push(format!("{at}: {} instead of {}", input.ty.node, their.ty.node)),
                None => faults.push(at),
            }
        }
    }
    faults.retain(|fault| !excused.contains(fault.as_str()));
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
