//! What the engine asks of the world, and what the world answers. An effect is asked again until its answer makes it
//! needless; none is stored.

use std::collections::BTreeSet;

use alloy_primitives::{B256, Bytes, Signature, U256};

use crate::{
    abi::{Fact, Revert},
    domain::{Amount, BatchId, Payment, PaymentNumber, TierIndex},
    event::BlockRef,
    observe::Polled,
    submit::Reply,
};

/// What is asked. At most one of each [`Key`] is under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// What came after `tip`, and what is final? Answer: [`Outcome::Polled`].
    Poll {
        /// The highest block known.
        tip: BlockRef,
    },
    /// What does the vault say at this block? Answer: [`Outcome::Looked`].
    Look {
        /// The block.
        at: BlockRef,
        /// Proposals to ask about.
        proposals: Vec<BatchId>,
    },
    /// What does the policy say of these payments? Answer: [`Outcome::Advised`], one advice for each, in order.
    Advise {
        /// The block.
        at: BlockRef,
        /// The payments.
        payments: Vec<Payment>,
    },
    /// What would this call of the vault by the keeper do? Answer: [`Outcome::Simulated`].
    Simulate {
        /// The block.
        at: BlockRef,
        /// Calldata.
        data: Bytes,
        /// Most gas it may use.
        gas_limit: u64,
        /// It may be made in any block up to this time; the gas it needs is that under the dearest rules by then. [seconds]
        until: u64,
    },
    /// What does a call of the vault by the keeper come to that reverted in this block, if it is made after it? Answer:
    /// [`Outcome::Simulated`].
    Replay {
        /// The transaction that reverted.
        hash: B256,
        /// The block that holds it.
        at: BlockRef,
        /// Calldata.
        data: Bytes,
        /// Most gas it could use.
        gas_limit: u64,
    },
    /// Which of these numbers has the vault paid at this final block, and what did it log of that since that height? Answer:
    /// [`Outcome::Recalled`].
    Recall {
        /// Where looking begins.
        first: u64,
        /// The block.
        at: BlockRef,
        /// The numbers.
        numbers: Vec<PaymentNumber>,
    },
    /// Sign 32 bytes with the keeper's key. Answer: [`Outcome::Signed`].
    Sign {
        /// The nonce that the signature is for.
        nonce: u64,
        /// What to sign.
        digest: B256,
        /// The bytes that the digest is the Keccak-256 hash of: some signers hash for themselves.
        preimage: Bytes,
    },
    /// Send a signed transaction. Answer: [`Outcome::Sent`].
    Send {
        /// Its hash.
        hash: B256,
        /// Its bytes.
        raw: Bytes,
    },
}

/// Which effect an answer belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// [`Effect::Poll`].
    Poll,
    /// [`Effect::Look`].
    Look,
    /// [`Effect::Advise`].
    Advise,
    /// [`Effect::Simulate`].
    Simulate,
    /// [`Effect::Replay`].
    Replay(B256),
    /// [`Effect::Recall`].
    Recall,
    /// [`Effect::Sign`].
    Sign(u64),
    /// [`Effect::Send`].
    Send(B256),
}

impl Effect {
    /// Whether it signs or sends: only a keeper that leads may.
    pub fn is_act(&self) -> bool {
        matches!(self, Self::Sign { .. } | Self::Send { .. })
    }

    /// Its key.
    pub fn key(&self) -> Key {
        match self {
            Self::Poll { .. } => Key::Poll,
            Self::Look { .. } => Key::Look,
            Self::Advise { .. } => Key::Advise,
            Self::Simulate { .. } => Key::Simulate,
            Self::Replay { hash, .. } => Key::Replay(*hash),
            Self::Recall { .. } => Key::Recall,
            Self::Sign { nonce, .. } => Key::Sign(*nonce),
            Self::Send { hash, .. } => Key::Send(*hash),
        }
    }
}

/// What came of an effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Of a poll.
    Polled(Polled),
    /// Of a look.
    Looked(Box<VaultLook>),
    /// Of a question for advice; one for each payment, in order.
    Advised(Vec<Advice>),
    /// Of a simulation.
    Simulated(Simulation),
    /// Of numbers that may be paid.
    Recalled(Recalled),
    /// Of a signature.
    Signed(Signature),
    /// Of a transaction that was sent.
    Sent(Reply),
    /// None: no answer came, or one that makes no sense. It is asked again later.
    Failed(String),
}

/// What became of numbers that may be paid.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Recalled {
    /// Those that the vault calls paid.
    pub paid: BTreeSet<PaymentNumber>,
    /// The vault's logs that pay them, as far as they are found: height, and [`Fact::Paid`] with its payments.
    pub facts: Vec<(u64, Fact)>,
}

/// The vault at one block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VaultLook {
    /// First second at which payments flow again; 0 or past if the vault is not frozen.
    pub halted_until: u64,
    /// What it holds of its token.
    pub balance: Amount,
    /// The release policy, tier 0 first.
    pub tiers: Vec<TierLook>,
    /// The proposals that were asked about.
    pub proposals: Vec<(BatchId, ProposalLook)>,
    /// First second without the keeper's role.
    pub keeper_until: u64,
    /// First second without the proposer's role.
    pub proposer_until: u64,
    /// What the keeper's key holds to pay for gas. [wei]
    pub gas_balance: U256,
    /// What a full batch pays beside gas; none if something is taken there, and the chain does not say how much. [wei]
    pub data_fee: Option<u128>,
}

/// A row of the release policy at one block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TierLook {
    /// Approvals it needs.
    pub approvals: u8,
    /// Delay after quorum. [seconds]
    pub delay: u32,
    /// Most that leaves in 24 hours.
    pub cap: Amount,
    /// What may still leave now.
    pub headroom: Amount,
}

impl TierLook {
    /// The keeper pays it at once.
    pub fn is_automatic(&self) -> bool {
        self.approvals == 0 && self.delay == 0
    }
}

/// Where a proposal stands at one block. The vault's own states.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProposalState {
    /// Never proposed, or not yet.
    None,
    /// Votes are short.
    Proposed,
    /// The clock runs.
    Queued,
    /// It may be executed.
    Ready,
    /// All of it is paid.
    Executed,
    /// Vetoed.
    Cancelled,
    /// Too old.
    Expired,
}

impl ProposalState {
    /// By the vault's number for it (contracts/src/types/VaultTypes.sol).
    pub fn numbered(number: u8) -> Option<Self> {
        Some(match number {
            0 => Self::None,
            1 => Self::Proposed,
            2 => Self::Queued,
            3 => Self::Ready,
            4 => Self::Executed,
            5 => Self::Cancelled,
            6 => Self::Expired,
            _ => return None,
        })
    }
}

/// What the vault says of one proposal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProposalLook {
    /// Where it stands.
    pub state: ProposalState,
    /// First second at which time alone may make it ready; 0 if votes are short.
    pub earliest: u64,
    /// Votes that count.
    pub votes: u8,
    /// Votes it needs.
    pub required: u8,
}

/// What the policy, the recipient book and the token say of one payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Advice {
    /// The lowest tier that takes it.
    Tier(TierIndex),
    /// The recipient is blocked in the vault's book.
    Blocked,
    /// Nobody can ever be paid there: the vault, or the token itself.
    Never,
    /// No tier takes that amount for a recipient of that standing.
    AboveLimit,
    /// The token would pay, and freeze what it paid.
    Blacklisted,
}

/// What a call would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Simulation {
    /// It would go through.
    Succeeds {
        /// What the function would return.
        returned: Bytes,
        /// Gas limit that it needs.
        gas: u64,
    },
    /// The vault would refuse it.
    Reverts(Revert),
}

/// Time of a clock that only ever moves on; used for waiting, never for money. [milliseconds]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Monotonic(pub u64);

impl Monotonic {
    /// That much later.
    pub fn after(self, milliseconds: u64) -> Self {
        Self(self.0.saturating_add(milliseconds))
    }
}
