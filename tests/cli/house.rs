//! A course in Elektrėnai with twelve seats and a line before them, and the binary that is run against it.

use crate::support::client::{Client, SignedUp};
use crate::support::service::{Database, Service};
use crate::support::words::*;
use eile::api::proto as pb;
use std::path::{Path, PathBuf};
use std::process::Stdio;

/// What a run of the binary said, and how it ended.
#[derive(Debug)]
pub struct Said {
    pub code: i32,
    pub bytes: Vec<u8>,
    pub error: String,
}

impl Said {
    pub fn text(&self) -> String {
        String::from_utf8(self.bytes.clone()).unwrap()
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.bytes).unwrap_or_else(|e| panic!("{e}: {}{}", self.text(), self.error))
    }

    /// It ended well.
    #[track_caller]
    pub fn well(self) -> Self {
        assert_eq!(self.code, 0, "{}{}", self.text(), self.error);
        self
    }

    /// It ended with this code, and said this on standard error.
    #[track_caller]
    pub fn ended(self, code: i32, words: &str) -> Self {
        assert_eq!(self.code, code, "{}{}", self.text(), self.error);
        assert!(self.error.contains(words), "no `{words}` in {}", self.error);
        self
    }
}

/// `eile`, in a folder of its own, without any settings from outside.
pub fn command(folder: &Path, arguments: &[&str]) -> tokio::process::Command {
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_eile"));
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("EILE_")) {
        command.env_remove(name);
    }
    command.env_remove("NO_COLOR").current_dir(folder).args(arguments).stdin(Stdio::null()).kill_on_drop(true);
    command
}

pub async fn run(mut command: tokio::process::Command) -> Said {
    let output = command.output().await.unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    Said { code: output.status.code().unwrap_or(-1), bytes: output.stdout, error }
}

pub struct House {
    pub service: Service,
    pub desk: Client,
    pub event: String,
    pub people: Vec<SignedUp>,
    /// The access key that the binary shows.
    pub key: Option<String>,
    folder: tempfile::TempDir,
}

pub const TITLE: &str = "Pozityvi tėvystė: šąžiningai, ūmai, įdomiai";

/// The names of those who sign up, with every Lithuanian letter, and some that a spreadsheet would calculate.
pub const NAMES: [&str; 8] = [
    "Ąžuolė Čiurlytė",
    "Ęglė Ėdminaitė",
    "Įna Šimaitė",
    "Ųla Ūsaitė, \"Žemė\"",
    "=HYPERLINK(\"http://example.org\")",
    "+37000000001",
    "-2+3",
    "@SUM(A1)",
];

impl House {
    /// Two sessions of two hours, six seats; parties of one, the last two of which wait.
    pub async fn open(database: Database) -> Self {
        let service = Service::start(database, "2025-01-13T08:00").await;
        let desk = service.client().await;
        let event = pb::Event {
            seat_pools: vec![pool("main", 6)],
            registration_window: window("2025-01-13T09:00", "2025-01-31T12:00"),
            ..course(TITLE, &["2025-02-04T17:30", "2025-02-11T17:30"])
        };
        let event = desk.publish(event).await.name;
        let mut people = Vec::new();
        for (n, name) in NAMES.into_iter().enumerate() {
            service.move_to(&format!("2025-01-13T09:0{}", n / 3)).await;
            let contact = pb::Contact {
                display_name: name.into(),
                email: format!("p{n}@example.org"),
                phone: format!("+370 000 0000{n}"),
            };
            people.push(
                desk.sign_up(&event, pb::Registration { contact: Some(contact), ..party(name, 1) }).await.unwrap(),
            );
        }
        Self { service, desk, event, people, key: None, folder: tempfile::tempdir().unwrap() }
    }

    pub fn server(&self) -> String {
        format!("http://{}", self.service.address())
    }

    pub fn command(&self, arguments: &[&str]) -> tokio::process::Command {
        let mut command = command(self.folder.path(), arguments);
        command.env("EILE_SERVER", self.server());
        if let Some(key) = &self.key {
            command.env("EILE_KEY", key);
        }
        command
    }

    /// Runs the binary against the service.
    pub async fn run(&self, arguments: &[&str]) -> Said {
        run(self.command(arguments)).await
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What lies in the folder that the binary runs in.
    pub fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder.path()).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    /// The last part of a party's name.
    pub fn id(&self, n: usize) -> &str {
        self.people[n].name.rsplit('/').next().unwrap()
    }
}
