//! What the model is told of the world outside the vault: the tokens and the contract that signs, in plain data. They are
//! those of contracts/test/mocks.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{Address, B256, U256, address};
use alloy_sol_types::{SolCall, SolError, sol};
use tidelock_model::World;

sol! {
    #![sol(all_derives)]
    /// contracts/test/mocks/ModeToken.sol
    interface IModeToken {
        function mint(address to, uint256 amount) external;
        function setMode(uint8 next, address nextHook) external;
        function setRefuses(address recipient, bool yes) external;
        error ModeTokenPaused();
        error ModeTokenBlackListed();
        error ModeTokenRefused();
        error ERC20InsufficientBalance(address sender, uint256 balance, uint256 needed);
    }
    /// contracts/test/mocks/TrialSigner.sol
    interface ITrialSigner {
        function setMood(uint8 next) external;
    }
    /// contracts/test/mocks/Intruder.sol
    interface IIntruder {
        function setCall(address target, bytes data) external;
        function entered() external view returns (uint256);
    }
}

/// Modes of the token by number.
pub mod mode {
    /// The sender's hook is called first.
    pub const REENTER: u8 = 9;
    pub(super) const PAUSED: u8 = 3;
    pub(super) const BLACK_LISTED: u8 = 4;
    pub(super) const FEE_INSIDE: u8 = 5;
    pub(super) const FEE_ON_TOP: u8 = 6;
    pub(super) const SHORT: u8 = 7;
    pub(super) const NOTHING: u8 = 8;
}

const FEE_COLLECTOR: Address = address!("0000000000000000000000000000000000000fee");

/// One token.
#[derive(Debug, Clone, Default)]
struct Token {
    mode: u8,
    refuses: BTreeSet<Address>,
    balances: BTreeMap<Address, U256>,
}

impl Token {
    fn balance(&self, account: Address) -> U256 {
        self.balances.get(&account).copied().unwrap_or_default()
    }

    fn transfer(&mut self, from: Address, to: Address, amount: U256) -> Result<(), B256> {
        use IModeToken as Errors;
        match self.mode {
            mode::PAUSED => return Err(first_word(Errors::ModeTokenPaused {})),
            mode::BLACK_LISTED => return Err(first_word(Errors::ModeTokenBlackListed {})),
            _ if self.refuses.contains(&to) => {
                return Err(first_word(Errors::ModeTokenRefused {}));
            }
            _ => {}
        }
        let one = U256::from(1);
        match self.mode {
            mode::NOTHING => Ok(()),
            mode::FEE_INSIDE => {
                self.shift(from, FEE_COLLECTOR, one)?;
                self.shift(from, to, amount - one)
            }
            mode::FEE_ON_TOP => {
                self.shift(from, FEE_COLLECTOR, one)?;
                self.shift(from, to, amount)
            }
            mode::SHORT => self.shift(from, to, amount - one),
            _ => self.shift(from, to, amount),
        }
    }

    fn shift(&mut self, from: Address, to: Address, amount: U256) -> Result<(), B256> {
        let balance = self.balance(from);
        if balance < amount {
            return Err(first_word(IModeToken::ERC20InsufficientBalance {
                sender: from,
                balance,
                needed: amount,
            }));
        }
        self.balances.insert(from, balance - amount);
        let next = self.balance(to) + amount;
        self.balances.insert(to, next);
        Ok(())
    }
}

/// All that is outside.
#[derive(Debug, Clone, Default)]
pub struct Outside {
    tokens: BTreeMap<Address, Token>,
    /// Moods of contracts that sign.
    signers: BTreeMap<Address, u8>,
}

impl Outside {
    /// Adds a token without balances.
    pub fn add_token(&mut self, token: Address) {
        self.tokens.insert(token, Token::default());
    }

    /// Adds a contract that signs.
    pub fn add_signer(&mut self, signer: Address) {
        self.signers.insert(signer, 0);
    }

    /// A balance of a token that there is. [base units]
    pub fn balance_of(&self, token: Address, account: Address) -> U256 {
        self.tokens[&token].balance(account)
    }

    /// A call of anything but the vault; all of them succeed.
    pub fn apply(&mut self, to: Address, data: &[u8]) {
        if let Some(mood) = self.signers.get_mut(&to) {
            *mood = ITrialSigner::setMoodCall::abi_decode(data)
                .expect("a mood")
                .next;
            return;
        }
        let Some(token) = self.tokens.get_mut(&to) else {
            return;
        };
        if let Ok(mint) = IModeToken::mintCall::abi_decode(data) {
            let next = token.balance(mint.to) + mint.amount;
            token.balances.insert(mint.to, next);
        } else if let Ok(set) = IModeToken::setModeCall::abi_decode(data) {
            token.mode = set.next;
        } else if let Ok(set) = IModeToken::setRefusesCall::abi_decode(data) {
            if set.yes {
                token.refuses.insert(set.recipient);
            } else {
                token.refuses.remove(&set.recipient);
            }
        }
    }
}

impl World for Outside {
    fn balance(&self, token: Address, account: Address) -> Option<U256> {
        Some(self.tokens.get(&token)?.balance(account))
    }

    fn transfer(
        &mut self,
        token: Address,
        vault: Address,
        to: Address,
        amount: U256,
    ) -> Result<(), B256> {
        let before = &self.tokens[&token];
        let mut after = before.clone();
        after.transfer(vault, to, amount)?;
        self.tokens.insert(token, after);
        Ok(())
    }

    fn contract_signed(&self, signer: Address, digest: B256, signature: &[u8]) -> bool {
        self.signers.get(&signer) == Some(&0) && signature == digest.as_slice()
    }
}

/// The first 32 bytes of an error, padded with zeros.
fn first_word<E: SolError>(error: E) -> B256 {
    let mut encoded = error.abi_encode();
    encoded.resize(32.max(encoded.len()), 0);
    B256::from_slice(&encoded[..32])
}
