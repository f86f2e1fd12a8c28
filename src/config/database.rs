//! Which database: told from its address. The address of a PostgreSQL database may hold a password, so
//! neither `Debug` nor `Display` shows one.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::PathBuf;

/// Where everything is kept.
#[derive(Clone, PartialEq, Eq)]
pub enum Database {
    Sqlite(PathBuf),
    Postgres(Postgres),
}

/// The address of a PostgreSQL database.
#[derive(Clone, PartialEq, Eq)]
pub struct Postgres(String);

impl Postgres {
    /// The whole address, with the password. For connecting only.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl Default for Database {
    fn default() -> Self {
        Self::Sqlite(PathBuf::from("eile-data/eile.db"))
    }
}

impl Database {
    /// Reads an address: a path, `sqlite:path`, or `postgres://...`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let scheme = text.split_once("://").map(|(scheme, _)| scheme);
        match scheme {
            Some("postgres" | "postgresql") => Ok(Self::Postgres(Postgres(text.to_owned()))),
            Some("sqlite") => Self::file(&text["sqlite://".len()..]),
            // A wrong address may hold a password too: only its scheme is repeated.
            Some(other) => Err(format!("database scheme {other} is not known: give a file, or postgres://...")),
            None => Self::file(text.strip_prefix("sqlite:").unwrap_or(text)),
        }
    }

    fn file(path: &str) -> Result<Self, String> {
        if path.trim().is_empty() {
            return Err("database is empty: give a file, or postgres://...".to_owned());
        }
        if path == ":memory:" {
            return Err("database :memory: keeps nothing; give a file".to_owned());
        }
        Ok(Self::Sqlite(PathBuf::from(path)))
    }

    /// The address as it may be shown: no user, password or options.
    fn shown(&self) -> String {
        match self {
            Self::Sqlite(path) => path.display().to_string(),
            Self::Postgres(Postgres(url)) => {
                let rest = url.split_once("://").map_or("", |(_, rest)| rest);
                let rest = rest.split(['?', '#']).next().unwrap_or("");
                // The last @ ends the user part: a password may hold one that nobody escaped.
                let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
                format!("postgres://{host}")
            }
        }
    }
}

impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown())
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Database({})", self.shown())
    }
}

impl Serialize for Database {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&self.shown())
    }
}

impl<'de> Deserialize<'de> for Database {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(d)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use super::*;

    #[test]
    fn a_database_is_told_from_its_address() {
        let file = |path: &str| Database::Sqlite(PathBuf::from(path));
        assert_eq!(Database::parse("data/eile.db").unwrap(), file("data/eile.db"));
        assert_eq!(Database::parse("sqlite:data/eile.db").unwrap(), file("data/eile.db"));
        assert_eq!(Database::parse("sqlite:///var/eile.db").unwrap(), file("/var/eile.db"));
        assert!(matches!(Database::parse("postgresql://h/d").unwrap(), Database::Postgres(_)));
        for bad in ["", " ", ":memory:", "mysql://u:p4ss@h/d", "sqlite:", "http://h"] {
            let refused = Database::parse(bad).unwrap_err();
            assert!(!refused.contains("p4ss"), "{refused}");
        }
    }

    #[test]
    fn a_password_is_never_shown() {
        for url in ["postgres://ona:s3cret@db:5432/eile", "postgres://ona:s3@cret@db:5432/eile?password=s3cret#s3cret"]
        {
            let database = Database::parse(url).unwrap();
            assert_eq!(format!("{database}"), "postgres://db:5432/eile");
            assert_eq!(format!("{database:?}"), "Database(postgres://db:5432/eile)");
            assert!(!toml::Value::try_from(&database).unwrap().to_string().contains("s3"));
        }
    }
}
