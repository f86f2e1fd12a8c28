//! What a party says about its personal data: that they be left alone, and what it consents to. Nobody's place moves.

use super::change::Change;
use super::decide::Decision;
use super::refusal::Refusal;
use super::roster::{Roster, Standing};
use crate::model::consent::{Choice, Choices, Consent};
use crate::model::contact::ContactKeys;
use crate::model::id::Number;
use crate::model::registration::StateKind;
use crate::model::time::Timestamp;

impl Roster {
    /// Whatever the state of the registration or of its event: its words are kept in all of them.
    pub(super) fn restrict(&self, number: Number, restricted: bool) -> Decision {
        let s = self.standing(number).ok_or(Refusal::RegistrationNotFound)?;
        // Where all is gone there is nothing left to be left alone.
        let is_gone = s.erased.is_some_and(|erased| !erased.kept);
        let is_so = s.restricted_at().is_some() == restricted || (restricted && is_gone);
        Ok(if is_so { Vec::new() } else { vec![Change::Restricted { number, restricted }] })
    }

    /// A consent can be taken back whatever happened; who is erased gives none, and who has moved gives it where it is.
    pub(super) fn consent(&self, number: Number, choices: &[Choice], now: Timestamp) -> Decision {
        let s = self.standing(number).ok_or(Refusal::RegistrationNotFound)?;
        let is_moved = s.state.kind() == StateKind::Transferred;
        if (is_moved || s.erased.is_some()) && choices.iter().any(|choice| choice.text.is_some()) {
            return Err(Refusal::IllegalState { state: s.state.kind() });
        }
        let consents = s.said().changed_by(choices, now);
        Ok(if consents.is_empty() { Vec::new() } else { vec![Change::ConsentsSet { number, consents }] })
    }
}

/// What a newcomer says, or brings along from where it comes.
pub(super) fn brought(number: Number, choices: &Choices) -> impl Iterator<Item = Change> {
    let restricted = choices.restricted_at.map(|_| Change::Restricted { number, restricted: true });
    let consents = choices.consents.clone();
    let consents = Some(consents).filter(|c| !c.is_empty()).map(|consents| Change::ConsentsSet { number, consents });
    restricted.into_iter().chain(consents)
}

const NONE: &Choices = &Choices { restricted_at: None, consents: Vec::new() };

impl Standing {
    /// What the party said about its data.
    pub fn said(&self) -> &Choices {
        self.choices.as_deref().unwrap_or(NONE)
    }

    /// Since when its words are to be left alone.
    pub fn restricted_at(&self) -> Option<Timestamp> {
        self.said().restricted_at
    }

    pub fn set_choices(&mut self, choices: Choices) {
        self.say(|said| *said = choices);
    }

    pub fn restrict(&mut self, at: Option<Timestamp>) {
        self.say(|said| said.restricted_at = at);
    }

    pub fn set_consents(&mut self, consents: &[Consent]) {
        self.say(|said| said.set(consents));
    }

    /// With the words of whoever said it goes what was said, but for what it was: evidence of what was allowed when.
    pub fn forget_choices(&mut self, kept: bool, now: Timestamp) {
        self.say(|said| {
            said.end(now);
            said.restricted_at = said.restricted_at.filter(|_| kept);
        });
    }

    /// The party goes elsewhere, and with it its words and what it said of them: nothing of it holds here any more, but that
    /// what must stay here is left alone.
    pub(super) fn leave_words(&mut self, now: Timestamp) {
        self.contact = ContactKeys::default();
        self.forget_choices(true, now);
    }

    /// Nothing said and never said anything is the same.
    fn say(&mut self, f: impl FnOnce(&mut Choices)) {
        let mut said = self.choices.take().map(|said| *said).unwrap_or_default();
        f(&mut said);
        self.choices = Some(said).filter(|said| !said.is_empty()).map(Box::new);
    }
}
