//! People who sign in: what the settings say of their issuer, and what it comes to. Whatever cannot be meant is refused at
//! start, since a slip here lets somebody in.

use crate::model::access::Role;
use crate::model::id::{CentreId, is_slug};
use crate::model::time::Span;
use crate::oidc::{Address, Algorithm, Mapping, Options, Pace, Source};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// People who sign in with an issuer of OpenID Connect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Oidc {
    /// Who signs their tokens, as the tokens say it. Empty: nobody.
    pub issuer: String,
    /// Whom the tokens must be for.
    pub audience: String,
    /// Where the issuer's keys are. Empty: where its `/.well-known/openid-configuration` says.
    pub jwks_url: String,
    /// A file with the issuer's keys, for machines without a network. Empty: none.
    pub jwks_file: String,
    /// Signatures of no other kind are taken.
    pub algorithms: Vec<String>,
    /// How far, in seconds, the issuer's clock may be from this one. At most 300.
    pub clock_skew_seconds: u64,
    /// How long, in seconds, the issuer's keys count before it is asked again; a key that it has withdrawn lets nobody in
    /// after that. 10 to 300.
    pub refresh_seconds: u64,
    /// How long, in seconds, they count while the issuer does not answer. At most 86400.
    pub keep_seconds: u64,
    /// The claim that says what somebody is; a path begins with a slash, as in `/realm_access/roles`.
    pub role_claim: String,
    /// What it may say, and the role that this is, as in `family-centre-head = head`. Of several, the first here counts.
    pub roles: Vec<String>,
    /// The claim that says where somebody works.
    pub centre_claim: String,
    /// What it may say, and the centre that this is, as in `Elektrenai = elektrenai`; `*` for every centre.
    pub centres: Vec<String>,
    /// The claim with the ids of the events of leaders and psychologists.
    pub event_claim: String,
    /// Whether people may be mapped to `administrator`.
    pub administrators: bool,
    /// Whether people may be mapped to `national`.
    pub national: bool,
}

impl Default for Oidc {
    fn default() -> Self {
        Self {
            issuer: String::new(),
            audience: String::new(),
            jwks_url: String::new(),
            jwks_file: String::new(),
            algorithms: vec!["RS256".to_owned(), "ES256".to_owned()],
            clock_skew_seconds: 60,
            refresh_seconds: 300,
            keep_seconds: 3_600,
            role_claim: "roles".to_owned(),
            roles: Vec::new(),
            centre_claim: "centres".to_owned(),
            centres: Vec::new(),
            event_claim: "events".to_owned(),
            administrators: false,
            national: false,
        }
    }
}

/// Signatures that may be taken. None by which whoever checks could also sign.
const ALGORITHMS: [&str; 9] = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"];

impl Oidc {
    /// What the settings come to; nothing where nobody signs in. Else the line that says why they cannot be meant.
    pub fn options(&self) -> Result<Option<Options>, String> {
        if self.issuer.is_empty() {
            let unused = *self == Self::default();
            return if unused {
                Ok(None)
            } else {
                Err("oidc.issuer must be set where other settings of oidc are".into())
            };
        }
        Address::read(&self.issuer).map_err(|why| format!("oidc.issuer: {why}"))?;
        if self.audience.is_empty() {
            return Err("oidc.audience must be set: a token for somebody else must not let in here".to_owned());
        }
        Ok(Some(Options {
            issuer: self.issuer.clone(),
            audience: self.audience.clone(),
            source: self.source()?,
            algorithms: self.algorithms()?,
            skew: Span::seconds(bounded("clock_skew_seconds", self.clock_skew_seconds, 0, 300)? as i64),
            pace: self.pace()?,
            mapping: self.mapping()?,
        }))
    }

    fn source(&self) -> Result<Source, String> {
        match (self.jwks_url.as_str(), self.jwks_file.as_str()) {
            ("", "") => {
                let page = Address::of_issuer(&self.issuer).map_err(|why| format!("oidc.issuer: {why}"))?;
                Ok(Source::Discovery(self.issuer.clone(), page))
            }
            (url, "") => Address::read(url).map(Source::Address).map_err(|why| format!("oidc.jwks_url: {why}")),
            ("", file) => Ok(Source::File(file.into())),
            _ => Err("oidc.jwks_url and oidc.jwks_file are both set: name one".to_owned()),
        }
    }

    fn algorithms(&self) -> Result<Vec<Algorithm>, String> {
        if self.algorithms.is_empty() {
            return Err("oidc.algorithms must name at least one".to_owned());
        }
        let read = |name: &String| {
            let known = ALGORITHMS.contains(&name.as_str()).then(|| name.parse().ok()).flatten();
            known.ok_or_else(|| format!("oidc.algorithms: {name} is none of {}", ALGORITHMS.join(", ")))
        };
        self.algorithms.iter().map(read).collect()
    }

    fn pace(&self) -> Result<Pace, String> {
        let refresh = bounded("refresh_seconds", self.refresh_seconds, 10, 300)?;
        let keep = bounded("keep_seconds", self.keep_seconds, refresh, 86_400)?;
        let seconds = Duration::from_secs;
        Ok(Pace { refresh: seconds(refresh), keep: seconds(keep), pause: seconds(10) })
    }

    fn mapping(&self) -> Result<Mapping, String> {
        let roles = rows("oidc.roles", &self.roles, |word| {
            let role = toml::Value::String(word.to_owned()).try_into::<Role>();
            role.map_err(|_| format!("{word} is no role of access keys"))
        })?;
        let centres = rows("oidc.centres", &self.centres, |id| match id {
            "*" => Ok(None),
            id if is_slug(id) => Ok(Some(CentreId(id.to_owned()))),
            other => Err(format!("{other} is neither the id of a centre nor *")),
        })?;
        let has = |role: Role| roles.iter().any(|(_, other)| *other == role);
        let refusal = match () {
            () if roles.is_empty() => "oidc.roles must map at least one value to a role, or nobody can sign in",
            () if has(Role::Administrator) && !self.administrators => {
                "oidc.roles maps people to administrator: set oidc.administrators if that is meant"
            }
            () if has(Role::National) && !self.national => {
                "oidc.roles maps people to national: set oidc.national if that is meant"
            }
            () if centres.is_empty() && !roles.iter().all(|(_, role)| role.is_of_all()) => {
                "oidc.centres must map at least one value to a centre, or nobody reaches anything"
            }
            () if (has(Role::Leader) || has(Role::Psychologist)) && self.event_claim.is_empty() => {
                "oidc.event_claim must be set: leaders and psychologists reach the events that are named, and no others"
            }
            () => "",
        };
        if !refusal.is_empty() {
            return Err(refusal.to_owned());
        }
        Ok(Mapping {
            role_claim: self.role_claim.clone(),
            roles,
            centre_claim: self.centre_claim.clone(),
            centres,
            event_claim: self.event_claim.clone(),
        })
    }
}

fn bounded(name: &str, value: u64, least: u64, most: u64) -> Result<u64, String> {
    let fits = (least..=most).contains(&value);
    if fits { Ok(value) } else { Err(format!("oidc.{name} must be from {least} to {most}")) }
}

/// Reads rows `VALUE = WORD`; a value may hold an equals sign.
fn rows<T>(name: &str, rows: &[String], read: impl Fn(&str) -> Result<T, String>) -> Result<Vec<(String, T)>, String> {
    let mut table: Vec<(String, T)> = Vec::new();
    for row in rows {
        let (value, word) = row.rsplit_once('=').unwrap_or_default();
        let (value, word) = (value.trim(), word.trim());
        if value.is_empty() || word.is_empty() {
            return Err(format!("{name}: {row} is not of the form VALUE = WORD"));
        }
        if name == "oidc.roles" && table.iter().any(|(other, _)| other == value) {
            return Err(format!("{name}: {value} stands twice in the list"));
        }
        table.push((value.to_owned(), read(word).map_err(|why| format!("{name}: {why}"))?));
    }
    Ok(table)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use super::*;

    fn sound() -> Oidc {
        Oidc {
            issuer: "https://login.example.org/realms/centres".into(),
            audience: "eile".into(),
            roles: vec!["office = coordinator".into(), "boss=head".into()],
            centres: vec!["Elektrėnai = elektrenai".into(), "a=b = *".into()],
            ..Oidc::default()
        }
    }

    fn refusal(change: impl FnOnce(&mut Oidc)) -> String {
        let mut oidc = sound();
        change(&mut oidc);
        oidc.options().map(|_| ()).unwrap_err()
    }

    #[test]
    fn sound_settings_come_to_what_they_say() {
        let options = sound().options().unwrap().unwrap();
        assert!(matches!(options.source, Source::Discovery(..)));
        assert_eq!(options.algorithms, [Algorithm::RS256, Algorithm::ES256]);
        assert_eq!((options.skew, options.pace.refresh), (Span::seconds(60), Duration::from_secs(300)));
        let roles = [("office".to_owned(), Role::Coordinator), ("boss".to_owned(), Role::Head)];
        assert_eq!(options.mapping.roles, roles);
        let centres = [("Elektrėnai".to_owned(), Some(CentreId("elektrenai".into()))), ("a=b".to_owned(), None)];
        assert_eq!(options.mapping.centres, centres);
        assert!(Oidc::default().options().unwrap().is_none());
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        let row = |text: &str| vec![text.to_owned()];
        for (line, expected) in [
            (refusal(|o| o.issuer = String::new()), "oidc.issuer must be set"),
            (refusal(|o| o.issuer = "http://login.example.org".into()), "oidc.issuer: "),
            (refusal(|o| o.audience = String::new()), "oidc.audience must be set"),
            (refusal(|o| o.jwks_url = "http://192.0.2.1/keys".into()), "oidc.jwks_url: "),
            (refusal(|o| (o.jwks_url, o.jwks_file) = ("https://a/".into(), "keys".into())), "oidc.jwks_url and"),
            (refusal(|o| o.algorithms = vec![]), "oidc.algorithms must"),
            (refusal(|o| o.algorithms = row("none")), "oidc.algorithms: none"),
            (refusal(|o| o.algorithms = row("HS256")), "oidc.algorithms: HS256"),
            (refusal(|o| o.clock_skew_seconds = 301), "oidc.clock_skew_seconds must be from 0 to 300"),
            (refusal(|o| o.refresh_seconds = 301), "oidc.refresh_seconds must be from 10 to 300"),
            (refusal(|o| o.refresh_seconds = 9), "oidc.refresh_seconds"),
            (refusal(|o| o.keep_seconds = 86_401), "oidc.keep_seconds"),
            (refusal(|o| o.keep_seconds = 299), "oidc.keep_seconds must be from 300"),
            (refusal(|o| o.roles = vec![]), "oidc.roles must map"),
            (refusal(|o| o.roles = row("office")), "oidc.roles: office is not of the form"),
            (refusal(|o| o.roles = row("office = king")), "oidc.roles: king"),
            (refusal(|o| o.roles.push("boss = coordinator".into())), "oidc.roles: boss stands twice"),
            (refusal(|o| o.roles = row("root = administrator")), "oidc.roles maps people to administrator"),
            (refusal(|o| o.roles = row("state = national")), "oidc.roles maps people to national"),
            (refusal(|o| o.centres = vec![]), "oidc.centres must map"),
            (refusal(|o| o.centres = row("E = Elektrėnai")), "oidc.centres: Elektrėnai"),
            (
                refusal(|o| (o.roles, o.event_claim) = (row("group = leader"), String::new())),
                "oidc.event_claim must be set",
            ),
        ] {
            assert!(line.starts_with(expected), "{line}");
            assert_eq!(line.lines().count(), 1);
        }
    }

    #[test]
    fn administrators_and_national_readers_are_people_only_where_that_is_said() {
        let mut oidc = sound();
        oidc.roles = vec!["root = administrator".into(), "state = national".into()];
        (oidc.administrators, oidc.national, oidc.centres) = (true, true, vec![]);
        assert!(oidc.options().unwrap().is_some());
    }
}
