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
        }
    }
}
