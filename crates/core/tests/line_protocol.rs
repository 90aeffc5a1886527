//! The line protocol against a second reader that is written another way: it walks over characters with a state, copies everything and
//! knows nothing of the first one.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use banksman_core::{
    id::Number,
    policy::ActionKind,
    port::{OutcomeDetail, OutcomeResult},
    signals::MergeState,
    text::Login,
    training::{
        ActionTaken, BadPoint, Measured, Observation, Outcome, Point, PolicyName, Reason, RepoTag, Series,
        line_protocol::{BadLine, Line, LineWriter, Lines, Precision, Value},
    },
};
use jiff::Timestamp;
use proptest::prelude::*;

/// A field's value as the second reader sees it.
#[derive(Debug, Clone, PartialEq)]
enum Plain {
    Integer(i64),
    Unsigned(u64),
    Float(f64),
    Boolean(bool),
    Text(String),
}

/// A line as the second reader sees it.
#[derive(Debug, Clone, PartialEq)]
struct Second {
    measurement: String,
    tags: Vec<(String, String)>,
    fields: Vec<(String, Plain)>,
    nanos: Option<i64>,
}

/// Splits a text at a character that is neither behind a backslash nor between quotes, if those count.
fn split(text: &str, at: char, quotes: bool) -> Vec<String> {
    let mut parts = vec![String::new()];
    let (mut before, mut quoted) = (' ', false);
    let mut escapes = 0;
    for c in text.chars() {
        if quotes && c == '"' && (!quoted || escapes % 2 == 0) {
            quoted = !quoted;
        }
        if c == at && before != '\\' && !quoted {
            parts.push(String::new());
        } else {
            parts.last_mut().unwrap().push(c);
        }
        escapes = if c == '\\' { escapes + 1 } else { 0 };
        before = c;
    }
    parts
}

fn plain_name(text: &str, equals: bool) -> Option<String> {
    let name = text.replace("\\,", ",").replace("\\ ", " ");
    let name = if equals { name.replace("\\=", "=") } else { name };
    (!name.is_empty()).then_some(name)
}

fn plain_value(text: &str) -> Option<Plain> {
    let first = text.chars().next()?;
    if first == '"' {
        let inside = text.strip_prefix('"')?.strip_suffix('"')?;
        let mut plain = String::new();
        let mut rest = inside.chars();
        while let Some(c) = rest.next() {
            match c {
                '"' => return None,
                '\\' => match rest.clone().next() {
                    Some(next @ ('"' | '\\')) => {
                        plain.push(next);
                        rest.next();
                    }
                    Some(_) | None => plain.push('\\'),
                },
                c => plain.push(c),
            }
        }
        return Some(Plain::Text(plain));
    }
    match text {
        "t" | "T" | "true" | "True" | "TRUE" => return Some(Plain::Boolean(true)),
        "f" | "F" | "false" | "False" | "FALSE" => return Some(Plain::Boolean(false)),
        _ => {}
    }
    if !(first.is_ascii_digit() || first == '-' || first == '.')
        || text.contains('+') && !text.contains(['e', 'E'])
    {
        return None;
    }
    if let Some(integer) = text.strip_suffix('i') {
        return integer.parse().ok().map(Plain::Integer);
    }
    if let Some(unsigned) = text.strip_suffix('u') {
        return if unsigned.starts_with('-') { None } else { unsigned.parse().ok().map(Plain::Unsigned) };
    }
    if text.contains(|c: char| c.is_alphabetic() && !matches!(c, 'e' | 'E')) {
        return None;
    }
    text.parse().ok().filter(|float: &f64| float.is_finite()).map(Plain::Float)
}

/// Reads one line that has no line break outside of quotes.
fn second(text: &str) -> Option<Second> {
    let parts = split(text, ' ', true);
    let mut parts = parts.into_iter().filter(|part| !part.is_empty());
    let mut key = split(&parts.next()?, ',', false).into_iter();
    let measurement = plain_name(&key.next()?, false)?;
    let mut tags = Vec::new();
    for tag in key {
        let halves = split(&tag, '=', false);
        let [tag, value] = halves.as_slice() else { return None };
        tags.push((plain_name(tag, true)?, plain_name(value, true)?));
    }
    let mut fields = Vec::new();
    for field in split(&parts.next()?, ',', true) {
        let halves = split(&field, '=', true);
        let (name, value) = halves.split_first()?;
        fields.push((plain_name(name, true)?, plain_value(&value.join("="))?));
    }
    let nanos = match parts.next() {
        None => None,
        Some(time) if time.starts_with('+') => return None,
        Some(time) => Some(time.parse().ok()?),
    };
    parts.next().is_none().then_some(Second { measurement, tags, fields, nanos })
}

fn as_second(line: &Line<'_>) -> Second {
    let value = |value: &Value<'_>| match value {
        Value::Integer(integer) => Plain::Integer(*integer),
        Value::Unsigned(unsigned) => Plain::Unsigned(*unsigned),
        Value::Float(float) => Plain::Float(*float),
        Value::Boolean(boolean) => Plain::Boolean(*boolean),
        Value::String(text) => Plain::Text(text.to_string()),
    };
    Second {
        measurement: line.measurement.to_string(),
        tags: line.tags.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect(),
        fields: line.fields.iter().map(|(key, field)| (key.to_string(), value(field))).collect(),
        nanos: line.nanos,
    }
}

fn first(text: &str) -> Vec<(usize, Result<Second, BadLine>)> {
    Lines::new(text, Precision::Nanoseconds)
        .map(|entry| (entry.number, entry.line.map(|line| as_second(&line))))
        .collect()
}

/// Any name that can be written.
fn name() -> impl Strategy<Value = String> {
    let c = prop_oneof![
        4 => prop::char::range('a', 'z'),
        2 => prop::sample::select(vec![',', ' ', '=', '"', '\\', '#', '.', '\'', '{']),
        1 => prop::sample::select(vec!['\u{e9}', '\u{1f980}', '\u{200b}', '\u{202e}']),
    ];
    prop::collection::vec(c, 1..12)
        .prop_map(|chars| chars.into_iter().collect::<String>())
        .prop_filter("writable", |n| {
            !n.ends_with('\\') && !["\\,", "\\ ", "\\="].iter().any(|pair| n.contains(pair))
        })
}

fn value() -> impl Strategy<Value = Plain> {
    prop_oneof![
        prop_oneof![any::<i64>(), Just(i64::MIN), Just(i64::MAX)].prop_map(Plain::Integer),
        prop_oneof![any::<u64>(), Just(u64::MAX)].prop_map(Plain::Unsigned),
        any::<f64>().prop_filter("finite", |f| f.is_finite()).prop_map(Plain::Float),
        any::<bool>().prop_map(Plain::Boolean),
        "[a-z\"\\\\ ,=\n\u{1f980}]{0,12}".prop_map(Plain::Text),
    ]
}

fn line() -> impl Strategy<Value = Second> {
    (
        name().prop_filter("no comment", |n| !n.starts_with('#')),
        prop::collection::vec((name(), name()), 0..4),
        prop::collection::vec((name(), value()), 1..5),
        prop_oneof![any::<i64>(), Just(i64::MIN), Just(i64::MAX)],
    )
        .prop_map(|(measurement, tags, fields, nanos)| Second {
            measurement,
            tags,
            fields,
            nanos: Some(nanos),
        })
}

fn write(out: &mut LineWriter, line: &Second) {
    out.measurement(&line.measurement);
    for (key, value) in &line.tags {
        out.tag(key, value);
    }
    for (key, value) in &line.fields {
        match value {
            Plain::Integer(integer) => out.integer(key, *integer),
            Plain::Unsigned(unsigned) => out.unsigned(key, *unsigned),
            Plain::Float(float) => out.float(key, *float),
            Plain::Boolean(boolean) => out.boolean(key, *boolean),
            Plain::Text(text) => out.string(key, text),
        };
    }
    out.end(line.nanos.unwrap()).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read_back_by_both(lines in prop::collection::vec(line(), 1..4)) {
        let mut out = LineWriter::new();
        lines.iter().for_each(|line| write(&mut out, line));
        let text = out.into_text();
        let read: Vec<Second> = first(&text).into_iter().map(|(_, line)| line.unwrap()).collect();
        prop_assert_eq!(&read, &lines);
        for line in &lines {
            let mut out = LineWriter::new();
            write(&mut out, line);
            let text = out.into_text();
            // The second reader takes tags that hold a quote for the begin of a text.
            if !line.measurement.contains('"') && !line.tags.iter().any(|(k, v)| k.contains('"') || v.contains('"'))
                && !line.fields.iter().any(|(k, _)| k.contains('"')) {
                let again = second(text.trim_end_matches('\n'));
                prop_assert_eq!(again.as_ref(), Some(line), "{}", text);
            }
        }
    }

    #[test]
    fn both_agree_on_what_is_a_line(text in "[ab]{1,2}(,[ab=\\\\]{0,4}){0,2} [ab=1i.,t\\\\-]{0,10}( -?[0-9a]{0,3})?") {
        let read = first(&text);
        let expected = second(&text);
        match read.as_slice() {
            [(1, Ok(line))] => prop_assert_eq!(Some(line), expected.as_ref(), "{}", text),
            [(1, Err(_))] => prop_assert_eq!(None, expected, "{}", text),
            other => prop_assert!(false, "{:?}", other),
        }
    }

    #[test]
    fn no_bytes_make_it_panic_or_stand_still(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let text = String::from_utf8_lossy(&bytes);
        let read = first(&text);
        prop_assert!(read.len() <= text.len() + 1);
        prop_assert!(read.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }

    #[test]
    fn no_likely_bytes_either(text in "[a,=\" \\\\\n\r#1it.-]{0,60}") {
        let read = first(&text);
        prop_assert!(read.windows(2).all(|pair| pair[0].0 < pair[1].0));
        prop_assert!(read.iter().all(|(number, _)| *number <= text.matches('\n').count() + 1));
    }
}

#[test]
fn lines_are_counted_and_bad_ones_left_out() {
    let text = "# comment\n\nm,t=1 a=1i 1\r\nbad\nm a=\"two\nlines\" 2\n  m a=t\nm,t a=1 5\nm a=1i,b=99999999999999999999i\nm a=\"open\nm a=1 7";
    let read = first(text);
    let told: Vec<_> = read.iter().map(|(number, line)| (*number, line.as_ref().err().copied())).collect();
    assert_eq!(
        told,
        [
            (3, None),
            (4, Some(BadLine::NoFields)),
            (5, None),
            (7, None),
            (8, Some(BadLine::NoTagValue)),
            (9, Some(BadLine::OutOfRange)),
            (10, Some(BadLine::Quotes)),
            (11, None),
        ]
    );
    assert_eq!(read[2].1.as_ref().unwrap().fields, [("a".to_owned(), Plain::Text("two\nlines".to_owned()))]);
    assert_eq!(read[3].1.as_ref().unwrap().nanos, None);
}

#[test]
fn units_of_time_are_kept_inside_of_64_bits() {
    let read = |text: &str, unit: &str| {
        let entry = Lines::new(text, unit.parse().unwrap()).next().unwrap();
        entry.line.map(|line| line.nanos)
    };
    assert_eq!(read("m a=1 -3", "s"), Ok(Some(-3_000_000_000)));
    assert_eq!(read("m a=1 3", "ms"), Ok(Some(3_000_000)));
    assert_eq!(read("m a=1 3", "us"), Ok(Some(3_000)));
    assert_eq!(read("m a=1 -9223372036854775808", "ns"), Ok(Some(i64::MIN)));
    assert_eq!(read("m a=1 9223372036854775808", "ns"), Err(BadLine::Timestamp));
    assert_eq!(read("m a=1 9223372036854775", "ms"), Err(BadLine::Timestamp));
    assert!("h".parse::<Precision>().is_err());
}

fn points() -> Vec<Point> {
    let series = Series { repo: RepoTag::new("acme_shop").unwrap(), pull: Number(288) };
    let point = |measured| Point {
        series: series.clone(),
        at: Timestamp::from_nanosecond(1_753_600_000_123_456_789).unwrap(),
        measured,
    };
    vec![
        point(Measured::Observation(Observation {
            author: Login::new("app/copilot,x=\"y").unwrap(),
            merge_state: MergeState::HasHooks,
            mergeable: true,
            is_draft: false,
            auto_merge_enabled: true,
            checks_total: 12,
            checks_passing: 11,
            checks_failing: 1,
            reviews_approved: 0,
            reviews_changes_requested: 2,
            threads_total: u32::MAX,
            threads_unresolved: 3,
            pr_age_hours: 5,
            last_push_hours: 4,
            last_activity_hours: 0,
            conflict_attempts: 1,
            review_fix_attempts: 2,
        })),
        point(Measured::Action(ActionTaken {
            action: ActionKind::RequestReviewFix,
            reason: Reason::ThreadsOpen,
            policy: PolicyName::new("rules-1").unwrap(),
            propensity: 0.1,
            eligible: Vec::new(),
        })),
        point(Measured::Outcome(Outcome {
            result: OutcomeResult::Success,
            detail: OutcomeDetail::MergedAfterFixes,
            resolution_hours: 12.75,
        })),
    ]
}

#[test]
fn points_are_lines_and_lines_points() {
    let mut out = LineWriter::new();
    for point in points() {
        point.write(&mut out).unwrap();
    }
    let text = out.into_text();
    assert_eq!(
        text.lines().nth(1).unwrap(),
        "action_taken,pr=288,repo=acme_shop action=\"request_review_fix\",reason=\"threads_open\",policy=\"rules-1\",\
         propensity=0.1 1753600000123456789"
    );
    let read: Vec<Point> = Lines::new(&text, Precision::Nanoseconds)
        .map(|entry| Point::from_line(&entry.line.unwrap(), Timestamp::UNIX_EPOCH).unwrap())
        .collect();
    assert_eq!(read, points());
}

#[test]
fn whatever_is_no_point_is_refused_in_closed_words() {
    let refused = |text: &str| {
        let line = Lines::new(text, Precision::Nanoseconds).next().unwrap().line.unwrap();
        let error = Point::from_line(&line, Timestamp::UNIX_EPOCH).unwrap_err();
        assert!(!error.to_string().contains("canary"), "{error}");
        error
    };
    let outcome = "outcome,repo=a_b,pr=1 result=\"success\",detail=\"merged_clean\",resolution_hours=1";
    let line = Lines::new(outcome, Precision::Nanoseconds).next().unwrap().line.unwrap();
    assert_eq!(Point::from_line(&line, Timestamp::UNIX_EPOCH).unwrap().at, Timestamp::UNIX_EPOCH);
    assert_eq!(refused("canary a=1"), BadPoint::Measurement);
    assert_eq!(refused(&format!("{outcome},title=\"canary\"")), BadPoint::UnknownField);
    assert_eq!(refused(&outcome.replace("pr=1", "pr=1,branch=canary")), BadPoint::UnknownTag);
    assert_eq!(refused(&outcome.replace("success", "canary")), BadPoint::Field("result"));
    assert_eq!(refused(&outcome.replace("a_b", "can\\ ary")), BadPoint::Tag("repo"));
    assert_eq!(refused(&outcome.replace("pr=1", "pr=canary")), BadPoint::Tag("pr"));
    assert_eq!(refused(&outcome.replace(",resolution_hours=1", "")), BadPoint::NoField("resolution_hours"));
    assert_eq!(refused("outcome,pr=1 result=\"success\""), BadPoint::NoTag("repo"));
}
