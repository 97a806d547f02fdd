//! From one key to the next, while payments keep coming.

use alloy::primitives::{Address, Bytes, U256};
use alloy_sol_types::{SolValue, sol};
use serde_json::{Value, json};
use tidelock_core::{abi::Vault, domain::Payment};

use super::{
    are_paid, office, payments,
    token::with_key,
    world::{DAY, Office, World, as_keystore, expect, json_of, out},
};

sol! {
    struct RoleChange {
        address account;
        uint8 role;
        uint40 oldUntil;
        uint40 until;
        uint64 nonce;
        uint40 expiresAt;
    }
}

const ROLE_CHANGE: u8 = 3;
const KEEPER: u8 = 0;
const PROPOSER: u8 = 1;

/// Signers grant a role: proposal, quorum, delay, execution.
async fn grant(world: &World, account: Address, role: u8) {
    let now = world.head().await.time.seconds();
    let change = RoleChange {
        account,
        role,
        oldUntil: Default::default(),
        until: (now + 100 * u64::from(DAY)).try_into().unwrap(),
        nonce: u64::from(role),
        expiresAt: (now + 10 * u64::from(DAY)).try_into().unwrap(),
    };
    let change = Bytes::from(change.abi_encode());
    let kind = ROLE_CHANGE;
    let signer = |index: usize| world.keys.signers[index].address();
    let propose = Vault::proposeChangeCall {
        kind,
        change: change.clone(),
    };
    assert!(world.vault_call(signer(0), &propose).await.success);
    let approve = Vault::approveChangeCall {
        kind,
        change: change.clone(),
    };
    assert!(world.vault_call(signer(1), &approve).await.success);
    world.skip(u64::from(2 * DAY) + 1).await;
    let execute = Vault::executeChangeCall { kind, change };
    assert!(world.vault_call(signer(0), &execute).await.success);
}

/// What `keeper key` says of the change.
async fn stands(office: &Office) -> String {
    let shown = json_of(&office.keeper(&["--json", "key"]).await);
    shown["stands"].as_str().unwrap().to_owned()
}

/// Blocks that hold a transaction of the account to the vault.
async fn blocks_of(world: &World, account: Address) -> Vec<u64> {
    let mut found = Vec::new();
    for number in 0..=world.head().await.number {
        let block: Value = world
            .ask("eth_getBlockByNumber", json!([U256::from(number), true]))
            .await;
        let transactions = block["transactions"].as_array().unwrap();
        let is_its = |transaction: &&Value| {
            transaction["from"] == json!(account) && transaction["to"] == json!(world.domain.vault)
        };
        found.extend(transactions.iter().filter(is_its).map(|_| number));
    }
    found
}

async fn paid(office: &Office, payments: &[Payment]) {
    let what = format!("{} are paid", payments.len());
    let are_so = async || are_paid(&office.world, payments).await;
    office.until(&what, are_so).await;
}

fn sections(office: &Office) -> (String, String) {
    let next = &office.world.keys.stranger;
    let path = office.path("next-key.json");
    as_keystore(path.parent().unwrap(), "next-key.json", next, "open sesame");
    let old = "[key]\nkeystore = \"keeper-key.json\"\npassword_file = \"password\"\n".to_owned();
    let new = format!(
        "keystore = \"next-key.json\"\npassword_file = \"password\"\naddress = \"{}\"\n",
        next.address()
    );
    (old, new)
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_change_while_payments_keep_coming() {
    let office = office().await;
    let world = &office.world;
    let (old, next) = (world.keys.keeper.address(), world.keys.stranger.address());
    let (old_section, next_section) = sections(&office);
    with_key(&office, &format!("{old_section}[next_key]\n{next_section}"));
    let all = payments(0x61..0x7f);
    let daemon = office.daemon().await;
    office.request(all[..5].to_vec());
    paid(&office, &all[..5]).await;
    let waits = "the next key waits for the keeper's role: have signers grant it";
    assert_eq!(stands(&office).await, waits);

    grant(world, next, KEEPER).await;
    office.request(all[5..10].to_vec());
    paid(&office, &all[..10]).await;
    assert!(
        stands(&office)
            .await
            .contains("it lacks the proposer's role")
    );
    assert!(blocks_of(world, next).await.is_empty());

    grant(world, next, PROPOSER).await;
    office.request(all[10..20].to_vec());
    office
        .until("the next key sends", async || {
            office.log().contains("the next key sends from now on")
        })
        .await;
    office.request(all[20..25].to_vec());
    paid(&office, &all[..25]).await;
    let (before, after) = (blocks_of(world, old).await, blocks_of(world, next).await);
    assert!(before.last() < after.first(), "{before:?}, then {after:?}");
    assert!(!after.is_empty());
    let shown = office.keeper(&["key"]).await;
    expect(&shown, 0, "have a guardian take the old key's roles");
    assert!(out(&shown).contains(&format!("{next}, keystore, sends")));
    daemon.stop();

    // With the configuration as it is, and as it should be then.
    let daemon = office.daemon().await;
    office.request(all[25..27].to_vec());
    paid(&office, &all[..27]).await;
    daemon.stop();
    with_key_moved(&office, &next_section);
    let daemon = office.daemon().await;
    office.request(all[27..].to_vec());
    paid(&office, &all).await;
    daemon.stop();
    assert_eq!(
        blocks_of(world, old).await,
        before,
        "the old key has sent again"
    );
    for check in [&["verify-log", "--chain"][..], &["reconcile"]] {
        expect(&office.keeper(check).await, 0, "");
    }
}

/// A stolen key: a guardian takes its role, and the log goes on with the next one.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_whose_role_was_taken_hands_over() {
    let office = office().await;
    let world = &office.world;
    let (old, next) = (world.keys.keeper.address(), world.keys.stranger.address());
    let (old_section, next_section) = sections(&office);
    let all = payments(0x61..0x69);
    let daemon = office.daemon().await;
    office.request(all[..4].to_vec());
    paid(&office, &all[..4]).await;
    daemon.stop();
    let before = blocks_of(world, old).await;

    for role in [KEEPER, PROPOSER] {
        let take = Vault::revokeRoleCall { account: old, role };
        let guardian = world.keys.guardian.address();
        assert!(world.vault_call(guardian, &take).await.success);
    }
    grant(world, next, KEEPER).await;
    with_key(&office, &format!("{old_section}[next_key]\n{next_section}"));
    office.request(all[4..].to_vec());
    let daemon = office.daemon().await;
    paid(&office, &all).await;
    daemon.stop();
    assert_eq!(
        blocks_of(world, old).await,
        before,
        "the old key has sent again"
    );
    assert!(!blocks_of(world, next).await.is_empty());
    expect(&office.keeper(&["reconcile"]).await, 0, "");
}

fn with_key_moved(office: &Office, next_section: &str) {
    with_key(office, &format!("[key]\n{next_section}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_is_not_taken_over_by_a_key_that_nobody_announced() {
    let office = office().await;
    let daemon = office.daemon().await;
    daemon.stop();
    let (_, next_section) = sections(&office);
    with_key_moved(&office, &next_section);
    grant(&office.world, office.world.keys.stranger.address(), KEEPER).await;
    let refused = office.keeper(&["run"]).await;
    let of_log = office.world.keys.keeper.address();
    let words = format!("the log is of key {of_log}; must be the same, or stand in [next_key]");
    expect(&refused, 2, &words);
}
