//! What the token takes for itself.

use std::fmt;

use alloy::primitives::U256;
use alloy_sol_types::sol;
use tidelock_core::{domain::Amount, event::BlockRef};

use super::{ChainError, RpcChain};

sol! {
    /// Of USDT on Ethereum: hundredths of a percent.
    function basisPointsRate() external view returns (uint256);
    /// Of USDT on Ethereum: the most that is taken of one transfer. [base units]
    function maximumFee() external view returns (uint256);
}

/// What is taken of each transfer: less arrives than the vault pays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenFee {
    /// Hundredths of a percent.
    pub basis_points: U256,
    /// At most, in tokens.
    pub most: String,
}

impl fmt::Display for TokenFee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, part) = self.basis_points.div_rem(U256::from(100));
        write!(
            f,
            "the token takes {whole}.{part:02} % of each transfer for itself, at most {}: so much less arrives than the vault pays",
            self.most
        )
    }
}

impl RpcChain {
    /// What the token takes; none if nothing, or if it does not tell.
    pub(super) async fn token_fee(
        &self,
        at: BlockRef,
        decimals: u8,
    ) -> Result<Option<TokenFee>, ChainError> {
        let token = self.parties.token;
        let rate = told(self.call(at.hash, token, basisPointsRateCall {}).await)?;
        let Some(basis_points) = rate.filter(|rate| !rate.is_zero()) else {
            return Ok(None);
        };
        let most = told(self.call(at.hash, token, maximumFeeCall {}).await)?;
        let most = most.and_then(|most| u128::try_from(most).ok());
        let most = most.map_or_else(
            || "any amount".to_owned(),
            |most| Amount(most).display(decimals),
        );
        Ok(Some(TokenFee { basis_points, most }))
    }
}

/// None if the token has no such function.
fn told(answer: Result<U256, ChainError>) -> Result<Option<U256>, ChainError> {
    match answer {
        Err(ChainError::Reverted { .. } | ChainError::Undecodable { .. }) => Ok(None),
        answer => answer.map(Some),
    }
}
