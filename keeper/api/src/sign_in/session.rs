//! Sessions of people who signed in: in the store, so that every server of it knows them and any can end them, each by the hash of what its
//! browser shows.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tidelock_store::Session as Kept;
use tracing::error;

use super::{Identity, SignIn, begun};
use crate::{Shared, access::Caller, keys::known_as, problem::Problem, readers::Readers};

/// How old what is known of a person may be where only their id is at hand, as of keys: a stream asks at each event.
const FRESH: Duration = Duration::from_millis(500);
/// What people's ids begin with, and no key's.
pub const PERSON: &str = "person_";

/// A session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Session {
    pub caller: Caller,
    /// Whose it is, in the provider's words.
    pub name: String,
    /// From when on it is none. [seconds since 1970]
    pub ends_at: u64,
    issuer: String,
    groups: BTreeSet<String>,
}

/// What is kept of it. What somebody may do is not: it follows from their groups and from what those are granted now.
#[derive(Serialize, Deserialize)]
struct Body {
    name: String,
    issuer: String,
    groups: BTreeSet<String>,
    people: BTreeSet<String>,
}

fn hash(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}

/// What somebody is called in acts: always the same for one person, and no name, for a chain cannot forget. Whoever has the provider's list of
/// subjects finds them by it.
pub(crate) fn id_of(person: &str) -> String {
    let [a, b, c, d, e, f, g, h, ..] = hash(person);
    format!("{PERSON}{}", begun::hexadecimal(&[a, b, c, d, e, f, g, h]))
}

impl Session {
    /// Of one person, by issuer and subject: whatever they are called besides is theirs too, so that a key under that name is no second person's.
    pub fn of(identity: &Identity, settings: &SignIn, ends_at: u64) -> Self {
        let person = format!("{}|{}", identity.issuer, identity.subject);
        let names = identity.names.iter().map(|name| known_as(name));
        let name = identity.names.first().unwrap_or(&identity.subject);
        let groups: BTreeSet<String> = identity.groups.iter().cloned().collect();
        Self {
            name: name.clone(),
            ends_at,
            caller: Caller {
                key: id_of(&person),
                scopes: settings.granted(&identity.issuer, &groups),
                people: names.chain([person]).collect(),
            },
            issuer: identity.issuer.clone(),
            groups,
        }
    }

    fn kept(&self, shown: &str) -> Result<Kept, Problem> {
        let body = Body {
            name: self.name.clone(),
            issuer: self.issuer.clone(),
            groups: self.groups.clone(),
            people: self.caller.people.clone(),
        };
        Ok(Kept {
            hash: hash(shown),
            person: self.caller.key.clone(),
            body: serde_json::to_string(&body).map_err(|_| Problem::internal())?,
            ends_at: self.ends_at,
        })
    }

    /// None if it is over, cannot be read, or nothing is granted to its person any more.
    fn read(kept: Option<Kept>, settings: &SignIn, now: u64) -> Option<Self> {
        let kept = kept.filter(|kept| now < kept.ends_at)?;
        let body: Body = serde_json::from_str(&kept.body)
            .inspect_err(|cause| error!(%cause, "a session cannot be read"))
            .ok()?;
        let scopes = settings.granted(&body.issuer, &body.groups);
        (!scopes.is_empty()).then_some(Self {
            caller: Caller {
                key: kept.person,
                scopes,
                people: body.people,
            },
            name: body.name,
            ends_at: kept.ends_at,
            issuer: body.issuer,
            groups: body.groups,
        })
    }
}

/// People that were asked for by id, when, and what was found.
type Seen = BTreeMap<String, (Instant, Option<Session>)>;

/// All of them.
pub(crate) struct Sessions {
    readers: Readers,
    settings: SignIn,
    seen: Mutex<Seen>,
}

impl Sessions {
    pub fn new(readers: Readers, settings: SignIn) -> Self {
        Self {
            readers,
            settings,
            seen: Mutex::default(),
        }
    }

    /// Opens a session; what the browser shows from now on.
    pub async fn open(app: &Shared, session: &Session, now: u64) -> Result<String, Problem> {
        let shown = begun::secret();
        let kept = session.kept(&shown)?;
        app.write(move |desk| desk.open_session(&kept, now)).await?;
        Ok(shown)
    }

    /// The session that a browser shows.
    pub async fn shown(&self, shown: &str, now: u64) -> Result<Option<Session>, Problem> {
        let hash = hash(shown);
        let found = self.readers.ask(move |reader| reader.session(&hash));
        Ok(Session::read(found.await?, &self.settings, now))
    }

    /// Somebody who is signed in, by their id.
    pub async fn holder(&self, id: &str, now: u64) -> Result<Option<Caller>, Problem> {
        if !id.starts_with(PERSON) {
            return Ok(None);
        }
        let known = self.seen().get(id).cloned();
        let session = match known.filter(|(at, _)| at.elapsed() < FRESH) {
            Some((_, session)) => session.filter(|session| now < session.ends_at),
            None => {
                let person = id.to_owned();
                let found = self.readers.ask(move |reader| reader.session_of(&person));
                let session = Session::read(found.await?, &self.settings, now);
                let mut seen = self.seen();
                seen.retain(|_, (at, _)| at.elapsed() < FRESH);
                seen.insert(id.to_owned(), (Instant::now(), session.clone()));
                session
            }
        };
        Ok(session.map(|session| session.caller))
    }

    /// Ends every session of somebody.
    pub async fn end(&self, app: &Shared, id: &str) -> Result<(), Problem> {
        let person = id.to_owned();
        app.write(move |desk| desk.end_sessions(&person)).await?;
        self.seen().remove(id);
        Ok(())
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::Scope;

    fn settings(issuer: &str, group: &str) -> SignIn {
        SignIn {
            issuer: issuer.to_owned(),
            client_id: "tidelock".to_owned(),
            client_secret: None,
            public_url: "https://keeper.example".to_owned(),
            scopes: Vec::new(),
            claim: "groups".to_owned(),
            grants: BTreeMap::from([(group.to_owned(), BTreeSet::from([Scope::Read]))]),
            session_s: 100,
        }
    }

    fn session(subject: &str, ends_at: u64) -> Session {
        let identity = Identity {
            issuer: "https://id.example".to_owned(),
            subject: subject.to_owned(),
            names: vec!["Anna ".to_owned()],
            groups: vec!["readers".to_owned()],
        };
        Session::of(
            &identity,
            &settings("https://id.example", "readers"),
            ends_at,
        )
    }

    #[test]
    fn a_session_is_kept_by_a_hash_and_read_until_it_ends() {
        let now = settings("https://id.example", "readers");
        let (anna, ben) = (session("1", 100), session("2", 100));
        let people = ["anna", "https://id.example|1"].map(str::to_owned);
        assert_eq!(anna.caller.people, BTreeSet::from(people));
        assert_eq!(anna.caller.scopes, BTreeSet::from([Scope::Read]));
        assert_ne!(anna.caller.key, ben.caller.key);
        let kept = anna.kept("shown").unwrap();
        assert!(!kept.body.contains("shown"));
        assert_eq!(kept.hash, hash("shown"));
        assert_eq!(Session::read(Some(kept.clone()), &now, 99), Some(anna));
        assert_eq!(Session::read(Some(kept.clone()), &now, 100), None);
        let body = "{}".to_owned();
        assert_eq!(Session::read(Some(Kept { body, ..kept }), &now, 99), None);
        assert_eq!(Session::read(None, &now, 1), None);
    }

    #[test]
    fn what_is_granted_no_more_is_lost_with_the_next_start() {
        let kept = session("1", 100).kept("shown").unwrap();
        for other in [
            settings("https://id.example", "others"),
            settings("https://another.example", "readers"),
        ] {
            assert_eq!(Session::read(Some(kept.clone()), &other, 99), None);
        }
    }
}
