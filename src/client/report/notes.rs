//! What the words of the reports mean: those of `reports.proto`, which head every export.

pub const APPLICANTS: &str = "Applicants: who signed up: parties, and the persons in them; without duplicates, without \
those whom staff rejected, and without what was entered by mistake.";
pub const ADMITTED: &str =
    "Admitted: applicants who held a confirmed seat at the start of the event, or came in later.";
pub const REFUSED: &str = "Refused: applicants who never held a seat, neither confirmed nor offered: refused demand. While \
an event has not begun, that is who still waits, or gave up waiting.";
pub const WITHDRAWN: &str = "Withdrawn: applicants who had a seat or an offer and gave it back, or missed it, before the \
start. So applicants = admitted + refused + withdrawn.";
pub const FAMILIES: &str = "Families: households: parties that are no groups.";
pub const FAMILIES_OF_PERSONS: &str =
    "Families: persons who came in one party of one event or whom staff linked are one family, once.";
pub const PARTICIPANTS: &str = "Participants: person x event, present at least once.";
pub const UNIQUE: &str = "Unique participants: persons, once per project, from their first presence in it.";
pub const ATTENDANCES: &str = "Attendances: person x session, present.";
pub const PERSON_HOURS: &str = "Person-hours: the sum of present minutes, divided by 60.";
pub const HEADS: &str = "Heads: an unnamed count at an open event: adults, children, counted or estimated.";
pub const SERVICES: &str = "Consultations: attendances at appointments.";
pub const PERIOD: &str = "An event belongs to the period in which it starts. Drafts and open events are left out.";
pub const SESSIONS_PERIOD: &str = "The period is that of sessions and first presences, not of the events' start. Open \
events are left out; their heads stand beside.";
pub const EMPTY_SEATS: &str =
    "Empty seats: seats that nobody holds: at the start of events that have begun, now of others.";
pub const WAITING: &str = "Waiting: who was refused, or waits.";
pub const COULD_MOVE: &str = "Could move: the smaller of the persons who said that another municipality is fine and the \
empty seats of the same programme elsewhere.";
pub const HIDDEN: &str =
    "Hidden: a count in the row is small, so that all of them are left out; the others are rounded.";
pub const LATE: &str = "Late: in the last 24 hours before the start.";
pub const MARKS: &str =
    "P: present (with minutes, where not for all of the session), A: absent, E: excused, M: made up.";
