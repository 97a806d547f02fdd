//! What a transaction offers now: within the operator's caps, and within what the node passes on.

use super::Engine;
use crate::{
    event::Fees,
    lifecycle::PaymentStatus,
    state::{AttemptRow, SlotRow},
    store::Store,
    submit::{Call, FeeCap, FeeMarket, Offer, needed, offer},
};

/// Gas of a transaction that only uses its nonce up.
const VOID_GAS: u64 = 21_000;

/// What is priced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Errand {
    /// A call of the vault, with its gas limit once that is known.
    Call { gas: Option<u64> },
    /// Using a nonce up.
    Void,
}

impl Errand {
    fn gas(self) -> Option<u64> {
        match self {
            Self::Call { gas } => gas,
            Self::Void => Some(VOID_GAS),
        }
    }
}

/// What bounds a transaction's gas below what a block takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum GasBound {
    /// The node's own cap of a transaction's fee.
    Node,
    /// The operator's budget for a day.
    Day,
}

impl core::fmt::Display for GasBound {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Node => "by its own fee cap the node passes on",
            Self::Day => "a day's budget for gas pays for",
        })
    }
}

impl<S: Store> Engine<S>
where
    S::Error: 'static,
{
    /// Fees to offer now with a nonce, or a new one; none above the caps, or beyond the day's budget.
    pub(super) fn offer(&mut self, nonce: Option<u64>, errand: Errand) -> Option<Fees> {
        match self.price(nonce, errand)? {
            Ok(fees) => Some(fees),
            Err(why) => {
                self.memory.stall(why);
                None
            }
        }
    }

    /// The least that a new transaction must offer to be in the next block. [wei per gas]
    pub(super) fn needed(&self) -> Option<u128> {
        let policy = self.settings.fees.keeping_one_back();
        Some(needed(&policy, self.market()?))
    }

    fn market(&self) -> Option<FeeMarket> {
        Some(FeeMarket {
            base_fee: self.memory.view.tip_block()?.base_fee,
            tip: self.memory.suggested_tip.max(self.memory.floor.tip()),
        })
    }

    /// Age from which a payment is worth the base fee of now. [milliseconds]
    pub(super) fn patience_ms(&self) -> u64 {
        let base_fee = self.memory.view.tip_block().map(|block| block.base_fee);
        let patience = self.settings.patience.zip(base_fee);
        let seconds = patience.map_or(0, |(patience, fee)| patience.age(&self.memory.prices, fee));
        seconds.saturating_mul(1_000)
    }

    /// The wait for a cheap hour, if payments wait for one.
    pub(super) fn wait_for_price(&self) -> Option<String> {
        let age = self.patience_ms();
        let deadline = self.settings.patience?.deadline_s;
        let block = self.memory.view.tip_block()?;
        let rank = self.memory.prices.rank(block.base_fee)?;
        let rows = self.state().open_payments();
        let young = rows.filter(|row| {
            row.status == PaymentStatus::Open && row.arrival > self.memory.urgent_through
        });
        let count = young.count();
        (age > 0 && count > 0).then(|| {
            format!(
                "a cheap hour: the base fee of {} wei per gas is above {rank} % of the last day's; payments that may wait for it, each for {deadline} s at \
                 most: {count}",
                block.base_fee
            )
        })
    }

    /// The same, or what is in the way.
    pub(super) fn price(&self, nonce: Option<u64>, errand: Errand) -> Option<Result<Fees, String>> {
        let market = self.market()?;
        let replaced = nonce.and_then(|nonce| self.dearest(nonce));
        let mut policy = match errand {
            Errand::Call { .. } => self.settings.fees.keeping_one_back(),
            Errand::Void => self.settings.fees,
        };
        let of_node = errand
            .gas()
            .and_then(|gas| self.memory.ceiling.max_fee(gas));
        let of_node = of_node.filter(|most| *most < policy.max_fee);
        policy.max_fee = of_node.unwrap_or(policy.max_fee);
        let (cap, needed) = match offer(&policy, market, replaced) {
            Offer::Sign(fees) => {
                let gas = errand.gas();
                let over = gas.and_then(|gas| self.over_budget(nonce, gas, fees));
                return Some(over.map_or(Ok(fees), Err));
            }
            Offer::Hold { cap, needed } => (cap, needed),
        };
        let most = cap.of(&policy);
        Some(Err(match (cap, of_node, errand) {
            (FeeCap::MaxFee, Some(_), _) => format!(
                "{cap} {needed} wei per gas is needed, and by its own fee cap the node passes on at most {most} for so much gas"
            ),
            (_, _, Errand::Call { .. }) => format!(
                "{cap} {needed} wei per gas is needed, the cap is {}, and what a payment may offer of it {most}",
                cap.of(&self.settings.fees)
            ),
            (_, _, Errand::Void) => {
                format!("{cap} {needed} wei per gas is needed, the cap is {most}")
            }
        }))
    }

    /// The most gas of one transaction that the node passes on at the fees of now, and a day's budget pays for, and which of them says
    /// so; none if neither is known to mind.
    pub(super) fn gas_that_is_paid_for(&self) -> Option<(u64, GasBound)> {
        let (policy, market) = (self.settings.fees.keeping_one_back(), self.market()?);
        let of_node = self.memory.ceiling.gas(needed(&policy, market));
        let of_day = match offer(&policy, market, None) {
            Offer::Sign(fees) => self.gas_that_a_day_pays_for(fees.max_fee),
            Offer::Hold { .. } => None,
        };
        let of_node = of_node.map(|gas| (gas, GasBound::Node));
        let of_day = of_day.map(|gas| (gas, GasBound::Day));
        of_node.into_iter().chain(of_day).min()
    }

    /// The most that any attempt of the slot offers which the node may have taken.
    pub(super) fn dearest(&self, nonce: u64) -> Option<Fees> {
        let slot = self.journal.state().slot(nonce)?;
        let taken = slot
            .attempts
            .iter()
            .filter(|attempt| self.is_taken(attempt));
        let fees = taken.map(|attempt| attempt.fees);
        fees.reduce(|most, fees| Fees {
            max_fee: most.max_fee.max(fees.max_fee),
            tip: most.tip.max(fees.tip),
        })
    }

    /// Whether the node passes it on, as far as is known.
    pub(super) fn is_taken(&self, attempt: &AttemptRow) -> bool {
        let ceiling = &self.memory.ceiling;
        if ceiling.most().is_none() {
            return true;
        }
        let call = Call::read(&attempt.raw);
        call.is_none_or(|call| ceiling.takes(call.gas_limit, attempt.fees.max_fee))
    }

    /// Whether the slot has transactions, and the node passes none of them on.
    pub(super) fn is_refused(&self, slot: &SlotRow) -> bool {
        let mut attempts = slot.attempts.iter();
        !slot.attempts.is_empty() && !attempts.any(|attempt| self.is_taken(attempt))
    }

    /// What another transaction with the nonce would carry.
    pub(super) fn errand(&self, slot: &SlotRow) -> Errand {
        let batch = slot.job.batch().and_then(|id| self.state().open_batch(&id));
        let pays = batch.is_some_and(|batch| batch.status.is_live());
        if !pays || self.is_stopped(&slot.job) {
            return Errand::Void;
        }
        let gas = slot.attempts.last().and_then(|last| Call::read(&last.raw));
        Errand::Call {
            gas: gas.map(|call| call.gas_limit),
        }
    }

    /// Whether another transaction with the nonce stays within the caps.
    pub(super) fn can_replace(&self, slot: &SlotRow) -> bool {
        let price = self.price(Some(slot.nonce), self.errand(slot));
        price.is_some_and(|price| price.is_ok())
    }

    /// The caps that keep transactions from being sent or raised, for as long as they do.
    pub(super) fn wait_for_fees(&self) -> Vec<String> {
        let mut waits = Vec::new();
        for slot in self.unincluded() {
            let nonce = slot.nonce;
            let is_refused = self.is_refused(slot);
            if !is_refused && !self.memory.lanes.is_capped(nonce) {
                continue;
            }
            let price = self.price(Some(nonce), self.errand(slot));
            match price {
                Some(Err(why)) if is_refused => waits.push(format!("nonce {nonce}: {why}")),
                Some(Err(why)) if !waits.contains(&why) => waits.push(why),
                Some(Ok(_)) if is_refused => waits.push(format!(
                    "nonce {nonce}: by its own fee cap the node passes on at most {} wei for one transaction; another one is signed",
                    self.memory.ceiling.most().unwrap_or_default()
                )),
                _ => {}
            }
        }
        waits
    }
}
