//! The waitlist policy as it is in force, with its defaults filled in.

use super::{int32, time};
use crate::api::proto;
use crate::model::policy::{MissedOffer, OfferRule, PartyFit, Policy, Promotion, QuietHours};
use crate::model::time::Span;

pub(super) fn policy(policy: &Policy) -> proto::WaitlistPolicy {
    let (party_fit, max_passed_over) = match policy.party_fit {
        PartyFit::Hold => (proto::PartyFit::Hold, None),
        PartyFit::Skip { max_passed_over } => (proto::PartyFit::Skip, Some(i32::from(max_passed_over))),
    };
    proto::WaitlistPolicy {
        version: int32(policy.version),
        promotion: match policy.promotion {
            Promotion::Automatic => proto::Promotion::Automatic,
            Promotion::Offer => proto::Promotion::Offer,
            Promotion::Manual => proto::Promotion::Manual,
        }
        .into(),
        party_fit: party_fit.into(),
        max_passed_over,
        offer_rules: policy.offer_rules.iter().map(offer_rule).collect(),
        quiet_hours: Some(quiet_hours(policy.quiet_hours)),
        missed_offer: match policy.missed_offer {
            MissedOffer::KeepPlace => proto::MissedOffer::KeepPlace,
            MissedOffer::ToEnd => proto::MissedOffer::ToEnd,
            MissedOffer::Leave => proto::MissedOffer::Leave,
        }
        .into(),
        class_order: policy.class_order.clone(),
        waitlist_limit: policy.waitlist_limit.map(int32),
        duplicate_hold: Some(time::span(policy.duplicate_hold)),
        registrations_per_contact: Some(int32(policy.registrations_per_contact)),
        walk_ins_taken: Some(policy.walk_ins),
        entry_sessions: i32::from(policy.entry_sessions),
    }
}

fn offer_rule(rule: &OfferRule) -> proto::OfferRule {
    proto::OfferRule {
        min_time_to_start: (rule.min_time_to_start > Span(0)).then(|| time::span(rule.min_time_to_start)),
        answer_window: rule.answer_window.map(time::span),
    }
}

/// No quiet hours are hours that end where they start.
fn quiet_hours(hours: Option<QuietHours>) -> proto::QuietHours {
    let QuietHours { from_minute, to_minute } = hours.unwrap_or(QuietHours { from_minute: 0, to_minute: 0 });
    let clock = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
    proto::QuietHours { start_local: clock(from_minute), end_local: clock(to_minute) }
}
