//! TransferRegistration: one request, two events, one transaction.

use super::amend::Seen;
use super::change::Named;
use super::persons;
use crate::admission::Refusal;
use crate::api::caller::Caller;
use crate::api::from_proto::{Fields, Path};
use crate::api::proto::{Registration, TransferRegistrationRequest, TransferRegistrationResponse};
use crate::api::request::{Asked, Change, scope};
use crate::api::rules::EventRules;
use crate::api::status::{self, About};
use crate::api::to_proto::{names, registration};
use crate::api::{Api, to_proto};
use crate::desk::{DeskError, LeftBehind, PartyPapers, TransferJob, Transferred};
use crate::model::event::Question;
use crate::model::id::EventId;
use crate::model::party::Answer;
use crate::privacy::left_behind;
use std::sync::Arc;
use tonic::Status;

const METHOD: &str = TransferRegistrationRequest::METHOD;
/// How often a party that changed while it was read is read again.
const TRIES: u32 = 5;
/// Where a transfer has its answers.
const ANSWERS: Path<'static> = Path::Top("answers");

/// Where the party goes, and what it says to it.
struct Target {
    event: EventId,
    wishes: Vec<String>,
    answers: Vec<Answer>,
    rules: Arc<EventRules>,
}

impl Api {
    pub(super) async fn transfer(
        &self,
        caller: Caller,
        mut r: TransferRegistrationRequest,
    ) -> Result<TransferRegistrationResponse, Status> {
        let mut fields = Fields::default();
        let asked = Asked::of(&mut r, self.desk.keys(), &mut fields);
        let named = self.named(caller, &mut fields, "name", &r.name, &r.management_token).await?;
        if named.is_hidden() {
            return Err(status::people_not_shown(METHOD, named.name.event));
        }
        let to = fields.event_name(Path::Top("target_event"), &r.target_event).unwrap_or_default();
        let wishes = fields.acceptable_pools(Path::Top("acceptable_pools"), r.acceptable_pools);
        let answers = fields.answers(ANSWERS, r.answers);
        let (wishes, answers) = fields.finish((wishes, answers)).map_err(status::fields)?;
        if to == named.name.event {
            return Err(status::same_event(&names::event(to)));
        }
        let rules = self.rules_for(to, named.acting.is_staff()).await?;
        if named.acting.is_staff() {
            self.sees_people_or_no(caller, to, METHOD).await?;
        }
        let target = Target { event: to, wishes, answers, rules };
        let mut again: Option<Named> = None;
        for _ in 0..TRIES {
            let named = again.as_ref().unwrap_or(&named);
            let job = self.transfer_job(caller, &asked, named, &target).await?;
            let answer = match asked.validate_only {
                true => self.tried(named, to, job).await,
                false => match self.desk.transfer(job).await {
                    Ok(moved) => self.moved(&asked, named, to, moved).await,
                    Err(error) => Err(error),
                },
            };
            match answer {
                Err(DeskError::Stale) => again = Some(self.named_again(named).await?),
                Ok(answer) => return Ok(answer),
                Err(error) => {
                    let about = about(&asked, named, to, &error);
                    return Err(self.no(error, &About { pools: &target.wishes, ..about }).await);
                }
            }
        }
        Err(status::overloaded())
    }

    async fn transfer_job(
        &self,
        caller: Caller,
        asked: &Asked,
        named: &Named,
        target: &Target,
    ) -> Result<TransferJob, Status> {
        let keys = self.desk.keys();
        let (from, to) = (named.name.event, target.event);
        let (papers, left, seen_step) = self.leaving_papers(asked, named, target).await?;
        Ok(TransferJob {
            from,
            number: named.number,
            to,
            wishes: target.wishes.clone(),
            actor: named.acting.actor(),
            request: asked.within(from, keys),
            target_request: asked.within(to, keys),
            // Whoever bears the token is the party, and learns no more than a party may (docs/decisions/0014), but where its
            // portal knows who it is.
            vouched: named.acting.is_staff() || is_vouching_portal(caller),
            papers,
            left,
            seen_step,
            borne: named.borne(),
            id_secret: keys.id_secret(&scope(to), asked.request_id),
            token_key: keys.token_key(asked.request_id),
            validate_only: asked.validate_only,
        })
    }

    /// The party's words, what stays of them, and the last step of its registration. The target asks as it asks everybody who signs up.
    async fn leaving_papers(
        &self,
        asked: &Asked,
        named: &Named,
        target: &Target,
    ) -> Result<(PartyPapers, LeftBehind, u64), Status> {
        let Seen { mut party, seen_step, .. } = self.stored_party(named).await?;
        let left = left_behind(&party, named.name.id, self.desk.keys());
        let left = left.ok_or_else(|| status::internal("what stays of a party cannot be written"))?;
        party.answers = said(&target.answers, party.answers, &target.rules.questions);
        let mut fields = Fields::default();
        fields.answers_fit(ANSWERS, &party.answers, &target.rules.questions);
        if let Err(violations) = fields.finish(()) {
            // Who has moved already is answered as first, though the questions may be others now.
            let moved = self.answered_before(asked, named.name.event).await;
            moved.ok_or_else(|| status::fields(violations))?;
        }
        persons::carry(self.desk.keys(), named.name.id, &mut party.who);
        Ok((super::sign_up::papers(&party)?, left, seen_step))
    }

    /// What the target would answer; the source would be TRANSFERRED.
    async fn tried(
        &self,
        named: &Named,
        to: EventId,
        job: TransferJob,
    ) -> Result<TransferRegistrationResponse, DeskError> {
        let for_staff = named.for_staff;
        let done = self.desk.try_transfer(job).await?;
        let mut target = registration::answered(to, &done, for_staff);
        target.name.clear();
        let event = named.name.event;
        let source = self.desk.read(event, |view| {
            view.roster.standing(named.number).map(|s| registration::basic(view.roster, s, for_staff))
        });
        let source = Registration {
            state: crate::api::proto::RegistrationState::Transferred.into(),
            position: 0,
            pool_id: String::new(),
            offer_expire_time: None,
            ..source.await?.unwrap_or_default()
        };
        Ok(TransferRegistrationResponse {
            registration: Some(target),
            source: Some(source),
            management_token: String::new(),
            check_in_code: String::new(),
        })
    }

    async fn moved(
        &self,
        asked: &Asked,
        named: &Named,
        to: EventId,
        moved: Transferred,
    ) -> Result<TransferRegistrationResponse, DeskError> {
        let source = self.as_first_answered(named.name.event, moved.source).await?;
        // As it is now: a token shows what is to be left alone since then.
        let tells_token = moved.target.standing.as_ref().is_some_and(|s| named.told().tells_token_of(s));
        let target = self.as_first_answered(to, moved.target).await?;
        let for_staff = named.for_staff;
        let token_key = self.desk.keys().token_key(asked.request_id);
        let token = target.standing.as_ref().filter(|_| tells_token).map(|s| token_key.token(s.id));
        Ok(TransferRegistrationResponse {
            management_token: token.unwrap_or_default(),
            check_in_code: self.desk.keys().check_in_code(to, target.outcome.number),
            registration: Some(to_proto::registration::answered(to, &target, for_staff)),
            source: Some(to_proto::registration::answered(named.name.event, &source, for_staff)),
        })
    }
}

/// What the party says to the target's questions: what it says now, and what it said before to those that both events
/// ask.
fn said(now: &[Answer], before: Vec<Answer>, questions: &[Question]) -> Vec<Answer> {
    let is_open = |id: &str| now.iter().all(|answer| answer.question_id != id);
    let fits =
        |a: &Answer| questions.iter().any(|q| q.id == a.question_id && a.text.chars().count() <= q.max_length as usize);
    let kept = before.into_iter().filter(|a| is_open(&a.question_id) && fits(a));
    now.iter().cloned().chain(kept).collect()
}

/// Whether it is a portal whose key says that it knows who its users are. Staff that sends a token is that party alone.
fn is_vouching_portal(caller: Caller) -> bool {
    caller.has_key() && !caller.is_staff() && caller.vouches()
}

/// A no of the source is about the registration; any other is about the target.
fn about(asked: &Asked, named: &Named, to: EventId, error: &DeskError) -> About<'static> {
    match error {
        DeskError::Refused(refusal, _) if !of_source(refusal) => asked.about(to),
        _ => asked.about_registration(named.name.event, named.name.id),
    }
}

fn of_source(refusal: &Refusal) -> bool {
    matches!(refusal, Refusal::IllegalState { .. } | Refusal::RegistrationNotFound | Refusal::RequestIdReused)
}
