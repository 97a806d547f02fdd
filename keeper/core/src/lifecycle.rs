//! The four lifecycles: of a payment, a batch, a slot (a nonce) and an attempt (a signed transaction).
//!
//! A slot's outcome and a payment's outcome are separate facts: a nonce is used up by a block, a payment is made by the
//! vault's own log.

use serde::{Deserialize, Serialize};

use crate::machine::{Edge, Machine, edges};

/// Where a payment stands in the keeper.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentStatus {
    /// Accepted, not yet looked at.
    Requested,
    /// Waits for a person or for what held it to go away.
    Held,
    /// May be put into a batch.
    Open,
    /// In a batch that can still pay it.
    Sealed,
    /// Paid, by the word of a finalised block.
    Paid,
    /// Refused before it ever was in a batch.
    Rejected,
    /// Withdrawn by an operator.
    Cancelled,
    /// Something else was paid under its number: the vault will never pay it.
    Displaced,
}

/// What happens to a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PaymentStep {
    /// A request is accepted.
    Accept,
    /// A foreign proposal with refs of its own is taken over.
    Adopt,
    /// It is found in the vault's log when the keeper's log is opened.
    Recover,
    /// Something stands in its way.
    Hold,
    /// Nothing stands in its way.
    Release,
    /// It is put into a batch, under its number.
    Seal,
    /// A finalised block says that the vault paid it.
    Pay,
    /// No batch can pay it any more.
    Reopen,
    /// It can never be paid.
    Reject,
    /// An operator withdraws it.
    Cancel,
    /// A finalised block says that the vault paid something else under its number.
    Displace,
}

impl Machine for PaymentStatus {
    type Step = PaymentStep;

    const NAME: &'static str = "payment";
    const EDGES: &'static [Edge<Self>] = edges! {
        New --Accept--> Requested "its ref is new";
        New --Adopt--> Sealed "a foreign proposal with a new ref";
        New --Recover--> Paid "the vault had paid it before the log was opened";
        Requested --Hold--> Held "screening objects";
        Requested --Release--> Open "screening agrees";
        Requested --Reject--> Rejected "it can never be paid";
        Requested --Cancel--> Cancelled "an operator withdraws it";
        Held --Hold--> Held "for another reason";
        Held --Release--> Open "an operator releases it";
        Held --Cancel--> Cancelled "an operator withdraws it";
        Open --Hold--> Held "an operator, a simulation or screening objects";
        Open --Cancel--> Cancelled "an operator withdraws it";
        Open --Seal--> Sealed "a batch is cut";
        Sealed --Seal--> Sealed "sealed again under the same number";
        Sealed --Pay--> Paid "a finalised block says so";
        Sealed --Reopen--> Open "no batch can pay it any more";
        Open --Pay--> Paid "somebody else sent a batch that had been given up";
        Held --Pay--> Paid "somebody else sent a batch that had been given up";
        Sealed --Displace--> Displaced "another key used its number for something else";
        Open --Displace--> Displaced "another key used its number for something else";
        Held --Displace--> Displaced "another key used its number for something else";
    };
}

impl PaymentStatus {
    /// Nothing can happen to it any more.
    pub fn is_final(self) -> bool {
        matches!(
            self,
            Self::Paid | Self::Rejected | Self::Cancelled | Self::Displaced
        )
    }
}

/// Where a batch stands in the keeper.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BatchStatus {
    /// Its header is fixed and durable.
    Sealed,
    /// The vault knows it as a proposal; signers and time decide.
    Proposed,
    /// Somebody else's proposal that is none of the keeper's business, but that signers may still let pay.
    Foreign,
    /// Every payment of it is paid.
    Final,
    /// It can pay nothing any more.
    Dead,
}

/// What happens to a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BatchStep {
    /// It is cut from open payments.
    Seal,
    /// A foreign proposal is taken over.
    Adopt,
    /// A foreign proposal is not taken over.
    Notice,
    /// A finalised block holds its proposal.
    ProposalFinal,
    /// Finalised blocks paid all of it.
    Complete,
    /// It expired, was vetoed, or left payments behind that it cannot pay.
    Die,
}

impl Machine for BatchStatus {
    type Step = BatchStep;

    const NAME: &'static str = "batch";
    const EDGES: &'static [Edge<Self>] = edges! {
        New --Seal--> Sealed "open payments fill it, or have waited long enough";
        New --Adopt--> Proposed "a foreign proposal with new refs";
        New --Notice--> Foreign "a foreign proposal with a ref or number that is known";
        Sealed --ProposalFinal--> Proposed "a finalised block holds the proposal";
        Sealed --Complete--> Final "every payment is paid";
        Sealed --Die--> Dead "expired, or what is left cannot be paid by it";
        Proposed --Complete--> Final "every payment is paid";
        Proposed --Die--> Dead "expired or vetoed";
        Foreign --Die--> Dead "expired or vetoed";
    };
}

impl BatchStatus {
    /// Something may still happen to it.
    pub fn is_open(self) -> bool {
        self.is_live() || self == Self::Foreign
    }

    /// It may still pay something of ours.
    pub fn is_live(self) -> bool {
        matches!(self, Self::Sealed | Self::Proposed)
    }
}

/// Where a slot, one nonce of one key, stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SlotStatus {
    /// The nonce is ours to use; nothing is signed with it.
    Reserved,
    /// At least one transaction with this nonce is signed.
    Occupied,
    /// A finalised block has used the nonce up.
    Consumed,
}

/// What happens to a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SlotStep {
    /// The next nonce is taken.
    Reserve,
    /// A transaction with this nonce is signed and stored.
    Sign,
    /// A finalised block holds a transaction with this nonce.
    Consume,
}

impl Machine for SlotStatus {
    type Step = SlotStep;

    const NAME: &'static str = "slot";
    const EDGES: &'static [Edge<Self>] = edges! {
        New --Reserve--> Reserved "a job needs a transaction";
        Reserved --Sign--> Occupied "the first attempt is stored";
        Reserved --Consume--> Consumed "a foreign transaction took the nonce";
        Occupied --Sign--> Occupied "a replacement is stored";
        Occupied --Consume--> Consumed "a finalised block holds one of the attempts, or a foreign transaction";
    };
}

/// Where an attempt, one signed transaction, stands. Whether it is pooled or included is the chain's to say, and not
/// stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttemptStatus {
    /// Durable; may be sent, any number of times.
    Signed,
    /// A finalised block holds it.
    Consumed,
    /// A finalised block holds another transaction with its nonce.
    Superseded,
}

/// What happens to an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttemptStep {
    /// Its bytes and hash are stored.
    Sign,
    /// A finalised block holds it.
    Consume,
    /// A finalised block holds another with its nonce.
    Supersede,
}

impl Machine for AttemptStatus {
    type Step = AttemptStep;

    const NAME: &'static str = "attempt";
    const EDGES: &'static [Edge<Self>] = edges! {
        New --Sign--> Signed "its bytes are durable";
        Signed --Consume--> Consumed "a finalised block holds it";
        Signed --Supersede--> Superseded "a finalised block holds another with its nonce";
    };
}
