//! Refs are paid once: what people are about to propose or approve is held to what the vault has paid, to what waits in it
//! and to the keeper's own log, if there is one here.

use std::collections::BTreeMap;

use tidelock_core::{
    abi::Fact,
    domain::{Amount, Batch, BatchId, Payment, PaymentRef},
    event::NumberedPayment,
    lifecycle::PaymentStatus,
};

use super::{direct::Desk, words};
use crate::{
    config::Config,
    exit::{ExitStatus, Failure},
    past::Tale,
    store::{Location, Reader, Standing, StoreError},
};

/// What a command takes that agrees to payments.
#[derive(Debug, clap::Args)]
pub(super) struct AgainArgs {
    /// With --yes: go on though the vault has paid one of the refs already
    #[arg(long)]
    pub again: bool,
}

/// What is known of the refs of some payments.
pub(super) struct Known {
    /// The vault has paid these refs.
    paid: Vec<(Payment, NumberedPayment)>,
    /// Everything that a person should read first.
    warnings: Vec<String>,
}

impl Known {
    /// Looks at the vault's logs from `first` on, and at the keeper's log.
    pub(super) async fn find(
        desk: &Desk,
        config: &Config,
        (header, payments): (&Batch, &[Payment]),
        first: u64,
    ) -> Result<Self, Failure> {
        let id = header.id(&desk.parties().domain);
        let last = desk.nodes.head().await?;
        let mut known = Self {
            paid: Vec::new(),
            warnings: Vec::new(),
        };
        match desk.nodes.history(first, last).await {
            Ok(history) => {
                if !history.iter().any(|(_, fact)| *fact == Fact::Created) {
                    known.warnings.push(format!(
                        "--from-block {first}: what the vault paid before is not looked at"
                    ));
                }
                let tale = Tale::read(&history);
                known.compare(header, payments, &tale.paid, desk.decimals());
                let mut waiting = BTreeMap::new();
                for (other, proposal) in tale.live(last).filter(|(other, _)| *other != id) {
                    let refs = proposal.payments.iter().map(Payment::reference);
                    waiting.extend(refs.map(|reference| (reference, other)));
                }
                known.overlap(payments, &waiting);
            }
            Err(error) => known.warnings.push(format!(
                "the vault's logs cannot be read, so nobody knows whether a ref is paid already: {error}"
            )),
        }
        match in_log(&config.store, id, payments) {
            Ok(found) => known.warnings.extend(found),
            Err(error) => known
                .warnings
                .push(format!("the keeper's log cannot be read: {error}")),
        }
        Ok(known)
    }

    /// Refs that the vault has paid under another number.
    fn compare(
        &mut self,
        header: &Batch,
        payments: &[Payment],
        paid: &BTreeMap<PaymentRef, NumberedPayment>,
        decimals: u8,
    ) {
        let show = |amount: Amount| amount.display(decimals);
        for (offset, payment) in (0..).zip(payments) {
            let reference = payment.reference();
            let own = header.first_number.checked_add(offset);
            let Some(before) = paid.get(&reference).filter(|b| Some(b.number) != own) else {
                continue;
            };
            self.warnings.push(format!(
                "ref {reference} is PAID already: {} to {} under number {}; this would pay {} to {} once more",
                show(before.payment.amount()),
                before.payment.recipient(),
                before.number,
                show(payment.amount()),
                payment.recipient()
            ));
            self.paid.push((*payment, *before));
        }
    }

    /// Refs that are there twice, or in another proposal that may still be executed.
    fn overlap(&mut self, payments: &[Payment], waiting: &BTreeMap<PaymentRef, BatchId>) {
        let mut counts: BTreeMap<PaymentRef, usize> = BTreeMap::new();
        for payment in payments {
            let count = counts.entry(payment.reference()).or_default();
            *count = count.saturating_add(1);
        }
        for (reference, count) in counts {
            if count > 1 {
                self.warnings
                    .push(format!("ref {reference} is {count} times in this batch"));
            }
            if let Some(other) = waiting.get(&reference) {
                self.warnings.push(format!(
                    "ref {reference} is in batch {other} too, which may still be executed: approve one of them at most"
                ));
            }
        }
    }

    /// As a person reads it, before being asked.
    pub(super) fn lines(&self) -> impl Iterator<Item = String> {
        self.warnings
            .iter()
            .map(|warning| format!("WARNING {warning}"))
    }

    /// For JSON.
    pub(super) fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Nobody reads the warnings of a command that asks nothing.
    pub(super) fn refuse_unseen(&self, yes: bool, args: &AgainArgs) -> Result<(), Failure> {
        let Some((payment, before)) = self.paid.first() else {
            return Ok(());
        };
        if !yes || args.again {
            return Ok(());
        }
        Err(Failure::new(
            ExitStatus::Refused,
            format!(
                "--yes: the vault has paid ref {} already, under number {}; --again says that it is meant; nothing was sent",
                payment.reference(),
                before.number
            ),
        ))
    }
}

/// What the keeper's log says of refs that are not paid. The reader blocks, so it gets a thread of its own.
fn in_log(store: &Location, id: BatchId, payments: &[Payment]) -> Result<Vec<String>, StoreError> {
    let read = || {
        let mut found = Vec::new();
        if !store.is_opened()? {
            return Ok(found);
        }
        let mut reader = Reader::open(store)?;
        for payment in payments {
            let reference = payment.reference();
            let standing = match reader.standing(&reference)? {
                Standing::Taken(view) if view.row.batch == Some(id) => continue,
                Standing::Taken(view) if view.row.status == PaymentStatus::Paid => continue, // by the vault's logs
                Standing::Taken(view) => words::status(view.row.status),
                Standing::Waiting(_) => "waiting",
                Standing::LeftOut(_) | Standing::Unknown => continue,
            };
            found.push(format!(
                "ref {reference}: the keeper was asked for it, and calls it {standing}"
            ));
        }
        reader.close()?;
        Ok(found)
    };
    std::thread::scope(|scope| match scope.spawn(read).join() {
        Ok(found) => found,
        Err(panic) => std::panic::resume_unwind(panic),
    })
}
