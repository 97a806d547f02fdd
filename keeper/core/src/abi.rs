//! What the vault and its lens are called with and what they answer, bound to the ABI that their build generates.

mod calls;
mod facts;
mod reverts;

pub use calls::{decode_paid_mask, encode_job, header_argument, order_argument};
pub use facts::{Fact, FactError, read_fact};
pub use reverts::{Revert, TRANSFER_GAS};

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
        VaultLens,
        "../../contracts/abi/VaultLens.json"
    );
}

pub use generated::{Vault, VaultLens};
