//! What is served by a keeper that was built without the API: nothing.

use tokio::runtime::Handle;

use super::super::HOW;
use crate::{config::Config, exit::Failure};

/// Nothing.
pub(super) struct Served;

impl Served {
    pub fn start(_: &Config, _: &Handle) -> Result<Self, Failure> {
        Ok(Self)
    }

    pub async fn end(self) {}

    pub fn words(&self, _: &Config) -> String {
        format!("page, API none: {HOW}")
    }

    pub fn by_curl(&self, _: &str) -> String {
        String::new()
    }
}
