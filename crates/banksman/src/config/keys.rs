//! The keys of the configuration as data: name, meaning, how a value is read from text and written back. Files, variables and
//! flags all go through the same reader.

use super::settings::{SandboxMode, Settings, StoreUrl};
use banksman_core::{
    intent::MergeMethod,
    text::{Capability, RepoName},
};
use jiff::{SignedDuration, civil::Time};
use secrecy::SecretString;
use std::path::PathBuf;

/// One key.
pub(crate) struct Key {
    /// Its name, with dots for tables.
    pub(crate) name: &'static str,
    /// What it means, in one sentence.
    pub(crate) about: &'static str,
    /// Its value as text; `None` where it is not set.
    pub(crate) get: fn(&Settings) -> Option<String>,
    /// Takes a value from text; the error says what is allowed.
    pub(crate) set: fn(&mut Settings, &str) -> Result<(), String>,
}

impl Key {
    /// The variable that sets it.
    pub(crate) fn variable(&self) -> String {
        format!("BANKSMAN_{}", self.name.replace('.', "_").to_uppercase())
    }

    /// Whether its value is a secret, which no configuration file may hold (S19).
    pub(crate) fn is_secret(&self) -> bool {
        matches!(self.name, "github.token" | "github.webhook_secret")
    }

    /// The key of that name.
    pub(crate) fn named(name: &str) -> Option<&'static Key> {
        KEYS.iter().find(|key| key.name == name)
    }
}

/// All keys but those below `engines`, `profiles` and `models`.
pub(crate) static KEYS: &[Key] = &[
    Key {
        name: "home",
        about: "Folder for Banksman's own files.",
        get: |s| Some(s.home.display().to_string()),
        set: |s, v| {
            let path = std::path::PathBuf::from(v);
            if path.is_absolute() {
                s.home = path;
                Ok(())
            } else {
                Err("an absolute path".to_owned())
            }
        },
    },
    Key {
        name: "sandbox",
        about: "`auto`: the best sandbox of the host, and no engine without one; `off`: none.",
        get: |s| Some(if s.sandbox == SandboxMode::Auto { "auto" } else { "off" }.to_owned()),
        set: |s, v| {
            s.sandbox = match v {
                "auto" => SandboxMode::Auto,
                "off" => SandboxMode::Off,
                _ => return Err("`auto` or `off`".to_owned()),
            };
            Ok(())
        },
    },
    Key {
        name: "daily_tasks",
        about: "Most tasks that are dispatched in 24 hours and repository; unset: no cap.",
        get: |s| s.daily_tasks.map(|n| n.to_string()),
        set: |s, v| number(v).map(|n| s.daily_tasks = Some(n)),
    },
    Key {
        name: "attempts",
        about: "Attempts at one piece of work before it has failed.",
        get: |s| Some(s.attempts.to_string()),
        set: |s, v| positive(v).map(|n| s.attempts = n),
    },
    Key {
        name: "check_fix_rounds",
        about: "Rounds in which an engine may mend the red checks of one pull request.",
        get: |s| Some(s.check_fix_rounds.to_string()),
        set: |s, v| number(v).map(|n| s.check_fix_rounds = n),
    },
    Key {
        name: "retry_pause",
        about: "Pause before a failed attempt is repeated.",
        get: |s| Some(span(s.retry_pause)),
        set: |s, v| duration(v).map(|d| s.retry_pause = d),
    },
    Key {
        name: "at_once",
        about: "Attempts that run at the same time.",
        get: |s| Some(s.at_once.to_string()),
        set: |s, v| positive(v).map(|n| s.at_once = n),
    },
    Key {
        name: "check_timeout",
        about: "Time limit of one check.",
        get: |s| Some(span(s.check_timeout)),
        set: |s, v| duration(v).map(|d| s.check_timeout = d),
    },
    Key {
        name: "child_merge",
        about: "How a child is merged into its epic: `squash` or `merge`.",
        get: |s| Some(method_word(s.child_merge).to_owned()),
        set: |s, v| method(v).map(|m| s.child_merge = m),
    },
    Key {
        name: "epic_merge",
        about: "How an epic is merged into the default branch: `squash` or `merge`.",
        get: |s| Some(method_word(s.epic_merge).to_owned()),
        set: |s, v| method(v).map(|m| s.epic_merge = m),
    },
    Key {
        name: "policy.response_time",
        about: "Time that an implementer has to answer a request.",
        get: |s| Some(span(s.limits.response_time)),
        set: |s, v| duration(v).map(|d| s.limits.response_time = d),
    },
    Key {
        name: "policy.review_requests",
        about: "Review requests for one pull request before a person is called.",
        get: |s| Some(s.limits.review_requests.to_string()),
        set: |s, v| positive(v).map(|n| s.limits.review_requests = n),
    },
    Key {
        name: "policy.conflict_requests",
        about: "Conflict requests for one pull request before Banksman resolves it itself.",
        get: |s| Some(s.limits.conflict_requests.to_string()),
        set: |s, v| number(v).map(|n| s.limits.conflict_requests = n),
    },
    Key {
        name: "policy.red_checks",
        about: "Red or undecided checks without a new commit for this long call a person.",
        get: |s| Some(span(s.limits.red_checks)),
        set: |s, v| duration(v).map(|d| s.limits.red_checks = d),
    },
    Key {
        name: "policy.no_pull",
        about: "How long after a hosted agent was handed an issue a person is called if no pull request came.",
        get: |s| Some(span(s.limits.no_pull)),
        set: |s, v| duration(v).map(|d| s.limits.no_pull = d),
    },
    Key {
        name: "store",
        about: "Store of a fleet, `postgres://HOST/DATABASE`; unset: the file in the home.",
        get: |s| s.store.as_ref().map(StoreUrl::shown),
        set: |s, v| {
            let url = StoreUrl::new(v).ok_or("an address that starts with `postgres://`")?;
            s.store = Some(url);
            Ok(())
        },
    },
    Key {
        name: "job_timeout",
        about: "Time limit of an attempt at a job whose manifest names none.",
        get: |s| Some(span(s.job_timeout)),
        set: |s, v| duration(v).map(|d| s.job_timeout = d),
    },
    Key {
        name: "retries",
        about: "Further attempts at a job whose manifest names no number, 0 to 20.",
        get: |s| Some(s.retries.to_string()),
        set: |s, v| {
            let few = number(v).ok().filter(|n| *n <= 20).ok_or("a whole number from 0 to 20")?;
            s.retries = few;
            Ok(())
        },
    },
    Key {
        name: "fix_rounds",
        about: "Times that review or tests may send a job back to building.",
        get: |s| Some(s.fix_rounds.to_string()),
        set: |s, v| number(v).map(|n| s.fix_rounds = n),
    },
    Key {
        name: "grace",
        about: "Time between SIGTERM and SIGKILL for an attempt that is to end, at most 30s.",
        get: |s| Some(span(s.grace)),
        set: |s, v| {
            let short = duration(v).ok().filter(|d| *d <= SignedDuration::from_secs(30));
            s.grace = short.ok_or("a duration of at most `30s`")?;
            Ok(())
        },
    },
    Key {
        name: "output_cap",
        about: "Most that is kept of an attempt's output, such as `64MiB`; the middle of more is dropped.",
        get: |s| Some(size_text(s.output_cap)),
        set: |s, v| size(v).map(|bytes| s.output_cap = bytes),
    },
    Key {
        name: "keep_logs",
        about: "How long the output of attempts and checks is kept.",
        get: |s| Some(span(s.keep_logs)),
        set: |s, v| duration(v).map(|d| s.keep_logs = d),
    },
    Key {
        name: "capabilities",
        about: "What this host's workers offer, `key:value` with commas between; its os, arch and host name are offered anyway.",
        get: |s| {
            let words: Vec<&str> = s.capabilities.iter().map(Capability::as_str).collect();
            (!words.is_empty()).then(|| words.join(","))
        },
        set: |s, v| {
            let words = v.split(',').map(str::trim).filter(|word| !word.is_empty());
            let list: Result<Vec<Capability>, _> = words.map(Capability::new).collect();
            s.capabilities = list.map_err(|_| "words such as `gpu:cuda`, with commas between")?;
            Ok(())
        },
    },
    Key {
        name: "github.api_url",
        about: "Base URL of GitHub's API; of an enterprise server `https://HOST/api/v3` [default: https://api.github.com].",
        get: |s| s.github.api_url.clone(),
        set: |s, v| {
            if !v.starts_with("http://") && !v.starts_with("https://") {
                return Err("an address that starts with `https://`".to_owned());
            }
            s.github.api_url = Some(v.trim_end_matches('/').to_owned());
            Ok(())
        },
    },
    Key {
        name: "github.token",
        about: "Token for GitHub, from the environment alone ($GITHUB_TOKEN, $GH_TOKEN).",
        get: |s| s.github.token.as_ref().map(|_| HIDDEN.to_owned()),
        set: |s, v| secret(v).map(|token| s.github.token = Some(token)),
    },
    Key {
        name: "github.token_file",
        about: "A file of mode 600 with the token for GitHub.",
        get: |s| shown(s.github.token_file.as_ref()),
        set: |s, v| absolute(v).map(|path| s.github.token_file = Some(path)),
    },
    Key {
        name: "github.token_command",
        about: "A program that prints the token for GitHub, such as `gh auth token`; run without a shell.",
        get: |s| s.github.token_command.clone(),
        set: |s, v| {
            if v.trim().is_empty() {
                return Err("a program with its arguments".to_owned());
            }
            s.github.token_command = Some(v.to_owned());
            Ok(())
        },
    },
    Key {
        name: "github.app_id",
        about: "The GitHub App to act as, in the place of a token.",
        get: |s| s.github.app_id.map(|id| id.to_string()),
        set: |s, v| id(v).map(|id| s.github.app_id = Some(id)),
    },
    Key {
        name: "github.installation_id",
        about: "Where that app is installed.",
        get: |s| s.github.installation_id.map(|id| id.to_string()),
        set: |s, v| id(v).map(|id| s.github.installation_id = Some(id)),
    },
    Key {
        name: "github.app_key_file",
        about: "A file of mode 600 with the private key of that app.",
        get: |s| shown(s.github.app_key_file.as_ref()),
        set: |s, v| absolute(v).map(|path| s.github.app_key_file = Some(path)),
    },
    Key {
        name: "github.webhook_secret",
        about: "What GitHub signs webhooks with, from the environment alone.",
        get: |s| s.github.webhook_secret.as_ref().map(|_| HIDDEN.to_owned()),
        set: |s, v| secret(v).map(|found| s.github.webhook_secret = Some(found)),
    },
    Key {
        name: "github.webhook_secret_file",
        about: "A file of mode 600 with what GitHub signs webhooks with.",
        get: |s| shown(s.github.webhook_secret_file.as_ref()),
        set: |s, v| absolute(v).map(|path| s.github.webhook_secret_file = Some(path)),
    },
    Key {
        name: "github.sweep",
        about: "How often a repository on GitHub is looked at while something moves there, if nothing wakes earlier; 10m where `serve` takes in webhooks.",
        get: |s| Some(span(s.github.sweeps().moving)),
        set: |s, v| duration(v).map(|d| s.github.sweep = Some(d)),
    },
    Key {
        name: "github.sweep_idle",
        about: "The same while nothing moves.",
        get: |s| Some(span(s.github.sweeps().idle)),
        set: |s, v| duration(v).map(|d| s.github.sweep_idle = Some(d)),
    },
    Key {
        name: "cadence.morning",
        about: "Time of the morning's run of `serve` (tick, unstick, plan), such as `08:00`; unset: off.",
        get: |s| clock(s.cadence.morning),
        set: |s, v| clock_time(v).map(|time| s.cadence.morning = Some(time)),
    },
    Key {
        name: "cadence.midday",
        about: "The same of midday's (conflicts, pacing).",
        get: |s| clock(s.cadence.midday),
        set: |s, v| clock_time(v).map(|time| s.cadence.midday = Some(time)),
    },
    Key {
        name: "cadence.evening",
        about: "The same of the evening's (report, forecast).",
        get: |s| clock(s.cadence.evening),
        set: |s, v| clock_time(v).map(|time| s.cadence.evening = Some(time)),
    },
    Key {
        name: "cadence.zone",
        about: "Time zone of these times, such as `Europe/Berlin` [default: that of team.toml].",
        get: |s| s.cadence.zone.as_ref().map(ToString::to_string),
        set: |s, v| {
            let zone = v.parse().map_err(|error: banksman_core::budget::window::NoZone| error.to_string())?;
            s.cadence.zone = Some(zone);
            Ok(())
        },
    },
    Key {
        name: "cadence.strategy",
        about: "Tasks of a day that the cadence plans for: `conservative` (20), `moderate` (80), `aggressive` (200) or a number.",
        get: |s| Some(s.cadence.strategy.to_string()),
        set: |s, v| {
            s.cadence.strategy =
                v.parse().map_err(|error: banksman_core::budget::plan::UnknownStrategy| error.to_string())?;
            Ok(())
        },
    },
    Key {
        name: "cadence.auto",
        about: "Whether the cadence puts its plans in force; else they are suggestions in its reports.",
        get: |s| Some(s.cadence.auto.to_string()),
        set: |s, v| {
            s.cadence.auto = v.parse().map_err(|_| "`true` or `false`")?;
            Ok(())
        },
    },
    Key {
        name: "tracker.kind",
        about: "Which tracker: `items`, `github` or `linear`.",
        get: |s| s.tracker.kind.clone(),
        set: |s, v| {
            if !["items", "github", "linear"].contains(&v) {
                return Err("`items`, `github` or `linear`".to_owned());
            }
            s.tracker.kind = Some(v.to_owned());
            Ok(())
        },
    },
    Key {
        name: "tracker.api",
        about: "Base URL of the tracker's API ($AQ_TRACKER_API).",
        get: |s| s.tracker.api.clone(),
        set: |s, v| {
            if !v.starts_with("http://") && !v.starts_with("https://") {
                return Err("an address that starts with `http://` or `https://`".to_owned());
            }
            s.tracker.api = Some(v.to_owned());
            Ok(())
        },
    },
    Key {
        name: "tracker.token_file",
        about: "A file of mode 600 with the tracker's token ($AQ_TRACKER_TOKEN holds the token itself).",
        get: |s| shown(s.tracker.token_file.as_ref()),
        set: |s, v| absolute(v).map(|path| s.tracker.token_file = Some(path)),
    },
    Key {
        name: "tracker.product",
        about: "Product id of the items ($AQ_PRODUCT_ID); `owner/name` for GitHub, the team's key for Linear.",
        get: |s| s.tracker.product.clone(),
        set: |s, v| {
            if v.is_empty() || v.len() > 200 || !v.bytes().all(|b| b.is_ascii_graphic()) {
                return Err("a word of printable characters".to_owned());
            }
            s.tracker.product = Some(v.to_owned());
            Ok(())
        },
    },
    Key {
        name: "tracker.command",
        about: "Program that is called as `CMD METHOD PATH [JSON]` instead of HTTP ($AQ_TRACKER_API_CMD).",
        get: |s| s.tracker.command.clone(),
        set: |s, v| {
            if v.is_empty() {
                return Err("a program".to_owned());
            }
            s.tracker.command = Some(v.to_owned());
            Ok(())
        },
    },
    Key {
        name: "tracker.path_item",
        about: "Path of one item in the items API [default: /items/{id}].",
        get: |s| s.tracker.path_item.clone(),
        set: |s, v| template(v, "{id}").map(|path| s.tracker.path_item = Some(path)),
    },
    Key {
        name: "tracker.path_items",
        about: "Path of the list, with {product}, {status}, {label} and {next} [default: /items?productId={product}&status={status}&label={label}&next={next}].",
        get: |s| s.tracker.path_items.clone(),
        set: |s, v| template(v, "{label}").map(|path| s.tracker.path_items = Some(path)),
    },
    Key {
        name: "tracker.path_comments",
        about: "Path of the comments on an item [default: /items/{id}/comments].",
        get: |s| s.tracker.path_comments.clone(),
        set: |s, v| template(v, "{id}").map(|path| s.tracker.path_comments = Some(path)),
    },
    Key {
        name: "tracker.auto",
        about: "Whether every change of a linked job's stage is echoed to its item ($AQ_TRACKER_AUTO=1).",
        get: |s| Some(s.tracker_auto.to_string()),
        set: |s, v| {
            s.tracker_auto = v.parse().map_err(|_| "`true` or `false`")?;
            Ok(())
        },
    },
    Key {
        name: "training.capture",
        about: "How often `serve` observes every open pull request of a repository for the training data.",
        get: |s| Some(span(s.training.capture)),
        set: |s, v| duration(v).map(|d| s.training.capture = d),
    },
    Key {
        name: "training.capture_priority",
        about: "The same for the repositories of training.priority.",
        get: |s| Some(span(s.training.capture_priority)),
        set: |s, v| duration(v).map(|d| s.training.capture_priority = d),
    },
    Key {
        name: "training.priority",
        about: "Repositories that are observed more often, `owner/name` with commas between.",
        get: |s| {
            let names: Vec<&str> = s.training.priority.iter().map(RepoName::as_str).collect();
            (!names.is_empty()).then(|| names.join(","))
        },
        set: |s, v| {
            let names = v.split(',').map(str::trim).filter(|name| !name.is_empty());
            let list: Result<Vec<RepoName>, _> = names.map(RepoName::new).collect();
            s.training.priority = list.map_err(|_| "names such as `acme/shop`, with commas between")?;
            Ok(())
        },
    },
    Key {
        name: "training.line_file",
        about: "A file that gets a copy of the training data as InfluxDB's line protocol.",
        get: |s| shown(s.training.line_file.as_ref()),
        set: |s, v| absolute(v).map(|path| s.training.line_file = Some(path)),
    },
    Key {
        name: "training.json_file",
        about: "A file that gets a copy of the training data as JSON lines.",
        get: |s| shown(s.training.json_file.as_ref()),
        set: |s, v| absolute(v).map(|path| s.training.json_file = Some(path)),
    },
    Key {
        name: "training.influx_url",
        about: "Base URL of an InfluxDB 2 that gets a copy of the training data.",
        get: |s| s.training.influx_url.clone(),
        set: |s, v| {
            if !v.starts_with("http://") && !v.starts_with("https://") {
                return Err("an address that starts with `https://`".to_owned());
            }
            s.training.influx_url = Some(v.trim_end_matches('/').to_owned());
            Ok(())
        },
    },
    Key {
        name: "training.influx_org",
        about: "Its organisation.",
        get: |s| s.training.influx_org.clone(),
        set: |s, v| word(v).map(|org| s.training.influx_org = Some(org)),
    },
    Key {
        name: "training.influx_bucket",
        about: "Its bucket.",
        get: |s| s.training.influx_bucket.clone(),
        set: |s, v| word(v).map(|bucket| s.training.influx_bucket = Some(bucket)),
    },
    Key {
        name: "training.influx_token_file",
        about: "A file of mode 600 with its token ($INFLUX_TOKEN holds the token itself) [default: ~/.influx_token].",
        get: |s| shown(s.training.influx_token_file.as_ref()),
        set: |s, v| absolute(v).map(|path| s.training.influx_token_file = Some(path)),
    },
    Key {
        name: "training.spool_limit",
        about: "MiB of training data that may wait on disk for each sink that is away.",
        get: |s| Some(s.training.spool_limit.to_string()),
        set: |s, v| positive(v).map(|n| s.training.spool_limit = n),
    },
];

/// A duration as people write it: `30m`, `24h`, `1.5s`.
pub(crate) fn span(duration: SignedDuration) -> String {
    format!("{duration:#}")
}

/// A name of one line.
fn word(text: &str) -> Result<String, String> {
    let fits = !text.is_empty() && text.len() <= 200 && !text.contains(char::is_control);
    if fits { Ok(text.to_owned()) } else { Err("a name of at most 200 bytes on one line".to_owned()) }
}

/// What is shown of a secret.
const HIDDEN: &str = "(hidden)";

fn secret(text: &str) -> Result<SecretString, String> {
    let fits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic() || b == b' ');
    fits.then(|| SecretString::from(text.to_owned()))
        .ok_or_else(|| "one line of printable characters".to_owned())
}

/// A time of day as people write it.
fn clock(time: Option<Time>) -> Option<String> {
    time.map(|time| time.strftime("%H:%M").to_string())
}

fn clock_time(text: &str) -> Result<Time, String> {
    banksman_core::budget::team::clock_time(text).ok_or_else(|| "a time of day such as `08:00`".to_owned())
}

fn id(text: &str) -> Result<u64, String> {
    text.parse().ok().filter(|id| *id > 0).ok_or_else(|| "a whole number from 1".to_owned())
}

fn absolute(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    if path.is_absolute() { Ok(path) } else { Err("an absolute path".to_owned()) }
}

fn shown(path: Option<&PathBuf>) -> Option<String> {
    path.map(|path| path.display().to_string())
}

fn number(text: &str) -> Result<u32, String> {
    text.parse().map_err(|_| "a whole number".to_owned())
}

fn positive(text: &str) -> Result<u32, String> {
    number(text).ok().filter(|n| *n > 0).ok_or_else(|| "a whole number from 1".to_owned())
}

fn duration(text: &str) -> Result<SignedDuration, String> {
    let allowed = || "a duration such as `30s`, `5m` or `24h`".to_owned();
    text.parse::<SignedDuration>().ok().filter(SignedDuration::is_positive).ok_or_else(allowed)
}

/// A size in bytes; at least 4 KiB, at most 1 TiB.
fn size(text: &str) -> Result<u64, String> {
    let (number, unit) =
        UNITS.iter().find_map(|(word, unit)| Some((text.strip_suffix(word)?, *unit))).unwrap_or((text, 1));
    let bytes = number.trim().parse::<u64>().ok().and_then(|number| number.checked_mul(unit));
    bytes
        .filter(|bytes| (4 << 10..=1 << 40).contains(bytes))
        .ok_or_else(|| "a size from `4KiB` on, such as `64MiB`".to_owned())
}

const UNITS: [(&str, u64); 3] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];

/// A size as [`size`] reads it.
fn size_text(bytes: u64) -> String {
    let unit = UNITS.iter().find(|(_, unit)| bytes.is_multiple_of(*unit));
    unit.map_or_else(|| bytes.to_string(), |(word, unit)| format!("{}{word}", bytes / unit))
}

/// A path with a slot in it.
fn template(text: &str, slot: &str) -> Result<String, String> {
    let fits = text.starts_with('/') && text.contains(slot);
    if fits { Ok(text.to_owned()) } else { Err(format!("a path that starts with `/` and holds `{slot}`")) }
}

fn method(text: &str) -> Result<MergeMethod, String> {
    match text {
        "squash" => Ok(MergeMethod::Squash),
        "merge" => Ok(MergeMethod::Merge),
        _ => Err("`squash` or `merge`".to_owned()),
    }
}

fn method_word(method: MergeMethod) -> &'static str {
    match method {
        MergeMethod::Squash => "squash",
        MergeMethod::Merge => "merge",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_takes_back_what_it_shows() {
        let mut settings = Settings::built_in("/h".into());
        settings.daily_tasks = Some(3);
        settings.store = StoreUrl::new("postgres://db/banksman");
        settings.capabilities = vec![Capability::new("gpu:cuda").unwrap()];
        let words = [
            ("kind", "items"),
            ("api", "http://h"),
            ("token_file", "/t"),
            ("product", "p"),
            ("command", "c"),
            ("path_item", "/i/{id}"),
            ("path_items", "/i?l={label}"),
            ("path_comments", "/i/{id}/c"),
        ];
        for (word, value) in words {
            let key = Key::named(&format!("tracker.{word}")).unwrap();
            (key.set)(&mut settings, value).unwrap();
        }
        for (word, value) in [
            ("api_url", "https://ghe/api/v3"),
            ("token", "ghp_1"),
            ("token_file", "/t"),
            ("token_command", "gh auth token"),
            ("app_id", "7"),
            ("installation_id", "8"),
            ("app_key_file", "/k"),
            ("webhook_secret", "It's a secret"),
            ("webhook_secret_file", "/w"),
        ] {
            let key = Key::named(&format!("github.{word}")).unwrap();
            (key.set)(&mut settings, value).unwrap();
            assert_eq!((key.get)(&settings).as_deref(), Some(if key.is_secret() { HIDDEN } else { value }));
        }
        assert!(!format!("{settings:?}").contains("ghp_1"));
        for (word, value) in [
            ("priority", "acme/shop,local/a"),
            ("line_file", "/l"),
            ("json_file", "/j"),
            ("influx_url", "https://i"),
            ("influx_org", "o"),
            ("influx_bucket", "b"),
            ("influx_token_file", "/t"),
        ] {
            (Key::named(&format!("training.{word}")).unwrap().set)(&mut settings, value).unwrap();
        }
        for (word, value) in
            [("morning", "08:00"), ("midday", "12:30"), ("evening", "18:00"), ("zone", "Asia/Tokyo")]
        {
            (Key::named(&format!("cadence.{word}")).unwrap().set)(&mut settings, value).unwrap();
        }
        for key in KEYS {
            let shown = (key.get)(&settings).unwrap();
            (key.set)(&mut settings, &shown).unwrap();
            assert_eq!((key.get)(&settings), Some(shown), "{}", key.name);
        }
    }

    #[test]
    fn a_wrong_value_says_what_is_allowed() {
        let mut settings = Settings::built_in("/h".into());
        // What any word is a value of.
        let open = [
            "tracker.product",
            "tracker.command",
            "github.token_command",
            "training.influx_org",
            "training.influx_bucket",
        ];
        for key in KEYS.iter().filter(|key| !open.contains(&key.name) && !key.is_secret()) {
            let allowed = (key.set)(&mut settings, "perhaps").unwrap_err();
            assert!(!allowed.is_empty(), "{}", key.name);
        }
    }
}
