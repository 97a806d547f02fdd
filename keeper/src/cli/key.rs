//! `keeper key`: which key sends, which one is next, and what a change of keys waits for.

use alloy::primitives::{Address, utils::format_ether};
use serde::Serialize;

use super::{
    Context,
    online::{block_on, connect, expected, role_until},
    print,
    run::rotation,
};
use crate::{
    chain::{Identity, IdentityError, Roles},
    config::{Config, KeyConfig, KeyHolder},
    exit::{ExitStatus, Failure, Outcome},
    heartbeat::Heartbeat,
    signer::{Signer, open_key},
    store::Reader,
};

/// What `keeper key` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {}

/// One key, as the chain sees it.
#[derive(Debug, Serialize)]
struct Seen {
    signer: &'static str,
    address: Address,
    keeper_until: u64,
    proposer_until: u64,
    gas_balance: String,
    #[serde(skip)]
    found: Identity,
    #[serde(skip)]
    roles: Vec<Roles>,
}

/// Where the change stands.
#[derive(Debug, Serialize)]
struct Standing {
    key: Seen,
    next_key: Option<Seen>,
    of_log: Option<Address>,
    stands: String,
}

pub(super) fn run(_: &Args, context: &Context) -> Outcome {
    let config = context.load()?;
    let of_log = rotation::of_log(&config)?;
    let standing = block_on(async {
        let address = match (of_log, config.key.address, &config.next_key) {
            // The log knows, and no token has to be asked.
            (Some(of_log), _, None) => of_log,
            (_, Some(address), _) => address,
            (Some(of_log), None, Some(next)) if of_log != next.address => of_log,
            _ => open_key(&config.key).await?.address(),
        };
        let key = seen(&config, &config.key, address).await?;
        let next_key = match &config.next_key {
            Some(next) => Some(seen(&config, &next.key, next.address).await?),
            None => None,
        };
        let stands = stands(&config, &key, next_key.as_ref(), of_log);
        Ok(Standing {
            key,
            next_key,
            of_log,
            stands,
        })
    })?;
    print(if context.json {
        serde_json::to_string(&standing).map_err(|error| Failure::of(ExitStatus::Failed, error))?
    } else {
        text(&standing)
    })?;
    Ok(ExitStatus::Done)
}

async fn seen(config: &Config, key: &KeyConfig, address: Address) -> Result<Seen, Failure> {
    let nodes = connect(config, address)?;
    let found = nodes.identify(expected(config, false)).await;
    let found = found.map_err(|error: IdentityError| Failure::from(error))?;
    let roles = nodes.roles().await?;
    Ok(Seen {
        signer: match &key.holder {
            KeyHolder::Keystore(_) => "keystore",
            KeyHolder::Pkcs11(_) => "pkcs11",
            KeyHolder::AwsKms(_) => "aws-kms",
            KeyHolder::Web3Signer(_) => "web3signer",
        },
        address,
        keeper_until: found.keeper_until,
        proposer_until: found.proposer_until,
        gas_balance: format_ether(found.gas_balance),
        found,
        roles,
    })
}

fn stands(config: &Config, key: &Seen, next: Option<&Seen>, of_log: Option<Address>) -> String {
    let Some(next) = next else {
        return "no change of keys is under way: there is no [next_key]".to_owned();
    };
    if of_log == Some(next.address) {
        let now = key.found.head.time.seconds();
        let old = if key.keeper_until > now {
            ", and have a guardian take the old key's roles"
        } else {
            ""
        };
        return format!("the next key sends: move what [next_key] says to [key]{old}");
    }
    let now = next.found.head.time.seconds();
    if next.keeper_until <= now {
        return "the next key waits for the keeper's role: have signers grant it".to_owned();
    }
    let proposes = key.proposer_until > key.found.head.time.seconds();
    let mut candidate = rotation::Candidate::default();
    if let Some(lacks) = candidate.lacks(&next.roles, proposes) {
        return format!("the next key waits: {lacks}");
    }
    if !Reader::is_written(&config.store) {
        return "the next key may send; start the keeper, and it goes over to it".to_owned();
    }
    let beat = Heartbeat::read(&config.store.path);
    let waits = beat.map(|beat| beat.waits).unwrap_or_default();
    let retires = waits
        .into_iter()
        .find(|wait| wait.starts_with("the key retires"));
    retires.unwrap_or_else(|| {
        "the next key may send; the keeper has to notice that its role is final, or to be started again with [next_key]".to_owned()
    })
}

fn text(standing: &Standing) -> String {
    let line = |name: &str, seen: &Seen| {
        let now = seen.found.head.time.seconds();
        let sends = if standing.of_log == Some(seen.address) {
            ", sends"
        } else {
            ""
        };
        format!(
            "{name:<9} {}, {}{sends}\n  keeper    role {}\n  proposer  role {}\n  gas       {} of the chain's coin\n",
            seen.address,
            seen.signer,
            role_until(seen.keeper_until, now),
            role_until(seen.proposer_until, now),
            seen.gas_balance
        )
    };
    let mut text = line("key", &standing.key);
    if let Some(next) = &standing.next_key {
        text += &line("next_key", next);
    }
    text + "stands    " + &standing.stands
}
