//! P12: one scenario, played on SQLite, on PostgreSQL and on two instances on one PostgreSQL in turns, gives the same
//! answers to the last byte, ids and tokens aside.

use super::driver::Dice;
use crate::support::client::{Answer, Client, Refused, SignedUp};
use crate::support::service::{Database, Service, run};
use crate::support::words::*;
use eile::admission::Entry;
use eile::api::proto as pb;
use eile::model::time::Timestamp;
use prost::Message;
use std::collections::BTreeMap;

const STEPS: usize = 220;

/// What is heard, with ids and tokens as the order in which they were first heard.
#[derive(Default)]
struct Protocol {
    lines: Vec<String>,
    ids: BTreeMap<String, String>,
}

impl Protocol {
    /// A random word of an answer, and the word that stands for it here.
    fn learn(&mut self, id: &str, word: String) {
        self.ids.insert(id.to_owned(), word);
    }

    fn note(&mut self, what: &str, heard: impl Written) {
        let mut line = format!("{what}: {}", heard.written());
        for (id, word) in &self.ids {
            line = line.replace(id.as_str(), word);
        }
        self.lines.push(line);
    }
}

/// What is heard as text, to the last byte: a message as it came over the wire, for not every message prints what is in it.
trait Written {
    fn written(&self) -> String;
}

macro_rules! written {
    (on_the_wire: $($message:ty),+; printed: $($plain:ty),+) => {
        $(impl Written for $message {
            fn written(&self) -> String { self.encode_to_vec().escape_ascii().to_string() }
        })+
        $(impl Written for $plain {
            fn written(&self) -> String { format!("{self:?}") }
        })+
    };
}

written! {
    on_the_wire: pb::Event, pb::Registration, pb::ExplainRegistrationResponse;
    printed: Entry, Refused, Timestamp
}

impl Written for SignedUp {
    fn written(&self) -> String {
        format!("{} {} {}", self.name, self.token, self.first.written())
    }
}

impl<A: Written, B: Written> Written for (A, B) {
    fn written(&self) -> String {
        format!("{}, {}", self.0.written(), self.1.written())
    }
}

impl<T: Written> Written for Vec<T> {
    fn written(&self) -> String {
        self.iter().map(|each| each.written() + "; ").collect()
    }
}

impl<T: Written> Written for Answer<T> {
    fn written(&self) -> String {
        self.as_ref().map_or_else(Refused::written, T::written)
    }
}

#[test]
fn p12_the_same_scenario_has_the_same_answers_on_both_databases_and_on_two_instances() {
    let seed = std::env::var("EILE_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(12);
    run(async move {
        let embedded = play(Service::start(Database::Sqlite, "2025-01-13T09:00").await, seed).await;
        let server = play(Service::start(Database::Postgres, "2025-01-13T09:00").await, seed).await;
        let mut shared = Service::start(Database::Postgres, "2025-01-13T09:00").await;
        shared.add_instance().await;
        let both = play(shared, seed).await;
        assert!(embedded.len() > STEPS);
        for kind in ["line: ", "name: ", "time: ", "looks: "] {
            let told = embedded.iter().any(|line| line.starts_with(kind) && line.contains("zebra"));
            assert!(told, "{kind}names are among what is compared");
        }
        for ((one, other), third) in embedded.iter().zip(&server).zip(&both) {
            assert_eq!(one, other, "SQLite and PostgreSQL differ with EILE_SEED={seed}");
            assert_eq!(one, third, "one instance and two differ with EILE_SEED={seed}");
        }
        assert_eq!((embedded.len(), embedded.len()), (server.len(), both.len()));
    });
}

/// Plays the scenario, one step after the other, each at the next instance.
async fn play(service: Service, seed: u64) -> Vec<String> {
    let mut clients = Vec::new();
    for instance in 0..service.instances() {
        clients.push(service.client_of(instance).await);
    }
    let mut dice = Dice::new(seed);
    let mut protocol = Protocol::default();
    let mut events = Vec::new();
    for (n, event) in two_events().into_iter().enumerate() {
        let shown = clients[0].publish(event).await;
        protocol.learn(shown.name.split('/').nth(1).unwrap(), format!("event-{n}"));
        protocol.note("published", shown.clone());
        events.push(shown.name);
    }
    let mut parties: Vec<SignedUp> = Vec::new();
    for step in 0..STEPS {
        let client = &clients[step % clients.len()];
        let event = events[dice.below(2) as usize].clone();
        step_of(client, &service, &mut dice, &event, &events, &mut parties, &mut protocol).await;
    }
    for event in &events {
        protocol.note("at the end", clients[0].event(event).await);
        for order in ["line", "name", "time"] {
            let mut listed = clients[0].list(event, "", order).await;
            listed.iter_mut().for_each(without_person_ids);
            protocol.note(order, listed);
        }
        let mut found = clients[0].list(event, "search : \"zymantiene\" AND state = WAITLISTED", "name").await;
        found.iter_mut().for_each(without_person_ids);
        protocol.note("found", found);
        protocol.note("journal", service.journal(event).await);
    }
    for party in &parties {
        protocol.note("explained", clients[0].explain(&party.name, &party.token).await);
    }
    service.finish().await;
    protocol.lines
}

fn two_events() -> Vec<pb::Event> {
    let event = |pools: Vec<pb::SeatPool>, policy| pb::Event {
        seat_pools: pools,
        waitlist_policy: Some(policy),
        ..course("„Ėjimas“ — Łódź, їжак", &["2025-02-20T17:30", "2025-04-03T17:30"])
    };
    let ranked = vec!["guardian".to_owned(), "any".to_owned()];
    vec![
        event(vec![pool("main", 9)], pb::WaitlistPolicy::default()),
        event(
            vec![pool("open", 5), kept_pool("kept", 2, &["guardian"], Some("2025-01-16T12:00"))],
            pb::WaitlistPolicy {
                class_order: ranked,
                missed_offer: pb::MissedOffer::ToEnd as i32,
                ..offers(pb::PartyFit::Skip)
            },
        ),
    ]
}

async fn step_of(
    client: &Client,
    service: &Service,
    dice: &mut Dice,
    event: &str,
    events: &[String],
    parties: &mut Vec<SignedUp>,
    protocol: &mut Protocol,
) {
    let roll = dice.below(100);
    let chosen = (!parties.is_empty()).then(|| parties[dice.below(parties.len() as u64) as usize].clone());
    match (roll, chosen) {
        (0..=39, _) | (_, None) => {
            let names = ["Žymantienė", "Łucja", "Їванна", "Čiurlionis", "zebra", "Ąžuolas", "O'Neill", "ß"];
            let who = format!("{} {}", names[dice.below(8) as usize], dice.below(40));
            let sign_up = party(&who, 1 + dice.below(3) as usize).by_phone(&format!("8612{:05}", dice.below(60)));
            let client = if dice.below(5) == 0 { client.portal() } else { client.clone() };
            let heard = client.sign_up(event, sign_up).await;
            entered(&heard, parties, protocol);
            protocol.note("signs up", heard);
        }
        (40..=52, Some(p)) => protocol.note("cancels", client.cancel(&p.name, &by(&p)).await),
        (53..=64, Some(p)) => protocol.note("accepts", client.accept(&p.name, &by(&p)).await),
        (65..=69, Some(p)) => protocol.note("declines", client.decline(&p.name, &by(&p)).await),
        (70..=76, Some(p)) => {
            let party = pb::Registration { name: p.name.clone(), ..party("Pakeista", 1 + dice.below(4) as usize) };
            protocol.note("changes", client.amend(party, &["members"], &by(&p)).await);
        }
        (77..=81, Some(p)) => protocol.note("class", client.set_class(&p.name, "guardian", "Pažyma", &staff()).await),
        (82..=86, Some(p)) => protocol.note("promotes", client.promote(&p.name, "Skubu", &staff()).await),
        (87..=89, Some(p)) => {
            let heard = client.transfer(&p.name, &events[dice.below(2) as usize], &staff()).await;
            entered(&heard.clone().map(|(new, _)| new), parties, protocol);
            protocol.note("moves", heard);
        }
        (90..=92, _) => {
            service.clock.advance(eile::model::time::Span::seconds(60 * dice.below(600) as i64));
            service.sweep().await;
            protocol.note("time passes", service.now());
        }
        (93..=94, _) => {
            let heard = client
                .set_capacity(&events[0], "main", 6 + dice.below(6) as i32, &crate::support::client::new_id())
                .await;
            protocol.note("seats", heard);
        }
        (_, Some(p)) => {
            let mut heard = client.get_in_full(&p.name).await;
            heard.iter_mut().for_each(without_person_ids);
            protocol.note("looks", heard);
        }
    }
}

/// Persons have ids that are made of their registration's, which nobody can guess.
fn without_person_ids(registration: &mut pb::Registration) {
    registration.members.iter_mut().for_each(|member| member.person.clear());
}

/// Whoever is new is called by the accepted number, which must be the same everywhere.
fn entered(heard: &Answer<SignedUp>, parties: &mut Vec<SignedUp>, protocol: &mut Protocol) {
    let Ok(new) = heard else { return };
    protocol.learn(new.name.rsplit('/').next().unwrap(), format!("registration-{}", parties.len()));
    protocol.learn(&new.token, format!("token-{}", parties.len()));
    parties.push(new.clone());
}
