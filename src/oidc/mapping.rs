//! Who somebody is here who is that elsewhere: claims on the left, Eilė's roles and centres on the right. What is not in the
//! table is nothing, whatever a token says.

use crate::model::access::Role;
use crate::model::id::{CentreId, EventId};
use serde_json::Value;
use uuid::Uuid;

/// Most events that a token may name: as many as an access key.
const EVENTS_MAX: usize = 200;

/// Claims are named as they are, or, with a slash before it, by their path: `/realm_access/roles`.
#[derive(Clone, Debug, Default)]
pub struct Mapping {
    pub role_claim: String,
    /// What the claim may say, and the role that this is. Of several that a token has, the first in the table counts.
    pub roles: Vec<(String, Role)>,
    pub centre_claim: String,
    /// What the claim may say, and the centre that this is; nothing stands for every centre.
    pub centres: Vec<(String, Option<CentreId>)>,
    /// Names the events of leaders and psychologists by their ids.
    pub event_claim: String,
}

/// What a token gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reach {
    pub role: Role,
    pub centres: Vec<CentreId>,
    pub all_centres: bool,
    pub events: Vec<EventId>,
}

impl Mapping {
    /// The role and the reach, by the rules that access keys are made by (`api::access_keys`).
    pub fn reach(&self, claims: &Value) -> Result<Reach, &'static str> {
        let said = values(claims, &self.role_claim);
        let role = self.roles.iter().find(|(value, _)| said.contains(&value.as_str())).map(|(_, role)| *role);
        let role = role.ok_or("no role is mapped to it")?;
        if role.is_of_all() {
            return Ok(Reach { role, centres: Vec::new(), all_centres: true, events: Vec::new() });
        }
        let said = values(claims, &self.centre_claim);
        let mut reached: Vec<&Option<CentreId>> =
            self.centres.iter().filter(|(value, _)| said.contains(&value.as_str())).map(|(_, centre)| centre).collect();
        reached.sort();
        reached.dedup();
        if reached.is_empty() {
            return Err("no centre is mapped to it");
        }
        let all_centres = reached.contains(&&None);
        let centres = if all_centres { Vec::new() } else { reached.into_iter().flatten().cloned().collect() };
        let events = match role {
            Role::Leader | Role::Psychologist => self.events(claims)?,
            _ => Vec::new(),
        };
        Ok(Reach { role, centres, all_centres, events })
    }

    /// The events that are named: never none, since that would mean all.
    fn events(&self, claims: &Value) -> Result<Vec<EventId>, &'static str> {
        let said = values(claims, &self.event_claim);
        if said.len() > EVENTS_MAX {
            return Err("it names too many events");
        }
        let id = |name: &&str| Uuid::try_parse(name.strip_prefix("events/").unwrap_or(name)).ok().map(EventId);
        let events: Vec<EventId> = said.iter().filter_map(id).collect();
        if events.is_empty() { Err("it names no event") } else { Ok(events) }
    }
}

/// What a claim says: a text, or a list of texts.
fn values<'a>(claims: &'a Value, name: &str) -> Vec<&'a str> {
    let claim = if name.starts_with('/') { claims.pointer(name) } else { claims.get(name) };
    match claim {
        Some(Value::String(text)) => vec![text],
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}
