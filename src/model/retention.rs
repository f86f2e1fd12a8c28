//! How long personal data are kept, by kind: the rules, and what they say of one registration.

use super::time::{Span, Timestamp};

/// Days after the end of an event, by kind of data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Everything of a party that never took part.
    pub unseated_days: u32,
    /// Contact, answers and wishes of a party that took part.
    pub contact_days: u32,
    /// Names of those who took part.
    pub participant_days: u32,
    /// The same, where the event belongs to a project: its records are evidence for the grant.
    pub project_days: u32,
}

/// As long as comparable institutions keep them; a project's evidence for five years behind the last payment of a
/// programming period, which nobody knows yet.
impl Default for Rules {
    fn default() -> Self {
        Self { unseated_days: 183, contact_days: 183, participant_days: 1_095, project_days: 3_650 }
    }
}

/// What the rules must know of a registration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The end of its event; absent: it has none yet, and nothing runs out.
    pub ended_at: Option<Timestamp>,
    pub took_part: bool,
    pub in_project: bool,
    /// Its data are to be left alone: nothing runs out meanwhile.
    pub restricted: bool,
}

/// Until when what may be kept. Absent: without end, for now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Contact, answers, wishes; of a party that never took part, its names too.
    pub contact_until: Option<Timestamp>,
    /// Names of those who took part.
    pub names_until: Option<Timestamp>,
}

/// How much of a party goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Extent {
    /// All but the names of those who took part.
    Part,
    Whole,
}

impl Rules {
    pub fn of(&self, facts: Facts) -> Kept {
        if facts.restricted {
            return Kept { contact_until: None, names_until: None };
        }
        let after = |days: u32| facts.ended_at.map(|at| at.plus(Span::hours(24 * i64::from(days))));
        if !facts.took_part {
            let until = after(self.unseated_days);
            return Kept { contact_until: until, names_until: until };
        }
        let names = if facts.in_project { self.project_days } else { self.participant_days };
        Kept { contact_until: after(self.contact_days.min(names)), names_until: after(names) }
    }

    /// What goes because its time is over.
    pub fn due(&self, facts: Facts, now: Timestamp) -> Option<Extent> {
        let kept = self.of(facts);
        let over = |until: Option<Timestamp>| until.is_some_and(|at| at <= now);
        match (over(kept.names_until), over(kept.contact_until)) {
            (true, _) => Some(Extent::Whole),
            (false, true) => Some(Extent::Part),
            (false, false) => None,
        }
    }

    /// What goes when the party asks for it: all, unless names must be kept as evidence.
    pub fn on_request(&self, facts: Facts, now: Timestamp) -> Extent {
        // Who asks for it is not kept from it by having asked to be left alone.
        let facts = Facts { restricted: false, ..facts };
        if !facts.took_part { Extent::Whole } else { self.due(facts, now).unwrap_or(Extent::Part) }
    }

    /// The least time after the end of an event at which anything can run out.
    pub fn shortest(&self) -> Span {
        let days = [self.unseated_days, self.contact_days, self.participant_days, self.project_days];
        Span::hours(24 * i64::from(days.into_iter().min().unwrap_or(0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: Rules = Rules { unseated_days: 10, contact_days: 20, participant_days: 30, project_days: 40 };

    fn facts(took_part: bool, in_project: bool) -> Facts {
        Facts { ended_at: Some(Timestamp(0)), took_part, in_project, restricted: false }
    }

    fn day(n: i64) -> Timestamp {
        Timestamp(0).plus(Span::hours(24 * n))
    }

    #[test]
    fn each_kind_runs_out_on_its_own_day_and_not_before() {
        let due = |facts, n| RULES.due(facts, day(n));
        assert_eq!((due(facts(false, true), 9), due(facts(false, true), 10)), (None, Some(Extent::Whole)));
        let course = facts(true, false);
        assert_eq!(
            [19, 20, 29, 30].map(|n| due(course, n)),
            [None, Some(Extent::Part), Some(Extent::Part), Some(Extent::Whole)]
        );
        assert_eq!((due(facts(true, true), 39), due(facts(true, true), 40)), (Some(Extent::Part), Some(Extent::Whole)));
    }

    #[test]
    fn nothing_runs_out_before_an_event_has_an_end() {
        assert_eq!(RULES.due(Facts { ended_at: None, ..facts(false, false) }, day(1_000)), None);
    }

    #[test]
    fn nothing_runs_out_of_one_that_is_left_alone_but_who_asks_for_it_is_erased() {
        for took_part in [false, true] {
            let left_alone = Facts { restricted: true, ..facts(took_part, false) };
            assert_eq!(RULES.due(left_alone, day(1_000)), None);
            assert_eq!(RULES.of(left_alone), Kept { contact_until: None, names_until: None });
            assert_eq!(RULES.on_request(left_alone, day(1_000)), Extent::Whole);
        }
    }

    #[test]
    fn who_never_took_part_goes_whole_on_request_and_a_participant_when_the_evidence_is_no_longer_needed() {
        assert_eq!(RULES.on_request(facts(false, true), day(0)), Extent::Whole);
        assert_eq!(RULES.on_request(facts(true, true), day(39)), Extent::Part);
        assert_eq!(RULES.on_request(facts(true, true), day(40)), Extent::Whole);
    }

    #[test]
    fn a_contact_is_never_kept_longer_than_the_names() {
        let rules = Rules { contact_days: 50, ..RULES };
        assert_eq!(rules.due(facts(true, false), day(30)), Some(Extent::Whole));
        assert_eq!(rules.of(facts(true, false)).contact_until, Some(day(30)));
    }
}
