//! Which transitions of the lifecycles a commit makes.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::B256;
use tidelock_core::{
    domain::{BatchId, PaymentRef},
    event::Event,
    lifecycle::{AttemptStatus, BatchStatus, PaymentStatus, SlotStatus},
    machine::Machine,
    state::{AttemptRow, Rows},
};

use super::tables::Tables;
use crate::coverage::{EdgeKey, edge_between};

/// Where everything stood before an event.
pub struct Seen {
    payments: BTreeMap<PaymentRef, PaymentStatus>,
    batches: BTreeMap<BatchId, BatchStatus>,
    slots: BTreeMap<u64, SlotStatus>,
    attempts: BTreeMap<B256, AttemptStatus>,
}

impl Seen {
    /// As the tables have it.
    pub fn of(tables: &Tables) -> Self {
        let attempts = tables.slots.values().flat_map(|slot| &slot.attempts);
        Self {
            payments: (tables.payments.iter())
                .map(|(reference, row)| (*reference, row.status))
                .collect(),
            batches: (tables.batches.iter())
                .map(|(id, row)| (*id, row.status))
                .collect(),
            slots: (tables.slots.iter())
                .map(|(nonce, row)| (*nonce, row.status))
                .collect(),
            attempts: attempts.map(|row| (row.hash, row.status)).collect(),
        }
    }

    /// Counts the edges that an event took, with the rows it touched.
    pub fn count(&mut self, event: &Event, touched: &Rows, edges: &mut BTreeMap<EdgeKey, u64>) {
        let again: BTreeSet<PaymentRef> = match event {
            Event::Held { refs, .. } | Event::BatchSealed { refs, .. } => {
                refs.iter().copied().collect()
            }
            _ => BTreeSet::new(),
        };
        for row in &touched.payments {
            let key = row.reference();
            let again = again.contains(&key);
            step(&mut self.payments, key, row.status, again, edges);
        }
        for row in &touched.batches {
            step(&mut self.batches, row.id, row.status, false, edges);
        }
        for row in &touched.slots {
            let signed = |attempt: &AttemptRow| !self.attempts.contains_key(&attempt.hash);
            let again = row.attempts.iter().any(signed);
            step(&mut self.slots, row.nonce, row.status, again, edges);
            for attempt in &row.attempts {
                let (hash, status) = (attempt.hash, attempt.status);
                step(&mut self.attempts, hash, status, false, edges);
            }
        }
    }
}

/// Counts the edge to a status, if it is another one, or the same `again`.
fn step<K: Ord, M: Machine>(
    seen: &mut BTreeMap<K, M>,
    key: K,
    now: M,
    again: bool,
    edges: &mut BTreeMap<EdgeKey, u64>,
) {
    let before = seen.insert(key, now);
    if (before != Some(now) || again)
        && let Some(edge) = edge_between(before, now)
    {
        *edges.entry(edge).or_default() += 1;
    }
}
