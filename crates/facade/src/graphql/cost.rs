//! What a query costs, as GitHub counts: requests that its connections need, each multiplied by the sizes of those around it,
//! divided by a hundred, at least one point.

use async_graphql::{
    Name, Positioned, Value, Variables,
    parser::types::{ExecutableDocument, Field, FragmentDefinition, Selection, SelectionSet},
};
use std::collections::HashMap;

/// Most nesting that is looked into.
const DEPTH: u32 = 64;
/// Most fields and fragments that are counted: fragments that refer to each other could grow without end.
const MOST_STEPS: u32 = 100_000;
/// Most nodes of a query, as on GitHub.
pub(super) const MOST_NODES: u64 = 500_000;

/// Requests and nodes of a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Estimate {
    requests: u64,
    pub(super) nodes: u64,
}

impl Estimate {
    /// The points.
    pub(super) fn points(&self) -> u64 {
        ((self.requests + 50) / 100).max(1)
    }
}

/// Counts a document.
pub(super) fn estimate(document: &ExecutableDocument, variables: &Variables) -> Estimate {
    let mut counter =
        Counter { fragments: &document.fragments, variables, sum: Estimate::default(), steps: 0 };
    for (_, operation) in document.operations.iter() {
        counter.set(&operation.node.selection_set.node, 1, 0);
    }
    counter.sum
}

struct Counter<'d> {
    fragments: &'d HashMap<Name, Positioned<FragmentDefinition>>,
    variables: &'d Variables,
    sum: Estimate,
    steps: u32,
}

impl Counter<'_> {
    fn set(&mut self, set: &SelectionSet, times: u64, depth: u32) {
        if depth > DEPTH {
            return;
        }
        for item in &set.items {
            self.steps += 1;
            if self.steps > MOST_STEPS {
                self.sum.nodes = u64::MAX;
                return;
            }
            match &item.node {
                Selection::Field(field) => {
                    let size = self.size(&field.node);
                    if let Some(size) = size {
                        self.sum.requests = self.sum.requests.saturating_add(times);
                        self.sum.nodes = self.sum.nodes.saturating_add(times.saturating_mul(size));
                    }
                    let times = times.saturating_mul(size.unwrap_or(1).max(1));
                    self.set(&field.node.selection_set.node, times, depth + 1);
                }
                Selection::InlineFragment(fragment) => {
                    self.set(&fragment.node.selection_set.node, times, depth + 1);
                }
                Selection::FragmentSpread(spread) => {
                    if let Some(fragment) = self.fragments.get(&spread.node.fragment_name.node) {
                        self.set(&fragment.node.selection_set.node, times, depth + 1);
                    }
                }
            }
        }
    }

    /// How many nodes a connection asks for; `None`: it is none.
    fn size(&self, field: &Field) -> Option<u64> {
        let argument = ["first", "last"].iter().find_map(|name| field.get_argument(name))?;
        let given = |name: Name| self.variables.get(&name).cloned().ok_or(());
        match argument.node.clone().into_const_with(given) {
            Ok(Value::Number(number)) => number.as_u64(),
            Ok(_) => None,
            // A variable with its default: as many as a usual page.
            Err(()) => Some(30),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use async_graphql::parser::parse_query;

    fn points(query: &str) -> u64 {
        estimate(&parse_query(query).unwrap(), &Variables::default()).points()
    }

    #[test]
    fn a_hundred_pull_requests_with_their_lists_cost_four_points() {
        let query = "{ repository(owner: \"a\", name: \"b\") { pullRequests(first: 100) { nodes {
            commits(last: 1) { nodes { commit { statusCheckRollup { contexts(first: 50) { nodes { __typename } } } } } }
            reviewThreads(first: 100) { nodes { id } } reviews(last: 20) { nodes { id } } } } } }";
        assert_eq!(points(query), 4);
    }

    #[test]
    fn the_smallest_query_costs_one_point() {
        assert_eq!(points("{ viewer { login } }"), 1);
    }
}
