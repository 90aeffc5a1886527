//! Validated texts against their rules in words: what a type accepts is harmless wherever it is printed, passed or stored (S3).

use banksman_core::{
    signals::{TitleHead, TitleKind},
    text::{BranchName, CheckName, EngineName, Fingerprint, Holder, Label, Login, RepoName, ScopeWord, Sha},
};
use proptest::prelude::*;

/// The rules of `git check-ref-format --branch`, in the order of its manual page.
fn git_allows(name: &str) -> bool {
    let parts = || name.split('/');
    // 1. no component begins with a dot or ends with .lock.
    parts().all(|p| !p.starts_with('.') && !p.ends_with(".lock"))
        // 3. no two dots in a row; 4. and 5. none of these characters.
        && !name.contains("..")
        && !name.chars().any(|c| c.is_ascii_control() || " ~^:?*[\\".contains(c))
        // 6. no slash at either end or twice in a row.
        && parts().all(|p| !p.is_empty())
        // 7. no dot at the end; 8. no @{; 9. not @ alone.
        && !name.ends_with('.')
        && !name.contains("@{")
        && name != "@"
        // A branch does not begin with a dash and is not HEAD.
        && !name.starts_with('-')
        && name != "HEAD"
}

/// What a shell, a terminal or a log viewer could take for something else than a word.
fn harmless(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic())
}

/// Texts near the border between valid and not.
fn nearly() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        6 => "[a-zA-Z0-9]{1,5}",
        3 => prop::sample::select(vec!["/", ".", "-", "_", ":", " "]).prop_map(str::to_owned),
        2 => prop::sample::select(vec![
            "..", ".lock", "@{", "~", "^", "HEAD", "//", "$(x)", "`", "\"", "'", ";", "|", "\\", "\n", "\0", "\u{1b}[31m",
            "\u{202e}", "\u{200b}", "é", "refs/heads/", "--upload-pack",
        ]).prop_map(str::to_owned),
    ];
    prop::collection::vec(piece, 0..7).prop_map(|pieces| pieces.concat())
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![3 => nearly(), 1 => any::<String>(), 1 => "[0-9a-fA-F]{30,70}", 1 => "[a-z/]{1,250}"]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5_000))]

    #[test]
    fn a_branch_name_is_one_for_git_and_for_a_shell(text in any_text()) {
        if let Ok(name) = BranchName::new(&text) {
            prop_assert!(git_allows(name.as_str()), "{name}");
            prop_assert!(name.as_str().bytes().all(|b| b.is_ascii_alphanumeric() || b"-_./".contains(&b)));
            prop_assert!(name.as_str().len() <= 200);
            // No component can be taken for an option or a hidden file.
            prop_assert!(name.as_str().split('/').all(|p| !p.starts_with(['-', '.'])));
        }
    }

    #[test]
    fn simple_branch_names_are_accepted(text in "[a-z0-9]{1,20}(/[a-z0-9][a-z0-9_-]{0,20}){0,3}") {
        prop_assert!(BranchName::new(&text).is_ok());
    }

    #[test]
    fn nothing_outside_its_shape_is_accepted(text in any_text()) {
        if Sha::new(&text).is_ok() {
            prop_assert!(matches!(text.len(), 40 | 64));
            prop_assert!(text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)));
        }
        if Fingerprint::new(&text).is_ok() {
            prop_assert!(text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit() && !b.is_ascii_uppercase()));
        }
        if RepoName::new(&text).is_ok() {
            prop_assert_eq!(text.matches('/').count(), 1);
            prop_assert!(harmless(&text) && text.split('/').all(|p| !p.starts_with(['-', '.'])));
            prop_assert!(text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_./".contains(&b)));
        }
        if EngineName::new(&text).is_ok() {
            prop_assert!(harmless(&text) && text.len() <= 40 && !text.contains('/') && !text.starts_with('-'));
        }
        if ScopeWord::new(&text).is_ok() {
            prop_assert!(harmless(&text) && text.len() <= 40 && !text.bytes().any(|b| b.is_ascii_uppercase()));
        }
        for valid in [Login::new(&text).is_ok(), Holder::new(&text).is_ok()] {
            prop_assert!(!valid || (harmless(&text) && text.len() <= 200));
        }
        for valid in [Label::new(&text).is_ok(), CheckName::new(&text).is_ok()] {
            prop_assert!(!valid || (text.trim() == text && text.len() <= 100));
            prop_assert!(!valid || text.bytes().all(|b| b == b' ' || b.is_ascii_graphic()));
        }
    }

    #[test]
    fn the_door_of_the_store_is_as_narrow_as_the_constructor(text in any_text()) {
        let json = serde_json::to_string(&text).map_err(|e| TestCaseError::fail(e.to_string()))?;
        prop_assert_eq!(serde_json::from_str(&json).ok(), BranchName::new(&text).ok());
        prop_assert_eq!(serde_json::from_str(&json).ok(), Label::new(&text).ok());
        prop_assert_eq!(serde_json::from_str(&json).ok(), CheckName::new(&text).ok());
        prop_assert_eq!(serde_json::from_str(&json).ok(), RepoName::new(&text).ok());
        prop_assert_eq!(serde_json::from_str(&json).ok(), Sha::new(&text).ok());
        prop_assert_eq!(serde_json::from_str(&json).ok(), Login::new(&text).ok());
        prop_assert_eq!(serde_json::from_str(&json).ok(), EngineName::new(&text).ok());
        prop_assert_eq!(serde_json::from_str(&json).ok(), ScopeWord::new(&text).ok());
        prop_assert_eq!(serde_json::from_str(&json).ok(), Holder::new(&text).ok());
    }

    #[test]
    fn a_refusal_does_not_repeat_the_text(text in "[a-z]{12,30}\n") {
        for refusal in [
            BranchName::new(&text).err(),
            Label::new(&text).err(),
            RepoName::new(&text).err(),
            Login::new(&text).err(),
        ] {
            let said = refusal.map(|r| format!("{r} {r:?}")).unwrap_or_default();
            prop_assert!(said.starts_with("not a valid ") && !said.contains(text.trim()));
        }
    }

    #[test]
    fn of_a_title_only_a_known_word_and_a_scope_are_read(title in any::<String>(), rest in any::<String>()) {
        let head = TitleHead::read(&title);
        prop_assert!(head.kind.is_some() || head.scope.is_none());
        // What follows the colon says nothing.
        let one = TitleHead::read(&format!("fix(api): {title}"));
        prop_assert_eq!(one, TitleHead::read(&format!("fix(api): {rest}")));
    }

    #[test]
    fn whatever_begins_with_feat_is_a_feature(title in "[fF][eE][aA][tT][ -~]{0,20}") {
        prop_assert_eq!(TitleHead::read(&title).kind, Some(TitleKind::Feat));
    }
}
