//! `eile` as a process: what it says, what it refuses, how it ends.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::time::{Duration, Instant};
use tonic_health::pb::health_client::HealthClient;

pub fn eile(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_eile"));
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("EILE_")) {
        command.env_remove(name);
    }
    command.current_dir(folder).args(arguments).stdin(Stdio::null());
    command
}

pub fn run(folder: &Path, arguments: &[&str]) -> Output {
    eile(folder, arguments).output().unwrap()
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A server in a process of its own, killed when dropped.
pub struct Served {
    child: Child,
    stdout: BufReader<ChildStdout>,
    said: Vec<String>,
}

impl Served {
    pub fn start(folder: &Path, more: &[&str]) -> Self {
        let mut arguments = vec!["serve", "--listen", "127.0.0.1:0"];
        arguments.extend(more);
        let mut child = eile(folder, &arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let mut served = Self { child, stdout, said: Vec::new() };
        served.hear_until("ready");
        served
    }

    fn hear_until(&mut self, last: &str) {
        loop {
            let mut line = String::new();
            assert_ne!(self.stdout.read_line(&mut line).unwrap(), 0, "it ended after {:?}", self.said);
            self.said.push(line.trim_end().to_owned());
            if self.said.last().is_some_and(|line| line == last) {
                return;
            }
        }
    }

    /// Whether it has said this in some line.
    pub fn says(&self, words: &str) -> bool {
        self.said.iter().any(|line| line.contains(words))
    }

    pub fn word_after(&self, start: &str) -> String {
        let line = self.said.iter().find_map(|line| line.strip_prefix(start));
        let line = line.unwrap_or_else(|| panic!("no `{start}` in {:?}", self.said));
        line.split_whitespace().next().unwrap().to_owned()
    }

    /// What it has of the machine's memory, in KiB: `VmRSS` now, `VmHWM` at most so far.
    pub fn memory_kib(&self, which: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(which)?.strip_prefix(':')).unwrap();
        line.split_whitespace().next().unwrap().parse().unwrap()
    }

    /// Tells it to stop, and waits for a good end.
    pub fn stop(&mut self) {
        self.signal("TERM");
        self.hear_until("stopped");
        assert!(self.child.wait().unwrap().success());
    }

    /// As a machine that fails.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &pid]).status().unwrap().success());
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn it_says_what_it_uses_serves_and_leaves_in_order_when_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut served = Served::start(folder.path(), &["--metrics-listen", "127.0.0.1:0"]);
    assert!(served.said[0].starts_with("eile 0."), "{:?}", served.said);
    assert_eq!(served.word_after("database: "), "eile-data/eile.db");
    assert!(served.said[1].contains("(SQLite 3."), "{:?}", served.said);
    assert!(folder.path().join("eile-data/eile.db").exists());

    let url = format!("http://{}", served.word_after("calls: "));
    let channel = tonic::transport::Channel::from_shared(url).unwrap().connect().await.unwrap();
    let mut health = HealthClient::new(channel);
    let answer = health.check(tonic_health::pb::HealthCheckRequest::default()).await.unwrap();
    assert_eq!(answer.get_ref().status, 1);
    let operators = served.word_after("operators: http://");
    let operators = operators.split('/').next().unwrap().parse().unwrap();
    let waiting = "eile_desk_waiting{line=\"0\"} 0";
    for (path, expected) in
        [("metrics", "eile_build_info"), ("metrics", waiting), ("livez", "alive"), ("readyz", "ready")]
    {
        let answer = crate::browsers::http(operators, &format!("GET /{path} HTTP/1.1\r\n"), &[]).await;
        assert!(answer.starts_with("http/1.1 200") && answer.contains(expected), "{answer}");
    }

    served.stop();
    // What it left is in order.
    let checked = run(folder.path(), &["check"]);
    assert_eq!(checked.status.code(), Some(0), "{}", text(&checked.stderr));
    assert!(text(&checked.stdout).contains("everything agrees"), "{}", text(&checked.stdout));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_json_where_asked_for_and_names_the_trace_of_each_call() {
    let folder = tempfile::tempdir().unwrap();
    let mut served = Served::start(folder.path(), &["--log-format", "json", "--log-level", "debug"]);
    let url = format!("http://{}", served.word_after("calls: "));
    let channel = tonic::transport::Channel::from_shared(url).unwrap().connect().await.unwrap();
    let mut client = eile::api::proto::event_service_client::EventServiceClient::new(channel);
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let mut request = tonic::Request::new(eile::api::proto::ListEventsRequest::default());
    let parent = format!("00-{trace}-00f067aa0ba902b7-01");
    request.metadata_mut().insert("traceparent", parent.parse().unwrap());
    client.list_events(request).await.unwrap();
    served.stop();

    let mut log = String::new();
    served.child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
    let lines: Vec<serde_json::Value> =
        log.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"))).collect();
    let answered = lines.iter().find(|line| line["trace_id"] == trace).unwrap_or_else(|| panic!("{log}"));
    assert_eq!((&answered["method"], &answered["code"]), (&"ListEvents".into(), &"OK".into()));
    assert!(answered["duration_ms"].is_number() && answered["timestamp"].is_string(), "{answered}");
}

#[tokio::test]
async fn a_second_signal_stops_it_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let notice = ["--set", "limits.drain_notice_seconds=60"];
    let mut served = Served::start(folder.path(), &notice);
    served.signal("INT");
    served.hear_until("stopping: calls in work may end within 20 s");
    let begun = Instant::now();
    served.signal("TERM");
    served.hear_until("stopped at once");
    assert!(!served.child.wait().unwrap().success());
    assert!(begun.elapsed() < Duration::from_secs(10));
}

#[test]
fn unsafe_and_wrong_settings_are_refused_with_one_line_that_tells_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    let table: [(&[&str], &str); 7] = [
        (&["serve", "--listen", "0.0.0.0:7443"], "listen 0.0.0.0:7443 is not a loopback address"),
        (&["serve", "--database", "mysql://ona:s3cret@db/eile"], "database scheme mysql is not known"),
        (&["serve", "--set", "desk.batchmax=1"], "there is no setting desk.batchmax"),
        (&["serve", "--config", "nowhere.toml"], "cannot read the settings file nowhere.toml"),
        (&["serve", "--log-level", "loud=very"], "log.level loud=very"),
        (&["serve", "--no-migrate"], "cannot open the database eile-data/eile.db"),
        (
            &["serve", "--listen", "127.0.0.1:0", "--database", "postgres://ona:s3cret@127.0.0.1:1/eile"],
            "cannot open the database postgres://127.0.0.1:1/eile",
        ),
    ];
    for (arguments, expected) in table {
        let output = run(folder.path(), arguments);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {said}");
        let line = said.lines().find(|line| line.starts_with("eile: ")).unwrap_or_default();
        assert!(line.contains(expected), "{arguments:?}: {said}");
        assert!(!said.contains("s3cret") && !text(&output.stdout).contains("s3cret"), "{said}");
    }
    assert!(!folder.path().join("eile-data/eile.db").exists());
}

#[test]
fn where_strangers_may_come_from_nothing_starts_without_a_key() {
    let folder = tempfile::tempdir().unwrap();
    for listen in ["127.0.0.1:0", "0.0.0.0:0"] {
        let open = run(folder.path(), &["serve", "--behind-proxy", "--listen", listen]);
        assert_eq!(open.status.code(), Some(1), "{listen}");
        assert!(text(&open.stderr).contains("there is no access key"), "{}", text(&open.stderr));
    }
    let made = run(folder.path(), &["admin-key"]);
    assert!(made.status.success(), "{}", text(&made.stderr));
    // `eile admin-key > admin.key` keeps the secret and nothing beside it.
    let secret = text(&made.stdout);
    assert!(secret.starts_with("eile_") && secret.ends_with('\n') && secret.len() == 66, "{secret}");
    assert!(text(&made.stderr).contains("accessKeys/"), "{}", text(&made.stderr));
    let _open = Served::start(folder.path(), &["--behind-proxy"]);
}

#[test]
fn a_second_process_on_the_same_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let _first = Served::start(folder.path(), &[]);
    let second = run(folder.path(), &["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(second.status.code(), Some(1));
    assert!(text(&second.stderr).contains("eile-data/eile.db"), "{}", text(&second.stderr));
}

#[test]
fn a_check_that_cannot_be_made_is_not_a_clean_one() {
    let folder = tempfile::tempdir().unwrap();
    let nothing = run(folder.path(), &["check"]);
    assert_eq!(nothing.status.code(), Some(2), "{}", text(&nothing.stderr));
    assert!(!folder.path().join("eile-data").exists());
    assert!(run(folder.path(), &["migrate"]).status.success());
    assert!(run(folder.path(), &["migrate"]).status.success());
    assert_eq!(run(folder.path(), &["check"]).status.code(), Some(0));
    for name in ["events/nonsense", "events/01936d5e-0000-7000-8000-000000000000"] {
        let output = run(folder.path(), &["check", "--event", name]);
        assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
    }
}
