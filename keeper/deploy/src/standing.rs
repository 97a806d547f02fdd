//! What of a deployment is there, and what is missing: read from the chain each time, kept nowhere.

use std::fmt;

use alloy_primitives::{Address, B256, Bytes, keccak256};
use alloy_sol_types::SolValue;

use crate::{
    Addresses, DeployError, Policy, Release, VaultFactory,
    address::{self, DEPLOYER, DEPLOYER_CODE},
    chain::Chain,
};

/// What is made, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// The deterministic deployer; on public chains it is there.
    Deployer,
    /// The factory.
    Factory,
    /// The lens.
    Lens,
    /// The vault.
    Vault,
}

impl Step {
    /// All, in order.
    pub const ALL: [Self; 4] = [Self::Deployer, Self::Factory, Self::Lens, Self::Vault];

    /// In words.
    pub fn name(self) -> &'static str {
        match self {
            Self::Deployer => "deterministic deployer",
            Self::Factory => "factory",
            Self::Lens => "lens",
            Self::Vault => "vault",
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A policy, the code for it, and where everything comes to be.
#[derive(Debug, Clone)]
pub struct Deployment {
    /// What is wanted.
    pub policy: Policy,
    /// Of which code.
    pub release: Release,
    /// Where.
    pub at: Addresses,
}

/// A call that makes one of the contracts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Making {
    /// Which.
    pub step: Step,
    /// Whom to call.
    pub to: Address,
    /// With what.
    pub data: Bytes,
}

/// What is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Standing {
    /// The deterministic deployer.
    pub deployer: bool,
    /// The factory.
    pub factory: bool,
    /// The lens.
    pub lens: bool,
    /// The vault.
    pub vault: bool,
}

impl Standing {
    /// Whether that is there.
    pub fn has(&self, step: Step) -> bool {
        match step {
            Step::Deployer => self.deployer,
            Step::Factory => self.factory,
            Step::Lens => self.lens,
            Step::Vault => self.vault,
        }
    }

    /// What to make next.
    pub fn next(&self) -> Option<Step> {
        Step::ALL.into_iter().find(|step| !self.has(*step))
    }
}

impl Deployment {
    /// Works out the addresses.
    pub fn new(policy: Policy, release: Release) -> Self {
        let at = Addresses::of(&release, &policy.configuration);
        Self {
            policy,
            release,
            at,
        }
    }

    /// Where a step's contract is or will be.
    pub fn address(&self, step: Step) -> Address {
        match step {
            Step::Deployer => DEPLOYER,
            Step::Factory => self.at.factory,
            Step::Lens => self.at.lens,
            Step::Vault => self.at.vault,
        }
    }

    /// The call that makes it; none for the deployer, which one transaction signed long ago makes.
    pub fn making(&self, step: Step) -> Option<Making> {
        let (to, data) = match step {
            Step::Deployer => return None,
            Step::Factory => {
                let creation = address::factory_creation(&self.release);
                (DEPLOYER, address::deployer_call(&creation))
            }
            Step::Lens => {
                let creation = &self.release.lens.creation_code;
                (DEPLOYER, address::deployer_call(creation))
            }
            Step::Vault => {
                let call = address::create_call(&self.release, &self.policy.configuration);
                (self.at.factory, call)
            }
        };
        Some(Making { step, to, data })
    }

    /// Looks what is there; anything that is there and is not what it must be is an error.
    pub async fn standing(&self, chain: Chain<'_>) -> Result<Standing, DeployError> {
        chain.require(self.policy.chain_id).await?;
        let mut standing = Standing::default();
        for step in Step::ALL {
            let address = self.address(step);
            let code = chain.code(address).await?;
            if code.is_empty() {
                continue;
            }
            self.check_code(step, address, &code)?;
            match step {
                Step::Deployer => standing.deployer = true,
                Step::Factory => standing.factory = true,
                Step::Lens => standing.lens = true,
                Step::Vault => standing.vault = true,
            }
        }
        if standing.vault {
            self.check_owned(chain, standing).await?;
        }
        Ok(standing)
    }

    /// Code that is there must be the release's; immutables may differ in the vault only.
    fn check_code(&self, step: Step, address: Address, code: &[u8]) -> Result<(), DeployError> {
        let (found, expected) = match step {
            Step::Deployer => (keccak256(code), keccak256(DEPLOYER_CODE)),
            Step::Factory => (keccak256(code), keccak256(self.factory_code())),
            Step::Lens => (keccak256(code), self.release.lens.masked_hash()),
            Step::Vault => {
                let vault = &self.release.vault;
                (vault.masked_hash_of(code), vault.masked_hash())
            }
        };
        if found == expected {
            return Ok(());
        }
        let what = step.name();
        Err(DeployError::CodeDiffers {
            what,
            address,
            found,
            expected,
        })
    }

    /// The factory's code with its one immutable, the hash of the vault's creation code.
    fn factory_code(&self) -> Vec<u8> {
        let factory = &self.release.factory;
        let hash = self.release.vault.creation_code_hash();
        let mut code = factory.runtime_code.to_vec();
        for place in factory.immutables.iter().flatten() {
            let end = place.saturating_add(hash.len());
            if let Some(value) = code.get_mut(*place..end) {
                value.copy_from_slice(hash.as_slice());
            }
        }
        code
    }

    /// The factory must say that it made the vault with this configuration.
    async fn check_owned(&self, chain: Chain<'_>, standing: Standing) -> Result<(), DeployError> {
        let (vault, factory) = (self.at.vault, self.at.factory);
        let expected = self.at.configuration_hash;
        let found: B256 = if standing.factory {
            let call = VaultFactory::configurationHashOfCall { vault };
            chain.read(factory, &call).await?
        } else {
            B256::ZERO
        };
        if found != expected {
            return Err(DeployError::NotOurs {
                vault,
                factory,
                found,
                expected,
            });
        }
        Ok(())
    }

    /// Bytes of the vault's creation with its configuration: chains take at most so many (EIP-3860).
    pub fn creation_size(&self) -> usize {
        let configuration = self.policy.configuration.abi_encoded_size();
        self.release
            .vault
            .creation_code
            .len()
            .saturating_add(configuration)
    }
}
