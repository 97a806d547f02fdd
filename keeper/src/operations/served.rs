//! The figures of `keeper serve`: one table, which is also what documents are held to.

use std::{io, net::SocketAddr};

use tidelock_api::{Board, Figures};

use super::{
    metrics::{self, Kind, Metric, Sample, Value},
    pages::{Serving, figures, listen},
};

macro_rules! served {
    ($($name:literal $kind:ident [$($label:literal),*] $read:ident $help:literal;)*) => {
        /// Every figure that a server of the API serves.
        pub static SERVED: &[Metric<Figures>] = &[$(Metric {
            name: $name,
            kind: Kind::$kind,
            labels: &[$($label),*],
            help: $help,
            read: $read,
        },)*];
    };
}

served! {
    "tidelock_serve_connections" Gauge [] connections "Connections that are open; those that follow events are among them";
    "tidelock_serve_streams" Gauge ["kind"] streams "Readers that follow events, by `sse` or `websocket`";
    "tidelock_serve_cut_off_total" Counter ["why"] cut_off "Who was cut off: `stalled` took nothing for `serve.write_timeout_ms`, `behind` fell too far behind the log's end";
}

fn connections(figures: &Figures) -> Vec<Sample> {
    vec![Sample {
        labels: Vec::new(),
        value: Value::Count(figures.connections),
    }]
}

fn streams(figures: &Figures) -> Vec<Sample> {
    each([("sse", figures.streams), ("websocket", figures.sockets)])
}

fn cut_off(figures: &Figures) -> Vec<Sample> {
    each([("stalled", figures.stalled), ("behind", figures.behind)])
}

fn each(counts: [(&str, u64); 2]) -> Vec<Sample> {
    let samples = counts.into_iter().map(|(label, count)| Sample {
        labels: vec![label.to_owned()],
        value: Value::Count(count),
    });
    samples.collect()
}

/// Begins to serve `/healthz` and `/metrics` of a server. Must be called on a runtime.
pub async fn serve_served(address: SocketAddr, board: Board) -> io::Result<Serving> {
    listen(address, move |request| {
        let text = || metrics::text(SERVED, board.read());
        let answer = figures(request.method(), request.uri().path(), text);
        async move { answer }
    })
    .await
}
