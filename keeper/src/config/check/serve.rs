//! The rules of `[serve]`.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    path::Path,
    time::Duration,
};

use reqwest::Url;
use tidelock_api::{
    Certificate, SignIn,
    keys::{Network, Scope},
};

use super::{
    super::{
        ServeConfig, SignInConfig,
        raw::{RawServe, RawSignIn},
    },
    Rules,
};

impl Rules {
    pub(super) fn serve(&mut self, raw: &RawServe, base: &Path) -> ServeConfig {
        let listen: Option<SocketAddr> = raw.listen.parse().ok();
        let proxies = self.proxies(&raw.proxies);
        let is_plain = raw.tls_certificate_file.is_none() && raw.tls_key_file.is_none();
        match listen {
            None => {
                let rule = "must be an address and a port, such as 127.0.0.1:8480";
                self.refuse("serve.listen", &raw.listen, rule);
            }
            Some(listen) if !listen.ip().is_loopback() && is_plain && proxies.is_empty() => {
                let rule = "others could reach it, and it would speak plain HTTP: set serve.tls_certificate_file and serve.tls_key_file, \
                    or name the proxy with TLS in front of it in serve.proxies";
                self.refuse("serve.listen", &raw.listen, rule);
            }
            Some(_) => {}
        }
        ServeConfig {
            listen: listen.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 0))),
            proxies,
            tls: self.tls(raw, base),
            keys_file: self.path("serve.keys_file", &raw.keys_file, base),
            connections: self.within("serve.connections", raw.connections, 16, 16_384),
            requests_per_second: self.within(
                "serve.requests_per_second",
                raw.requests_per_second,
                1,
                1_000_000,
            ),
            write_timeout: Duration::from_millis(self.within(
                "serve.write_timeout_ms",
                raw.write_timeout_ms,
                100,
                600_000,
            )),
            metrics_listen: raw.metrics_listen.as_deref().and_then(|text| {
                let address = text.parse().ok();
                if address.is_none() {
                    let rule = "must be an address and a port, such as 127.0.0.1:9467";
                    self.refuse("serve.metrics_listen", text, rule);
                }
                address
            }),
            asks_node: raw.asks_node,
            sign_in: raw.sign_in.as_ref().map(|raw| self.sign_in(raw, base)),
        }
    }

    fn proxies(&mut self, named: &[String]) -> Vec<Network> {
        let each = named.iter().filter_map(|text| {
            let read = text.parse::<Network>();
            read.map_err(|rule| self.refuse("serve.proxies", text, rule))
                .ok()
        });
        each.collect()
    }

    fn sign_in(&mut self, raw: &RawSignIn, base: &Path) -> SignInConfig {
        if !cfg!(feature = "oidc") {
            let rule = "this keeper was built without it; cargo build needs --features oidc";
            self.refuse("serve.sign_in", "", rule);
        }
        self.place("serve.sign_in.issuer", &raw.issuer);
        if let Some(url) = self.place("serve.sign_in.public_url", &raw.public_url)
            && (url.path() != "/" || url.query().is_some() || raw.public_url.ends_with('/'))
        {
            let rule = "must have no path, and no / at its end";
            self.refuse("serve.sign_in.public_url", &raw.public_url, rule);
        }
        for (field, text) in [
            ("serve.sign_in.client_id", &raw.client_id),
            ("serve.sign_in.claim", &raw.claim),
        ] {
            if text.is_empty() {
                self.refuse(field, "\"\"", "must say something");
            }
        }
        let hours: u64 = self.within("serve.sign_in.session_hours", raw.session_hours, 1, 24);
        let file = raw.client_secret_file.as_ref();
        SignInConfig {
            client_secret_file: file
                .map(|file| self.path("serve.sign_in.client_secret_file", file, base)),
            settings: SignIn {
                issuer: raw.issuer.clone(),
                client_id: raw.client_id.clone(),
                client_secret: None,
                public_url: raw.public_url.clone(),
                scopes: raw.scopes.clone(),
                claim: raw.claim.clone(),
                grants: self.grants(&raw.grants),
                session_s: hours.saturating_mul(3_600),
            },
        }
    }

    fn grants(&mut self, raw: &BTreeMap<String, Vec<String>>) -> BTreeMap<String, BTreeSet<Scope>> {
        const FIELD: &str = "serve.sign_in.grants";
        if raw.is_empty() {
            self.refuse(FIELD, "{}", "must grant something to some group");
        }
        let each = raw.iter().map(|(group, words)| {
            let scopes = words.iter().filter_map(|word| {
                let scope = word.parse::<Scope>();
                scope.map_err(|rule| self.refuse(FIELD, word, rule)).ok()
            });
            (group.clone(), scopes.collect())
        });
        each.collect()
    }

    /// Where browsers or this server go with what is secret: by TLS, or on this host.
    fn place(&mut self, field: &'static str, text: &str) -> Option<Url> {
        let url = Url::parse(text).ok().filter(Url::has_host);
        let is_here =
            |url: &Url| matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"));
        let is_safe =
            |url: &Url| url.scheme() == "https" || (url.scheme() == "http" && is_here(url));
        let url = url.filter(is_safe);
        if url.is_none() {
            let rule = "must be an https:// URL; http:// is for this host alone";
            self.refuse(field, text, rule);
        }
        url
    }

    fn tls(&mut self, raw: &RawServe, base: &Path) -> Option<Certificate> {
        let missing = match (&raw.tls_certificate_file, &raw.tls_key_file) {
            (None, None) => return None,
            (Some(chain), Some(key)) => {
                return Some(Certificate {
                    chain: self.path("serve.tls_certificate_file", chain, base),
                    key: self.path("serve.tls_key_file", key, base),
                });
            }
            (None, Some(_)) => "serve.tls_certificate_file",
            (Some(_), None) => "serve.tls_key_file",
        };
        self.refuse(
            missing,
            "",
            "must be given too: a certificate goes with its key",
        );
        None
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::config::Config;

    /// What a `[serve]` with these lines comes to: where it listens, or why it is refused.
    fn serve(lines: &str) -> Result<String, String> {
        let text = format!(
            "[chain]\nrpc_url = \"http://127.0.0.1:1\"\nchain_id = 1\n\
             [vault]\naddress = \"0x00000000000000000000000000000000000000a1\"\n\
             lens = \"0x00000000000000000000000000000000000000a2\"\n\
             token = \"0x00000000000000000000000000000000000000a3\"\n[serve]\n{lines}\n"
        );
        let config = Config::parse(Path::new("keeper.toml"), &text);
        let config = config.map_err(|error| error.to_string())?;
        Ok(config.serve.listen.to_string())
    }

    #[test]
    fn it_listens_to_this_host_unless_the_operator_says_otherwise() {
        assert_eq!(serve("").unwrap(), "127.0.0.1:8480");
        for public in ["0.0.0.0:80", "[::]:80", "192.0.2.1:80"] {
            let listen = format!("listen = {public:?}");
            let words = serve(&listen).unwrap_err();
            assert!(words.contains("set serve.tls_certificate_file"), "{words}");
            for safe in [
                "proxies = [\"192.0.2.9\"]",
                "tls_certificate_file = \"a.pem\"\ntls_key_file = \"b.pem\"",
            ] {
                assert_eq!(serve(&format!("{listen}\n{safe}")).unwrap(), public);
            }
        }
    }

    #[test]
    fn a_refusal_names_field_value_and_rule() {
        for (bad, words) in [
            (
                "listen = \"8480\"",
                "serve.listen = 8480: must be an address and a port",
            ),
            (
                "proxies = [\"10.0.0.1/8\"]",
                "serve.proxies = 10.0.0.1/8: must be an address, or a network",
            ),
            (
                "tls_key_file = \"b.pem\"",
                "serve.tls_certificate_file = : must be given too",
            ),
            (
                "[serve.sign_in]\nissuer = \"http://id.example\"\nclient_id = \"x\"\npublic_url = \"https://a.example/\"\n\
                 grants = { operators = [\"operate\", \"root\"] }",
                "serve.sign_in.issuer = http://id.example: must be an https:// URL; \
                 serve.sign_in.public_url = https://a.example/: must have no path; \
                 serve.sign_in.grants = root: must be one of request, read, operate, audit, administer",
            ),
            (
                "connections = 15",
                "serve.connections = 15: must be 16 to 16384",
            ),
            (
                "write_timeout_ms = 99\nmetrics_listen = \"9467\"",
                "serve.write_timeout_ms = 99: must be 100 to 600000; \
                 serve.metrics_listen = 9467: must be an address and a port",
            ),
            (
                "requests_per_second = 0",
                "serve.requests_per_second = 0: must be 1 to 1000000",
            ),
        ] {
            let refused = serve(bad).unwrap_err();
            // Without the feature that is said too.
            let all = words.split("; ").all(|words| refused.contains(words));
            assert!(all, "{refused}");
        }
    }
}
