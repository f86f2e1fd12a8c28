//! Who signs up: households drawn from the file for the parties that an event's demand counts, no household
//! twice in one event.

use super::data::{Centre, Event, Group, Household, Person, Specialist, Year};
use super::rng::Rng;
use crate::api::proto;
use std::collections::{BTreeMap, HashSet};

/// Where a party's people come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    Household(usize),
    Specialist(usize),
    /// The n-th group of the event.
    Group(usize),
    /// Drawn later, from another event's waiting line.
    Later,
}

/// One party as the demand describes it.
#[derive(Clone)]
pub struct Party {
    pub source: Source,
    pub size: usize,
    pub language: String,
    pub municipality: String,
    pub channel: proto::Channel,
    /// Empty: none.
    pub class: String,
    pub childcare: i32,
    pub rides: i32,
    pub needs_help: bool,
    pub willing: bool,
}

impl Party {
    /// One person in the doorway, of whom nothing is known yet.
    fn alone() -> Self {
        Self {
            source: Source::Later,
            size: 1,
            language: String::new(),
            municipality: String::new(),
            channel: proto::Channel::InPerson,
            class: String::new(),
            childcare: 0,
            rides: 0,
            needs_help: false,
            willing: false,
        }
    }
}

/// The parties of an event in no order, groups last.
pub fn draw(year: &Year, event: &Event, rng: &mut Rng, liked: &HashSet<usize>) -> Vec<Party> {
    let demand = &event.demand;
    let mut sizes: Vec<usize> = Vec::new();
    for (size, count) in &demand.party_size_counts {
        sizes.extend(std::iter::repeat_n(size.parse().unwrap_or(1), *count));
    }
    let count = sizes.len();
    rng.shuffle(&mut sizes);
    let municipalities = spread(&demand.home_municipality_counts, rng);
    let languages = spread(&demand.language_counts, rng);
    let channels = spread(&demand.channel_counts, rng);
    let classes = spread(&demand.priority_class_counts, rng);
    let word = |of: &[String], i: usize| of.get(i).cloned().unwrap_or_default();
    let mut parties: Vec<Party> = (0..count)
        .map(|i| Party {
            source: Source::Later,
            size: sizes[i],
            language: word(&languages, i),
            municipality: word(&municipalities, i),
            channel: channel(&word(&channels, i)),
            class: Some(word(&classes, i)).filter(|c| c != "none").unwrap_or_default(),
            childcare: 0,
            rides: 0,
            needs_help: i < demand.accessibility_requests,
            willing: rng.below(100) < 40,
        })
        .collect();
    wishes(event, &mut parties, rng);
    if !event.registration.invite_only {
        settle_sources(year, event, &mut parties, rng, liked);
    }
    for (i, group) in demand.group_parties.iter().enumerate() {
        parties.push(group_party(year, event, i, group));
    }
    parties
}

/// As many words as their counts say, in no order.
fn spread(counts: &BTreeMap<String, usize>, rng: &mut Rng) -> Vec<String> {
    let mut words: Vec<String> = counts.iter().flat_map(|(word, n)| std::iter::repeat_n(word.clone(), *n)).collect();
    rng.shuffle(&mut words);
    words
}

fn channel(word: &str) -> proto::Channel {
    match word {
        "phone" => proto::Channel::Phone,
        "facebook_message" | "email" => proto::Channel::Message,
        "in_person" => proto::Channel::InPerson,
        "partner_referral" => proto::Channel::Referral,
        _ => proto::Channel::Web,
    }
}

/// Children to look after and rides, one after the other over parties in no order.
fn wishes(event: &Event, parties: &mut [Party], rng: &mut Rng) {
    let mut order: Vec<usize> = (0..parties.len()).collect();
    rng.shuffle(&mut order);
    let (mut children, mut rides) =
        (event.demand.childcare_children_requested, event.demand.transport_persons_requested);
    for i in order {
        let party = &mut parties[i];
        let (c, r) = (children.min(1 + rng.below(2) as i32), rides.min(party.size as i32));
        party.childcare = if event.services_offered.childcare_places > 0 { c } else { 0 };
        party.rides = if event.services_offered.transport_places > 0 { r } else { 0 };
        children -= c;
        rides -= r;
    }
}

/// Gives each party a household (or a specialist), the largest first, the one that suits best.
fn settle_sources(year: &Year, event: &Event, parties: &mut [Party], rng: &mut Rng, liked: &HashSet<usize>) {
    let specialists = event.centre == "C-MET";
    let count = if specialists { year.specialists.len() } else { year.households.len() };
    let mut free: Vec<usize> = (0..count).collect();
    rng.shuffle(&mut free);
    let mut order: Vec<usize> = (0..parties.len()).collect();
    order.sort_by_key(|i| std::cmp::Reverse(parties[*i].size));
    for i in order {
        let party = &parties[i];
        let suits = |candidate: &usize| match specialists {
            true => i32::from(year.specialists[*candidate].municipality == party.municipality),
            false => suits(&year.households[*candidate], party) + 50 * i32::from(liked.contains(candidate)),
        };
        // `max_by_key` takes the last of equals; the list is in no order, so that is chance too.
        let Some(at) = (0..free.len()).max_by_key(|at| suits(&free[*at])) else { continue };
        let chosen = free.swap_remove(at);
        parties[i].source = if specialists { Source::Specialist(chosen) } else { Source::Household(chosen) };
    }
}

fn suits(household: &Household, party: &Party) -> i32 {
    let tag = match party.class.as_str() {
        "" => household.tags.is_empty(),
        "guardian" => household.tags.iter().any(|t| t.contains("guardian") || t == "on_duty_carer"),
        "applicant" => household.tags.iter().any(|t| t == "adopter"),
        class => household.tags.iter().any(|t| t == class),
    };
    let large_enough = household.members.len() >= party.size;
    20 * i32::from(household.municipality == party.municipality)
        + 8 * i32::from(large_enough)
        + 4 * i32::from(household.language == party.language)
        + 2 * i32::from(tag)
        + i32::from(household.needs.is_empty() != party.needs_help)
}

fn group_party(year: &Year, event: &Event, index: usize, group: &Group) -> Party {
    let org = group.by_org.as_deref().unwrap_or(&event.centre);
    let municipality = year.centre(org).map(|c| c.municipality.clone()).unwrap_or_default();
    Party {
        source: Source::Group(index),
        size: (group.adults + group.children) as usize,
        language: "lt".to_owned(),
        municipality,
        channel: proto::Channel::Phone,
        ..Party::alone()
    }
}

/// Somebody from around here who is on no list of this event; the n-th of them.
pub fn walk_in(year: &Year, event: &Event, sources: &HashSet<Source>, n: usize) -> Option<proto::Registration> {
    let home = &year.centre(&event.centre).ok()?.municipality;
    let free = |i: &usize| year.households[*i].municipality == *home && !sources.contains(&Source::Household(*i));
    let source = Source::Household((0..year.households.len()).filter(free).nth(n)?);
    let language = "lt".to_owned();
    let party = Party { source, language, municipality: home.clone(), ..Party::alone() };
    Some(registration(year, event, &party))
}

/// The party's words, as they go over the wire.
pub fn registration(year: &Year, event: &Event, party: &Party) -> proto::Registration {
    let mut out = proto::Registration {
        language: party.language.clone(),
        channel: party.channel.into(),
        on_behalf_of: proto::OnBehalfOf::Self_.into(),
        willing_elsewhere: party.willing,
        municipality_code: party.municipality.clone(),
        ..Default::default()
    };
    if party.childcare > 0 || party.rides > 0 {
        out.services = Some(proto::ServiceWishes { childcare_children: party.childcare, rides: party.rides });
    }
    if party.needs_help {
        let text = "Reikalingas įėjimas be laiptų".to_owned();
        out.answers = vec![proto::Answer { question_id: super::terms::NEEDS.to_owned(), text }];
    }
    match party.source {
        Source::Household(i) => household(&year.households[i], event, party.size, &mut out),
        Source::Specialist(i) => specialist(year, &year.specialists[i], party.size, &mut out),
        Source::Group(i) => group(year, event, &event.demand.group_parties[i], &mut out),
        Source::Later => {}
    }
    out
}

fn household(household: &Household, event: &Event, size: usize, out: &mut proto::Registration) {
    let contact = &household.contact;
    let name = household.members.iter().find(|m| m.id == contact.person).map(full_name).unwrap_or_default();
    out.contact = Some(proto::Contact {
        display_name: name,
        email: contact.email.clone().unwrap_or_default(),
        phone: contact.phone.clone().unwrap_or_default(),
    });
    out.eldership_code = household.eldership.clone().unwrap_or_default();
    let for_children = matches!(event.programme.as_str(), "P03" | "P17");
    let mut people: Vec<&Person> = household.members.iter().collect();
    people.sort_by_key(|p| p.relation.starts_with("child") != for_children);
    if for_children {
        let ward = household.kind == "foster";
        out.on_behalf_of = if ward { proto::OnBehalfOf::Ward } else { proto::OnBehalfOf::Child }.into();
    }
    out.members = people.into_iter().take(size).map(member).collect();
    fill(&mut out.members, size, if for_children { "child" } else { "adult" });
}

fn full_name(person: &Person) -> String {
    format!("{} {}", person.first, person.last)
}

/// Whether a child is in care is nobody's business at the door: it is a child.
fn member(person: &Person) -> proto::Member {
    let role = if person.relation.starts_with("child") { "child" } else { "adult" };
    proto::Member {
        display_name: full_name(person),
        birth_year: Some(person.birth_year),
        sex: sex(&person.sex).into(),
        role: role.to_owned(),
        person_ref: person.id.clone(),
        ..Default::default()
    }
}

fn sex(word: &str) -> proto::Sex {
    match word {
        "F" => proto::Sex::Female,
        "M" => proto::Sex::Male,
        _ => proto::Sex::Unspecified,
    }
}

/// People whose names the contact has not told.
fn fill(members: &mut Vec<proto::Member>, size: usize, role: &str) {
    while members.len() < size {
        members.push(proto::Member { role: role.to_owned(), ..Default::default() });
    }
}

fn specialist(year: &Year, contact: &Specialist, size: usize, out: &mut proto::Registration) {
    let colleagues =
        year.specialists.iter().filter(|s| s.organisation_demo == contact.organisation_demo && s.id != contact.id);
    let person = |s: &Specialist| proto::Member {
        display_name: format!("{} {}", s.first, s.last),
        sex: sex(&s.sex).into(),
        role: "specialist".to_owned(),
        person_ref: s.id.clone(),
        ..Default::default()
    };
    out.contact = Some(proto::Contact {
        display_name: format!("{} {}", contact.first, contact.last),
        email: contact.email.clone(),
        phone: String::new(),
    });
    out.members = std::iter::once(contact).chain(colleagues).take(size).map(person).collect();
    fill(&mut out.members, size, "specialist");
}

fn group(year: &Year, event: &Event, group: &Group, out: &mut proto::Registration) {
    let by: Option<&Centre> = group.by_org.as_deref().and_then(|id| year.centre(id).ok());
    let mailbox = |n: usize| format!("grupe{n}.{}@example.org", event.id.to_lowercase());
    let number = event.demand.group_parties.iter().position(|g| g.label_lt == group.label_lt).unwrap_or(0);
    out.contact = Some(match by {
        Some(centre) => proto::Contact {
            display_name: centre.name_lt.clone(),
            email: centre.contact_demo.email.clone(),
            phone: centre.contact_demo.phone.clone(),
        },
        None => proto::Contact { display_name: group.label_lt.clone(), email: mailbox(number), phone: String::new() },
    });
    out.on_behalf_of = proto::OnBehalfOf::Group.into();
    out.head_count = Some(proto::HeadCount { adults: group.adults, children: group.children });
}
