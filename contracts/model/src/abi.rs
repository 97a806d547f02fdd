//! The vault's interface as its build states it: what the model takes, answers, logs and refuses with.

#[allow(missing_docs, clippy::all, reason = "generated from the ABI")]
mod generated {
    alloy_sol_types::sol!(
        #[sol(all_derives)]
        Vault,
        "../abi/Vault.json"
    );
}

pub use generated::Vault::*;
