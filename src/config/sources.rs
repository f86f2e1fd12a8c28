//! Where settings come from: defaults < file < environment < flags. Everything goes through one table whose
//! keys and types are those of the defaults, so that a key that does not exist is refused wherever it stands.

use super::{Config, ConfigError};
use std::collections::BTreeMap;
use std::path::Path;
use toml::{Table, Value};

/// The prefix of environment variables.
const PREFIX: &str = "EILE_";
/// Variables with the prefix that are no settings: where the settings file is, how clients call, and what tests read.
const NOT_SETTINGS: [&str; 9] = [
    "EILE_CONFIG",
    "EILE_SERVER",
    "EILE_KEY",
    "EILE_CA",
    "EILE_CLIENT_CERTIFICATE",
    "EILE_CLIENT_KEY",
    "EILE_BIN",
    "EILE_TEST_",
    "EILE_BENCH_",
];

/// A setting from the command line: its dotted name, and its value as text.
pub type Setting = (String, String);

/// Reads the settings and checks them.
pub fn load(
    file: Option<&Path>,
    environment: impl IntoIterator<Item = (String, String)>,
    flags: &[Setting],
) -> Result<Config, ConfigError> {
    let mut table = Settings::defaults()?;
    if let Some(path) = file {
        table.read_file(path)?;
    }
    for (name, value) in environment {
        if name.starts_with(PREFIX) && !is_none(&name) {
            table.set_from_environment(&name, &value)?;
        }
    }
    for (name, value) in flags {
        table.set_text(name, value, &format!("flag, {name}={}", shown(name, value)))?;
    }
    let config = table.finish()?;
    config.check()?;
    Ok(config)
}

fn is_none(variable: &str) -> bool {
    NOT_SETTINGS.iter().any(|other| variable == *other || (other.ends_with('_') && variable.starts_with(other)))
}

/// A value as it may be shown: a database's address may hold a password.
fn shown<'a>(name: &str, value: &'a str) -> &'a str {
    if name == "database" { "..." } else { value }
}

/// Every setting under its dotted name, with where its value came from.
struct Settings {
    values: BTreeMap<String, Value>,
    from: BTreeMap<String, String>,
}

impl Settings {
    fn defaults() -> Result<Self, ConfigError> {
        let table = Table::try_from(Config::default()).map_err(|e| ConfigError::Refused(e.to_string()))?;
        Ok(Self { values: flatten("", table), from: BTreeMap::new() })
    }

    fn read_file(&mut self, path: &Path) -> Result<(), ConfigError> {
        let shown = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|why| ConfigError::Unreadable { path: shown.clone(), why })?;
        let table: Table = text
            .parse()
            .map_err(|e: toml::de::Error| ConfigError::Syntax { path: shown.clone(), why: first_line(e.message()) })?;
        for (name, value) in flatten("", table) {
            self.set(&name, value, &format!("file {shown}"))?;
        }
        Ok(())
    }

    fn set_from_environment(&mut self, variable: &str, value: &str) -> Result<(), ConfigError> {
        let from = format!("environment, {variable}");
        let named = |name: &&String| variable == variable_of(name);
        let Some(name) = self.values.keys().find(named).cloned() else {
            return Err(ConfigError::Unknown { name: variable.to_owned(), from: "environment".to_owned() });
        };
        self.set_text(&name, value, &from)
    }

    /// Sets from text, read as the type of the default.
    fn set_text(&mut self, name: &str, text: &str, from: &str) -> Result<(), ConfigError> {
        let value = match self.values.get(name) {
            Some(Value::Integer(_)) => text.trim().parse().ok().map(Value::Integer),
            Some(Value::Boolean(_)) => text.trim().parse().ok().map(Value::Boolean),
            Some(Value::Array(_)) => Some(list(text)),
            _ => Some(Value::String(text.to_owned())),
        };
        // A text that is no number keeps being one, and is refused as such.
        self.set(name, value.unwrap_or_else(|| Value::String(text.to_owned())), from)
    }

    fn set(&mut self, name: &str, value: Value, from: &str) -> Result<(), ConfigError> {
        let Some(old) = self.values.get_mut(name) else {
            return Err(ConfigError::Unknown { name: name.to_owned(), from: from.to_owned() });
        };
        if old.type_str() != value.type_str() {
            let expected = expected(old);
            return Err(ConfigError::WrongType { name: name.to_owned(), from: from.to_owned(), expected });
        }
        *old = value;
        self.from.insert(name.to_owned(), from.to_owned());
        Ok(())
    }

    /// Builds the settings; what is still wrong is the value of one of them.
    fn finish(self) -> Result<Config, ConfigError> {
        let defaults = Settings::defaults()?.values;
        for (name, from) in &self.from {
            let mut alone = defaults.clone();
            if let Some(value) = self.values.get(name) {
                alone.insert(name.clone(), value.clone());
            }
            if let Err(e) = nest(alone).try_into::<Config>() {
                let why = first_line(e.message());
                return Err(ConfigError::Refused(format!("setting {name} ({from}): {why}")));
            }
        }
        nest(self.values).try_into().map_err(|e| ConfigError::Refused(first_line(e.message())))
    }
}

/// The environment variable of a setting: `limits.deadline_max_ms` is `EILE_LIMITS_DEADLINE_MAX_MS`.
fn variable_of(name: &str) -> String {
    format!("{PREFIX}{}", name.replace('.', "_").to_uppercase())
}

fn list(text: &str) -> Value {
    let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
    Value::Array(items.map(|item| Value::String(item.to_owned())).collect())
}

fn expected(value: &Value) -> &'static str {
    match value {
        Value::Integer(_) => "a whole number",
        Value::Boolean(_) => "true or false",
        Value::Array(_) => "a list of texts",
        _ => "a text",
    }
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}

fn flatten(prefix: &str, table: Table) -> BTreeMap<String, Value> {
    let mut flat = BTreeMap::new();
    for (key, value) in table {
        let name = if prefix.is_empty() { key } else { format!("{prefix}.{key}") };
        match value {
            Value::Table(inner) if !inner.is_empty() => flat.extend(flatten(&name, inner)),
            other => {
                flat.insert(name, other);
            }
        }
    }
    flat
}

fn nest(flat: BTreeMap<String, Value>) -> Table {
    let mut table = Table::new();
    for (name, value) in flat {
        match name.split_once('.') {
            None => table.insert(name, value),
            Some((room, key)) => match table.entry(room).or_insert_with(|| Value::Table(Table::new())) {
                Value::Table(inner) => inner.insert(key.to_owned(), value),
                _ => None,
            },
        };
    }
    table
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use super::*;

    fn pairs(all: &[(&str, &str)]) -> Vec<(String, String)> {
        all.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn refused(file: Option<&str>, env: &[(&str, &str)], flags: &[(&str, &str)]) -> String {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("eile.toml");
        if let Some(text) = file {
            std::fs::write(&path, text).unwrap();
        }
        let file = file.map(|_| path.as_path());
        load(file, pairs(env), &pairs(flags)).unwrap_err().to_string()
    }

    #[test]
    fn flags_win_over_the_environment_and_that_over_the_file_and_that_over_the_defaults() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("eile.toml");
        std::fs::write(&path, "[desk]\nbatch_max = 1\nqueue_max = 1\ncache_max = 1\n").unwrap();
        let env = pairs(&[("EILE_DESK_QUEUE_MAX", "2"), ("EILE_DESK_CACHE_MAX", "2"), ("HOME", "/")]);
        let config = load(Some(&path), env, &pairs(&[("desk.cache_max", "3")])).unwrap();
        let desk = config.desk;
        assert_eq!((desk.batch_max, desk.queue_max, desk.cache_max), (1, 2, 3));
        assert_eq!(desk.sweep_every_ms, 1_000);
    }

    #[test]
    fn every_kind_of_value_can_be_given_as_text() {
        let env = pairs(&[
            ("EILE_MIGRATE", "false"),
            ("EILE_LISTEN", "[::1]:9000"),
            ("EILE_WEB_CORS_ORIGINS", "https://a.example, http://localhost:5173"),
            ("EILE_LOG_FORMAT", "json"),
            ("EILE_TEST_ANYTHING", "is no setting"),
            ("EILE_KEY", "nor is what clients show"),
            ("EILE_TLS_KEY_FILE", "key.pem"),
            ("EILE_TLS_CERTIFICATE_FILE", "certificate.pem"),
        ]);
        let config = load(None, env, &[]).unwrap();
        assert!(!config.migrate && config.tls.files().is_some());
        assert_eq!(config.listen.to_string(), "[::1]:9000");
        assert_eq!(config.web.cors_origins, ["https://a.example", "http://localhost:5173"]);
        assert_eq!(config.log.format, crate::config::LogFormat::Json);
    }

    #[test]
    fn a_setting_that_does_not_exist_is_refused_wherever_it_stands() {
        assert!(refused(Some("[desk]\nbatchmax = 1\n"), &[], &[]).starts_with("there is no setting desk.batchmax"));
        assert!(refused(Some("[dask]\n"), &[], &[]).contains("dask"));
        assert!(refused(None, &[("EILE_LISTN", "x")], &[]).contains("EILE_LISTN"));
        assert!(refused(None, &[("EILE_KEYS", "x")], &[]).contains("EILE_KEYS"));
        assert!(refused(None, &[], &[("desk", "1")]).contains("there is no setting desk"));
    }

    #[test]
    fn a_wrong_value_is_refused_with_its_name_and_where_it_came_from() {
        let line = refused(Some("[desk]\nbatch_max = \"many\"\n"), &[], &[]);
        assert!(line.contains("desk.batch_max") && line.contains("a whole number"), "{line}");
        let line = refused(None, &[("EILE_LOG_FORMAT", "loud")], &[]);
        assert!(line.contains("log.format") && line.contains("EILE_LOG_FORMAT"), "{line}");
        let line = refused(None, &[], &[("limits.connections_max", "-1")]);
        assert!(line.contains("limits.connections_max"), "{line}");
        let line = refused(None, &[], &[("database", "mysql://u:p4ss@h/d")]);
        assert!(line.contains("mysql") && !line.contains("p4ss"), "{line}");
        assert!(refused(Some("listen = \n"), &[], &[]).contains("is not TOML"));
        let missing = load(Some(Path::new("no/such/file.toml")), [], &[]).unwrap_err();
        assert!(missing.to_string().contains("no/such/file.toml"));
    }
}
