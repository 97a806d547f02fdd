//! The rows that a log folds to, against those that are stored. What is final is compared as it comes and forgotten; what
//! is open, at the end.

use std::collections::BTreeMap;

use tidelock_core::{
    differing::differing,
    domain::PaymentRef,
    event::Event,
    lifecycle::PaymentStatus,
    state::{PaymentRow, Rows, State},
};

use super::{Finding, StoreError, load, sql::Connection};

/// Payments in one question.
const ASKED: usize = 250;
/// Differences that are told one by one; more are counted.
const TOLD: usize = 1_000;

/// The state that a log folds to.
#[derive(Default)]
pub(super) struct Fold {
    state: Option<State>,
    /// Payments that have become final, and are not compared yet.
    fresh: Vec<PaymentRow>,
    /// Payments that are final, and so not in the state any more.
    done: BTreeMap<PaymentStatus, u64>,
    differences: Vec<String>,
    untold: u64,
}

impl Fold {
    /// Takes entries in; the first that cannot follow, if there is one.
    pub fn take(&mut self, events: Vec<(u64, Event)>) -> Option<Finding> {
        for (seq, event) in events {
            if let Err(why) = self.apply(event) {
                let seq = Some(seq);
                return Some(Finding { seq, why });
            }
        }
        self.forget();
        None
    }

    fn apply(&mut self, event: Event) -> Result<(), String> {
        match (&mut self.state, event) {
            (Some(state), event) => state.apply(&event).map_err(|error| error.to_string()),
            (None, Event::LogOpened(opening)) => {
                self.state = Some(State::open(opening));
                Ok(())
            }
            (None, _) => Err("comes before the log was opened".to_owned()),
        }
    }

    fn forget(&mut self) {
        let Some(state) = &mut self.state else { return };
        let payments = state.take_changes().payments.into_iter();
        for row in payments.filter(|row| row.status.is_final()) {
            let count = self.done.entry(row.status).or_default();
            *count = count.saturating_add(1);
            self.fresh.push(row);
        }
    }

    /// Compares the payments that have become final with the stored ones. These never change again, so a later moment
    /// than that of the entries is as good.
    pub async fn settle(&mut self, connection: &mut Connection) -> Result<(), StoreError> {
        let fresh = std::mem::take(&mut self.fresh);
        for folded in fresh.chunks(ASKED) {
            let refs: Vec<PaymentRef> = folded.iter().map(PaymentRow::reference).collect();
            let mut stored = load::payments(connection, &refs).await?;
            for row in folded {
                match stored.remove(&row.reference()) {
                    Some(Ok(stored)) if stored == *row => {}
                    Some(Ok(stored)) => self.tell(other_values(row, &stored)),
                    Some(Err(error)) => self.tell(error.to_string()),
                    None => self.tell(format!(
                        "payment {} is {:?} by the log, but not stored",
                        row.reference(),
                        row.status
                    )),
                }
            }
        }
        Ok(())
    }

    fn tell(&mut self, difference: String) {
        if self.differences.len() < TOLD {
            self.differences.push(difference);
        } else {
            self.untold = self.untold.saturating_add(1);
        }
    }

    /// What the stored rows say otherwise, once every entry was taken in.
    pub async fn differences(
        mut self,
        connection: &mut Connection,
    ) -> Result<Vec<String>, StoreError> {
        let stored = load::snapshot(connection).await?;
        let (Some(state), Some(stored)) = (&self.state, stored) else {
            return Ok(Vec::new()); // an empty log, and nothing stored
        };
        let folded = state.open_rows();
        let stored = State::restore(stored.rows).open_rows();
        for difference in compare(&folded, &stored) {
            self.tell(difference);
        }
        let mut done = std::mem::take(&mut self.done);
        let counts = load::counts(connection).await?;
        for (status, stored) in counts.iter().filter(|(status, _)| status.is_final()) {
            let folded = done.remove(status).unwrap_or_default();
            if folded != *stored {
                self.tell(format!(
                    "the log makes {folded} payments {status:?}, but {stored} are stored so"
                ));
            }
        }
        for (status, folded) in done {
            self.tell(format!(
                "the log makes {folded} payments {status:?}, but none are stored so"
            ));
        }
        if self.untold > 0 {
            let more = format!("{} more rows are not what the log folds to", self.untold);
            self.differences.push(more);
        }
        Ok(self.differences)
    }
}

fn other_values(folded: &PaymentRow, stored: &PaymentRow) -> String {
    let (folds, says) = differing(folded, stored);
    format!(
        "payment {} is stored with other values than the log folds to: {says}, by the log {folds}",
        folded.reference()
    )
}

fn compare(folded: &Rows, stored: &Rows) -> Vec<String> {
    let mut differences = Vec::new();
    if folded.head != stored.head {
        differences.push(format!(
            "the log as a whole: folded {:?}, stored {:?}",
            folded.head, stored.head
        ));
    }
    differences.extend(unlike(
        "payment",
        &folded.payments,
        &stored.payments,
        |row| row.reference(),
    ));
    differences.extend(unlike("batch", &folded.batches, &stored.batches, |row| {
        row.id
    }));
    differences.extend(unlike("nonce", &folded.slots, &stored.slots, |row| {
        row.nonce
    }));
    differences
}

/// Keys whose rows differ, or are on one side only.
fn unlike<R: PartialEq, K: Ord + std::fmt::Display>(
    kind: &str,
    folded: &[R],
    stored: &[R],
    key: impl Fn(&R) -> K,
) -> Vec<String> {
    let mut pairs: BTreeMap<K, (Option<&R>, Option<&R>)> = BTreeMap::new();
    for row in folded {
        pairs.entry(key(row)).or_default().0 = Some(row);
    }
    for row in stored {
        pairs.entry(key(row)).or_default().1 = Some(row);
    }
    pairs
        .into_iter()
        .filter(|(_, (folded, stored))| folded != stored)
        .map(|(key, pair)| {
            let how = match pair {
                (Some(_), None) => "is open by the log, but not stored so",
                (None, Some(_)) => "is stored as open, but not open by the log",
                _ => "is stored with other values than the log folds to",
            };
            format!("{kind} {key} {how}")
        })
        .collect()
}
