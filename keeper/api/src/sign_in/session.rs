//! Sessions of people who signed in, and sign-ins that were begun: in memory, so that all end with the process. What a browser holds of them is
//! random and kept here as its hash.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use rand::Rng;
use sha2::{Digest, Sha256};

use super::{Identity, provider::Pending};
use crate::{
    access::Caller,
    keys::{Scope, known_as},
};

/// Sessions at a time; the oldest ends for another.
const SESSIONS: usize = 10_000;
/// Sign-ins that are under way; the oldest is forgotten for another.
const BEGUN: usize = 10_000;
/// How long somebody may take to sign in.
const SIGN_IN: Duration = Duration::from_secs(600);

/// A session.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    pub caller: Caller,
    /// Whose it is, in the provider's words.
    pub name: String,
    /// From when on it is none. [seconds since 1970]
    pub ends_at: u64,
}

/// A sign-in that was begun in a browser.
struct Begun {
    pending: Pending,
    browser: Hash,
    at: Instant,
}

type Hash = [u8; 32];

/// All of them.
#[derive(Default)]
pub(crate) struct Sessions {
    open: Mutex<HashMap<Hash, Session>>,
    begun: Mutex<BTreeMap<String, Begun>>,
}

/// A secret for a browser: 32 random bytes in hexadecimal.
fn secret() -> String {
    let bytes: [u8; 32] = rand::rng().random();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn hash(secret: &str) -> Hash {
    Sha256::digest(secret.as_bytes()).into()
}

/// What somebody is called in acts: always the same for one person, and no name, for a chain cannot forget. Whoever has the provider's list of
/// subjects finds them by it.
pub(crate) fn id_of(person: &str) -> String {
    let [a, b, c, d, e, f, g, h, ..] = hash(person);
    let bytes = [a, b, c, d, e, f, g, h].map(|byte| format!("{byte:02x}"));
    format!("person_{}", bytes.concat())
}

impl Session {
    /// Of one person, by issuer and subject: whatever they are called besides is theirs too, so that a key under that name is no second person's.
    pub fn of(identity: &Identity, scopes: BTreeSet<Scope>, ends_at: u64) -> Self {
        let person = format!("{}|{}", identity.issuer, identity.subject);
        let names = identity.names.iter().map(|name| known_as(name));
        let name = identity.names.first().unwrap_or(&identity.subject);
        Self {
            name: name.clone(),
            ends_at,
            caller: Caller {
                key: id_of(&person),
                scopes,
                people: names.chain([person]).collect(),
            },
        }
    }
}

impl Sessions {
    /// Remembers a sign-in by its state; what the browser has to show at its end.
    pub fn begin(&self, state: String, pending: Pending) -> String {
        let shown = secret();
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        begun.retain(|_, one| one.at.elapsed() < SIGN_IN);
        if begun.len() >= BEGUN {
            let oldest = begun.iter().min_by_key(|(_, one)| one.at);
            if let Some(state) = oldest.map(|(state, _)| state.clone()) {
                begun.remove(&state);
            }
        }
        let one = Begun {
            pending,
            browser: hash(&shown),
            at: Instant::now(),
        };
        begun.insert(state, one);
        shown
    }

    /// A sign-in ends once, in the browser in which it was begun.
    pub fn finish(&self, state: &str, shown: &str) -> Option<Pending> {
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        let one = begun.remove(state)?;
        (one.browser == hash(shown) && one.at.elapsed() < SIGN_IN).then_some(one.pending)
    }

    /// Opens a session; what the browser shows from now on.
    pub fn open(&self, session: Session, now: u64) -> String {
        let shown = secret();
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|_, one| now < one.ends_at);
        if open.len() >= SESSIONS {
            let oldest = open.iter().min_by_key(|(_, one)| one.ends_at);
            if let Some(oldest) = oldest.map(|(hash, _)| *hash) {
                open.remove(&oldest);
            }
        }
        open.insert(hash(&shown), session);
        shown
    }

    /// The session that a browser shows.
    pub fn shown(&self, shown: &str, now: u64) -> Option<Session> {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let session = open.get(&hash(shown));
        session.filter(|one| now < one.ends_at).cloned()
    }

    /// Somebody who is signed in, by their id.
    pub fn holder(&self, id: &str, now: u64) -> Option<Caller> {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let mut theirs = open
            .values()
            .filter(|one| one.caller.key == id && now < one.ends_at);
        theirs.next().map(|one| one.caller.clone())
    }

    /// Ends every session of somebody.
    pub fn end(&self, id: &str) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|_, one| one.caller.key != id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(subject: &str, ends_at: u64) -> Session {
        let identity = Identity {
            issuer: "https://id.example".to_owned(),
            subject: subject.to_owned(),
            names: vec!["Anna ".to_owned()],
            groups: Vec::new(),
        };
        Session::of(&identity, BTreeSet::from([Scope::Read]), ends_at)
    }

    #[test]
    fn a_session_is_its_browsers_until_it_ends() {
        let sessions = Sessions::default();
        let (anna, ben) = (session("1", 100), session("2", 100));
        let people = ["anna", "https://id.example|1"].map(str::to_owned);
        assert_eq!(anna.caller.people, BTreeSet::from(people));
        assert_ne!(anna.caller.key, ben.caller.key);
        let (of_anna, again) = (
            sessions.open(anna.clone(), 1),
            sessions.open(anna.clone(), 1),
        );
        let of_ben = sessions.open(ben.clone(), 1);
        let id = |shown: &str, now| sessions.shown(shown, now).map(|one| one.caller.key);
        assert_eq!(id(&of_anna, 99), Some(anna.caller.key.clone()));
        assert_eq!(id(&of_anna, 100), None);
        assert_eq!(id("", 50), None);
        assert!(sessions.holder(&anna.caller.key, 99).is_some());
        assert!(sessions.holder(&anna.caller.key, 100).is_none());
        sessions.end(&anna.caller.key);
        assert_eq!((id(&of_anna, 50), id(&again, 50)), (None, None));
        assert_eq!(id(&of_ben, 50), Some(ben.caller.key));
    }
}
