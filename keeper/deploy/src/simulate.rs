//! The truth about a configuration before anything is spent: the node runs the vault's constructor and says what comes of it.

use alloy_primitives::{Address, B256, Bytes, hex};
use alloy_sol_types::{SolInterface, SolValue, sol};

use crate::{
    DeployError, Deployment, NodeError, Standing, Vault, VaultFactory,
    address::{create_call, vault_creation},
    chain::Chain,
};

sol! {
    /// What is asked of the token.
    interface Token {
        function decimals() external view returns (uint256);
    }
}

/// Longest creation that chains with EIP-3860 take. [bytes]
pub const MAX_CREATION: usize = 49_152;

/// What a known recipient adds to it: one word of the ABI. [bytes]
const KNOWN_SIZE: usize = 32;

/// What the simulation came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Simulated {
    /// What is on the chain already.
    pub standing: Standing,
    /// Hash of the code that the creation leaves, immutables masked; none if the vault is there already.
    pub code: Option<B256>,
}

impl Deployment {
    /// Runs the creation on the node without sending anything.
    pub async fn simulate(&self, chain: Chain<'_>) -> Result<Simulated, DeployError> {
        let standing = self.standing(chain).await?;
        self.check_token(chain).await?;
        if standing.vault {
            return Ok(Simulated {
                standing,
                code: None,
            });
        }
        self.check_size()?;
        let creation = vault_creation(&self.release, &self.policy.configuration);
        let code = self.simulated(chain.call(None, None, &creation).await);
        let code = match code {
            Err(DeployError::Node(refused @ NodeError::Refused { .. })) => {
                let limit = chain.block("latest").await?.gas_limit;
                return Err(DeployError::Simulation(format!(
                    "the node does not run the creation ({refused}); it takes millions of gas, and a block of this chain holds {limit}"
                )));
            }
            other => other?,
        };
        let found = self.release.vault.masked_hash_of(&code);
        let expected = self.release.vault.masked_hash();
        if found != expected {
            return Err(DeployError::Simulation(format!(
                "the creation leaves code with the hash {found}, and must leave {expected}"
            )));
        }
        if standing.factory {
            self.check_factory(chain).await?;
        }
        Ok(Simulated {
            standing,
            code: Some(found),
        })
    }

    /// Code and configuration fit the creation that chains take.
    pub fn check_size(&self) -> Result<(), DeployError> {
        let (size, most) = (self.creation_size(), MAX_CREATION);
        let above = size.saturating_sub(most);
        if above == 0 {
            return Ok(());
        }
        let fewer = above.div_ceil(KNOWN_SIZE);
        Err(DeployError::TooLong { size, most, fewer })
    }

    /// The factory answers the very address that was worked out here.
    async fn check_factory(&self, chain: Chain<'_>) -> Result<(), DeployError> {
        let call = create_call(&self.release, &self.policy.configuration);
        let answer = chain.call(None, Some(self.at.factory), &call).await;
        let answer = self.simulated(answer)?;
        let made = Address::abi_decode(&answer)
            .map_err(|error| DeployError::Simulation(format!("the factory's answer: {error}")))?;
        if made != self.at.vault {
            return Err(DeployError::Simulation(format!(
                "the factory would create {made}, and must create {}",
                self.at.vault
            )));
        }
        Ok(())
    }

    /// The token is there and counts as the policy says.
    async fn check_token(&self, chain: Chain<'_>) -> Result<(), DeployError> {
        let token = self.policy.configuration.token;
        if chain.code(token).await?.is_empty() {
            return Err(DeployError::NoToken(token));
        }
        let found = chain.read(token, &Token::decimalsCall {}).await;
        let found = found.map_err(|error| match error {
            DeployError::Node(
                refused @ (NodeError::Refused { .. } | NodeError::Malformed { .. }),
            ) => DeployError::NotAToken {
                token,
                reason: refused.to_string(),
            },
            other => other,
        })?;
        let stated = self.policy.decimals;
        let found: u8 = found.try_into().unwrap_or(u8::MAX);
        if found != stated {
            return Err(DeployError::Decimals {
                stated,
                found,
                token,
            });
        }
        Ok(())
    }

    fn simulated(&self, answer: Result<Bytes, DeployError>) -> Result<Bytes, DeployError> {
        answer.map_err(|error| match error {
            DeployError::Node(NodeError::Refused {
                data: Some(data), ..
            }) if !data.is_empty() => DeployError::Refused(revert_words(&data)),
            other => other,
        })
    }
}

/// Names of the fields that the vault's rules speak of, in the order of the contract's enum.
const FIELDS: [&str; 17] = [
    "unit",
    "hard ceiling",
    "policy delay floor",
    "policy delay",
    "number of signers",
    "epoch",
    "threshold",
    "number of tiers",
    "max_known",
    "max_unknown",
    "cap",
    "sum of caps",
    "approvals",
    "delay",
    "number of guardians",
    "end of a role",
    "number of recipients",
];

/// Revert data in words: the vault's error with its values, or hexadecimal.
pub fn revert_words(data: &[u8]) -> String {
    let field = |number: u8| {
        FIELDS
            .get(usize::from(number))
            .copied()
            .unwrap_or("a field")
    };
    match Vault::VaultErrors::abi_decode(data) {
        Ok(Vault::VaultErrors::PolicyOutOfRange(e)) => format!(
            "{} (row {}) is {}, and must be {} to {}",
            field(e.field),
            e.index,
            e.value,
            e.least,
            e.most
        ),
        Ok(Vault::VaultErrors::PolicyNotMultipleOfUnit(e)) => format!(
            "{} (row {}) is {}, and must be a whole multiple of the unit {}",
            field(e.field),
            e.index,
            e.value,
            e.unit
        ),
        Ok(error) => format!("{error:?}"),
        Err(_) => VaultFactory::VaultFactoryErrors::abi_decode(data).map_or_else(
            |_| format!("revert data 0x{}", hex::encode(data)),
            |error| format!("{error:?}"),
        ),
    }
}
