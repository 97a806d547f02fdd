//! The rules of `[store]`.

use std::{path::Path, time::Duration};

use super::{super::raw::RawStore, Rules};
use crate::store::{Location, Server};

impl Rules {
    pub(super) fn store(&mut self, raw: &RawStore, base: &Path) -> Location {
        let path = self.path("store.path", &raw.path, base);
        let lease =
            Duration::from_millis(self.within("store.lease_ms", raw.lease_ms, 3_000, 600_000));
        let password_file = raw.password_file.as_deref();
        let password_file = password_file.map(|path| self.path("store.password_file", path, base));
        let Some(url) = &raw.database else {
            if password_file.is_some() {
                let rule = "goes with store.database only";
                self.refuse("store.password_file", "(given)", rule);
            }
            return Location { path, server: None };
        };
        let server = Server::parse(url, password_file, lease)
            // A URL may carry a password, so no part of it is repeated.
            .map_err(|rule| self.refuse("store.database", "(not shown)", rule));
        Location {
            path,
            server: server.ok(),
        }
    }
}
