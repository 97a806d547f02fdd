//! The figures of `keeper consume`: one table, which is also what documents and alerts are held to.

use std::{collections::BTreeMap, io, net::SocketAddr};

use tidelock_consume::{Board, Figures};

use super::{
    metrics::{self, Kind, Metric, Sample, Value},
    pages::{Serving, figures, listen},
};

/// What each source comes to, by name.
pub type Consumed = BTreeMap<String, Figures>;

macro_rules! consumed {
    ($($name:literal $kind:ident [$($label:literal),*] $field:ident $help:literal;)*) => {
        /// Every figure that a consumer serves.
        pub static CONSUMED: &[Metric<Consumed>] = &[$(Metric {
            name: $name,
            kind: Kind::$kind,
            labels: &[$($label),*],
            help: $help,
            read: |consumed| each(consumed, |figures| u64::from(figures.$field)),
        },)*];
    };
}

consumed! {
    "tidelock_consume_connected" Gauge ["source"] connected "1 if the broker hands this consumer messages, 0 if it does not";
    "tidelock_consume_filed_total" Counter ["source"] filed "Messages whose request was filed";
    "tidelock_consume_known_total" Counter ["source"] known "Messages whose request had been filed before";
    "tidelock_consume_dead_letters_total" Counter ["source"] dead "Messages that were refused for good and put among the dead letters";
    "tidelock_consume_retried_total" Counter ["source"] retried "Tries that came to nothing and are made again";
    "tidelock_consume_retrying" Gauge ["source"] retrying "Messages that wait for another try";
}

fn each(consumed: &Consumed, read: fn(&Figures) -> u64) -> Vec<Sample> {
    let samples = consumed.iter().map(|(name, figures)| Sample {
        labels: vec![name.clone()],
        value: Value::Count(read(figures)),
    });
    samples.collect()
}

/// Begins to serve `/healthz` and `/metrics` of a consumer. Must be called on a runtime.
pub async fn serve_consumed(address: SocketAddr, board: Board) -> io::Result<Serving> {
    listen(address, move |request| {
        let text = || metrics::text(CONSUMED, board.read());
        let answer = figures(request.method(), request.uri().path(), text);
        async move { answer }
    })
    .await
}
