//! Things that fields are asked of, and what a field answers.

use super::{branch::Branch, checks::Rollup, commit::Commit, connection::Page, issue::Issue, pull::Pull};
use crate::{
    caller::{Caller, Spot},
    problem::Problem,
};
use async_graphql::indexmap::IndexMap;
use async_graphql::{Name, Value as Graph};
use serde_json::{Map, Value};
use std::{borrow::Cow, sync::Arc};

/// Something with fields.
#[derive(Clone)]
pub(super) enum Thing {
    /// A repository.
    Repository(Arc<Spot>),
    /// An issue.
    Issue(Arc<Issue>),
    /// A pull request.
    Pull(Arc<Pull>),
    /// A commit.
    Commit(Arc<Commit>),
    /// A branch.
    Branch(Arc<Branch>),
    /// All checks of a head.
    Rollup(Arc<Rollup>),
    /// A page of a list.
    Page(Arc<Page>),
    /// An entry of a list with its place in it.
    Edge {
        /// The place.
        cursor: Arc<str>,
        /// The entry.
        node: Box<Thing>,
    },
    /// Plain data: the answer to each field is there already. `__typename` says what it is where that could be asked.
    Record(Arc<Map<String, Value>>),
    /// Plain data with things in it.
    Bundle {
        /// What it is.
        name: &'static str,
        /// The answers.
        fields: Arc<Vec<(&'static str, Out)>>,
    },
    /// Nothing: an id that leads nowhere.
    Nothing,
}

/// What a field answers.
#[derive(Clone)]
pub(super) enum Out {
    /// Nothing.
    Null,
    /// Plain data.
    Json(Value),
    /// Something with fields.
    One(Thing),
    /// Several of them; where a connection is asked for, its page is cut from these.
    Many(Vec<Thing>),
    /// The same with further fields of the connection.
    Counted(Vec<Thing>, Vec<(&'static str, Out)>),
    /// This thing has no such field.
    Unknown,
}

impl<T: Into<Value>> From<T> for Out {
    fn from(value: T) -> Self {
        Self::Json(value.into())
    }
}

impl Out {
    /// A thing that may be missing.
    pub(super) fn maybe(thing: Option<Thing>) -> Self {
        thing.map_or(Self::Null, Self::One)
    }
}

impl Thing {
    /// Plain data. Anything but an object has no fields.
    pub(super) fn record(value: Value) -> Self {
        match value {
            Value::Object(map) => Self::Record(Arc::new(map)),
            _ => Self::Nothing,
        }
    }

    /// Plain data with things in it.
    pub(super) fn bundle(name: &'static str, fields: Vec<(&'static str, Out)>) -> Self {
        Self::Bundle { name, fields: Arc::new(fields) }
    }

    /// Whether it is nothing.
    pub(super) fn is_nothing(&self) -> bool {
        matches!(self, Self::Nothing)
    }

    /// Its type.
    pub(super) fn type_name(&self) -> Cow<'static, str> {
        match self {
            Self::Repository(_) => "Repository".into(),
            Self::Issue(_) => "Issue".into(),
            Self::Pull(_) => "PullRequest".into(),
            Self::Commit(_) => "Commit".into(),
            Self::Branch(_) => "Ref".into(),
            Self::Rollup(_) => "StatusCheckRollup".into(),
            Self::Page(_) => "Connection".into(),
            Self::Edge { .. } => "Edge".into(),
            Self::Record(map) => {
                map.get("__typename").and_then(Value::as_str).unwrap_or("Record").to_owned().into()
            }
            Self::Bundle { name, .. } => (*name).into(),
            Self::Nothing => "Nothing".into(),
        }
    }

    /// What tells it from its neighbours in a list.
    pub(super) fn key(&self) -> String {
        match self {
            Self::Issue(issue) => issue.record.number.to_string(),
            Self::Pull(pull) => pull.number().to_string(),
            Self::Commit(commit) => commit.sha.to_string(),
            Self::Branch(branch) => branch.name.to_string(),
            Self::Record(map) => map.get("id").and_then(Value::as_str).unwrap_or_default().to_owned(),
            Self::Bundle { fields, .. } => {
                let id = fields.iter().find(|(name, _)| *name == "id").map(|(_, out)| out);
                match id {
                    Some(Out::Json(Value::String(id))) => id.clone(),
                    _ => String::new(),
                }
            }
            Self::Repository(spot) => spot.full_name(),
            Self::Rollup(_) | Self::Page(_) | Self::Edge { .. } | Self::Nothing => String::new(),
        }
    }

    /// Answers a field.
    pub(super) async fn field(&self, caller: &Arc<Caller>, name: &str, args: &Args) -> Result<Out, Problem> {
        match self {
            Self::Repository(spot) => super::repository::field(caller, spot, name, args).await,
            Self::Issue(issue) => issue.field(caller, name).await,
            Self::Pull(pull) => pull.field(caller, name, args).await,
            Self::Commit(commit) => commit.field(caller, name, args).await,
            Self::Branch(branch) => branch.field(caller, name, args).await,
            Self::Rollup(rollup) => Ok(rollup.field(caller, name)),
            Self::Page(page) => Ok(page.field(name)),
            Self::Edge { cursor, node } => Ok(match name {
                "cursor" => Out::from(cursor.as_ref()),
                "node" => Out::One((**node).clone()),
                _ => Out::Unknown,
            }),
            Self::Record(map) => Ok(map.get(name).map_or(Out::Unknown, |value| Out::Json(value.clone()))),
            Self::Bundle { fields, .. } => {
                let found = fields.iter().find(|(field, _)| *field == name);
                Ok(found.map_or(Out::Unknown, |(_, out)| out.clone()))
            }
            Self::Nothing => Ok(Out::Null),
        }
    }
}

/// The arguments of a field, or the fields of an input object.
#[derive(Debug, Clone, Default)]
pub(super) struct Args(Map<String, Value>);

impl Args {
    /// Reads them.
    pub(super) fn read(args: &IndexMap<Name, Graph>) -> Self {
        let json = |value: &Graph| value.clone().into_json().unwrap_or(Value::Null);
        Self(args.iter().map(|(name, value)| (name.to_string(), json(value))).collect())
    }

    /// The fields of one that is an object.
    pub(super) fn inner(&self, name: &str) -> Self {
        Self(self.0.get(name).and_then(Value::as_object).cloned().unwrap_or_default())
    }

    /// Text.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Value::as_str)
    }

    /// Text that has to be there: the schema sees to it.
    pub(super) fn must(&self, name: &str) -> &str {
        self.text(name).unwrap_or_default()
    }

    /// A number.
    pub(super) fn number(&self, name: &str) -> Option<u64> {
        self.0.get(name).and_then(Value::as_u64)
    }

    /// Whether it is there and true.
    pub(super) fn is(&self, name: &str) -> bool {
        self.0.get(name).and_then(Value::as_bool).unwrap_or(false)
    }

    /// Whether it is there, even as null.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(|value| !value.is_null())
    }

    /// Several texts; `None`: it is not there.
    pub(super) fn texts(&self, name: &str) -> Option<Vec<&str>> {
        match self.0.get(name)? {
            Value::Array(items) => Some(items.iter().filter_map(Value::as_str).collect()),
            // One value stands for a list of one.
            Value::String(one) => Some(vec![one]),
            _ => None,
        }
    }

    /// Several objects.
    pub(super) fn objects(&self, name: &str) -> Vec<Self> {
        let items = self.0.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        items.iter().filter_map(Value::as_object).map(|map| Self(map.clone())).collect()
    }
}
