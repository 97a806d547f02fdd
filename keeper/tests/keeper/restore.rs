//! A lost database.

use tidelock_core::{
    abi::Vault::BatchPaid,
    domain::Payment,
    event::{Command, Mode},
    lifecycle::PaymentStatus,
    store::Store,
};

use std::path::PathBuf;

use alloy::primitives::{Address, Bytes, U256};
use alloy_sol_types::SolEvent;
use serde_json::{Value, json};
use tidelock_keeper::{
    chain::{Expected, Parties, RpcChain},
    opening::{Suspicion, read_past},
    store::LogStore,
};

use super::{
    daemon::{Daemon, each_paid_once},
    liar::{Lie, Server},
    pooled, small, start,
    world::{Mining, Plan},
};

#[tokio::test(flavor = "multi_thread")]
async fn what_was_paid_before_the_database_was_lost_is_not_paid_again() {
    let (world, mut daemon) = start(Plan::default(), "").await;
    daemon.start();
    daemon.opened().await;
    let payments = small(0..6);
    daemon.file(&payments[..4]);
    daemon.until_count(PaymentStatus::Paid, 4).await;
    daemon.stop();
    daemon.lose_file();
    daemon.start(); // it says that it is the first, and is not believed
    daemon.opened().await;
    daemon.until_count(PaymentStatus::Paid, 4).await;
    daemon.file(&payments); // all of them again
    daemon
        .until("it waits for what may still land", |daemon| {
            daemon.log().contains("then `keeper resume`")
        })
        .await;
    world.mine(3).await;
    assert!(world.token_balance(payments[5].recipient()).await.is_zero());
    daemon.waited(&world, LIFE).await;
    // A person has to have looked, however long the wait is over.
    world.mine(3).await;
    assert!(world.token_balance(payments[5].recipient()).await.is_zero());
    daemon.ask(&["resume", "--reason", "looked at", "--json"]);
    daemon.until_count(PaymentStatus::Paid, 6).await;
    each_paid_once(&world, &payments).await;
}

/// Every transaction that the log has.
fn signed_in(store: PathBuf) -> Vec<Bytes> {
    let read = move || {
        let mut store = LogStore::open(&store).unwrap();
        let slots = store.load().unwrap().unwrap().rows.slots;
        let attempts = slots.into_iter().flat_map(|slot| slot.attempts);
        attempts.map(|attempt| attempt.raw).collect()
    };
    std::thread::spawn(read).join().unwrap()
}

/// The vault was never used, and the node has forgotten what the lost log sent: nothing shows that there was one.
#[tokio::test(flavor = "multi_thread")]
async fn what_left_no_trace_is_waited_for_too() {
    let (world, mut daemon) = start(Plan::default(), "").await;
    let payments = pooled(&world, &mut daemon).await;
    daemon.kill();
    let keeper = world.keys.keeper.address();
    let signed = signed_in(daemon.store());
    world
        .ask::<Value>("anvil_dropAllTransactions", json!([]))
        .await;
    daemon.lose_file();
    world.set_mining(Mining::Every(1)).await;

    daemon.start_with(&["run"]);
    daemon.opened().await;
    daemon.file(&payments);
    daemon
        .until("it waits", |daemon| daemon.log().contains("--first-keeper"))
        .await;
    for raw in signed {
        world
            .ask::<Value>("eth_sendRawTransaction", json!([raw]))
            .await;
    }
    world.mine(8).await;
    let nonce: U256 = world
        .ask("eth_getTransactionCount", json!([keeper, "latest"]))
        .await;
    assert!(!nonce.is_zero(), "what the lost log signed has landed");
    world.skip(7_201).await;
    daemon
        .until("it has seen what landed", |daemon| {
            daemon.log().contains("which is not its own")
        })
        .await;
    each_paid_once(&world, &payments).await;
}

/// Key and database are lost together: the new key has sent nothing, and the old one may have.
#[tokio::test(flavor = "multi_thread")]
async fn a_new_key_waits_for_the_old_one() {
    let (world, mut daemon) = start(Plan::default(), "").await;
    let parties = Parties {
        keeper: Address::repeat_byte(0x77),
        ..world.parties()
    };
    let chain = RpcChain::new(world.rpc.clone(), parties);
    let opened = async |is_first| {
        let expected = Expected {
            has_second_node: false,
            allow_single_node: true,
            sends: false,
        };
        let identity = chain.identify(expected).await.unwrap();
        let past = read_past((&chain, None), &identity, 0, (7_200, is_first), |_| {}).await;
        past.unwrap().wait.map(|(_, suspicion)| suspicion)
    };
    assert_eq!(opened(false).await, Some(Suspicion::Unsaid));
    assert_eq!(opened(true).await, None);
    daemon.start();
    daemon.opened().await;
    daemon.file(&small(0..1));
    daemon.until_count(PaymentStatus::Paid, 1).await;
    assert_eq!(opened(true).await, Some(Suspicion::Used));
}

/// A ref that is not known to be paid would be paid again.
#[tokio::test(flavor = "multi_thread")]
async fn a_past_with_a_hole_is_not_believed() {
    let (world, mut daemon) = start(Plan::default(), "[batch]\nmax_payments = 2").await;
    daemon.start();
    daemon.opened().await;
    daemon.file(&small(0..6));
    daemon.until_count(PaymentStatus::Paid, 6).await;
    daemon.stop();
    world.set_mining(Mining::ByHand).await;
    let expected = Expected {
        has_second_node: false,
        allow_single_node: true,
        sends: false,
    };
    for hidden in 0..3 {
        let server = Server::start(world.node.url(), move |method, _, truth| {
            let paid = json!(BatchPaid::SIGNATURE_HASH);
            let mut answer = truth.clone();
            match (method, answer.as_array_mut()) {
                ("eth_getLogs", Some(logs)) => {
                    let mut seen = 0;
                    logs.retain(|log| {
                        seen += usize::from(log["topics"][0] == paid);
                        log["topics"][0] != paid || seen != hidden + 1
                    });
                    Lie::Result(answer)
                }
                _ => Lie::Truth,
            }
        })
        .await;
        let chain = server.chain(&world);
        let identity = chain.identify(expected).await.unwrap();
        let past = read_past((&chain, None), &identity, 0, (7_200, false), |_| {}).await;
        let why = past.unwrap_err().to_string();
        assert!(why.contains("is paid, and no log was shown"), "{why}");
    }
}

fn note() -> String {
    "a test".to_owned()
}

fn hold(payment: &Payment) -> Command {
    Command::Hold {
        reference: payment.reference(),
        note: note(),
    }
}

/// Of an attempt, as it is set unless somebody sets it. [seconds]
const LIFE: u64 = 7_200;

async fn halted(daemon: &Daemon) {
    daemon
        .comes_to("it is halted", |head| head.mode != Mode::Armed)
        .await;
}

fn backup(daemon: &Daemon) -> String {
    let file = daemon.store().with_file_name("backup.db");
    file.to_str().unwrap().to_owned()
}

/// Of eight requests at the time of the backup two are paid, one is withdrawn, one is held; two more are paid after it and one is
/// filed after it.
#[tokio::test(flavor = "multi_thread")]
async fn a_backup_gives_back_what_the_chain_does_not_know() {
    let (world, mut daemon) = start(Plan::default(), "").await;
    daemon.start();
    daemon.opened().await;
    let payments = small(0..8);
    daemon.file(&payments[..2]);
    daemon.until_count(PaymentStatus::Paid, 2).await;
    daemon.tell(Command::Halt { note: note() });
    halted(&daemon).await;
    daemon.file(&payments[2..7]);
    daemon
        .comes_to("they are taken in", |head| head.arrivals == 7)
        .await;
    let (cancelled, held, open, lost) = (&payments[4], &payments[5], &payments[6], &payments[7]);
    daemon.tell(Command::Cancel {
        reference: cancelled.reference(),
        note: note(),
    });
    daemon.tell(hold(held));
    daemon.until_count(PaymentStatus::Cancelled, 1).await;
    daemon.until_count(PaymentStatus::Held, 1).await;
    let file = backup(&daemon);
    let made = daemon.ask(&["backup", "--to", &file, "--json"]);
    assert_eq!(made["payments"]["paid"], 2, "{made}");
    assert_eq!(daemon.refused(&["backup", "--to", &file]).0, 3);

    daemon.tell(hold(open));
    daemon.until_count(PaymentStatus::Held, 2).await;
    daemon.tell(Command::Resume { note: note() });
    daemon.until_count(PaymentStatus::Paid, 4).await;
    daemon.tell(Command::Halt { note: note() });
    halted(&daemon).await;
    daemon.file(&payments[7..]);
    daemon.kill();
    daemon.lose_file();

    daemon.start_with(&["run"]);
    daemon.opened().await;
    let restore = ["restore", "--from", &file, "--json"];
    let (code, why) = daemon.refused(&restore);
    assert!(code == 3 && why.contains("waits until a block of"), "{why}");
    daemon.waited(&world, LIFE).await;
    let would = daemon.ask(&["restore", "--from", &file, "--json", "--dry-run"]);
    assert_eq!(would["to_file"], 3, "{would}");
    let done = daemon.ask(&restore);
    assert_eq!(done["filed"], 3, "{done}");
    assert_eq!(done["withdrawn"], 1, "{done}");
    assert_eq!(done["held"], 1, "{done}");
    assert_eq!(done["known"], 2, "{done}");
    let again = daemon.ask(&restore);
    assert_eq!((&again["filed"], &again["to_file"]), (&0.into(), &0.into()));
    assert_eq!((&again["held"], &again["to_hold"]), (&0.into(), &0.into()));

    // Nothing of it is paid until an operator resumes.
    world.mine(3).await;
    let end = world.head().await.number;
    daemon
        .comes_to("these blocks", |head| head.finalised.number >= end)
        .await;
    assert!(world.token_balance(open.recipient()).await.is_zero());
    daemon.ask(&["resume", "--reason", "looked at", "--json"]);
    // Filed again, as with a whole list: what was withdrawn stays so.
    daemon.file(std::slice::from_ref(cancelled));
    daemon.file(std::slice::from_ref(lost));
    daemon.until_count(PaymentStatus::Paid, 6).await;
    assert_eq!(daemon.count(PaymentStatus::Held), 1);
    let paid: Vec<Payment> = [&payments[..4], &payments[6..]].concat();
    each_paid_once(&world, &paid).await;
}

/// It was signed and sent before the backup was made, and is mined after everything is lost. The new log finds its nonce used and
/// halts, as after any transaction that it did not sign; what was paid is known all the same.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_under_way_is_not_restored() {
    let (world, mut daemon) = start(Plan::default(), "").await;
    let payments = pooled(&world, &mut daemon).await;
    let file = backup(&daemon);
    daemon.ask(&["backup", "--to", &file, "--json"]);
    daemon.kill();
    daemon.lose_file();
    daemon.start_with(&["run"]);
    daemon.opened().await;
    world.set_mining(Mining::Every(1)).await;
    world.mine(3).await;
    daemon.waited(&world, LIFE).await;
    let done = daemon.ask(&["restore", "--from", &file, "--json"]);
    assert_eq!((&done["filed"], &done["known"]), (&0.into(), &5.into()));
    each_paid_once(&world, &payments).await;
}
