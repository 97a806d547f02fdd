//! Where a webhook may lead. Whoever may write the configuration of one, or a name server that it trusts, must not reach what is
//! behind the publisher's own network: an address is looked up, checked, and then connected to as it was checked.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

/// Hosts that may be at addresses which are nobody else's, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PrivateHosts(Arc<[String]>);

impl PrivateHosts {
    /// These, in lower case.
    pub fn new(hosts: impl IntoIterator<Item = String>) -> Self {
        let hosts = hosts.into_iter().map(|host| host.to_ascii_lowercase());
        Self(hosts.collect())
    }

    fn has(&self, host: &str) -> bool {
        self.0.iter().any(|known| known == host)
    }

    /// Why a webhook cannot lead there, as far as the URL alone says.
    pub fn refusal(&self, url: &Url) -> Option<&'static str> {
        let Some(host) = url.host() else {
            return Some("must name a host");
        };
        let is_named = self.has(&host.to_string());
        if !url.username().is_empty() || url.password().is_some() {
            return Some("must hold no user and no password");
        }
        if url.fragment().is_some() {
            return Some("must hold no fragment");
        }
        match url.scheme() {
            "https" => {}
            "http" if is_named => {}
            _ => {
                return Some(
                    "must be an https:// URL, or http:// to a host of publish.private_hosts",
                );
            }
        }
        let literal = match host {
            Host::Domain(_) => None,
            Host::Ipv4(address) => Some(IpAddr::V4(address)),
            Host::Ipv6(address) => Some(IpAddr::V6(address)),
        };
        let is_private = literal.is_some_and(|address| !is_public(address));
        (is_private && !is_named).then_some(
            "leads to a private address; name the host in publish.private_hosts if it may",
        )
    }
}

/// Looks names up for the client, which then connects to what comes out, and looks nothing up again.
impl Resolve for PrivateHosts {
    fn resolve(&self, name: Name) -> Resolving {
        let host = name.as_str().to_ascii_lowercase();
        let may_be_private = self.has(&host);
        Box::pin(async move {
            let found: Vec<SocketAddr> =
                tokio::net::lookup_host((host.as_str(), 0)).await?.collect();
            // One that is private among public ones is no accident.
            let private = found.iter().any(|address| !is_public(address.ip()));
            if private && !may_be_private {
                let why = format!(
                    "{host} leads to a private address; name it in publish.private_hosts if it may"
                );
                return Err(io::Error::new(io::ErrorKind::PermissionDenied, why).into());
            }
            let addresses: Addrs = Box::new(found.into_iter());
            Ok(addresses)
        })
    }
}

/// Whether an address may be anybody's on the internet, by IANA's registries of special addresses.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let is_special = match address.octets() {
        [0 | 10 | 127, ..] => true,
        [100, second, ..] => (64..128).contains(&second), // between a provider and its customers
        [169, 254, ..] => true,                           // of one link; clouds tell secrets there
        [172, second, ..] => (16..32).contains(&second),
        [192, 168, ..] | [192, 0, 0 | 2, _] | [192, 88, 99, _] => true,
        [198, 18 | 19, ..] | [198, 51, 100, _] | [203, 0, 113, _] => true,
        [first, ..] => first >= 224,
    };
    !is_special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    if let Some(address) = address.to_ipv4_mapped() {
        return is_public_v4(address);
    }
    // Only 2000::/3 is given out; within it are tunnels, which would lead to any IPv4 address, and examples.
    match address.segments() {
        [0x2001, second, ..] => second >= 0x0200 && second != 0x0db8,
        [0x2002, ..] => false,
        [0x3fff, second, ..] => second >= 0x1000,
        [first, ..] => (0x2000..0x4000).contains(&first),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_are_nobody_elses_are_known() {
        for private in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.7",
            "203.0.113.9",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
            "100::1",
            "2001::1",
            "2001:1ff::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "3fff::1",
            "3fff:fff::1",
            "5f00::1",
            "fc00::1",
            "fd12::1",
            "fe80::1",
            "ff02::1",
        ] {
            assert!(!is_public(private.parse().unwrap()), "{private}");
        }
        for public in [
            "1.1.1.1",
            "9.9.9.9",
            "100.63.255.255",
            "100.128.0.1",
            "126.255.255.255",
            "128.0.0.1",
            "169.253.0.1",
            "172.15.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "192.167.0.1",
            "198.17.0.1",
            "198.20.0.1",
            "223.255.255.255",
            "2001:200::1",
            "2606:4700::1111",
            "2a00::1",
            "3fff:1000::1",
            "::ffff:1.1.1.1",
        ] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
    }

    fn refusal(url: &str, private: &[&str]) -> Option<&'static str> {
        let hosts = PrivateHosts::new(private.iter().map(ToString::to_string));
        hosts.refusal(&Url::parse(url).unwrap())
    }

    #[test]
    fn a_url_says_where_it_may_not_lead() {
        let local = &["127.0.0.1", "hooks.internal"];
        assert_eq!(refusal("https://shop.example/hooks?a=b", &[]), None);
        assert_eq!(refusal("http://127.0.0.1:8080/", local), None);
        assert_eq!(refusal("http://Hooks.Internal/", local), None);
        for (url, words) in [
            ("http://shop.example/", "https://"),
            ("ftp://shop.example/", "https://"),
            ("https://user@shop.example/", "no user"),
            ("https://shop.example/#x", "no fragment"),
            ("https://127.0.0.1/", "private address"),
            // As other programs write 127.0.0.1.
            ("https://2130706433/", "private address"),
            ("https://0x7f.1/", "private address"),
            ("https://[::1]/", "private address"),
            ("https://[::ffff:10.0.0.1]/", "private address"),
            ("https://169.254.169.254/", "private address"),
        ] {
            assert!(
                refusal(url, &[]).is_some_and(|why| why.contains(words)),
                "{url}"
            );
        }
    }

    #[test]
    fn a_name_is_checked_when_it_is_looked_up() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime.unwrap().block_on(async {
            let name = || "localhost".parse::<Name>().unwrap();
            let refused = PrivateHosts::default().resolve(name()).await.err().unwrap();
            assert!(refused.to_string().contains("private address"), "{refused}");
            let allowed = PrivateHosts::new(["LOCALHOST".to_owned()]);
            assert!(allowed.resolve(name()).await.unwrap().next().is_some());
        });
    }
}
