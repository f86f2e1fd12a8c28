//! Sessions and venues: local times become instants in the event's zone.

use super::text::Alphabet;
use super::{Fields, Path, slots};
use crate::api::proto;
use crate::model::event::{Session, Terms, Venue};
use crate::model::time::{Span, Timestamp, Zone};

impl Fields {
    /// 1 to 200 sessions in order of their start; those without an id get the next one that was never given. `old`
    /// are the terms that the event has: a session that they have and that is left out is taken out, and whoever comes
    /// new must not be taken for it.
    pub(super) fn sessions(
        &mut self,
        at: Path<'_>,
        given: Vec<proto::Session>,
        zone: &Zone,
        old: Option<&Terms>,
    ) -> Vec<Session> {
        let given = self.list(at, given, 1, 200);
        let known = old.iter().flat_map(|terms| &terms.sessions).map(|slot| slot.id.clone());
        let taken: Vec<String> = given.iter().map(|s| s.session_id.clone()).chain(known).collect();
        // Numbers are given once, and an id that was made was never above the number of its session.
        let first = u32::from(old.map_or(0, slots::last_given)) + 1;
        let mut made = (first..).map(|n| format!("s{n}")).filter(move |id| !taken.contains(id));
        let mut sessions: Vec<Session> = Vec::with_capacity(given.len());
        for (i, session) in given.into_iter().enumerate() {
            let at = at.item(i);
            let mut session = self.session(at, session, zone);
            if session.id.is_empty() {
                session.id = made.next().unwrap_or_default();
            }
            if sessions.last().is_some_and(|before| session.starts_at < before.starts_at) {
                self.refuse(at.field("start_local"), "starts before the session before it");
            }
            sessions.push(session);
        }
        self.unique(at, "session_id", sessions.iter().map(|s| s.id.as_str()));
        sessions
    }

    fn session(&mut self, at: Path<'_>, given: proto::Session, zone: &Zone) -> Session {
        let proto::Session {
            session_id,
            start_local,
            end_local,
            start_time: _,
            end_time: _,
            venue,
            note,
            cancelled: _,
            cancel_reason: _,
        } = given;
        let start = self.local(at.field("start_local"), &start_local, zone);
        let end = self.local(at.field("end_local"), &end_local, zone);
        if let (Some((_, start)), Some((_, end))) = (start, end) {
            if end <= start {
                self.refuse(at.field("end_local"), "must be after the start");
            } else if end.since(start) > Span::hours(24) {
                self.refuse(at.field("end_local"), "must be within 24 hours of the start");
            }
        }
        let instant = |parsed: Option<(_, Timestamp)>| parsed.map_or(Timestamp::default(), |(_, at)| at);
        Session {
            id: self.code(at.field("session_id"), session_id, Alphabet::Slug, 32),
            start_local,
            end_local,
            starts_at: instant(start),
            ends_at: instant(end),
            venue: venue.map(|venue| self.venue(at.field("venue"), venue)),
            note: self.paragraph(at.field("note"), note, 500),
            cancel_reason: String::new(),
        }
    }

    pub(super) fn venue(&mut self, at: Path<'_>, given: proto::Venue) -> Venue {
        let proto::Venue { display_name, address, link } = given;
        if !link.is_empty() && !is_https(&link) {
            self.refuse(at.field("link"), "must be an https link");
        }
        Venue {
            name: self.line(at.field("display_name"), display_name, 200),
            address: self.line(at.field("address"), address, 300),
            link: self.line(at.field("link"), link, 500),
        }
    }
}

fn is_https(link: &str) -> bool {
    let rest = link.strip_prefix("https://");
    rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/') && !link.chars().any(char::is_whitespace))
}
