//! Prints lines with every character and number that is hard to write, and as JSON what they mean, for a real server to be asked.
//! `cargo run -p banksman-core --example line_protocol`
#![expect(clippy::unwrap_used, reason = "a measurement ends with the first failure")]

use banksman_core::training::line_protocol::LineWriter;
use serde_json::{Value, json};

fn main() {
    let names = [
        "plain",
        "with space",
        "with,comma",
        "with=equals",
        "with\"quote",
        "back\\slash",
        "two\\\\slashes",
        "'single'",
        "emoji \u{1f980}\u{1f3d7}\u{fe0f}",
        "caf\u{e9}, d\u{e9}j\u{e0} vu = \"oui\"",
        " leading and trailing ",
        "a,b c=d\"e\\f",
        "{json:[1]}",
        "$var `cmd` %s",
        "\u{202e}right to left",
    ];
    let texts = [
        "",
        "plain",
        "a \"quoted\" word",
        "back\\slash and \\\" both",
        "ends with \\",
        "two \\\\",
        "line\nbreak",
        "tab\tand comma, equals = space",
        "\u{1f980} emoji \u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}",
    ];
    let integers = [i64::MIN, i64::MIN + 1, -1, 0, 1, i64::MAX - 1, i64::MAX, 1 << 53, (1 << 53) + 1];
    let floats = [0.0, -0.5, 1.0, 0.1, 1e300, 1e-300, f64::MIN_POSITIVE, 123_456_789.123_456_79];
    // The server's own first and last nanosecond lie a little inside of 64 bits.
    let times = [i64::MIN + 2, -1, 0, 1, 1_753_600_000_123_456_789, i64::MAX - 1];
    let (mut lines, mut expected) = (LineWriter::new(), Vec::new());
    let mut case = 0;
    let mut add =
        |measurement: &str, key: &str, value: &str, field: &str, content: Content<'_>, nanos: i64| {
            case += 1;
            let number = case.to_string();
            lines.measurement(measurement).tag("case", &number).tag(key, value);
            let content = match content {
                Content::Text(text) => {
                    lines.string(field, text);
                    json!(text)
                }
                Content::Integer(integer) => {
                    lines.integer(field, integer);
                    json!(integer)
                }
                Content::Float(float) => {
                    lines.float(field, float);
                    json!(float)
                }
                Content::Boolean(boolean) => {
                    lines.boolean(field, boolean);
                    json!(boolean)
                }
            };
            lines.end(nanos).unwrap();
            let tags = json!({ "case": number, key: value });
            expected.push(
            json!({ "measurement": measurement, "tags": tags, "fields": { field: content }, "time": nanos }),
        );
        };
    for name in names {
        add(name, "t", "v", "f", Content::Integer(1), 1);
        add("m", name, "v", "f", Content::Integer(1), 1);
        add("m", "t", name, "f", Content::Integer(1), 1);
        add("m", "t", "v", name, Content::Integer(1), 1);
        add(name, name, name, "both", Content::Text(name), 1);
    }
    for text in texts {
        add("texts", "t", "v", "f", Content::Text(text), 1);
    }
    for integer in integers {
        add("integers", "t", "v", "f", Content::Integer(integer), 1);
    }
    for float in floats {
        add("floats", "t", "v", "f", Content::Float(float), 1);
    }
    for time in times {
        add("times", "t", "v", "f", Content::Boolean(time > 0), time);
    }
    let told: Value = json!({ "lines": lines.into_text(), "expected": expected });
    println!("{told}");
}

/// Content of a field.
enum Content<'c> {
    Text(&'c str),
    Integer(i64),
    Float(f64),
    Boolean(bool),
}
