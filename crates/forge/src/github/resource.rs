//! REST calls: conditional reads, redirects inside the API, writes that are sent once.

use super::{
    caller::{Caller, kind},
    fault::{self, Fault, No},
    governor::{Cost, Effect},
    transport::{Request, Response, Transport, Verb},
};
use banksman_core::text::RepoName;
use serde::{Serialize, de::DeserializeOwned};

/// Redirects of a read that are followed.
const HOPS: usize = 3;

/// A REST call.
pub(super) struct Rest<'a> {
    /// The repository it is about.
    pub(super) repo: Option<&'a RepoName>,
    pub(super) verb: Verb,
    pub(super) path: String,
    pub(super) effect: Effect,
    /// Its name in logs.
    pub(super) operation: &'static str,
}

impl<'a> Rest<'a> {
    pub(super) fn get(repo: &'a RepoName, path: String, operation: &'static str) -> Self {
        Self { repo: Some(repo), verb: Verb::Get, path, effect: Effect::Read, operation }
    }
}

/// The answer to a conditional read.
pub(super) enum Fresh<D> {
    /// As it was when the tag was given.
    Unchanged,
    /// Something else, with its tag.
    New(D, Option<String>),
}

impl<T: Transport> Caller<T> {
    /// Reads over REST.
    pub(super) async fn read<D: DeserializeOwned>(&self, call: Rest<'_>) -> Result<D, Fault> {
        match self.read_if(call, None).await? {
            Fresh::New(data, _) => Ok(data),
            Fresh::Unchanged => Err(Fault::Unclear("GitHub's answer has another shape")),
        }
    }

    /// Reads over REST what changed since the answer with that tag; an unchanged one is free of charge.
    pub(super) async fn read_if<D: DeserializeOwned>(
        &self,
        mut call: Rest<'_>,
        tag: Option<&str>,
    ) -> Result<Fresh<D>, Fault> {
        let (mut hops, mut again) = (0, true);
        loop {
            let headers = tag.map(|tag| ("if-none-match", tag.to_owned())).into_iter().collect();
            match self.rest(&call, headers, None).await {
                Ok(response) if response.status == 304 => return Ok(Fresh::Unchanged),
                Ok(response) => {
                    let shape = Fault::Unclear("GitHub's answer has another shape");
                    let data = serde_json::from_slice(&response.body).map_err(|_| shape);
                    let tag = response.header("etag").filter(|tag| tag.is_ascii()).map(str::to_owned);
                    match data {
                        Ok(data) => return Ok(Fresh::New(data, tag)),
                        Err(_) if std::mem::take(&mut again) => {}
                        Err(fault) => return Err(fault),
                    }
                }
                Err((Fault::No(No::Moved), Some(to))) if hops < HOPS => {
                    hops += 1;
                    call.path = to;
                }
                Err((Fault::Unclear(_), _)) if std::mem::take(&mut again) => {}
                Err((fault, _)) => return Err(fault),
            }
        }
    }

    /// Changes something over REST. Sent once.
    pub(super) async fn write<D: DeserializeOwned>(
        &self,
        call: Rest<'_>,
        body: &impl Serialize,
    ) -> Result<D, Fault> {
        let body = serde_json::to_vec(body).map_err(|_| Fault::Unclear("a request cannot be written"))?;
        let body = Some(body).filter(|body| body != b"null");
        let response = self.rest(&call, Vec::new(), body).await.map_err(|(fault, _)| fault)?;
        // Done, whatever the answer looks like: what it made is found by looking.
        let read = |body: &[u8]| serde_json::from_slice(body).ok();
        let found = if response.body.is_empty() { read(b"null") } else { read(&response.body) };
        found.ok_or(Fault::Unclear("GitHub's answer was cut off"))
    }

    /// Makes one REST call; with a redirect comes the path that it points to.
    async fn rest(
        &self,
        call: &Rest<'_>,
        headers: Vec<(&'static str, String)>,
        body: Option<Vec<u8>>,
    ) -> Result<Response, (Fault, Option<String>)> {
        let kind = kind(call.effect);
        let request = Request {
            verb: call.verb,
            path: call.path.clone(),
            headers,
            body,
            kind,
            operation: call.operation,
        };
        let sent = self.send(call.repo, Cost::Rest(call.effect), request).await;
        let (response, ticket, mut heard) = sent.map_err(|fault| (fault, None))?;
        let end = fault::of_status(kind, &response, &mut heard, self.now());
        self.told(ticket, &heard);
        match end {
            Ok(()) => Ok(response),
            Err(fault) => Err((fault, response.header("location").and_then(path_of))),
        }
    }
}

/// The path of an address that a redirect points to: of the same API only, so that no other host is ever asked.
fn path_of(address: &str) -> Option<String> {
    let from = ["/repositories/", "/repos/"].iter().filter_map(|part| address.find(part)).min()?;
    let path = &address[from..];
    let fits = path.len() <= 500
        && path.bytes().all(|b| b.is_ascii_alphanumeric() || b"/-._~%?=&+,:".contains(&b))
        && !path.contains("..");
    fits.then(|| path.to_owned())
}
