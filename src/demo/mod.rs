//! `eile demo`: a year of real centres' events, played into a service of its own over gRPC under a clock
//! that the demo moves. Nothing here decides anything: the demo only calls, as portals, parties and staff
//! would, and reads what it is answered.

mod acts;
mod agenda;
mod calls;
mod data;
mod people;
mod plan;
mod player;
mod report;
mod rng;
mod run;
mod terms;

pub use report::{attendance, disagreements, parenting, report};

use crate::audit::{self, Summary};
use crate::cli::Service;
use crate::clock::ManualClock;
use crate::config::{Config, Database, Log};
use crate::model::time::Timestamp;
use crate::telemetry;
use anyhow::{Context, bail};
use calls::Calls;
use data::Year;
use indicatif::{ProgressBar, ProgressStyle};
use player::{Place, Played, Watch};
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use tonic::transport::Endpoint;

#[derive(clap::Args, Debug)]
pub struct DemoArgs {
    /// End after the tables instead of serving on.
    #[arg(long)]
    pub exit: bool,
    /// Varies who comes when, who cancels, who accepts.
    #[arg(long, value_name = "N", default_value_t = 2025)]
    pub seed: u64,
    /// Folder for the database; it must not hold one yet [default: a new one among the temporary files].
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Where calls are taken; loopback only, port 0: any that is free.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    pub listen: SocketAddr,
}

/// A service with a clock of its own, in an empty folder.
pub struct House {
    service: Service,
    clock: Arc<ManualClock>,
    year: Arc<Year>,
}

/// The year played, and what `eile check` says of it.
pub struct Outcome {
    pub played: Played,
    pub checked: Summary,
    /// What `eile check` found, in its words.
    pub differences: Vec<String>,
}

impl Outcome {
    /// Everything agrees, and the service never failed.
    pub fn is_clean(&self) -> bool {
        self.checked.is_clean() && self.played.tally.failures.is_empty() && disagreements(&self.played).is_empty()
    }
}

pub async fn run(args: DemoArgs) -> anyhow::Result<ExitCode> {
    let log = Log { level: "warn".to_owned(), ..Log::default() };
    telemetry::start_log(&log).map_err(anyhow::Error::msg)?;
    let folder = fresh_folder(args.data.as_deref())?;
    let house = House::open(&folder, args.listen, &[]).await?;
    say(format_args!("Eilė plays the year 2025 of six centres. Seed {}, database in {}", args.seed, folder.display()));
    say(format_args!(
        "Every event, number and person is invented, and so is what happens; the institutions are public bodies.\n\
         Telephone numbers begin with +370 0, which no network assigns; mail goes to example.org only."
    ));
    let bar = progress_bar();
    let started = tokio::time::Instant::now();
    let watch = |stage: &run::Stage, at: Timestamp, share: f64| {
        bar.set_position((share * 365.0) as u64);
        bar.set_message(terms::wall(&stage.zone, at));
    };
    let outcome = house.play_watched(args.seed, &watch).await?;
    bar.finish_and_clear();
    let took = started.elapsed();
    say(format_args!("{}", report(&outcome.played)));
    say(format_args!("\n\nEILE CHECK\n{}", outcome.checked));
    for line in outcome.differences.iter().chain(&disagreements(&outcome.played)) {
        say(format_args!("{line}"));
    }
    let (acts, instants) = (outcome.played.acts, outcome.played.instants);
    say(format_args!("\n{acts} things happened at {instants} instants; the year took {:.1} s.", took.as_secs_f64()));
    let code = if outcome.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    if !args.exit {
        invite(&outcome.played, house.service.address()).await;
        told_to_stop().await?;
    }
    house.close().await;
    Ok(code)
}

impl House {
    /// A house for the year of these centres (`C-ELK`, `C-KAI` ...); of all where none is named.
    pub async fn open(folder: &Path, listen: SocketAddr, centres: &[&str]) -> anyhow::Result<Self> {
        if !listen.ip().is_loopback() {
            bail!("{listen} is no loopback address: whoever reaches the demo is trusted as staff");
        }
        let mut year = Year::read()?;
        year.events.retain(|e| centres.is_empty() || centres.contains(&e.centre.as_str()));
        let year = Arc::new(year);
        let clock = Arc::new(ManualClock::at(player::new_year(&year)?));
        let config = Config { listen, database: Database::Sqlite(folder.join("eile.db")), ..Config::default() };
        let service = Service::start(&config, clock.clone()).await?;
        Ok(Self { service, clock, year })
    }

    /// Plays the year unseen and checks what it left.
    pub async fn play(&self, seed: u64) -> anyhow::Result<Outcome> {
        self.play_watched(seed, &|_, _, _| {}).await
    }

    /// Plays the year and checks what it left. `watch` hears of each instant, and of the share of the year
    /// that has passed.
    async fn play_watched(&self, seed: u64, watch: Watch<'_>) -> anyhow::Result<Outcome> {
        let address = format!("http://{}", self.service.address());
        let channel = Endpoint::from_shared(address)?.tcp_nodelay(true).connect().await?;
        let place = Place { desk: self.service.desk().clone(), clock: Arc::clone(&self.clock) };
        let played = player::play(Arc::clone(&self.year), Calls::over(channel), &place, seed, watch).await?;
        let mut differences = Vec::new();
        let store = self.service.desk().store();
        let checked = audit::check_all(&**store, |checked| {
            if !checked.differences.is_empty() {
                differences.push(checked.to_string());
            }
        });
        let checked = checked.await?;
        Ok(Outcome { played, checked, differences })
    }

    pub async fn close(self) {
        self.service.drain().await;
    }
}

async fn told_to_stop() -> anyhow::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted.context("cannot listen for Ctrl-C"),
        _ = terminate.recv() => Ok(()),
    }
}

fn progress_bar() -> ProgressBar {
    // Hidden by itself where nobody looks at a terminal.
    let bar = ProgressBar::new(365);
    if let Ok(style) = ProgressStyle::with_template("{bar:50} day {pos} of {len}  {msg}") {
        bar.set_style(style);
    }
    bar
}

/// The named folder, or a new one among the temporary files.
fn fresh_folder(named: Option<&Path>) -> anyhow::Result<PathBuf> {
    if let Some(folder) = named {
        if folder.join("eile.db").exists() {
            bail!("{} holds a database already: name a folder that does not", folder.display());
        }
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        return Ok(folder.to_owned());
    }
    for n in 0..1_000 {
        let folder = std::env::temp_dir().join(format!("eile-demo-{}-{n}", std::process::id()));
        match std::fs::create_dir(&folder) {
            Ok(()) => return Ok(folder),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error).with_context(|| format!("cannot make {}", folder.display())),
        }
    }
    bail!("no new folder could be made in {}", std::env::temp_dir().display())
}

/// Says a line on standard output; nobody has to listen.
fn say(line: std::fmt::Arguments<'_>) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// Three calls that anybody can make from another window.
async fn invite(played: &Played, address: SocketAddr) {
    let call = |method: &str, body: &str| {
        say(format_args!(
            "\n  buf curl --protocol grpc --http2-prior-knowledge \\\n    http://{address}/eile.v1.{method} \\\n    -d '{body}'"
        ));
    };
    say(format_args!("\nThe service runs on, at the end of its year. Three calls to try from another window:"));
    call("EventService/ListEvents", r#"{"filter": "municipality = 42 AND programme = \"programmes/p01\""}"#);
    let Some(first) = played.runs.first() else { return };
    call(
        "RegistrationService/ListRegistrations",
        &format!(r#"{{"parent": "{}", "filter": "state = WAITLISTED", "pageSize": 3}}"#, first.name),
    );
    let line = first.list(&played.stage, "state = WAITLISTED", "line").await;
    let someone = line.into_iter().next_back().map(|r| r.name).unwrap_or_default();
    call("RegistrationService/ExplainRegistration", &format!(r#"{{"name": "{someone}"}}"#));
    say(format_args!("\nCtrl-C ends it."));
}
