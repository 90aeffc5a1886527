//! Every call goes through here: leave of the governor first, then the wire, then what the answer says about limits and refusals. Reads are
//! repeated once, writes never (I3).

use super::{
    fault::{self, Fault, No, Scopes},
    governor::{Cost, Effect, Governor, GovernorView, Heard, Pace, Ticket, Turn},
    graphql::{self, Document, Verdict},
    transport::{Kind, Request, Response, SendError, Transport, Verb},
};
use crate::local::Now;
use banksman_core::text::RepoName;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// Longest wait inside one call; for a longer one the caller comes back later.
const PATIENCE: SignedDuration = SignedDuration::from_secs(4);
/// Longest wait of a write, which has to keep its distance to all other writes: well under the lease of a look.
const WRITE_PATIENCE: SignedDuration = SignedDuration::from_secs(12);
/// When a host that could not be reached is tried again.
const UNREACHABLE: SignedDuration = SignedDuration::from_secs(5);

/// Makes calls with one credential.
pub(super) struct Caller<T> {
    transport: T,
    now: Now,
    governor: Mutex<Governor>,
    /// How far the server's clock is ahead of ours, by its last answer.
    ahead: Mutex<SignedDuration>,
    /// What the token may do, by the last answer that said so.
    scopes: Mutex<Option<Scopes>>,
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<T: Transport> Caller<T> {
    pub(super) fn new(transport: T, now: Now, pace: Pace) -> Self {
        let ahead = Mutex::new(SignedDuration::ZERO);
        Self { transport, now, governor: Mutex::new(Governor::at(pace)), ahead, scopes: Mutex::default() }
    }

    /// This host's time.
    pub(super) fn now(&self) -> Timestamp {
        (self.now)()
    }

    /// The server's time, as far as known.
    pub(super) fn server_now(&self) -> Timestamp {
        self.to_server(self.now())
    }

    /// A time of this host's clock by the server's.
    pub(super) fn to_server(&self, at: Timestamp) -> Timestamp {
        at.checked_add(*lock(&self.ahead)).unwrap_or(at)
    }

    /// What the token may do, as far as it was told.
    pub(super) fn scopes(&self) -> Option<Scopes> {
        *lock(&self.scopes)
    }

    /// How things stand with the limits.
    pub(super) fn view(&self) -> GovernorView {
        lock(&self.governor).view(self.now())
    }

    /// When content was made in the last hour.
    pub(super) fn written(&self) -> Vec<Timestamp> {
        lock(&self.governor).written(self.now())
    }

    /// What a process before this one wrote.
    pub(super) fn remember_written(&self, written: &[Timestamp]) {
        lock(&self.governor).remember_written(self.now(), written);
    }

    /// Waits before something is asked again.
    pub(super) async fn pause(&self, how_long: Duration) {
        self.transport.pause(how_long).await;
    }

    /// Reads with a document. Parts that are not there are `None` in the data.
    pub(super) async fn query<D: Document>(
        &self,
        _: D,
        repo: Option<&RepoName>,
        effect: Effect,
        variables: &impl Serialize,
    ) -> Result<D::Data, Fault> {
        let mut last = Fault::Unclear("GitHub gave no answer");
        for _ in 0..2 {
            match self.document::<D>(repo, effect, variables).await {
                Ok(Some(data)) => return Ok(data),
                Ok(None) => return Err(Fault::No(No::Missing)),
                Err(fault @ Fault::Unclear(_)) => last = fault,
                Err(fault) => return Err(fault),
            }
        }
        Err(last)
    }

    /// Changes something with a document. Sent once.
    pub(super) async fn mutate<D: Document>(
        &self,
        _: D,
        repo: &RepoName,
        effect: Effect,
        input: &impl Serialize,
    ) -> Result<D::Data, Fault> {
        #[derive(Serialize)]
        struct Input<'a, I> {
            input: &'a I,
        }
        let data = self.document::<D>(Some(repo), effect, &Input { input }).await?;
        data.ok_or(Fault::Unclear("GitHub's answer has no data"))
    }

    async fn document<D: Document>(
        &self,
        repo: Option<&RepoName>,
        effect: Effect,
        variables: &impl Serialize,
    ) -> Result<Option<D::Data>, Fault> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Body<'a, V> {
            query: &'static str,
            operation_name: &'static str,
            variables: &'a V,
        }
        let body = Body { query: D::TEXT, operation_name: D::NAME, variables };
        let body = serde_json::to_vec(&body).map_err(|_| Fault::Unclear("a request cannot be written"))?;
        let kind = kind(effect);
        let request = Request {
            verb: Verb::Post,
            path: "/graphql".to_owned(),
            headers: Vec::new(),
            body: Some(body),
            kind,
            operation: D::NAME,
        };
        let cost = Cost::Graphql { points: D::POINTS, effect };
        let (response, ticket, mut heard) = self.send(repo, cost, request).await?;
        let end = fault::of_status(kind, &response, &mut heard, self.now());
        let skimmed = end.is_ok().then(|| graphql::skim(&response.body)).flatten();
        if let Some(skimmed) = &skimmed {
            if let Some(rate) = skimmed.rate.filter(|rate| rate.limit > 0) {
                heard = heard.with_rate(rate);
            }
            if skimmed.verdict == Verdict::Limited {
                heard = heard.rate_limited();
            }
        }
        lock(&self.governor).told(self.now(), ticket, &heard);
        end?;
        let cut_off = Fault::Unclear("GitHub's answer was cut off");
        match skimmed.ok_or(cut_off)?.verdict {
            Verdict::Clean | Verdict::Gaps if kind == Kind::Read => graphql::data(&response.body),
            Verdict::Clean => graphql::data(&response.body),
            Verdict::Gaps => Err(Fault::No(No::Missing)),
            Verdict::Limited => {
                let minute = self.now() + SignedDuration::from_secs(60);
                Err(Fault::Later(fault::pause_of(&heard, self.now()).unwrap_or(minute)))
            }
            Verdict::Fault(Fault::No(No::Forbidden)) => {
                Err(fault::missing_right(&response).map_or(Fault::No(No::Forbidden), Fault::Refused))
            }
            Verdict::Fault(fault) => Err(fault),
        }
    }

    /// Tells the governor how a request ended.
    pub(super) fn told(&self, ticket: Ticket, heard: &Heard) {
        lock(&self.governor).told(self.now(), ticket, heard);
    }

    /// Waits for leave and sends.
    pub(super) async fn send(
        &self,
        repo: Option<&RepoName>,
        cost: Cost,
        request: Request,
    ) -> Result<(Response, Ticket, Heard), Fault> {
        let begun = self.now();
        let patience = if cost.effect().writes() { WRITE_PATIENCE } else { PATIENCE };
        let ticket = loop {
            let now = self.now();
            let turn = lock(&self.governor).ask(now, repo, cost);
            match turn {
                Turn::Go(ticket) => break ticket,
                Turn::Wait(until) if until.duration_since(begun) > patience => {
                    return Err(Fault::Later(until));
                }
                Turn::Wait(until) => {
                    let wait = until.duration_since(now).max(SignedDuration::from_millis(1));
                    self.transport.pause(wait.unsigned_abs()).await;
                }
            }
        };
        let (operation, kind) = (request.operation, request.kind);
        // Dropped in the middle, the request counts as not answered.
        let answer = self.transport.send(request).await;
        let now = self.now();
        match answer {
            Ok(response) => {
                tracing::debug!(
                    operation,
                    status = response.status,
                    bytes = response.body.len(),
                    "GitHub answered"
                );
                let heard = Heard::read(cost.resource(), response.status, |name| response.header(name));
                if let Some(scopes) = Scopes::of(&response) {
                    *lock(&self.scopes) = Some(scopes);
                }
                if let Some(date) = heard.date {
                    *lock(&self.ahead) = date.duration_since(now);
                }
                Ok((response, ticket, heard))
            }
            Err(SendError::NotSent) => {
                lock(&self.governor).told(now, ticket, &Heard::not_sent());
                tracing::debug!(operation, "GitHub could not be reached");
                Err(Fault::Later(now + UNREACHABLE))
            }
            Err(SendError::NoAnswer) => {
                lock(&self.governor).told(now, ticket, &Heard::nothing());
                tracing::debug!(operation, "GitHub gave no answer");
                Err(Fault::Unclear(match kind {
                    Kind::Read => "GitHub gave no answer",
                    Kind::Write => "GitHub gave no answer to a change",
                }))
            }
        }
    }
}

/// Whether a request with this effect can change anything.
pub(super) fn kind(effect: Effect) -> Kind {
    if effect.writes() { Kind::Write } else { Kind::Read }
}
