//! A world for tests: a real node on a free port, with a token like USDT, a vault with its policy, and its lens. Each test
//! has one of its own, so tests run side by side, and it is gone with the test, however that ends.

#![allow(
    dead_code,
    unused_imports,
    clippy::panic,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "shared by test files, each of which uses a part; .clippy.toml covers #[test] functions only"
)]

mod artifacts;
mod keys;
mod node;
mod office;
mod plan;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use alloy::{
    consensus::{SignableTransaction, TxEip1559, TxEnvelope},
    eips::eip2718::Encodable2718,
    primitives::{Address, B256, Bytes, U256},
    signers::SignerSync,
};
use alloy_sol_types::{SolCall, SolValue, sol};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tidelock_core::{
    abi::{Vault, VaultLens},
    domain::{ChainId, VaultDomain},
    event::BlockRef,
};
use tidelock_deploy::{Deployment, Policy, Release, Step};
use tidelock_keeper::chain::{Parties, Rpc, RpcChain, RpcSettings};

pub use artifacts::{bytecode, repository};
pub use keys::{Keys, as_keystore, password_file};
pub use node::Node;
pub use office::{Daemon, Office, err, expect, json_of, out};
pub use plan::{DAY, FINAL, Geth, HOUR, Mining, Plan, Program, USDT, tier};

sol! {
    /// The token's verbs that tests use.
    interface Tether {
        function issue(uint256 amount) external;
        function mint(address to, uint256 amount) external;
        function transfer(address to, uint256 value) external;
        function balanceOf(address who) external view returns (uint256);
        function addBlackList(address user) external;
        function pause() external;
        function setParams(uint256 newBasisPoints, uint256 newMaxFee) external;
        function unpause() external;
    }
}

/// How long anything is waited for: a busy machine is no broken node.
const PATIENCE: Duration = Duration::from_secs(300);

/// Of USDT on BSC, which is another contract.
const BSC_DECIMALS: u8 = 18;

/// What came of a transaction.
#[derive(Debug, Clone)]
pub struct Receipt {
    pub hash: B256,
    pub block: u64,
    pub success: bool,
    pub gas_used: u64,
    pub contract: Option<Address>,
}

pub struct World {
    pub node: Node,
    pub rpc: Arc<Rpc>,
    pub keys: Keys,
    pub domain: VaultDomain,
    pub token: Address,
    pub lens: Address,
    /// What each transaction of a test may use: that of a call of the vault, or all that a small block holds.
    gas: u64,
    mining: Mutex<Mining>,
}

impl World {
    /// Starts a node and puts everything on it.
    pub async fn start(plan: Plan) -> Self {
        let node = Node::start(&plan);
        let settings = RpcSettings {
            timeout: PATIENCE,
            ..RpcSettings::default()
        };
        let rpc = Arc::new(Rpc::new(node.url(), settings).unwrap());
        let keys = Keys::fixed();
        let chain_id: U256 = rpc.request("eth_chainId", json!([])).await.unwrap();
        let mut world = Self {
            node,
            rpc,
            keys,
            domain: VaultDomain {
                chain_id: ChainId(chain_id.to()),
                vault: Address::ZERO,
            },
            token: Address::ZERO,
            lens: Address::ZERO,
            gas: plan.block_gas_limit.min(16_000_000),
            mining: Mutex::new(Mining::Auto),
        };
        if world.node.is_real() {
            world.mining = Mutex::new(Mining::ByHand);
            world.deploy(&plan).await;
            return world;
        }
        for account in world.keys.all() {
            world
                .set_gas_balance(account, U256::from(10).pow(U256::from(20)))
                .await;
        }
        world.deploy(&plan).await;
        // Anvil mines at once from the start.
        if plan.mining != Mining::Auto {
            world.set_mining(plan.mining).await;
        }
        world
    }

    async fn deploy(&mut self, plan: &Plan) {
        let treasurer = self.keys.treasurer.address();
        self.token = if plan.decimals == BSC_DECIMALS {
            self.create(treasurer, "BscToken", &[]).await
        } else {
            let decimals = U256::from(plan.decimals);
            let named = (U256::ZERO, "Tether USD", "USDT", decimals).abi_encode_params();
            self.create(treasurer, "TetherLike", &named).await
        };
        let now = self.head().await.time.seconds();
        let configuration = plan.configuration(&self.keys, self.token, now);
        let deployment = self.deployment(&configuration, plan.decimals);
        for step in [Step::Factory, Step::Lens, Step::Vault] {
            let making = deployment.making(step).unwrap();
            let receipt = self.send(treasurer, Some(making.to), making.data).await;
            assert!(receipt.success, "the {step} was not made");
        }
        (self.lens, self.domain.vault) = (deployment.at.lens, deployment.at.vault);
        let (to, amount) = (self.domain.vault, U256::from(plan.balance * plan.scale()));
        if plan.decimals == BSC_DECIMALS {
            self.token_call(&Tether::mintCall { to, amount }).await;
        } else {
            self.fund_vault(plan.balance).await;
        }
    }

    /// As `keeper deploy` makes it, of the release.
    fn deployment(&self, configuration: &Vault::Configuration, decimals: u8) -> Deployment {
        let encoded = configuration.abi_encode();
        let policy = Policy {
            chain_id: self.domain.chain_id.0,
            decimals,
            configuration: SolValue::abi_decode(&encoded).unwrap(),
            names: Default::default(),
        };
        Deployment::new(policy, Release::embedded().unwrap())
    }

    async fn create(&self, from: Address, name: &str, arguments: &[u8]) -> Address {
        let code = [bytecode(name).as_ref(), arguments].concat();
        let receipt = self.send(from, None, code.into()).await;
        assert!(receipt.success, "{name} was not deployed");
        receipt.contract.unwrap()
    }

    // ── Money ────────────────────────────────────────────────────────────────────────────────────────────────────

    /// Issues tokens to the vault. [base units]
    pub async fn fund_vault(&self, amount: u128) {
        if amount == 0 {
            return;
        }
        let amount = U256::from(amount);
        self.token_call(&Tether::issueCall { amount }).await;
        let to = self.domain.vault;
        self.token_call(&Tether::transferCall { to, value: amount })
            .await;
    }

    /// Calls the token as its owner.
    pub async fn token_call<C: SolCall>(&self, call: &C) {
        let owner = self.keys.treasurer.address();
        let receipt = self
            .send(owner, Some(self.token), call.abi_encode().into())
            .await;
        assert!(receipt.success, "{} of the token failed", C::SIGNATURE);
    }

    pub async fn token_balance(&self, who: Address) -> U256 {
        self.read(self.token, &Tether::balanceOfCall { who }).await
    }

    /// Anvil sets it in the state of the newest block, whose header does not tell: nothing can be proven of that block.
    pub async fn set_gas_balance(&self, account: Address, wei: U256) {
        self.ask::<Value>("anvil_setBalance", json!([account, wei]))
            .await;
    }

    // ── Calls ────────────────────────────────────────────────────────────────────────────────────────────────────

    /// Asks the node; a refusal fails the test.
    pub async fn ask<T: DeserializeOwned>(&self, method: &'static str, params: Value) -> T {
        self.rpc.request(method, params).await.unwrap()
    }

    /// Calls a function that only reads, in the newest state.
    pub async fn read<C: SolCall>(&self, to: Address, call: &C) -> C::Return {
        let data = Bytes::from(call.abi_encode());
        let answer: Bytes = self
            .ask("eth_call", json!([{"to": to, "data": data}, "latest"]))
            .await;
        C::abi_decode_returns(&answer).unwrap()
    }

    /// Sends a transaction of any account and waits for it, mining it if nobody else does.
    pub async fn send(&self, from: Address, to: Option<Address>, data: Bytes) -> Receipt {
        let mut transaction = json!({"from": from, "data": data, "gas": U256::from(self.gas)});
        if let Some(to) = to {
            transaction["to"] = json!(to);
        }
        let hash: B256 = if self.node.is_real() {
            self.send_signed(from, &transaction).await
        } else {
            self.ask("eth_sendTransaction", json!([transaction])).await
        };
        if self.mining() == Mining::ByHand {
            self.mine(1).await;
        }
        self.wait_for(hash).await
    }

    /// Signs here, where the node holds no keys.
    async fn send_signed(&self, from: Address, asked: &Value) -> B256 {
        let nonce: U256 = self
            .ask("eth_getTransactionCount", json!([from, "pending"]))
            .await;
        let to: Option<Address> = serde_json::from_value(asked["to"].clone()).unwrap();
        let transaction = TxEip1559 {
            chain_id: self.domain.chain_id.0,
            nonce: nonce.to(),
            gas_limit: self.gas,
            max_fee_per_gas: 20_000_000_000,
            max_priority_fee_per_gas: 1_000_000_000,
            to: to.into(),
            input: serde_json::from_value(asked["data"].clone()).unwrap(),
            ..TxEip1559::default()
        };
        let key = self.keys.of(from);
        let signature = key.sign_hash_sync(&transaction.signature_hash()).unwrap();
        let signed = TxEnvelope::from(transaction.into_signed(signature));
        let raw = Bytes::from(signed.encoded_2718());
        self.ask("eth_sendRawTransaction", json!([raw])).await
    }

    /// Calls the vault as any account.
    pub async fn vault_call<C: SolCall>(&self, from: Address, call: &C) -> Receipt {
        self.send(from, Some(self.domain.vault), call.abi_encode().into())
            .await
    }

    pub async fn receipt(&self, hash: B256) -> Option<Receipt> {
        let answer: Option<Value> = self.ask("eth_getTransactionReceipt", json!([hash])).await;
        let answer = answer?;
        let number = |field: &str| -> u64 {
            let value: U256 = serde_json::from_value(answer[field].clone()).unwrap();
            value.to()
        };
        Some(Receipt {
            hash,
            block: number("blockNumber"),
            success: number("status") == 1,
            gas_used: number("gasUsed"),
            contract: serde_json::from_value(answer["contractAddress"].clone()).unwrap(),
        })
    }

    /// Waits until a block holds the transaction; fails the test if none does.
    pub async fn wait_for(&self, hash: B256) -> Receipt {
        let found = async {
            loop {
                if let Some(receipt) = self.receipt(hash).await {
                    return receipt;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let waited = tokio::time::timeout(PATIENCE, found).await;
        waited.expect("no block holds the transaction")
    }

    // ── Blocks ───────────────────────────────────────────────────────────────────────────────────────────────────

    fn mining(&self) -> Mining {
        *self.mining.lock().unwrap()
    }

    pub async fn set_mining(&self, mining: Mining) {
        *self.mining.lock().unwrap() = mining;
        let (auto, interval) = match mining {
            Mining::Auto => (true, 0),
            Mining::ByHand => (false, 0),
            Mining::Every(seconds) => (false, seconds),
        };
        self.ask::<Value>("evm_setIntervalMining", json!([interval]))
            .await;
        self.ask::<Value>("evm_setAutomine", json!([auto])).await;
    }

    pub async fn mine(&self, blocks: u64) {
        if self.node.mines_by_itself() {
            let last = self.head().await.number + blocks;
            while self.head().await.number < last {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            return;
        }
        if self.node.is_real() {
            for _ in 0..blocks {
                let next = self.head().await.time.seconds() + 12;
                self.mine_at(next).await;
            }
            return;
        }
        self.ask::<Value>("anvil_mine", json!([U256::from(blocks)]))
            .await;
    }

    /// One block of that time.
    pub async fn mine_at(&self, seconds: u64) {
        let params = json!([seconds]);
        self.ask::<Value>("evm_setNextBlockTimestamp", params).await;
        self.ask::<Value>("evm_mine", json!([])).await;
    }

    /// The next block is at least that much later.
    pub async fn skip(&self, seconds: u64) {
        if self.node.is_real() {
            let next = self.head().await.time.seconds() + seconds;
            return self.mine_at(next).await;
        }
        self.ask::<Value>("evm_increaseTime", json!([seconds]))
            .await;
        self.mine(1).await;
    }

    /// The next block has that base fee. [wei per gas]
    pub async fn set_base_fee(&self, wei: u128) {
        let params = json!([U256::from(wei)]);
        self.ask::<Value>("anvil_setNextBlockBaseFeePerGas", params)
            .await;
    }

    /// Replaces the newest blocks by as many empty ones.
    pub async fn reorg(&self, depth: u64) {
        self.ask::<Value>("anvil_reorg", json!([depth, []])).await;
    }

    pub async fn head(&self) -> BlockRef {
        self.block(json!("latest")).await
    }

    pub async fn finalised(&self) -> BlockRef {
        self.block(json!("finalized")).await
    }

    pub async fn block_at(&self, number: u64) -> BlockRef {
        self.block(json!(U256::from(number))).await
    }

    async fn block(&self, which: Value) -> BlockRef {
        let answer: Value = self
            .ask("eth_getBlockByNumber", json!([which, false]))
            .await;
        let number = |field: &str| -> u64 {
            let value: U256 = serde_json::from_value(answer[field].clone()).unwrap();
            value.to()
        };
        BlockRef {
            number: number("number"),
            hash: serde_json::from_value(answer["hash"].clone()).unwrap(),
            time: tidelock_core::domain::BlockTime::from_seconds(number("timestamp")).unwrap(),
        }
    }

    // ── The keeper's side ────────────────────────────────────────────────────────────────────────────────────────

    pub fn parties(&self) -> Parties {
        Parties {
            domain: self.domain,
            lens: self.lens,
            token: self.token,
            keeper: self.keys.keeper.address(),
        }
    }

    /// A fresh adapter of this world's chain.
    pub fn chain(&self) -> RpcChain {
        RpcChain::new(self.rpc.clone(), self.parties())
    }

    pub async fn is_paid(&self, number: u64) -> bool {
        self.read(self.domain.vault, &Vault::isPaidCall { number })
            .await
    }

    pub async fn party(&self, account: Address) -> VaultLens::Party {
        let vault = self.domain.vault;
        self.read(self.lens, &VaultLens::partyCall { vault, account })
            .await
    }
}
