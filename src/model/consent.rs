//! What a party said about its personal data: what it consented to, and whether they are to be left alone. Codes and
//! times, no words of anybody: it stands beside the line, apart from the party.

use super::party::Channel;
use super::time::Timestamp;
use serde::{Deserialize, Serialize};

/// What can be consented to. A seat never depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Being photographed or filmed.
    Photos,
    /// News of later events.
    News,
    /// Contact and needs are told to another centre.
    Sharing,
    /// The contact is kept for the next season.
    NextSeason,
}

impl Purpose {
    pub const ALL: [Purpose; 4] = [Purpose::Photos, Purpose::News, Purpose::Sharing, Purpose::NextSeason];
}

/// One consent: to what, to which text, when and how it was given, and when it was taken back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    pub purpose: Purpose,
    /// The version of the text that was agreed to.
    pub text: String,
    pub channel: Channel,
    pub given_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawn_at: Option<Timestamp>,
}

impl Consent {
    pub fn holds(&self) -> bool {
        self.withdrawn_at.is_none()
    }
}

/// What is said of one purpose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    pub purpose: Purpose,
    /// The version of the text that is agreed to; absent: it is not agreed to, or not any more.
    pub text: Option<String>,
    pub channel: Channel,
}

/// All that a party said, as it stands. Of each purpose the last consent; the journal has those before.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Choices {
    /// Since when its data are to be left alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restricted_at: Option<Timestamp>,
    /// In the order of the purposes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub consents: Vec<Consent>,
}

impl Choices {
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The consents that these choices, made now, would change, as they would stand.
    pub fn changed_by(&self, choices: &[Choice], now: Timestamp) -> Vec<Consent> {
        choices.iter().filter_map(|choice| self.changed_by_one(choice, now)).collect()
    }

    fn changed_by_one(&self, choice: &Choice, now: Timestamp) -> Option<Consent> {
        let stands = self.consents.iter().find(|c| c.purpose == choice.purpose && c.holds());
        match (&choice.text, stands) {
            (Some(text), Some(stands)) if *text == stands.text => None,
            (Some(text), _) => Some(Consent {
                purpose: choice.purpose,
                text: text.clone(),
                channel: choice.channel,
                given_at: now,
                withdrawn_at: None,
            }),
            (None, stands) => stands.map(|stands| Consent { withdrawn_at: Some(now), ..stands.clone() }),
        }
    }

    /// Lays consents in the place of those before.
    pub fn set(&mut self, consents: &[Consent]) {
        self.consents.retain(|c| consents.iter().all(|new| new.purpose != c.purpose));
        self.consents.extend_from_slice(consents);
        self.consents.sort_by_key(|c| c.purpose);
    }

    /// Takes back all that holds: there is nobody left who could.
    pub fn end(&mut self, now: Timestamp) {
        for consent in self.consents.iter_mut().filter(|c| c.holds()) {
            consent.withdrawn_at = Some(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choice(purpose: Purpose, text: Option<&str>) -> Choice {
        Choice { purpose, text: text.map(str::to_owned), channel: Channel::Web }
    }

    #[test]
    fn the_last_consent_of_each_purpose_stands_and_saying_the_same_changes_nothing() {
        let mut stands = Choices::default();
        let mut say = |purpose, text, at| {
            let changed = stands.changed_by(&[choice(purpose, text)], Timestamp(at));
            stands.set(&changed);
            (changed.len(), stands.consents.iter().map(|c| (c.purpose, c.given_at.0, c.holds())).collect::<Vec<_>>())
        };
        use Purpose::{News, Photos};
        assert_eq!(say(Photos, None, 1), (0, vec![]), "nothing was given");
        assert_eq!(say(News, Some("v1"), 2), (1, vec![(News, 2, true)]));
        assert_eq!(say(Photos, Some("v1"), 3), (1, vec![(Photos, 3, true), (News, 2, true)]));
        assert_eq!(say(News, Some("v1"), 4).0, 0);
        assert_eq!(say(News, Some("v2"), 5), (1, vec![(Photos, 3, true), (News, 5, true)]), "another text");
        assert_eq!(say(News, None, 6), (1, vec![(Photos, 3, true), (News, 5, false)]));
        assert_eq!(say(News, None, 7).0, 0);
        assert_eq!(say(News, Some("v2"), 8), (1, vec![(Photos, 3, true), (News, 8, true)]), "given anew");
    }
}
