//! A data set of a few flows written by hand: its rows, its parts, what cleaning takes away, and that the same data give the same bytes.

#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use banksman_core::{
    id::Number,
    policy::ActionKind,
    port::{OutcomeDetail, OutcomeResult},
    signals::MergeState,
    text::{Login, RepoName},
    training::{ActionTaken, Observation, Outcome, PolicyName, Reason, RepoTag, Series},
};
use banksman_learn::{
    Export, Flow, Split, Summary, Survey,
    clean::{Ids, Salt},
    describe::{card, croissant, markdown},
    stats::ActionCounts,
    table::{Content, TableName},
    write::Format,
};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::BTreeMap;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_770_000_000 + second).unwrap()
}

fn seen(unresolved: u32) -> Observation {
    Observation {
        author: Login::new("octo,\"cat\"").unwrap(),
        merge_state: MergeState::Blocked,
        mergeable: true,
        is_draft: false,
        auto_merge_enabled: false,
        checks_total: 3,
        checks_passing: 2,
        checks_failing: 1,
        reviews_approved: 0,
        reviews_changes_requested: 1,
        threads_total: 4,
        threads_unresolved: unresolved,
        pr_age_hours: 5,
        last_push_hours: 1,
        last_activity_hours: 0,
        conflict_attempts: 0,
        review_fix_attempts: 2,
    }
}

fn done(action: ActionKind) -> ActionTaken {
    let policy = PolicyName::new("rules-1").unwrap();
    ActionTaken::certain(action, Reason::ThreadsOpen, policy, &[ActionKind::Wait])
}

fn ended(result: OutcomeResult) -> Outcome {
    Outcome { result, detail: OutcomeDetail::MergedAfterFixes, resolution_hours: 2.5 }
}

/// Ten flows, one after the other; the last has not ended.
fn flows() -> Vec<Flow> {
    let repo = RepoTag::of(&RepoName::new("acme/shop").unwrap());
    let flow = |n: i64| {
        let begin = n * 100;
        let mut flow = Flow::empty(Series { repo: repo.clone(), pull: Number(n as u64 + 1) });
        flow.observations = vec![(at(begin), seen(4)), (at(begin + 20), seen(0))];
        flow.actions = vec![
            (at(begin - 1), done(ActionKind::Wait)),
            (at(begin + 10), done(ActionKind::RequestReviewFix)),
            (at(begin + 20), done(ActionKind::Merge)),
        ];
        let result = if n % 2 == 0 { OutcomeResult::Success } else { OutcomeResult::Closed };
        flow.outcomes = if n < 9 { vec![(at(begin + 30), ended(result))] } else { Vec::new() };
        flow
    };
    (0..10).map(flow).collect()
}

fn write(format: Format, ids: &Ids) -> (Summary, BTreeMap<&'static str, Vec<u8>>) {
    let mut survey = Survey::default();
    for flow in flows().iter().filter(|flow| Export::<Vec<u8>>::takes(ids, flow)) {
        survey.flow(flow);
    }
    let mut export = Export::begin(format, ids.clone(), survey.splits(), |_| Ok(Vec::new())).unwrap();
    flows().iter().for_each(|flow| export.flow(flow).unwrap());
    let (summary, files) = export.end().unwrap();
    (summary, TableName::ALL.map(TableName::as_str).into_iter().zip(files).collect())
}

fn lines(bytes: &[u8]) -> Vec<Value> {
    std::str::from_utf8(bytes).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn salted() -> Ids {
    Ids::Hashed(Salt::new(b"a salt of many bytes").unwrap())
}

#[test]
fn rows_say_what_was_recorded() {
    let (summary, files) = write(Format::Jsonl, &Ids::AsRecorded);
    let rows: Vec<u64> = summary.tables.iter().map(|table| table.rows).collect();
    assert_eq!(rows, [20, 30, 9, 30, 59]);
    assert_eq!((summary.flows, summary.results.open, summary.repos, summary.authors), (10, 1, 1, 1));
    let pairs = lines(&files["pairs"]);
    // Nothing was seen before the first action; the third was decided at the moment of the second look.
    assert_eq!((&pairs[0]["action"], pairs[0].get("merge_state")), (&json!("wait"), None));
    assert_eq!((&pairs[1]["threads_unresolved"], &pairs[1]["seconds_since_seen"]), (&json!(4), &json!(10.0)));
    assert_eq!((&pairs[2]["threads_unresolved"], &pairs[2]["p_merge"]), (&json!(0), &json!(1.0)));
    assert_eq!((&pairs[2]["p_wait"], pairs[2].get("p_resolve")), (&json!(0.0), None));
    assert_eq!((&pairs[2]["result"], &pairs[5]["result"]), (&json!("success"), &json!("closed")));
    let episodes = lines(&files["episodes"]);
    let first: Vec<&str> = episodes[..6].iter().map(|row| row["event"].as_str().unwrap()).collect();
    assert_eq!(first, ["action", "observation", "action", "observation", "action", "outcome"]);
    assert_eq!(episodes[5]["step"], 5);
    assert_eq!(episodes[0]["at"], "2026-02-02T02:39:59.000000000Z");
}

#[test]
fn rows_of_a_pull_request_are_in_one_part_and_parts_follow_each_other() {
    let (summary, files) = write(Format::Jsonl, &Ids::AsRecorded);
    let mut parts: BTreeMap<u64, &str> = BTreeMap::new();
    let rows: Vec<Value> = files.values().flat_map(|bytes| lines(bytes)).collect();
    for row in &rows {
        let split = row["split"].as_str().unwrap();
        assert_eq!(*parts.entry(row["pr"].as_u64().unwrap()).or_insert(split), split);
    }
    let in_order: Vec<&str> = parts.into_values().collect();
    assert_eq!(in_order, [&["train"; 7][..], &["validation"], &["test"; 2]].concat());
    assert_eq!(summary.parts[&Split::Train].entries, 7 * 6);
}

#[test]
fn a_clean_set_has_finished_flows_without_ids_and_points_in_time() {
    let (summary, files) = write(Format::Jsonl, &salted());
    assert_eq!((summary.flows, summary.left_out, summary.from), (9, 1, None));
    let hash = |text: &str| text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit());
    for bytes in files.values() {
        for row in lines(bytes) {
            assert!(hash(row["repo"].as_str().unwrap()) && hash(row["pr"].as_str().unwrap()), "{row}");
            assert!(row["seconds"].as_f64().unwrap() >= 0.0 && row.get("at").is_none());
        }
        let text = String::from_utf8_lossy(bytes);
        assert!(!text.contains("acme") && !text.contains("octo") && !text.contains("2026"));
    }
    let same = |row: &Value| row["pr"].clone();
    assert_eq!(same(&lines(&files["actions"])[0]), same(&lines(&files["outcomes"])[0]));
}

#[test]
fn the_same_data_give_the_same_bytes() {
    for format in [Format::Jsonl, Format::Csv, Format::Parquet] {
        for ids in [Ids::AsRecorded, salted()] {
            assert_eq!(write(format, &ids), write(format, &ids));
        }
    }
}

/// Fields of a line, quotes taken off.
fn fields(line: &str) -> Vec<String> {
    let (mut all, mut quoted) = (vec![String::new()], false);
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.next_if_eq(&'"').is_some() => all.last_mut().unwrap().push('"'),
            '"' => quoted = !quoted,
            ',' if !quoted => all.push(String::new()),
            other => all.last_mut().unwrap().push(other),
        }
    }
    all
}

#[test]
fn csv_is_quoted_where_it_has_to_be_and_has_a_field_for_each_column() {
    let (_, files) = write(Format::Csv, &Ids::AsRecorded);
    for table in TableName::ALL {
        let text = std::str::from_utf8(&files[table.as_str()]).unwrap();
        let columns = table.columns(Ids::AsRecorded.cleaning());
        let names: Vec<String> = columns.iter().map(|column| column.name.clone()).collect();
        let mut rows = text.split_terminator("\r\n").map(fields);
        assert_eq!(rows.next().unwrap(), names);
        assert!(rows.clone().all(|row| row.len() == names.len()));
        if table == TableName::Observations {
            assert!(rows.all(|row| row[4] == "octo,\"cat\""));
        }
    }
}

#[test]
fn every_value_is_of_its_column() {
    for ids in [Ids::AsRecorded, salted()] {
        let (_, files) = write(Format::Jsonl, &ids);
        for table in TableName::ALL {
            let columns = table.columns(ids.cleaning());
            for row in lines(&files[table.as_str()]) {
                for (name, value) in row.as_object().unwrap() {
                    let column = columns.iter().find(|column| column.name == *name).unwrap();
                    let fits = match (column.content, value) {
                        (Content::OneOf(words), Value::String(word)) => words.contains(&word.as_str()),
                        (Content::NotNegative, Value::Number(number)) => number.as_f64().unwrap() >= 0.0,
                        (Content::Policy, Value::String(name)) => PolicyName::new(name).is_ok(),
                        (Content::Any | Content::Id, _) => true,
                        _ => false,
                    };
                    assert!(fits, "{name}: {value}");
                }
            }
        }
    }
}

#[test]
fn parquet_begins_and_ends_as_it_has_to() {
    let (summary, files) = write(Format::Parquet, &Ids::AsRecorded);
    for (table, bytes) in TableName::ALL.into_iter().zip(&summary.tables) {
        let file = &files[table.as_str()];
        assert_eq!(bytes.digest.bytes, file.len() as u64);
        assert!(file.starts_with(b"PAR1") && file.ends_with(b"PAR1"));
        let footer = u32::from_le_bytes(file[file.len() - 8..file.len() - 4].try_into().unwrap()) as usize;
        assert!(footer < file.len() - 12);
        // Version, then the schema with the table itself and its columns.
        let head = &file[file.len() - 8 - footer..];
        assert_eq!(head[..2], [0x15, 2]);
        let columns = table.columns(Ids::AsRecorded.cleaning()).len() as u8 + 1;
        assert_eq!(
            head[2..5],
            if columns < 15 { [0x19, columns << 4 | 12, 0x48] } else { [0x19, 0xfc, columns] }
        );
    }
}

#[test]
fn the_card_names_every_column_and_what_it_is_biased_by() {
    let (summary, _) = write(Format::Parquet, &salted());
    let card = card(&summary, Some("CC-BY-4.0"));
    let text = markdown(&card);
    for table in TableName::ALL {
        for column in table.columns(salted().cleaning()) {
            assert!(text.contains(&format!("| `{}` |", column.name)), "{}", column.name);
        }
    }
    assert!(text.contains("Licence: CC-BY-4.0") && text.contains("favours quick ones"));
    assert!(text.contains("propensity 1") && text.contains("One repository has 100 %"));
    let metadata = croissant(&card);
    assert_eq!(metadata["conformsTo"], "http://mlcommons.org/croissant/1.0");
    assert_eq!(metadata["distribution"][0]["sha256"], summary.tables[0].digest.sha256);
    assert_eq!(metadata["recordSet"].as_array().unwrap().len(), 5);
    assert_eq!(metadata["license"], "CC-BY-4.0");
}

#[test]
fn actions_are_counted_by_flow_and_by_end() {
    let mut counts = ActionCounts::default();
    flows().iter().for_each(|flow| counts.flow(flow));
    assert_eq!(counts.flows(), (10, 9));
    let stats = counts.stats();
    let merge = stats.iter().find(|s| s.action == ActionKind::Merge).unwrap();
    assert_eq!((merge.taken, merge.flows, merge.ended), (10, 10, 9));
    assert_eq!((merge.success_rate, merge.median_resolution_hours), (Some(5.0 / 9.0), Some(2.5)));
}
