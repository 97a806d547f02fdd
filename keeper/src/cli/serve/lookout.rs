//! What the API tells of the chain, by the word of the node of `[chain]`, or of both where there are two: nothing is told in which they differ. It
//! looks, and sends nothing.

mod agreed;
mod changes;
mod polls;

use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, Instant},
};

use agreed::{head, look, same};
use alloy::primitives::{Address, Bytes, U256};
use alloy_sol_types::SolCall;
use changes::Changes;
use futures_util::{StreamExt, TryStreamExt, stream};
use polls::Polls;
use tidelock_api::{
    AsOf, Ballots, Estimate, LoggedChange, Looked, Lookout, MostPerDay, Party, Policy, Return,
    Tier, Unseen, Vault,
};
use tidelock_core::{
    abi::{Vault as VaultCalls, VaultLens},
    domain::{Amount, BatchId, Payment},
    event::BlockRef,
    port::{TierLook, VaultLook},
    window::{Caps, forecast},
};
use tokio::{
    runtime::Handle,
    sync::{Mutex, Semaphore},
    task::spawn_blocking,
};

use super::super::{
    offline,
    online::{connect, expected},
    quote::{BATCHES, Queue, ask},
};
use crate::{
    chain::{ChainError, Expected, Nodes, RpcChain},
    config::Config,
    exit::{ExitStatus, Failure},
    store::Identity,
};

/// Questions to the node at a time.
const PARALLEL: usize = 8;
/// Quotes at a time: each reads what is open.
const QUOTES: usize = 4;
/// How old vault and proposals may be that are told.
const FRESH: Duration = Duration::from_secs(1);

/// Asks the configured node.
pub(in crate::cli) struct NodeLookout(Arc<Asker>);

/// Of vault and proposals one look goes on at a time, and what it saw is told to all who ask within a second: however many ask, the node, which
/// the keeper may send by, is asked no more.
struct Asker {
    config: Config,
    identity: Identity,
    /// The connection, and whose keeper it asks for.
    nodes: Mutex<Option<(Address, Arc<Nodes>)>>,
    vault: Mutex<Option<(Instant, Vault)>>,
    polls: Mutex<Option<Polls>>,
    changes: Mutex<Option<(Instant, Changes)>>,
    quotes: Semaphore,
}

fn is_difference(failure: &Failure) -> bool {
    let error = failure.error.downcast_ref();
    error.is_some_and(|error| matches!(error, ChainError::Disagree { .. }))
}

impl From<Failure> for Unseen {
    fn from(failure: Failure) -> Self {
        let words = failure.message();
        match failure.status {
            _ if is_difference(&failure) => Self::Differ(words),
            ExitStatus::Refused => Self::Refused(words),
            _ => Self::Silent(words),
        }
    }
}

fn silent(error: &ChainError) -> Unseen {
    Unseen::Silent(error.to_string())
}

fn narrow<T: TryFrom<U256>>(field: &str, value: U256) -> Result<T, Unseen> {
    T::try_from(value).map_err(|_| Unseen::Silent(format!("{field} {value}: is out of range")))
}

/// First second without a role; none if it was never granted.
fn until(time: u64) -> Option<u64> {
    (time > 0).then_some(time)
}

/// The vault as the node has it after one block, or both nodes.
struct Seeing<'a> {
    chain: &'a RpcChain,
    second: Option<&'a RpcChain>,
    at: BlockRef,
    decimals: u8,
}

impl NodeLookout {
    pub fn new(config: &Config, identity: Identity) -> Self {
        Self(Arc::new(Asker {
            config: config.clone(),
            identity,
            nodes: Mutex::default(),
            vault: Mutex::default(),
            polls: Mutex::default(),
            changes: Mutex::default(),
            quotes: Semaphore::new(QUOTES),
        }))
    }
}

impl Asker {
    /// The store blocks. One that cannot be read is no refusal.
    async fn on_store<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Config) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Unseen> {
        let config = self.config.clone();
        let done = spawn_blocking(move || work(&config)).await;
        let done = done.map_err(|error| Unseen::Silent(error.to_string()))?;
        done.map_err(|failure| Unseen::Silent(failure.message()))
    }

    /// The keeper that the log was opened for, what is open before a payment that is filed now, and what recent ones took.
    async fn stored(&self) -> Result<(Option<Address>, Queue, Vec<u64>), Unseen> {
        let read = |config: &Config| {
            let mut reader = offline::reader(config)?;
            let log = reader.overview()?.log;
            let keeper = log.map(|(_, head)| head.opening.keeper);
            let queue = Queue::of(&mut reader)?;
            let took = reader.recently_took(BATCHES)?;
            reader.close()?;
            Ok((keeper, queue, took))
        };
        self.on_store(read).await
    }

    async fn keeper(&self) -> Result<Option<Address>, Unseen> {
        let read = |config: &Config| {
            let mut reader = offline::reader(config)?;
            let log = reader.overview()?.log;
            reader.close()?;
            Ok(log.map(|(_, head)| head.opening.keeper))
        };
        self.on_store(read).await
    }

    /// Connected once; again if another key keeps. What the configuration says of chain, vault, lens and token is held to what the node says.
    async fn nodes(&self, keeper: Option<Address>) -> Result<Arc<Nodes>, Unseen> {
        let keeper = keeper.unwrap_or_default();
        let mut nodes = self.nodes.lock().await;
        match &*nodes {
            Some((of, nodes)) if *of == keeper => Ok(Arc::clone(nodes)),
            _ => {
                let connected = Arc::new(connect(&self.config, keeper)?);
                // It only looks, so that a second is not needed here.
                let expected = Expected {
                    allow_single_node: true,
                    ..expected(&self.config, false)
                };
                let first = Some(connected.first());
                for node in first.into_iter().chain(connected.second()) {
                    let identified = node.identify(expected).await;
                    identified.map_err(|error| Unseen::Silent(error.to_string()))?;
                }
                *nodes = Some((keeper, Arc::clone(&connected)));
                Ok(connected)
            }
        }
    }

    fn seeing<'n>(&self, nodes: &'n Nodes, at: BlockRef) -> Seeing<'n> {
        Seeing {
            chain: nodes.first(),
            second: nodes.second(),
            at,
            decimals: self.identity.decimals,
        }
    }

    async fn look_at_vault(&self) -> Result<Vault, Unseen> {
        let mut last = self.vault.lock().await;
        if let Some((at, vault)) = &*last
            && at.elapsed() < FRESH
        {
            return Ok(vault.clone());
        }
        let keeper = self.keeper().await?;
        let nodes = self.nodes(keeper).await?;
        let seeing = self.seeing(&nodes, head(&nodes).await?);
        let vault = seeing.vault(keeper).await?;
        *last = Some((Instant::now(), vault.clone()));
        Ok(vault)
    }

    async fn quoted(&self, payment: Payment) -> Result<Estimate, Unseen> {
        let turn = self.quotes.acquire().await;
        let _turn = turn.map_err(|error| Unseen::Silent(error.to_string()))?;
        let (keeper, queue, took) = self.stored().await?;
        let keeper = keeper
            .ok_or_else(|| Unseen::Refused("no log yet: the keeper must run once".to_owned()))?;
        let nodes = self.nodes(Some(keeper)).await?;
        let at = head(&nodes).await?;
        let (decimals, tasks) = (self.identity.decimals, Handle::current());
        // What asks both nodes at once stays on one thread.
        let config = self.config.clone();
        let shown = spawn_blocking(move || {
            let known = (&queue, took.as_slice());
            tasks.block_on(ask(&config, (&nodes, at), payment, known, decimals))
        });
        let shown = shown.await;
        let shown = shown.map_err(|error| Unseen::Silent(error.to_string()))??;
        let quote = shown.quote.clone();
        let keep = move |config: &Config| {
            let mut desk = offline::desk(config)?;
            desk.keep_quote(&quote)?;
            Ok(desk.close()?)
        };
        self.on_store(keep).await?;
        Ok(Estimate {
            as_of: AsOf::from(shown.head),
            tier: shown.tier,
            approvals: shown.approvals,
            delay_s: shown.delay_s,
            ahead: shown.ahead,
            room_at: shown.room_at,
            expected_s: shown.quote.expected_s,
            most_s: shown.quote.most_s,
            finality_s: shown.quote.finality_s,
            p50_s: shown.quote.p50_s.unwrap_or_default(),
            p95_s: shown.quote.p95_s.unwrap_or_default(),
            recent: u64::try_from(shown.recent).unwrap_or(u64::MAX),
            gas: shown.gas,
            fee_expected: shown.fee,
            fee_most: shown.fee_at_most,
            waits: shown.waits,
        })
    }

    async fn look_at_changes(&self) -> Result<(Vec<LoggedChange>, u64), Unseen> {
        let mut last = self.changes.lock().await;
        if let Some((at, changes)) = &*last
            && at.elapsed() < FRESH
        {
            return Ok(changes.told());
        }
        let keeper = self.keeper().await?;
        let nodes = self.nodes(keeper).await?;
        let head = head(&nodes).await?;
        let mut changes = match last.take() {
            Some((_, changes)) => changes,
            None => Changes::begin(&nodes, head).await?,
        };
        let looked = changes.look(&nodes, head).await;
        let told = changes.told();
        // What was found so far is of use also if a later question failed.
        *last = Some((Instant::now(), changes));
        looked.map(|()| told)
    }

    async fn look_at_ballots(&self, batches: &[BatchId]) -> Result<Ballots, Unseen> {
        let mut last = self.polls.lock().await;
        let seen = last.as_ref().filter(|polls| polls.are_fresh());
        if let Some(ballots) = seen.and_then(|polls| polls.of(batches)) {
            return Ok(ballots);
        }
        let keeper = self.keeper().await?;
        let nodes = self.nodes(keeper).await?;
        let polls = match last.take().filter(Polls::are_fresh) {
            Some(mut polls) => {
                let seeing = self.seeing(&nodes, polls.at);
                polls.add(&seeing, batches).await?;
                polls
            }
            None => {
                let seeing = self.seeing(&nodes, head(&nodes).await?);
                Polls::open(&seeing, batches).await?
            }
        };
        let ballots = polls.of(batches);
        *last = Some(polls);
        ballots.ok_or_else(|| Unseen::Silent("a proposal was not looked at".to_owned()))
    }
}

/// Goes on if whoever asked hangs up, so that what was asked for is there for whoever asks next.
async fn to_its_end<T: Send + 'static>(
    look: impl Future<Output = Result<T, Unseen>> + Send + 'static,
) -> Result<T, Unseen> {
    let ended = tokio::spawn(look).await;
    ended.unwrap_or_else(|error| Err(Unseen::Silent(error.to_string())))
}

impl Lookout for NodeLookout {
    fn vault(&self) -> Looked<'_, Vault> {
        let asker = Arc::clone(&self.0);
        Box::pin(to_its_end(async move { asker.look_at_vault().await }))
    }

    fn quote(&self, payment: Payment) -> Looked<'_, Estimate> {
        let asker = Arc::clone(&self.0);
        Box::pin(to_its_end(async move { asker.quoted(payment).await }))
    }

    fn changes(&self) -> Looked<'_, (Vec<LoggedChange>, u64)> {
        let asker = Arc::clone(&self.0);
        Box::pin(to_its_end(async move { asker.look_at_changes().await }))
    }

    fn ballots(&self, batches: Vec<BatchId>) -> Looked<'_, Ballots> {
        let asker = Arc::clone(&self.0);
        Box::pin(to_its_end(
            async move { asker.look_at_ballots(&batches).await },
        ))
    }
}

impl Seeing<'_> {
    fn tokens(&self, value: U256) -> Result<String, Unseen> {
        let amount = Amount(narrow("amount", value)?);
        Ok(amount.display(self.decimals))
    }

    async fn of_vault<C: SolCall + Clone>(&self, call: C) -> Result<C::Return, Unseen> {
        self.call(self.chain.parties().domain.vault, call).await
    }

    async fn of_lens<C: SolCall + Clone>(&self, call: C) -> Result<C::Return, Unseen> {
        self.call(self.chain.parties().lens, call).await
    }

    async fn call<C: SolCall + Clone>(&self, to: Address, call: C) -> Result<C::Return, Unseen> {
        let asked = self.chain.call(self.at.hash, to, call.clone()).await;
        let one = asked.map_err(|error| silent(&error))?;
        if let Some(second) = self.second {
            let asked = second.call(self.at.hash, to, call).await;
            let other = asked.map_err(|error| silent(&error))?;
            let bytes = |answer| Bytes::from(C::abi_encode_returns(answer));
            same(C::SIGNATURE, bytes(&one), Some(&bytes(&other)))?;
        }
        Ok(one)
    }

    /// What payments are held to.
    async fn look(&self) -> Result<VaultLook, Unseen> {
        let one = look(self.chain, self.at).await?;
        let Some(second) = self.second else {
            return Ok(one);
        };
        same("the vault", one, Some(&look(second, self.at).await?))
    }

    async fn vault(&self, keeper: Option<Address>) -> Result<Vault, Unseen> {
        let parties = self.chain.parties();
        let vault = parties.domain.vault;
        let look = self.look().await?;
        let (rows, loss, unit, settled_at) = tokio::try_join!(
            self.of_lens(VaultLens::tiersCall { vault }),
            self.of_lens(VaultLens::maxLossPerDayCall { vault }),
            self.of_vault(VaultCalls::unitCall {}),
            self.of_lens(VaultLens::tiersSettledAtCall { vault }),
        )?;
        let (delay, floor, threshold, successor) = tokio::try_join!(
            self.of_vault(VaultCalls::policyDelayCall {}),
            self.of_vault(VaultCalls::policyDelayFloorCall {}),
            self.of_vault(VaultCalls::thresholdCall {}),
            self.of_vault(VaultCalls::successorCall {}),
        )?;
        let settled_at = narrow("tiersSettledAt", settled_at)?;
        let (signers, epoch) = self.signers().await?;
        let guardians = self.of_vault(VaultCalls::guardiansCall {}).await?;
        let accounts: BTreeSet<Address> =
            signers.into_iter().chain(guardians).chain(keeper).collect();
        let tiers = stream::iter(rows.into_iter().zip(look.tiers).enumerate())
            .map(|(index, (row, look))| self.tier(index, row, look, unit, settled_at))
            .buffered(PARALLEL);
        let people = stream::iter(accounts)
            .map(|account| self.party(account))
            .buffered(PARALLEL);
        let now = self.at.time.seconds();
        Ok(Vault {
            id: vault.to_string(),
            chain_id: parties.domain.chain_id.0,
            token: parties.token.to_string(),
            decimals: self.decimals,
            as_of: AsOf::from(self.at),
            balance: look.balance.display(self.decimals),
            frozen_until: Some(look.halted_until).filter(|until| *until > now),
            tiers: tiers.try_collect().await?,
            most_per_day: MostPerDay {
                automatic: self.tokens(loss.automatic)?,
                policy: self.tokens(loss.policy)?,
                ceiling: self.tokens(loss.ceiling)?,
            },
            policy: Policy {
                threshold,
                delay_s: u64::from(delay),
                delay_floor_s: narrow("policyDelayFloor", floor)?,
                signer_epoch: epoch,
                tiers_settled_at: settled_at,
                successor: (!successor.is_zero()).then(|| successor.to_string()),
            },
            parties: people.try_collect().await?,
        })
    }

    async fn tier(
        &self,
        index: usize,
        row: VaultLens::Tier,
        look: TierLook,
        unit: U256,
        settled_at: u64,
    ) -> Result<Tier, Unseen> {
        let asked = VaultCalls::windowCall {
            index: U256::from(index),
        };
        let word = self.of_vault(asked).await?;
        let units = |value: U256| narrow::<u64>("cap", value.checked_div(unit).unwrap_or_default());
        let caps = Caps {
            now: units(U256::from(look.cap.0))?,
            later: units(U256::from(row.cap))?,
            settled_at,
        };
        let now = self.at.time.seconds();
        let later = forecast(word, now, caps)
            .into_iter()
            .filter(|room| room.from > now);
        let returns = later.map(|room| {
            let room_in_units = U256::from(room.units).saturating_mul(unit);
            Ok(Return {
                from: room.from,
                headroom: self.tokens(room_in_units)?,
            })
        });
        Ok(Tier {
            index: u8::try_from(index).unwrap_or(u8::MAX),
            most_known: self.tokens(U256::from(row.maxKnown))?,
            most_unknown: self.tokens(U256::from(row.maxUnknown))?,
            cap: self.tokens(U256::from(row.cap))?,
            cap_in_force: look.cap.display(self.decimals),
            approvals: row.approvals,
            delay_s: row.delay,
            headroom: look.headroom.display(self.decimals),
            returns: returns.collect::<Result<_, Unseen>>()?,
        })
    }

    async fn party(&self, account: Address) -> Result<Party, Unseen> {
        let vault = self.chain.parties().domain.vault;
        let party = self
            .of_lens(VaultLens::partyCall { vault, account })
            .await?;
        Ok(Party {
            account: account.to_string(),
            signer: party.isSigner,
            keeper_until: until(party.keeperUntil.to::<u64>()),
            proposer_until: until(party.proposerUntil.to::<u64>()),
            guardian_until: until(party.guardianUntil.to::<u64>()),
            freeze_again_at: party.freezeAgainAt.to::<u64>(),
        })
    }
}
