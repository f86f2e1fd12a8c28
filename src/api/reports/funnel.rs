//! GetWaitlistFunnel.

use super::{Shown, basis, int64, key};
use crate::admission::Roster;
use crate::api::from_proto::{Fields, Path};
use crate::api::proto::{GetWaitlistFunnelRequest, GetWaitlistFunnelResponse, Key, OfferRow, OrderRow, Spread};
use crate::api::to_proto::int32;
use crate::api::{Api, status};
use crate::model::registration::State;
use crate::report::{self, Basis, Funnel, OfferCounts};
use std::collections::BTreeMap;
use tonic::Status;

impl Api {
    pub(super) async fn funnel(
        &self,
        shown: Shown,
        r: GetWaitlistFunnelRequest,
    ) -> Result<(GetWaitlistFunnelResponse, Basis), Status> {
        let mut fields = Fields::default();
        let mut asked = fields.report_scope(r.scope, shown);
        if !r.event.is_empty() {
            asked.scope.event = fields.event_name(Path::Top("event"), &r.event);
        }
        fields.finish(()).map_err(status::fields)?;
        self.closed_for(shown, &asked)?;
        let (events, rests_on) = self.reports.events(&asked.scope).await.map_err(status::report)?;
        let mut funnel = Funnel::default();
        let take = |digested: &report::Digested, facts: Vec<report::Fact>| funnel.add(digested, &facts);
        self.reports.each_fact(&events, take).await.map_err(status::report)?;
        let order = match asked.scope.event.filter(|event| shown.is_exact() && events.iter().any(|d| d.event == *event))
        {
            Some(event) => self.look(event, |view| order(view.roster)).await?,
            None => Vec::new(),
        };
        Ok((render(&funnel, order, &rests_on, shown), rests_on))
    }
}

fn render(funnel: &Funnel, order: Vec<OrderRow>, rests_on: &Basis, shown: Shown) -> GetWaitlistFunnelResponse {
    let (total, [by_channel, by_centre]) = together(funnel, shown);
    let channel =
        |(name, counts): (&String, &OfferCounts)| row(Some(key("channel", name)), counts, (shown, by_channel));
    let channels = funnel.by_channel.iter().map(channel);
    let centre = |(id, counts): (&String, &OfferCounts)| {
        row(Some(key("centre", &format!("centres/{id}"))), counts, (shown, by_centre))
    };
    let few = shown.hides(&[all_counts(&funnel.total).into_iter().max().unwrap_or(0)]);
    let alone = |n: u64| (!shown.hides(&[n])).then(|| int64(shown.count(n)));
    GetWaitlistFunnelResponse {
        total: Some(total),
        // A line stands only where somebody is: of a few, lines alone would tell who they are.
        rows: channels.chain(funnel.by_centre.iter().map(centre)).filter(|_| !few).collect(),
        late_cancelled_seats: alone(funnel.late_cancelled),
        late_filled_seats: alone(funnel.late_filled),
        admitted_ahead_by_class: alone(funnel.ahead_by_class),
        order,
        basis: Some(basis(rests_on, shown)),
    }
}

/// All together, and whether lines by channel and by centre are told: what gives no other line away.
fn together(funnel: &Funnel, shown: Shown) -> (OfferRow, [bool; 2]) {
    let table = |rows: &BTreeMap<String, OfferCounts>| rows.values().map(|row| all_counts(row).to_vec()).collect();
    let tables: [Vec<Vec<u64>>; 2] = [table(&funnel.by_channel), table(&funnel.by_centre)];
    let told = shown.told_together(&tables, &all_counts(&funnel.total));
    let is_told = |at: usize| told.tables.get(at).copied().unwrap_or(false);
    (row(None, &funnel.total, (shown, told.total)), [is_told(0), is_told(1)])
}

fn all_counts(counts: &OfferCounts) -> [u64; 8] {
    let [made, accepted, declined, expired, open] = counts.counts();
    let lengths = [&counts.answer, &counts.to_offer, &counts.to_first_session].map(|l| l.spread().count);
    [made, accepted, declined, expired, open, lengths[0], lengths[1], lengths[2]]
}

fn row(key: Option<Key>, counts: &OfferCounts, (shown, told): (Shown, bool)) -> OfferRow {
    let (answer, to_offer, to_first) =
        (counts.answer.spread(), counts.to_offer.spread(), counts.to_first_session.spread());
    let suppressed = !told || shown.hides(&all_counts(counts));
    let count = |n| (!suppressed).then(|| int64(shown.count(n)));
    let spread = |s: report::Spread| {
        (!suppressed).then(|| Spread {
            count: int64(shown.count(s.count)),
            median_seconds: shown.length(s.median, s.count, 50),
            p90_seconds: shown.length(s.p90, s.count, 90),
        })
    };
    OfferRow {
        key,
        made: count(counts.made),
        accepted: count(counts.accepted),
        declined: count(counts.declined),
        expired: count(counts.expired),
        open: count(counts.open),
        answer_time: spread(answer),
        to_offer: spread(to_offer),
        to_first_session: spread(to_first),
        suppressed,
    }
}

/// Who waits, with the position, and the one that the place alone would give.
fn order(roster: &Roster) -> Vec<OrderRow> {
    let mut waiting: Vec<_> = roster.standings().filter(|s| s.state == State::Waitlisted).collect();
    waiting.sort_by_key(|s| (s.place, s.number));
    let mut rows: Vec<OrderRow> = (1..)
        .zip(waiting)
        .map(|(without, s)| OrderRow {
            accepted_number: i64::from(s.number),
            position: int32(roster.position(s.number)),
            position_without_classes: without,
        })
        .collect();
    rows.sort_by_key(|row| row.position);
    rows
}
