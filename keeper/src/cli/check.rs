//! `keeper check`: compares chain, vault, token and roles with the configuration.

use std::fmt::Write as _;

use alloy::primitives::{Address, utils::format_ether};
use serde_json::json;

use super::{
    Context,
    compared::{self, Row},
    leader,
    online::{KeeperArgs, block_on, connect, expected, role_until, warnings},
    print,
};
use crate::{
    chain::{BlockChecks, Checkable, Identity, Nodes},
    config::Config,
    exit::{ExitStatus, Outcome},
};

/// What `keeper check` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    pub keeper: KeeperArgs,
}

pub(super) fn run(args: &Args, context: &Context) -> Outcome {
    let config = context.load()?;
    let keeper = args.keeper.address(&config)?;
    let (identity, data_fee, of_nodes) = block_on(async {
        let nodes = connect(&config, keeper)?;
        let identity = nodes.identify(expected(&config, true)).await?;
        let data_fee = nodes.first().data_fee_of_full_batch(identity.head).await?;
        Ok((identity, data_fee, about(&nodes).await))
    })?;
    let rows = compared::rows(&config, &identity, data_fee);
    let mut warnings = warnings(&config, &identity);
    warnings.extend(compared::warnings(&config, &rows));
    warnings.extend(of_nodes);
    print(if context.json {
        as_json(&config, keeper, &identity, &rows, &warnings)
    } else {
        as_text(&config, keeper, &identity, &rows, &warnings)
    })?;
    Ok(ExitStatus::Done)
}

/// What is to be said of the nodes: one that is far behind, and what each does not offer.
pub(super) async fn about(nodes: &Nodes) -> Vec<String> {
    let mut said: Vec<String> = nodes.laggard().iter().map(ToString::to_string).collect();
    for (name, chain) in nodes.named() {
        let lacking = chain.lacking().await.into_iter();
        said.extend(lacking.map(|lacking| format!("{name}: {lacking}")));
    }
    said
}

fn as_json(
    config: &Config,
    keeper: Address,
    found: &Identity,
    rows: &[Row],
    warnings: &[String],
) -> String {
    json!({
        "profile": { "name": config.profile.name, "coin": config.profile.coin, "rules": rows },
        "chain_id": config.chain.chain_id,
        "head": found.head,
        "finalised": found.finalised,
        "vault": config.vault.address,
        "lens": config.vault.lens,
        "token": config.vault.token,
        "unit": found.unit,
        "decimals": found.decimals,
        "has_blacklist": found.has_blacklist,
        "block_checks": found.checkable.checks.to_string(),
        "block_checks_possible": found.checkable.most.map(|most| most.to_string()),
        "receipts_at_once": found.checkable.receipts_at_once,
        "state_proofs": found.checkable.proofs,
        "keeper": keeper,
        "keeper_until": found.keeper_until,
        "proposer_until": found.proposer_until,
        "keeper_nonce": found.keeper_nonce,
        "gas_balance": found.gas_balance.to_string(),
        "store": leader::store_line(config),
        "warnings": warnings,
    })
    .to_string()
}

fn as_text(
    config: &Config,
    keeper: Address,
    found: &Identity,
    rows: &[Row],
    warnings: &[String],
) -> String {
    let now = found.head.time.seconds();
    let blacklist = if found.has_blacklist {
        "tells whom it freezes"
    } else {
        "has no list of whom it freezes"
    };
    let mut text = format!(
        "node       {}\n\
         chain      {}, head {}, final {}\n\
         blocks     {}\n\
         vault      {}, version {}, unit {}\n\
         lens       {}\n\
         token      {}, {} decimals, {blacklist}\n\
         keeper     {keeper}, role {}\n\
         proposer   role {}\n\
         nonce      {} at the final block\n\
         gas        {} {}\n\
         store      {}\n{}",
        config.chain.rpc_url,
        config.chain.chain_id.0,
        found.head.number,
        found.finalised.number,
        checked(found.checkable),
        config.vault.address,
        tidelock_core::domain::VaultDomain::VERSION,
        found.unit.display(found.decimals),
        config.vault.lens,
        config.vault.token,
        found.decimals,
        role_until(found.keeper_until, now),
        role_until(found.proposer_until, now),
        found.keeper_nonce,
        format_ether(found.gas_balance),
        config.profile.coin,
        leader::store_line(config),
        compared::table(&config.profile, rows),
    );
    for warning in warnings {
        // Writing to a string cannot fail.
        let _ = write!(text, "\nwarning: {warning}");
    }
    text
}

/// What of the node's word is checked, and how.
fn checked(found: Checkable) -> String {
    let blocks = match found.checks {
        BlockChecks::None => "believed: neither headers nor logs are checked",
        BlockChecks::Header => "headers and their filters of logs are checked, logs are believed",
        BlockChecks::Receipts => "headers, receipts and logs are checked",
    };
    let receipts = match found.receipts_at_once {
        Some(false) => "; the node gives receipts one by one only",
        _ => "",
    };
    let state = match found.proofs {
        Some(true) => "; the node proves state (eth_getProof)",
        Some(false) => {
            "; the node proves no state (eth_getProof): the key's nonce and paid numbers are believed"
        }
        None => "",
    };
    format!("{blocks}{receipts}{state}")
}
