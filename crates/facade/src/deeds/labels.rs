//! Labels: GitHub's rules around the forge's own.

use super::pull;
use crate::{
    caller::{Caller, Spot},
    problem::Problem,
};
use banksman_core::{
    id::Number,
    port::{
        Refusal,
        book::{LabelChange, LabelDraft, LabelMade, LabelRecord, Presence, Select},
    },
    tainted::Tainted,
    text::{Color, Label},
};
use banksman_forge::local::LocalError;

/// Colour of a label that nobody gave one.
const COLOR: &str = "ededed";

/// Labels by the names that a caller gives: known ones keep their own spelling, others become known.
pub(crate) async fn label_names(caller: &Caller, spot: &Spot, names: &[&str]) -> Result<Vec<Label>, Problem> {
    let known = caller.front.labels(&caller.at(spot)).await?;
    let label = |name: &&str| {
        let there = known.iter().find(|label| label.name.as_str().eq_ignore_ascii_case(name));
        match there {
            Some(label) => Ok(label.name.clone()),
            None => Label::new(name).map_err(|_| Problem::invalid("Label", "name", "invalid")),
        }
    };
    names.iter().map(label).collect()
}

/// Gives something exactly these labels.
pub(crate) async fn replace_labels(
    caller: &Caller,
    spot: &Spot,
    number: Number,
    wanted: &[Label],
) -> Result<(), Problem> {
    let at = caller.at(spot);
    let which = || Select::Numbers(vec![number]);
    let now = match caller.front.issues(&at, which()).await?.pop() {
        Some(issue) => issue.labels,
        None => pull(caller, spot, number).await?.labels,
    };
    for label in now.iter().filter(|label| !wanted.contains(label)) {
        caller.front.set_label(&at, number, label.clone(), Presence::Absent).await?;
    }
    for label in wanted.iter().filter(|label| !now.contains(label)) {
        caller.front.set_label(&at, number, label.clone(), Presence::Present).await?;
    }
    Ok(())
}

fn color(text: &str) -> Result<Color, Problem> {
    let text = text.trim_start_matches('#').to_ascii_lowercase();
    Color::new(&text).map_err(|_| Problem::invalid("Label", "color", "invalid"))
}

fn label_name(text: &str) -> Result<Label, Problem> {
    Label::new(text.trim()).map_err(|_| Problem::invalid("Label", "name", "invalid"))
}

/// Makes a label known.
pub(crate) async fn make_label(
    caller: &Caller,
    spot: &Spot,
    name: &str,
    colored: Option<&str>,
    description: Option<&str>,
) -> Result<LabelRecord, Problem> {
    let draft = LabelDraft {
        name: label_name(name)?,
        color: color(colored.unwrap_or(COLOR))?,
        description: Tainted::new(description.unwrap_or_default().to_owned()),
    };
    match caller.front.make_label(&caller.at(spot), draft).await? {
        LabelMade::New(label) => Ok(label),
        LabelMade::There => Err(Problem::invalid("Label", "name", "already_exists")),
    }
}

/// Changes a label.
pub(crate) async fn change_label(
    caller: &Caller,
    spot: &Spot,
    name: &str,
    new: Option<&str>,
    colored: Option<&str>,
    description: Option<&str>,
) -> Result<LabelRecord, Problem> {
    let old = Label::new(name).map_err(|_| Problem::not_found())?;
    let change = LabelChange {
        name: new.map(label_name).transpose()?,
        color: colored.map(color).transpose()?,
        description: description.map(|text| Tainted::new(text.to_owned())),
    };
    match caller.front.change_label(&caller.at(spot), old, change).await {
        Err(LocalError::Refused(Refusal::NotAllowed)) => {
            Err(Problem::invalid("Label", "name", "already_exists"))
        }
        done => Ok(done?),
    }
}
