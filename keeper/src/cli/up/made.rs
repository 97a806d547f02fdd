//! What is made for `keeper up --dev`: keys, a token, a vault by the same steps as `keeper deploy`, and a configuration.

use std::{
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    time::Duration,
};

use alloy::primitives::{Address, B256, Bytes, U256};
use alloy_sol_types::{SolCall, SolValue, sol};
use rand::Rng;
use secrecy::SecretString;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tidelock_deploy::{Deployment, Node as _, Policy, Release, apply::Limits, chain::Chain, units};

use crate::{
    cli::{
        deploy::adapter::{PayingKey, RpcNode},
        init::write_new,
    },
    exit::{ExitStatus, Failure},
    signer::{self, KeystoreSigner, Signer},
};

sol! {
    /// What the USDT stand-in offers its owner, and everybody.
    interface Tether {
        function issue(uint256 amount) external;
        function transfer(address to, uint256 value) external;
        function addBlackList(address user) external;
    }
}

/// The configuration's file.
const CONFIG: &str = "keeper.toml";
const PASSWORD: &str = "password";
/// Chains that are for development only, by their ids: anvil's and hardhat's, and geth's.
const DEVELOPMENT: [u64; 2] = [31_337, 1_337];
/// What the vault gets. [base units of a token with 6 decimals]
const FUNDS: u64 = 1_000_000_000_000;
/// What each key gets for gas: ten coins. [wei]
const GAS: u64 = 10_000_000_000_000_000_000;
/// How long the roles last. [seconds]
const LIFE: u64 = 180 * 86_400;
/// Gas that is enough for each transaction here.
const ENOUGH: u64 = 8_000_000;
/// How long a transaction may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(100);
const MAX_FEE: u128 = 1_000_000_000_000; // [wei per gas]

/// Who gets a key.
const PARTIES: [&str; 5] = ["keeper-key", "signer-1", "signer-2", "signer-3", "guardian"];

/// Its code, as scripts/dev-token writes it.
const TOKEN: &str = include_str!("../../../dev/token.hex");
const POLICY: &str = include_str!("../../../dev/policy.toml");

/// What there is now.
#[derive(Debug)]
pub(super) struct Made {
    pub config: PathBuf,
    /// Where the keeper's pages are served: known before the keeper runs, and nobody else's from then on.
    pub pages: TcpListener,
    vault: Address,
    token: Address,
    keeper: Address,
}

impl Made {
    pub async fn make(url: &str, folder: &Path) -> Result<Self, Failure> {
        let node = RpcNode::open(url)?;
        let chain = Chain(&node);
        let chain_id = chain.id().await?;
        if !DEVELOPMENT.contains(&chain_id) {
            let known = DEVELOPMENT.map(|id| id.to_string()).join(" or ");
            let rule =
                format!("--rpc-url: is on chain {chain_id}; --dev is for chain {known} only");
            return Err(Failure::new(ExitStatus::Refused, rule));
        }
        let bank = Bank::open(&node).await?;
        let keys = keys(folder)?;
        for key in &keys {
            bank.pay(key.address()).await?;
        }
        let token = bank.make_token().await?;
        let now: u64 = chain.block("latest").await?.timestamp.saturating_to();
        let policy = Policy::parse(&policy(chain_id, token, &keys, now), now)?;
        let deployment = Deployment::new(policy, Release::embedded()?);
        let mut keys = keys.into_iter();
        let payer = keys.next().map(PayingKey);
        let Some(payer) = payer else {
            return Err(Failure::new(ExitStatus::Failed, "no key was made"));
        };
        let limits = Limits {
            max_fee: MAX_FEE,
            wait: PATIENCE,
        };
        deployment.apply(chain, &payer, limits, &mut |_| {}).await?;
        // As `keeper deploy verify` proves it; that its block is final is for the keeper to wait for.
        let record = deployment.verify(chain).await?;
        bank.fund(token, record.vault).await?;
        let failed = |error| Failure::of(ExitStatus::Failed, error).while_doing("a free port");
        let pages = TcpListener::bind(("127.0.0.1", 0)).map_err(failed)?;
        let place = pages.local_addr().map_err(failed)?;
        let contracts = (record.vault, record.lens, token);
        let text = configuration(url, chain_id, contracts, place);
        let config = folder.join(CONFIG);
        write_new(&config, &text)?;
        Ok(Self {
            config,
            pages,
            vault: record.vault,
            token,
            keeper: payer.0.address(),
        })
    }

    pub fn words(&self) -> String {
        let Self {
            config,
            vault,
            token,
            keeper,
            ..
        } = self;
        let folder = config.parent().unwrap_or(config).display();
        format!(
            "token     {token}, a stand-in for USDT\n\
             vault     {vault}, with {} USDT\n\
             keeper    {keeper}\n\
             files     {folder}\n",
            units::shown(FUNDS, 6)
        )
    }
}

/// A key for each, encrypted like any other, with one password that lies beside them.
fn keys(folder: &Path) -> Result<Vec<KeystoreSigner>, Failure> {
    let password = format!("{:032x}", rand::rng().random::<u128>());
    write_new(&folder.join(PASSWORD), &format!("{password}\n"))?;
    let password = SecretString::from(password);
    let made = PARTIES.iter().map(|name| {
        let path = folder.join(format!("{name}.json"));
        Ok(signer::create(&path, &password)?)
    });
    made.collect()
}

fn policy(chain_id: u64, token: Address, keys: &[KeystoreSigner], now: u64) -> String {
    let until = units::time_shown(now.saturating_add(LIFE));
    let names = [
        "@KEEPER@",
        "@SIGNER_1@",
        "@SIGNER_2@",
        "@SIGNER_3@",
        "@GUARDIAN@",
    ];
    let parties = names.into_iter().zip(keys);
    let text = parties.fold(POLICY.to_owned(), |text, (name, key)| {
        text.replace(name, &key.address().to_string())
    });
    text.replace("@CHAIN_ID@", &chain_id.to_string())
        .replace("@TOKEN@", &token.to_string())
        .replace("@UNTIL@", &until)
}

/// The keeper's pages have a port that is known, so that the API finds them.
fn configuration(
    url: &str,
    chain_id: u64,
    (vault, lens, token): (Address, Address, Address),
    pages: SocketAddr,
) -> String {
    let url = Value::from(url);
    format!(
        "# Made by `keeper up --dev`.\n\
         [chain]\nrpc_url = {url}\nchain_id = {chain_id}\nallow_single_node = true\npoll_interval_ms = 250\n\n\
         [vault]\naddress = \"{vault}\"\nlens = \"{lens}\"\ntoken = \"{token}\"\n\n\
         [key]\nkeystore = \"keeper-key.json\"\npassword_file = \"{PASSWORD}\"\n\n\
         [batch]\nmax_wait_ms = 1000\n\n\
         [operations]\nlisten = \"{pages}\"\n\n{SERVED}"
    )
}

/// What a keeper that can serve does beside it.
#[cfg(feature = "service")]
const SERVED: &str = "[serve]\nlisten = \"127.0.0.1:0\"\nasks_node = true\n";
#[cfg(not(feature = "service"))]
const SERVED: &str = "";

/// The node's own account, which has more coins than anybody needs.
struct Bank<'a> {
    node: &'a RpcNode,
    account: Address,
}

impl<'a> Bank<'a> {
    async fn open(node: &'a RpcNode) -> Result<Self, Failure> {
        let accounts: Vec<Address> = ask(node, "eth_accounts", json!([])).await?;
        match accounts.first() {
            Some(account) => Ok(Self {
                node,
                account: *account,
            }),
            None => Err(Failure::new(
                ExitStatus::Refused,
                "--rpc-url: the node has no unlocked account that could pay",
            )),
        }
    }

    /// Sends, and waits for a block that holds it; answers what contract it made.
    async fn send(&self, mut transaction: Value) -> Result<Option<Address>, Failure> {
        if let Some(fields) = transaction.as_object_mut() {
            fields.insert("from".to_owned(), json!(self.account));
            fields.insert("gas".to_owned(), json!(U256::from(ENOUGH)));
        }
        let hash: B256 = ask(self.node, "eth_sendTransaction", json!([transaction])).await?;
        let seen = async {
            loop {
                let receipt: Option<Value> =
                    ask(self.node, "eth_getTransactionReceipt", json!([hash])).await?;
                if let Some(receipt) = receipt {
                    return Ok::<_, Failure>(receipt);
                }
                tokio::time::sleep(PAUSE).await;
            }
        };
        let late = || {
            Failure::new(
                ExitStatus::Chain,
                format!("transaction {hash}: in no block"),
            )
        };
        let receipt = tokio::time::timeout(PATIENCE, seen)
            .await
            .map_err(|_| late())??;
        if receipt.get("status") != Some(&json!("0x1")) {
            let why = format!("transaction {hash}: reverted");
            return Err(Failure::new(ExitStatus::Failed, why));
        }
        let contract = receipt.get("contractAddress").cloned().unwrap_or_default();
        Ok(serde_json::from_value(contract).unwrap_or_default())
    }

    async fn pay(&self, to: Address) -> Result<(), Failure> {
        let transaction = json!({ "to": to, "value": U256::from(GAS) });
        self.send(transaction).await.map(drop)
    }

    async fn make_token(&self) -> Result<Address, Failure> {
        let code: Bytes = TOKEN.trim().parse().unwrap_or_default();
        let named = (U256::ZERO, "Tether USD", "USDT", U256::from(6)).abi_encode_params();
        let data = Bytes::from([code.as_ref(), &named].concat());
        let made = self.send(json!({ "data": data })).await?;
        made.ok_or_else(|| Failure::new(ExitStatus::Failed, "the token was not made"))
    }

    async fn call(&self, to: Address, call: &impl SolCall) -> Result<(), Failure> {
        let data = Bytes::from(call.abi_encode());
        self.send(json!({ "to": to, "data": data })).await.map(drop)
    }

    /// Money for the vault, and a recipient that the token would freeze.
    async fn fund(&self, token: Address, vault: Address) -> Result<(), Failure> {
        let amount = U256::from(FUNDS);
        self.call(token, &Tether::issueCall { amount }).await?;
        let transfer = Tether::transferCall {
            to: vault,
            value: amount,
        };
        self.call(token, &transfer).await?;
        let user = super::samples::FROZEN;
        self.call(token, &Tether::addBlackListCall { user }).await
    }
}

async fn ask<T: DeserializeOwned>(
    node: &RpcNode,
    method: &'static str,
    params: Value,
) -> Result<T, Failure> {
    let answer = node.ask(method, params).await;
    let answer = answer.map_err(|error| Failure::of(ExitStatus::Chain, error))?;
    serde_json::from_value(answer)
        .map_err(|error| Failure::of(ExitStatus::Chain, error).while_doing(method))
}
