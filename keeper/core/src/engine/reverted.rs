//! Own transactions that a block holds and that did nothing: their gas is burnt, and a person must learn why.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use alloy_primitives::B256;

use super::Engine;
use crate::{
    event::{BlockRef, Job},
    observe::{Block, View},
    port::{Effect, Monotonic, Simulation},
    state::State,
    store::Store,
    submit::Call,
};

/// Transactions that are remembered.
const MOST: usize = 16;
/// How long one is told of. [seconds of chain time]
const TOLD: u64 = 86_400;

/// Why an own transaction reverted, as far as calling it again tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// Its gas limit was too low.
    Gas,
    /// The vault was in another state then.
    State,
    /// The vault refuses it.
    Vault,
}

/// What is known of transactions that reverted.
#[derive(Debug, Default)]
pub(super) struct Reverted {
    /// The last ones, oldest first.
    recent: VecDeque<Burnt>,
    /// Those that are not final: another block, after a reorganisation, may hold one again.
    counted: BTreeSet<B256>,
    /// All that were seen since the start, each once.
    count: u64,
    /// Those of them whose cause was found.
    explained: BTreeMap<Cause, u64>,
}

#[derive(Debug)]
struct Burnt {
    hash: B256,
    nonce: u64,
    job: Job,
    /// The block that holds it.
    block: BlockRef,
    call: Call,
    /// In words, once the node was asked.
    cause: Option<String>,
}

impl Reverted {
    /// How many were seen since the start.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// Those of them whose cause was found.
    pub(super) fn by_cause(&self) -> &BTreeMap<Cause, u64> {
        &self.explained
    }

    /// Looks through new blocks.
    pub(super) fn look(&mut self, blocks: &[Block], state: &State) {
        for block in blocks.iter().filter(|block| !block.transactions.is_empty()) {
            for slot in state.slots() {
                let mut attempts = slot.attempts.iter();
                let mined = attempts.find(|attempt| block.transactions.contains(&attempt.hash));
                let Some(attempt) = mined.filter(|attempt| !block.did(&attempt.job)) else {
                    continue;
                };
                let Some(call) = Call::read(&attempt.raw) else {
                    continue; // it was ours to sign
                };
                if self.counted.insert(attempt.hash) {
                    self.count = self.count.saturating_add(1);
                }
                self.recent.retain(|burnt| burnt.hash != attempt.hash);
                self.recent.push_back(Burnt {
                    hash: attempt.hash,
                    nonce: slot.nonce,
                    job: attempt.job,
                    block: block.id,
                    call,
                    cause: None,
                });
            }
        }
        while self.recent.len() > MOST {
            self.recent.pop_front();
        }
    }

    /// Forgets what a reorganisation took back, and what is old.
    pub(super) fn prune(&mut self, view: &View) {
        let (base, now) = (view.base().number, view.tip().time.seconds());
        self.recent.retain(|burnt| {
            let is_there = burnt.block.number <= base || view.contains(burnt.block);
            is_there && now < burnt.block.time.seconds().saturating_add(TOLD)
        });
    }

    /// Forgets which transactions were counted that are final.
    pub(super) fn settle(&mut self, state: &State) {
        let attempts = state.slots().flat_map(|slot| &slot.attempts);
        let open: BTreeSet<B256> = attempts.map(|attempt| attempt.hash).collect();
        self.counted.retain(|hash| open.contains(hash));
    }

    /// Keeps what calling it again came to.
    pub(super) fn explain(&mut self, hash: B256, again: Simulation) {
        let burnt = self.recent.iter_mut().find(|burnt| burnt.hash == hash);
        let Some(burnt) = burnt else { return };
        let limit = burnt.call.gas_limit;
        let (cause, words) = match again {
            Simulation::Succeeds { gas, .. } if gas > limit => (
                Cause::Gas,
                format!("it needs {gas} gas, and had a limit of {limit}"),
            ),
            Simulation::Succeeds { .. } => (
                Cause::State,
                "called again, it goes through: the vault was in another state then".to_owned(),
            ),
            Simulation::Reverts(revert) => {
                (Cause::Vault, format!("the vault refuses it: {revert:?}"))
            }
        };
        if burnt.cause.replace(words).is_none() {
            let count = self.explained.entry(cause).or_default();
            *count = count.saturating_add(1);
        }
    }

    /// In words, the newest first.
    pub(super) fn alerts(&self) -> impl Iterator<Item = String> {
        self.recent.iter().rev().map(|burnt| {
            let what = match burnt.job {
                Job::Pay { batch } => format!("pay batch {batch}"),
                Job::Propose { batch } => format!("propose batch {batch}"),
                Job::Execute { batch, .. } => format!("execute batch {batch}"),
                Job::Void => "use a nonce up".to_owned(),
            };
            let cause = burnt.cause.as_deref().unwrap_or("why is not known yet");
            format!(
                "transaction {} with nonce {} reverted in block {} and paid for its gas; it was to {what}. {cause}",
                burnt.hash, burnt.nonce, burnt.block.number
            )
        })
    }
}

impl<S: Store> Engine<S>
where
    S::Error: 'static,
{
    /// Asks why transactions reverted, while their blocks are young.
    pub(super) fn ask_why(&mut self, now: Monotonic, effects: &mut Vec<Effect>) {
        let recent = self.memory.reverted.recent.iter();
        let unexplained =
            recent.filter(|burnt| burnt.cause.is_none() && self.memory.view.contains(burnt.block));
        let questions: Vec<Effect> = unexplained
            .map(|burnt| Effect::Replay {
                hash: burnt.hash,
                at: burnt.block,
                data: burnt.call.data.clone(),
                gas_limit: burnt.call.gas_limit,
            })
            .collect();
        for question in questions {
            self.begin(question, now, effects);
        }
    }
}
