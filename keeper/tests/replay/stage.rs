use alloy::primitives::{Address, B256, Bytes, LogData, U256, aliases::U40, keccak256};
use alloy_sol_types::{SolCall, SolConstructor, SolValue, sol};
use serde::Deserialize;
use serde_json::{Value, json};
use tidelock_core::abi::Vault;

use crate::{
    guard,
    trace::{Row, Setup},
    wire::Wire,
    world::{Node, Plan, bytecode},
};

sol! {
    /// The token's verbs.
    interface Tether {
        function issue(uint256 amount) external;
        function transfer(address to, uint256 value) external;
        function balanceOf(address who) external view returns (uint256);
        function paused() external view returns (bool);
        function addBlackList(address user) external;
        function getBlackListStatus(address user) external view returns (bool);
        function pause() external;
        function unpause() external;
    }
}

/// Most that all caps may add up to. [base units]
const HARD_CEILING: u128 = 50_000_000_000_000;
/// What the issuer has to give away. [base units]
const ISSUED: u128 = 1 << 100;

/// A transaction in a block.
#[derive(Debug)]
pub struct Landed {
    pub hash: B256,
    pub success: bool,
    /// What the vault logged.
    pub logs: Vec<LogData>,
}

/// A chain with the vault and its token where the simulation has them, set up as the seed has them.
pub struct Stage {
    pub wire: Wire,
    pub setup: Setup,
    pub lens: Address,
    _node: Node,
}

impl Stage {
    pub async fn build(setup: Setup) -> Self {
        let arguments = [
            ("--timestamp", setup.time.to_string()),
            ("--chain-id", setup.chain_id.to_string()),
            ("--base-fee", "0".to_owned()),
            ("--gas-price", "0".to_owned()),
            ("--order", "fifo".to_owned()),
        ];
        let arguments = arguments.map(|(name, value)| [name.to_owned(), value]);
        let node = Node::start(&Plan {
            block_gas_limit: 1 << 50,
            arguments: arguments.concat(),
            ..Plan::default()
        });
        let stage = Self {
            wire: Wire::new(node.url()),
            setup,
            lens: Address::repeat_byte(0x1e),
            _node: node,
        };
        stage
            .wire
            .ask::<Value>("evm_setAutomine", json!([false]))
            .await;
        stage.found_token().await;
        stage.found_vault().await;
        stage.found(stage.lens, bytecode("VaultLens")).await;
        stage.fill().await;
        stage
    }

    async fn found_token(&self) {
        let named = (U256::ZERO, "Tether USD", "USDT", U256::from(6)).abi_encode_params();
        let creation = [bytecode("TetherLike").as_ref(), &named].concat();
        let ledger = Address::repeat_byte(0x1d);
        let code = self.found(self.setup.token, creation.into()).await;
        self.set_code(ledger, &code).await;
        let guarded = guard::code(&self.setup.refused, ledger);
        self.set_code(self.setup.token, &guarded.into()).await;
    }

    async fn found_vault(&self) {
        let arguments = Vault::constructorCall {
            configuration: configuration(&self.setup),
        };
        let creation = [bytecode("Vault").as_ref(), &arguments.abi_encode()].concat();
        self.found(self.setup.vault, creation.into()).await;
    }

    /// Creates a contract where it is wanted: its creation code runs there as a call, which writes its storage, and what that
    /// returns is its code. Answers the code.
    async fn found(&self, at: Address, creation: Bytes) -> Bytes {
        self.set_code(at, &creation).await;
        let (by, nothing) = (self.setup.issuer, Bytes::new());
        let mut returned = self.wire.call_all(&[(by, at, nothing.clone())]).await;
        let code = returned.remove(0).expect("the constructor refuses");
        self.wire.send(by, at, &nothing).await;
        let landed = self.mine(self.setup.time).await;
        assert!(landed[0].success, "the constructor fails");
        self.set_code(at, &code).await;
        code
    }

    async fn set_code(&self, at: Address, code: &Bytes) {
        self.wire
            .ask::<Value>("anvil_setCode", json!([at, code]))
            .await;
    }

    async fn fill(&self) {
        let issuer = self.setup.issuer;
        let listed = self.setup.blacklisted.iter().map(|user| {
            let user = *user;
            Bytes::from(Tether::addBlackListCall { user }.abi_encode())
        });
        let amount = U256::from(ISSUED);
        let mut calls: Vec<Bytes> = vec![Tether::issueCall { amount }.abi_encode().into()];
        calls.push(self.deposit(self.setup.balance));
        calls.extend(listed);
        for call in &calls {
            self.wire.send(issuer, self.setup.token, call).await;
        }
        let landed = self.mine(self.setup.time).await;
        assert!(landed.iter().all(|landed| landed.success), "{landed:?}");
    }

    /// What the issuer calls the token with to give the vault tokens. [base units]
    pub fn deposit(&self, amount: u128) -> Bytes {
        let (to, value) = (self.setup.vault, U256::from(amount));
        Tether::transferCall { to, value }.abi_encode().into()
    }

    /// A block with all that waits, in the order in which it came. [seconds]
    pub async fn mine(&self, time: u64) -> Vec<Landed> {
        let wire = &self.wire;
        let next = U256::from(time);
        wire.ask::<Value>("evm_setNextBlockTimestamp", json!([next]))
            .await;
        wire.ask::<Value>("evm_mine", json!([])).await;
        let receipts: Vec<Receipt> = wire.ask("eth_getBlockReceipts", json!(["latest"])).await;
        let landed = receipts.into_iter().map(|receipt| {
            let logs = receipt.logs.into_iter();
            let logs = logs.filter(|log| log.address == self.setup.vault);
            Landed {
                hash: receipt.transaction_hash,
                success: receipt.status == U256::from(1),
                logs: logs
                    .map(|log| LogData::new_unchecked(log.topics, log.data))
                    .collect(),
            }
        });
        landed.collect()
    }

    /// Lets a change of policy be as if it had got its votes a policy delay ago: the clock that its proposal started is put
    /// back where the vault keeps it. Nothing else about it is made up.
    pub async fn age(&self, id: B256, time: u64) {
        let (vault, wire) = (self.setup.vault, &self.wire);
        let word = wire.read(vault, Vault::proposalCall { id }).await;
        let field = |value: u64| U256::from(value) << QUORUM_AT_BITS.0;
        let quorum_at = time - u64::from(self.setup.policy_delay);
        let mask = field((1 << QUORUM_AT_BITS.1) - 1);
        assert_eq!(word & mask, field(time), "its clock starts with its votes");
        let aged = B256::from((word & !mask) | field(quorum_at));
        let slot = keccak256((id, U256::from(PROPOSALS_SLOT)).abi_encode());
        let params = json!([vault, U256::from_be_bytes(slot.0), aged]);
        wire.ask::<Value>("anvil_setStorageAt", params).await;
        let read = wire.read(vault, Vault::proposalCall { id }).await;
        assert_eq!(
            B256::from(read),
            aged,
            "the vault keeps proposals elsewhere"
        );
    }
}

/// Where the vault keeps `_proposals`.
const PROPOSALS_SLOT: u64 = 9;
/// Place and width of `quorumAt` in a proposal's word. [bits]
const QUORUM_AT_BITS: (usize, u64) = (88, 36);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Receipt {
    transaction_hash: B256,
    status: U256,
    logs: Vec<Log>,
}

#[derive(Deserialize)]
struct Log {
    address: Address,
    topics: Vec<B256>,
    data: Bytes,
}

pub fn tier(row: &Row) -> Vault::Tier {
    Vault::Tier {
        maxKnown: row.max_known,
        maxUnknown: row.max_unknown,
        cap: row.cap,
        approvals: row.approvals,
        delay: row.delay,
    }
}

fn configuration(setup: &Setup) -> Vault::Configuration {
    let grants = setup.grants.iter().flat_map(|(account, keeper, proposer)| {
        let roles = [(0, *keeper), (1, *proposer)].into_iter();
        let held = roles.filter(|(_, until)| *until != 0);
        held.map(|(role, until)| Vault::Grant {
            account: *account,
            role,
            until: U40::from(until),
        })
    });
    Vault::Configuration {
        token: setup.token,
        unit: setup.unit,
        hardCeiling: HARD_CEILING,
        policyDelayFloor: setup.policy_delay,
        policyDelay: setup.policy_delay,
        threshold: setup.threshold,
        signers: setup.signers.clone(),
        tiers: setup.tiers.iter().map(tier).collect(),
        guardians: vec![setup.guardian],
        guardiansUntil: U40::from(setup.guardian_until),
        grants: grants.collect(),
        known: setup.known.clone(),
        successor: Address::ZERO,
    }
}
