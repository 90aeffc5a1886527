//! Manifests: what is printed is read back as the same (Q4), files are read as people write them, profiles and defaults fill what is
//! left out, labels of items become keys (T4, T5), names made from titles are safe (Q5).

#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use banksman_core::{
    id::JobId,
    job::Body,
    manifest::{
        Choice, Defaults, Dependency, JobSpec, Manifest, NotBefore, Priority, Profile, ResolveError,
        from_item, parse, parse_span, print, print_span,
    },
    text::{BranchName, ItemId, JobName, ProfileName},
};
use jiff::{SignedDuration, Timestamp};
use proptest::{collection::vec, option, prelude::*};
use std::{collections::BTreeMap, path::Path, path::PathBuf, str::FromStr};

fn text<T: FromStr + std::fmt::Debug + 'static>(pattern: &'static str) -> impl Strategy<Value = T> {
    pattern.prop_filter_map("not of the shape", |text: String| text.parse().ok())
}

/// Texts with everything that YAML could take for its own.
fn odd() -> impl Strategy<Value = String> {
    let pieces = prop_oneof![
        Just("---".to_owned()),
        Just(": ".to_owned()),
        Just(" #".to_owned()),
        Just("\n".to_owned()),
        Just("\"'\\`".to_owned()),
        Just("[{&*!|>%@".to_owned()),
        Just("null".to_owned()),
        Just("1e3".to_owned()),
        "[a-zäß \t\u{1}\u{7f}\u{85}\u{2028}\u{feff}\u{1f680}]{0,5}",
        any::<String>(),
    ];
    vec(pieces, 0..5).prop_map(|pieces| pieces.concat().replace('\0', ""))
}

fn value() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<u64>().prop_map(Into::into),
        any::<f64>().prop_filter("finite", |n| n.is_finite()).prop_map(Into::into),
        odd().prop_map(Into::into),
    ];
    leaf.prop_recursive(6, 24, 4, |inner| {
        let key =
            odd().prop_filter("a key of one's own", |k| k.len() <= 100 && !k.contains(char::is_control));
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Into::into),
            vec((key, inner), 0..4).prop_map(|entries| entries.into_iter().collect()),
        ]
    })
}

fn manifest() -> impl Strategy<Value = Manifest> {
    let engine = prop_oneof![
        text("[a-zA-Z0-9_][a-z0-9_.-]{0,9}").prop_map(Choice::Engine),
        text("(null|true|0|[a-z]{1,9})").prop_map(Choice::Class),
    ];
    let who = (
        option::of(engine),
        option::of(text("[a-z]{1,9}")),
        option::of("[^\u{0}-\u{1f}\u{7f}-\u{9f}~][^\u{0}-\u{1f}\u{7f}-\u{9f}]{0,20}".prop_map(PathBuf::from)),
        option::of(any::<bool>()),
        option::of(any::<bool>()),
        option::of(text("[a-z0-9_.-]{1,9}")),
    );
    let priority =
        prop::sample::select(vec![Priority::Critical, Priority::High, Priority::Normal, Priority::Low]);
    let depends = prop_oneof![
        (0..=i64::MAX as u64).prop_map(|id| Dependency::Id(JobId(id))),
        text("[!-~]{1,20}").prop_map(Dependency::Key)
    ];
    let when = (
        option::of((1..=30 * 86_400i64).prop_map(SignedDuration::from_secs)),
        option::of(priority),
        option::of(vec(text("[a-z]{1,5}:[!-~]{1,9}"), 0..4)),
        option::of(vec(depends, 0..4)),
        option::of(text("[!-~]{1,30}")),
        option::of(text("[!-~]{1,30}")),
        option::of(0..=20u32),
    );
    let not_before = prop_oneof![
        (0..=3650 * 86_400i64).prop_map(|s| NotBefore::After(SignedDuration::from_secs(s))),
        (0..=4_000_000_000_000i64).prop_map(|ms| NotBefore::At(Timestamp::from_millisecond(ms).unwrap())),
    ];
    let command = odd().prop_filter("empty", |text| !text.trim().is_empty());
    let what = (
        option::of(not_before),
        option::of(text("[a-z]{1,9}")),
        option::of(vec(command, 0..3)),
        option::of(text("[!-~]{1,20}")),
        option::of(text("[a-z0-9/_.-]{1,20}")),
        option::of((0.0..=1e6f64).prop_filter("positive", |n| *n > 0.0)),
        option::of(1..=1_000_000_000_000_000u64),
        option::of(vec(text("[A-Z_][A-Z0-9_]{0,9}"), 0..4)),
    );
    let own = odd().prop_filter_map("a key of one's own", |k| {
        let key = format!("x-{k}");
        (key.len() <= 100 && !key.contains(char::is_control)).then_some(key)
    });
    let extra = vec((own, value()), 0..4).prop_map(|entries| entries.into_iter().collect::<BTreeMap<_, _>>());
    (who, when, what, extra).prop_map(|(who, when, what, extra)| Manifest {
        engine: who.0,
        profile: who.1,
        cwd: who.2,
        worktree: who.3,
        yolo: who.4,
        lock: who.5,
        timeout: when.0,
        priority: when.1,
        capabilities: when.2,
        depends_on: when.3,
        idempotency_key: when.4,
        tracker_item: when.5,
        retries: when.6,
        not_before: what.0,
        review: what.1,
        verify: what.2,
        base: what.3,
        branch: what.4,
        max_cost: what.5,
        max_tokens: what.6,
        env: what.7,
        extra,
    })
}

/// Bodies, among them such as could be taken for a front matter.
fn body() -> impl Strategy<Value = String> {
    prop_oneof![
        odd(),
        odd().prop_map(|t| format!("---\n{t}")),
        odd().prop_map(|t| format!("\u{feff}--- \r\n{t}\n---\n")),
        Just(String::new()),
    ]
}

fn resolved(text: &str) -> JobSpec {
    let (manifest, _) = parse(text).unwrap();
    manifest.resolve(&BTreeMap::new(), &Defaults::default(), Path::new("/home/me"), now()).unwrap()
}

fn now() -> Timestamp {
    "2026-11-21T10:00:00Z".parse().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn what_is_printed_is_read_back_as_the_same(manifest in manifest(), body in body()) {
        let printed = print(&manifest, &Body::new(body.clone()));
        let (again, rest) = parse(&printed).map_err(|e| TestCaseError::fail(format!("{e}\n{printed}")))?;
        prop_assert_eq!(&again, &manifest, "{}", printed);
        prop_assert_eq!(rest.as_str(), body);
    }

    #[test]
    fn one_manifest_over_another_keeps_its_keys(upper in manifest(), lower in manifest()) {
        prop_assert_eq!(upper.clone().over(upper.clone()), upper.clone());
        prop_assert_eq!(upper.clone().over(Manifest::default()), upper.clone());
        prop_assert_eq!(Manifest::default().over(lower.clone()), lower.clone());
        // Each key is one of the two; the upper one wherever it has one.
        let both = upper.clone().over(lower.clone());
        prop_assert_eq!(&both.engine, if upper.engine.is_some() { &upper.engine } else { &lower.engine });
        prop_assert_eq!(&both.verify, if upper.verify.is_some() { &upper.verify } else { &lower.verify });
        prop_assert_eq!(both.clone().over(lower), both);
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in any::<String>(), front in odd(), more in odd()) {
        for text in [text, format!("---\n{front}\n---\n{more}"), format!("---\nx-a: {front}\n{more}\n---\n")] {
            match parse(&text) {
                Ok((manifest, body)) => {
                    let printed = print(&manifest, &body);
                    let (again, rest) = parse(&printed).map_err(|e| TestCaseError::fail(format!("{e}\n{printed}")))?;
                    prop_assert_eq!(again, manifest);
                    prop_assert_eq!(rest.as_str(), body.as_str());
                }
                Err(errors) => {
                    prop_assert!(!errors.problems().is_empty());
                    prop_assert!(errors.problems().iter().all(|p| p.line > 0 && p.column > 0));
                }
            }
        }
    }

    #[test]
    fn durations_are_read_back(seconds in 0..=400_000_000i64) {
        let span = SignedDuration::from_secs(seconds);
        prop_assert_eq!(parse_span(&print_span(span)), Ok(span));
    }

    #[test]
    fn a_name_made_from_a_title_is_safe(title in prop_oneof![any::<String>(), "[./\\\\a-zA-Z -]{0,90}", odd()]) {
        let name = JobName::from_title(&title);
        let text = name.as_str();
        prop_assert!(!text.is_empty() && text.len() <= 60);
        prop_assert!(text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-')));
        prop_assert!(!text.starts_with(['.', '-']) && !text.ends_with(['.', '-']) && !text.contains(".."));
        // It names a file in the folder and nothing else.
        let file = Path::new("queue").join(text);
        prop_assert_eq!(file.parent(), Some(Path::new("queue")));
        prop_assert_eq!(Path::new(text).components().count(), 1);
        prop_assert_eq!(&JobName::from_title(text), &name);
        let branch = BranchName::new(&format!("job/7-{name}"));
        prop_assert!(branch.is_ok() || text.ends_with(".lock"));
    }

    #[test]
    fn a_resolved_manifest_survives_the_store(manifest in manifest()) {
        // JSON keeps fifteen digits of a number with a fraction; amounts of money have fewer.
        let max_cost = manifest.max_cost.map(|cost| (cost * 100.0).ceil() / 100.0);
        let bare = Manifest { profile: None, max_cost, extra: BTreeMap::new(), ..manifest };
        let spec = bare.resolve(&BTreeMap::new(), &Defaults::default(), Path::new("/w"), now()).unwrap();
        let json = serde_json::to_string(&spec).unwrap();
        prop_assert_eq!(serde_json::from_str::<JobSpec>(&json).unwrap(), spec);
    }

    #[test]
    fn labels_never_panic_and_what_they_make_can_be_printed(labels in vec(prop_oneof![
        odd(),
        "(engine|engine-class|profile|priority|cap|lock|timeout|area):[ -~]{0,12}",
    ], 0..8)) {
        let item = ItemId::new("T-1").unwrap();
        if let Ok(manifest) = from_item(&item, &labels) {
            let printed = print(&manifest, &Body::new("text".to_owned()));
            prop_assert_eq!(parse(&printed).map(|(m, _)| m), Ok(manifest));
        }
    }
}

#[test]
fn titles_make_the_names_that_people_expect() {
    let cases = [
        ("Fix the login (again)!", "fix-the-login-again"),
        ("v1.2.3: release", "v1.2.3-release"),
        ("../../etc/passwd", "etc-passwd"),
        (".hidden", "hidden"),
        ("--force", "force"),
        ("a/..\\b", "a-b"),
        ("修复", "job"),
        ("", "job"),
        ("snake_case stays", "snake_case-stays"),
    ];
    for (title, name) in cases {
        assert_eq!(JobName::from_title(title).as_str(), name, "{title:?}");
    }
}

#[test]
fn a_job_file_is_read_as_people_write_it() {
    let text = "---\r
# a comment\r
engine: claude\r
timeout: 1h30m   # of each attempt\r
verify:\r
  - cargo test --workspace\r
  - |\r
    make lint\r
    make docs\r
depends-on: [12, \"13\", schema-change]\r
capabilities: [os:mac, gpu:cuda]\r
base: 1234567\r
tracker-item: 42\r
max-cost: 5\r
not-before: 2026-12-01T08:00:00+01:00\r
x-note: {by: me, since: 2026}\r
---\r
# Fix it\r
---\r
";
    let (m, body) = parse(text).unwrap();
    assert_eq!(body.as_str(), "# Fix it\r\n---\r\n");
    assert_eq!(m.timeout, Some(SignedDuration::from_mins(90)));
    assert_eq!(
        m.verify.as_deref(),
        Some(&["cargo test --workspace".to_owned(), "make lint\nmake docs\n".to_owned()][..])
    );
    assert_eq!(
        m.depends_on.as_deref(),
        Some(
            &[
                Dependency::Id(JobId(12)),
                Dependency::Id(JobId(13)),
                Dependency::Key("schema-change".parse().unwrap())
            ][..]
        )
    );
    assert_eq!(m.base.as_ref().map(|b| b.as_str()), Some("1234567"));
    assert_eq!(m.tracker_item.as_ref().map(|b| b.as_str()), Some("42"));
    assert_eq!(m.max_cost, Some(5.0));
    assert_eq!(m.not_before, Some(NotBefore::At("2026-12-01T07:00:00Z".parse().unwrap())));
    assert_eq!(m.extra["x-note"], serde_json::json!({"by": "me", "since": 2026}));
}

#[test]
fn a_file_without_front_matter_is_all_body() {
    for text in ["", "do it\n", "----\na: b\n---\n", " ---\n", "text\n---\nengine: x\n---\n"] {
        let (manifest, body) = parse(text).unwrap();
        assert_eq!((manifest, body.as_str()), (Manifest::default(), text));
        assert_eq!(print(&Manifest::default(), &Body::new(text.to_owned())), text);
    }
    for text in ["---\n---\nrest", "---\n# nothing\n---\nrest", "\u{feff}---  \n---\t\nrest"] {
        let (manifest, body) = parse(text).unwrap();
        assert_eq!((manifest, body.as_str()), (Manifest::default(), "rest"));
    }
}

#[test]
fn defaults_fill_what_is_left_out() {
    let spec = resolved("do it");
    assert_eq!(spec.engine, Choice::Class("agentic-coder".parse().unwrap()));
    assert_eq!((spec.timeout, spec.retries, spec.fix_rounds), (SignedDuration::from_hours(1), 1, 2));
    assert_eq!((spec.worktree, spec.yolo, spec.priority), (true, false, Priority::Normal));
    assert_eq!(spec.cwd, Path::new("/home/me"));
    assert_eq!(resolved("---\ncwd: sub/../x\n---\n").cwd, Path::new("/home/me/sub/../x"));
    assert_eq!(resolved("---\ncwd: /srv\n---\n").cwd, Path::new("/srv"));
    let later = resolved("---\nnot-before: 90m\ncapabilities: [a:b, a:b]\n---\n");
    assert_eq!(later.not_before, Some("2026-11-21T11:30:00Z".parse().unwrap()));
    assert_eq!(later.capabilities.len(), 1);
}

#[test]
fn a_profile_stands_between_job_and_defaults() {
    let profile = Profile::from_value(&serde_json::json!({
        "engine-class": "reviewer", "timeout": "10m", "retries": 0, "verify": "make", "env": ["TOKEN"],
        "preamble": "Be brief.\n", "parallel": 2, "x-team": "core", "x-cost": 1,
    }))
    .unwrap();
    assert_eq!(profile.parallel, Some(2));
    let name = ProfileName::new("quick").unwrap();
    let profiles = BTreeMap::from([(name.clone(), profile)]);
    let resolve =
        |text: &str| parse(text).unwrap().0.resolve(&profiles, &Defaults::default(), Path::new("/w"), now());
    let spec = resolve("---\nprofile: quick\ntimeout: 5m\nx-cost: 2\nverify: []\n---\n").unwrap();
    assert_eq!(spec.profile, Some(name.clone()));
    assert_eq!(spec.engine, Choice::Class("reviewer".parse().unwrap()));
    assert_eq!((spec.timeout, spec.retries), (SignedDuration::from_mins(5), 0));
    assert!(spec.verify.is_empty(), "an empty list is said, not left out");
    assert_eq!(spec.preamble.as_ref().map(|p| p.as_str()), Some("Be brief.\n"));
    assert_eq!(format!("{:?}", spec.preamble), "Some(Preamble(10 bytes))");
    assert_eq!(
        spec.extra,
        BTreeMap::from([("x-cost".to_owned(), 2.into()), ("x-team".to_owned(), "core".into())])
    );
    // The engine of the job takes the place of the profile's class.
    let spec = resolve("---\nprofile: quick\nengine: codex\n---\n").unwrap();
    assert_eq!(spec.engine, Choice::Engine("codex".parse().unwrap()));
    let error = resolve("---\nprofile: quik\n---\n").unwrap_err();
    assert_eq!(error, ResolveError::UnknownProfile { name: "quik".parse().unwrap(), nearest: Some(name) });
    assert_eq!(error.to_string(), "there is no profile `quik`; did you mean `quick`?");
}

#[test]
fn a_profile_reports_all_of_its_errors() {
    let table = serde_json::json!({
        "cwd": "/w", "profile": "other", "idempotency-key": "k", "tracker-item": "T", "depends-on": [],
        "engine": 5, "timeout": 5, "parallel": 0, "preambel": "x", "retries": "3", "review": {"engine": "x"},
    });
    insta::assert_snapshot!(Profile::from_value(&table).unwrap_err().to_string());
}

#[test]
fn labels_of_an_item_become_keys() {
    let item = ItemId::new("T-1").unwrap();
    let labels = [
        "engine:claude",
        "profile:quick",
        "priority:high",
        "cap:os:mac",
        "cap:gpu:cuda",
        "lock:db",
        "timeout:45m",
        "area: backend",
        "good first issue",
        "engine:claude",
    ];
    let manifest = from_item(&item, &labels).unwrap();
    insta::assert_snapshot!(print(&manifest, &Body::new("do it\n".to_owned())));
    let labels = [
        "engine:a b",
        "engine-class:x",
        "priority:urgent",
        "timeout:soon",
        "cap:gpu",
        "lock:",
        "profile:a",
        "profile:b",
    ];
    insta::assert_snapshot!(from_item(&item, &labels).unwrap_err().to_string());
}
