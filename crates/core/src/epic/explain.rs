//! Why each issue is where it is (E4): one sentence per issue, made of words of this file, numbers and scope words.

use super::{
    group::{Grouping, Parcel},
    phase::Turn,
    plan::{FEW_AUDITS, MAX_CHILDREN, MIN_CHILDREN, Reason},
    theme::Ground,
};
use crate::{
    id::Number,
    intent::{Phase, Theme},
};
use std::collections::BTreeMap;

/// The reasons of a grouping, ascending by number. `grounds`: the theme of each issue by itself.
pub(super) fn explain(
    grounds: &BTreeMap<Number, (Theme, Ground)>,
    grouping: &Grouping,
    phases: &BTreeMap<Number, (Phase, Turn)>,
) -> Vec<Reason> {
    let parcels: BTreeMap<Number, &Parcel> =
        grouping.parcels.iter().flat_map(|p| p.children.iter().map(move |c| (*c, p))).collect();
    grounds
        .iter()
        .map(|(issue, (theme, ground))| {
            let why = match (parcels.get(issue), phases.get(issue)) {
                (Some(parcel), Some((phase, turn))) => {
                    format!(
                        "{}; {}; phase {}, {}.",
                        belongs(theme, *ground),
                        stands(theme, parcel),
                        phase.number(),
                        comes(*turn)
                    )
                }
                _ => format!("{}; {}.", belongs(theme, *ground), alone(theme)),
            };
            Reason { issue: *issue, why }
        })
        .collect()
}

fn belongs(theme: &Theme, ground: Ground) -> String {
    match ground {
        Ground::Feature => format!("A feature by its title ({theme})"),
        Ground::Label => format!("A matter of {theme} by its label"),
        Ground::Title => format!("A matter of {theme} by its title"),
        Ground::Nothing => format!("Neither label nor title names a theme, so it counts as {theme}"),
        Ground::FewAudits => format!("One of fewer than {FEW_AUDITS} audit issues in the repository"),
    }
}

fn stands(own: &Theme, parcel: &Parcel) -> String {
    let Parcel { theme, part, extends, children } = parcel;
    if let Some(epic) = extends {
        return match theme {
            theme if theme == own || *own == Theme::Audit => {
                format!("epic #{epic} is of that kind and has room")
            }
            theme => format!(
                "too few for an epic of their own, so they join epic #{epic}, the nearest theme ({theme})"
            ),
        };
    }
    let count = children.len();
    let merged = if theme.whole() == own {
        String::new()
    } else {
        format!("too few for an epic of their own, so they go with the nearest theme ({}); ", theme.whole())
    };
    let cut = match (theme, part) {
        (Theme::Package(_, package), Some(part)) => {
            format!("too many for one epic, so by package: part {part} of {package} with {count} children")
        }
        (Theme::Package(_, package), None) => {
            format!("too many for one epic, so by package: {package} with {count} children")
        }
        (_, Some(part)) => {
            format!("more than {MAX_CHILDREN} of that theme, so in parts: part {part} with {count} children")
        }
        (_, None) => format!("one epic with {count} children"),
    };
    merged + &cut
}

fn comes(turn: Turn) -> String {
    match turn {
        Turn::Framework => "as it spans packages".to_owned(),
        Turn::Blocks(waiting) => format!("as #{waiting} is blocked by it"),
        Turn::After(blocker) => format!("as #{blocker} comes before it"),
        Turn::Documentation => "as documentation comes last".to_owned(),
        Turn::Independent => "as it is independent".to_owned(),
    }
}

fn alone(theme: &Theme) -> String {
    if *theme == Theme::Audit {
        format!("fewer than {MIN_CHILDREN} of them, so it goes to an implementer without an epic")
    } else {
        format!(
            "fewer than {MIN_CHILDREN} of a kind and no epic near to it has room, so it goes to an implementer without one"
        )
    }
}
