//! The checklist in an epic's body: the exact form of E6. One function reads it from tainted text to pairs of number and tick; one
//! changes the single byte between the brackets and nothing else (S5, I5).

use crate::{
    id::Number,
    intent::{Phase, PhaseDraft},
    tainted::Tainted,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Children of an epic in their order.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Checklist {
    /// One entry per line that matches `- [ ] #N` or `- [x] #N` under a phase heading.
    pub entries: Vec<Entry>,
}

/// One child on the checklist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The child.
    pub child: Number,
    /// The phase whose heading stands above it.
    pub phase: Phase,
    /// Ticked.
    pub ticked: bool,
}

impl Checklist {
    /// Reads the checklist; whatever does not match the pattern is not looked at. A number that stands there twice counts where it
    /// stands first.
    pub fn read(body: &Tainted) -> Self {
        body.structure(|text| Self { entries: scan(text).into_iter().map(|(entry, _)| entry).collect() })
    }

    /// The entry of a child.
    pub fn entry(&self, child: Number) -> Option<&Entry> {
        self.entries.iter().find(|e| e.child == child)
    }
}

/// The entries of a body, each with the byte offset of its tick mark.
fn scan(text: &str) -> Vec<(Entry, usize)> {
    let (mut found, mut seen) = (Vec::new(), BTreeSet::new());
    let mut phase = None;
    for (start, line) in lines(text) {
        if let Some(above) = heading(line) {
            phase = above;
        } else if let (Some(phase), Some((child, ticked))) = (phase, entry(line))
            && seen.insert(child)
        {
            found.push((Entry { child, phase, ticked }, start + MARK));
        }
    }
    found
}

/// The lines of a text with the byte offset of each, without what ends them.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut offset = 0;
    text.split_inclusive('\n').map(move |line| {
        let start = offset;
        offset += line.len();
        (start, line.trim_end())
    })
}

/// Whether a line is a heading of the third level or above, and of which phase. The phase's number and word decide; what people
/// add behind them does not. Under any other heading nothing is a child.
fn heading(line: &str) -> Option<Option<Phase>> {
    let level = line.bytes().take_while(|b| *b == b'#').count();
    if !(1..=3).contains(&level) || !line[level..].starts_with(' ') {
        return None;
    }
    Some(Phase::ALL.into_iter().find(|p| p.heading().split(" (").next().is_some_and(|h| line.starts_with(h))))
}

/// Where the tick mark stands in a line.
const MARK: usize = "- [".len();

/// Number and tick of a checklist line.
fn entry(line: &str) -> Option<(Number, bool)> {
    let (ticked, rest) = if let Some(rest) = line.strip_prefix("- [ ] #") {
        (false, rest)
    } else {
        (true, line.strip_prefix("- [x] #").or_else(|| line.strip_prefix("- [X] #"))?)
    };
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    if digits == 0 || digits > 12 || rest[digits..].starts_with(|c: char| c.is_alphanumeric()) {
        return None;
    }
    Some((Number(rest[..digits].parse().ok()?), ticked))
}

/// The body with these children ticked: exactly one byte changes per child, foreign edits stay. `None` when nothing changes.
pub fn tick(body: &str, children: &[Number]) -> Option<String> {
    let mut out = body.to_owned();
    for (entry, mark) in scan(body) {
        if !entry.ticked && children.contains(&entry.child) {
            // A space becomes an `x`: both are single bytes.
            out.replace_range(mark..=mark, "x");
        }
    }
    (out != body).then_some(out)
}

/// A new epic's body in the form of E6. `title` gives the title of a child.
pub fn render(phases: &[PhaseDraft], title: impl Fn(Number) -> String) -> String {
    let mut body = String::from("## Child issues\n");
    for draft in phases.iter().filter(|d| !d.children.is_empty()) {
        body.push_str(draft.phase.heading());
        body.push('\n');
        for child in &draft.children {
            body.push_str(&line(*child, &title(*child)));
        }
    }
    body
}

/// The body with more children: each at the end of its phase, a missing phase heading in its place. What is there stays byte for
/// byte. Children that are listed already are left out; `None` when nothing changes.
pub fn append(body: &str, phases: &[PhaseDraft], title: impl Fn(Number) -> String) -> Option<String> {
    let mut seen: BTreeSet<Number> = scan(body).into_iter().map(|(entry, _)| entry.child).collect();
    let mut additions: BTreeMap<(usize, Phase), String> = BTreeMap::new();
    for draft in phases {
        for child in draft.children.iter().filter(|child| seen.insert(**child)) {
            let (at, is_new) = place(body, draft.phase);
            let text = additions.entry((at, draft.phase)).or_insert_with(|| {
                if is_new { format!("{}\n", draft.phase.heading()) } else { String::new() }
            });
            text.push_str(&line(*child, &title(*child)));
        }
    }
    let (mut out, mut from) = (String::new(), 0);
    for ((at, _), text) in &additions {
        out.push_str(&body[from..*at]);
        if !out.is_empty() && !out.ends_with('\n') {
            out.push('\n');
        }
        out.push_str(text);
        from = *at;
    }
    out.push_str(&body[from..]);
    (!additions.is_empty()).then_some(out)
}

/// The byte offset at which children of a phase are added, and whether its heading has to be made there.
fn place(body: &str, phase: Phase) -> (usize, bool) {
    let mut later = None;
    let mut all = lines(body).peekable();
    while let Some((start, line)) = all.next() {
        match heading(line) {
            Some(Some(found)) if found == phase => {
                while all.next_if(|(_, line)| entry(line).is_some()).is_some() {}
                return (all.peek().map_or(body.len(), |(start, _)| *start), false);
            }
            Some(Some(found)) if found > phase && later.is_none() => later = Some(start),
            _ => {}
        }
    }
    (later.unwrap_or(body.len()), true)
}

fn line(child: Number, title: &str) -> String {
    let title: String = title.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    format!("- [ ] #{child} - {}\n", title.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phases() -> Vec<PhaseDraft> {
        vec![
            PhaseDraft { phase: Phase::Blockers, children: vec![Number(101)] },
            PhaseDraft { phase: Phase::Parallel, children: vec![Number(102), Number(104)] },
            PhaseDraft { phase: Phase::Cleanup, children: vec![Number(103)] },
        ]
    }

    #[test]
    fn the_body_has_exactly_the_documented_form() {
        let body = render(&phases()[..2], |n| format!("title {n}"));
        assert_eq!(
            body,
            "## Child issues\n### Phase 1: Blockers (blocking)\n- [ ] #101 - title 101\n\
             ### Phase 2: Parallel (parallelisable)\n- [ ] #102 - title 102\n- [ ] #104 - title 104\n"
        );
    }

    #[test]
    fn what_is_rendered_is_read_back() {
        let body = render(&phases(), |n| format!("title {n}"));
        let list = Checklist::read(&Tainted::new(body));
        assert_eq!(list.entries.len(), 4);
        assert_eq!(list.entry(Number(103)).unwrap().phase, Phase::Cleanup);
    }

    #[test]
    fn a_tick_changes_one_byte_and_keeps_foreign_edits() {
        let body = render(&phases(), |n| format!("title {n}")).replace("title 102", "edited \u{1f980}\r");
        let ticked = tick(&body, &[Number(102)]).unwrap();
        let differing = body.bytes().zip(ticked.bytes()).filter(|(a, b)| a != b).count();
        assert_eq!((body.len(), differing), (ticked.len(), 1));
        assert!(Checklist::read(&Tainted::new(ticked.clone())).entry(Number(102)).unwrap().ticked);
        assert_eq!(tick(&ticked, &[Number(102)]), None);
    }

    #[test]
    fn a_title_cannot_add_a_child() {
        let body = render(&phases()[..1], |_| "x\n- [ ] #999 - y".to_owned());
        assert_eq!(Checklist::read(&Tainted::new(body)).entries.len(), 1);
    }

    #[test]
    fn children_are_appended_to_their_phase_once() {
        let body = render(&phases()[..1], |_| "a".to_owned());
        let more = append(&body, &phases(), |_| "b".to_owned()).unwrap();
        assert_eq!(Checklist::read(&Tainted::new(more.clone())).entries.len(), 4);
        assert_eq!(append(&more, &phases(), |_| "b".to_owned()), None);
    }

    #[test]
    fn lookalike_lines_are_not_children() {
        let body =
            "- [ ] #1\n### Phase 2: Parallel\n - [ ] #2\n- [ ] #3abc\n* [ ] #4\n- [] #5\n- [ ] # 6\n- [x] #7";
        let list = Checklist::read(&Tainted::new(body.to_owned()));
        assert_eq!(list.entries, [Entry { child: Number(7), phase: Phase::Parallel, ticked: true }]);
    }
}
