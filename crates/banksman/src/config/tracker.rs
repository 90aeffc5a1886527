//! How the tracker is reached: the variables that its users have today, over the keys of the configuration (20-tracker.md).

use super::{Settings, secret_file, settings::TrackerKeys};
use crate::output::Failure;
use anyhow::Context as _;
use banksman_core::text::RepoName;
use banksman_tracker::{Kind, Paths, Program, Secret, TrackerSettings};

/// The settings of the tracker. `None` when neither token nor program is there, without which no call can be made.
pub(crate) fn tracker<'a>(
    settings: &Settings,
    variable: impl Fn(&str) -> Option<&'a str>,
) -> anyhow::Result<Option<TrackerSettings>> {
    let keys = &settings.tracker;
    let product = variable("AQ_PRODUCT_ID").map(str::to_owned).or_else(|| keys.product.clone());
    let program = variable("AQ_TRACKER_API_CMD").or(keys.command.as_deref()).and_then(Program::parse);
    let api = variable("AQ_TRACKER_API").map(str::to_owned).or_else(|| keys.api.clone());
    // Where nothing says otherwise it is the embedded one of this home, once that was served.
    let own = crate::server::TrackerPlaces::of(&crate::home::Home::at(&settings.home)).token;
    let is_own =
        keys.kind.as_deref().is_none_or(|kind| kind == "items") && api.is_none() && program.is_none();
    let token = match (variable("AQ_TRACKER_TOKEN"), &keys.token_file) {
        (Some(token), _) => Some(token.to_owned()),
        (None, Some(file)) => Some(secret_file::read(file)?),
        (None, None) if is_own && own.exists() => Some(secret_file::read(&own)?),
        (None, None) => None,
    };
    let token = match token.map(Secret::new) {
        None => None,
        Some(Some(token)) => Some(token),
        Some(None) => {
            let help = "it is one line of printable characters, in $AQ_TRACKER_TOKEN or the file of tracker.token_file";
            return Err(Failure::new("the tracker's token is empty or no token", help));
        }
    };
    if token.is_none() && program.is_none() {
        return Ok(None);
    }
    let kind = match keys.kind.as_deref() {
        Some("github") => {
            let repo = product.as_deref().map(RepoName::new).transpose().context("tracker.product")?;
            let Some(repo) = repo else {
                return Err(Failure::new(
                    "the tracker's repository is not set",
                    "set tracker.product = \"owner/name\"",
                ));
            };
            Kind::GitHub { repo }
        }
        Some("linear") => Kind::Linear { team: product.clone() },
        _ => Kind::Items,
    };
    Ok(Some(TrackerSettings { kind, api, token, product, paths: paths(keys), program }))
}

/// The paths of the items API; the usual ones where none is set.
fn paths(keys: &TrackerKeys) -> Paths {
    let usual = Paths::default();
    Paths {
        item: keys.path_item.clone().unwrap_or(usual.item),
        items: keys.path_items.clone().unwrap_or(usual.items),
        comments: keys.path_comments.clone().unwrap_or(usual.comments),
    }
}
