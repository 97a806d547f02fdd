//! A sign-in that was begun. Nothing of it is kept here: all that it needs follows from one secret, which the browser that began it keeps in a
//! cookie, so that whoever begins many takes nothing from others, and any server of the same settings can end it.

use rand::Rng;
use sha2::{Digest, Sha256};

/// Hexadecimal digits of a secret.
const DIGITS: usize = 64;

/// A secret for a browser: 32 random bytes in hexadecimal.
pub(super) fn secret() -> String {
    let bytes: [u8; 32] = rand::rng().random();
    hexadecimal(&bytes)
}

pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A sign-in that was begun.
pub(crate) struct Begun(String);

impl Begun {
    pub fn new() -> Self {
        Self(secret())
    }

    /// What a browser shows of one.
    pub fn shown(text: &str) -> Option<Self> {
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        let is_ours = text.len() == DIGITS && text.bytes().all(is_digit);
        is_ours.then(|| Self(text.to_owned()))
    }

    /// What its browser keeps.
    pub fn secret(&self) -> &str {
        &self.0
    }

    /// What the provider leads back with.
    pub fn state(&self) -> String {
        self.made("state")
    }

    /// What the id token has to repeat.
    #[cfg_attr(not(feature = "oidc"), allow(dead_code, reason = "nobody signs in"))]
    pub fn nonce(&self) -> String {
        self.made("nonce")
    }

    /// What a code is changed for tokens with (RFC 7636: 43 to 128 letters and digits).
    #[cfg_attr(not(feature = "oidc"), allow(dead_code, reason = "nobody signs in"))]
    pub fn verifier(&self) -> String {
        self.made("verifier")
    }

    /// State and nonce are known to the provider, and say nothing of the others.
    fn made(&self, of: &str) -> String {
        hexadecimal(&Sha256::digest(format!("{of} {}", self.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_of_it_follows_from_what_the_browser_shows() {
        let begun = Begun::new();
        let again = Begun::shown(begun.secret()).unwrap();
        let all = |one: &Begun| [one.state(), one.nonce(), one.verifier()];
        assert_eq!(all(&begun), all(&again));
        let [state, nonce, verifier] = all(&begun);
        assert!(state != nonce && nonce != verifier && state != verifier);
        assert!((43..=128).contains(&verifier.len()));
        assert_ne!(Begun::new().state(), state);
    }

    #[test]
    fn what_no_server_gave_is_none() {
        let good = "a".repeat(DIGITS);
        assert!(Begun::shown(&good).is_some());
        let long = format!("{good}a");
        for bad in [
            "",
            "a",
            &"a".repeat(63),
            &good.to_uppercase(),
            &long,
            &good.replace('a', "g"),
        ] {
            assert!(Begun::shown(bad).is_none(), "{bad}");
        }
    }
}
