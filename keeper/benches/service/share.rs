//! How full the engine makes blocks: alone, and while API, publisher and many readers work on the same store. One backlog each, of
//! payments to new recipients, on one anvil.

use std::{
    convert::Infallible,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use http_body_util::{BodyExt as _, Empty};
use hyper::{
    Request, Response,
    body::{Bytes, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tidelock_core::domain::Payment;
use tokio::net::TcpListener;

use super::{
    backlog::{identity, payments, prepare, settled, work_off},
    client::{Client, get, post},
    measure::Blocks,
    row,
    server::{Database, Place},
    streams::Readers,
    timed::Timed,
    world::{Mining, Plan, USDT, World},
};

/// Of the payments, those that are filed over HTTP while the others are paid: one in so many.
const LATER: u64 = 10;
/// Between two questions of the client that asks all the time, and two withdrawals that are filed.
const PACE: Duration = Duration::from_millis(10);

pub async fn measure(count: u64, readers: u64) {
    let world = World::start(Plan {
        mining: Mining::Every(1),
        block_gas_limit: 30_000_000,
        balance: 1_000_000 * USDT,
        ..Plan::default()
    })
    .await;
    let alone = {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keeper.db");
        settled(&world).await;
        prepare(&world, &path, 1, recipients(1, count)).await;
        worked_off(&world, &path, count).await
    };
    let (together, told, heard) = together(&world, count, readers).await;
    row(
        &format!("engine's share of block gas, {count} newcomers, alone"),
        &format!("{alone:.3}"),
        "",
    );
    row(
        &format!("  with API, publisher and {readers} readers at work"),
        &format!("{together:.3}"),
        "within 0.02 of alone",
    );
    row("  less", &format!("{:.3}", alone - together), "<= 0.02");
    row(
        "  events that the receiver of webhooks took, and that readers heard",
        &format!("{told}, {heard}"),
        "",
    );
}

/// Each backlog has recipients of its own: a first payment to somebody costs more.
fn recipients(log: u32, count: u64) -> Vec<Payment> {
    let each = payments(log, count, count).into_iter();
    let moved = each.map(|payment| {
        let mut recipient = payment.recipient().into_array();
        recipient[0] = log as u8;
        Payment::new(recipient.into(), payment.amount(), payment.reference()).unwrap()
    });
    moved.collect()
}

async fn worked_off(world: &World, path: &Path, count: u64) -> f64 {
    let timed = Arc::new(Timed::new(world.chain()));
    work_off(world, path, &timed, count).await;
    let sent = timed.sent();
    let full = sent.iter().map(|sent| sent.payments).max().unwrap_or(0);
    let blocks = Blocks::read(world, &timed.paid_by_block()).await;
    blocks.share(count, full)
}

async fn together(world: &World, count: u64, readers: u64) -> (f64, u64, u64) {
    let taken = Arc::new(AtomicU64::new(0));
    let receiver = receive(taken.clone()).await;
    let more = format!(
        "[publish]\nprivate_hosts = [\"127.0.0.1\"]\n[[publish.webhook]]\nname = \"bench\"\n\
         url = \"http://{receiver}/\"\nsecrets = [\"file:bench.secret\"]\n"
    );
    let node = world.node.url().to_string();
    let place = Place::new(Database::Sqlite, &identity(world), &node, &more);
    let secret = place.ask(&["publish", "secret"]);
    private(&place.path("bench.secret"), &secret);
    settled(world).await;
    let (mut first, mut later) = (recipients(2, count), Vec::new());
    later.extend(first.drain(first.len() - (count / LATER) as usize..));
    let some = first[0];
    prepare(world, &place.location.path, 2, first).await;
    let (key, server) = (place.key(), place.serve());
    let _publisher = place.publish();
    let open = Readers::open(&server.address, &key, readers).await;
    let is_over = Arc::new(AtomicBool::new(false));
    let asking = tokio::spawn(ask(
        server.address.clone(),
        key.clone(),
        some,
        is_over.clone(),
    ));
    let filing = tokio::spawn(file(server.address.clone(), key, later));
    let share = worked_off(world, &place.location.path, count).await;
    is_over.store(true, Ordering::Relaxed);
    asking.await.unwrap();
    filing.await.unwrap();
    (share, taken.load(Ordering::Relaxed), open.end())
}

fn private(path: &Path, text: &str) {
    use std::{io::Write, os::unix::fs::OpenOptionsExt};
    let mut file = std::fs::OpenOptions::new();
    let file = file.write(true).create_new(true).mode(0o600).open(path);
    file.unwrap().write_all(text.as_bytes()).unwrap();
}

/// Looks at a withdrawal and at the newest of the list, again and again.
async fn ask(address: String, key: String, some: Payment, is_over: Arc<AtomicBool>) {
    let mut client = Client::open(&address).await;
    let one = get(&format!("/v1/withdrawals/{}", some.reference()), &key);
    let list = get("/v1/withdrawals?limit=20", &key);
    while !is_over.load(Ordering::Relaxed) {
        for asked in [&one, &list] {
            assert_eq!(client.ask(asked).await, 200);
            tokio::time::sleep(PACE).await;
        }
    }
}

async fn file(address: String, key: String, payments: Vec<Payment>) {
    let mut client = Client::open(&address).await;
    for payment in payments {
        let (reference, to) = (payment.reference(), payment.recipient());
        let amount = payment.amount().display(6);
        let body = format!(r#"{{"ref":"{reference}","to":"{to}","amount":"{amount}"}}"#);
        let asked = post("/v1/withdrawals", &key, &body);
        assert_eq!(client.ask(&asked).await, 201);
        tokio::time::sleep(PACE).await;
    }
}

/// Takes every webhook, until this process ends.
async fn receive(taken: Arc<AtomicU64>) -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let taken = taken.clone();
            let service = service_fn(move |request: Request<Incoming>| {
                let taken = taken.clone();
                async move {
                    request.into_body().collect().await.unwrap();
                    taken.fetch_add(1, Ordering::Relaxed);
                    Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new()))
                }
            });
            let connection = http1::Builder::new();
            tokio::spawn(connection.serve_connection(TokioIo::new(stream), service));
        }
    });
    address
}
