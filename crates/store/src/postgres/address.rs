//! Where the server is, who asks, and how the way to it is encrypted.

use secrecy::{ExposeSecret, SecretString};
use std::{
    fmt, fs,
    net::IpAddr,
    path::{Path, PathBuf},
    time::Duration,
};
use tokio_postgres::config::{Config, Host, SslMode};

/// The schema of a server's database that holds the store, unless the address names another one.
const SCHEMA: &str = "banksman";
/// How long one try to connect may take.
const CONNECT: Duration = Duration::from_secs(5);
/// How long a connection may be silent that should not be.
const SILENCE: Duration = Duration::from_secs(10);

/// An address that cannot be used. Never repeats the address: it may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// It is no address.
    #[error("not an address of a PostgreSQL database: expected postgres://USER@HOST[:PORT]/DATABASE")]
    Shape,
    /// The value of `sslmode` is unknown.
    #[error("sslmode is one of disable, prefer, require, verify-ca, verify-full")]
    Mode,
    /// The value of `schema` is no plain name.
    #[error("schema is a name of lower-case letters, digits and underscores, at most 50")]
    Schema,
    /// The file of passwords cannot be read.
    #[error("the password file cannot be read")]
    PassFile,
    /// The file of passwords can be read by others.
    #[error("the password file can be read by others: chmod 600 it")]
    PassFileOpen,
}

/// How the way to the server is encrypted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Encryption {
    /// Not at all.
    Off,
    /// With a certificate that the system trusts, or the file.
    On(Option<PathBuf>),
}

/// Where the store is: a database on a server. Has no way to print the password.
#[derive(Clone)]
pub struct Address {
    config: Config,
    schema: String,
    encryption: Encryption,
}

impl Address {
    /// Reads `postgres://USER[:PASSWORD]@HOST[:PORT]/DATABASE[?OPTIONS]`. Options are those of libpq that the driver knows, and
    /// `schema` (default `banksman`), `sslmode`, `sslrootcert`. Without `sslmode` the way to another machine is encrypted, and the
    /// server's certificate verified, as with `require`, `verify-ca` and `verify-full`; `prefer` takes what the server has; `disable`
    /// encrypts nothing.
    pub fn parse(url: &str) -> Result<Self, AddressError> {
        let (base, query) = url.split_once('?').unwrap_or((url, ""));
        if !base.starts_with("postgres://") && !base.starts_with("postgresql://") {
            return Err(AddressError::Shape);
        }
        let (mut schema, mut mode, mut roots) = (SCHEMA.to_owned(), None, None);
        let mut rest = Vec::new();
        for option in query.split('&').filter(|option| !option.is_empty()) {
            match option.split_once('=').ok_or(AddressError::Shape)? {
                ("schema", name) => name.clone_into(&mut schema),
                ("sslmode", value) => mode = Some(value),
                ("sslrootcert", file) => roots = Some(PathBuf::from(decode(file)?)),
                _ => rest.push(option),
            }
        }
        if !is_plain(&schema) {
            return Err(AddressError::Schema);
        }
        let whole = if rest.is_empty() { base.to_owned() } else { format!("{base}?{}", rest.join("&")) };
        let mut config: Config = whole.parse().map_err(|_| AddressError::Shape)?;
        if config.get_hosts().is_empty() {
            config.host("localhost");
        }
        let (ssl_mode, encryption) = match mode {
            None if is_here(&config) => (SslMode::Disable, Encryption::Off),
            Some("disable") => (SslMode::Disable, Encryption::Off),
            Some("prefer") => (SslMode::Prefer, Encryption::On(roots)),
            None | Some("require" | "verify-ca" | "verify-full") => (SslMode::Require, Encryption::On(roots)),
            Some(_) => return Err(AddressError::Mode),
        };
        config.ssl_mode(ssl_mode);
        if config.get_application_name().is_none() {
            config.application_name("banksman");
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT);
        }
        // A network that drops packets without a word is noticed within seconds, not when the kernel gives up.
        if config.get_tcp_user_timeout().is_none() {
            config.tcp_user_timeout(SILENCE);
        }
        config.keepalives_idle(SILENCE);
        Ok(Self { config, schema, encryption })
    }

    /// The same with a password, unless the address has one.
    #[must_use]
    pub fn with_password(mut self, password: &SecretString) -> Self {
        if self.config.get_password().is_none() {
            self.config.password(password.expose_secret());
        }
        self
    }

    /// The same with the password that a file of libpq's shape (`host:port:database:user:password`, mode 600) has for it, unless the
    /// address has one. A file that is not there changes nothing.
    pub fn with_passfile(self, file: &Path) -> Result<Self, AddressError> {
        if self.config.get_password().is_some() || !file.exists() {
            return Ok(self);
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(file).map_err(|_| AddressError::PassFile)?.permissions().mode();
            if mode & 0o077 != 0 {
                return Err(AddressError::PassFileOpen);
            }
        }
        let lines = fs::read_to_string(file).map_err(|_| AddressError::PassFile)?;
        let password = lines.lines().find_map(|line| self.password_in(line));
        Ok(match password {
            Some(password) => self.with_password(&SecretString::from(password)),
            None => self,
        })
    }

    /// Whether the address itself has a password; one on a command line is there for everybody on the machine to read.
    pub fn has_password(&self) -> bool {
        self.config.get_password().is_some()
    }

    /// Host and port, for people.
    pub fn place(&self) -> String {
        let host = match self.config.get_hosts().first() {
            Some(Host::Tcp(name)) => name.clone(),
            #[cfg(unix)]
            Some(Host::Unix(path)) => path.display().to_string(),
            None => "localhost".to_owned(),
        };
        format!("{host}:{}", self.port())
    }

    /// Name of the schema.
    pub fn schema(&self) -> &str {
        &self.schema
    }

    pub(super) fn config(&self) -> &Config {
        &self.config
    }

    pub(super) fn encryption(&self) -> &Encryption {
        &self.encryption
    }

    fn port(&self) -> u16 {
        self.config.get_ports().first().copied().unwrap_or(5432)
    }

    fn password_in(&self, line: &str) -> Option<String> {
        if line.starts_with('#') {
            return None;
        }
        let host = match self.config.get_hosts().first() {
            Some(Host::Tcp(name)) => name.clone(),
            _ => "localhost".to_owned(),
        };
        let user = self.config.get_user().unwrap_or_default();
        let database = self.config.get_dbname().unwrap_or(user);
        let fields = passfile_fields(line);
        let [at, port, name, who, password] = <[String; 5]>::try_from(fields).ok()?;
        let is = |field: &str, value: &str| field == "*" || field == value;
        let fits =
            is(&at, &host) && is(&port, &self.port().to_string()) && is(&name, database) && is(&who, user);
        fits.then_some(password)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Address")
            .field("place", &self.place())
            .field("schema", &self.schema)
            .field("encryption", &self.encryption)
            .finish_non_exhaustive()
    }
}

/// Fields between colons; a backslash takes the next character as it is.
fn passfile_fields(line: &str) -> Vec<String> {
    let (mut fields, mut field) = (Vec::new(), String::new());
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        match character {
            ':' if fields.len() < 4 => fields.push(std::mem::take(&mut field)),
            '\\' => field.extend(characters.next()),
            other => field.push(other),
        }
    }
    fields.push(field);
    fields
}

/// Whether the server is on this machine, so that nobody listens on the way.
fn is_here(config: &Config) -> bool {
    let loopback =
        |name: &str| name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    config.get_hostaddrs().iter().all(IpAddr::is_loopback)
        && config.get_hosts().iter().all(|host| match host {
            Host::Tcp(name) => loopback(name),
            #[cfg(unix)]
            Host::Unix(_) => true,
        })
}

fn is_plain(name: &str) -> bool {
    (1..=50).contains(&name.len())
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && !name.starts_with("pg_")
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

/// Takes `%2F` and the like back.
fn decode(text: &str) -> Result<String, AddressError> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, more @ ..] = rest {
        match (first, more) {
            (b'%', [high, low, after @ ..]) => {
                let digits = [*high, *low];
                let digits = std::str::from_utf8(&digits).map_err(|_| AddressError::Shape)?;
                bytes.push(u8::from_str_radix(digits, 16).map_err(|_| AddressError::Shape)?);
                rest = after;
            }
            (other, _) => {
                bytes.push(*other);
                rest = more;
            }
        }
    }
    String::from_utf8(bytes).map_err(|_| AddressError::Shape)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encryption(url: &str) -> (SslMode, Encryption) {
        let address = Address::parse(url).unwrap();
        (address.config.get_ssl_mode(), address.encryption)
    }

    #[test]
    fn another_machine_is_reached_in_the_clear_only_when_the_address_says_so() {
        for here in
            ["postgres://me@localhost/db", "postgres://me@127.0.0.1/db", "postgres://me@%2Ftmp%2Fpg/db"]
        {
            assert_eq!(encryption(here), (SslMode::Disable, Encryption::Off), "{here}");
        }
        assert_eq!(encryption("postgres://me@fleet/db"), (SslMode::Require, Encryption::On(None)));
        assert_eq!(
            encryption("postgres://me@localhost,fleet/db"),
            (SslMode::Require, Encryption::On(None)),
            "one of several hosts is elsewhere"
        );
        assert_eq!(encryption("postgres://me@fleet/db?sslmode=disable"), (SslMode::Disable, Encryption::Off));
        let file = encryption("postgres://me@fleet/db?sslmode=verify-full&sslrootcert=%2Fetc%2Fca.pem");
        assert_eq!(file, (SslMode::Require, Encryption::On(Some(PathBuf::from("/etc/ca.pem")))));
        assert_eq!(Address::parse("postgres://me@fleet/db?sslmode=maybe").unwrap_err(), AddressError::Mode);
    }

    #[test]
    fn nothing_prints_a_password() {
        let address = Address::parse("postgres://me:canary@fleet/db?schema=jobs").unwrap();
        assert!(address.has_password());
        assert!(!format!("{address:?} {}", address.place()).contains("canary"));
        let wrong = Address::parse("postgres://me:canary@fleet:port/db").unwrap_err();
        assert!(!format!("{wrong} {wrong:?}").contains("canary"));
    }

    #[test]
    fn a_schema_is_a_plain_name() {
        assert_eq!(Address::parse("postgres://me@localhost/db").unwrap().schema(), "banksman");
        for bad in ["", "1a", "a;b", "a-b", "Ab", "pg_x"] {
            let url = format!("postgres://me@localhost/db?schema={bad}");
            assert_eq!(Address::parse(&url).unwrap_err(), AddressError::Schema, "{bad}");
        }
        assert_eq!(Address::parse("mysql://me@localhost/db").unwrap_err(), AddressError::Shape);
    }

    #[test]
    fn a_password_file_is_read_as_libpq_reads_it() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("pgpass");
        fs::write(&file, "# mine\nother:*:*:*:no\nfleet:5432:db:me:a\\:b\\\\c\nfleet:*:*:*:later\n").unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let open = Address::parse("postgres://me@fleet/db").unwrap().with_passfile(&file);
            assert_eq!(open.unwrap_err(), AddressError::PassFileOpen);
            fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        }
        let password = |url: &str| {
            let address = Address::parse(url).unwrap().with_passfile(&file).unwrap();
            address.config.get_password().map(<[u8]>::to_vec)
        };
        assert_eq!(password("postgres://me@fleet/db"), Some(b"a:b\\c".to_vec()));
        assert_eq!(password("postgres://me@fleet:6543/db"), Some(b"later".to_vec()));
        assert_eq!(password("postgres://me:own@fleet/db"), Some(b"own".to_vec()));
        assert_eq!(password("postgres://me@elsewhere/db"), None);
    }
}
