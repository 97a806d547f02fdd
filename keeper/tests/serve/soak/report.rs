//! What was seen, and what of it must not be.

use std::{
    collections::BTreeMap,
    sync::{Arc, atomic::Ordering},
};

use serde_json::Value;
use tidelock_core::domain::Payment;

use super::{clients::Shared, site::Site};
use crate::support::Kind;

/// What a server may take that serves a few clients and is attacked by a few. [MiB]
const MOST_MIB: u64 = 256;
/// Looks at the memory from which on its growth is judged: before, caches fill. Some minutes of them.
const ENOUGH: usize = 960;
/// How much more it may take in the last quarter than in the second one. [percent]
const GROWTH: u64 = 125;

/// What a reader of the stream heard, over all its connections.
#[derive(Debug, Clone, Default)]
pub struct Heard {
    pub last: u64,
    /// How often each ref was told to be paid.
    pub paid: BTreeMap<String, u64>,
    pub findings: Vec<String>,
}

impl Heard {
    pub fn take(&mut self, sequence: u64, kind: &str, event: &Value) {
        if sequence != self.last + 1 {
            let last = self.last;
            self.findings.push(format!("event {sequence} after {last}"));
        }
        self.last = sequence;
        if kind == "tidelock.withdrawal.paid" {
            for reference in event["data"]["refs"].as_array().unwrap() {
                let reference = reference.as_str().unwrap().to_owned();
                *self.paid.entry(reference).or_default() += 1;
            }
        }
    }
}

/// The server's memory, while it runs; it begins anew when the server does.
#[derive(Debug, Default)]
pub struct Memory {
    process: Option<u32>,
    /// Of the process that was seen longest. [MiB]
    seen: Vec<u64>,
    now: Vec<u64>,
}

impl Memory {
    pub fn see(&mut self, site: &Site) {
        if self.process != site.api.id() {
            self.process = site.api.id();
            self.now.clear();
        }
        self.now.extend(site.api.memory().map(|bytes| bytes >> 20));
        if self.now.len() > self.seen.len() {
            self.seen.clone_from(&self.now);
        }
    }

    /// The middle ones of the second and of the last quarter, and the most. [MiB]
    fn quarters(&self) -> (u64, u64, u64) {
        let middle = |part: &[u64]| {
            let mut part = part.to_vec();
            part.sort_unstable();
            part.get(part.len() / 2).copied().unwrap_or(0)
        };
        let (count, most) = (self.seen.len(), self.seen.iter().max());
        (
            middle(&self.seen[count / 4..count / 2]),
            middle(&self.seen[count - count / 4..]),
            most.copied().unwrap_or(0),
        )
    }
}

/// What came of a soak.
pub struct Report {
    pub findings: Vec<String>,
    rows: Vec<(String, String)>,
    /// It was long enough for the memory's growth to be judged.
    is_judged: bool,
}

impl Report {
    pub fn of(shared: &Arc<Shared>, faults: usize, memory: &Memory, heard: &Heard) -> Self {
        let mut report = Self {
            findings: heard.findings.clone(),
            rows: Vec::new(),
            is_judged: memory.seen.len() >= ENOUGH,
        };
        let answers = shared.answers.lock().unwrap().clone();
        for status in answers
            .keys()
            .filter(|status| **status >= 500 && **status != 503)
        {
            report.find(format!("an answer of {status}"));
        }
        let answers: Vec<String> = answers
            .iter()
            .map(|(status, n)| format!("{status}: {n}"))
            .collect();
        report.row("answers", answers.join(", "));
        report.row(
            "asked again, since no answer came",
            shared.again.load(Ordering::Relaxed),
        );
        report.row(
            "broken or abandoned requests",
            shared.broken.load(Ordering::Relaxed),
        );
        report.row(
            "streams that took nothing",
            shared.slow.load(Ordering::Relaxed),
        );
        report.row(
            "times that a reader went on after a break",
            shared.resumed.load(Ordering::Relaxed),
        );
        report.row("database, server or keeper killed", faults);
        report.row("events heard, without a gap", heard.last);
        let (before, after, most) = memory.quarters();
        report.row(
            "server's memory: second quarter, last quarter, most [MiB]",
            format!("{before}, {after}, {most}"),
        );
        if most > MOST_MIB {
            report.find(format!("the server took {most} MiB, more than {MOST_MIB}"));
        }
        if report.is_judged && after * 100 > before * GROWTH {
            report.find(format!(
                "the server's memory grows: {before} MiB, then {after}"
            ));
        }
        report
    }

    /// Whoever takes nothing must be cut off, as long as there is time for it.
    pub fn cut_off(&mut self, figures: &BTreeMap<String, u64>) {
        let of = |why: &str| {
            let name = format!("tidelock_serve_cut_off_total{{why=\"{why}\"}}");
            figures.get(&name).copied().unwrap_or(0)
        };
        let (stalled, behind) = (of("stalled"), of("behind"));
        self.row(
            "cut off since the API's last start: took nothing, fell behind",
            format!("{stalled}, {behind}"),
        );
        if self.is_judged && stalled == 0 {
            self.find("nobody who took nothing was cut off".to_owned());
        }
    }

    pub fn find(&mut self, what: String) {
        self.findings.push(what);
    }

    pub fn row(&mut self, what: &str, value: impl ToString) {
        self.rows.push((what.to_owned(), value.to_string()));
    }

    /// Each payment was told to be paid once, and nothing else was.
    pub fn told(&mut self, filed: &[Payment], heard: &Heard) {
        self.row("withdrawals filed and paid", filed.len());
        let mut told = heard.paid.clone();
        for payment in filed {
            let reference = payment.reference().to_string();
            let times = told.remove(&reference).unwrap_or(0);
            if times != 1 {
                self.find(format!("{reference}: was told {times} times to be paid"));
            }
        }
        for reference in told.keys() {
            self.find(format!("{reference}: told to be paid, and filed by nobody"));
        }
    }

    /// At once, for two soaks print at about the same time.
    pub fn print(&self, kind: Kind, seconds: u64) {
        let mut lines = vec![format!("soaked for {seconds} s on {kind:?}")];
        let rows = self.rows.iter();
        lines.extend(rows.map(|(what, value)| format!("{what:<60} {value}")));
        let verdict = match self.findings.len() {
            0 => "nothing lost, nothing twice".to_owned(),
            count => format!("{count} findings"),
        };
        let verdict = match self.is_judged {
            true => format!("{verdict}; memory judged"),
            false => format!("{verdict}; too short to judge memory's growth"),
        };
        lines.push(format!("{:<60} {verdict}", "verdict"));
        println!("{}\n", lines.join("\n"));
    }
}
