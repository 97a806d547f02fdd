//! Where a node's URL leads, whichever way it is spelt: two names of one node would be one node's word twice.

use std::net::IpAddr;

use reqwest::Url;

/// A place that a URL leads to, by its words alone: who answers there is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    host: String,
    port: Option<u16>,
    /// Parts of the path and the query, without what changes nothing.
    path: Vec<String>,
    query: String,
}

impl Place {
    /// Reads a URL. Case of the host, a port that is the usual one, slashes too many, letters written as %41, user and password,
    /// fragment, and the many names of this machine make no difference.
    pub fn of(url: &Url) -> Self {
        Self {
            host: host(url),
            port: url.port_or_known_default(),
            path: url
                .path()
                .split('/')
                .filter(|part| !part.is_empty())
                .map(plain)
                .collect(),
            query: plain(url.query().unwrap_or_default()),
        }
    }

    /// Whether both are on one machine, as far as their names say.
    pub fn is_beside(&self, other: &Self) -> bool {
        self.host == other.host
    }
}

const THIS_MACHINE: &str = "localhost";

fn host(url: &Url) -> String {
    let name = url.host_str().unwrap_or_default().to_lowercase();
    let name = name.trim_end_matches('.');
    let address = name.trim_start_matches('[').trim_end_matches(']');
    match address
        .parse::<IpAddr>()
        .map(|address| address.to_canonical())
    {
        Ok(address) if address.is_loopback() || address.is_unspecified() => THIS_MACHINE.to_owned(),
        Ok(address) => address.to_string(),
        Err(_) if name.ends_with(".localhost") => THIS_MACHINE.to_owned(),
        Err(_) => name.to_owned(),
    }
}

/// Text with its letters, digits and `-._~` written as themselves.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        plain.push_str(before);
        match after.split_at_checked(2) {
            Some((digits, after)) => {
                match u8::from_str_radix(digits, 16).map(char::from) {
                    Ok(letter) if letter.is_ascii_alphanumeric() || "-._~".contains(letter) => {
                        plain.push(letter);
                    }
                    _ => {
                        plain.push('%');
                        plain.push_str(&digits.to_uppercase());
                    }
                }
                rest = after;
            }
            None => {
                plain.push('%');
                rest = after;
            }
        }
    }
    plain.push_str(rest);
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str) -> Place {
        Place::of(&text.parse().unwrap())
    }

    #[test]
    fn one_place_has_many_spellings() {
        for (one, other) in [
            ("http://node.example", "http://node.example/"),
            ("http://node.example", "HTTP://NODE.Example:80/"),
            ("https://node.example", "https://node.example.:443"),
            (
                "https://node.example/v3/key",
                "https://node.example//v3/./key/",
            ),
            (
                "https://node.example/v3/key",
                "https://user:pw@node.example/v3/%6bey#top",
            ),
            ("https://node.example/?a=%62", "https://node.example?a=b"),
            ("http://localhost:8545", "http://127.0.0.1:8545"),
            ("http://localhost:8545", "http://[::1]:8545"),
            ("http://127.0.0.1:8545", "http://[::ffff:127.0.0.1]:8545"),
            ("http://127.0.0.1:8545", "http://0x7f.1:8545"),
            ("http://127.0.0.1:8545", "http://node.localhost:8545"),
            ("http://0.0.0.0:8545", "http://127.0.0.2:8545"),
            ("http://[2001:db8::1]:8545", "http://[2001:db8:0:0::1]:8545"),
        ] {
            assert_eq!(place(one), place(other), "{one} {other}");
        }
    }

    #[test]
    fn what_only_looks_like_it_is_beside_it() {
        for (one, other) in [
            ("http://node.example", "http://node.example:8545"),
            ("http://node.example", "https://node.example"),
            ("https://node.example/a", "https://node.example/A"),
            ("https://node.example/a%2fb", "https://node.example/a/b"),
            ("https://node.example/?key=a", "https://node.example/?key=b"),
            ("http://localhost:1", "http://127.0.0.1:2"),
        ] {
            assert_ne!(place(one), place(other), "{one} {other}");
            assert!(place(one).is_beside(&place(other)), "{one} {other}");
        }
        assert!(!place("http://a.example").is_beside(&place("http://b.example")));
    }
}
