//! From a policy in human terms to a vault that is proven to be what was asked for: plan, simulate, apply, verify.
//!
//! Nothing here keeps state of its own. Each step looks at the chain and does what is missing, so that every command can be
//! repeated, after an interruption too. Addresses follow from code and configuration (CREATE2), so nothing is made twice.

pub mod address;
pub mod apply;
pub mod chain;
#[cfg(feature = "compiler")]
pub mod compile;
pub mod error;
pub mod facts;
pub mod node;
pub mod policy;
pub mod record;
pub mod release;
mod rules;
pub mod simulate;
pub mod standing;
mod toml;
pub mod units;
pub mod verify;
pub mod words;

pub use address::Addresses;
pub use error::DeployError;
pub use node::{Node, NodeError};
pub use policy::Policy;
pub use release::Release;
pub use standing::{Deployment, Standing, Step};
pub use toml::Toml;

#[allow(
    missing_docs,
    clippy::all,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::panic_in_result_fn,
    clippy::unwrap_used,
    reason = "generated from the ABI"
)]
mod generated {
    alloy_sol_types::sol!(
        #[sol(all_derives)]
        Vault,
        "../../contracts/abi/Vault.json"
    );
    alloy_sol_types::sol!(
        #[sol(all_derives)]
        VaultFactory,
        "../../contracts/abi/VaultFactory.json"
    );
}

pub use generated::{Vault, VaultFactory};
