//! What the policy, the recipient book and the token say of payments, turned into what the keeper does about it.

use std::collections::BTreeMap;

use crate::{
    domain::{PaymentRef, TierIndex},
    event::{Event, HoldReason},
    journal::{Journal, JournalError},
    lifecycle::PaymentStatus,
    port::Advice,
};

/// Payments that nobody has looked at yet, or that are open and whose advice is unknown, in order of arrival.
pub(crate) fn unadvised(
    journal: &Journal,
    tiers: &BTreeMap<PaymentRef, TierIndex>,
    limit: usize,
) -> Vec<PaymentRef> {
    let mut waiting: Vec<(u64, PaymentRef)> = journal
        .state()
        .open_payments()
        .filter(|row| {
            matches!(row.status, PaymentStatus::Requested | PaymentStatus::Open)
                && !tiers.contains_key(&row.reference())
        })
        .map(|row| (row.arrival, row.reference()))
        .collect();
    waiting.sort_unstable();
    waiting
        .into_iter()
        .take(limit)
        .map(|(_, reference)| reference)
        .collect()
}

/// Lets payments on that a tier takes, holds the others, and refuses for good what can never be paid. Returns the tiers.
pub(crate) fn judge(
    journal: &mut Journal,
    advised: &[(PaymentRef, Advice)],
) -> Result<Vec<(PaymentRef, TierIndex)>, JournalError> {
    let mut tiers = Vec::new();
    let mut released = Vec::new();
    let mut rejected = Vec::new();
    let mut held: BTreeMap<u8, (HoldReason, Vec<PaymentRef>)> = BTreeMap::new();
    for (reference, advice) in advised {
        let Some(row) = journal.state().open_payment(reference) else {
            continue;
        };
        let is_new = match row.status {
            PaymentStatus::Requested => true,
            PaymentStatus::Open => false,
            _ => continue, // something else happened to it meanwhile
        };
        let (group, reason) = match advice {
            Advice::Tier(tier) => {
                tiers.push((*reference, *tier));
                if is_new {
                    released.push(*reference);
                }
                continue;
            }
            Advice::Never if is_new => {
                rejected.push(*reference);
                continue;
            }
            Advice::Blocked | Advice::Never => (0, HoldReason::RecipientBlocked),
            Advice::AboveLimit => (1, HoldReason::AboveLimit),
            Advice::Blacklisted => (2, HoldReason::TokenBlacklist),
        };
        let (_, refs) = held.entry(group).or_insert_with(|| (reason, Vec::new()));
        refs.push(*reference);
    }
    if !released.is_empty() {
        journal.record(Event::Released { refs: released })?;
    }
    if !rejected.is_empty() {
        journal.record(Event::Rejected { refs: rejected })?;
    }
    for (reason, refs) in held.into_values() {
        journal.record(Event::Held { refs, reason })?;
    }
    Ok(tiers)
}
