//! The token at its worst that matters to a keeper: it can be paused, refuse a recipient, or pay one whose funds freeze.

use std::collections::BTreeSet;

use alloy_primitives::{Address, Bytes};

/// The token, as far as the vault meets it.
#[derive(Debug, Clone, Default)]
pub struct Token {
    /// Its address.
    pub address: Address,
    /// What the vault holds. [base units]
    pub vault_balance: u128,
    /// Every transfer fails.
    pub paused: bool,
    /// Transfers to these fail.
    pub refused: BTreeSet<Address>,
    /// Transfers to these succeed, and what arrived is frozen.
    pub blacklisted: BTreeSet<Address>,
}

impl Token {
    /// Whether a transfer from the vault succeeds; if so it is made. The vault has checked its balance.
    pub fn transfer(&mut self, to: Address, amount: u128) -> bool {
        if self.paused || self.refused.contains(&to) {
            return false;
        }
        self.vault_balance -= amount;
        true
    }

    /// Somebody sends the vault tokens. [base units]
    pub fn deposit(&mut self, amount: u128) -> Result<(), Bytes> {
        refuse_if(self.paused)?;
        self.vault_balance += amount;
        Ok(())
    }

    /// The issuer pauses it, or lets it go on.
    pub fn pause(&mut self, paused: bool) -> Result<(), Bytes> {
        refuse_if(self.paused == paused)?;
        self.paused = paused;
        Ok(())
    }
}

/// The token reverts without a word.
fn refuse_if(refused: bool) -> Result<(), Bytes> {
    if refused { Err(Bytes::new()) } else { Ok(()) }
}
