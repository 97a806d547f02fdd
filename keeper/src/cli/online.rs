//! What the commands that ask the chain have in common.

use std::{future::Future, path::PathBuf, sync::Arc, time::Duration};

use alloy::primitives::{Address, B256};
use reqwest::Url;
use tidelock_core::{
    cost::Charge,
    domain::{Amount, BatchId, VaultDomain, parse_address},
    event::BlockRef,
    port::VaultLook,
};
use tokio::runtime::{Builder, Runtime};

use crate::{
    calendar::utc,
    chain::{
        CallError, ChainError, Expected, Identity, IdentityError, Nodes, Parties, Rpc, RpcChain,
        RpcSettings,
    },
    config::{Config, RpcUrl},
    exit::{ExitStatus, Failure},
    signer::{self, Class, KeystoreSigner, PasswordSource, Signer, SignerError, open_key},
};

/// A runtime that lives as long as one command.
pub(super) fn runtime() -> Result<Runtime, Failure> {
    let built = Builder::new_current_thread().enable_all().build();
    built
        .map_err(|error| Failure::of(ExitStatus::Failed, error).while_doing("asynchronous runtime"))
}

/// Runs a command that asks the chain.
pub(super) fn block_on<T>(command: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    runtime()?.block_on(command)
}

/// The chain, as the configured nodes have it, seen by an account.
pub(super) fn connect(config: &Config, account: Address) -> Result<Nodes, Failure> {
    let first = connect_to("chain.rpc_url", &config.chain.rpc_url, config, account)?;
    let second = config.chain.second_rpc_url.as_ref();
    let second = second.map(|url| connect_to("chain.second_rpc_url", url, config, account));
    Ok(Nodes::new(first, second.transpose()?))
}

/// What the chain must have for a keeper.
pub(super) fn expected(config: &Config, sends: bool) -> Expected {
    Expected {
        has_second_node: config.chain.second_rpc_url.is_some(),
        allow_single_node: config.chain.allow_single_node,
        sends,
    }
}

/// What is allowed, and deserves a look: what the chain shows, and what the configuration says.
pub(super) fn warnings(config: &Config, identity: &Identity) -> Vec<String> {
    let shown = identity.warnings.iter().map(ToString::to_string);
    let shown = shown.chain(config.chain.nodes_beside());
    shown.chain(above_nodes_cap(config)).collect()
}

/// What many nodes pass on at most, unless they are told otherwise: gas limit times highest fee. [wei]
const NODES_FEE_CAP: u128 = 1_000_000_000_000_000_000;

/// Geth, reth and erigon refuse a transaction that could cost more than one coin, by `--rpc.txfeecap`.
pub(super) fn above_nodes_cap(config: &Config) -> Option<String> {
    let gas = u128::from(config.gas.transaction.osaka);
    let most = full_transaction(config, None).at_cap();
    (most > NODES_FEE_CAP).then(|| {
        let fee = NODES_FEE_CAP.checked_div(gas).unwrap_or_default();
        format!(
            "fees.max_fee_gwei {} x gas.max_transaction_gas {gas}: {} of the chain's coin; geth, reth and erigon pass on no more than 1 \
             unless started with another --rpc.txfeecap, so a full transaction is refused above {} gwei",
            Amount(config.fees.max_fee).display(9),
            Amount(most).display(18),
            Amount(fee).display(9),
        )
    })
}

/// A transaction of most gas at the highest fee; `data` is what it pays beside gas. [wei]
pub(super) fn full_transaction(config: &Config, data: Option<u128>) -> Charge {
    Charge {
        gas: config.gas.transaction.osaka,
        price: config.fees.max_fee,
        cap: config.fees.max_fee,
        data: data.unwrap_or_default(),
    }
}

fn connect_to(
    field: &'static str,
    url: &RpcUrl,
    config: &Config,
    account: Address,
) -> Result<RpcChain, Failure> {
    let url: Url = url
        .expose()
        .parse()
        .map_err(|_| Failure::new(ExitStatus::Usage, format!("{field}: not a URL")))?;
    let settings = RpcSettings {
        timeout: Duration::from_millis(config.chain.request_timeout_ms),
        ..RpcSettings::default()
    };
    let rpc = Rpc::new(url, settings).map_err(|error| Failure::of(ExitStatus::Chain, error))?;
    let parties = Parties {
        domain: VaultDomain {
            chain_id: config.chain.chain_id,
            vault: config.vault.address,
        },
        lens: config.vault.lens,
        token: config.vault.token,
        keeper: account,
    };
    let chain = RpcChain::new(Arc::new(rpc), parties);
    let chain = chain.checking(config.chain.block_checks);
    let chain = chain.charging(config.profile.fees.data);
    Ok(chain.final_by(config.chain.final_depth))
}

/// A day. [milliseconds]
const DAY_MS: u64 = 86_400_000;
/// Blocks that the time from one to the next is the mean of.
const PACE_BLOCKS: u64 = 64;
/// Base fees that are asked for of each day: one for each quarter of an hour.
const PRICES_A_DAY: u64 = 96;

/// The mean time from one block to the next, over the newest ones. [milliseconds]
pub(super) async fn pace(chain: &RpcChain, head: BlockRef) -> Result<u64, ChainError> {
    let earlier = head.number.saturating_sub(PACE_BLOCKS);
    let earlier = chain.block_numbered(earlier).await?;
    let seconds = head.time.seconds().saturating_sub(earlier.time.seconds());
    let blocks = head.number.saturating_sub(earlier.number).max(1);
    let pace = seconds.saturating_mul(1_000).checked_div(blocks);
    Ok(pace.unwrap_or_default())
}

/// Times and base fees of the last days, as far back as blocks that come at the pace of now reach. [seconds since 1970, wei per gas]
pub(super) async fn past_fees(
    chain: &RpcChain,
    head: BlockRef,
    pace_ms: u64,
    days: u64,
) -> Result<Vec<(u64, u128)>, ChainError> {
    let a_day = DAY_MS.checked_div(pace_ms.max(1)).unwrap_or_default();
    let first = head.number.saturating_sub(a_day.saturating_mul(days));
    let count = PRICES_A_DAY.saturating_mul(days);
    chain.base_fees(first, head.number, count).await
}

/// What payments are held to, as both nodes have it; but for what is paid for data, which each tells as it was lately.
pub(super) async fn look(nodes: &Nodes, at: BlockRef) -> Result<VaultLook, ChainError> {
    let look = async |chain: &RpcChain| {
        let looked = chain.look_at(at).await?;
        Ok(VaultLook {
            data_fee: None,
            ..looked
        })
    };
    nodes.agree("the vault", look).await
}

impl From<ChainError> for Failure {
    fn from(error: ChainError) -> Self {
        Self::of(ExitStatus::Chain, error)
    }
}

impl From<IdentityError> for Failure {
    fn from(error: IdentityError) -> Self {
        let status = match error.root() {
            IdentityError::Chain(_) => ExitStatus::Chain,
            IdentityError::NotKeeper { .. } => ExitStatus::Refused,
            // What the configuration says is not what the chain has.
            _ => ExitStatus::Usage,
        };
        Self::of(status, error)
    }
}

impl From<CallError> for Failure {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Chain(error) => error.into(),
            CallError::Refused(_) => Self::of(ExitStatus::Refused, error),
        }
    }
}

impl From<SignerError> for Failure {
    fn from(error: SignerError) -> Self {
        let status = match error.class() {
            Class::Final => ExitStatus::Usage,
            Class::Transient | Class::Absent => ExitStatus::Failed,
        };
        Self::of(status, error)
    }
}

/// Whose keeper is asked about.
#[derive(Debug, clap::Args)]
pub(super) struct KeeperArgs {
    /// The keeper's address, instead of opening its keystore
    #[arg(long, value_parser = parse_address)]
    pub keeper: Option<Address>,
}

impl KeeperArgs {
    /// The keeper's address.
    pub(super) fn address(&self, config: &Config) -> Result<Address, Failure> {
        match self.keeper {
            Some(address) => Ok(address),
            None => block_on(async { Ok(open_key(&config.key).await?.address()) }),
        }
    }
}

/// A person's own key.
#[derive(Debug, clap::Args)]
pub(super) struct OwnKeyArgs {
    /// Your encrypted keystore; never the keeper's
    #[arg(long, env = "KEEPER_SIGNER_KEYSTORE")]
    pub keystore: PathBuf,
    /// File with its password; without it KEEPER_PASSWORD or a prompt
    #[arg(long, env = "KEEPER_SIGNER_PASSWORD_FILE")]
    pub password_file: Option<PathBuf>,
}

impl OwnKeyArgs {
    /// Opens it.
    pub(super) fn open(&self) -> Result<KeystoreSigner, Failure> {
        let source = PasswordSource {
            file: self.password_file.clone(),
            prompt: format!("password of {}: ", self.keystore.display()),
        };
        let password = signer::read_password(&source);
        let opened = password.and_then(|password| signer::open(&self.keystore, &password));
        opened.map_err(|error| error.of_command_line().into())
    }
}

/// Reads the id of a batch or of a policy change.
pub(super) fn batch_id(text: &str) -> Result<BatchId, Failure> {
    text.parse::<B256>().map(BatchId).map_err(|_| {
        let words = format!("id {text:?}: must be 0x and 64 hexadecimal digits");
        Failure::new(ExitStatus::Usage, words)
    })
}

/// How long a role is held.
pub(super) fn role_until(time: u64, now: u64) -> String {
    if time == 0 {
        return "never granted".to_owned();
    }
    format!("until {}", until(time, now))
}

/// A time in the future, as people read it.
pub(super) fn until(time: u64, now: u64) -> String {
    const DAY: u64 = 86_400;
    const HOUR: u64 = 3_600;
    let Some(left) = time.checked_sub(now).filter(|left| *left > 0) else {
        return format!("{time} ({}, over)", utc(time));
    };
    let left = if left >= 2 * DAY {
        format!("{} days", left.div_euclid(DAY))
    } else {
        format!("{} hours", left.div_euclid(HOUR))
    };
    format!("{time} ({}, in {left})", utc(time))
}
