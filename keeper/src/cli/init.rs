//! `keeper init`: writes a commented configuration and makes an empty store for it.

use std::{
    fs::OpenOptions,
    io::{ErrorKind, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use super::{Context, print};
use crate::{
    config::Config,
    exit::{ExitStatus, Failure, Outcome},
    store::{Identity, SqliteStore},
};
use tidelock_core::domain::VaultDomain;

/// Most decimals that a token's amounts in 12 bytes make sense with.
const MAX_DECIMALS: i64 = 28;

/// What `keeper init` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The node; its URL may carry a password, so the environment may be the better place
    #[arg(long, env = "KEEPER_CHAIN__RPC_URL", hide_env_values = true)]
    pub rpc_url: String,
    /// The chain
    #[arg(long)]
    pub chain_id: u64,
    /// The vault
    #[arg(long)]
    pub vault: String,
    /// The vault's lens
    #[arg(long)]
    pub lens: String,
    /// The vault's token
    #[arg(long)]
    pub token: String,
    /// The token's decimals: 6 for USDT on Ethereum, 18 on BSC. Amounts are read and shown in them from now on
    #[arg(long, value_parser = clap::value_parser!(u8).range(0..=MAX_DECIMALS))]
    pub decimals: u8,
    /// Accept that one node's word is taken
    #[arg(long)]
    pub allow_single_node: bool,
}

pub(super) fn run(args: &Args, context: &Context) -> Outcome {
    let path = &context.config;
    let text = template(args);
    let config =
        Config::parse(path, &text).map_err(|error| Failure::of(ExitStatus::Usage, error))?;
    let store = write_both(path, &text, &config, args.decimals)?;
    // The log is opened here once the chain has been asked where it starts: `engine::open(&mut store, …)`.
    store.close()?;
    print(if context.json {
        serde_json::json!({ "config": path, "store": config.store.path }).to_string()
    } else {
        format!(
            "wrote {}\nmade  {}",
            path.display(),
            config.store.path.display()
        )
    })?;
    Ok(ExitStatus::Done)
}

/// The file first, because it can be taken back: what the store holds cannot be made twice.
fn write_both(
    path: &Path,
    text: &str,
    config: &Config,
    decimals: u8,
) -> Result<SqliteStore, Failure> {
    write_new(path, text)?;
    let identity = Identity {
        domain: VaultDomain {
            chain_id: config.chain.chain_id,
            vault: config.vault.address,
        },
        token: config.vault.token,
        decimals,
    };
    SqliteStore::create(&config.store.path, identity).map_err(|error| {
        // It was written just now. If it cannot be removed, the next attempt says that it is there.
        let _ = std::fs::remove_file(path);
        error.into()
    })
}

/// Readable by its owner only: a node's URL may carry a password.
fn write_new(path: &Path, text: &str) -> Result<(), Failure> {
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()
        });
    written.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => Failure::new(
            ExitStatus::Refused,
            format!("{}: exists already, and is left as it is", path.display()),
        ),
        _ => Failure::of(ExitStatus::Failed, error).while_doing(path.display().to_string()),
    })
}

/// Text between quotes, as TOML and JSON write it alike.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn template(args: &Args) -> String {
    include_str!("keeper.toml")
        .replace("@RPC_URL@", &quoted(&args.rpc_url))
        .replace("@CHAIN_ID@", &args.chain_id.to_string())
        .replace("@ALLOW_SINGLE_NODE@", &args.allow_single_node.to_string())
        .replace("@VAULT@", &quoted(&args.vault))
        .replace("@LENS@", &quoted(&args.lens))
        .replace("@TOKEN@", &quoted(&args.token))
}
