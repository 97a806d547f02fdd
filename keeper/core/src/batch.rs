//! Cutting batches: which open payments go together, under which tier and numbers. Pure; the same inputs, the same cut.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    domain::{Payment, PaymentNumber, PaymentRef, TierIndex},
    event::Route,
    lifecycle::PaymentStatus,
    port::{Monotonic, TierLook},
    settings::BatchSettings,
    state::{Counters, PaymentRow, State},
};

/// A batch to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    /// Row of the release policy.
    pub tier: TierIndex,
    /// How it is paid.
    pub route: Route,
    /// Number of its first payment.
    pub first_number: PaymentNumber,
    /// Its payments, in the order of their numbers.
    pub payments: Vec<Payment>,
}

/// What cutting looks at.
#[derive(Debug)]
pub struct Table<'a> {
    /// The payments.
    pub state: &'a State,
    /// The release policy at the tip.
    pub tiers: &'a [TierLook],
    /// The lowest tier that takes each payment.
    pub advice: &'a BTreeMap<PaymentRef, TierIndex>,
    /// Since when each payment has been open.
    pub open_since: &'a BTreeMap<PaymentRef, Monotonic>,
    /// Payments that are not to be tried now.
    pub paused: &'a BTreeSet<PaymentRef>,
    /// Payments that were in the way of others, and are tried alone.
    pub solo: &'a BTreeSet<PaymentRef>,
    /// Room under each tier's cap that nothing in flight needs. [base units, multiples of the unit]
    pub room: &'a [u128],
    /// What the vault holds and nothing in flight needs. [base units]
    pub balance: u128,
    /// Counters below these are not given out.
    pub counters: Counters,
    /// Payments in a batch at most.
    pub limit: usize,
    /// How batches are cut.
    pub settings: &'a BatchSettings,
    /// Requests up to this arrival wait for no cheap hour.
    pub urgent_through: u64,
    /// Age from which any other is worth the price of now. [milliseconds]
    pub patience_ms: u64,
    /// Now.
    pub now: Monotonic,
}

/// A payment that may be cut now.
#[derive(Debug, Clone, Copy)]
struct Item {
    payment: Payment,
    number: Option<PaymentNumber>,
    arrival: u64,
}

impl Table<'_> {
    /// The next batch, if one is due. Payments that have a number go first: people have waited for them longest.
    pub fn cut(&self) -> Option<Cut> {
        let groups = self.groups();
        let again = groups
            .iter()
            .find_map(|(key, items)| self.again(*key, items));
        again.or_else(|| {
            groups
                .iter()
                .find_map(|(key, items)| self.fresh(*key, items))
        })
    }

    /// Open payments by tier, in order of arrival.
    fn groups(&self) -> BTreeMap<TierIndex, Vec<Item>> {
        let mut groups: BTreeMap<TierIndex, Vec<Item>> = BTreeMap::new();
        for row in self.state.open_payments() {
            let reference = row.reference();
            if row.status != PaymentStatus::Open || self.paused.contains(&reference) {
                continue;
            }
            if let Some(tier) = self.tier_of(row) {
                groups.entry(tier).or_default().push(Item {
                    payment: row.payment,
                    number: row.number,
                    arrival: row.arrival,
                });
            }
        }
        for items in groups.values_mut() {
            items.sort_unstable_by_key(|item| (item.arrival, item.payment.reference()));
        }
        groups
    }

    /// The lowest tier that takes it; a stricter one if it has waited too long for room, or if its number is one of the
    /// proposals' half, which no automatic tier may use.
    fn tier_of(&self, row: &PaymentRow) -> Option<TierIndex> {
        let mut tier = *self.advice.get(&row.reference())?;
        let is_proposals = row.number.is_some_and(|number| number.0 >> 63 == 1);
        while is_proposals && self.look(tier)?.is_automatic() {
            tier = next(tier)?;
        }
        let stricter = next(tier).filter(|stricter| self.look(*stricter).is_some());
        if self.has_waited_for_room(row, tier) {
            return Some(stricter.unwrap_or(tier));
        }
        self.look(tier).map(|_| tier)
    }

    fn has_waited_for_room(&self, row: &PaymentRow, tier: TierIndex) -> bool {
        let Some(seconds) = self.settings.escalate_after_s else {
            return false;
        };
        let is_due = self.age(&row.reference()) >= seconds.saturating_mul(1_000);
        is_due && row.payment.amount().0 > self.room_of(tier)
    }

    /// How long it has been open. [milliseconds]
    fn age(&self, reference: &PaymentRef) -> u64 {
        let since = self.open_since.get(reference).copied();
        self.now.0.saturating_sub(since.unwrap_or(self.now).0)
    }

    fn look(&self, tier: TierIndex) -> Option<&TierLook> {
        self.tiers.get(usize::from(tier.get()))
    }

    fn room_of(&self, tier: TierIndex) -> u128 {
        self.room.get(usize::from(tier.get())).copied().unwrap_or(0)
    }

    fn route(&self, tier: TierIndex) -> Option<Route> {
        Some(if self.look(tier)?.is_automatic() {
            Route::Direct
        } else {
            Route::Proposal
        })
    }

    /// What a batch may sum to: an automatic one is charged at once; a proposal must only be able to be, one day.
    fn most(&self, tier: TierIndex, route: Route) -> Option<u128> {
        Some(match route {
            Route::Direct => self.room_of(tier).min(self.balance),
            Route::Proposal => self.look(tier)?.cap.0,
        })
    }

    /// Payments that were in a batch before: the longest run of consecutive numbers from the lowest one that fits.
    fn again(&self, tier: TierIndex, items: &[Item]) -> Option<Cut> {
        let route = self.route(tier)?;
        let mut numbered: Vec<(PaymentNumber, Payment)> = items
            .iter()
            .filter_map(|item| Some((item.number?, item.payment)))
            .collect();
        numbered.sort_unstable_by_key(|(number, _)| *number);
        let mut rest = numbered.as_slice();
        while let Some((first_number, _)) = rest.first().copied() {
            let run = (0..)
                .zip(rest)
                .take_while(|(offset, (number, _))| {
                    first_number.checked_add(*offset) == Some(*number)
                })
                .map(|(_, (_, payment))| *payment);
            let payments = self.fitting(run, self.most(tier, route)?);
            if !payments.is_empty() {
                return Some(Cut {
                    tier,
                    route,
                    first_number,
                    payments,
                });
            }
            rest = rest.get(1..)?;
        }
        None
    }

    /// New payments in order of arrival. None overtakes one that waits for room under the same cap.
    fn fresh(&self, tier: TierIndex, items: &[Item]) -> Option<Cut> {
        let route = self.route(tier)?;
        let new = || items.iter().filter(|item| item.number.is_none());
        let payments = self.fitting(new().map(|item| item.payment), self.most(tier, route)?);
        let oldest = payments.first()?.reference();
        if self.waits_for_price(new().next()?) {
            return None;
        }
        let is_full = payments.len() >= self.limit || self.solo.contains(&oldest);
        if !is_full && self.age(&oldest) < self.settings.max_wait_ms {
            return None;
        }
        let namespace = self.state.opening().namespace;
        let next = self.state.next_counters().of(route);
        let counter = next.max(self.counters.of(route));
        let first_number = namespace.number(route, counter)?;
        let last = counter.checked_add(u64::try_from(payments.len()).ok()?)?;
        namespace.number(route, last)?; // the counter's end is far away, and must not be passed
        Some(Cut {
            tier,
            route,
            first_number,
            payments,
        })
    }

    /// The oldest decides: what came after it goes along, or waits with it.
    fn waits_for_price(&self, oldest: &Item) -> bool {
        let is_urgent = oldest.arrival <= self.urgent_through;
        !is_urgent && self.age(&oldest.payment.reference()) < self.patience_ms
    }

    /// The first payments that fit together; one that was in the way of others is alone.
    fn fitting(&self, payments: impl Iterator<Item = Payment>, most: u128) -> Vec<Payment> {
        let mut chosen: Vec<Payment> = Vec::new();
        let mut left = most;
        for payment in payments.take(self.limit) {
            let Some(rest) = left.checked_sub(payment.amount().0) else {
                break;
            };
            let is_solo = self.solo.contains(&payment.reference());
            if is_solo && !chosen.is_empty() {
                break;
            }
            left = rest;
            chosen.push(payment);
            if is_solo {
                break;
            }
        }
        chosen
    }
}

fn next(tier: TierIndex) -> Option<TierIndex> {
    TierIndex::new(tier.get().checked_add(1)?).ok()
}
