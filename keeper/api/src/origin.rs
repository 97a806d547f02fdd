//! Where a request comes from: by its connection, or by the word of a proxy that the operator named.

use std::{convert::Infallible, net::IpAddr};

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, request::Parts},
};

use crate::{App, keys::Network};

/// The header in which proxies say for whom they ask.
const FORWARDED_FOR: &str = "x-forwarded-for";

/// The other side of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Peer(pub IpAddr);

/// For whom a request is made; none if a proxy does not say so.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Origin(pub Option<IpAddr>);

impl FromRequestParts<App> for Origin {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        Ok(Self(app.proxies.origin(parts)))
    }
}

/// The proxies whose word is taken.
#[derive(Debug, Clone, Default)]
pub(crate) struct Proxies(pub Vec<Network>);

impl Proxies {
    /// Whether that is one of them.
    pub fn has(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.holds(address))
    }

    /// Who may speak plain HTTP to a server without TLS: this host, and the proxies.
    pub fn may_speak_plainly(&self, peer: IpAddr) -> bool {
        peer.to_canonical().is_loopback() || self.has(peer)
    }

    /// For whom a request is made; none if a proxy does not say so. What somebody else than a named proxy says is nobody's word, and of what a
    /// proxy says only the last address that is none of its own: those before it came from outside.
    pub fn origin(&self, parts: &Parts) -> Option<IpAddr> {
        let peer = parts.extensions.get::<Peer>()?.0;
        if self.has(peer) {
            self.forwarded(&parts.headers)
        } else {
            Some(peer.to_canonical())
        }
    }

    fn forwarded(&self, headers: &HeaderMap) -> Option<IpAddr> {
        let lines: Vec<&str> = headers
            .get_all(FORWARDED_FOR)
            .into_iter()
            .map(|line| line.to_str().ok())
            .collect::<Option<_>>()?;
        let each = lines.iter().flat_map(|line| line.split(','));
        for word in each.collect::<Vec<_>>().into_iter().rev() {
            let address: IpAddr = word.trim().parse().ok()?;
            if !self.has(address) {
                return Some(address.to_canonical());
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    fn origin(peer: &str, lines: &[&str]) -> Option<String> {
        let named = ["10.0.0.0/24", "2001:db8::1"];
        let proxies = Proxies(named.map(|text| text.parse().unwrap()).to_vec());
        let mut request = Request::builder();
        for line in lines {
            request = request.header(FORWARDED_FOR, *line);
        }
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        parts.extensions.insert(Peer(peer.parse().unwrap()));
        proxies.origin(&parts).map(|address| address.to_string())
    }

    #[test]
    fn only_a_named_proxy_is_believed_and_only_what_it_saw() {
        for (peer, lines, said) in [
            // Whoever asks directly says of itself what it likes.
            ("192.0.2.9", &["10.0.0.7"][..], Some("192.0.2.9")),
            ("::ffff:192.0.2.9", &[], Some("192.0.2.9")),
            ("10.0.0.1", &["192.0.2.9"], Some("192.0.2.9")),
            ("2001:db8::1", &["2001:db8::9"], Some("2001:db8::9")),
            // The first address was sent by whoever asked the proxy.
            ("10.0.0.1", &["198.51.100.1, 192.0.2.9"], Some("192.0.2.9")),
            (
                "10.0.0.1",
                &["198.51.100.1", "192.0.2.9"],
                Some("192.0.2.9"),
            ),
            (
                "10.0.0.1",
                &["198.51.100.1, 192.0.2.9, 10.0.0.2"],
                Some("192.0.2.9"),
            ),
            ("::ffff:10.0.0.1", &["192.0.2.9"], Some("192.0.2.9")),
            ("10.0.0.1", &[], None),
            ("10.0.0.1", &["10.0.0.2"], None),
            ("10.0.0.1", &["192.0.2.9, unknown"], None),
        ] {
            assert_eq!(origin(peer, lines).as_deref(), said, "{peer} {lines:?}");
        }
    }

    #[test]
    fn plain_words_are_for_this_host_and_the_proxies() {
        let proxies = Proxies(vec!["10.0.0.1".parse().unwrap()]);
        let may = |peer: &str| proxies.may_speak_plainly(peer.parse().unwrap());
        assert!(may("127.0.0.1") && may("::1") && may("10.0.0.1"));
        assert!(!may("10.0.0.2") && !may("192.0.2.1"));
    }
}
