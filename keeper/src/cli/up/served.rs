//! The API and the page beside the keeper, as `keeper serve` has them, with keys to try them with.

use rand::Rng;
use tidelock_api::{
    HAS_CONSOLE, Serving,
    keys::{KeyFile, Scope, Wanted},
    start,
};
use tidelock_core::submit::DAY;
use tokio::runtime::Handle;

use super::super::{init::write_new, serve::settings, shown::now};
use crate::{
    config::Config,
    exit::{ExitStatus, Failure},
};

/// The first key as curl takes it from a file.
const HEADER: &str = "api.header";
/// What one person may try, and what the person who confirms it may.
const KEYS: [(&str, &[Scope]); 2] = [
    (
        "first",
        &[Scope::Request, Scope::Read, Scope::Operate, Scope::Audit],
    ),
    ("second", &[Scope::Operate]),
];

/// What is served, and the keys: shown once.
pub(super) struct Served {
    serving: Serving,
    keys: Vec<String>,
}

impl Served {
    pub fn start(config: &Config, tasks: &Handle) -> Result<Self, Failure> {
        let file = KeyFile::new(&config.serve.keys_file);
        let made = KEYS.iter().map(|(name, scopes)| {
            let (_, secret) = file.add(Wanted {
                name: (*name).to_owned(),
                scopes: scopes.iter().copied().collect(),
                made_at: now(),
                ends_at: now().saturating_add(DAY),
                ..Wanted::default()
            })?;
            Ok::<_, Failure>(secret.expose().to_owned())
        });
        let keys = made.collect::<Result<Vec<String>, Failure>>()?;
        let header = config.serve.keys_file.with_file_name(HEADER);
        let first = keys.first().map(String::as_str).unwrap_or_default();
        write_new(&header, &format!("Authorization: Bearer {first}\n"))?;
        let serving = tasks.block_on(start(config.serve.listen, settings(config)?));
        let serving = serving.map_err(|error| {
            let field = format!("serve.listen = {}", config.serve.listen);
            Failure::of(ExitStatus::Usage, error).while_doing(field)
        })?;
        Ok(Self { serving, keys })
    }

    fn origin(&self) -> String {
        format!("http://{}", self.serving.address)
    }

    /// Until nobody is served any more.
    pub async fn end(self) {
        self.serving.end().await;
    }

    /// A request to try it with, from another terminal.
    pub fn by_curl(&self, folder: &str) -> String {
        let origin = self.origin();
        let reference = format!("0x{:032x}", rand::rng().random::<u128>());
        format!(
            "\x20 curl -sS -H @{folder}/{HEADER} -H 'Content-Type: application/json' {origin}/v1/withdrawals -d '{{\"ref\": \"{reference}\", \"to\": \"0x00000000000000000000000000000000000000b1\", \"amount\": \"7.5\"}}'\n"
        )
    }

    /// Where the page is, with the vault and the node filled in, and the keys.
    pub fn words(&self, config: &Config) -> String {
        let origin = self.origin();
        let page = if HAS_CONSOLE {
            let (vault, node) = (&config.vault, config.chain.rpc_url.expose());
            format!(
                "{origin}/#vault={}&lens={}&node={node}",
                vault.address, vault.lens
            )
        } else {
            "this keeper was built without it; `scripts/up` builds one that has it".to_owned()
        };
        let [first, second] = [0, 1].map(|place| self.keys.get(place).cloned().unwrap_or_default());
        format!(
            "page      {page}\n\
             API       {origin}\n\
             API key   {first} files, reads, operates and audits; this and the next are shown once\n\
             second    {second} is another person's, who confirms what the first asks for"
        )
    }
}
