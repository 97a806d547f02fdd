//! What the engine remembers between two turns and may lose.

use alloy_primitives::Bytes;

use super::{
    advised::Advised, budget::Spent, follow::Sought, lanes::Lanes, questions::Questions,
    recall::Recall, repeats::Repeats, reverted::Reverted, strikes::Strikes,
};
use crate::{
    domain::{Batch, BatchId, Payment},
    event::{BlockRef, Job, Route},
    observe::View,
    port::{Monotonic, VaultLook},
    settings::Settings,
    state::{Counters, State},
    submit::{NodeCeiling, Prices, TipFloor, Unsigned},
};

/// What the engine knows for now. All of it can be lost: it is asked for again.
#[derive(Debug)]
pub(super) struct Memory {
    /// The chain above the last block taken in for good.
    pub(super) view: View,
    /// The vault at a block of the view.
    pub(super) look: Option<(BlockRef, Box<VaultLook>)>,
    /// How often it was asked about.
    pub(super) looks: u64,
    /// A look was answered since the start, or cannot be.
    pub(super) has_looked: bool,
    /// The vault is not looked at for as long as nothing waits; what is decided after that is decided by a new look.
    pub(super) rests: bool,
    /// The node had nothing new at the last poll.
    pub(super) is_at_end: bool,
    /// What the policy said of payments.
    pub(super) advised: Advised,
    /// Payments and batches that could not be simulated.
    pub(super) strikes: Strikes,
    /// Own transactions that reverted.
    pub(super) reverted: Reverted,
    /// Refs of final payments that proposals name.
    pub(super) repeats: Repeats,
    /// What is being simulated.
    pub(super) candidate: Option<Candidate>,
    /// What is being signed.
    pub(super) signing: Option<Unsigned>,
    /// Why the key has not signed it yet, in the signer's words.
    pub(super) unsigned_because: Option<String>,
    /// The key reserves no new nonce.
    pub(super) is_retiring: bool,
    /// Transactions that are in no block.
    pub(super) lanes: Lanes,
    /// Counters below these are used up: somebody else paid under them.
    pub(super) counters: Counters,
    /// Payments in a batch at most; falls when gas does not suffice for more.
    pub(super) limit: usize,
    /// Of what may be decided now: what is looked for. Set only while another keeper's log is followed.
    pub(super) sought: Sought,
    /// Nothing new is tried before this block changes, and why.
    pub(super) stalled: Option<(BlockRef, String)>,
    /// The keeper's nonce at the last block that is final, as far as it was told.
    pub(super) nonce: Option<u64>,
    /// The node did not tell it at the last poll.
    pub(super) lacks_nonce: bool,
    /// Tip that the node suggests. [wei per gas]
    pub(super) suggested_tip: u128,
    /// The least tip that the node takes, as far as its refusals tell.
    pub(super) floor: TipFloor,
    /// The most that the node passes on for one transaction, as far as its refusals tell.
    pub(super) ceiling: NodeCeiling,
    /// What final transactions cost within the last day.
    pub(super) spent: Spent,
    /// Base fees of the last day, as far as they were seen.
    pub(super) prices: Prices,
    /// Requests up to this arrival were there at the start: how long they have waited is not known, so they wait no more.
    pub(super) urgent_through: u64,
    /// Numbers that may be paid without our knowing, looked for again.
    pub(super) recall: Recall,
    pub(super) next_arrivals: Monotonic,
    /// Effects that are under way, and those that must wait.
    pub(super) questions: Questions,
    pub(super) failure: Option<String>,
}

/// A transaction to be: simulated, then sealed and signed.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    /// What it does.
    pub(super) job: Job,
    /// The batch's header.
    pub(super) header: Batch,
    /// The batch's payments.
    pub(super) payments: Vec<Payment>,
    /// How the batch is paid, and the log's entry that its context commits to, if it is not sealed yet.
    pub(super) seal: Option<(Route, u64)>,
    /// The nonce, if it is reserved.
    pub(super) nonce: Option<u64>,
    /// Calldata.
    pub(super) data: Bytes,
    /// The block it is simulated at.
    pub(super) at: BlockRef,
}

impl Candidate {
    /// By then it is mined, or replaced by what is simulated anew. [seconds of chain time]
    pub(super) fn until(&self, ttl: u64) -> u64 {
        let soon = self.at.time.seconds().saturating_add(ttl);
        soon.min(self.header.expires_at.seconds())
    }
}

impl Memory {
    pub(super) fn new(state: &State, settings: &Settings, now: Monotonic) -> Self {
        Self {
            view: View::new(state.finalised()),
            look: None,
            looks: 0,
            has_looked: false,
            rests: false,
            is_at_end: false,
            advised: Advised::new(),
            strikes: Strikes::default(),
            repeats: Repeats::default(),
            reverted: Reverted::default(),
            candidate: None,
            signing: None,
            unsigned_because: None,
            is_retiring: false,
            lanes: Lanes::default(),
            counters: Counters::default(),
            limit: usize::from(settings.batch.max_payments),
            sought: Sought::default(),
            stalled: None,
            nonce: None,
            lacks_nonce: false,
            suggested_tip: 0,
            floor: TipFloor::default(),
            ceiling: NodeCeiling::default(),
            spent: Spent::default(),
            prices: Prices::default(),
            urgent_through: state.arrivals(),
            recall: Recall::new(now),
            next_arrivals: now,
            questions: Questions::default(),
            failure: None,
        }
    }

    /// The vault as seen at a block that is still part of the chain.
    pub(super) fn vault(&self) -> Option<(BlockRef, &VaultLook)> {
        let (at, vault) = self.look.as_ref()?;
        self.view.contains(*at).then_some((*at, vault.as_ref()))
    }

    /// The batch that is being signed.
    pub(super) fn in_hand(&self) -> Option<BatchId> {
        self.signing.as_ref()?.job.batch()
    }

    /// Nothing new is tried before the tip changes.
    pub(super) fn stall(&mut self, why: impl Into<String>) {
        self.stalled = Some((self.view.tip(), why.into()));
    }

    pub(super) fn is_stalled(&self) -> bool {
        let tip = self.view.tip();
        self.stalled.as_ref().is_some_and(|(at, _)| *at == tip)
    }

    /// Forgets what is said of payments, batches and nonces that are final.
    pub(super) fn prune(&mut self, state: &State) {
        self.advised.prune(state);
        self.strikes.prune(state);
        self.lanes.prune(state);
        self.reverted.settle(state);
        self.repeats.prune(state, &self.view);
    }
}
