//! The way of every change of one registration: is it there, who acts, are the fields sound, then one command.

use crate::admission::{Command, Standing, Verb};
use crate::api::caller::{Acting, Caller};
use crate::api::from_proto::names::RegistrationName;
use crate::api::from_proto::{Fields, Path};
use crate::api::privacy::Sight;
use crate::api::proto;
use crate::api::request::Asked;
use crate::api::status::About;
use crate::api::to_proto::{self, names};
use crate::api::{Api, status};
use crate::desk::{Borne, DeskError, Job, Papers};
use crate::keys;
use crate::model::access::Reach;
use crate::model::id::Number;
use tonic::Status;

/// How often a token is looked at again whose registration steps while its bearer acts.
const TRIES: u32 = 32;

/// A registration that exists, and as whom the caller acts on it.
pub struct Named {
    pub name: RegistrationName,
    pub number: Number,
    pub caller: Caller,
    pub acting: Acting,
    /// What the store shows to the caller.
    pub reach: Reach,
    /// Whether the caller is staff that sees who it is.
    pub for_staff: bool,
    /// What it is shown of parties whose data are to be left alone.
    pub sight: Sight,
    /// The token that lets the party in: its hash, and since when it is known to be good.
    borne: Option<([u8; 32], Borne)>,
}

impl Named {
    /// Whether names and words of this registration are kept from the caller.
    pub fn is_hidden(&self) -> bool {
        self.acting.is_staff() && !self.for_staff
    }

    /// What the desk must know of the token that lets the party in.
    pub fn borne(&self) -> Option<Borne> {
        self.borne.map(|(_, borne)| borne)
    }

    pub fn told(&self) -> Told {
        Told { for_staff: self.for_staff, sight: self.sight }
    }
}

/// What whoever changes a registration is told of it.
#[derive(Clone, Copy)]
pub struct Told {
    /// Whether it is staff that sees who it is.
    pub for_staff: bool,
    pub sight: Sight,
}

impl Told {
    pub const AS_PARTY: Told = Told { for_staff: false, sight: Sight::OF_PARTY };

    /// Whoever bears the token is the party, and is shown its words: staff that may not see them gets none.
    pub fn tells_token_of(self, s: &Standing) -> bool {
        !self.sight.hides(s)
    }
}

impl Api {
    /// Finds the registration and whoever acts on it. Nobody learns of violated fields before that.
    pub(in crate::api) async fn named(
        &self,
        caller: Caller,
        fields: &mut Fields,
        at: &'static str,
        name: &str,
        token: &str,
    ) -> Result<Named, Status> {
        let Some(name) = fields.registration_name(Path::Top(at), name) else {
            let violations = std::mem::take(fields).finish(());
            return Err(
                violations.map_or_else(status::fields, |()| status::internal("a name was refused and is sound"))
            );
        };
        // Its last step before its token: whoever ends the token takes a step.
        let (number, seen_step) = match self.number_and_step(name).await {
            Err(no) if caller.needs_token() && status::is_not_found(&no) => {
                return Err(status::token_invalid(&names::registration(name.event, name.id)));
            }
            found => found?,
        };
        let acting = self.acting(caller, name, number, token).await?;
        let reach = self.reach_of_one(caller, name.event, number)?;
        let for_staff = acting.is_staff() && self.sees_people(caller, name.event).await?;
        let sight = self.sight(caller, acting)?;
        let borne = (acting == Acting::Party).then(|| (keys::token_hash(token), Borne { number, seen_step }));
        Ok(Named { name, number, caller, acting, reach, for_staff, sight, borne })
    }

    /// Refuses a token that is not this registration's, and a registration that is not there.
    pub(in crate::api) async fn opens(&self, name: RegistrationName, token: &str) -> Result<(), Status> {
        let (number, _) = self.number_and_step(name).await?;
        self.acting(Caller::bearer(), name, number, token).await.map(drop)
    }

    /// The same registration and caller, after it took a step: refuses a token that has ended by that.
    pub(in crate::api) async fn named_again(&self, named: &Named) -> Result<Named, Status> {
        let (number, seen_step) = self.number_and_step(named.name).await?;
        let mut borne = named.borne;
        if let Some((hash, borne)) = &mut borne {
            self.still_opens(named.name, number, hash).await?;
            borne.seen_step = seen_step;
        }
        Ok(Named { borne, reach: named.reach.clone(), ..*named })
    }

    /// The number of a registration whose whole id is that of its row, and its last step.
    async fn number_and_step(&self, name: RegistrationName) -> Result<(Number, u64), Status> {
        let number = name.id.number();
        let step = |view: &crate::desk::View<'_>| {
            let standing = view.roster.standing(number).filter(|s| s.id == name.id)?;
            Some(standing.steps.last().copied().unwrap_or_default())
        };
        match self.look(name.event, step).await? {
            Some(step) => Ok((number, step)),
            None => Err(status::registration_not_found(&names::registration(name.event, name.id))),
        }
    }

    /// Hands a command in, or tries it out, and answers the registration as it left it.
    pub(in crate::api) async fn decide(
        &self,
        asked: &Asked,
        named: &Named,
        job: (Verb, Papers),
        about: About<'_>,
    ) -> Result<proto::Registration, Status> {
        let about = About { registration: Some(named.name.id), ..about };
        let mut again: Option<Named> = None;
        for _ in 0..TRIES {
            let named = again.as_ref().unwrap_or(named);
            match self.decided(asked, named, job.clone()).await {
                Ok(mut registration) => {
                    if named.acting.is_staff() {
                        self.unlink(named.caller, [&mut registration]).await?;
                    }
                    return Ok(registration);
                }
                Err(DeskError::Stale) => again = Some(self.named_again(named).await?),
                Err(error) => return Err(self.no(error, &about).await),
            }
        }
        Err(status::overloaded())
    }

    pub(super) fn job(&self, asked: &Asked, named: &Named, (verb, papers): (Verb, Papers)) -> Job {
        let event = named.name.event;
        let request = Some(asked.within(event, self.desk.keys()));
        let command = Command { actor: named.acting.actor(), request, verb };
        Job { event, command, papers, borne: named.borne() }
    }

    /// The same, where the caller has more to do with a no.
    pub(super) async fn decided(
        &self,
        asked: &Asked,
        named: &Named,
        (verb, papers): (Verb, Papers),
    ) -> Result<proto::Registration, DeskError> {
        let event = named.name.event;
        let job = self.job(asked, named, (verb, papers));
        let for_staff = named.for_staff;
        let render = |done: &crate::desk::Done| {
            let answered = to_proto::registration::answered(event, done, for_staff);
            if named.is_hidden() { to_proto::registration::taken(answered) } else { answered }
        };
        match asked.validate_only {
            true => self.desk.try_out(job, |done, _| render(done)).await,
            false => match self.desk.submit(job).await {
                Ok(done) => self.as_first_answered(event, done).await.map(|done| render(&done)),
                Err(error) => Err(error),
            },
        }
    }
}
