//! Where a key may be used: for which vaults, and from which networks. Nothing named is no limit.

use std::{collections::BTreeSet, fmt, net::IpAddr, str::FromStr};

use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use tidelock_core::domain::{Address, parse_address};

/// Networks or vaults of one key.
const MOST: usize = 64;

/// Where a key may be used.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// The vaults; any if none is named.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub vaults: BTreeSet<Address>,
    /// The networks; any if none is named.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub networks: BTreeSet<Network>,
}

impl Limits {
    /// Whether it may be used anywhere.
    pub fn are_none(&self) -> bool {
        *self == Self::default()
    }

    /// Reads both lists, separated by commas. The field of one that is bad, its value and the rule otherwise.
    pub fn read(vaults: &str, networks: &str) -> Result<Self, (&'static str, String, String)> {
        let vaults = each(vaults, |word| {
            parse_address(word).map_err(|error| error.to_string())
        });
        let networks = each(networks, Network::from_str);
        Ok(Self {
            vaults: vaults.map_err(|(value, rule)| ("vaults", value, rule))?,
            networks: networks.map_err(|(value, rule)| ("networks", value, rule))?,
        })
    }

    /// Why it may not be used, if that is so. `from` is none if nobody knows from where it is used.
    pub(crate) fn forbid(&self, vault: Address, from: Option<IpAddr>) -> Option<String> {
        if !self.vaults.is_empty() && !self.vaults.contains(&vault) {
            return Some(format!("vaults: this key is not for the vault {vault}"));
        }
        let is_in = |from: IpAddr| self.networks.iter().any(|network| network.holds(from));
        match from {
            _ if self.networks.is_empty() => None,
            Some(from) if is_in(from) => None,
            Some(from) => Some(format!("networks: this key is not for use from {from}")),
            None => Some("networks: the proxy does not say from where this key is used".to_owned()),
        }
    }
}

impl fmt::Display for Limits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for network in &self.networks {
            write!(f, " from {network}")?;
        }
        for vault in &self.vaults {
            write!(f, " for {vault}")?;
        }
        Ok(())
    }
}

fn each<T: Ord>(
    text: &str,
    read: impl Fn(&str) -> Result<T, String>,
) -> Result<BTreeSet<T>, (String, String)> {
    let words = text
        .split(',')
        .map(str::trim)
        .filter(|word| !word.is_empty());
    let all: BTreeSet<T> = words
        .map(|word| read(word).map_err(|rule| (word.to_owned(), rule)))
        .collect::<Result<_, _>>()?;
    if all.len() > MOST {
        return Err((text.to_owned(), format!("must be at most {MOST}")));
    }
    Ok(all)
}

/// A network in CIDR, or one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Network(IpNet);

impl Network {
    /// Whether an address is in it. One of IPv4 that was written as one of IPv6 is the same.
    pub fn holds(&self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let network = match text.parse::<IpAddr>() {
            Ok(address) => IpNet::from(address.to_canonical()),
            Err(_) => text.parse().map_err(|_| RULE.to_owned())?,
        };
        // Whoever writes 10.0.0.1/8 meant one of two things.
        if network.trunc() != network {
            return Err(format!(
                "{RULE}; {} has no bits behind the mask",
                network.trunc()
            ));
        }
        Ok(Self(network))
    }
}

const RULE: &str = "must be an address, or a network such as 192.0.2.0/24 or 2001:db8::/32";

impl TryFrom<String> for Network {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Network> for String {
    fn from(network: Network) -> Self {
        network.to_string()
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_used_where_it_may_be() {
        let vault = Address::repeat_byte(0xa1);
        let limits = Limits::read(
            &vault.to_string(),
            "192.0.2.0/24, 2001:db8::/32,198.51.100.7",
        )
        .unwrap();
        let forbids = |limits: &Limits, from: &str| limits.forbid(vault, from.parse().ok());
        for from in [
            "192.0.2.0",
            "192.0.2.255",
            "::ffff:192.0.2.1",
            "2001:db8::1",
            "198.51.100.7",
        ] {
            assert_eq!(forbids(&limits, from), None, "{from}");
        }
        for from in ["192.0.3.0", "198.51.100.8", "2001:db9::1", "nowhere"] {
            assert!(
                forbids(&limits, from).unwrap().starts_with("networks: "),
                "{from}"
            );
        }
        let from = "192.0.2.1".parse().ok();
        let elsewhere = limits.forbid(Address::repeat_byte(0xb1), from);
        assert!(elsewhere.unwrap().starts_with("vaults: "));
        assert_eq!(forbids(&Limits::default(), "nowhere"), None);
        let text = serde_json::to_string(&limits).unwrap();
        assert_eq!(serde_json::from_str::<Limits>(&text).unwrap(), limits);
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for bad in ["10.0.0.1/8", "10.0.0.0/33", "here", "2001:db8::1/32"] {
            let (field, value, rule) = Limits::read("", bad).unwrap_err();
            assert_eq!((field, value.as_str()), ("networks", bad));
            assert!(rule.contains("must be an address, or a network"), "{rule}");
        }
        assert_eq!(Limits::read("0x12", "").unwrap_err().0, "vaults");
        assert!(Limits::read("", "").unwrap().are_none());
    }
}
