//! What is known of a chain beyond what its nodes tell: the defaults of the configuration, and what `keeper check` holds a
//! node to. The data and its sources are in keeper/profiles; nothing else in the keeper knows one chain from another.

use std::collections::BTreeMap;

use figment::Figment;
use serde::Deserialize;
use tidelock_core::{
    domain::{Address, ChainId},
    settings::TransactionGas,
};
use tidelock_deploy::Toml;

use crate::chain::{BlockChecks, DataFee};

/// Each profile, by its file.
const FILES: &[(&str, &str)] = &[
    ("ethereum", include_str!("../profiles/ethereum.toml")),
    ("sepolia", include_str!("../profiles/sepolia.toml")),
    ("bsc", include_str!("../profiles/bsc.toml")),
    ("arbitrum", include_str!("../profiles/arbitrum.toml")),
    ("optimism", include_str!("../profiles/optimism.toml")),
    ("base", include_str!("../profiles/base.toml")),
    ("polygon", include_str!("../profiles/polygon.toml")),
    ("avalanche", include_str!("../profiles/avalanche.toml")),
    (
        "polkadot-hub",
        include_str!("../profiles/polkadot-hub.toml"),
    ),
    ("dev", include_str!("../profiles/dev.toml")),
];
const UNKNOWN: &str = include_str!("../profiles/unknown.toml");
const REFUSED: &str = include_str!("../profiles/refused.toml");

/// How long a transaction that no block holds waits before it is sent again, and before it is replaced. [milliseconds]
const REBROADCAST_MS: u64 = 20_000;
const REPLACE_MS: u64 = 12_000;
/// And how many blocks at least.
const REBROADCAST_BLOCKS: u64 = 5;
const REPLACE_BLOCKS: u64 = 3;

/// What is known of a chain.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Which chain (EIP-155).
    pub chain_id: u64,
    /// What people call it.
    pub name: String,
    /// Symbol of the coin that pays for gas.
    pub coin: String,
    /// Usual time between blocks, if it has one. [milliseconds]
    pub block_time_ms: Option<u64>,
    /// Which of its nodes were run here, and which answers are recorded. For people.
    pub tried: Option<String>,
    /// When a block is final.
    pub finality: Finality,
    /// What of a node's word can be checked.
    pub checks: Checks,
    transaction_gas: Gas,
    /// What gas costs.
    pub fees: Fees,
    /// What its nodes do.
    #[serde(default)]
    pub nodes: Nodes,
    /// The usual USDT.
    pub usdt: Option<Usdt>,
    /// Where each section is from.
    pub sources: BTreeMap<String, Vec<String>>,
}

/// When a block is final: when the node's tag `finalized` names it or one after it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finality {
    /// Usual time until then. [seconds]
    pub final_after_s: Option<u64>,
    /// For people.
    pub note: Option<String>,
}

/// What of a node's word can be checked.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checks {
    /// What of a block can be computed again.
    pub blocks: BlockChecks,
    /// Nodes can prove what they say of the state (`eth_getProof`).
    pub proofs: bool,
    /// For people.
    pub note: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Gas {
    osaka: u64,
    /// None where it is not known that Amsterdam's rules come.
    amsterdam: Option<u64>,
    note: Option<String>,
}

/// What gas costs.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fees {
    /// How its price is made.
    pub market: Market,
    /// Least tip that is offered. [gwei]
    pub min_tip_gwei: String,
    /// Most. [gwei]
    pub max_tip_gwei: String,
    /// Most that is paid for gas, tip included. [gwei]
    pub max_fee_gwei: String,
    /// What is paid beside gas.
    #[serde(default)]
    pub data: DataFee,
    /// For people.
    pub note: Option<String>,
}

/// How the price of gas is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Market {
    /// EIP-1559.
    BaseFee,
    /// EIP-1559 with a base fee of 0: the tip is all there is.
    BaseFeeZero,
    /// The chain sets it; tips do not matter.
    Fixed,
}

/// What a chain's nodes do.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nodes {
    /// They announce again what no block holds; none if that is not known. The keeper counts on it nowhere.
    pub rebroadcast: Option<bool>,
    /// For people.
    pub note: Option<String>,
}

/// The usual USDT of a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Usdt {
    /// The token.
    pub address: Address,
    /// Its decimals.
    pub decimals: u8,
}

/// Why there is no profile.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProfileError {
    /// A vault must not be on that chain.
    #[error("{name} is refused: {reason}")]
    Refused {
        /// What people call the chain.
        name: String,
        /// Why.
        reason: String,
    },
    /// The program was built with a file that is none.
    #[error("keeper/profiles/{file}.toml: {reason}")]
    Malformed {
        /// Which.
        file: &'static str,
        /// Why.
        reason: String,
    },
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RefusedChains {
    chain: Vec<RefusedChain>,
}

/// A chain that no vault may be on.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RefusedChain {
    /// Which chain (EIP-155).
    pub chain_id: u64,
    /// What people call it.
    pub name: String,
    /// Why.
    pub reason: String,
    /// Where that is from.
    pub sources: Vec<String>,
}

fn read<'a, T: Deserialize<'a>>(file: &'static str, text: &str) -> Result<T, ProfileError> {
    let figment = Figment::from(Toml(text));
    figment.extract().map_err(|error| ProfileError::Malformed {
        file,
        reason: error.to_string(),
    })
}

impl Profile {
    /// All of them.
    pub fn all() -> Result<Vec<Self>, ProfileError> {
        let files = FILES.iter();
        files.map(|(file, text)| read(file, text)).collect()
    }

    /// Chains that no vault may be on.
    pub fn refused() -> Result<Vec<RefusedChain>, ProfileError> {
        Ok(read::<RefusedChains>("refused", REFUSED)?.chain)
    }

    /// That of a chain; the unknown one's if there is none.
    pub fn of(chain_id: ChainId) -> Result<Self, ProfileError> {
        let mut refused = Self::refused()?.into_iter();
        if let Some(chain) = refused.find(|chain| chain.chain_id == chain_id.0) {
            return Err(ProfileError::Refused {
                name: chain.name,
                reason: chain.reason,
            });
        }
        let mut all = Self::all()?.into_iter();
        match all.find(|profile| profile.chain_id == chain_id.0) {
            Some(profile) => Ok(profile),
            None => Self::of_unknown(chain_id),
        }
    }

    /// What holds for a chain of which nothing is known.
    fn of_unknown(chain_id: ChainId) -> Result<Self, ProfileError> {
        let unknown: Self = read("unknown", UNKNOWN)?;
        Ok(Self {
            chain_id: chain_id.0,
            ..unknown
        })
    }

    /// Nothing is known of the chain but its number.
    pub fn is_unknown(&self) -> bool {
        self.sources.is_empty()
    }

    /// Most gas that a transaction may ask for.
    pub fn transaction_gas(&self) -> TransactionGas {
        let Gas {
            osaka, amsterdam, ..
        } = self.transaction_gas;
        TransactionGas {
            osaka,
            amsterdam: amsterdam.unwrap_or(osaka),
        }
    }

    /// Blocks after which what none holds is sent again.
    pub fn rebroadcast_blocks(&self) -> u64 {
        self.blocks_in(REBROADCAST_MS).max(REBROADCAST_BLOCKS)
    }

    /// Blocks after which what none holds is replaced: where blocks come fast, three of them tell nothing.
    pub fn replace_blocks(&self) -> u64 {
        self.blocks_in(REPLACE_MS).max(REPLACE_BLOCKS)
    }

    fn blocks_in(&self, milliseconds: u64) -> u64 {
        let time = self.block_time_ms.filter(|time| *time > 0);
        time.map_or(0, |time| milliseconds.div_ceil(time))
    }
}

mod document;
#[cfg(test)]
mod tests;

pub use document::document;
