use alloy_primitives::{U256, hex};
use alloy_sol_types::SolInterface;

use super::Vault;

/// Gas that a transfer must have had before the vault blames the token for its failure (`Vault.TRANSFER_GAS`).
pub const TRANSFER_GAS: u64 = 1_000_000;

/// Why the vault refuses a simulated call, as far as the keeper does something about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Revert {
    /// Nothing leaves now.
    Frozen,
    /// The tier's cap has no room for the batch now.
    CapExceeded,
    /// The vault holds too little.
    BalanceTooLow,
    /// One payment stands in the way of the others: it does not fit the tier.
    Payment {
        /// Its place in the batch.
        index: usize,
        /// In words.
        answer: String,
    },
    /// The transfer of one payment burns all the gas there is.
    BurnsGas {
        /// Its place in the batch.
        index: usize,
        /// In words.
        answer: String,
    },
    /// The call needs more gas than it may use.
    OutOfGas,
    /// The token refused every payment that was tried.
    NothingPaid,
    /// Everything is paid already.
    NothingToPay,
    /// The header has expired.
    Expired,
    /// The key lacks the role.
    NotEntitled,
    /// The proposal exists.
    AlreadyProposed,
    /// The proposal is in another state.
    WrongState,
    /// Anything else, in words.
    Other(String),
}

impl Revert {
    /// Reads revert data. Never fails: what is not an error of the vault is `Other`.
    pub fn read(data: &[u8]) -> Self {
        use Vault::VaultErrors as E;
        let Ok(error) = E::abi_decode(data) else {
            return Self::Other(format!("revert data 0x{}", hex::encode(data)));
        };
        let answer = format!("{error:?}");
        let at = |index| match usize::try_from(index) {
            Ok(index) => Self::Payment {
                index,
                answer: answer.clone(),
            },
            Err(_) => Self::Other(answer.clone()),
        };
        match &error {
            E::VaultFrozen(_) => Self::Frozen,
            E::VaultCapExceeded(_) => Self::CapExceeded,
            E::VaultBalanceTooLow(_) => Self::BalanceTooLow,
            E::VaultPaymentRefused(refused) => at(refused.index),
            E::VaultGasTooLow(low) if low.gasBefore < U256::from(TRANSFER_GAS) => Self::OutOfGas,
            E::VaultGasTooLow(low) => match at(low.index) {
                Self::Payment { index, answer } => Self::BurnsGas { index, answer },
                other => other,
            },
            E::VaultNothingPaid(_) => Self::NothingPaid,
            E::VaultNothingToPay(_) => Self::NothingToPay,
            E::VaultExpired(_) | E::VaultExpiryOutOfRange(_) => Self::Expired,
            E::VaultNotKeeper(_) | E::VaultNotExecutor(_) | E::VaultNotProposer(_) => {
                Self::NotEntitled
            }
            E::VaultAlreadyProposed(_) => Self::AlreadyProposed,
            E::VaultStateInvalid(_) => Self::WrongState,
            _ => Self::Other(answer),
        }
    }
}
