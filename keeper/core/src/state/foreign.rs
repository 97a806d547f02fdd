//! Which refs other people's proposals hold.

use std::collections::BTreeMap;

use crate::domain::{Payment, PaymentRef};

/// Refs that foreign proposals hold, each with how often: whoever may propose must not make looking one up dear.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct ForeignRefs(BTreeMap<PaymentRef, usize>);

impl ForeignRefs {
    pub(super) fn contains(&self, reference: &PaymentRef) -> bool {
        self.0.contains_key(reference)
    }

    pub(super) fn add(&mut self, payments: &[Payment]) {
        for payment in payments {
            let count = self.0.entry(payment.reference()).or_default();
            *count = count.saturating_add(1);
        }
    }

    pub(super) fn remove(&mut self, payments: &[Payment]) {
        for payment in payments {
            let reference = payment.reference();
            match self.0.get_mut(&reference) {
                Some(count) if *count > 1 => *count = count.saturating_sub(1),
                _ => {
                    self.0.remove(&reference);
                }
            }
        }
    }
}
