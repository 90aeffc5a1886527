//! Makes a data set of flows: every table of it at once, flow by flow, so that one flow and one group of rows are all that is in memory.

use crate::{
    clean::Ids,
    flow::Flow,
    split::{Split, Splits},
    table::{Cleaning, FlowKeys, TableName, rows},
    write::{Digest, Digesting, Format, TableWriter},
};
use banksman_core::{port::OutcomeResult, text::Login, training::RepoTag};
use jiff::Timestamp;
use serde::Serialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Write},
};

/// What is known of the flows before the first row is written: their starts, by which they are split.
#[derive(Debug, Default)]
pub struct Survey {
    starts: Vec<Timestamp>,
}

impl Survey {
    /// Looks at a flow that will be in the data set.
    pub fn flow(&mut self, flow: &Flow) {
        self.starts.extend(flow.begun());
    }

    /// Where the parts of the data set meet.
    pub fn splits(self) -> Splits {
        Splits::of(self.starts)
    }
}

/// A data set that is being written.
pub struct Export<W: Write> {
    ids: Ids,
    splits: Splits,
    tables: Vec<(TableName, TableWriter<Digesting<W>>)>,
    repos: BTreeMap<RepoTag, u64>,
    authors: BTreeSet<Login>,
    summary: Summary,
}

/// What a data set came to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// Form of its files.
    pub format: Format,
    /// Whether only finished flows are in it, with hashed ids and times from the start of the flow.
    pub clean: bool,
    /// Flows, one a pull request.
    pub flows: u64,
    /// Flows that were left out because they have not ended.
    pub left_out: u64,
    /// Repositories.
    pub repos: u64,
    /// Accounts that opened pull requests.
    pub authors: u64,
    /// Share of the flows that are of the repository with the most.
    pub largest_repo_share: f64,
    /// Flows by how they ended.
    pub results: Results,
    /// Flows and rows by part.
    pub parts: BTreeMap<Split, Part>,
    /// First entry, where times are as recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// Last entry, where times are as recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Where the parts meet, where times are as recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub borders: Option<Splits>,
    /// Actions whose policy could have chosen otherwise.
    pub uncertain_actions: u64,
    /// The tables.
    pub tables: Vec<TableSummary>,
}

/// Flows by how they ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Results {
    /// Well.
    pub success: u64,
    /// Closed without a merge.
    pub closed: u64,
    /// With a person.
    pub escalated: u64,
    /// Not yet.
    pub open: u64,
}

/// One part of a data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Part {
    /// Its flows.
    pub flows: u64,
    /// Rows of its episodes: all entries of its flows.
    pub entries: u64,
}

/// One table of a data set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TableSummary {
    /// Which.
    pub name: TableName,
    /// Its file.
    pub file: String,
    /// Its rows.
    pub rows: u64,
    /// What was written.
    #[serde(flatten)]
    pub digest: Digest,
}

impl<W: Write> Export<W> {
    /// Begins a data set. `open` makes the file of a name.
    pub fn begin(
        format: Format,
        ids: Ids,
        splits: Splits,
        mut open: impl FnMut(&str) -> io::Result<W>,
    ) -> io::Result<Self> {
        let (mut tables, mut told) = (Vec::new(), Vec::new());
        for name in TableName::ALL {
            let file = format!("{}.{}", name.as_str(), format.extension());
            let out = Digesting::new(open(&file)?);
            let columns = name.columns(ids.cleaning());
            tables.push((name, TableWriter::begin(format, name.as_str(), columns, out)?));
            told.push(TableSummary {
                name,
                file,
                rows: 0,
                digest: Digest { bytes: 0, sha256: String::new() },
            });
        }
        let clean = ids.cleaning() == Cleaning::Clean;
        let summary = Summary {
            format,
            clean,
            flows: 0,
            left_out: 0,
            repos: 0,
            authors: 0,
            largest_repo_share: 0.0,
            results: Results::default(),
            parts: [Split::Train, Split::Validation, Split::Test].map(|s| (s, Part::default())).into(),
            from: None,
            until: None,
            borders: (!clean).then_some(splits),
            uncertain_actions: 0,
            tables: told,
        };
        Ok(Self { ids, splits, tables, repos: BTreeMap::new(), authors: BTreeSet::new(), summary })
    }

    /// Whether a flow belongs to the data set: a clean one has finished flows alone.
    pub fn takes(ids: &Ids, flow: &Flow) -> bool {
        ids.cleaning() == Cleaning::AsRecorded || flow.outcome().is_some()
    }

    /// Counts flows that were left out before they came here.
    pub fn left_out(&mut self, flows: u64) {
        self.summary.left_out += flows;
    }

    /// Writes a flow; leaves it out where it does not belong.
    pub fn flow(&mut self, flow: &Flow) -> io::Result<()> {
        let (Some(begun), true) = (flow.begun(), Self::takes(&self.ids, flow)) else {
            self.summary.left_out += 1;
            return Ok(());
        };
        let split = self.splits.part(begun);
        let keys = FlowKeys::of(flow, &self.ids, split);
        for ((name, writer), told) in self.tables.iter_mut().zip(&mut self.summary.tables) {
            rows(*name, flow, &keys, |cells| {
                told.rows += 1;
                writer.row(cells)
            })?;
        }
        self.count(flow, split);
        Ok(())
    }

    fn count(&mut self, flow: &Flow, split: Split) {
        let summary = &mut self.summary;
        summary.flows += 1;
        let part = summary.parts.entry(split).or_default();
        part.flows += 1;
        part.entries += (flow.observations.len() + flow.actions.len() + flow.outcomes.len()) as u64;
        match flow.outcome().map(|(_, outcome)| outcome.result) {
            Some(OutcomeResult::Success) => summary.results.success += 1,
            Some(OutcomeResult::Closed) => summary.results.closed += 1,
            Some(OutcomeResult::Escalated) => summary.results.escalated += 1,
            None => summary.results.open += 1,
        }
        let open = |action: &&(Timestamp, banksman_core::training::ActionTaken)| action.1.propensity < 1.0;
        summary.uncertain_actions += flow.actions.iter().filter(open).count() as u64;
        if !summary.clean {
            let times = flow.observations.iter().map(|(at, _)| at);
            let times = times.chain(flow.actions.iter().map(|(at, _)| at));
            for at in times.chain(flow.outcomes.iter().map(|(at, _)| at)) {
                summary.from = Some(summary.from.map_or(*at, |from| from.min(*at)));
                summary.until = Some(summary.until.map_or(*at, |until| until.max(*at)));
            }
        }
        for (_, seen) in &flow.observations {
            if !self.authors.contains(&seen.author) {
                self.authors.insert(seen.author.clone());
            }
        }
        match self.repos.get_mut(&flow.series.repo) {
            Some(flows) => *flows += 1,
            None => drop(self.repos.insert(flow.series.repo.clone(), 1)),
        }
    }

    /// Ends all tables. Gives back what was written and the files, for whoever has to make them safe.
    pub fn end(mut self) -> io::Result<(Summary, Vec<W>)> {
        let mut files = Vec::new();
        for ((_, writer), told) in self.tables.into_iter().zip(&mut self.summary.tables) {
            let mut out = writer.finish()?;
            out.flush()?;
            let (file, digest) = out.end();
            told.digest = digest;
            files.push(file);
        }
        let most = self.repos.values().max().copied().unwrap_or_default();
        self.summary.repos = self.repos.len() as u64;
        self.summary.authors = self.authors.len() as u64;
        self.summary.largest_repo_share = most as f64 / self.summary.flows.max(1) as f64;
        Ok((self.summary, files))
    }
}
