//! Node ids: what something is and where, in an encoding that clients take as it is. They do not change over time, and from each
//! of them the thing can be found again.

use banksman_core::{
    id::{ActorId, CommentId, Number, ReviewId, ThreadId},
    text::{BranchName, Sha},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};

/// What an id stands for, inside its repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Node {
    /// The repository itself.
    Repository,
    /// An issue.
    Issue(Number),
    /// A pull request.
    Pull(Number),
    /// A comment on an issue or pull request.
    Comment(CommentId),
    /// A label, by its id.
    Label(u64),
    /// A review of a pull request.
    Review(Number, ReviewId),
    /// A review thread of a pull request.
    Thread(Number, ThreadId),
    /// A comment in a review thread.
    ThreadComment(Number, ThreadId, CommentId),
    /// A branch.
    Ref(BranchName),
    /// A commit.
    Commit(Sha),
    /// A check of a pull request's head, by its place among them.
    CheckRun(Number, u64),
    /// All checks of a commit.
    CheckSuite(Sha),
}

/// A node id that was read: a node in a repository, or an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Id {
    /// In the repository of that owner and name.
    In {
        /// The owner as it was called when the id was made.
        owner: String,
        /// The name.
        name: String,
        /// What.
        node: Node,
    },
    /// An account.
    User(ActorId, String),
}

impl Node {
    /// The id of this in a repository.
    pub(crate) fn id(&self, full_name: &str) -> String {
        let (prefix, rest) = match self {
            Self::Repository => ("R", String::new()),
            Self::Issue(n) => ("I", n.to_string()),
            Self::Pull(n) => ("PR", n.to_string()),
            Self::Comment(id) => ("IC", id.to_string()),
            Self::Label(id) => ("LA", id.to_string()),
            Self::Review(n, id) => ("PRR", format!("{n} {id}")),
            Self::Thread(n, id) => ("PRRT", format!("{n} {id}")),
            Self::ThreadComment(n, thread, id) => ("PRRC", format!("{n} {thread} {id}")),
            Self::Ref(branch) => ("REF", branch.to_string()),
            Self::Commit(sha) => ("C", sha.to_string()),
            Self::CheckRun(n, at) => ("CR", format!("{n} {at}")),
            Self::CheckSuite(sha) => ("CS", sha.to_string()),
        };
        format!("{prefix}_{}", BASE64_URL_SAFE_NO_PAD.encode(format!("{full_name} {rest}")))
    }
}

/// The id of an account.
pub(crate) fn user_id(id: ActorId, login: &str) -> String {
    let prefix = if login.ends_with("[bot]") { "BOT" } else { "U" };
    format!("{prefix}_{}", BASE64_URL_SAFE_NO_PAD.encode(format!("{id} {login}")))
}

impl Id {
    /// Reads an id; `None`: no such thing can be.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let (prefix, code) = text.split_once('_')?;
        let code = String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(code).ok()?).ok()?;
        let mut words = code.split(' ');
        if matches!(prefix, "U" | "BOT") {
            let id = words.next()?.parse().ok().map(ActorId)?;
            return Some(Self::User(id, words.next()?.to_owned()));
        }
        let (owner, name) = words.next()?.split_once('/')?;
        let (owner, name) = (owner.to_owned(), name.to_owned());
        let mut number = || words.next()?.parse::<u64>().ok();
        let node = match prefix {
            "R" => Node::Repository,
            "I" => Node::Issue(Number(number()?)),
            "PR" => Node::Pull(Number(number()?)),
            "IC" => Node::Comment(CommentId(number()?)),
            "LA" => Node::Label(number()?),
            "PRR" => Node::Review(Number(number()?), ReviewId(number()?)),
            "PRRT" => Node::Thread(Number(number()?), ThreadId(number()?)),
            "PRRC" => Node::ThreadComment(Number(number()?), ThreadId(number()?), CommentId(number()?)),
            "REF" => Node::Ref(BranchName::new(words.next()?).ok()?),
            "C" => Node::Commit(Sha::new(words.next()?).ok()?),
            "CR" => Node::CheckRun(Number(number()?), number()?),
            "CS" => Node::CheckSuite(Sha::new(words.next()?).ok()?),
            _ => return None,
        };
        Some(Self::In { owner, name, node })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_lead_back_to_what_they_stand_for() {
        let sha = Sha::new(&"a1".repeat(20)).unwrap();
        let nodes = [
            Node::Repository,
            Node::Issue(Number(7)),
            Node::Pull(Number(8)),
            Node::Comment(CommentId(9)),
            Node::Label(10),
            Node::Review(Number(8), ReviewId(1)),
            Node::Thread(Number(8), ThreadId(2)),
            Node::ThreadComment(Number(8), ThreadId(2), CommentId(3)),
            Node::Ref(BranchName::new("epic/7-a").unwrap()),
            Node::Commit(sha.clone()),
            Node::CheckRun(Number(8), 0),
            Node::CheckSuite(sha),
        ];
        for node in nodes {
            let id = node.id("me/shop");
            let read = Id::read(&id);
            assert_eq!(read, Some(Id::In { owner: "me".to_owned(), name: "shop".to_owned(), node }), "{id}");
        }
        let user = user_id(ActorId(3), "ann");
        assert_eq!(Id::read(&user), Some(Id::User(ActorId(3), "ann".to_owned())));
    }

    #[test]
    fn nonsense_is_no_id() {
        for bad in ["", "I_", "I_!!!", "X_bWUvc2hvcCAx", "MDU6SXNzdWUx", "I_bWUvc2hvcCB4"] {
            assert_eq!(Id::read(bad), None, "{bad}");
        }
    }
}
