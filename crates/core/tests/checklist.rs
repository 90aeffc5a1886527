//! The checklist of an epic over bodies that anybody may have edited: nothing panics, foreign text stays, only the pattern counts.

use banksman_core::{
    epic::{Checklist, Entry, append, render, tick},
    id::Number,
    intent::{Phase, PhaseDraft},
    tainted::Tainted,
};
use proptest::prelude::*;
use std::collections::BTreeSet;

fn read(body: &str) -> Vec<Entry> {
    Checklist::read(&Tainted::new(body.to_owned())).entries
}

/// A body made of lines that nearly match, lines that match, and anything.
fn body() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        4 => (1..12u64, prop::sample::select(vec![' ', 'x', 'X']), "[ -~]{0,6}")
            .prop_map(|(n, mark, title)| format!("- [{mark}] #{n} - {title}")),
        3 => prop::sample::select(
            [
                "### Phase 1: Blockers (blocking)",
                "### Phase 2: Parallel",
                "### Phase 3: Cleanup, and more",
                "### Phase 4: Other",
                "## Related",
                "#### Deeper",
                "#3 is no heading",
                "- [ ] #",
                "- [ ] #5x",
                " - [ ] #6",
                "* [ ] #7",
                "",
            ]
            .map(str::to_owned)
            .to_vec()
        ),
        1 => any::<String>(),
    ];
    let end = prop::sample::select(vec!["\n", "\r\n", "\n\n", " \n", ""]);
    prop::collection::vec((line, end), 0..25)
        .prop_map(|lines| lines.into_iter().map(|(line, end)| line + end).collect())
}

/// Children by phase, in the order of phases.
fn drafts() -> impl Strategy<Value = Vec<PhaseDraft>> {
    prop::collection::vec(prop::collection::btree_set(1..30u64, 0..5), 3).prop_map(|phases| {
        let mut seen = BTreeSet::new();
        Phase::ALL
            .into_iter()
            .zip(phases)
            .map(|(phase, children)| PhaseDraft {
                phase,
                children: children.into_iter().filter(|n| seen.insert(*n)).map(Number).collect(),
            })
            .filter(|draft| !draft.children.is_empty())
            .collect()
    })
}

fn entries(drafts: &[PhaseDraft]) -> Vec<Entry> {
    drafts
        .iter()
        .flat_map(|d| d.children.iter().map(|child| Entry { child: *child, phase: d.phase, ticked: false }))
        .collect()
}

#[test]
fn a_list_under_another_heading_is_nobodys_child() {
    let body = "### Phase 3: Cleanup\n- [ ] #1\n#### Note\n- [ ] #2\n## Related\n- [ ] #3\n";
    let children: Vec<Number> = read(body).iter().map(|e| e.child).collect();
    assert_eq!(children, [Number(1), Number(2)]);
    assert_eq!(tick(body, &[Number(3)]), None);
}

#[test]
fn appending_keeps_the_line_ends_of_others() {
    let body = "intro\r\n### Phase 2: Parallel (parallelisable)\r\n- [x] #1 - a\r\n\r\n## Notes\r\nlast";
    let phase = |phase, child| PhaseDraft { phase, children: vec![Number(child)] };
    let more = append(body, &[phase(Phase::Parallel, 2), phase(Phase::Cleanup, 3)], |n| format!("t{n}"));
    assert_eq!(
        more.as_deref(),
        Some(
            "intro\r\n### Phase 2: Parallel (parallelisable)\r\n- [x] #1 - a\r\n- [ ] #2 - t2\n\r\n## Notes\r\nlast\n\
             ### Phase 3: Cleanup\n- [ ] #3 - t3\n"
        )
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn any_text_can_be_read_and_ticked(body in any::<String>(), child in any::<u64>()) {
        prop_assert!(read(&body).len() <= body.lines().count());
        let _ = tick(&body, &[Number(child)]);
    }

    #[test]
    fn what_is_rendered_is_read_back_whatever_the_titles(drafts in drafts(), title in any::<String>()) {
        prop_assert_eq!(read(&render(&drafts, |_| title.clone())), entries(&drafts));
    }

    #[test]
    fn a_tick_changes_one_byte_of_each_open_child(
        body in body(),
        children in prop::collection::vec((1..12u64).prop_map(Number), 0..6),
    ) {
        let before = read(&body);
        let open = before.iter().filter(|e| !e.ticked && children.contains(&e.child)).count();
        match tick(&body, &children) {
            None => prop_assert_eq!(open, 0),
            Some(ticked) => {
                let changed: Vec<(u8, u8)> =
                    body.bytes().zip(ticked.bytes()).filter(|(old, new)| old != new).collect();
                prop_assert_eq!(body.len(), ticked.len());
                prop_assert_eq!(changed, vec![(b' ', b'x'); open]);
                let expected: Vec<Entry> = before
                    .iter()
                    .map(|e| Entry { ticked: e.ticked || children.contains(&e.child), ..*e })
                    .collect();
                prop_assert_eq!(read(&ticked), expected);
                prop_assert_eq!(tick(&ticked, &children), None);
            }
        }
    }

    #[test]
    fn appending_adds_exactly_what_is_missing_and_keeps_the_rest(
        body in body(),
        drafts in drafts(),
        title in any::<String>(),
    ) {
        let before = read(&body);
        let missing: Vec<Entry> = entries(&drafts)
            .into_iter()
            .filter(|e| before.iter().all(|b| b.child != e.child))
            .collect();
        let Some(more) = append(&body, &drafts, |_| title.clone()) else {
            prop_assert!(missing.is_empty());
            return Ok(());
        };
        let after = read(&more);
        for entry in &before {
            prop_assert!(after.contains(entry));
        }
        for entry in &missing {
            prop_assert!(after.contains(entry), "{entry:?}\n{more}");
        }
        prop_assert_eq!(after.len(), before.len() + missing.len());
        // Taking the new lines out again gives the old text byte for byte (but for a line end that was missing).
        let mut old = body.split_inclusive('\n').peekable();
        for line in more.split_inclusive('\n') {
            let _ = old.next_if(|l| *l == line || (!l.ends_with('\n') && line.strip_suffix('\n') == Some(l)));
        }
        prop_assert_eq!(old.next(), None);
        prop_assert_eq!(append(&more, &drafts, |_| title.clone()), None);
    }
}
