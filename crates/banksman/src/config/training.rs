//! Where copies of the training data go: keys of the configuration and the token that stands beside them (D3).

use crate::output::Failure;
use banksman_core::text::RepoName;
use banksman_sink::{InfluxSettings, InfluxToken, SinkKind, SinkSettings, TokenError};
use jiff::SignedDuration;
use secrecy::{ExposeSecret as _, SecretString};
use std::path::{Path, PathBuf};

/// What files say about training data.
#[derive(Debug, Clone)]
pub(crate) struct TrainingKeys {
    /// How often every open pull request of a repository is observed.
    pub(crate) capture: SignedDuration,
    /// The same for repositories of priority.
    pub(crate) capture_priority: SignedDuration,
    /// Those.
    pub(crate) priority: Vec<RepoName>,
    /// A file of line protocol.
    pub(crate) line_file: Option<PathBuf>,
    /// A file of JSON lines.
    pub(crate) json_file: Option<PathBuf>,
    /// Base URL of InfluxDB 2.
    pub(crate) influx_url: Option<String>,
    /// Its organisation.
    pub(crate) influx_org: Option<String>,
    /// Its bucket.
    pub(crate) influx_bucket: Option<String>,
    /// A file of mode 600 with its token.
    pub(crate) influx_token_file: Option<PathBuf>,
    /// MiB that may wait on disk for each sink.
    pub(crate) spool_limit: u32,
    /// `$INFLUX_TOKEN`.
    pub(crate) influx_token: Option<SecretString>,
    /// `~/.influx_token`.
    pub(crate) usual_token_file: Option<PathBuf>,
}

impl Default for TrainingKeys {
    fn default() -> Self {
        Self {
            capture: SignedDuration::from_hours(1),
            capture_priority: SignedDuration::from_mins(15),
            priority: Vec::new(),
            line_file: None,
            json_file: None,
            influx_url: None,
            influx_org: None,
            influx_bucket: None,
            influx_token_file: None,
            spool_limit: 1024,
            influx_token: None,
            usual_token_file: None,
        }
    }
}

impl TrainingKeys {
    /// How often a repository is captured.
    pub(crate) fn interval(&self, repo: &RepoName) -> SignedDuration {
        let first = self.priority.iter().any(|name| name.as_str().eq_ignore_ascii_case(repo.as_str()));
        if first { self.capture_priority } else { self.capture }
    }
}

/// The token of InfluxDB: `$INFLUX_TOKEN`, else the configured file, else `~/.influx_token`.
pub(crate) fn influx_token(keys: &TrainingKeys) -> Result<InfluxToken, TokenError> {
    let variable = keys.influx_token.as_ref().map(|token| token.expose_secret());
    let file = keys.influx_token_file.as_ref().or(keys.usual_token_file.as_ref());
    InfluxToken::find(variable, file.map_or(Path::new(".influx_token"), PathBuf::as_path))
}

/// The sinks that are configured.
pub(crate) fn sinks(keys: &TrainingKeys) -> anyhow::Result<Vec<SinkSettings>> {
    let mut all = Vec::new();
    if let Some(url) = &keys.influx_url {
        let (Some(org), Some(bucket)) = (&keys.influx_org, &keys.influx_bucket) else {
            return Err(Failure::new(
                "training.influx_url is set, but not where the data goes there",
                "set training.influx_org and training.influx_bucket as well",
            ));
        };
        let token = influx_token(keys).map_err(|error| {
            Failure::new(error.to_string(), "or unset training.influx_url to do without this sink")
        })?;
        let (url, org, bucket) = (url.clone(), org.clone(), bucket.clone());
        let influx = InfluxSettings { url, org, bucket, token, patience: None };
        all.push(SinkSettings { name: "influx", kind: SinkKind::Influx(influx) });
    }
    if let Some(path) = &keys.line_file {
        all.push(SinkSettings { name: "lines", kind: SinkKind::Lines(path.clone()) });
    }
    if let Some(path) = &keys.json_file {
        all.push(SinkSettings { name: "json", kind: SinkKind::Json(path.clone()) });
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sinks_are_those_that_are_configured() {
        let mut keys = TrainingKeys { influx_token: Some("t".to_owned().into()), ..TrainingKeys::default() };
        assert!(sinks(&keys).unwrap().is_empty());
        keys.line_file = Some("/l".into());
        keys.influx_url = Some("http://localhost:8086".to_owned());
        let incomplete = sinks(&keys).unwrap_err().to_string();
        assert!(incomplete.contains("training.influx_url"), "{incomplete}");
        keys.influx_org = Some("o".to_owned());
        keys.influx_bucket = Some("b".to_owned());
        let names: Vec<_> = sinks(&keys).unwrap().iter().map(|sink| sink.name).collect();
        assert_eq!(names, ["influx", "lines"]);
        keys.influx_token = None;
        keys.usual_token_file = Some("/nowhere/.influx_token".into());
        let none = sinks(&keys).unwrap_err().to_string();
        assert!(none.contains("INFLUX_TOKEN"), "{none}");
    }

    #[test]
    fn repositories_of_priority_are_captured_more_often() {
        let repo = |name| RepoName::new(name).unwrap();
        let keys = TrainingKeys { priority: vec![repo("acme/shop")], ..TrainingKeys::default() };
        assert_eq!(keys.interval(&repo("Acme/Shop")), keys.capture_priority);
        assert_eq!(keys.interval(&repo("acme/other")), keys.capture);
    }
}
