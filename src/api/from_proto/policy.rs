//! The waitlist policy: what is left out gets its default.

use super::text::Alphabet;
use super::{Fields, Path};
use crate::api::proto;
use crate::model::policy::{MissedOffer, OfferRule, PartyFit, Policy, Promotion, QuietHours};
use crate::model::time::Span;

/// How often a party may be passed over where the policy does not say.
const PASSED_OVER_DEFAULT: u16 = 3;
const MINUTE: Span = Span::seconds(60);
const MONTH: Span = Span::hours(30 * 24);
const YEAR: Span = Span::hours(366 * 24);

impl Fields {
    /// A policy of version `version`.
    pub(super) fn policy(&mut self, at: Path<'_>, given: Option<proto::WaitlistPolicy>, version: u32) -> Policy {
        let usual = Policy { version, ..Policy::usual() };
        let Some(given) = given else { return usual };
        Policy {
            version,
            promotion: self.promotion(at.field("promotion"), given.promotion),
            party_fit: self.party_fit(at, given.party_fit, given.max_passed_over),
            offer_rules: self.offer_rules(at.field("offer_rules"), given.offer_rules),
            quiet_hours: match given.quiet_hours {
                Some(hours) => self.quiet_hours(at.field("quiet_hours"), &hours),
                None => usual.quiet_hours,
            },
            missed_offer: self.missed_offer(at.field("missed_offer"), given.missed_offer),
            class_order: self.codes(at.field("class_order"), given.class_order, 16, Alphabet::Word, 32),
            waitlist_limit: given.waitlist_limit.map(|n| self.number(at.field("waitlist_limit"), n, 0, 1_000_000)),
            registrations_per_contact: match given.registrations_per_contact {
                Some(n) => self.number(at.field("registrations_per_contact"), n, 0, 100),
                None => usual.registrations_per_contact,
            },
            duplicate_hold: self
                .span(at.field("duplicate_hold"), given.duplicate_hold, MINUTE, MONTH)
                .unwrap_or(usual.duplicate_hold),
            walk_ins: given.walk_ins_taken.unwrap_or(usual.walk_ins),
            entry_sessions: self
                .number_or(at.field("entry_sessions"), given.entry_sessions, 1, 1, 200)
                .try_into()
                .unwrap_or(usual.entry_sessions),
        }
    }

    fn promotion(&mut self, at: Path<'_>, given: i32) -> Promotion {
        match self.word(at, given) {
            None | Some(proto::Promotion::Unspecified | proto::Promotion::Automatic) => Promotion::Automatic,
            Some(proto::Promotion::Offer) => Promotion::Offer,
            Some(proto::Promotion::Manual) => Promotion::Manual,
        }
    }

    fn party_fit(&mut self, at: Path<'_>, given: i32, max_passed_over: Option<i32>) -> PartyFit {
        let bound = max_passed_over.map(|n| self.number(at.field("max_passed_over"), n, 1, u32::from(u16::MAX)));
        match self.word(at.field("party_fit"), given) {
            None | Some(proto::PartyFit::Unspecified | proto::PartyFit::Hold) => PartyFit::Hold,
            Some(proto::PartyFit::Skip) => PartyFit::Skip {
                max_passed_over: bound.and_then(|n| u16::try_from(n).ok()).unwrap_or(PASSED_OVER_DEFAULT),
            },
        }
    }

    fn missed_offer(&mut self, at: Path<'_>, given: i32) -> MissedOffer {
        match self.word(at, given) {
            None | Some(proto::MissedOffer::Unspecified | proto::MissedOffer::Leave) => MissedOffer::Leave,
            Some(proto::MissedOffer::KeepPlace) => MissedOffer::KeepPlace,
            Some(proto::MissedOffer::ToEnd) => MissedOffer::ToEnd,
        }
    }

    fn offer_rules(&mut self, at: Path<'_>, given: Vec<proto::OfferRule>) -> Vec<OfferRule> {
        if given.is_empty() {
            return Policy::usual_offer_rules();
        }
        let mut rules: Vec<OfferRule> = Vec::new();
        for (i, rule) in self.list(at, given, 0, 10).into_iter().enumerate() {
            let at = at.item(i);
            let min =
                self.span(at.field("min_time_to_start"), rule.min_time_to_start, Span(0), YEAR).unwrap_or(Span(0));
            if rules.iter().any(|r| r.min_time_to_start == min) {
                self.refuse(at.field("min_time_to_start"), "stands twice in the list");
            }
            let answer_window = self.span(at.field("answer_window"), rule.answer_window, MINUTE, MONTH);
            rules.push(OfferRule { min_time_to_start: min, answer_window });
        }
        rules
    }

    /// `None` where the hours are none: the same start and end.
    fn quiet_hours(&mut self, at: Path<'_>, given: &proto::QuietHours) -> Option<QuietHours> {
        let from_minute = self.minute_of_day(at.field("start_local"), &given.start_local);
        let to_minute = self.minute_of_day(at.field("end_local"), &given.end_local);
        (from_minute != to_minute).then_some(QuietHours { from_minute, to_minute })
    }
}
