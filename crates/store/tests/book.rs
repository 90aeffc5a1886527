//! The book of the embedded forge: a file of the program's first version opens with all its rows, and what the facade needs of the
//! book holds.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use banksman_core::{
    id::Number,
    intent::MergeMethod,
    port::{
        Book, BookError, Refusal,
        book::{
            Account, Arming, BANKSMAN, Checking, Ending, HeadFate, LabelChange, LabelDraft, LabelMade,
            NewComment, NewIssue, NewPull, Presence, Readiness, Rewrite, Select, Size,
        },
    },
    tainted::Tainted,
    text::{BranchName, Color, Label, Login, RepoName, Sha},
};
use banksman_store::book::SqliteBook;
use jiff::Timestamp;
use rusqlite::Connection;
use tempfile::TempDir;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn repo() -> RepoName {
    RepoName::new("local/shop").unwrap()
}

fn text(text: &str) -> Tainted {
    Tainted::new(text.to_owned())
}

fn label(name: &str) -> Label {
    Label::new(name).unwrap()
}

fn new_book() -> (TempDir, SqliteBook) {
    let dir = tempfile::tempdir().unwrap();
    let book = SqliteBook::open(&dir.path().join("forge.db")).unwrap();
    (dir, book)
}

async fn issue(book: &SqliteBook) -> Number {
    let (title, body) = (text("One"), text("first"));
    let issue = NewIssue { author: BANKSMAN, title, body, labels: Vec::new(), made_by: None, at: at(0) };
    book.open_issue(&repo(), issue).await.unwrap()
}

#[tokio::test]
async fn a_book_of_version_1_opens_with_all_its_rows_and_its_labels_are_known() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("forge.db");
    let old = Connection::open(&path).unwrap();
    old.execute_batch("PRAGMA journal_mode = WAL").unwrap();
    old.execute_batch(include_str!("../src/book/schema.sql")).unwrap();
    old.execute_batch(
        "INSERT INTO item (repo, number, kind, author, created_at, updated_at, title, body)
         VALUES ('local/shop', 1, 'issue', 1, 1, 1, 'One', 'text'), ('local/shop', 2, 'pull', 1, 2, 2, 'Two', '');
         INSERT INTO label VALUES ('local/shop', 1, 'bug'), ('local/shop', 2, 'bug');
         INSERT INTO comment (repo, number, author, at, body) VALUES ('local/shop', 1, 1, 3, 'words');
         INSERT INTO pull (repo, number, head_branch, base, head, readiness, head_fate)
         VALUES ('local/shop', 2, 'topic', 'main', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 'ready', 'kept');
         INSERT INTO head VALUES ('local/shop', 2, 1, 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 2, 'pushed', 'some');
         INSERT INTO thread (repo, pull, at) VALUES ('local/shop', 2, 4);
         PRAGMA application_id = 6450022; PRAGMA user_version = 1;",
    )
    .unwrap();
    drop(old);
    let book = SqliteBook::open(&path).unwrap();
    let known = book.known_labels(&repo()).await.unwrap();
    assert_eq!((known.len(), known[0].name.as_str(), known[0].color.as_str()), (1, "bug", "ededed"));
    assert_eq!(book.comments(&repo(), Number(1)).await.unwrap().len(), 1);
    let pull = book.pulls(&repo(), &Select::Open).await.unwrap().pop().unwrap();
    assert_eq!((pull.arming, pull.threads.len()), (None, 1));
    assert!(book.conversation(&repo(), Number(2)).await.unwrap().threads[0].review.is_none());
}

#[tokio::test]
async fn letter_case_does_not_tell_two_labels_apart() {
    let (_dir, book) = new_book();
    let number = issue(&book).await;
    book.set_label(&repo(), number, &label("Bug"), Presence::Present, at(1)).await.unwrap();
    let draft = || LabelDraft {
        name: label("bug"),
        color: Color::new("ff0000").unwrap(),
        description: text("wrong"),
    };
    assert!(matches!(book.make_label(&repo(), draft()).await.unwrap(), LabelMade::There));
    let change = LabelChange { name: Some(label("defect")), ..LabelChange::default() };
    let changed = book.change_label(&repo(), &label("BUG"), change).await.unwrap();
    assert_eq!(changed.name, label("defect"));
    let issues = book.issues(&repo(), &Select::All).await.unwrap();
    assert_eq!(issues[0].labels, [label("defect")]);
    book.drop_label(&repo(), &label("Defect"), at(2)).await.unwrap();
    assert!(book.issues(&repo(), &Select::All).await.unwrap()[0].labels.is_empty());
    let gone = book.drop_label(&repo(), &label("defect"), at(3)).await;
    assert_eq!(gone, Err(BookError::Refused(Refusal::NotFound)));
}

#[tokio::test]
async fn a_comment_that_was_taken_away_leaves_its_id_behind() {
    let (_dir, book) = new_book();
    let on = issue(&book).await;
    let comment = || NewComment { on, author: BANKSMAN, body: text("words"), made_by: None, at: at(1) };
    let first = book.comment(&repo(), comment()).await.unwrap();
    book.remove_comment(first, at(2)).await.unwrap();
    assert!(book.comments(&repo(), on).await.unwrap().is_empty());
    assert!(matches!(book.comment_by_id(first).await, Err(BookError::Refused(Refusal::NotFound))));
    assert_ne!(book.comment(&repo(), comment()).await.unwrap(), first);
}

#[tokio::test]
async fn what_a_body_was_before_can_be_read_newest_first() {
    let (_dir, book) = new_book();
    let of = issue(&book).await;
    assert!(book.versions(&repo(), of).await.unwrap().is_empty());
    for n in 1..=25 {
        let body = Some(text(&format!("version {n}")));
        let rewrite = Rewrite { title: None, body, revision: None, at: at(n) };
        book.rewrite(&repo(), of, rewrite).await.unwrap();
    }
    let versions = book.versions(&repo(), of).await.unwrap();
    assert_eq!(versions.len(), 20);
    let newest: Vec<_> = versions.iter().take(2).map(|(body, _)| body.structure(str::to_owned)).collect();
    assert_eq!(newest, ["version 25", "version 24"]);
}

#[tokio::test]
async fn an_order_to_merge_ends_with_the_pull_request() {
    let (_dir, book) = new_book();
    let sha = Sha::new(&"a".repeat(40)).unwrap();
    let pull = NewPull {
        author: BANKSMAN,
        title: text("Two"),
        body: text(""),
        closes: None,
        head_branch: BranchName::new("topic").unwrap(),
        base: BranchName::new("main").unwrap(),
        head: sha,
        readiness: Readiness::Ready,
        head_fate: HeadFate::Kept,
        checks: Checking::None,
        at: at(0),
    };
    let pull = book.open_pull(&repo(), pull).await.unwrap();
    let by = Account { id: BANKSMAN, login: Login::new("banksman").unwrap() };
    let arming = Arming { by, method: MergeMethod::Squash, at: at(1) };
    book.arm(&repo(), pull, Some(arming.clone()), at(1)).await.unwrap();
    assert_eq!(book.armed(&repo()).await.unwrap(), [(pull, arming.clone())]);
    assert_eq!(book.pulls(&repo(), &Select::Open).await.unwrap()[0].arming, Some(arming.clone()));
    book.end_pull(&repo(), pull, &Ending::Closed, Size::default(), at(2)).await.unwrap();
    assert!(book.armed(&repo()).await.unwrap().is_empty());
    let late = book.arm(&repo(), pull, Some(arming), at(3)).await;
    assert_eq!(late, Err(BookError::Refused(Refusal::Ended)));
}

#[tokio::test]
async fn a_repository_has_its_number_for_ever() {
    let (_dir, book) = new_book();
    let other = RepoName::new("local/other").unwrap();
    let (one, two) = (book.repo_number(&repo()).await.unwrap(), book.repo_number(&other).await.unwrap());
    assert_ne!(one, two);
    assert_eq!(book.repo_number(&repo()).await.unwrap(), one);
}
