//! What the engine remembers between two turns and may lose.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{Bytes, U256};

use super::{recall::Recall, repeats::Repeats, reverted::Reverted};
use crate::{
    domain::{Batch, BatchId, Payment, PaymentRef, TierIndex},
    event::{BlockRef, Job, Route},
    observe::View,
    port::{Effect, Key, Monotonic, VaultLook},
    settings::Settings,
    state::{Counters, State},
    submit::{TipFloor, Unsigned},
};

/// Longest pause of a payment that cannot be simulated. [blocks]
const LONGEST_PAUSE: u64 = 64;

/// What the engine knows for now. All of it can be lost: it is asked for again.
#[derive(Debug)]
pub(super) struct Memory {
    /// The chain above the last block taken in for good.
    pub(super) view: View,
    /// The vault at a block of the view.
    pub(super) look: Option<(BlockRef, Box<VaultLook>)>,
    /// How often it was asked about.
    pub(super) looks: u64,
    /// The lowest tier that takes each payment.
    pub(super) tiers: BTreeMap<PaymentRef, TierIndex>,
    /// There may be payments without a tier. Looking for them is long work with a long backlog.
    pub(super) has_unadvised: bool,
    /// Since when each payment has been open.
    pub(super) open_since: BTreeMap<PaymentRef, Monotonic>,
    /// Payments and batches that could not be simulated.
    pub(super) strikes: BTreeMap<PaymentRef, Strike>,
    pub(super) batch_strikes: BTreeMap<BatchId, Strike>,
    /// Payments of a proposed batch that keep it from being executed, and are tried when nothing else is left of it.
    pub(super) set_aside: BTreeMap<BatchId, U256>,
    /// Own transactions that reverted.
    pub(super) reverted: Reverted,
    /// Refs of final payments that proposals name.
    pub(super) repeats: Repeats,
    /// Simulations that went well so far: the token works for somebody.
    pub(super) successes: u64,
    /// What is being simulated.
    pub(super) candidate: Option<Candidate>,
    /// What is being signed.
    pub(super) signing: Option<Unsigned>,
    /// Why the key has not signed it yet, in the signer's words.
    pub(super) unsigned_because: Option<String>,
    /// The key reserves no new nonce.
    pub(super) is_retiring: bool,
    /// By nonce, of transactions that are in no block.
    pub(super) lanes: BTreeMap<u64, Lane>,
    /// Counters below these are used up: somebody else paid under them.
    pub(super) counters: Counters,
    /// Payments in a batch at most; falls when gas does not suffice for more.
    pub(super) limit: usize,
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
    pub(super) next_poll: Monotonic,
    /// Numbers that may be paid without our knowing, looked for again.
    pub(super) recall: Recall,
    pub(super) next_arrivals: Monotonic,
    /// Effects that are under way.
    pub(super) in_flight: BTreeMap<Key, Effect>,
    /// When what failed may be asked again.
    pub(super) not_before: BTreeMap<Key, Monotonic>,
    pub(super) failure: Option<String>,
}

/// How often something could not be simulated.
#[derive(Debug, Clone, Copy)]
pub(super) struct Strike {
    pub(super) count: u32,
    /// Not tried again below this height.
    until: u64,
    /// `successes` at the first strike.
    pub(super) successes: u64,
}

/// A nonce whose transaction is in no block.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Lane {
    /// Height at which it was last sent.
    pub(super) sent_at: Option<u64>,
    /// Height at which it was last signed, or looked at.
    pub(super) since: u64,
    /// The node wants more for it.
    pub(super) underpaid: bool,
    /// It cannot be raised below the operator's caps.
    pub(super) is_capped: bool,
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
            tiers: BTreeMap::new(),
            has_unadvised: true,
            open_since: BTreeMap::new(),
            strikes: BTreeMap::new(),
            batch_strikes: BTreeMap::new(),
            set_aside: BTreeMap::new(),
            repeats: Repeats::default(),
            reverted: Reverted::default(),
            successes: 0,
            candidate: None,
            signing: None,
            unsigned_because: None,
            is_retiring: false,
            lanes: BTreeMap::new(),
            counters: Counters::default(),
            limit: usize::from(settings.batch.max_payments),
            stalled: None,
            nonce: None,
            lacks_nonce: false,
            suggested_tip: 0,
            floor: TipFloor::default(),
            next_poll: now,
            recall: Recall::new(now),
            next_arrivals: now,
            in_flight: BTreeMap::new(),
            not_before: BTreeMap::new(),
            failure: None,
        }
    }

    /// Advice that was given is worth nothing any more.
    pub(super) fn forget_advice(&mut self) {
        self.tiers.clear();
        self.has_unadvised = true;
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

    /// Counts a failure of a payment to simulate, and pauses it for longer each time.
    pub(super) fn strike(&mut self, reference: PaymentRef) -> Strike {
        let strike = Strike::after(
            self.strikes.get(&reference),
            self.view.tip(),
            self.successes,
        );
        self.strikes.insert(reference, strike);
        strike
    }

    /// The same for a batch that should be executed.
    pub(super) fn strike_batch(&mut self, id: BatchId) {
        let strike = Strike::after(self.batch_strikes.get(&id), self.view.tip(), self.successes);
        self.batch_strikes.insert(id, strike);
    }

    pub(super) fn is_paused(&self, id: &BatchId) -> bool {
        let tip = self.view.tip();
        let strike = self.batch_strikes.get(id);
        strike.is_some_and(|strike| strike.holds(tip))
    }

    /// Payments that are not tried now.
    pub(super) fn paused(&self) -> BTreeSet<PaymentRef> {
        let tip = self.view.tip();
        let paused = self.strikes.iter().filter(|(_, strike)| strike.holds(tip));
        paused.map(|(reference, _)| *reference).collect()
    }

    /// Payments that are tried alone.
    pub(super) fn solo(&self) -> BTreeSet<PaymentRef> {
        self.strikes.keys().copied().collect()
    }

    /// Forgets what is said of payments, batches and nonces that are final.
    pub(super) fn prune(&mut self, state: &State) {
        let is_live = |reference: &PaymentRef| state.open_payment(reference).is_some();
        self.tiers.retain(|reference, _| is_live(reference));
        self.open_since.retain(|reference, _| is_live(reference));
        self.strikes.retain(|reference, _| is_live(reference));
        self.batch_strikes
            .retain(|id, _| state.open_batch(id).is_some());
        self.set_aside
            .retain(|id, _| state.open_batch(id).is_some());
        self.repeats.prune(state, &self.view);
        self.lanes.retain(|nonce, _| state.slot(*nonce).is_some());
    }
}

impl Strike {
    fn after(before: Option<&Self>, tip: BlockRef, successes: u64) -> Self {
        let count = before.map_or(0, |strike| strike.count).saturating_add(1);
        let pause = 1_u64.checked_shl(count).unwrap_or(LONGEST_PAUSE);
        Self {
            count,
            until: tip.number.saturating_add(pause.min(LONGEST_PAUSE)),
            successes: before.map_or(successes, |strike| strike.successes),
        }
    }

    fn holds(&self, tip: BlockRef) -> bool {
        tip.number < self.until
    }
}
