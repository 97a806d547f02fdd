//! What gas may cost within a day: what final transactions cost at most, and what those under way may still cost. Rule and reasons are in
//! docs/adr/0049.

use std::collections::VecDeque;

use super::{Engine, EngineError};
use crate::{
    calendar::utc,
    cost::Charge,
    domain::Amount,
    event::{Cost, Event, Fees},
    store::Store,
    submit::Call,
};

/// How long what was paid counts. [seconds of chain time]
const DAY: u64 = 86_400;
/// Entries that are read at once when looking back.
const PAGE: u32 = 1_000;
/// Decimals of a chain's coin in wei.
const COIN: u8 = 18;

/// What final transactions cost within the last day, oldest first.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Spent(VecDeque<Cost>);

impl Spent {
    /// In order of time.
    pub(crate) fn add(&mut self, cost: Cost) {
        self.0.push_back(cost);
    }

    /// Forgets what is a day old.
    fn prune(&mut self, now: u64) {
        let is_old = |cost: &mut Cost| cost.time.seconds().saturating_add(DAY) <= now;
        while self.0.pop_front_if(is_old).is_some() {}
    }

    /// [wei]
    fn sum(&self) -> u128 {
        let each = self.0.iter().map(|cost| cost.wei);
        each.fold(0, u128::saturating_add)
    }

    /// When so much less counts, if nothing is added. [seconds of chain time]
    fn until(&self, less: u128) -> Option<u64> {
        let mut freed = 0_u128;
        self.0.iter().find_map(|cost| {
            freed = freed.saturating_add(cost.wei);
            (freed >= less).then_some(cost.time.seconds().saturating_add(DAY))
        })
    }
}

/// How a day's budget stands. [wei]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// The most that may be spent within a day.
    pub most: u128,
    /// What final transactions of the last day cost, at most.
    pub spent: u128,
    /// What those under way may cost.
    pub under_way: u128,
}

impl Budget {
    /// What may still be spent now.
    fn left(&self) -> u128 {
        let used = self.spent.saturating_add(self.under_way);
        self.most.saturating_sub(used)
    }
}

impl<S: Store> Engine<S>
where
    S::Error: 'static,
{
    /// Reads from the log what the last day cost: the same as was known before the start.
    pub(super) fn recall_spent(&mut self) -> Result<(), EngineError<S::Error>> {
        if self.settings.max_gas_cost_per_day.is_none() {
            return Ok(());
        }
        let now = self.state().finalised().time.seconds();
        let mut costs = Vec::new();
        let mut before = self.head().seq.saturating_add(1);
        'back: loop {
            let page = self.store.costs_before(before, PAGE);
            let page = page.map_err(EngineError::Store)?;
            let Some((last, _)) = page.last() else { break };
            before = *last;
            for (_, event) in &page {
                match event {
                    Event::FinalisedAdvanced { block }
                        if block.time.seconds().saturating_add(DAY) <= now =>
                    {
                        break 'back;
                    }
                    Event::SlotConsumed {
                        cost: Some(cost), ..
                    } => costs.push(*cost),
                    _ => {}
                }
            }
        }
        costs
            .into_iter()
            .rev()
            .for_each(|cost| self.memory.spent.add(cost));
        self.memory.spent.prune(now);
        Ok(())
    }

    /// Forgets what does not count any more.
    pub(super) fn prune_spent(&mut self) {
        let now = self.memory.view.base().time.seconds();
        self.memory.spent.prune(now);
    }

    /// How it stands; none if there is none.
    pub(super) fn budget(&self) -> Option<Budget> {
        let slots = self.state().slots().map(|slot| slot.nonce);
        let under_way = slots.map(|nonce| self.at_most(nonce));
        Some(Budget {
            most: self.settings.max_gas_cost_per_day?,
            spent: self.memory.spent.sum(),
            under_way: under_way.fold(0, u128::saturating_add),
        })
    }

    /// The most that a nonce may cost by what is signed with it: one of its transactions lands, whichever it is. [wei]
    fn at_most(&self, nonce: u64) -> u128 {
        let attempts = self.state().slot(nonce).into_iter();
        let attempts = attempts.flat_map(|slot| &slot.attempts);
        let each = attempts.filter_map(|attempt| {
            let call = Call::read(&attempt.raw)?;
            Some(self.cost_of(call.gas_limit, attempt.fees.max_fee))
        });
        each.max().unwrap_or_default()
    }

    /// What a transaction costs at most, with its data. [wei]
    fn cost_of(&self, gas: u64, price: u128) -> u128 {
        let charge = Charge {
            gas,
            price,
            cap: price,
            data: self.data_fee(),
        };
        charge.most()
    }

    /// What a full batch pays for data beside gas, as it was seen last. [wei]
    pub(super) fn data_fee(&self) -> u128 {
        let look = self.memory.look.as_ref();
        look.and_then(|(_, vault)| vault.data_fee)
            .unwrap_or_default()
    }

    /// Why another transaction would not fit the day's budget. What costs no more than what is signed with the nonce always fits.
    pub(super) fn over_budget(&self, nonce: Option<u64>, gas: u64, fees: Fees) -> Option<String> {
        let budget = self.budget()?;
        let own = nonce.map(|nonce| self.at_most(nonce)).unwrap_or_default();
        let more = self.cost_of(gas, fees.max_fee).saturating_sub(own);
        let missing = more
            .checked_sub(budget.left())
            .filter(|missing| *missing > 0)?;
        let coins = |wei: u128| Amount(wei).display(COIN);
        let until = match self.memory.spent.until(missing) {
            Some(time) => format!("there is room at {}", utc(time)),
            None => "there is room once what is under way is final".to_owned(),
        };
        Some(format!(
            "the day's budget for gas: of {} coins {} are spent and {} may be by what is under way; {} more are needed; {until}",
            coins(budget.most),
            coins(budget.spent),
            coins(budget.under_way),
            coins(more)
        ))
    }

    /// The most gas of one transaction that a whole day's budget pays for at such a price; none if there is none. [wei per gas]
    pub(super) fn gas_that_a_day_pays_for(&self, price: u128) -> Option<u64> {
        let most = self.settings.max_gas_cost_per_day?;
        let without_data = most.saturating_sub(self.cost_of(0, 0));
        let gas = without_data.checked_div(price)?;
        Some(u64::try_from(gas).unwrap_or(u64::MAX))
    }
}
