//! How the server asks its node.

use alloy::primitives::U256;
use serde_json::{Value, json};

use super::{
    api::key,
    chain::{beside, keeper},
    support::Kind,
};

/// What a node of another chain says of this address would be told as if it were the vault's.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_of_another_chain_is_not_believed() {
    let (world, mut daemon, mut api) = beside(Kind::Sqlite).await;
    let key = key(keeper(daemon.folder()), "a test", "read");
    let vault = format!("/v1/vaults/{}", world.domain.vault);
    api.get(&key, &vault).await.of(200);
    daemon.kill();
    api.kill();
    let other = world.domain.chain_id.0 + 1;
    world.ask::<Value>("anvil_setChainId", json!([other])).await;
    let now: U256 = world.ask("eth_chainId", json!([])).await;
    assert_eq!(now, U256::from(other));
    api.start(keeper(daemon.folder()));
    for place in [vault.as_str(), "/v1/approvals"] {
        api.get(&key, place).await.refused(503, "unavailable");
    }
    let why = format!("the node is on chain {other}");
    assert!(api.log().contains(&why), "{}", api.log());
}
