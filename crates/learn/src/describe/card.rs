//! The data card: what is in the data set, column by column, how it is split, under which licence it stands, and what it is biased by.

use crate::{
    export::{Summary, TableSummary},
    split::Split,
    table::{Cleaning, Column, Content, Null},
};
use serde::Serialize;

/// A data card.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Card {
    /// What it is of.
    pub name: &'static str,
    /// In a sentence.
    pub about: &'static str,
    /// The licence, as an SPDX expression or a name; `None`: whoever publishes the data has to choose one.
    pub licence: Option<String>,
    /// What it came to.
    pub summary: Summary,
    /// Columns of each table.
    pub columns: Vec<TableColumns>,
    /// How it is split.
    pub splits: &'static str,
    /// What it is biased by.
    pub known_biases: Vec<String>,
}

/// Columns of a table.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TableColumns {
    /// The table.
    pub table: &'static str,
    /// What it holds.
    pub about: &'static str,
    /// Its columns.
    pub columns: Vec<ColumnCard>,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ColumnCard {
    /// Its name.
    pub name: String,
    /// Its type: `bool`, `int64`, `float64`, `timestamp[ns, UTC]` or `string`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// Whether values may be missing.
    pub nullable: bool,
    /// The closed list of its values, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub words: Option<Vec<&'static str>>,
    /// What it says.
    pub about: &'static str,
}

const SPLITS: &str = "By time: the oldest 70 % of the flows are `train`, the next 15 % `validation`, the newest 15 % `test`, by the start of the flow. All rows of a pull request are in one part.";

/// The name under which columns of a kind are described.
pub(super) fn kind_name(column: &Column) -> &'static str {
    use crate::table::ColumnKind as K;
    match column.kind {
        K::Bool => "bool",
        K::Int => "int64",
        K::Float => "float64",
        K::Time => "timestamp[ns, UTC]",
        K::Word => "string",
    }
}

/// The card of a data set.
pub fn card(summary: &Summary, licence: Option<&str>) -> Card {
    let cleaning = if summary.clean { Cleaning::Clean } else { Cleaning::AsRecorded };
    let column = |column: Column| ColumnCard {
        kind: kind_name(&column),
        nullable: column.null == Null::Possible,
        words: match column.content {
            Content::OneOf(words) => Some(words.to_vec()),
            Content::Any | Content::Id | Content::Policy | Content::NotNegative => None,
        },
        name: column.name,
        about: column.about,
    };
    let table = |told: &TableSummary| TableColumns {
        table: told.name.as_str(),
        about: told.name.about(),
        columns: told.name.columns(cleaning).into_iter().map(column).collect(),
    };
    Card {
        name: "Banksman training data",
        about: "What was seen of pull requests, what was done about them and how they ended: ids, closed words, counts and times, no text.",
        licence: licence.map(str::to_owned),
        columns: summary.tables.iter().map(table).collect(),
        splits: SPLITS,
        known_biases: biases(summary),
        summary: summary.clone(),
    }
}

fn biases(summary: &Summary) -> Vec<String> {
    let results = summary.results;
    let mut all = vec![
        "Only pull requests that Banksman watched are in it: mostly those of coding agents, on repositories whose owners let agents work.".to_owned(),
        "Counts of hours are whole hours, and the state is known only at the moments when somebody looked: what came and went between two looks is missing.".to_owned(),
        "A flow of `train` may end after the first flow of `validation` began; its outcome was not known at that time.".to_owned(),
    ];
    if summary.clean {
        all.push(format!(
            "Flows that had not ended are left out ({}), which favours quick ones: what takes long is rarer here than in truth.",
            summary.left_out
        ));
    } else if results.open > 0 {
        all.push(format!(
            "{} of {} flows have not ended: their outcome is not known.",
            results.open, summary.flows
        ));
    }
    if summary.uncertain_actions == 0 {
        all.push("Every action was chosen by a policy that chooses the same each time (propensity 1): the value of other policies cannot be estimated from it by weighting.".to_owned());
    }
    if summary.largest_repo_share > 0.2 {
        let share = summary.largest_repo_share * 100.0;
        all.push(format!("One repository has {share:.0} % of the flows."));
    }
    all
}

/// The card for people.
pub fn markdown(card: &Card) -> String {
    let s = &card.summary;
    let mut out = format!("# {}\n\n{}\n\n", card.name, card.about);
    out.push_str(&format!(
        "- Licence: {}\n",
        card.licence.as_deref().unwrap_or("not stated; the publisher has to choose one")
    ));
    out.push_str(&format!(
        "- Flows (one a pull request): {}, of {} repositories and {} authors\n",
        s.flows, s.repos, s.authors
    ));
    let r = s.results;
    out.push_str(&format!(
        "- Ends: {} success, {} closed, {} escalated, {} open\n",
        r.success, r.closed, r.escalated, r.open
    ));
    if let (Some(from), Some(until)) = (s.from, s.until) {
        out.push_str(&format!("- Time: {from} to {until}\n"));
    }
    if s.clean {
        out.push_str("- Cleaned: finished flows only, times from the start of each flow, ids as salted hashes (HMAC-SHA-256, 128 bits)\n");
    }
    out.push_str(
        "\n## Files\n\n| table | file | rows | bytes | SHA-256 |\n| --- | --- | --: | --: | --- |\n",
    );
    for table in &s.tables {
        let digest = &table.digest;
        out.push_str(&format!(
            "| {} | `{}` | {} | {} | `{}` |\n",
            table.name.as_str(),
            table.file,
            table.rows,
            digest.bytes,
            digest.sha256
        ));
    }
    out.push_str(&format!(
        "\n## Splits\n\n{}\n\n| part | flows | entries |\n| --- | --: | --: |\n",
        card.splits
    ));
    for split in [Split::Train, Split::Validation, Split::Test] {
        let part = s.parts.get(&split).copied().unwrap_or_default();
        out.push_str(&format!("| {} | {} | {} |\n", split.as_str(), part.flows, part.entries));
    }
    out.push_str("\n## Known biases\n\n");
    for bias in &card.known_biases {
        out.push_str(&format!("- {bias}\n"));
    }
    for table in &card.columns {
        out.push_str(&format!("\n## Table `{}`\n\n{}\n\n", table.table, table.about));
        out.push_str("| column | type | may be missing | what it says |\n| --- | --- | --- | --- |\n");
        for column in &table.columns {
            let words = column.words.as_ref().map(|words| format!(" One of: {}.", words.join(", ")));
            out.push_str(&format!(
                "| `{}` | {} | {} | {}{} |\n",
                column.name,
                column.kind,
                if column.nullable { "yes" } else { "no" },
                column.about,
                words.unwrap_or_default()
            ));
        }
    }
    out
}
