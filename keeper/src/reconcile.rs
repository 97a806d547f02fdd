//! The log against the chain: what each says was paid, number by number.

use std::collections::{BTreeMap, BTreeSet};

use alloy::primitives::{B256, U256};
use serde::Serialize;
use tidelock_core::{
    abi::Fact,
    domain::{BatchId, PackedItem, Payment, PaymentNumber, PaymentRef},
    event::{BlockRef, Opening},
    lifecycle::PaymentStatus,
    state::PaymentRow,
};

use crate::chain::{ChainError, Nodes, RpcChain};

/// Where log and chain say different things.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(tag = "difference", rename_all = "snake_case")]
pub enum Difference {
    /// The chain shows another block where the log has gone on from.
    #[error("block {number}: the log took in {log} as final, the chain has {chain}")]
    Checkpoint {
        /// Height.
        number: u64,
        /// In the log.
        log: B256,
        /// On chain.
        chain: B256,
    },
    /// The log says paid, the vault does not.
    #[error("number {number}, ref {reference}: paid says the log, the vault has not paid it")]
    NotPaid {
        /// The number.
        number: PaymentNumber,
        /// The ref.
        #[serde(rename = "ref")]
        reference: PaymentRef,
    },
    /// The log says paid under one of its own numbers, and no log of the vault pays it.
    #[error("number {number}, ref {reference}: paid says the log, no log of the vault pays it")]
    NoLog {
        /// The number.
        number: PaymentNumber,
        /// The ref.
        #[serde(rename = "ref")]
        reference: PaymentRef,
    },
    /// The log says that something else was paid under the number, and the vault paid nothing else under it.
    #[error(
        "number {number}, ref {reference}: displaced says the log, the vault paid nothing else under it"
    )]
    NotDisplaced {
        /// The number.
        number: PaymentNumber,
        /// The ref.
        #[serde(rename = "ref")]
        reference: PaymentRef,
    },
    /// The vault paid in a block that the log has taken in, and the log says otherwise.
    #[error("number {number}, ref {reference}: paid in block {block}, the log says {status:?}")]
    Missed {
        /// The number.
        number: PaymentNumber,
        /// The ref.
        #[serde(rename = "ref")]
        reference: PaymentRef,
        /// Height.
        block: u64,
        /// What the log says.
        #[serde(serialize_with = "in_words")]
        status: PaymentStatus,
    },
    /// Somebody else, another amount or another ref was paid under the number.
    #[error("number {number}: the log has {log}, the vault paid {chain}")]
    OtherBody {
        /// The number.
        number: PaymentNumber,
        /// In the log.
        log: String,
        /// On chain.
        chain: String,
    },
    /// The vault paid a number of the log's namespace that the log never gave out.
    #[error("number {number}: paid in block {block}; it is of this log, which never gave it out")]
    UnknownNumber {
        /// The number.
        number: PaymentNumber,
        /// Height.
        block: u64,
    },
    /// A ref of the log was paid under a number that is not its own.
    #[error("ref {reference}: paid under {number}, which is not its number")]
    OtherNumber {
        /// The ref.
        #[serde(rename = "ref")]
        reference: PaymentRef,
        /// The number it was paid under.
        number: PaymentNumber,
    },
    /// The vault executed a proposal that its logs do not have.
    #[error("batch {batch}: executed in block {block}, and the vault's logs have no such proposal")]
    NoProposal {
        /// The batch.
        batch: BatchId,
        /// Height.
        block: u64,
    },
}

fn in_words<S: serde::Serializer>(
    status: &PaymentStatus,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{status:?}"))
}

/// What was compared, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Payments in the log.
    pub payments: u64,
    /// Of these, paid by both.
    pub paid: u64,
    /// Of these, displaced by something else that the vault paid under their numbers.
    pub displaced: u64,
    /// Payments of others in the vault's logs.
    pub foreign: u64,
    /// The last block that was compared.
    pub through: BlockRef,
    /// What differs.
    pub differences: Vec<Difference>,
}

#[derive(Debug, Clone, Copy)]
struct Paid {
    item: PackedItem,
    block: u64,
}

/// A comparison under way: first the chain is read, then every payment of the log is taken in, then it is finished.
#[derive(Debug)]
pub struct Reconciliation<'a> {
    nodes: &'a Nodes,
    opening: Opening,
    /// Where the log stood before any of its payments was read.
    checkpoint: BlockRef,
    /// Logs are read up to this block.
    through: BlockRef,
    proposals: BTreeMap<BatchId, Vec<Payment>>,
    paid: BTreeMap<PaymentNumber, Paid>,
    /// Numbers of the log.
    known: BTreeSet<PaymentNumber>,
    refs: BTreeMap<PaymentRef, Option<PaymentNumber>>,
    /// Paid says the log: numbers whose logs may be of blocks not read yet.
    claimed: BTreeMap<PaymentNumber, Payment>,
    /// Displaced says the log, likewise.
    displaced: BTreeMap<PaymentNumber, Payment>,
    report: Report,
}

impl<'a> Reconciliation<'a> {
    /// Reads the chain, from where the log was opened to the block that is final now. `checkpoint` is where the log stands.
    pub async fn start(
        nodes: &'a Nodes,
        opening: Opening,
        checkpoint: BlockRef,
    ) -> Result<Self, ChainError> {
        let mut this = Self {
            nodes,
            opening,
            checkpoint,
            through: opening.start,
            proposals: BTreeMap::new(),
            paid: BTreeMap::new(),
            known: BTreeSet::new(),
            refs: BTreeMap::new(),
            claimed: BTreeMap::new(),
            displaced: BTreeMap::new(),
            report: Report {
                payments: 0,
                paid: 0,
                displaced: 0,
                foreign: 0,
                through: opening.start,
                differences: Vec::new(),
            },
        };
        this.read_on().await?;
        if this.through.number < checkpoint.number {
            return Err(ChainError::MissingBlock {
                asked: format!("{} (final, says the log)", checkpoint.number),
                head: format!("{} (final)", this.through.number),
            });
        }
        let now = nodes.block_numbered(checkpoint.number).await?;
        if now.hash != checkpoint.hash {
            this.differs(Difference::Checkpoint {
                number: checkpoint.number,
                log: checkpoint.hash,
                chain: now.hash,
            });
        }
        Ok(this)
    }

    /// Reads the vault's logs on to the block that is final now.
    async fn read_on(&mut self) -> Result<(), ChainError> {
        let last = self.nodes.finalised().await?;
        if last.number <= self.through.number {
            return Ok(());
        }
        let first = self.through.number.saturating_add(1);
        for (block, fact) in self.nodes.history(first, last).await? {
            self.read(block, fact).await?;
        }
        self.through = last;
        Ok(())
    }

    async fn read(&mut self, block: u64, fact: Fact) -> Result<(), ChainError> {
        match fact {
            Fact::Proposed { id, payments, .. } => {
                self.proposals.insert(id, payments);
            }
            Fact::Paid {
                id,
                first_number,
                paid,
                items,
            } => {
                let items = match items {
                    Some(items) => items,
                    None => self.proposed(id, block).await?,
                };
                self.pay(block, first_number, paid, &items);
            }
            _ => {}
        }
        Ok(())
    }

    /// The payments of a proposal; one that was made before the log was opened is looked for.
    async fn proposed(&mut self, id: BatchId, block: u64) -> Result<Vec<PackedItem>, ChainError> {
        let payments = match self.proposals.get(&id) {
            Some(payments) => payments.clone(),
            None => {
                let ask = async |chain: &RpcChain| chain.find_proposal(id, 0).await;
                match self.nodes.agree("proposal", ask).await? {
                    Some(found) => found.payments,
                    None => {
                        self.differs(Difference::NoProposal { batch: id, block });
                        Vec::new()
                    }
                }
            }
        };
        let items = payments.iter().map(|payment| PackedItem {
            recipient: payment.recipient(),
            amount: payment.amount(),
            reference: payment.reference(),
        });
        Ok(items.collect())
    }

    fn pay(&mut self, block: u64, first: PaymentNumber, mask: U256, items: &[PackedItem]) {
        for (offset, item) in (0_u16..).zip(items) {
            let number = first.checked_add(offset);
            if let (true, Some(number)) = (mask.bit(usize::from(offset)), number) {
                self.paid.insert(number, Paid { item: *item, block });
            }
        }
    }

    fn differs(&mut self, difference: Difference) {
        self.report.differences.push(difference);
    }

    /// Takes one payment of the log in.
    pub fn take(&mut self, row: PaymentRow) {
        self.report.payments = self.report.payments.saturating_add(1);
        self.refs.insert(row.reference(), row.number);
        let Some(number) = row.number else {
            return;
        };
        self.known.insert(number);
        if row.status == PaymentStatus::Paid {
            self.claimed.insert(number, row.payment);
        } else if row.status == PaymentStatus::Displaced {
            self.displaced.insert(number, row.payment);
        } else if let Some(paid) = self.paid.get(&number).copied() {
            self.compare_body(number, &row.payment, &paid.item);
            // A later block may be on its way into the log.
            if paid.block <= self.checkpoint.number {
                self.differs(Difference::Missed {
                    number,
                    reference: row.reference(),
                    block: paid.block,
                    status: row.status,
                });
            }
        }
    }

    fn compare_body(&mut self, number: PaymentNumber, log: &Payment, chain: &PackedItem) {
        if !is_same(log, chain) {
            self.differs(Difference::OtherBody {
                number,
                log: body(log.recipient(), log.amount().0, log.reference()),
                chain: body(chain.recipient, chain.amount.0, chain.reference),
            });
        }
    }

    /// Compares what is left once every payment of the log was taken in.
    pub async fn finish(mut self) -> Result<Report, ChainError> {
        self.read_on().await?; // the log may have gone on while it was read
        let claimed = std::mem::take(&mut self.claimed);
        let numbers: Vec<PaymentNumber> = claimed.keys().copied().collect();
        let settled = self.nodes.paid_among(self.through, &numbers).await?;
        for (number, payment) in &claimed {
            self.compare_claim(*number, payment, settled.contains(number));
        }
        for (number, payment) in std::mem::take(&mut self.displaced) {
            self.compare_displaced(number, &payment);
        }
        let paid = std::mem::take(&mut self.paid);
        for (number, Paid { item, block }) in paid {
            self.compare_paid(number, &item, block);
        }
        self.report.through = self.through;
        Ok(self.report)
    }

    /// A payment that the log calls displaced.
    fn compare_displaced(&mut self, number: PaymentNumber, payment: &Payment) {
        let reference = payment.reference();
        let paid = self.paid.get(&number);
        if paid.is_some_and(|paid| !is_same(payment, &paid.item)) {
            self.report.displaced = self.report.displaced.saturating_add(1);
        } else {
            self.differs(Difference::NotDisplaced { number, reference });
        }
    }

    /// A payment that the log calls paid.
    fn compare_claim(&mut self, number: PaymentNumber, payment: &Payment, is_paid: bool) {
        let reference = payment.reference();
        if is_paid {
            self.report.paid = self.report.paid.saturating_add(1);
        } else {
            self.differs(Difference::NotPaid { number, reference });
        }
        match self.paid.get(&number).copied() {
            Some(paid) => self.compare_body(number, payment, &paid.item),
            None if self.is_ours(number) => self.differs(Difference::NoLog { number, reference }),
            None => {} // paid before this log was opened
        }
    }

    /// A payment that the vault made.
    fn compare_paid(&mut self, number: PaymentNumber, item: &PackedItem, block: u64) {
        if self.known.contains(&number) {
            return; // compared already
        }
        self.report.foreign = self.report.foreign.saturating_add(1);
        if block > self.checkpoint.number {
            return; // may be on its way into the log
        }
        if self.is_ours(number) {
            self.differs(Difference::UnknownNumber { number, block });
        }
        let reference = item.reference;
        if self.refs.contains_key(&reference) {
            self.differs(Difference::OtherNumber { reference, number });
        }
    }

    fn is_ours(&self, number: PaymentNumber) -> bool {
        self.opening.namespace.counter_of(number).is_some()
    }
}

fn is_same(log: &Payment, chain: &PackedItem) -> bool {
    log.recipient() == chain.recipient
        && log.amount() == chain.amount
        && log.reference() == chain.reference
}

fn body(recipient: alloy::primitives::Address, amount: u128, reference: PaymentRef) -> String {
    format!("{amount} base units to {recipient}, ref {reference}")
}
