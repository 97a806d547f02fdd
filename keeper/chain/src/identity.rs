//! Rule 15: what the configuration says and what the chain has must be the same, or nothing starts.

use alloy::primitives::{Address, B256, Bytes, U256};
use alloy_sol_types::sol;
use serde_json::json;
use tidelock_core::{
    abi::{Vault, header_argument},
    calendar::both,
    domain::{
        Amount, Batch, BatchId, BlockTime, Payment, PaymentNumber, PaymentRef, TierIndex,
        VaultDomain,
    },
    event::BlockRef,
    observe::Fork,
};

use super::{
    BlockChecks, ChainError, Checkable, RpcChain, RpcError, TokenFee, dialect, lists::Blacklist,
    wire::narrow,
};

sol! {
    function decimals() external view returns (uint256);
}

/// Decimals beyond which an amount of 2^96 base units is less than one token.
const MAX_DECIMALS: u8 = 28;
/// Fields of the EIP-712 domain that a vault has: name, version, chain id, contract.
const DOMAIN_FIELDS: u8 = 0x0f;

/// What the configuration says beyond the addresses that the adapter was made with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expected {
    /// `chain.second_rpc_url` is set.
    pub has_second_node: bool,
    /// `chain.allow_single_node`.
    pub allow_single_node: bool,
    /// The keeper is to send: its key must hold the role.
    pub sends: bool,
}

/// What the chain has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Accounting grain of the vault. [base units]
    pub unit: Amount,
    /// Decimals of the token.
    pub decimals: u8,
    /// The newest block.
    pub head: BlockRef,
    /// The block that the node calls final.
    pub finalised: BlockRef,
    /// What gas costs in the newest block. [wei per gas]
    pub base_fee: u128,
    /// Whose rules the newest block follows.
    pub fork: Fork,
    /// First second without the keeper's role.
    pub keeper_until: u64,
    /// First second without the proposer's role.
    pub proposer_until: u64,
    /// The keeper's nonce at the finalised block.
    pub keeper_nonce: u64,
    /// What the keeper's key holds for gas. [wei]
    pub gas_balance: U256,
    /// The token tells whom it freezes.
    pub has_blacklist: bool,
    /// What of the node's word is checked.
    pub checkable: Checkable,
    /// What is allowed, and deserves a look.
    pub warnings: Vec<Warning>,
}

/// What is allowed, and deserves a look.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Warning {
    /// One node's word is all there is.
    #[error("chain.rpc_url: one node only; what it says is not compared with another's")]
    SingleNode,
    /// Both nodes are one, by their own word.
    #[error(
        "chain.second_rpc_url: it answers with the identity of chain.rpc_url's node; one node is counted as two"
    )]
    OneNode,
    /// The node knows of no final block but the first.
    #[error(
        "finalised block 0: the node knows no other, with its head at {head}; nothing is taken for paid until it does"
    )]
    FinalisedIsGenesis {
        /// The node's head.
        head: u64,
    },
    /// No transfer of the token goes through.
    #[error("token {token}: it is paused; nothing can be paid until its issuer lets it go on")]
    TokenPaused {
        /// The token.
        token: Address,
    },
    /// The chain allows more.
    #[error(
        "chain.block_checks {checks}: the newest block stands up to {most}, with which a node could hide less"
    )]
    FewChecks {
        /// What is set.
        checks: BlockChecks,
        /// What could be.
        most: BlockChecks,
    },
    /// Less arrives than is paid.
    #[error("token: {0}")]
    TokenFee(TokenFee),
    /// The key cannot propose.
    #[error("keeper {keeper}: no proposer's role; what no automatic tier takes will wait")]
    NotProposer {
        /// The key's address.
        keeper: Address,
    },
}

/// What differs. Each message names the field, its value, what the chain has and the rule.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum IdentityError {
    /// The chain cannot be asked.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// What the second node says.
    #[error("chain.second_rpc_url: {0}")]
    OfSecond(Box<IdentityError>),
    /// One node's word is not allowed to be enough.
    #[error(
        "chain.allow_single_node false: must be true to run with one RPC node; or set chain.second_rpc_url"
    )]
    SingleNodeNotAllowed,
    /// Another chain.
    #[error("chain.chain_id {expected}: the node is on chain {actual}; they must be the same")]
    WrongChain {
        /// Configured.
        expected: u64,
        /// The node's.
        actual: U256,
    },
    /// The node cannot be asked about the state after one block.
    #[error(
        "node {endpoint}: it takes no block by its hash (EIP-1898), and says: {words}; the keeper asks about the state after one block \
         only, so it needs a node that does, such as geth, reth, erigon, nethermind, besu or anvil"
    )]
    NoBlockByHash {
        /// Which node.
        endpoint: String,
        /// Its words.
        words: String,
    },
    /// No contract is there.
    #[error("{field} {address}: no code at block {block}; must be a contract")]
    NoCode {
        /// The setting.
        field: &'static str,
        /// The address.
        address: Address,
        /// Where was looked.
        block: u64,
    },
    /// The contract says something else.
    #[error("{field} {expected}: {contract} says {actual}; they must be the same")]
    Differs {
        /// The setting or the rule's field.
        field: &'static str,
        /// What it must be.
        expected: String,
        /// Who says something else.
        contract: Address,
        /// What it says.
        actual: String,
    },
    /// A value that no vault can have.
    #[error("{field} {value}: {rule}")]
    Field {
        /// The field.
        field: &'static str,
        /// Its value.
        value: String,
        /// The rule it breaks.
        rule: &'static str,
    },
    /// The key may not pay.
    #[error(
        "keeper {keeper}: {}, block {block} is of {}; it must hold the keeper's role to send",
        end_of_role(*until),
        both(*time)
    )]
    NotKeeper {
        /// The key's address.
        keeper: Address,
        /// First second without the role; 0 if never granted.
        until: u64,
        /// The newest block.
        block: u64,
        /// Its time.
        time: u64,
    },
}

fn end_of_role(until: u64) -> String {
    if until == 0 {
        return "the role was never granted".to_owned();
    }
    format!("its role ends at {}", both(until))
}

impl IdentityError {
    /// What is wrong, whichever node says so.
    pub fn root(&self) -> &Self {
        match self {
            Self::OfSecond(error) => error.root(),
            error => error,
        }
    }
}

impl RpcChain {
    /// Compares the configuration with the chain.
    pub async fn identify(&self, expected: Expected) -> Result<Identity, IdentityError> {
        if !expected.allow_single_node && !expected.has_second_node {
            return Err(IdentityError::SingleNodeNotAllowed);
        }
        self.check_chain_id().await?;
        let (head, finalised) = tokio::try_join!(self.block_by_tag("latest"), self.final_block())?;
        let at = head.id;
        self.check_code(at).await?;
        self.check_vault(at).await?;
        let unit = self.unit(at).await?;
        let decimals = self.decimals(at).await?;
        let look = self.look(at, &[]).await?;
        let keeper = self.parties.keeper;
        if expected.sends && look.keeper_until <= at.time.seconds() {
            return Err(IdentityError::NotKeeper {
                keeper,
                until: look.keeper_until,
                block: at.number,
                time: at.time.seconds(),
            });
        }
        let checkable = self.checkable(at, finalised.id).await?;
        let mut warnings = Vec::new();
        if let Some(most) = checkable.most.filter(|most| *most > checkable.checks) {
            let checks = checkable.checks;
            warnings.push(Warning::FewChecks { checks, most });
        }
        if !expected.has_second_node {
            warnings.push(Warning::SingleNode);
        }
        if finalised.id.number == 0 && at.number > 0 {
            warnings.push(Warning::FinalisedIsGenesis { head: at.number });
        }
        if self.is_token_paused(at).await? == Some(true) {
            let token = self.parties.token;
            warnings.push(Warning::TokenPaused { token });
        }
        warnings.extend(self.token_fee(at, decimals).await?.map(Warning::TokenFee));
        if look.proposer_until <= at.time.seconds() {
            warnings.push(Warning::NotProposer { keeper });
        }
        Ok(Identity {
            unit,
            decimals,
            head: at,
            finalised: finalised.id,
            base_fee: head.base_fee,
            fork: head.fork,
            keeper_until: look.keeper_until,
            proposer_until: look.proposer_until,
            keeper_nonce: self.nonce_after(finalised.id).await?,
            gas_balance: look.gas_balance,
            has_blacklist: self.find_blacklist(at).await? != Blacklist::None,
            checkable,
            warnings,
        })
    }

    async fn check_chain_id(&self) -> Result<(), IdentityError> {
        let expected = self.parties.domain.chain_id.0;
        let asked = self.rpc.request::<U256>("eth_chainId", json!([]));
        let actual = asked.await.map_err(ChainError::from)?;
        if actual != U256::from(expected) {
            return Err(IdentityError::WrongChain { expected, actual });
        }
        Ok(())
    }

    async fn check_code(&self, at: BlockRef) -> Result<(), IdentityError> {
        for (field, address) in [
            ("vault.address", self.parties.domain.vault),
            ("vault.lens", self.parties.lens),
            ("vault.token", self.parties.token),
        ] {
            let params = json!([address, super::wire::by_hash(at.hash)]);
            let asked = self.rpc.request::<Bytes>("eth_getCode", params);
            let code = asked.await.map_err(|error| self.of_state(error))?;
            if code.is_empty() {
                return Err(IdentityError::NoCode {
                    field,
                    address,
                    block: at.number,
                });
            }
        }
        Ok(())
    }

    fn of_state(&self, error: RpcError) -> IdentityError {
        if dialect::means(&error, dialect::Meaning::NoBlockByHash) {
            return IdentityError::NoBlockByHash {
                endpoint: self.rpc.endpoint().to_owned(),
                words: error.to_string(),
            };
        }
        ChainError::from(error).into()
    }

    /// The vault holds this token, and hashes what is signed as we do.
    async fn check_vault(&self, at: BlockRef) -> Result<(), IdentityError> {
        let domain = self.parties.domain;
        let vault = domain.vault;
        let token = self.call(at.hash, vault, Vault::tokenCall {}).await?;
        same("vault.token", self.parties.token, vault, token)?;
        let version = self.call(at.hash, vault, Vault::VERSIONCall {}).await?;
        same("VERSION", VaultDomain::VERSION.to_owned(), vault, version)?;
        let said = self
            .call(at.hash, vault, Vault::eip712DomainCall {})
            .await?;
        let [fields] = said.fields.0;
        same("EIP-712 fields", DOMAIN_FIELDS, vault, fields)?;
        same(
            "EIP-712 name",
            VaultDomain::NAME.to_owned(),
            vault,
            said.name,
        )?;
        let version = VaultDomain::VERSION.to_owned();
        same("EIP-712 version", version, vault, said.version)?;
        let chain_id = U256::from(domain.chain_id.0);
        same("EIP-712 chain id", chain_id, vault, said.chainId)?;
        same("EIP-712 contract", vault, vault, said.verifyingContract)?;
        let header = sample()?;
        let call = Vault::hashBatchCall {
            batch: header_argument(&header),
        };
        let hash = self.call(at.hash, vault, call).await?;
        same("batch id", header.id(&domain), vault, BatchId(hash))
    }

    async fn unit(&self, at: BlockRef) -> Result<Amount, IdentityError> {
        let vault = self.parties.domain.vault;
        let unit = self.call(at.hash, vault, Vault::unitCall {}).await?;
        if unit.is_zero() {
            return Err(IdentityError::Field {
                field: "unit",
                value: unit.to_string(),
                rule: "must be more than 0 base units",
            });
        }
        Ok(Amount(narrow("unit", unit)?))
    }

    async fn decimals(&self, at: BlockRef) -> Result<u8, IdentityError> {
        let token = self.parties.token;
        let said = self.call(at.hash, token, decimalsCall {}).await?;
        let decimals = u8::try_from(said).ok().filter(|d| *d <= MAX_DECIMALS);
        decimals.ok_or_else(|| IdentityError::Field {
            field: "decimals",
            value: said.to_string(),
            rule: "must be at most 28: a payment is below 2^96 base units",
        })
    }
}

fn same<T: PartialEq + ToString>(
    field: &'static str,
    expected: T,
    contract: Address,
    actual: T,
) -> Result<(), IdentityError> {
    if expected == actual {
        return Ok(());
    }
    Err(IdentityError::Differs {
        field,
        expected: expected.to_string(),
        contract,
        actual: actual.to_string(),
    })
}

/// A header in which no field is zero or equal to another.
fn sample() -> Result<Batch, IdentityError> {
    let failed = |error: tidelock_core::domain::DomainError| IdentityError::Field {
        field: "sample batch",
        value: error.to_string(),
        rule: "must be valid",
    };
    let recipient = Address::repeat_byte(0x11);
    let reference = PaymentRef([0x22; 16]);
    let payment = Payment::new(recipient, Amount(3), reference).map_err(failed)?;
    Batch::seal(
        PaymentNumber(4),
        TierIndex::new(1).map_err(failed)?,
        &[payment],
        BlockTime::from_seconds(5).map_err(failed)?,
        B256::repeat_byte(0x66),
    )
    .map_err(failed)
}
