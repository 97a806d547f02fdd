//! The four parts of a deployment.

use std::{
    path::Path,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde_json::json;
use tidelock_core::domain::{Amount, ChainId};
use tidelock_deploy::{
    DeployError, Deployment, Policy, Step,
    apply::{Limits, Told},
    chain::Chain,
    record::Record,
    verify::verified_words,
};

use super::{
    ApplyArgs, PolicyArgs, VerifyArgs,
    adapter::{PayingKey, RpcNode},
    release,
};
use crate::{
    cli::{Context, online::block_on, print},
    exit::{ExitStatus, Failure, Outcome},
    profile::Profile,
    signer::{self, PasswordSource, SignerError},
};

const GWEI_DECIMALS: u8 = 9;

pub(super) fn plan(args: &PolicyArgs, context: &Context) -> Outcome {
    let text = read(&args.policy)?;
    let node = context.rpc_url.as_deref().map(RpcNode::open).transpose()?;
    let deployment = match &node {
        None => of_policy(Policy::parse(&text, today())?, args)?,
        Some(node) => block_on(at_chain_time(args, Chain(node)))?,
    };
    deployment.check_size()?;
    let standing = match &node {
        None => None,
        Some(node) => {
            let chain = Chain(node);
            Some(block_on(async { Ok(deployment.standing(chain).await?) })?)
        }
    };
    if context.json {
        print(summary(&deployment))?;
        return Ok(ExitStatus::Done);
    }
    print(deployment.policy.words().join("\n"))?;
    print("")?;
    print(deployment.words().join("\n"))?;
    for step in Step::ALL {
        let Some(standing) = standing else { break };
        let word = if standing.has(step) {
            "is there"
        } else {
            "is missing"
        };
        print(format!("on this chain the {step} {word}"))?;
    }
    Ok(ExitStatus::Done)
}

pub(super) fn simulate(args: &PolicyArgs, context: &Context) -> Outcome {
    let node = node_of(context)?;
    let chain = Chain(&node);
    block_on(async {
        let deployment = at_chain_time(args, chain).await?;
        let simulated = deployment.simulate(chain).await?;
        let vault = deployment.at.vault;
        print(match (context.json, simulated.code) {
            (true, code) => json!({ "vault": vault, "code_hash": code }).to_string(),
            (false, Some(code)) => format!(
                "the node creates the vault {vault} from this policy; the code that it leaves has the release's hash {code}"
            ),
            (false, None) => format!("the vault {vault} is there already"),
        })?;
        Ok(ExitStatus::Done)
    })
}

pub(super) fn apply(args: &ApplyArgs, context: &Context) -> Outcome {
    let node = node_of(context)?;
    let chain = Chain(&node);
    let payer = args.keystore.as_deref();
    let payer = payer.map(|keystore| open(keystore, args)).transpose()?;
    block_on(async {
        let deployment = at_chain_time(&args.policy, chain).await?;
        let Some(payer) = payer else {
            return write_unsigned(&deployment, chain, args, context).await;
        };
        let limits = Limits {
            max_fee: max_fee(&args.max_fee_gwei)?,
            wait: Duration::from_secs(args.wait),
        };
        let mut tell = |told: Told| {
            if !context.json {
                // That nobody reads on must not stop a deployment half way.
                let _ = print(words(&deployment, told));
            }
        };
        let made = deployment.apply(chain, &payer, limits, &mut tell).await?;
        let vault = deployment.at.vault;
        print(if context.json {
            let hashes: Vec<_> = made.iter().map(|made| made.transaction).collect();
            json!({ "vault": vault, "transactions": hashes }).to_string()
        } else if made.is_empty() {
            format!("the vault {vault} and all it needs are there already; nothing was sent")
        } else {
            format!(
                "the vault is {vault}; `keeper deploy verify` proves it once its block is final"
            )
        })?;
        Ok(ExitStatus::Done)
    })
}

pub(super) fn verify(args: &VerifyArgs, context: &Context) -> Outcome {
    let node = node_of(context)?;
    let second = args.second_rpc_url.as_deref();
    let second = second.map(|url| RpcNode::beside(url, context.rpc_url.as_deref()));
    let second = second.transpose()?;
    // Judged as it was created: a role that ended since breaks no rule.
    let policy = Policy::read(&read(&args.policy.policy)?)?;
    let deployment = of_policy(policy, &args.policy)?;
    let record = block_on(async {
        let record = deployment.verify(Chain(&node)).await?;
        let Some(second) = &second else {
            return Ok(record);
        };
        Ok(agreed(record, deployment.verify(Chain(second)).await?)?)
    })?;
    record.write(&args.out)?;
    #[cfg(feature = "compiler")]
    if let (Some(directory), Some(root)) = (&args.standard_json, &args.policy.sources) {
        super::sources::write_standard_json(root, directory)?;
    }
    print(if context.json {
        record.to_text()?.trim_end().to_owned()
    } else {
        let mut lines = verified_words(&record);
        lines.push(format!("wrote {}", args.out.display()));
        lines.join("\n")
    })?;
    Ok(ExitStatus::Done)
}

/// Both nodes must have proven the same; it is final if both say so.
fn agreed(first: Record, second: Record) -> Result<Record, DeployError> {
    let is_final = first.is_final && second.is_final;
    let (first, second) = (Record { is_final, ..first }, Record { is_final, ..second });
    if first != second {
        return Err(DeployError::Differs(vec![format!(
            "the two nodes have it in different blocks: {} and {}",
            first.block_hash, second.block_hash
        )]));
    }
    Ok(first)
}

async fn write_unsigned(
    deployment: &Deployment,
    chain: Chain<'_>,
    args: &ApplyArgs,
    context: &Context,
) -> Outcome {
    let path = args
        .unsigned
        .as_deref()
        .unwrap_or(Path::new("unsigned.json"));
    let transactions = deployment.unsigned(chain).await?;
    let count = transactions.as_array().map_or(0, Vec::len);
    let text = serde_json::to_string_pretty(&transactions)
        .map_err(|error| Failure::of(ExitStatus::Failed, error))?;
    std::fs::write(path, format!("{text}\n")).map_err(|error| {
        Failure::of(ExitStatus::Failed, error).while_doing(path.display().to_string())
    })?;
    print(if context.json {
        json!({ "file": path, "transactions": count }).to_string()
    } else {
        format!(
            "wrote {count} transaction{} to {}, to be sent in their order by any account; then `keeper deploy verify`",
            if count == 1 { "" } else { "s" },
            path.display()
        )
    })?;
    Ok(ExitStatus::Done)
}

fn words(deployment: &Deployment, told: Told) -> String {
    let made = match told {
        Told::Sent { step, transaction } => {
            return format!("{step}: sent transaction {transaction}; waiting for its block");
        }
        Told::ByOthers(step) => {
            return format!("{step}: somebody else's transaction makes it; waiting for its block");
        }
        Told::Made(made) => made,
    };
    format!(
        "{} is at {}: transaction {}, block {}, {} gas",
        made.step,
        deployment.address(made.step),
        made.transaction,
        made.block,
        made.gas_used
    )
}

/// The policy held to the rules as the chain's next block will judge them.
async fn at_chain_time(args: &PolicyArgs, chain: Chain<'_>) -> Result<Deployment, Failure> {
    let text = read(&args.policy)?;
    let now = chain.block("latest").await?.timestamp;
    let deployment = of_policy(Policy::parse(&text, now.saturating_to())?, args)?;
    chain.require(deployment.policy.chain_id).await?;
    Ok(deployment)
}

/// What the policy comes to, on a chain that a vault may be on.
fn of_policy(policy: Policy, args: &PolicyArgs) -> Result<Deployment, Failure> {
    let id = policy.chain_id;
    Profile::of(ChainId(id)).map_err(|error| {
        Failure::of(ExitStatus::Usage, error).while_doing(format!("policy: chain.id = {id}"))
    })?;
    Ok(Deployment::new(policy, release(args)?))
}

fn summary(deployment: &Deployment) -> serde_json::Value {
    let transactions = Step::ALL
        .into_iter()
        .filter_map(|step| deployment.making(step));
    let transactions: Vec<_> = transactions
        .map(|making| json!({ "makes": making.step.name(), "to": making.to, "data": making.data }))
        .collect();
    json!({
        "chain_id": deployment.policy.chain_id,
        "vault": deployment.at.vault,
        "lens": deployment.at.lens,
        "factory": deployment.at.factory,
        "configuration_hash": deployment.at.configuration_hash,
        "meaning": deployment.policy.words(),
        "transactions": transactions,
    })
}

fn node_of(context: &Context) -> Result<RpcNode, Failure> {
    let rule = "--rpc-url or KEEPER_CHAIN__RPC_URL: must be given; deploy reads no configuration";
    let url = context.rpc_url.as_deref();
    RpcNode::open(url.ok_or_else(|| Failure::new(ExitStatus::Usage, rule))?)
}

fn open(keystore: &Path, args: &ApplyArgs) -> Result<PayingKey, Failure> {
    let source = PasswordSource {
        file: args.password_file.clone(),
        prompt: format!("password of {}: ", keystore.display()),
    };
    let opened = signer::read_password(&source)
        .and_then(|password| signer::open(keystore, &password))
        .map_err(SignerError::of_command_line)?;
    Ok(PayingKey(opened))
}

fn read(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(|error| {
        Failure::of(ExitStatus::Usage, error).while_doing(format!("--policy {}", path.display()))
    })
}

/// Gwei in decimals, in wei per gas.
fn max_fee(text: &str) -> Result<u128, Failure> {
    match Amount::parse(text, GWEI_DECIMALS) {
        Ok(Amount(wei)) => Ok(wei),
        Err(error) => Err(Failure::new(
            ExitStatus::Usage,
            format!(
                "--max-fee-gwei {text}: must be gwei with up to 9 decimals, such as 0.5: {error}"
            ),
        )),
    }
}

/// The machine's clock, where no chain is asked. [seconds]
fn today() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}
