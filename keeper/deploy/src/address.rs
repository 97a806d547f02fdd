//! Where everything is or will be: CREATE2 (EIP-1014), from the deterministic deployer on.

use alloy_primitives::{Address, B256, Bytes, address, b256, hex, keccak256};
use alloy_sol_types::{SolCall, SolValue};

use crate::{Release, Vault, VaultFactory};

/// The deterministic deployer: it creates what it is called with, by CREATE2 with the salt before it. Nobody owns it.
pub const DEPLOYER: Address = address!("4e59b44847b379578588920cA78FbF26c0B4956C");
/// Its code.
pub const DEPLOYER_CODE: &[u8] = &hex!(
    "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe03601600081602082378035828234f58015156039578182fd5b8082525050506014600cf3"
);
/// Salt of factory and lens: "tidelock".
pub const SALT: B256 = b256!("746964656c6f636b000000000000000000000000000000000000000000000000");

/// Addresses of one deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Addresses {
    /// The factory.
    pub factory: Address,
    /// The lens.
    pub lens: Address,
    /// The vault.
    pub vault: Address,
    /// The rules that the vault creates for itself.
    pub rules: Address,
    /// keccak256 of the encoded configuration.
    pub configuration_hash: B256,
}

impl Addresses {
    /// What the release comes to for a configuration.
    pub fn of(release: &Release, configuration: &Vault::Configuration) -> Self {
        let factory = DEPLOYER.create2(SALT, keccak256(factory_creation(release)));
        let configuration_hash = keccak256(configuration.abi_encode());
        let creation = vault_creation(release, configuration);
        let vault = factory.create2(configuration_hash, keccak256(creation));
        Self {
            factory,
            lens: DEPLOYER.create2(SALT, keccak256(&release.lens.creation_code)),
            vault,
            rules: vault.create(1), // a contract's nonce starts at one
            configuration_hash,
        }
    }
}

/// Creation code of the factory with its argument.
pub fn factory_creation(release: &Release) -> Bytes {
    let argument = release.vault.creation_code_hash();
    joined(&release.factory.creation_code, argument.as_slice())
}

/// Creation code of the vault with its argument.
pub fn vault_creation(release: &Release, configuration: &Vault::Configuration) -> Bytes {
    joined(&release.vault.creation_code, &configuration.abi_encode())
}

/// What the deployer is called with.
pub fn deployer_call(creation: &[u8]) -> Bytes {
    joined(SALT.as_slice(), creation)
}

/// What the factory is called with.
pub fn create_call(release: &Release, configuration: &Vault::Configuration) -> Bytes {
    let arguments = (release.vault.creation_code.clone(), configuration.clone());
    joined(
        &VaultFactory::createCall::SELECTOR,
        &arguments.abi_encode_params(),
    )
}

fn joined(first: &[u8], second: &[u8]) -> Bytes {
    [first, second].concat().into()
}
