//! Accounts: numeric ids behind names that cannot imitate each other.

use super::{Trouble, row::Columns};
use crate::sqlite::{Tx, Word};
use banksman_core::{
    id::ActorId,
    port::{
        Refusal,
        book::{Account, Who},
    },
    text::Login,
};
use rusqlite::{Connection, OptionalExtension};

/// What the names of engines end in.
const BOT: &str = "[bot]";
/// The name of Banksman's own account.
const BANKSMAN: &str = "banksman";

/// The name of an account. A person with the name of a bot is refused.
pub(super) fn login(who: &Who) -> Result<Login, Trouble> {
    let name = match who {
        Who::Banksman => BANKSMAN.to_owned(),
        Who::Engine(engine) => format!("{engine}{BOT}"),
        Who::Person(login) => {
            let name = login.as_str().to_ascii_lowercase();
            if name == BANKSMAN || name.ends_with(BOT) {
                return Err(Trouble::Refused(Refusal::NotAllowed));
            }
            login.as_str().to_owned()
        }
    };
    Login::new(&name).map_err(|_| Trouble::Refused(Refusal::NotAllowed))
}

/// An account that is there already.
pub(super) fn find(db: &Connection, login: &Login) -> Result<Option<Account>, Trouble> {
    Ok(db
        .prepare_cached("SELECT id, login FROM account WHERE login = ?1")?
        .query_row([Word(login)], |row| row.account(0, 1))
        .optional()?)
}

/// Makes an account unless it is there.
pub(super) fn make(tx: &Tx<'_>, login: &Login) -> Result<Account, Trouble> {
    tx.quiet();
    if let Some(account) = find(tx, login)? {
        return Ok(account);
    }
    let id = tx.prepare_cached("INSERT INTO account (login) VALUES (?1)")?.insert([Word(login)])?;
    Ok(Account { id: ActorId(id.unsigned_abs()), login: login.clone() })
}
