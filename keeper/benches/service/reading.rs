//! One withdrawal asked for among very many.

use std::time::Instant;

use tidelock_keeper::store::LogStore;

use super::{
    client::get,
    filing::load,
    made::{self, BATCH, Log},
    on_thread, row,
    server::{Database, Place, no_chain},
    spread,
};

const CONNECTIONS: u64 = 4;
/// Batches that are committed at once.
const ROUNDS: u64 = 16;

pub async fn measure(payments: u64, seconds: u64) {
    for database in Database::BOTH {
        let (identity, opening) = no_chain();
        let place = Place::new(database, &identity, "http://127.0.0.1:1", "");
        let location = place.location.clone();
        let begin = Instant::now();
        let made = on_thread(move || {
            let mut store = LogStore::create(&location, identity).unwrap();
            let mut log = Log::open(opening, true).in_lists();
            while log.state.arrivals() < payments {
                for _ in 0..ROUNDS {
                    log.round();
                }
                log.commit(&mut store);
            }
            let made = log.state.arrivals();
            store.close().unwrap();
            made
        })
        .await;
        let took = begin.elapsed().as_secs();
        let (key, server) = (place.key(), place.serve());
        let asked = load(&server.address, CONNECTIONS, seconds, 200, move |index| {
            // Anywhere among them.
            let which = index.wrapping_mul(0x9e37_79b9_7f4a_7c15) % made;
            let reference = made::ordered(which + 1).reference();
            get(&format!("/v1/withdrawals/{reference}"), &key)
        })
        .await;
        let name = database.name();
        let (middle, last) = spread(&asked.micros);
        row(
            &format!("GET /v1/withdrawals/{{ref}}, {made} payments, {name}, p50, p99 [ms]"),
            &format!("{middle:.1}, {last:.1}"),
            "p99 < 5",
        );
        row(
            &format!(
                "  {CONNECTIONS} connections [1/s]; made in {took} s, {} batches",
                made / BATCH
            ),
            &format!("{:.0}", asked.per_second()),
            "",
        );
    }
}
