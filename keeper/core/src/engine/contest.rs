//! What was paid past the keeper is not paid again, even if a batch of it is on its way.

use alloy_primitives::U256;

use super::Engine;
use crate::{event::Job, state::BatchRow, store::Store};

impl<S: Store> Engine<S>
where
    S::Error: 'static,
{
    /// Rule 12: whether the job would pay what was paid past us.
    pub(super) fn is_stopped(&self, job: &Job) -> bool {
        let skip = match job {
            Job::Execute { skip, .. } => *skip,
            _ => U256::ZERO,
        };
        let batch = job.batch().and_then(|id| self.state().open_batch(&id));
        batch.is_some_and(|batch| !(self.contested(batch) & !skip).is_zero())
    }

    /// Bit `i` set: payment `i` of the batch is not to be paid any more.
    pub(super) fn contested(&self, batch: &BatchRow) -> U256 {
        let mut mask = U256::ZERO;
        for (bit, payment) in batch.payments.iter().enumerate() {
            mask.set_bit(bit, self.state().is_contested(&payment.reference()));
        }
        mask
    }
}
