//! What of a backup is filed again: what was asked for and is neither over there nor known here.

use std::collections::{BTreeMap, BTreeSet};

use tidelock_core::{
    domain::{Payment, PaymentRef},
    event::{Command, HoldReason},
    lifecycle::PaymentStatus,
    state::PaymentRow,
};

use crate::{
    exit::Failure,
    store::{Desk, Reader},
};

/// Payments that are looked up, or filed, at once.
pub(super) const PIECE: usize = 256;

/// What is to be done, and what is left.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// To be filed, in order of arrival.
    pub fresh: Vec<Payment>,
    /// To be held, each with the operator's words.
    pub holds: Vec<(PaymentRef, String)>,
    /// To be withdrawn, as in the backup: who files the ref again must not be paid.
    pub withdrawn: Vec<PaymentRef>,
    /// Withdrawn in the backup, and under way or paid here.
    pub not_withdrawn: Vec<PaymentRef>,
    /// Open in the backup, and known here.
    pub known: u64,
    /// Over in the backup, by status.
    pub over: BTreeMap<PaymentStatus, u64>,
    /// Refs that were used for something else here, in words.
    pub taken: Vec<String>,
    /// Paid by the backup, and not by the log here. Not filed.
    pub unpaid: Vec<PaymentRef>,
    /// What the backup's keeper left out because it could not be read, in words.
    pub left_out: Vec<String>,
}

/// A payment of the backup.
#[derive(Debug, Clone)]
struct Old {
    payment: Payment,
    status: PaymentStatus,
    /// An operator's words, if one holds it.
    held: Option<String>,
}

impl Plan {
    /// Compares a backup with the store here. Changes nothing.
    pub fn make(backup: &mut Reader, here: &mut Reader, desk: &mut Desk) -> Result<Self, Failure> {
        let decimals = here.identity().decimals;
        let log = backup.overview()?.log;
        let commands = log.map_or(0, |(_, head)| head.commands);
        let asked = spoken(backup.commands_after(commands)?);
        let spoken_here = spoken(here.commands_after(0)?);
        let mut plan = Self::default();
        let mut piece = Vec::with_capacity(PIECE);
        let mut compare = |piece: &mut Vec<Old>| {
            plan.take(piece, (&mut *here, &mut *desk), &spoken_here, decimals)?;
            piece.clear();
            Ok::<_, Failure>(())
        };
        backup.payments(true, |view| {
            piece.push(Old::of(view.row, &asked));
            if piece.len() >= PIECE {
                compare(&mut piece)?;
            }
            Ok::<_, Failure>(true)
        })?;
        compare(&mut piece)?;
        let waiting = backup.waiting(u32::MAX)?;
        for requests in waiting.requests.chunks(PIECE) {
            let olds = requests.iter().map(|it| Old::waiting(it.payment, &asked));
            piece.extend(olds);
            compare(&mut piece)?;
        }
        plan.left_out = backup.left_out()?;
        plan.left_out.extend(waiting.damaged);
        Ok(plan)
    }

    /// There is nothing to do.
    pub fn is_done(&self) -> bool {
        self.fresh.is_empty() && self.holds.is_empty() && self.withdrawn.is_empty()
    }

    fn take(
        &mut self,
        olds: &[Old],
        (here, desk): (&mut Reader, &mut Desk),
        spoken_here: &BTreeMap<PaymentRef, Option<String>>,
        decimals: u8,
    ) -> Result<(), Failure> {
        let payments: Vec<Payment> = olds.iter().map(|old| old.payment).collect();
        let refs: Vec<PaymentRef> = payments.iter().map(Payment::reference).collect();
        let rows = here.rows_of(&refs)?;
        let rows: BTreeMap<PaymentRef, PaymentStatus> = rows
            .iter()
            .map(|row| (row.reference(), row.status))
            .collect();
        let found = desk.look_up(&payments)?;
        let fresh: BTreeSet<PaymentRef> = found.fresh.iter().map(Payment::reference).collect();
        let taken: BTreeMap<usize, String> = found
            .taken
            .iter()
            .map(|taken| (taken.index, taken.describe(decimals)))
            .collect();
        for (index, old) in olds.iter().enumerate() {
            let reference = old.payment.reference();
            let here = rows.get(&reference).copied();
            if old.status.is_final() {
                let is_paid = old.status == PaymentStatus::Paid;
                if is_paid && here != Some(PaymentStatus::Paid) {
                    self.unpaid.push(reference);
                }
                let count = self.over.entry(old.status).or_default();
                *count = count.saturating_add(1);
                let is_asked = spoken_here.contains_key(&reference);
                if old.status == PaymentStatus::Cancelled
                    && !is_asked
                    && !taken.contains_key(&index)
                {
                    let is_fresh = fresh.contains(&reference);
                    self.withdraw(old.payment, here, is_fresh);
                }
                continue;
            }
            if let Some(why) = taken.get(&index) {
                self.taken.push(why.clone());
                continue;
            }
            if fresh.contains(&reference) {
                self.fresh.push(old.payment);
            } else {
                self.known = self.known.saturating_add(1);
            }
            // What an operator said of it here comes after what one said before the backup.
            if let Some(note) = &old.held
                && here.is_none_or(|here| !here.is_final())
                && !spoken_here.contains_key(&reference)
            {
                self.holds.push((reference, note.clone()));
            }
        }
        Ok(())
    }

    /// A log that has never heard of the ref would pay it to whoever files it again.
    fn withdraw(&mut self, payment: Payment, here: Option<PaymentStatus>, is_fresh: bool) {
        use PaymentStatus::{Cancelled, Displaced, Held, Open, Paid, Rejected, Requested, Sealed};
        let reference = payment.reference();
        match here {
            None | Some(Requested | Held | Open) => {
                if is_fresh {
                    self.fresh.push(payment);
                }
                self.withdrawn.push(reference);
            }
            Some(Sealed | Paid) => self.not_withdrawn.push(reference),
            Some(Cancelled | Rejected | Displaced) => {}
        }
    }
}

impl Old {
    fn of(row: PaymentRow, asked: &BTreeMap<PaymentRef, Option<String>>) -> Self {
        let held = match asked.get(&row.reference()) {
            Some(held) => held.clone(),
            None => match row.hold {
                Some(HoldReason::Operator { note }) => Some(note),
                _ => None, // judged anew
            },
        };
        Self {
            payment: row.payment,
            status: row.status,
            held,
        }
    }

    fn waiting(payment: Payment, asked: &BTreeMap<PaymentRef, Option<String>>) -> Self {
        Self {
            payment,
            status: PaymentStatus::Requested,
            held: asked.get(&payment.reference()).cloned().flatten(),
        }
    }
}

/// The payments that commands are about: why each is held after them; none if it is not. A withdrawal that the backup's keeper
/// had not come to may be one that it would have refused, so a person looks again.
fn spoken(commands: Vec<Command>) -> BTreeMap<PaymentRef, Option<String>> {
    let mut spoken = BTreeMap::new();
    for command in commands {
        match command {
            Command::Hold { reference, note } => spoken.insert(reference, Some(note)),
            Command::Cancel { reference, note } => {
                spoken.insert(reference, Some(format!("to be withdrawn: {note}")))
            }
            Command::Release { reference, .. } => spoken.insert(reference, None),
            Command::Halt { .. } | Command::Resume { .. } => None,
        };
    }
    spoken
}
