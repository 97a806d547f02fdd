//! Which spans the log, and what was heard of nodes, come to. A span reaches from what the payment went through before to what its name
//! says; times are this machine's, and the log's for what was before this process.

use std::{collections::BTreeMap, time::SystemTime};

use alloy::primitives::{B256, U256};
use opentelemetry::KeyValue;
use tidelock_core::{
    domain::{Batch, BatchId, PaymentNumber, PaymentRef, VaultDomain},
    event::{BlockRef, Event, Job},
    lifecycle::PaymentStatus,
};

use super::{
    follower::Sending,
    span::{PAYMENT, Span},
    taken_in::TakenIn,
};
use crate::{
    operations::stopped_by,
    store::{Reader, StoreError},
};

/// Where payments are that are under way.
pub(super) struct Ways {
    domain: VaultDomain,
    /// When this process began to look.
    began: SystemTime,
    taken_in: TakenIn,
    batches: BTreeMap<BatchId, Way>,
    /// What was signed for these.
    attempts: BTreeMap<B256, BatchId>,
    /// Payments that their batch left behind, and since when they are open again.
    back: BTreeMap<PaymentRef, SystemTime>,
    spans: Vec<Span>,
}

/// Where a batch is.
struct Way {
    /// Its payments that no final block has paid.
    refs: Vec<PaymentRef>,
    /// When it went through the last of what it went through.
    last: SystemTime,
    /// The block that was told of last.
    block: Option<B256>,
}

impl Ways {
    /// Begins with what is under way. What it went through before has no spans, or had them from the process before.
    pub fn start(reader: &mut Reader) -> Result<Self, StoreError> {
        let began = SystemTime::now();
        let mut batches: BTreeMap<BatchId, Way> = BTreeMap::new();
        reader.payments(false, |view| {
            if let (PaymentStatus::Sealed, Some(batch)) = (view.row.status, view.row.batch) {
                let new = || Way::new(Vec::new(), began);
                let way = batches.entry(batch).or_insert_with(new);
                way.refs.push(view.row.reference());
            }
            Ok::<_, StoreError>(true)
        })?;
        let mut attempts = BTreeMap::new();
        for batch in batches.keys() {
            let signed = reader.signed_for(batch)?;
            attempts.extend(signed.iter().map(|one| (one.hash, *batch)));
        }
        Ok(Self {
            domain: reader.identity().domain,
            began,
            taken_in: TakenIn::default(),
            batches,
            attempts,
            back: BTreeMap::new(),
            spans: Vec::new(),
        })
    }

    pub fn take_spans(&mut self) -> impl Iterator<Item = Span> {
        std::mem::take(&mut self.spans).into_iter()
    }

    /// An entry that was stored at that time.
    pub fn take(
        &mut self,
        reader: &mut Reader,
        event: &Event,
        at: SystemTime,
    ) -> Result<(), StoreError> {
        match event {
            Event::RequestsAccepted { requests, through } => {
                self.taken_in.learn(requests, *through, at);
                let refs = requests.iter().map(|request| request.payment.reference());
                refs.for_each(|known| self.moment("taken in", known, at, &[]));
            }
            Event::BatchSealed { batch, refs, .. } => {
                self.seal(reader, "sealed", batch, refs.clone(), at)?;
            }
            Event::Adopted { batch, payments } => {
                let refs = payments.iter().map(|payment| payment.reference());
                self.seal(reader, "adopted", batch, refs.collect(), at)?;
            }
            Event::AttemptSigned {
                nonce, job, hash, ..
            } => self.sign(*nonce, job, *hash, at),
            Event::SlotConsumed {
                by: Some(hash),
                reverted: true,
                block,
                ..
            } => self.revert(hash, *block, at),
            Event::ProposalFinal { batch, block } => {
                self.reach("proposal final", batch, at, &[height(*block)], None);
            }
            Event::OutcomeFinal {
                batch,
                first_number,
                paid,
                block,
            } => self.pay(reader, batch, (*first_number, *paid), (*block, at))?,
            Event::BatchDied { batch, .. } => self.bury(batch, at),
            Event::Held { refs, reason } => {
                let reason = [KeyValue::new("tidelock.reason", stopped_by(reason))];
                refs.iter()
                    .for_each(|known| self.moment("held", *known, at, &reason));
            }
            Event::Released { refs } => refs
                .iter()
                .for_each(|known| self.moment("released", *known, at, &[])),
            Event::Rejected { refs } => self.end(reader, "rejected", refs, at)?,
            Event::Cancelled { refs } => self.end(reader, "cancelled", refs, at)?,
            Event::Displaced { refs, .. } => self.end(reader, "displaced", refs, at)?,
            _ => {}
        }
        Ok(())
    }

    /// A transaction was sent to a node.
    pub fn sent(&mut self, sending: &Sending) {
        let Some(way) =
            (self.attempts.get(&sending.hash)).and_then(|batch| self.batches.get_mut(batch))
        else {
            return;
        };
        way.last = sending.to;
        let facts = vec![
            transaction(sending.hash),
            KeyValue::new("tidelock.reply", sending.reply),
        ];
        self.spans.extend(way.refs.iter().map(|reference| Span {
            reference: *reference,
            name: "sent",
            from: sending.from,
            to: sending.to,
            facts: facts.clone(),
            failure: sending.failed.then_some(sending.reply),
        }));
    }

    /// A block that may not be final shows what became of a batch.
    pub fn seen(&mut self, batch: &BatchId, block: BlockRef, at: SystemTime) {
        if let Some(way) = self.batches.get_mut(batch)
            && way.block.replace(block.hash) != Some(block.hash)
        {
            self.reach("seen", batch, at, &[height(block.number)], None);
        }
    }

    fn seal(
        &mut self,
        reader: &mut Reader,
        name: &'static str,
        batch: &Batch,
        refs: Vec<PaymentRef>,
        at: SystemTime,
    ) -> Result<(), StoreError> {
        let id = batch.id(&self.domain);
        let facts = [
            KeyValue::new("tidelock.batch", id.to_string()),
            KeyValue::new("tidelock.tier", i64::from(batch.tier.get())),
        ];
        for row in reader.rows_of(&refs)? {
            let reference = row.reference();
            let from = match self.back.remove(&reference) {
                Some(since) => since,
                None => self.taken_in.at(reader, row.arrival, at)?,
            };
            self.push(name, reference, (from, at), &facts, None);
        }
        self.batches.insert(id, Way::new(refs, at));
        Ok(())
    }

    fn sign(&mut self, nonce: u64, job: &Job, hash: B256, at: SystemTime) {
        let Some(batch) = job.batch() else {
            return;
        };
        self.attempts.insert(hash, batch);
        let does = match job {
            Job::Pay { .. } => "pay",
            Job::Propose { .. } => "propose",
            Job::Execute { .. } => "execute",
            Job::Void => "nothing",
        };
        let facts = [
            transaction(hash),
            KeyValue::new("tidelock.nonce", nonce.to_string()),
            KeyValue::new("tidelock.does", does),
        ];
        self.reach("signed", &batch, at, &facts, None);
    }

    fn revert(&mut self, hash: &B256, block: u64, at: SystemTime) {
        if let Some(batch) = self.attempts.get(hash).copied() {
            let facts = [transaction(*hash), height(block)];
            self.reach("reverted", &batch, at, &facts, Some("reverted"));
        }
    }

    fn pay(
        &mut self,
        reader: &mut Reader,
        batch: &BatchId,
        (first, mask): (PaymentNumber, U256),
        (block, at): (u64, SystemTime),
    ) -> Result<(), StoreError> {
        let paid = reader.arrivals_of(first, mask)?;
        let from = self.batches.get(batch).map_or(self.began, |way| way.last);
        for (reference, arrival) in &paid {
            self.push("final", *reference, (from, at), &[height(block)], None);
            self.whole(reader, "paid", *reference, *arrival, at)?;
        }
        if let Some(way) = self.batches.get_mut(batch) {
            let is_left = |known: &PaymentRef| paid.iter().all(|(reference, _)| reference != known);
            way.refs.retain(is_left);
            way.last = at;
            if way.refs.is_empty() {
                self.forget(batch);
            }
        }
        Ok(())
    }

    /// A batch can pay nothing any more: what is left of it is open again.
    fn bury(&mut self, batch: &BatchId, at: SystemTime) {
        self.reach(
            "left behind",
            batch,
            at,
            &[],
            Some("its batch cannot pay it"),
        );
        if let Some(way) = self.forget(batch) {
            self.back.extend(way.refs.iter().map(|known| (*known, at)));
        }
    }

    fn end(
        &mut self,
        reader: &mut Reader,
        outcome: &'static str,
        refs: &[PaymentRef],
        at: SystemTime,
    ) -> Result<(), StoreError> {
        for row in reader.rows_of(refs)? {
            self.whole(reader, outcome, row.reference(), row.arrival, at)?;
        }
        Ok(())
    }

    fn forget(&mut self, batch: &BatchId) -> Option<Way> {
        self.attempts.retain(|_, its| its != batch);
        self.batches.remove(batch)
    }

    // ── Spans ────────────────────────────────────────────────────────────────────────────────────────────────────

    /// What is left of a batch went through something.
    fn reach(
        &mut self,
        name: &'static str,
        batch: &BatchId,
        at: SystemTime,
        facts: &[KeyValue],
        failure: Option<&'static str>,
    ) {
        if let Some(way) = self.batches.get_mut(batch) {
            let from = std::mem::replace(&mut way.last, at);
            for reference in way.refs.clone() {
                self.push(name, reference, (from, at), facts, failure);
            }
        }
    }

    fn moment(
        &mut self,
        name: &'static str,
        known: PaymentRef,
        at: SystemTime,
        facts: &[KeyValue],
    ) {
        self.push(name, known, (at, at), facts, None);
    }

    /// All of a payment's way.
    fn whole(
        &mut self,
        reader: &mut Reader,
        outcome: &'static str,
        reference: PaymentRef,
        arrival: u64,
        at: SystemTime,
    ) -> Result<(), StoreError> {
        self.back.remove(&reference);
        let from = self.taken_in.at(reader, arrival, at)?;
        let outcome_is = [KeyValue::new("tidelock.outcome", outcome)];
        let failure = (outcome != "paid").then_some(outcome);
        self.push(PAYMENT, reference, (from, at), &outcome_is, failure);
        Ok(())
    }

    fn push(
        &mut self,
        name: &'static str,
        reference: PaymentRef,
        (from, to): (SystemTime, SystemTime),
        facts: &[KeyValue],
        failure: Option<&'static str>,
    ) {
        self.spans.push(Span {
            reference,
            name,
            from,
            to,
            facts: facts.to_vec(),
            failure,
        });
    }
}

impl Way {
    fn new(refs: Vec<PaymentRef>, last: SystemTime) -> Self {
        Self {
            refs,
            last,
            block: None,
        }
    }
}

fn transaction(hash: B256) -> KeyValue {
    KeyValue::new("tidelock.transaction", hash.to_string())
}

fn height(block: u64) -> KeyValue {
    KeyValue::new("tidelock.block", block.to_string())
}
