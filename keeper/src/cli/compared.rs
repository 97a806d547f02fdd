//! A chain's profile beside what the node says of the chain.

use std::fmt;

use alloy::primitives::{U256, utils::format_ether};
use serde::Serialize;
use tidelock_core::{domain::Amount, observe::Fork};

use crate::{
    chain::{BlockChecks, DataFee, Identity},
    config::Config,
    profile::{Market, Profile},
};

/// How far apart times between blocks may be. [times]
const FAR: u64 = 3;
/// Blocks over which the time between them is told.
const LEAST_BLOCKS: u64 = 2;

/// Whether both say the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Verdict {
    Ok,
    Differs,
    /// The node does not tell, or the profile does not.
    Open,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ok => "ok",
            Self::Differs => "differs",
            Self::Open => "",
        })
    }
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Row {
    pub rule: &'static str,
    pub profile: String,
    pub node: String,
    pub verdict: Verdict,
}

fn row(rule: &'static str, profile: String, node: String, is_same: Option<bool>) -> Row {
    let verdict = match is_same {
        Some(true) => Verdict::Ok,
        Some(false) => Verdict::Differs,
        None => Verdict::Open,
    };
    Row {
        rule,
        profile,
        node,
        verdict,
    }
}

/// Every rule that a node can be held to; `data_fee` is what a full batch pays beside gas, where anything is taken there. [wei]
pub(super) fn rows(config: &Config, found: &Identity, data_fee: Option<u128>) -> Vec<Row> {
    let profile = &config.profile;
    let mut rows = vec![
        finality(config, found),
        block_time(profile, found),
        checks(profile, found),
        proofs(profile, found),
        transaction_gas(config, found),
        market(profile, found),
        data(profile, data_fee),
    ];
    rows.extend(token(config, found));
    rows
}

fn finality(config: &Config, found: &Identity) -> Row {
    let (head, last) = (found.head, found.finalised);
    let behind = head.time.seconds().saturating_sub(last.time.seconds());
    let node = if last.number == 0 && head.number > 0 {
        "no block but the first".to_owned()
    } else {
        format!("block {}, {behind} s old", last.number)
    };
    let said = format!("finalized, after {}", config.profile.final_after());
    let node = match config.chain.final_depth {
        None => node,
        Some(depth) => format!("{node}, by chain.final_depth {depth}"),
    };
    row(
        "finality",
        said,
        node,
        Some(last.number > 0 || head.number == 0),
    )
}

fn block_time(profile: &Profile, found: &Identity) -> Row {
    let blocks = found.head.number.saturating_sub(found.finalised.number);
    let seconds = found.head.time.seconds();
    let seconds = seconds.saturating_sub(found.finalised.time.seconds());
    let of_node = (blocks >= LEAST_BLOCKS).then(|| {
        let milliseconds = seconds.saturating_mul(1_000);
        milliseconds.checked_div(blocks).unwrap_or_default()
    });
    let node = of_node.map_or_else(|| "not told".to_owned(), |time| format!("{time} ms"));
    let is_same = profile.block_time_ms.zip(of_node).map(|(one, other)| {
        // Times of blocks are whole seconds.
        one.max(other) <= one.min(other).max(1_000).saturating_mul(FAR)
    });
    row("block time", profile.block_time(), node, is_same)
}

fn checks(profile: &Profile, found: &Identity) -> Row {
    let wanted = profile.checks.blocks;
    let most = found.checkable.most;
    let node = most.map_or_else(|| "not tried".to_owned(), |most| most.to_string());
    let is_same = most.map(|most| most == wanted);
    row("block checks", wanted.to_string(), node, is_same)
}

fn proofs(profile: &Profile, found: &Identity) -> Row {
    let said = |proofs: bool| if proofs { "yes" } else { "no" }.to_owned();
    let node = found.checkable.proofs;
    row(
        "state proofs",
        said(profile.checks.proofs),
        node.map_or_else(|| "not tried".to_owned(), said),
        node.map(|node| node == profile.checks.proofs),
    )
}

fn transaction_gas(config: &Config, found: &Identity) -> Row {
    let of_profile = config.profile.transaction_gas();
    let most = config.gas.transaction.at(found.fork);
    let rules = match found.fork {
        Fork::Osaka => "Osaka or earlier",
        Fork::Amsterdam => "Amsterdam",
    };
    let said = format!(
        "{} up to Osaka, {} after",
        of_profile.osaka, of_profile.amsterdam
    );
    let node = format!("block by the rules of {rules}: {most} is used");
    row(
        "gas of a transaction",
        said,
        node,
        Some(most <= of_profile.at(found.fork)),
    )
}

fn market(profile: &Profile, found: &Identity) -> Row {
    let node = format!("base fee {} gwei", Amount(found.base_fee).display(9));
    let is_same = match profile.fees.market {
        Market::BaseFee => Some(found.base_fee > 0),
        Market::BaseFeeZero => Some(found.base_fee == 0),
        Market::Fixed => None,
    };
    row(
        "price of gas",
        profile.fees.market.to_string(),
        node,
        is_same,
    )
}

fn data(profile: &Profile, data_fee: Option<u128>) -> Row {
    let said = profile.fees.data.to_string();
    let (node, is_same) = match (profile.fees.data, data_fee) {
        (DataFee::OpOracle, None) => ("no GasPriceOracle".to_owned(), Some(false)),
        (DataFee::OpOracle, Some(fee)) => {
            let fee = format_ether(U256::from(fee));
            (
                format!("{fee} {} for a full batch", profile.coin),
                Some(true),
            )
        }
        (DataFee::None | DataFee::InGas, _) => ("not told".to_owned(), None),
    };
    row("fee for data", said, node, is_same)
}

fn token(config: &Config, found: &Identity) -> Option<Row> {
    let usdt = config.profile.usdt?;
    let is_usual = usdt.address == config.vault.token;
    let said = format!("{} with {} decimals", usdt.address, usdt.decimals);
    let node = format!("{} with {} decimals", config.vault.token, found.decimals);
    let is_same = is_usual && usdt.decimals == found.decimals;
    Some(row("token", said, node, Some(is_same)))
}

/// What deserves a look.
pub(super) fn warnings(config: &Config, rows: &[Row]) -> Vec<String> {
    let profile = &config.profile;
    let mut said: Vec<String> = rows
        .iter()
        .filter(|row| row.verdict == Verdict::Differs)
        .map(|row| {
            format!(
                "{}: the profile of {} says {}, the node {}",
                row.rule, profile.name, row.profile, row.node
            )
        })
        .collect();
    said.extend(config.chain.final_depth.map(|depth| {
        format!(
            "chain.final_depth {depth}: what has so many blocks on top is taken for final, whatever the chain says of it; a deeper \
             reorganisation halts the keeper after it has called payments paid"
        )
    }));
    if profile.is_unknown() {
        said.push(format!(
            "chain.chain_id {}: no profile is known; block checks, gas of a transaction and fee bounds are those of docs/chains.md for \
             unknown chains: set what the chain asks for",
            profile.chain_id
        ));
    }
    if !profile.checks.proofs && profile.checks.blocks == BlockChecks::None {
        said.extend(config.chain.second_rpc_url.is_none().then(|| {
            format!(
                "{}: nothing that a node says can be checked; only a second node, of another operator, can tell a lie",
                profile.name
            )
        }));
    }
    said
}

/// As a table for people.
pub(super) fn table(profile: &Profile, rows: &[Row]) -> String {
    let width = |of: fn(&Row) -> &str, least: usize| {
        let widths = rows.iter().map(|row| of(row).chars().count());
        widths.max().unwrap_or_default().max(least)
    };
    let first = width(|row| row.rule, 4);
    let second = width(|row| &row.profile, 12);
    let third = width(|row| &row.node, 9);
    let line = |rule: &str, profile: &str, node: &str, verdict: &dyn fmt::Display| {
        format!("{rule:first$}  {profile:second$}  {node:third$}  {verdict}")
            .trim_end()
            .to_owned()
    };
    let title = format!("profile    {} ({})", profile.name, profile.coin);
    let head = line("rule", "profile says", "node says", &"");
    let rows = rows
        .iter()
        .map(|row| line(row.rule, &row.profile, &row.node, &row.verdict));
    let lines: Vec<String> = [title, head].into_iter().chain(rows).collect();
    lines.join("\n")
}
