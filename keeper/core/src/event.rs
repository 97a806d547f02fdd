//! The log: the keeper's own decisions and the finalised facts it acted on. State is folded from it.

mod namespace;

use alloy_primitives::{Address, B256, Bytes, U256};
use serde::{Deserialize, Serialize};

use crate::domain::{Batch, BatchId, BlockTime, Payment, PaymentNumber, PaymentRef, VaultDomain};

pub use namespace::{InvalidNamespace, Namespace};

/// A block, by what identifies it. A number without a hash identifies nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct BlockRef {
    /// Height.
    pub number: u64,
    /// Hash.
    pub hash: B256,
    /// Timestamp.
    pub time: BlockTime,
}

/// How a batch reaches its payments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Route {
    /// `pay`: an automatic tier.
    Direct,
    /// `propose`, approvals, delay, `execute`.
    Proposal,
}

/// A request as it entered: its place in the queue and what it asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Counts requests from 1.
    pub arrival: u64,
    /// What is asked for.
    #[serde(flatten)]
    pub payment: Payment,
}

/// A payment and the number it was paid under.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct NumberedPayment {
    /// The number.
    pub number: PaymentNumber,
    /// The payment.
    #[serde(flatten)]
    pub payment: Payment,
}

/// What a slot's transaction does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Job {
    /// Pays an automatic batch.
    Pay {
        /// The batch.
        batch: BatchId,
    },
    /// Proposes a batch.
    Propose {
        /// The batch.
        batch: BatchId,
    },
    /// Executes an approved batch.
    Execute {
        /// The batch.
        batch: BatchId,
        /// Bit `i` set: payment `i` is not tried.
        skip: U256,
    },
    /// Uses the nonce up and does nothing: what the slot was for is settled.
    Void,
}

impl Job {
    /// The batch it is about.
    pub fn batch(&self) -> Option<BatchId> {
        match self {
            Self::Pay { batch } | Self::Propose { batch } | Self::Execute { batch, .. } => {
                Some(*batch)
            }
            Self::Void => None,
        }
    }
}

/// What a transaction offers for its gas. [wei per gas]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fees {
    /// Most it pays, tip included.
    #[serde(with = "crate::domain::decimal")]
    pub max_fee: u128,
    /// Most it tips.
    #[serde(with = "crate::domain::decimal")]
    pub tip: u128,
}

/// What a transaction cost its sender at most: its gas limit at the price in its block, and what was taken for data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cost {
    /// [wei]
    #[serde(with = "crate::domain::decimal")]
    pub wei: u128,
    /// Time of its block.
    pub time: BlockTime,
}

/// Why a payment is held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum HoldReason {
    /// The vault blocks the recipient.
    RecipientBlocked,
    /// No tier takes the amount for a recipient of that standing.
    AboveLimit,
    /// The token would pay, and freeze what it paid.
    TokenBlacklist,
    /// The token refuses this transfer, or it burns all gas.
    TokenRefuses,
    /// No batch that holds it can be simulated.
    CannotSimulate {
        /// The vault's answer, as selector and values in hexadecimal or in words.
        answer: String,
    },
    /// It came back unpaid too often.
    KeepsFailing,
    /// A guardian vetoed the batch it was in.
    Vetoed,
    /// Somebody else proposed the same ref under another number.
    ForeignProposal,
    /// The vault paid the ref already, for somebody else.
    PaidElsewhere {
        /// The number it was paid under.
        number: PaymentNumber,
    },
    /// An operator holds it.
    Operator {
        /// In the operator's words.
        note: String,
    },
}

/// Why a batch can pay nothing any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeathCause {
    /// Chain time passed its `expiresAt` at a finalised block.
    Expired,
    /// A guardian vetoed it.
    Vetoed,
    /// An automatic batch was mined and left payments behind.
    Leftover,
}

/// Whether the keeper sends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "mode", rename_all = "snake_case")]
pub enum Mode {
    /// It sends.
    Armed,
    /// It watches and sends nothing until an operator resumes.
    Halted {
        /// What happened.
        reason: HaltReason,
    },
}

/// What only a person may judge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "cause", rename_all = "snake_case")]
pub enum HaltReason {
    /// The chain shows another block at a height that was final.
    FinalityBroken {
        /// Height.
        number: u64,
        /// What was final.
        was: B256,
        /// What is there now.
        now: B256,
    },
    /// The key's nonce on chain is beyond every slot: another process has the key, or the database is old.
    ForeignNonce {
        /// On chain, at the finalised block.
        on_chain: u64,
        /// The next nonce that the log would reserve.
        next: u64,
    },
    /// Somebody else's transaction used up a nonce that the log had reserved: another process has the key.
    ForeignTransaction {
        /// The nonce.
        nonce: u64,
    },
    /// The vault paid a number of our namespace that the log never gave out, or another body under one of ours.
    ForeignNumber {
        /// The number.
        number: PaymentNumber,
    },
    /// A ref of ours was paid under a number that is not its own.
    ForeignRef {
        /// The ref.
        #[serde(rename = "ref")]
        reference: PaymentRef,
        /// The number it was paid under.
        number: PaymentNumber,
    },
    /// The log was opened for a key and a vault that had been in use. What an earlier log signed and never sent may still
    /// land; it cannot any more once a block of this time is final, and then the keeper goes on by itself.
    Restored {
        /// Chain time.
        until: BlockTime,
    },
    /// The same, and nobody has said yet that what the earlier log knew is restored: only an operator's word ends it, and until
    /// then nothing is sent, however long the wait is over.
    Reopened {
        /// Chain time that what the earlier log signed cannot outlast.
        until: BlockTime,
    },
    /// An operator stopped it.
    Operator {
        /// In the operator's words.
        note: String,
    },
}

/// What an operator asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Command {
    /// Hold a payment that is in no batch.
    Hold {
        /// Which.
        #[serde(rename = "ref")]
        reference: PaymentRef,
        /// Why.
        note: String,
    },
    /// Let a held payment go on.
    Release {
        /// Which.
        #[serde(rename = "ref")]
        reference: PaymentRef,
        /// Why.
        note: String,
    },
    /// Withdraw a payment that is in no batch, for good.
    Cancel {
        /// Which.
        #[serde(rename = "ref")]
        reference: PaymentRef,
        /// Why.
        note: String,
    },
    /// Send nothing from now on.
    Halt {
        /// Why.
        note: String,
    },
    /// Send again.
    Resume {
        /// Why.
        note: String,
    },
}

/// What the log was opened for. Only its key changes, by [`Event::KeyChanged`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opening {
    /// The vault.
    pub domain: VaultDomain,
    /// The key that sends now.
    pub keeper: Address,
    /// Its first nonce that is ours.
    pub first_nonce: u64,
    /// The numbers that are ours.
    pub namespace: Namespace,
    /// The finalised block that observing starts from.
    pub start: BlockRef,
}

/// One entry of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event {
    /// The first entry.
    LogOpened(Opening),
    /// Payments that the vault made before the log was opened, or for others, under refs that nobody asked us for.
    Recovered {
        /// Which, under which numbers.
        payments: Vec<NumberedPayment>,
    },
    /// Requests were taken in.
    RequestsAccepted {
        /// In order of arrival; those whose ref was known are left out.
        requests: Vec<Request>,
        /// Every arrival up to this one has been looked at.
        through: u64,
    },
    /// Payments are held; one that is in a batch, as soon as no batch can pay it.
    Held {
        /// Which.
        refs: Vec<PaymentRef>,
        /// Why.
        #[serde(flatten)]
        reason: HoldReason,
    },
    /// Payments may be batched.
    Released {
        /// Which.
        refs: Vec<PaymentRef>,
    },
    /// Payments were refused for good.
    Rejected {
        /// Which.
        refs: Vec<PaymentRef>,
    },
    /// An operator withdrew payments.
    Cancelled {
        /// Which.
        refs: Vec<PaymentRef>,
    },
    /// A batch's header is fixed. Its refs have their numbers from now on, for life.
    BatchSealed {
        /// The entry of the log that the header's `context` commits to.
        anchor: u64,
        /// The header.
        batch: Batch,
        /// The refs, in the order of their numbers.
        refs: Vec<PaymentRef>,
        /// How it is paid.
        route: Route,
    },
    /// A foreign proposal with new refs is taken over.
    Adopted {
        /// The header.
        batch: Batch,
        /// Its payments.
        payments: Vec<Payment>,
    },
    /// A foreign proposal is not taken over. What is asked for under one of its refs waits for a person.
    ForeignProposed {
        /// The header.
        batch: Batch,
        /// Its payments.
        payments: Vec<Payment>,
    },
    /// A nonce is taken, for a job.
    SlotReserved {
        /// The nonce.
        nonce: u64,
        /// What for.
        job: Job,
    },
    /// A transaction is signed. It may be sent from now on.
    AttemptSigned {
        /// The nonce.
        nonce: u64,
        /// What it does; may differ from what the slot was reserved for.
        job: Job,
        /// Its hash.
        hash: B256,
        /// Its bytes.
        raw: Bytes,
        /// What it offers.
        fees: Fees,
    },
    /// A finalised block used the nonce up.
    SlotConsumed {
        /// The nonce.
        nonce: u64,
        /// The attempt in that block; none if the transaction was foreign.
        by: Option<B256>,
        /// It reverted there: its gas is gone, and nothing was done.
        #[serde(default, skip_serializing_if = "core::ops::Not::not")]
        reverted: bool,
        /// Height.
        block: u64,
        /// What it cost at most; none in entries of before this was kept, and of a foreign transaction.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cost: Option<Cost>,
    },
    /// A finalised block holds the proposal.
    ProposalFinal {
        /// The batch.
        batch: BatchId,
        /// Height.
        block: u64,
    },
    /// A finalised block paid numbers.
    OutcomeFinal {
        /// The batch.
        batch: BatchId,
        /// Its first number.
        first_number: PaymentNumber,
        /// Bit `i` set: number `first_number + i` is paid.
        paid: U256,
        /// Height.
        block: u64,
    },
    /// A finalised block paid something else under our numbers: another key has the keeper's role.
    Displaced {
        /// Which payments can never be paid.
        refs: Vec<PaymentRef>,
        /// What was paid instead, under refs that nobody asked us for.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        by: Vec<Payment>,
        /// Height.
        block: u64,
    },
    /// A batch can pay nothing any more.
    BatchDied {
        /// The batch.
        batch: BatchId,
        /// Why.
        cause: DeathCause,
    },
    /// Everything up to this block has been taken in.
    FinalisedAdvanced {
        /// The block.
        block: BlockRef,
    },
    /// Somebody else paid something that is none of ours.
    ForeignSeen {
        /// The batch.
        batch: BatchId,
        /// Height.
        block: u64,
    },
    /// An operator's command was looked at.
    CommandTaken {
        /// Counts commands from 1.
        arrival: u64,
        /// What was asked for.
        command: Command,
        /// Why it was not done; none if it was, by the events that follow.
        refused: Option<String>,
    },
    /// Another key sends from now on. Every nonce of the one before is used up by a final block, so nothing that it signed can
    /// still be mined.
    KeyChanged {
        /// Its address.
        keeper: Address,
        /// Its first nonce that is ours.
        first_nonce: u64,
    },
    /// The keeper stops or starts sending.
    ModeChanged {
        /// From now on.
        #[serde(flatten)]
        mode: Mode,
    },
}

impl Command {
    /// The payment it is about.
    pub fn reference(&self) -> Option<PaymentRef> {
        match self {
            Self::Hold { reference, .. }
            | Self::Release { reference, .. }
            | Self::Cancel { reference, .. } => Some(*reference),
            Self::Halt { .. } | Self::Resume { .. } => None,
        }
    }
}

impl Event {
    /// The kind, as stored beside the body.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::LogOpened(_) => "log_opened",
            Self::Recovered { .. } => "recovered",
            Self::RequestsAccepted { .. } => "requests_accepted",
            Self::Held { .. } => "held",
            Self::Released { .. } => "released",
            Self::Rejected { .. } => "rejected",
            Self::Cancelled { .. } => "cancelled",
            Self::BatchSealed { .. } => "batch_sealed",
            Self::Adopted { .. } => "adopted",
            Self::ForeignProposed { .. } => "foreign_proposed",
            Self::SlotReserved { .. } => "slot_reserved",
            Self::AttemptSigned { .. } => "attempt_signed",
            Self::SlotConsumed { .. } => "slot_consumed",
            Self::ProposalFinal { .. } => "proposal_final",
            Self::OutcomeFinal { .. } => "outcome_final",
            Self::Displaced { .. } => "displaced",
            Self::BatchDied { .. } => "batch_died",
            Self::FinalisedAdvanced { .. } => "finalised_advanced",
            Self::ForeignSeen { .. } => "foreign_seen",
            Self::CommandTaken { .. } => "command_taken",
            Self::KeyChanged { .. } => "key_changed",
            Self::ModeChanged { .. } => "mode_changed",
        }
    }
}
