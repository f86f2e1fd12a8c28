//! `eile centres` and `eile programmes`: what events belong to. Opened once, by an administrator; everything beyond the
//! usual fields is UpdateCentre's and UpdateProgramme's.

use super::failure::{Failure, Verdict};
use super::options::{Call, KINDS, Reach, Show, kind, zone};
use super::sheet::{self, Column, Sheet, Value};
use super::wire::{PAGE, Wire};
use super::words;
use crate::api::proto;
use crate::model::time::Zone;
use clap::Subcommand;

const EXAMPLES: &str = "\
Examples:
  eile centres create elektrenai --name 'Elektrėnų šeimos centras' --municipality 42
  eile centres create vilnius --name 'Vilniaus šeimos centras' --municipality 13 --language-spoken pl
  eile centres list
  eile programmes create pozityvi-tevyste --title 'Pozityvi tėvystė' --kind course --sessions 8
  eile programmes list

It takes an administrator's key; programmes may be made by a head too.";

#[derive(Subcommand)]
pub enum Verb {
    /// Opens a centre.
    Create(Create),
    /// Lists the centres.
    List(List),
}

#[derive(Subcommand)]
pub enum Programmes {
    /// Adds a programme, a training that several centres offer.
    Create(CreateProgramme),
    /// Lists the programmes.
    List(List),
}

#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Create {
    /// Its id, by which every other verb knows it: small letters, digits and hyphens.
    #[arg(value_name = "ID")]
    id: String,
    /// Its name in Lithuanian.
    #[arg(long, value_name = "TEXT")]
    name: String,
    /// The municipality where it is: its code.
    #[arg(long, value_name = "CODE")]
    municipality: String,
    /// An eldership that reports tell apart; may be given several times.
    #[arg(long = "eldership", value_name = "CODE=NAME", value_parser = eldership)]
    elderships: Vec<proto::Eldership>,
    /// A language spoken there, the most used first; may be given several times [default: lt].
    #[arg(long = "language-spoken", value_name = "CODE")]
    languages: Vec<String>,
    /// Zone of its local times.
    #[arg(long, value_name = "ZONE", default_value = "Europe/Vilnius", value_parser = zone)]
    time_zone: Zone,
    #[command(flatten)]
    call: Call,
}

#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct CreateProgramme {
    /// Its id: small letters, digits and hyphens.
    #[arg(value_name = "ID")]
    id: String,
    /// Its title in Lithuanian.
    #[arg(long, value_name = "TEXT")]
    title: String,
    /// What sort of event it makes.
    #[arg(long, value_name = "KIND", value_parser = KINDS)]
    kind: String,
    /// How many sessions it usually has [default: not fixed].
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    sessions: i32,
    /// The project that its events are reported under.
    #[arg(long, value_name = "CODE", default_value = "", hide_default_value = true)]
    project: String,
    #[command(flatten)]
    call: Call,
}

#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct List {
    #[command(flatten)]
    reach: Reach,
    #[command(flatten)]
    show: Show,
}

fn eldership(text: &str) -> Result<proto::Eldership, String> {
    let (code, name) = text.split_once('=').ok_or("give CODE=NAME")?;
    Ok(proto::Eldership { code: code.to_owned(), display_name: name.to_owned() })
}

pub async fn run(verb: Verb) -> Result<Verdict, Failure> {
    match verb {
        Verb::Create(arguments) => create(arguments).await,
        Verb::List(arguments) => list(arguments).await,
    }
}

pub async fn programmes(verb: Programmes) -> Result<Verdict, Failure> {
    match verb {
        Programmes::Create(arguments) => create_programme(arguments).await,
        Programmes::List(arguments) => list_programmes(arguments).await,
    }
}

const COLUMNS: &[Column] = &[
    Column::new("centre", "Centre"),
    Column::new("name", "Name"),
    Column::new("municipality", "Municipality"),
    Column::wide("time_zone", "Time zone"),
    Column::wide("languages", "Languages"),
    Column::files("elderships", "Elderships"),
];

fn row(centre: &proto::Centre, language: &str) -> Vec<Value> {
    let elderships: Vec<&str> = centre.elderships.iter().map(|eldership| eldership.code.as_str()).collect();
    vec![
        words::name(&centre.name),
        words::some(&words::text(&centre.display_names, language)),
        words::some(&centre.municipality_code),
        words::some(&centre.time_zone),
        words::some(&centre.languages.join(", ")),
        words::some(&elderships.join(", ")),
    ]
}

async fn create(arguments: Create) -> Result<Verdict, Failure> {
    let wire = Wire::to(&arguments.call.reach)?;
    let centre = proto::Centre {
        display_names: words::lithuanian(&arguments.name),
        municipality_code: arguments.municipality,
        elderships: arguments.elderships,
        time_zone: arguments.time_zone.name().to_owned(),
        languages: arguments.languages,
        ..proto::Centre::default()
    };
    let ask = proto::CreateCentreRequest {
        centre: Some(centre),
        centre_id: arguments.id,
        request_id: arguments.call.once.id(),
        validate_only: arguments.call.once.dry_run,
    };
    let made = wire.create_centre(ask).await?.centre.unwrap_or_default();
    let show = &arguments.call.show;
    sheet::card(show, &Sheet::card("centre", "", COLUMNS), row(&made, &show.language))
}

async fn list(List { reach, show }: List) -> Result<Verdict, Failure> {
    let wire = Wire::to(&reach)?;
    let page = async |page_token| {
        let page = wire.list_centres(proto::ListCentresRequest { page_size: PAGE, page_token }).await?;
        let rows = page.centres.iter().map(|centre| row(centre, &show.language)).collect();
        Ok((rows, page.next_page_token))
    };
    sheet::list(&show, &Sheet::rows("centres", "", COLUMNS), page).await
}

const PROGRAMME: &[Column] = &[
    Column::new("programme", "Programme"),
    Column::new("title", "Title"),
    Column::new("kind", "Kind"),
    Column::wide("sessions", "Sessions"),
    Column::wide("project", "Project"),
];

fn programme_row(programme: &proto::Programme, language: &str) -> Vec<Value> {
    vec![
        words::name(&programme.name),
        words::some(&words::text(&programme.titles, language)),
        words::some(&words::word(programme.kind().as_str_name(), "EVENT_KIND_")),
        Value::maybe(Some(programme.usual_session_count).filter(|n| *n > 0)),
        words::some(&programme.project_code),
    ]
}

async fn create_programme(arguments: CreateProgramme) -> Result<Verdict, Failure> {
    let wire = Wire::to(&arguments.call.reach)?;
    let programme = proto::Programme {
        titles: words::lithuanian(&arguments.title),
        kind: kind(&arguments.kind).into(),
        usual_session_count: arguments.sessions,
        project_code: arguments.project,
        ..proto::Programme::default()
    };
    let ask = proto::CreateProgrammeRequest {
        programme: Some(programme),
        programme_id: arguments.id,
        request_id: arguments.call.once.id(),
        validate_only: arguments.call.once.dry_run,
    };
    let made = wire.create_programme(ask).await?.programme.unwrap_or_default();
    let show = &arguments.call.show;
    sheet::card(show, &Sheet::card("programme", "", PROGRAMME), programme_row(&made, &show.language))
}

async fn list_programmes(List { reach, show }: List) -> Result<Verdict, Failure> {
    let wire = Wire::to(&reach)?;
    let page = async |page_token| {
        let page = wire.list_programmes(proto::ListProgrammesRequest { page_size: PAGE, page_token }).await?;
        let rows = page.programmes.iter().map(|programme| programme_row(programme, &show.language)).collect();
        Ok((rows, page.next_page_token))
    };
    sheet::list(&show, &Sheet::rows("programmes", "", PROGRAMME), page).await
}
