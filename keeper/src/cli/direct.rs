//! One transaction of a person's own key: tried first, sent, and waited for.

use std::{
    fmt::Debug,
    io::{self, BufRead, IsTerminal, Write},
    time::{Duration, Instant},
};

use alloy::primitives::{Address, B256, Bytes};
use alloy_sol_types::SolCall;
use tidelock_core::{
    abi::VaultLens,
    domain::BatchId,
    event::{BlockRef, Fees, Job},
    port::{Effect, Outcome, Simulation},
    submit::{FeeMarket, Offer, RefusalClass, Reply, Unsigned, offer},
};
use tokio::time::sleep;

use super::online::{OwnKeyArgs, connect, expected};
use crate::{
    chain::{CallError, ChainError, Mined, Nodes, Parties, RpcChain},
    config::Config,
    exit::{ExitStatus, Failure},
    signer::{KeystoreSigner, Signer},
};

/// Between two looks for the receipt.
const POLL: Duration = Duration::from_millis(500);

/// What a command that sends takes besides its own arguments.
#[derive(Debug, clap::Args)]
pub(super) struct SendArgs {
    #[command(flatten)]
    pub key: OwnKeyArgs,
    /// Do not ask before sending
    #[arg(long, short)]
    pub yes: bool,
    /// How long to wait for a block that holds the transaction [seconds]
    #[arg(long, default_value_t = 300)]
    pub wait: u64,
}

/// A person at the chain.
pub(super) struct Desk {
    pub nodes: Nodes,
    pub key: KeystoreSigner,
    config: Config,
    decimals: u8,
    wait: Duration,
    yes: bool,
}

/// A transaction that a block holds.
pub(super) struct Sent {
    pub hash: B256,
    pub mined: Mined,
}

impl Desk {
    /// Opens the key, and holds the configuration to the chain. The keeper's key is refused: its nonces are the daemon's,
    /// and one that it did not hand out would halt it.
    pub(super) async fn open(args: &SendArgs, config: Config) -> Result<Self, Failure> {
        let key = args.key.open()?;
        let nodes = connect(&config, key.address())?;
        let identity = nodes.identify(expected(&config, false)).await?;
        let desk = Self {
            nodes,
            key,
            config,
            decimals: identity.decimals,
            wait: Duration::from_secs(args.wait),
            yes: args.yes,
        };
        desk.refuse_keeper().await?;
        Ok(desk)
    }

    async fn refuse_keeper(&self) -> Result<(), Failure> {
        let parties = self.parties();
        let at = self.nodes.head().await?;
        let call = VaultLens::partyCall {
            vault: parties.domain.vault,
            account: self.address(),
        };
        let party = self.call("roles of the key", at, parties.lens, call);
        if party.await?.keeperUntil.to::<u64>() <= at.time.seconds() {
            return Ok(());
        }
        Err(Failure::new(
            ExitStatus::Refused,
            format!(
                "--keystore {}: it holds the keeper's role, and only the keeper may send with such a key",
                self.address()
            ),
        ))
    }

    /// Chain, vault, lens and token.
    pub(super) fn parties(&self) -> Parties {
        self.nodes.first().parties()
    }

    /// Calls a function that only reads, in the state after one block, as both nodes have it.
    pub(super) async fn call<C: SolCall + Clone>(
        &self,
        field: &str,
        at: BlockRef,
        contract: Address,
        call: C,
    ) -> Result<C::Return, ChainError>
    where
        C::Return: PartialEq + Debug,
    {
        let ask = async |chain: &RpcChain| chain.call(at.hash, contract, call.clone()).await;
        self.nodes.agree(field, ask).await
    }

    /// Where a proposal stands now.
    pub(super) async fn standing(&self, id: BatchId) -> Result<VaultLens::Explanation, ChainError> {
        let parties = self.parties();
        let at = self.nodes.head().await?;
        let call = VaultLens::explainCall {
            vault: parties.domain.vault,
            id: id.0,
        };
        self.call("standing of the proposal", at, parties.lens, call)
            .await
    }

    pub(super) fn address(&self) -> Address {
        self.key.address()
    }

    /// Decimals of the token.
    pub(super) fn decimals(&self) -> u8 {
        self.decimals
    }

    /// Asks the person, who was shown what is about to happen.
    pub(super) fn confirm(&self, question: &str) -> Result<(), Failure> {
        if self.yes {
            return Ok(());
        }
        if !io::stdin().is_terminal() {
            let words = "--yes: not given, and there is no terminal to ask at; nothing was sent";
            return Err(Failure::new(ExitStatus::Usage, words));
        }
        // What cannot be asked cannot be answered with yes.
        let _ = write!(io::stderr(), "{question} Type yes: ");
        let mut line = String::new();
        let _ = io::stdin().lock().read_line(&mut line);
        if line.trim() == "yes" {
            return Ok(());
        }
        Err(Failure::new(
            ExitStatus::Refused,
            "not confirmed; nothing was sent",
        ))
    }

    /// Calls the vault: tries it first, and sends only what would go through now.
    pub(super) async fn send(&self, data: Bytes) -> Result<Sent, Failure> {
        let at = self.nodes.head().await?;
        self.try_call(at, &data).await?;
        let gas = self.gas(at, &data).await?;
        let ask = async |chain: &RpcChain| chain.next_nonce(self.address()).await;
        let nonce = self.nodes.agree("next nonce of the key", ask).await?;
        let fees = self.fees().await?;
        let domain = self.parties().domain;
        let unsigned = Unsigned::call(&domain, nonce, Job::Void, data, gas, fees);
        let signature = self.key.sign_digest(unsigned.digest())?;
        let (hash, raw) = unsigned
            .sign(signature, self.address())
            .map_err(|error| Failure::of(ExitStatus::Failed, error))?;
        let mined = self.wait_for(hash, raw).await?;
        if !mined.success {
            let words = format!(
                "transaction {hash}: block {} holds it, and it failed",
                mined.block
            );
            return Err(Failure::new(ExitStatus::Failed, words));
        }
        Ok(Sent { hash, mined })
    }

    /// Tries a call of the vault as it would be sent; the gas that it would be given.
    #[cfg(feature = "service")]
    pub(super) async fn rehearse(&self, data: &Bytes) -> Result<u64, Failure> {
        let at = self.nodes.head().await?;
        self.try_call(at, data).await?;
        self.gas(at, data).await
    }

    async fn try_call(&self, at: BlockRef, data: &Bytes) -> Result<Bytes, CallError> {
        let ask = async |chain: &RpcChain| match chain.try_call(at, self.address(), data).await {
            Err(CallError::Chain(error)) => Err(error),
            Err(CallError::Refused(why)) => Ok(Err(why)),
            Ok(answer) => Ok(Ok(answer)),
        };
        let answer = self.nodes.agree("answer of the vault", ask).await?;
        answer.map_err(CallError::Refused)
    }

    async fn gas(&self, at: BlockRef, data: &Bytes) -> Result<u64, Failure> {
        let gas_limit = self.config.gas.transaction.osaka;
        let data = data.clone();
        let simulate = Effect::Simulate {
            at,
            data,
            gas_limit,
            until: at.time.seconds().saturating_add(self.wait.as_secs()),
        };
        match self.nodes.chain().answer(simulate).await {
            Outcome::Simulated(Simulation::Succeeds { gas, .. }) if gas <= gas_limit => {
                Ok(gas.saturating_add(gas.div_ceil(10)).min(gas_limit))
            }
            Outcome::Simulated(Simulation::Succeeds { gas, .. }) => Err(Failure::new(
                ExitStatus::Refused,
                format!("gas.max_transaction_gas {gas_limit}: the call needs {gas}"),
            )),
            Outcome::Simulated(Simulation::Reverts(revert)) => {
                let words = format!("the vault refuses: {revert:?}");
                Err(Failure::new(ExitStatus::Refused, words))
            }
            Outcome::Failed(why) => Err(Failure::new(ExitStatus::Chain, why)),
            _ => Err(Failure::new(
                ExitStatus::Failed,
                "an answer to another question",
            )),
        }
    }

    async fn fees(&self) -> Result<Fees, Failure> {
        let (base_fee, tip) = self.nodes.first().market().await?;
        match offer(&self.config.fees, FeeMarket { base_fee, tip }, None) {
            Offer::Sign(fees) => Ok(fees),
            Offer::Hold { cap, needed } => Err(Failure::new(
                ExitStatus::Refused,
                format!(
                    "fees.{cap}_gwei: {needed} wei per gas are needed now, more than is allowed; nothing was sent"
                ),
            )),
        }
    }

    /// Sends the same bytes until a block holds them: the answer to sending says nothing for sure.
    async fn wait_for(&self, hash: B256, raw: Bytes) -> Result<Mined, Failure> {
        let start = Instant::now();
        let chain = self.nodes.chain();
        loop {
            let raw = raw.clone();
            let reply = chain.answer(Effect::Send { hash, raw }).await;
            let ask = async |chain: &RpcChain| chain.mined(hash).await;
            // No answer about the receipt is as good as none, and so is one that the other node does not give yet.
            let why = match self.nodes.agree("block of the transaction", ask).await {
                Ok(Some(mined)) => return Ok(mined),
                Ok(None) => unmined(&reply),
                Err(error) => error.to_string(),
            };
            if start.elapsed() >= self.wait {
                return Err(Failure::new(
                    ExitStatus::Failed,
                    format!(
                        "transaction {hash}: sent, and {why}; it may still be mined. Look for it before you send again"
                    ),
                ));
            }
            sleep(POLL).await;
        }
    }
}

/// What is known of a transaction that no block holds.
fn unmined(reply: &Outcome) -> String {
    let held = "no block holds it yet";
    match reply {
        Outcome::Sent(Reply::Refused(RefusalClass::NonceTooLow)) => {
            format!("{held}, though the node calls its nonce used up")
        }
        _ => held.to_owned(),
    }
}
