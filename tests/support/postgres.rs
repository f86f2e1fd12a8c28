//! A throw-away PostgreSQL cluster for integration tests: `#[path = "../support/postgres.rs"] mod postgres;`.
//!
//! The server binaries are those of the machine (`/usr/lib/postgresql/*/bin`, or PATH). The cluster lives in
//! a folder of its own, listens on loopback, and keeps `fsync` on. A small shell waits beside it for the end
//! of a pipe that only the test process holds: however that process ends, the server is stopped and the
//! folder removed.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used)]

use std::io::Write;
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// A running cluster.
pub struct Cluster {
    folder: PathBuf,
    port: u16,
    keeper: Child,
    databases: AtomicU32,
    ordinary: OnceLock<()>,
}

/// The cluster that all tests of one test binary share; each takes a database of its own in it.
pub fn shared() -> &'static Cluster {
    static SHARED: OnceLock<Cluster> = OnceLock::new();
    SHARED.get_or_init(Cluster::start)
}

/// Starts the server, and cleans up when its standard input ends.
const KEEPER: &str = r#"
folder=$1; shift
"$@" &
server=$!
cat > /dev/null
kill -QUIT "$server" 2> /dev/null
wait "$server"
rm -rf "$folder"
"#;

impl Cluster {
    /// Makes and starts a cluster, or says why there can be none.
    pub fn start() -> Self {
        static STARTED: AtomicU32 = AtomicU32::new(0);
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("eile-postgres-{}-{number}", std::process::id()));
        run(as_server_user(Path::new("mkdir")).arg("-m").arg("700").arg(&folder));
        // A linguistic order of words, where the machine has one: nothing may depend on it.
        if !init(&folder, &["--locale-provider=icu", "--icu-locale=en-US", "--locale=C.UTF-8"]) {
            run(Command::new("rm").arg("-rf").arg(folder.join("data")));
            assert!(init(&folder, &["--locale=C"]), "initdb failed in {}", folder.display());
        }
        for _ in 0..5 {
            if let Some(cluster) = Self::serve(&folder) {
                return cluster;
            }
        }
        panic!("PostgreSQL does not start; see {}/log", folder.display());
    }

    /// `None` where somebody else took the port in between.
    fn serve(folder: &Path) -> Option<Self> {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let server = as_server_user(&binary("postgres"));
        let log = std::fs::File::create(folder.join("log")).unwrap();
        let keeper = Command::new("sh")
            .args(["-c", KEEPER, "keeper"])
            .arg(folder)
            .arg(server.get_program())
            .args(server.get_args())
            .arg("-D")
            .arg(folder.join("data"))
            .arg("-k")
            .arg(folder)
            .args(["-h", "127.0.0.1", "-p", &port.to_string()])
            .args(["-c", "max_connections=200", "-c", "lc_messages=C"])
            .stdin(Stdio::piped())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            // A group of its own: an interrupt at the keyboard ends the tests, and they end the cluster.
            .process_group(0)
            .spawn()
            .unwrap();
        let cluster =
            Self { folder: folder.to_owned(), port, keeper, databases: AtomicU32::new(0), ordinary: OnceLock::new() };
        let until = Instant::now() + Duration::from_secs(20);
        while Instant::now() < until {
            let mut ready = Command::new(binary("pg_isready"));
            if ready.args(["-q", "-h", "127.0.0.1", "-p", &port.to_string()]).status().unwrap().success() {
                return Some(cluster);
            }
            if std::fs::read_to_string(folder.join("log")).unwrap_or_default().contains("could not bind") {
                std::mem::forget(cluster);
                return None;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        None
    }

    /// Makes an empty database and answers its URL.
    pub fn database(&self) -> String {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.query("postgres", &format!("create database {name}"));
        self.url_of(&name)
    }

    /// Speaks TLS from now on, with this certificate and its key.
    pub fn speak_tls(&self, certificate: &str, key: &str) {
        let data = self.folder.join("data");
        for (name, text) in [("server.crt", certificate), ("server.key", key)] {
            let path = data.join(name);
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
            let owner = std::fs::metadata(&data).unwrap();
            std::os::unix::fs::chown(&path, Some(owner.uid()), Some(owner.gid())).unwrap();
        }
        self.query("postgres", "alter system set ssl = on");
        self.query("postgres", "select pg_reload_conf()");
    }

    /// Makes an empty database of a user who may do nothing but own it, as most services have it. Answers its URL for whoever
    /// may do all; see [`as_owner`].
    pub fn database_of_ordinary_owner(&self) -> String {
        self.ordinary.get_or_init(|| drop(self.query("postgres", "create role ordinary login")));
        let url = self.database();
        let name = url.rsplit('/').next().unwrap();
        self.query("postgres", &format!("alter database {name} owner to ordinary"));
        url
    }

    /// The URL of the database that every cluster has.
    pub fn url(&self) -> String {
        self.url_of("postgres")
    }

    pub fn url_of(&self, database: &str) -> String {
        format!("postgres://eile@127.0.0.1:{}/{database}", self.port)
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// What `psql` answers, without decoration. `database` is a name or a URL.
    pub fn query(&self, database: &str, sql: &str) -> String {
        let url = if database.contains("://") { database.to_owned() } else { self.url_of(database) };
        let done = run(Command::new(binary("psql")).args(["-X", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", sql, &url]));
        String::from_utf8(done.stdout).unwrap().trim().to_owned()
    }
}

/// The same database for its ordinary owner.
pub fn as_owner(url: &str) -> String {
    url.replace("//eile@", "//ordinary@")
}

/// Runs a dump in an empty database.
pub fn restore(url: &str, text: &[u8]) {
    let mut psql = Command::new(binary("psql"));
    psql.args(["-X", "-q", "-v", "ON_ERROR_STOP=1", url]).stdin(Stdio::piped()).stdout(Stdio::null());
    let mut psql = psql.spawn().unwrap();
    psql.stdin.take().unwrap().write_all(text).unwrap();
    assert!(psql.wait().unwrap().success());
}

/// What `pg_dump` answers.
pub fn dump(url: &str, flags: &[&str], settings: Option<&str>) -> Output {
    let mut command = Command::new(binary("pg_dump"));
    settings.map(|settings| command.env("PGOPTIONS", settings));
    command.args(flags).arg(url).output().unwrap()
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}

fn init(folder: &Path, locale: &[&str]) -> bool {
    let mut initdb = as_server_user(&binary("initdb"));
    initdb.arg("-D").arg(folder.join("data")).args(["-U", "eile", "-A", "trust", "-E", "UTF8", "-N"]).args(locale);
    initdb.output().unwrap().status.success()
}

/// The server refuses to run as root: there it runs as another user of the machine.
fn as_server_user(program: &Path) -> Command {
    if user_id(None).as_deref() != Some("0") {
        return Command::new(program);
    }
    let user = ["postgres", "nobody"].into_iter().find(|user| user_id(Some(user)).is_some()).expect("a user but root");
    let mut command = Command::new("setpriv");
    command.arg(format!("--reuid={user}")).arg("--clear-groups").arg(program).current_dir("/");
    command
}

fn user_id(name: Option<&str>) -> Option<String> {
    let done = Command::new("id").arg("-u").args(name).output().ok()?;
    done.status.success().then(|| String::from_utf8_lossy(&done.stdout).trim().to_owned())
}

/// The newest of the machine's PostgreSQL, or what PATH has.
fn binary(name: &str) -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = versions
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse::<u32>().ok()?, entry.path())))
        .max_by_key(|(version, _)| *version);
    newest.map(|(_, folder)| folder.join("bin").join(name)).filter(|path| path.exists()).unwrap_or_else(|| name.into())
}

fn run(command: &mut Command) -> Output {
    let done = command.output().unwrap_or_else(|e| panic!("{command:?}: {e}"));
    if !done.status.success() {
        let _ = std::io::stderr().write_all(&done.stderr);
        panic!("{command:?} failed");
    }
    done
}
