//! The figures of `keeper publish`: one table, which is also what documents and alerts are held to.

use std::{collections::BTreeMap, io, net::SocketAddr};

use tidelock_publish::{Board, Figures};

use super::{
    metrics::{self, Kind, Metric, Sample, Value},
    pages::{Serving, figures, listen},
};

/// What each receiver comes to, by name.
pub type Published = BTreeMap<String, Figures>;

macro_rules! published {
    ($($name:literal $kind:ident [$($label:literal),*] $field:ident $help:literal;)*) => {
        /// Every figure that a publisher serves.
        pub static PUBLISHED: &[Metric<Published>] = &[$(Metric {
            name: $name,
            kind: Kind::$kind,
            labels: &[$($label),*],
            help: $help,
            read: |published| each(published, |figures| u64::from(figures.$field)),
        },)*];
    };
}

published! {
    "tidelock_publish_active" Gauge ["sink"] active "1 if this publisher works for the receiver, 0 if it stands by or is interrupted";
    "tidelock_publish_lag_entries" Gauge ["sink"] lag_entries "Entries of the log that the receiver has not been told of";
    "tidelock_publish_lag_seconds" Gauge ["sink"] lag_seconds "How long the first of them has been there, as far as this publisher has seen";
    "tidelock_publish_retrying" Gauge ["sink"] retrying "Events that the receiver did not take and that are tried again, and those that wait behind them";
    "tidelock_publish_dead_letters" Gauge ["sink"] dead "Events that were given up; `keeper publish dead` lists them";
    "tidelock_publish_taken_total" Counter ["sink"] taken "Events that the receiver took";
    "tidelock_publish_refused_total" Counter ["sink"] refused "Tries that it did not take";
}

fn each(published: &Published, read: fn(&Figures) -> u64) -> Vec<Sample> {
    let samples = published.iter().map(|(name, figures)| Sample {
        labels: vec![name.clone()],
        value: Value::Count(read(figures)),
    });
    samples.collect()
}

/// Begins to serve `/healthz` and `/metrics` of a publisher. Must be called on a runtime.
pub async fn serve_published(address: SocketAddr, board: Board) -> io::Result<Serving> {
    listen(address, move |request| {
        let text = || metrics::text(PUBLISHED, board.read());
        let answer = figures(request.method(), request.uri().path(), text);
        async move { answer }
    })
    .await
}
