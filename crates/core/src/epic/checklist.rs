//! The checklist in an epic's body: the exact form of E6. One function reads it from tainted text to pairs of number and tick; one
//! changes the single byte between the brackets and nothing else (S5, I5).

use crate::{
    id::Number,
    intent::{Phase, PhaseDraft},
    tainted::Tainted,
};
use serde::{Deserialize, Serialize};

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
        body.structure(|text| {
            let mut list = Self::default();
            let mut phase = None;
            for line in text.lines() {
                let line = line.trim_end();
                if line.starts_with('#') {
                    phase = heading(line).or(if line.starts_with("### ") { None } else { phase });
                } else if let (Some(phase), Some((child, ticked, _))) = (phase, entry(line))
                    && !list.entries.iter().any(|e| e.child == child)
                {
                    list.entries.push(Entry { child, phase, ticked });
                }
            }
            list
        })
    }

    /// The entry of a child.
    pub fn entry(&self, child: Number) -> Option<&Entry> {
        self.entries.iter().find(|e| e.child == child)
    }
}

fn heading(line: &str) -> Option<Phase> {
    Phase::ALL.into_iter().find(|p| {
        // The number and word decide; what people add behind them does not.
        line.starts_with("### Phase ") && p.heading().split(" (").next().is_some_and(|h| line.starts_with(h))
    })
}

/// Number, tick and byte offset of the tick mark of a checklist line.
fn entry(line: &str) -> Option<(Number, bool, usize)> {
    let (ticked, rest) = if let Some(rest) = line.strip_prefix("- [ ] #") {
        (false, rest)
    } else {
        (true, line.strip_prefix("- [x] #").or_else(|| line.strip_prefix("- [X] #"))?)
    };
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    if digits == 0 || digits > 12 || rest[digits..].starts_with(|c: char| c.is_alphanumeric()) {
        return None;
    }
    Some((Number(rest[..digits].parse().ok()?), ticked, 3))
}

/// The body with these children ticked: exactly one byte changes per child, foreign edits stay. `None` when nothing changes.
pub fn tick(body: &str, children: &[Number]) -> Option<String> {
    let mut out = body.as_bytes().to_vec();
    let mut offset = 0;
    let mut changed = false;
    for line in body.split_inclusive('\n') {
        if let Some((child, false, mark)) = entry(line.trim_end())
            && children.contains(&child)
        {
            out[offset + mark] = b'x';
            changed = true;
        }
        offset += line.len();
    }
    // A space became an `x`, both single bytes: the text stays valid UTF-8.
    changed.then(|| String::from_utf8(out).ok()).flatten()
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

/// The body with more children: each at the end of its phase, a missing phase heading in its place. Children that are listed
/// already are left out; `None` when nothing changes.
pub fn append(body: &str, phases: &[PhaseDraft], title: impl Fn(Number) -> String) -> Option<String> {
    let listed = Checklist::read(&Tainted::new(body.to_owned()));
    let mut lines: Vec<String> = body.lines().map(str::to_owned).collect();
    let mut changed = false;
    for draft in phases {
        let new: Vec<String> = draft
            .children
            .iter()
            .filter(|c| listed.entry(**c).is_none())
            .map(|c| line(*c, &title(*c)).trim_end().to_owned())
            .collect();
        if new.is_empty() {
            continue;
        }
        changed = true;
        let position = lines.iter().position(|l| heading(l) == Some(draft.phase));
        let at = match position {
            Some(start) => {
                start + 1 + lines[start + 1..].iter().take_while(|l| entry(l.trim_end()).is_some()).count()
            }
            None => {
                let later = lines.iter().position(|l| heading(l).is_some_and(|p| p > draft.phase));
                let at = later.unwrap_or(lines.len());
                lines.insert(at, draft.phase.heading().to_owned());
                at + 1
            }
        };
        lines.splice(at..at, new);
    }
    changed.then(|| lines.join("\n") + "\n")
}

fn line(child: Number, title: &str) -> String {
    let title: String = title.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    format!("- [ ] #{child} - {title}\n")
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
