//! How fast the service around the engine is: withdrawals filed and read over HTTP, events at many readers, and what the engine loses to
//! all of that. The real programs, each a process of its own, on both databases.
//!
//! `cargo bench -p tidelock-keeper --bench service -- [--seconds N] [--payments N] [--readers N] [--newcomers N]`
//!
//! Run by `cargo test` it does a little of each, which shows that it can.

#![allow(
    missing_docs,
    clippy::panic,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::float_arithmetic,
    reason = "a measurement that cannot go on should say so and end; its figures are for people"
)]

#[path = "../drain/backlog.rs"]
mod backlog;
mod client;
mod filing;
#[path = "../made/mod.rs"]
#[allow(
    dead_code,
    unreachable_pub,
    clippy::pedantic,
    reason = "shared with other measurements"
)]
mod made;
#[path = "../drain/measure.rs"]
#[allow(dead_code, reason = "shared with another measurement")]
mod measure;
mod plain;
#[path = "../../tests/support/postgres.rs"]
#[allow(
    dead_code,
    unreachable_pub,
    clippy::pedantic,
    reason = "shared with tests"
)]
mod postgres;
mod reading;
mod server;
mod share;
mod streams;
#[path = "../drain/timed.rs"]
#[allow(dead_code, reason = "shared with another measurement")]
mod timed;
#[path = "../../tests/world/mod.rs"]
mod world;

use std::{env, process::Command, thread};

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    if let [word, place] = &arguments[..]
        && word == plain::WORD
    {
        return plain::serve(place).await;
    }
    // cargo says so when it measures. Without, it tests: all, or what has some words in its name.
    let is_smoke = !arguments.iter().any(|argument| argument == "--bench");
    let is_test = |name: &str| !name.starts_with("--") && name != "service";
    if is_smoke
        && arguments
            .iter()
            .any(|argument| is_test(argument) || argument == "--list")
    {
        return;
    }
    let of = |name: &str, most: u64, least: u64| {
        let at = arguments.iter().position(|argument| argument == name);
        let given = at.map(|at| arguments[at + 1].parse().expect("a whole number"));
        given.unwrap_or(if is_smoke { least } else { most })
    };
    println!("{}\n", machine());
    filing::measure(of("--seconds", 10, 1)).await;
    let readers = of("--readers", 1_000, 20);
    streams::measure(readers, if is_smoke { 5 } else { 200 }).await;
    let payments = of("--payments", 10_000_000, 1_000);
    reading::measure(payments, of("--seconds", 10, 1)).await;
    share::measure(of("--newcomers", 10_000, 600), readers).await;
}

/// What the figures are of: they mean little elsewhere.
fn machine() -> String {
    let build = if cfg!(debug_assertions) {
        "unoptimised build"
    } else {
        "release build"
    };
    let cores = thread::available_parallelism().map_or(0, |cores| cores.get());
    let name = Command::new("uname").arg("-srm").output();
    let name = name.map(|done| String::from_utf8_lossy(&done.stdout).trim().to_owned());
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or_default().to_owned();
    format!(
        "Service: {build}, {}, {cores} cores that client and servers share, load before: {load}",
        name.unwrap_or_default()
    )
}

fn row(what: &str, result: &str, target: &str) {
    println!("{what:<78} {result:>16}  {target}");
}

/// The middle one, and the one that a hundredth is above. [milliseconds]
fn spread(micros: &[u64]) -> (f64, f64) {
    let micros: Vec<f64> = micros
        .iter()
        .map(|micros| *micros as f64 / 1_000.0)
        .collect();
    (
        measure::percentile(&micros, 50),
        measure::percentile(&micros, 99),
    )
}

/// The store blocks, which a thread of the runtime must not.
async fn on_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let thread = thread::spawn(work);
    let joined = tokio::task::spawn_blocking(move || thread.join().unwrap());
    joined.await.unwrap()
}
