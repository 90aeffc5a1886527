//! The simulated store: the ports over the book, each call through the gate of faults. The book survives every process.

mod book;
mod budget;
mod facts;
mod queue;

pub(crate) use book::Book;

use crate::{
    gate::{NoAnswer, Port},
    universe::Universe,
    world::Me,
};
use banksman_core::port::StoreError;

/// One process's connection to the store.
#[derive(Clone)]
pub(crate) struct SimStore(pub(crate) Me);

impl SimStore {
    /// A call that changes something: others are woken.
    async fn write<T, E: From<StoreError>>(
        &self,
        call: &'static str,
        write: impl FnOnce(&mut Universe) -> Result<T, E>,
    ) -> Result<T, E> {
        self.before(call).await?;
        let answer = self.0.shared.with(write);
        self.0.shared.note(self.0.process, call, answer.is_ok().into(), String::new);
        if answer.is_ok() {
            self.0.changed();
        }
        self.after(call).await?;
        answer
    }

    /// A call that changes something of which nobody else has to hear.
    async fn silent<T>(
        &self,
        call: &'static str,
        write: impl FnOnce(&mut Universe) -> T,
    ) -> Result<T, StoreError> {
        let answer = self.quiet(call, write).await?;
        self.after(call).await?;
        Ok(answer)
    }

    /// A call that changes nothing that anybody waits for.
    async fn quiet<T>(
        &self,
        call: &'static str,
        read: impl FnOnce(&mut Universe) -> T,
    ) -> Result<T, StoreError> {
        self.before(call).await?;
        Ok(self.0.shared.with(read))
    }

    async fn before(&self, call: &'static str) -> Result<(), StoreError> {
        self.0.before(Port::Store, call).await.map_err(simulated)
    }

    async fn after(&self, call: &'static str) -> Result<(), StoreError> {
        self.0.after(Port::Store, call).await.map_err(simulated)
    }
}

fn simulated(why: NoAnswer) -> StoreError {
    match why {
        NoAnswer::Away => StoreError::Away,
        NoAnswer::Broken => StoreError::Failed("simulated".to_owned()),
    }
}

#[cfg(test)]
mod conformance {
    use super::*;
    use crate::{
        chance::Chance,
        executor::{Kernel, NATURE},
        plan::Plan,
        trace::Record,
        violation::WorldKind,
        world::Shared,
    };
    use futures_util::FutureExt;
    use std::{future::Future, sync::Arc};

    /// A store without faults: nature's calls pass the gate at once.
    async fn open() -> Box<SimStore> {
        let plan = Plan::draw(&mut Chance::new(1), 1, 1);
        let kernel = Arc::new(Kernel::new(Chance::new(2)));
        let shared = Shared::new(kernel, plan, Universe::new(0, WorldKind::Jobs), Record::default());
        Box::new(SimStore(Me::new(&shared, NATURE)))
    }

    fn at_once<T>(case: impl Future<Output = T>) -> T {
        case.now_or_never().expect("nothing waits in a store without faults")
    }

    banksman_store::store_conformance!(open, at_once);
}
