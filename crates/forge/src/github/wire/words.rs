//! Words of strangers on the wire, wrapped as they are parsed: titles and bodies on their way to the one slot where each may go (S5, S8).

use super::{Actor, Conclusion, Page, Progress, Suite, big, lenient, word};
use banksman_core::{tainted::Tainted, text::CheckName};
use serde::{Deserialize, Deserializer};

/// A title on its way to an epic's checklist or the title of a pull request.
#[derive(Deserialize)]
pub(crate) struct TitleWire {
    pub(crate) number: u64,
    #[serde(deserialize_with = "tainted")]
    pub(crate) title: Tainted,
}

#[derive(Deserialize)]
pub(crate) struct OfIssue {
    #[serde(default)]
    pub(crate) issue: Option<BodyWire>,
}

/// A body on its way to its parser.
#[derive(Deserialize)]
pub(crate) struct BodyWire {
    #[serde(deserialize_with = "tainted")]
    pub(crate) body: Tainted,
}

#[derive(Deserialize)]
pub(crate) struct OfEdits {
    #[serde(default)]
    pub(crate) issue: Option<EditsWire>,
}

/// A body with its last versions, newest first.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EditsWire {
    #[serde(deserialize_with = "tainted")]
    pub(crate) body: Tainted,
    #[serde(default)]
    pub(crate) user_content_edits: Option<Page<Version>>,
}

/// One version of a body.
#[derive(Deserialize)]
pub(crate) struct Version {
    #[serde(default, deserialize_with = "some_tainted")]
    pub(crate) diff: Option<Tainted>,
}

/// Text of strangers, wrapped as it is parsed.
pub(crate) fn tainted<'de, D: Deserializer<'de>>(from: D) -> Result<Tainted, D::Error> {
    Ok(Tainted::new(Option::<String>::deserialize(from)?.unwrap_or_default()))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BriefIssueIn {
    #[serde(default)]
    pub(crate) issue_or_pull_request: Option<Words>,
}

/// Title, body and comments on their way to a task file.
#[derive(Deserialize)]
pub(crate) struct Words {
    #[serde(deserialize_with = "tainted")]
    pub(crate) title: Tainted,
    #[serde(deserialize_with = "tainted")]
    pub(crate) body: Tainted,
    #[serde(default)]
    pub(crate) comments: Page<Said>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Said {
    #[serde(default, deserialize_with = "big")]
    pub(crate) full_database_id: Option<u64>,
    #[serde(default)]
    pub(crate) author: Option<Actor>,
    #[serde(deserialize_with = "tainted")]
    pub(crate) body: Tainted,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BriefThreadsIn {
    pub(crate) review_threads: Page<ThreadWords>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ThreadWords {
    #[serde(deserialize_with = "tainted")]
    pub(crate) path: Tainted,
    #[serde(default)]
    pub(crate) line: Option<u64>,
    #[serde(default)]
    pub(crate) original_line: Option<u64>,
    pub(crate) comments: Page<Said>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BriefChecksIn {
    #[serde(default)]
    pub(crate) status_check_rollup: Option<CheckWords>,
}

#[derive(Deserialize)]
pub(crate) struct CheckWords {
    #[serde(default)]
    pub(crate) contexts: Page<RunWords>,
}

/// A check run with what it says.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RunWords {
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) name: Option<CheckName>,
    #[serde(default, deserialize_with = "word")]
    pub(crate) status: Progress,
    #[serde(default)]
    pub(crate) conclusion: Option<Conclusion>,
    #[serde(default)]
    pub(crate) check_suite: Option<Suite>,
    #[serde(default, deserialize_with = "some_tainted")]
    pub(crate) title: Option<Tainted>,
    #[serde(default, deserialize_with = "some_tainted")]
    pub(crate) summary: Option<Tainted>,
    #[serde(default, deserialize_with = "some_tainted")]
    pub(crate) text: Option<Tainted>,
    #[serde(default)]
    pub(crate) annotations: Option<Page<Annotation>>,
}

fn some_tainted<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Tainted>, D::Error> {
    Ok(Option::<String>::deserialize(from)?.map(Tainted::new))
}

#[derive(Deserialize)]
pub(crate) struct Annotation {
    #[serde(deserialize_with = "tainted")]
    pub(crate) path: Tainted,
    #[serde(default)]
    pub(crate) location: Option<Span>,
    #[serde(deserialize_with = "tainted")]
    pub(crate) message: Tainted,
}

#[derive(Deserialize)]
pub(crate) struct Span {
    #[serde(default)]
    pub(crate) start: Option<Line>,
}

#[derive(Deserialize)]
pub(crate) struct Line {
    pub(crate) line: u64,
}
