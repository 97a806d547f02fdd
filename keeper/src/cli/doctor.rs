//! `keeper doctor`: looks for what is wrong with this installation, and for what soon will be.

use std::{
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

use alloy::primitives::{Address, U256, utils::format_ether};
use serde::Serialize;
use tidelock_core::{
    cost::RESERVE,
    domain::BlockTime,
    event::{BlockRef, HaltReason, Mode},
    lifecycle::PaymentStatus,
    port::VaultLook,
};

use super::{
    Context,
    check::about,
    leader,
    online::{
        KeeperArgs, above_nodes_cap, block_on, connect, expected, full_transaction, role_until,
        until,
    },
    print, words,
};
use crate::{
    chain::{Identity, IdentityError, Nodes, RpcChain, Warning},
    config::Config,
    exit::{ExitStatus, Failure, Outcome},
    heartbeat::Heartbeat,
    store::{Overview, Reader},
};

/// A role that ends sooner wants to be granted again: that takes approvals and a delay.
const ROLE_ENDS_SOON: u64 = 30 * 86_400; // [seconds]
/// Finality that lags further behind the head is ill on every chain that is known. [seconds]
const FINALITY_LAG: u64 = 30 * 60;
/// A head that is older, or that much in the future, means a lagging node or a wrong clock. [seconds]
const CLOCK_LAG: u64 = 120;

/// What `keeper doctor` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    pub keeper: KeeperArgs,
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Level {
    Ok,
    Warning,
    Failed,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Finding {
    check: &'static str,
    level: Level,
    found: String,
}

pub(super) fn run(args: &Args, context: &Context) -> Outcome {
    let config = context.load()?;
    let keeper = args.keeper.address(&config)?;
    let mut findings = Vec::new();
    // What the chain cannot tell now is no reason to say nothing of the rest.
    let examined = block_on(examine(&config, keeper, &mut findings));
    if let Err(failure) = &examined {
        findings.push(finding("chain", Level::Failed, failure.message()));
    }
    findings.extend(log(&config));
    findings.extend(led_by(&config));
    if context.json {
        let text = serde_json::to_string(&findings)
            .map_err(|error| Failure::of(ExitStatus::Failed, error))?;
        print(text)?;
    } else {
        for finding in &findings {
            let level = match finding.level {
                Level::Ok => "ok",
                Level::Warning => "WARNING",
                Level::Failed => "FAILED",
            };
            print(format!(
                "{level:<8} {:<10} {}",
                finding.check, finding.found
            ))?;
        }
    }
    let is_ill = findings.iter().any(|f| f.level == Level::Failed);
    Ok(match examined {
        Err(failure) => failure.status,
        Ok(()) if is_ill => ExitStatus::Failed,
        Ok(()) => ExitStatus::Done,
    })
}

async fn examine(
    config: &Config,
    keeper: Address,
    findings: &mut Vec<Finding>,
) -> Result<(), Failure> {
    let nodes = connect(config, keeper)?;
    let chain = nodes.first();
    let identity = match nodes.identify(expected(config, false)).await {
        // The other node can still tell what there is.
        Err(IdentityError::OfSecond(error)) if matches!(*error, IdentityError::Chain(_)) => {
            let found = IdentityError::OfSecond(error).to_string();
            findings.push(finding("nodes", Level::Failed, found));
            chain.identify(expected(config, false)).await
        }
        identified => identified,
    };
    let identity = match identity {
        Ok(identity) => identity,
        Err(error @ IdentityError::Chain(_)) => {
            let failure = Failure::from(error);
            return Err(failure.while_doing(format!("chain.rpc_url ({})", config.chain.rpc_url)));
        }
        Err(error) => {
            findings.push(finding("identity", Level::Failed, error.to_string()));
            return Ok(());
        }
    };
    let at = identity.head;
    findings.push(finding(
        "identity",
        Level::Ok,
        format!("vault {} is what is configured", config.vault.address),
    ));
    findings.extend(of_nodes(config, &identity, &nodes).await);
    findings.extend(of_token(&identity));
    findings.push(finality(&identity));
    findings.push(clock(at.time, now()));
    let look = chain.look_at(at).await?;
    findings.push(role("keeper", look.keeper_until, at.time, Level::Failed));
    findings.push(role(
        "proposer",
        look.proposer_until,
        at.time,
        Level::Warning,
    ));
    let data_fee = chain.data_fee_of_full_batch(identity.head).await?;
    findings.push(gas(config, look.gas_balance, data_fee));
    findings.push(frozen(&look, at));
    findings.push(blacklist(chain, at).await?);
    findings.push(paused(chain, at).await?);
    findings.push(money(&look, identity.decimals));
    Ok(())
}

fn finding(check: &'static str, level: Level, found: impl Into<String>) -> Finding {
    Finding {
        check,
        level,
        found: found.into(),
    }
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}

/// Whether there are two, whether they are two, and whether both follow.
async fn of_nodes(config: &Config, identity: &Identity, nodes: &Nodes) -> Vec<Finding> {
    let is_about_nodes =
        |warning: &&Warning| matches!(warning, Warning::SingleNode | Warning::OneNode);
    let warned = identity.warnings.iter().filter(is_about_nodes);
    let found = warned.map(ToString::to_string);
    let found = found.chain(config.chain.nodes_beside());
    let found = found.chain(about(nodes).await);
    let found = found.chain(above_nodes_cap(config));
    let findings: Vec<Finding> = found
        .map(|found| finding("nodes", Level::Warning, found))
        .collect();
    if findings.is_empty() {
        let found = "each answers and offers what is asked of it, and none is far behind another";
        return vec![finding("nodes", Level::Ok, found)];
    }
    findings
}

/// What the token takes for itself.
fn of_token(identity: &Identity) -> Option<Finding> {
    let mut warnings = identity.warnings.iter();
    warnings.find_map(|warning| match warning {
        Warning::TokenFee(fee) => Some(finding("token", Level::Warning, fee.to_string())),
        _ => None,
    })
}

fn finality(identity: &Identity) -> Finding {
    let (head, last) = (identity.head, identity.finalised);
    let lag = head.time.seconds().saturating_sub(last.time.seconds());
    let found = format!(
        "block {} is final, {lag} s behind the head {} (warned above {FINALITY_LAG} s)",
        last.number, head.number
    );
    let is_genesis = last.number == 0 && head.number > 0;
    let level = if is_genesis || lag > FINALITY_LAG {
        Level::Warning
    } else {
        Level::Ok
    };
    finding("finality", level, found)
}

fn clock(head: BlockTime, now: u64) -> Finding {
    let head = head.seconds();
    let apart = head.abs_diff(now);
    let side = if head > now { "after" } else { "before" };
    let found = format!(
        "the newest block is {apart} s {side} this machine's clock (warned above {CLOCK_LAG} s)"
    );
    let level = if apart > CLOCK_LAG {
        Level::Warning
    } else {
        Level::Ok
    };
    finding("clock", level, found)
}

fn role(name: &'static str, end: u64, at: BlockTime, without: Level) -> Finding {
    let now = at.seconds();
    let found = format!(
        "role {} (warned {} days before)",
        role_until(end, now),
        ROLE_ENDS_SOON.div_euclid(86_400)
    );
    let level = match end.checked_sub(now) {
        None | Some(0) => without,
        Some(left) if left < ROLE_ENDS_SOON => Level::Warning,
        Some(_) => Level::Ok,
    };
    finding(name, level, found)
}

/// `data_fee`: what a full batch pays beside gas.
fn gas(config: &Config, balance: U256, data_fee: Option<u128>) -> Finding {
    let full = full_transaction(config, data_fee);
    let most = full.reserve();
    let data = match data_fee {
        Some(fee) => format!(", each with {} for its data", format_ether(U256::from(fee))),
        None => String::new(),
    };
    let level = if balance.is_zero() {
        Level::Failed
    } else if balance < most {
        Level::Warning
    } else {
        Level::Ok
    };
    let found = format!(
        "the key holds {}, enough for {} transactions of most gas at the highest fee{data} (warned below {RESERVE}, {})",
        format_ether(balance),
        full.affordable(balance),
        format_ether(most)
    );
    finding("gas", level, found)
}

fn frozen(look: &VaultLook, at: BlockRef) -> Finding {
    let now = at.time.seconds();
    if look.halted_until > now {
        let end = until(look.halted_until, now);
        return finding(
            "freeze",
            Level::Warning,
            format!("nothing leaves the vault until {end}"),
        );
    }
    finding("freeze", Level::Ok, "the vault is not frozen")
}

async fn blacklist(chain: &RpcChain, at: BlockRef) -> Result<Finding, Failure> {
    let vault = chain.parties().domain.vault;
    Ok(if chain.is_blacklisted(at, vault).await? {
        finding(
            "token",
            Level::Failed,
            "the token has the vault on its list: nothing can be paid",
        )
    } else {
        finding(
            "token",
            Level::Ok,
            "the token does not have the vault on a list",
        )
    })
}

/// What the log says of itself. A log that is missing is made by the first run.
fn log(config: &Config) -> Vec<Finding> {
    let store = &config.store;
    match store.is_opened() {
        Ok(true) => {}
        Ok(false) => {
            let found = format!("{store}: none yet; `keeper run` opens one");
            return vec![finding("log", Level::Warning, found)];
        }
        Err(error) => return vec![finding("log", Level::Failed, error.to_string())],
    }
    let read = Reader::open(store).and_then(|mut reader| {
        let overview = reader.overview()?;
        let left_out = reader.left_out()?;
        reader.close()?;
        Ok((overview, left_out))
    });
    match read {
        Ok((overview, left_out)) => {
            let is_written = Reader::is_written(store);
            let mut findings = standing(&overview, is_written);
            findings.extend(alerts(&store.path, is_written));
            let found = left_out.into_iter();
            findings.extend(found.map(|why| finding("left out", Level::Failed, why)));
            findings
        }
        Err(error) => vec![finding("log", Level::Failed, error.to_string())],
    }
}

/// Which of several keepers writes the log.
fn led_by(config: &Config) -> Option<Finding> {
    match leader::ask(config) {
        Ok(Some(leader)) if leader.holds => {
            Some(finding("leader", Level::Ok, leader::words(&leader)))
        }
        Ok(Some(leader)) => Some(finding("leader", Level::Failed, leader::words(&leader))),
        // What is wrong with the store is said of the log.
        Ok(None) | Err(_) => None,
    }
}

/// What the running keeper wants people to know.
fn alerts(store: &Path, is_written: bool) -> Vec<Finding> {
    let beat = Heartbeat::read(store).filter(|_| is_written);
    let alerts = beat.map(|beat| beat.alerts).unwrap_or_default();
    // When a role ends is judged by what the chain says now.
    let is_role = |alert: &String| alert.starts_with("the key's ");
    let alerts = alerts.into_iter().filter(|alert| !is_role(alert));
    alerts
        .map(|alert| finding("alert", Level::Failed, alert))
        .collect()
}

fn standing(overview: &Overview, is_written: bool) -> Vec<Finding> {
    let Some((end, head)) = &overview.log else {
        return vec![finding("log", Level::Failed, "the log was never opened")];
    };
    let writer = if is_written { "a" } else { "no" };
    let found = format!(
        "{} entries, final through block {}; {writer} keeper runs on it",
        end.seq, head.finalised.number
    );
    let mode = match &head.mode {
        Mode::Armed => finding("mode", Level::Ok, "armed"),
        Mode::Halted { reason } => {
            let end = match reason {
                HaltReason::Restored { .. } => "halted",
                _ => "halted, until an operator resumes",
            };
            let words = format!("{end}: {}", words::halt(reason));
            finding("mode", Level::Failed, words)
        }
    };
    let held = overview
        .counts
        .get(&PaymentStatus::Held)
        .copied()
        .unwrap_or(0);
    let level = if held > 0 { Level::Warning } else { Level::Ok };
    let payments = format!(
        "{held} held for an operator; {} not taken in yet",
        overview.waiting
    );
    let level_of_log = if is_written {
        Level::Ok
    } else {
        Level::Warning
    };
    vec![
        finding("log", level_of_log, found),
        mode,
        finding("payments", level, payments),
    ]
}

async fn paused(chain: &RpcChain, at: BlockRef) -> Result<Finding, Failure> {
    let (level, found) = match chain.is_token_paused(at).await? {
        Some(true) => (Level::Failed, "the token is paused: nothing can be paid"),
        Some(false) => (Level::Ok, "the token is not paused"),
        None => (Level::Ok, "the token does not tell that it can be paused"),
    };
    Ok(finding("pause", level, found))
}

fn money(look: &VaultLook, decimals: u8) -> Finding {
    let automatic = look.tiers.iter().filter(|tier| tier.is_automatic());
    let room: u128 = automatic
        .map(|tier| tier.headroom.0)
        .fold(0, u128::saturating_add);
    // No tier lets more leave than there is.
    let room = room.min(look.balance.0);
    let has_automatic = look.tiers.iter().any(|tier| tier.is_automatic());
    let found = format!(
        "the vault holds {}; {} may leave now without approvals",
        look.balance.display(decimals),
        tidelock_core::domain::Amount(room).display(decimals)
    );
    let level = if look.balance.0 == 0 || !has_automatic {
        Level::Warning
    } else {
        Level::Ok
    };
    finding("money", level, found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> BlockTime {
        BlockTime::from_seconds(seconds).unwrap()
    }

    #[test]
    fn a_role_is_warned_about_before_it_ends() {
        let now = 1_000_000;
        for (end, level) in [
            (0, Level::Failed),
            (now, Level::Failed),
            (now + 1, Level::Warning),
            (now + ROLE_ENDS_SOON - 1, Level::Warning),
            (now + ROLE_ENDS_SOON, Level::Ok),
        ] {
            assert_eq!(
                role("keeper", end, at(now), Level::Failed).level,
                level,
                "{end}"
            );
        }
    }

    #[test]
    fn a_clock_may_be_a_little_apart_on_either_side() {
        let now = 1_000_000;
        for (head, level) in [
            (now, Level::Ok),
            (now - CLOCK_LAG, Level::Ok),
            (now - CLOCK_LAG - 1, Level::Warning),
            (now + CLOCK_LAG, Level::Ok),
            (now + CLOCK_LAG + 1, Level::Warning),
        ] {
            assert_eq!(clock(at(head), now).level, level, "{head}");
        }
    }
}
