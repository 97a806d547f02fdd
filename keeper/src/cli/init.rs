//! `keeper init`: writes a commented configuration. The store is made by the first `keeper run`, which asks the chain what
//! it has to know before.

use std::{
    fs::OpenOptions,
    io::{ErrorKind, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use tidelock_core::domain::ChainId;
use tidelock_deploy::record::Record;

use super::{Context, print};
use crate::{
    config::Config,
    exit::{ExitStatus, Failure, Outcome},
    profile::Profile,
};

/// What `keeper init` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The record that `keeper deploy verify` wrote: chain, vault, lens and token
    #[arg(long, conflicts_with_all = ["chain_id", "vault", "lens", "token"])]
    pub deployment: Option<PathBuf>,
    /// The chain, without a record
    #[arg(long, required_unless_present = "deployment")]
    pub chain_id: Option<u64>,
    /// The vault, without a record
    #[arg(long, required_unless_present = "deployment")]
    pub vault: Option<String>,
    /// The vault's lens, without a record
    #[arg(long, required_unless_present = "deployment")]
    pub lens: Option<String>,
    /// The vault's token, without a record
    #[arg(long, required_unless_present = "deployment")]
    pub token: Option<String>,
    /// A second node: a conclusion that would cost money if wrong needs both
    #[arg(long, env = "KEEPER_CHAIN__SECOND_RPC_URL", hide_env_values = true)]
    pub second_rpc_url: Option<String>,
    /// Accept that one node's word is taken
    #[arg(long)]
    pub allow_single_node: bool,
}

pub(super) fn run(args: &Args, context: &Context) -> Outcome {
    let path = &context.config;
    let rpc_url = context.rpc_url.as_deref().ok_or_else(|| {
        let rule = "--rpc-url or KEEPER_CHAIN__RPC_URL: must be given";
        Failure::new(ExitStatus::Usage, rule)
    })?;
    let found = found(args)?;
    let profile = Profile::of(ChainId(found.chain_id)).map_err(|error| {
        let field = format!("chain {}: {error}", found.chain_id);
        Failure::new(ExitStatus::Usage, field)
    })?;
    let text = template(rpc_url, &found, &profile, args);
    let config =
        Config::parse(path, &text).map_err(|error| Failure::of(ExitStatus::Usage, error))?;
    config
        .chain
        .check_nodes()
        .map_err(|error| Failure::of(ExitStatus::Usage, error))?;
    write_new(path, &text)?;
    let warning = config.chain.nodes_beside();
    print(if context.json {
        serde_json::json!({ "config": path, "warnings": warning.as_slice() }).to_string()
    } else {
        let warning = warning.map(|warning| format!("\nwarning: {warning}"));
        format!("wrote {}{}", path.display(), warning.unwrap_or_default())
    })?;
    Ok(ExitStatus::Done)
}

/// What the keeper works for.
struct Found {
    chain_id: u64,
    vault: String,
    lens: String,
    token: String,
}

/// From the record, or from the command line.
fn found(args: &Args) -> Result<Found, Failure> {
    if let Some(path) = &args.deployment {
        let record = Record::read(path)?;
        if !record.is_final {
            return Err(Failure::new(
                ExitStatus::Refused,
                format!(
                    "{}: the block of its creation was not final when it was verified; run `keeper deploy verify` again",
                    path.display()
                ),
            ));
        }
        return Ok(Found {
            chain_id: record.chain_id,
            vault: record.vault.to_string(),
            lens: record.lens.to_string(),
            token: record.token.to_string(),
        });
    }
    let given = |text: &Option<String>| text.clone().unwrap_or_default();
    Ok(Found {
        chain_id: args.chain_id.unwrap_or_default(),
        vault: given(&args.vault),
        lens: given(&args.lens),
        token: given(&args.token),
    })
}

/// A new file, readable by its owner only from the moment it is there: a node's URL may carry a password.
pub(super) fn write_new(path: &Path, text: &str) -> Result<(), Failure> {
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

fn template(rpc_url: &str, found: &Found, profile: &Profile, args: &Args) -> String {
    let second = match &args.second_rpc_url {
        Some(url) => format!("second_rpc_url = {}", quoted(url)),
        None => "# second_rpc_url = \"http://127.0.0.1:8546\"".to_owned(),
    };
    include_str!("keeper.toml")
        .replace("@RPC_URL@", &quoted(rpc_url))
        .replace("@SECOND_RPC_URL@", &second)
        .replace("@CHAIN_ID@", &found.chain_id.to_string())
        .replace("@ALLOW_SINGLE_NODE@", &args.allow_single_node.to_string())
        .replace("@VAULT@", &quoted(&found.vault))
        .replace("@LENS@", &quoted(&found.lens))
        .replace("@TOKEN@", &quoted(&found.token))
        .replace("@CHAIN@", &profile.name)
        .replace("@BLOCK_CHECKS@", &profile.checks.blocks.to_string())
        .replace("@MAX_FEE@", &profile.fees.max_fee_gwei)
        .replace("@MIN_TIP@", &profile.fees.min_tip_gwei)
        .replace("@MAX_TIP@", &profile.fees.max_tip_gwei)
        .replace("@REBROADCAST@", &profile.rebroadcast_blocks().to_string())
        .replace("@REPLACE@", &profile.replace_blocks().to_string())
        .replace("@OSAKA@", &profile.transaction_gas().osaka.to_string())
        .replace(
            "@AMSTERDAM@",
            &profile.transaction_gas().amsterdam.to_string(),
        )
}
