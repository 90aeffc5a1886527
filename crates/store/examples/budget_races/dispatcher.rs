//! One dispatcher: reserves on the pool of a race and, if it got something, settles it, releases it, or goes away.

use banksman_core::{
    budget::{Account, Charge, Cost, Limit, Span, Unit},
    id::Number,
    intent::{Deed, NewIntent},
    port::{
        Budget, Intended, Refusal, Spend, Store,
        budget::{SpendReserved, SpendWish},
    },
    text::{Holder, Label, MemberName, ProviderName, RepoName},
};
use banksman_store::{
    Chosen,
    conformance::samples::{at, branch, engine},
};

/// Dispatchers of a race.
pub(super) const DISPATCHERS: u64 = 16;
/// What the pool of a race has: two members' quotas.
pub(super) const QUOTA: u64 = 5;
const QUOTAS: [(&str, u64); 2] = [("ann", 3), ("bob", 2)];

/// The window of all races.
pub(super) fn hour() -> Span {
    Span { start: at(0), end: at(3_600) }
}

/// The pool of a race.
pub(super) fn pool(race: u64) -> String {
    format!("race-{race}")
}

/// One task on the pool of a race.
pub(super) fn charge(race: u64) -> Charge {
    let accounts = QUOTAS.iter().map(|(name, most)| Account {
        member: MemberName::new(name).unwrap(),
        limits: vec![Limit { unit: Unit::Tasks, most: *most, span: hour() }],
    });
    let provider = ProviderName::new(&pool(race)).unwrap();
    Charge { provider, cost: Cost::TASK, accounts: accounts.collect() }
}

/// A number that is different for each pair and always the same.
pub(super) fn mixed(a: u64, b: u64) -> u64 {
    let mut x = a.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ b.wrapping_mul(0xd1b5_4a32_d192_ed03);
    x ^= x >> 29;
    x = x.wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x ^ (x >> 32)
}

/// Whether the dispatch of a key happened, which whoever recovers finds out.
pub(super) fn happened(key: &str) -> bool {
    key.bytes().fold(7u64, |sum, byte| mixed(sum, u64::from(byte))) % 2 == 0
}

/// One of them.
pub(super) struct Dispatcher {
    store: Chosen,
    holder: Holder,
    repo: RepoName,
    number: u64,
}

impl Dispatcher {
    /// `part` and `number` name its repository, `life` distinguishes it from the one that was killed before it.
    pub(super) fn new(store: Chosen, part: &str, life: u64, number: u64) -> Self {
        Self {
            store,
            holder: Holder::new(&format!("{part}/{number}/{life}")).unwrap(),
            repo: RepoName::new(&format!("races/{part}-{number}")).unwrap(),
            number,
        }
    }

    /// Takes part in a race.
    pub(super) async fn race(&self, race: u64) {
        match self.number % 2 {
            0 => self.by_intent(race).await,
            _ => self.by_key(race).await,
        }
    }

    async fn by_key(&self, race: u64) {
        let wish = SpendWish {
            key: format!("{}:{race}", self.repo),
            holder: self.holder.clone(),
            at: at(10),
            repo: self.repo.clone(),
            issue: Number(race + 1),
            implementer: engine("jules"),
            epic: None,
            charge: charge(race),
            day: None,
        };
        if !matches!(self.store.reserve_spend(&wish).await.unwrap(), SpendReserved::New(_)) {
            return;
        }
        match mixed(race, self.number) % 10 {
            0..4 => self.store.settle_spend(&wish.key, None).await.unwrap(),
            4..7 => self.store.release_spend(&wish.key).await.unwrap(),
            // It dies here.
            _ => {}
        }
    }

    async fn by_intent(&self, race: u64) {
        let now = at(10);
        // Another life of it may hold the lease; then this one is out of the race.
        let Some(lease) = self.store.lease(&self.repo, &self.holder, now, 3_600_000).await.unwrap() else {
            return;
        };
        let child = Number(race + 1);
        let deed = Deed::Dispatch {
            child,
            epic: Number(1),
            branch: branch("epic/1"),
            label: Label::new("jules").unwrap(),
        };
        let intent = NewIntent { repo: self.repo.clone(), key: deed.key(1), subject: child, deed, at: now };
        let spend = Spend {
            implementer: engine("jules"),
            epic: Number(1),
            cost: 1,
            cap: None,
            window_start: at(0),
            charge: Some(charge(race)),
            day: None,
        };
        match self.store.intend(&lease, &intent, Some(&spend)).await {
            Ok(Intended::New(_) | Intended::Again(_)) => {}
            Ok(_) => return,
            Err(error) => panic!("{error}"),
        }
        match mixed(race, self.number) % 10 {
            0..4 => self.store.settle(&lease, &intent.key, None, now).await.unwrap(),
            4..7 => self.store.settle(&lease, &intent.key, Some(Refusal::NotAllowed), now).await.unwrap(),
            _ => {}
        }
    }
}
