//! The rules of `[serve]`.

use std::{net::SocketAddr, path::Path};

use super::{
    super::{ServeConfig, raw::RawServe},
    Rules,
};

impl Rules {
    pub(super) fn serve(&mut self, raw: &RawServe, base: &Path) -> ServeConfig {
        let listen: Option<SocketAddr> = raw.listen.parse().ok();
        match listen {
            None => {
                let rule = "must be an address and a port, such as 127.0.0.1:8480";
                self.refuse("serve.listen", &raw.listen, rule);
            }
            Some(listen) if !listen.ip().is_loopback() && !raw.allow_public => {
                let rule = "others could reach it, and it speaks plain HTTP: put a proxy with TLS in front of it, and say \
                    serve.allow_public = true";
                self.refuse("serve.listen", &raw.listen, rule);
            }
            Some(_) => {}
        }
        ServeConfig {
            listen: listen.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 0))),
            keys_file: self.path("serve.keys_file", &raw.keys_file, base),
            connections: self.within("serve.connections", raw.connections, 16, 16_384),
            requests_per_second: self.within(
                "serve.requests_per_second",
                raw.requests_per_second,
                1,
                1_000_000,
            ),
            asks_node: raw.asks_node,
        }
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
            assert!(words.contains("serve.allow_public = true"), "{words}");
            assert_eq!(
                serve(&format!("{listen}\nallow_public = true")).unwrap(),
                public
            );
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
                "connections = 15",
                "serve.connections = 15: must be 16 to 16384",
            ),
            (
                "requests_per_second = 0",
                "serve.requests_per_second = 0: must be 1 to 1000000",
            ),
        ] {
            let refused = serve(bad).unwrap_err();
            assert!(refused.contains(words), "{refused}");
        }
    }
}
