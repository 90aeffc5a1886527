//! Fragments on unions. The library that runs queries passes over fragments whose condition is a union, so they are written out in
//! place before it sees them: a fragment on the very type that it stands in says nothing but its selections.

use async_graphql::{
    Name, Positioned,
    parser::types::{
        DocumentOperations, ExecutableDocument, FragmentDefinition, InlineFragment, OperationDefinition,
        Selection, SelectionSet,
    },
};
use std::{
    cell::Cell,
    collections::{BTreeSet, HashMap},
};

/// Deepest nesting that is gone into; deeper queries are refused anyway.
const DEPTH: u32 = 64;
/// Most fragments that are written out: those that refer to each other could grow without end. What is left over is refused by name.
const MOST: u32 = 1_000;

/// Writes fragments on these unions out.
pub(super) fn write_out(document: &mut ExecutableDocument, unions: &BTreeSet<String>) {
    let on_union =
        |fragment: &FragmentDefinition| unions.contains(fragment.type_condition.node.on.node.as_str());
    let all = document.fragments.clone();
    let writer = Writer { all: &all, unions, left: Cell::new(MOST) };
    for operation in operations(document) {
        writer.set(&mut operation.selection_set.node, 0);
    }
    // Whatever nobody refers to any more would be refused.
    document.fragments.retain(|_, fragment| !on_union(&fragment.node));
    for fragment in document.fragments.values_mut() {
        writer.set(&mut fragment.node.selection_set.node, 0);
    }
}

fn operations(document: &mut ExecutableDocument) -> Vec<&mut OperationDefinition> {
    match &mut document.operations {
        DocumentOperations::Single(one) => vec![&mut one.node],
        DocumentOperations::Multiple(all) => all.values_mut().map(|one| &mut one.node).collect(),
    }
}

struct Writer<'w> {
    all: &'w HashMap<Name, Positioned<FragmentDefinition>>,
    unions: &'w BTreeSet<String>,
    left: Cell<u32>,
}

impl Writer<'_> {
    fn set(&self, set: &mut SelectionSet, depth: u32) {
        if depth > DEPTH {
            return;
        }
        for item in &mut set.items {
            if let Selection::FragmentSpread(spread) = &item.node
                && let Some(fragment) = self.all.get(&spread.node.fragment_name.node)
                && self.unions.contains(fragment.node.type_condition.node.on.node.as_str())
                && let Some(left) = self.left.get().checked_sub(1)
            {
                self.left.set(left);
                let inline = InlineFragment {
                    type_condition: None,
                    directives: spread.node.directives.clone(),
                    selection_set: fragment.node.selection_set.clone(),
                };
                item.node = Selection::InlineFragment(Positioned::new(inline, item.pos));
            }
            match &mut item.node {
                Selection::Field(field) => self.set(&mut field.node.selection_set.node, depth + 1),
                Selection::InlineFragment(inline) => {
                    let on =
                        inline.node.type_condition.as_ref().map(|condition| condition.node.on.node.as_str());
                    if on.is_some_and(|on| self.unions.contains(on)) {
                        inline.node.type_condition = None;
                    }
                    self.set(&mut inline.node.selection_set.node, depth + 1);
                }
                Selection::FragmentSpread(_) => {}
            }
        }
    }
}
