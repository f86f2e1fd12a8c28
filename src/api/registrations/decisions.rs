//! What parties and staff decide about a registration: cancel, accept, decline, approve, reject, class,
//! promotion.

use crate::admission::Verb;
use crate::api::Api;
use crate::api::caller::Caller;
use crate::api::from_proto::text::Alphabet;
use crate::api::from_proto::{Fields, Path};
use crate::api::proto::{
    self, AcceptOfferRequest, ApproveRegistrationRequest, CancelRegistrationRequest, DeclineOfferRequest,
    PromoteRegistrationRequest, RejectRegistrationRequest, SetRegistrationClassRequest,
};
use crate::api::request::{Asked, Change};
use crate::api::status::{self, About};
use crate::desk::Papers;
use crate::model::registration::{CancelReason, RejectReason};
use tonic::Status;

type Registered = Result<proto::Registration, Status>;

impl Api {
    pub(super) async fn cancel(&self, caller: Caller, mut r: CancelRegistrationRequest) -> Registered {
        let mut fields = Fields::default();
        let asked = Asked::of(&mut r, self.desk.keys(), &mut fields);
        let named = self.named(caller, &mut fields, "name", &r.name, &r.management_token).await?;
        let reason = cancel_reason(&mut fields, r.reason);
        let reason = fields.finish(reason).map_err(status::fields)?;
        let verb = Verb::Cancel { number: named.number, reason };
        self.decide(&asked, &named, (verb, Papers::None), asked.about(named.name.event)).await
    }

    pub(super) async fn accept(&self, caller: Caller, mut r: AcceptOfferRequest) -> Registered {
        let mut fields = Fields::default();
        let asked = Asked::of(&mut r, self.desk.keys(), &mut fields);
        let named = self.named(caller, &mut fields, "name", &r.name, &r.management_token).await?;
        fields.finish(()).map_err(status::fields)?;
        let verb = Verb::Accept { number: named.number };
        self.decide(&asked, &named, (verb, Papers::None), asked.about(named.name.event)).await
    }

    pub(super) async fn decline(&self, caller: Caller, mut r: DeclineOfferRequest) -> Registered {
        let mut fields = Fields::default();
        let asked = Asked::of(&mut r, self.desk.keys(), &mut fields);
        let named = self.named(caller, &mut fields, "name", &r.name, &r.management_token).await?;
        let reason = cancel_reason(&mut fields, r.reason);
        let reason = fields.finish(reason).map_err(status::fields)?;
        let verb = Verb::Decline { number: named.number, reason };
        self.decide(&asked, &named, (verb, Papers::None), asked.about(named.name.event)).await
    }

    pub(super) async fn approve(&self, caller: Caller, mut r: ApproveRegistrationRequest) -> Registered {
        caller.staff_only(ApproveRegistrationRequest::METHOD)?;
        let mut fields = Fields::default();
        let asked = Asked::of(&mut r, self.desk.keys(), &mut fields);
        let named = self.named(caller, &mut fields, "name", &r.name, "").await?;
        fields.finish(()).map_err(status::fields)?;
        let verb = Verb::Approve { number: named.number };
        self.decide(&asked, &named, (verb, Papers::None), asked.about(named.name.event)).await
    }

    pub(super) async fn reject(&self, caller: Caller, mut r: RejectRegistrationRequest) -> Registered {
        caller.staff_only(RejectRegistrationRequest::METHOD)?;
        let mut fields = Fields::default();
        let asked = Asked::of(&mut r, self.desk.keys(), &mut fields);
        let named = self.named(caller, &mut fields, "name", &r.name, "").await?;
        let reason = reject_reason(&mut fields, r.reason);
        let reason = fields.finish(reason).map_err(status::fields)?;
        let verb = Verb::Reject { number: named.number, reason };
        self.decide(&asked, &named, (verb, Papers::None), asked.about(named.name.event)).await
    }

    pub(super) async fn set_class(&self, caller: Caller, mut r: SetRegistrationClassRequest) -> Registered {
        caller.staff_only(SetRegistrationClassRequest::METHOD)?;
        let mut fields = Fields::default();
        let asked = Asked::of(&mut r, self.desk.keys(), &mut fields);
        let named = self.named(caller, &mut fields, "name", &r.name, "").await?;
        let class = fields.code(Path::Top("class"), r.class, Alphabet::Word, 32);
        let reason = fields.required_paragraph(Path::Top("reason"), r.reason, 500);
        let (class, reason) = fields.finish((class, reason)).map_err(status::fields)?;
        let verb = Verb::SetClass { number: named.number, class: Some(class).filter(|c| !c.is_empty()) };
        self.decide(&asked, &named, (verb, Papers::Reason(reason)), asked.about(named.name.event)).await
    }

    pub(super) async fn promote(&self, caller: Caller, mut r: PromoteRegistrationRequest) -> Registered {
        caller.staff_only(PromoteRegistrationRequest::METHOD)?;
        let mut fields = Fields::default();
        let asked = Asked::of(&mut r, self.desk.keys(), &mut fields);
        let named = self.named(caller, &mut fields, "name", &r.name, "").await?;
        let event = named.name.event;
        let pool = fields.code(Path::Top("pool_id"), r.pool_id, Alphabet::Slug, 32);
        let reason = fields.paragraph(Path::Top("reason"), r.reason, 500);
        let (pool, reason) = fields.finish((pool, reason)).map_err(status::fields)?;
        let pools: Vec<String> = Some(pool).into_iter().filter(|p| !p.is_empty()).collect();
        let pool = match pools.is_empty() {
            true => None,
            false => self.fresh_event_rules(event).await?.pools(&pools).first().copied(),
        };
        let verb = Verb::Promote { number: named.number, pool, has_reason: !reason.is_empty() };
        let about = About { pools: &pools, ..asked.about(event) };
        self.decide(&asked, &named, (verb, Papers::Reason(reason)), about).await
    }
}

fn cancel_reason(fields: &mut Fields, given: i32) -> CancelReason {
    match fields.word(Path::Top("reason"), given) {
        None | Some(proto::CancelReason::Unspecified) => CancelReason::Unspecified,
        Some(proto::CancelReason::CannotCome) => CancelReason::CannotCome,
        Some(proto::CancelReason::FoundElsewhere) => CancelReason::FoundElsewhere,
        Some(proto::CancelReason::NotReachable) => CancelReason::NotReachable,
        Some(proto::CancelReason::EnteredByMistake) => CancelReason::EnteredByMistake,
        Some(proto::CancelReason::Duplicate) => CancelReason::Duplicate,
        Some(proto::CancelReason::Other) => CancelReason::Other,
        Some(proto::CancelReason::NoShow) => CancelReason::NoShow,
        Some(proto::CancelReason::Erased) => {
            fields.refuse(Path::Top("reason"), "is set by the service, see PrivacyService");
            CancelReason::Erased
        }
    }
}

fn reject_reason(fields: &mut Fields, given: i32) -> RejectReason {
    let at = Path::Top("reason");
    if given == 0 {
        fields.refuse(at, "is required");
    }
    match fields.word(at, given) {
        None | Some(proto::RejectReason::Unspecified | proto::RejectReason::Other) => RejectReason::Other,
        Some(proto::RejectReason::NotEligible) => RejectReason::NotEligible,
        Some(proto::RejectReason::OutsideArea) => RejectReason::OutsideArea,
        Some(proto::RejectReason::OtherServiceFitsBetter) => RejectReason::OtherServiceFitsBetter,
        Some(proto::RejectReason::Incomplete) => RejectReason::Incomplete,
        Some(proto::RejectReason::Duplicate) => RejectReason::Duplicate,
    }
}
