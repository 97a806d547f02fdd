use core::fmt::Display;

use alloy_primitives::{B256, aliases::U24, keccak256};
use alloy_sol_types::{Eip712Domain, SolStruct, eip712_domain};
use serde::{Deserialize, Serialize};

use super::payment::{check_count, packed_items};
use super::{
    Address, Amount, BatchId, BlockTime, ChainId, DomainError, Payment, PaymentNumber, TierIndex,
    pack_payments,
};

/// The EIP-712 struct, named and ordered as the vault has it.
pub(super) mod typed {
    alloy_sol_types::sol! {
        struct Batch {
            uint64 firstNumber;
            uint16 count;
            uint8 tier;
            uint128 total;
            address recipient;
            uint40 expiresAt;
            bytes32 paymentsHash;
            bytes32 context;
        }

        struct Approval {
            address signer;
            uint24 epoch;
            Batch batch;
        }
    }
}

/// The vault that a batch is for; the same batch has another id under every other vault and chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct VaultDomain {
    /// The chain the vault is on.
    pub chain_id: ChainId,
    /// The vault's address.
    pub vault: Address,
}

impl VaultDomain {
    /// EIP-712 name of every vault.
    pub const NAME: &'static str = "Tidelock Vault";
    /// EIP-712 version of every vault.
    pub const VERSION: &'static str = "1";

    /// The EIP-712 domain separator.
    pub fn separator(&self) -> B256 {
        self.eip712().separator()
    }

    pub(super) fn eip712(&self) -> Eip712Domain {
        eip712_domain! {
            name: Self::NAME,
            version: Self::VERSION,
            chain_id: self.chain_id.0,
            verifying_contract: self.vault,
        }
    }
}

/// The header of a batch: an ordered list of 1 to 256 payments with consecutive numbers.
///
/// Plain data, as read from a call or a log. [`Batch::seal`] derives one from payments;
/// [`Batch::check`] tells whether one read elsewhere says what its payments say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Batch {
    /// Number of the first payment; payment `i` has number `first_number + i`.
    pub first_number: PaymentNumber,
    /// Payments in the batch.
    pub count: u16,
    /// Row of the release policy that the batch is paid under.
    pub tier: TierIndex,
    /// Sum of all amounts. [base units]
    pub total: Amount,
    /// The sole payee when `count` is 1, else zero.
    pub recipient: Address,
    /// First second at which nothing of the batch can be paid any more.
    pub expires_at: BlockTime,
    /// keccak256 of the packed payments.
    pub payments_hash: B256,
    /// Commitment to the off-chain policy decision and to the keeper's log head.
    pub context: B256,
}

impl Batch {
    /// The one header that is true of these payments.
    pub fn seal(
        first_number: PaymentNumber,
        tier: TierIndex,
        payments: &[Payment],
        expires_at: BlockTime,
        context: B256,
    ) -> Result<Self, DomainError> {
        Self::of_packed(
            first_number,
            tier,
            &pack_payments(payments),
            expires_at,
            context,
        )
    }

    /// The one header that is true of packed payments, whether or not each of them is valid: a batch on chain may name
    /// payments that the vault will not make.
    pub fn of_packed(
        first_number: PaymentNumber,
        tier: TierIndex,
        packed: &[u8],
        expires_at: BlockTime,
        context: B256,
    ) -> Result<Self, DomainError> {
        let items = packed_items(packed)?;
        let count = check_count(items.len())?;
        let last_offset = count.saturating_sub(1);
        if first_number.checked_add(last_offset).is_none() {
            return Err(DomainError::NumbersOverflow {
                first_number,
                count,
            });
        }
        let recipient = match items.as_slice() {
            [sole] => sole.recipient,
            _ => Address::ZERO,
        };
        Ok(Self {
            first_number,
            count,
            tier,
            // Cannot overflow: at most 256 amounts, each below 2^96.
            total: Amount(items.iter().map(|item| item.amount.0).sum()),
            recipient,
            expires_at,
            payments_hash: keccak256(packed),
            context,
        })
    }

    /// Refuses a header whose count, total, recipient or hash is not that of `payments`.
    pub fn check(&self, payments: &[Payment]) -> Result<(), DomainError> {
        let derived = Self::seal(
            self.first_number,
            self.tier,
            payments,
            self.expires_at,
            self.context,
        )?;
        same("count", self.count, derived.count)?;
        same("total", self.total, derived.total)?;
        same("recipient", self.recipient, derived.recipient)?;
        same("payments hash", self.payments_hash, derived.payments_hash)
    }

    /// The EIP-712 digest that signers approve and the vault recomputes.
    pub fn id(&self, domain: &VaultDomain) -> BatchId {
        BatchId(self.typed().eip712_signing_hash(&domain.eip712()))
    }

    /// The EIP-712 digest that a signer of that signer set signs to vote for it off chain. An epoch has 24 bits.
    pub fn vote_digest(&self, domain: &VaultDomain, signer: Address, epoch: u32) -> B256 {
        let [_, epoch @ ..] = epoch.to_be_bytes();
        let vote = typed::Approval {
            signer,
            epoch: U24::from_be_bytes(epoch),
            batch: self.typed(),
        };
        vote.eip712_signing_hash(&domain.eip712())
    }

    /// The EIP-712 struct hash: the id without its domain.
    pub fn struct_hash(&self) -> B256 {
        self.typed().eip712_hash_struct()
    }

    fn typed(&self) -> typed::Batch {
        typed::Batch {
            firstNumber: self.first_number.0,
            count: self.count,
            tier: self.tier.get(),
            total: self.total.0,
            recipient: self.recipient,
            expiresAt: self.expires_at.0,
            paymentsHash: self.payments_hash,
            context: self.context,
        }
    }
}

fn same<T: PartialEq + Display>(
    field: &'static str,
    header: T,
    payments: T,
) -> Result<(), DomainError> {
    if header == payments {
        return Ok(());
    }
    Err(DomainError::HeaderMismatch {
        field,
        header: header.to_string(),
        payments: payments.to_string(),
    })
}
