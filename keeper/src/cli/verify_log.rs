//! `keeper verify-log`: holds the log and the acts to their hashes, and the stored rows to the log.

use std::{
    collections::BTreeSet,
    io::Write,
    time::{Duration, Instant},
};

use serde_json::json;
use tidelock_core::{abi::Fact, domain::BatchId};

use super::{
    Context, offline,
    online::{block_on, connect},
    print,
};
use crate::{
    config::Config,
    exit::{ExitStatus, Failure, Outcome},
    store::{Anchors, Finding, Progress, Verified},
};

/// Nothing is said of shorter runs until they are done.
const QUIET: Duration = Duration::from_secs(1);
/// Findings that are shown; what follows is counted.
const SHOWN: usize = 20;

/// What `keeper verify-log` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Only hold the entries to their hashes
    #[arg(long, conflicts_with = "chain")]
    pub hashes_only: bool,
    /// Compare with the heads that batches on chain carry, too
    #[arg(long)]
    pub chain: bool,
}

pub(super) fn run(args: &Args, context: &Context) -> Outcome {
    let config = context.load()?;
    let mut reader = offline::reader(&config)?;
    let start = Instant::now();
    let mut told = start;
    let verified = reader.verify(!args.hashes_only, |Progress { done, of }| {
        if told.elapsed() >= QUIET {
            told = Instant::now();
            // Progress that nobody can be told of is no failure.
            let _ = writeln!(std::io::stderr(), "{done} of {of} entries");
        }
    })?;
    let taken = start.elapsed();
    let anchored = match (args.chain, verified.findings.is_empty()) {
        (true, true) => reader.anchors()?,
        _ => None, // nothing is compared with a log that contradicts itself
    };
    reader.close()?;
    let anchored = anchored
        .map(|anchors| compare(&config, anchors))
        .transpose()?;
    tell(&verified, anchored.as_ref(), taken, args, context)?;
    Ok(match anchored {
        _ if !verified.findings.is_empty() => ExitStatus::Store,
        Some(anchored) if !anchored.findings.is_empty() => ExitStatus::Failed,
        _ => ExitStatus::Done,
    })
}

/// What the batches on chain say of the log.
struct Anchored {
    /// Batches of the log's numbers on chain.
    batches: BTreeSet<BatchId>,
    /// The last entry that one of them commits to.
    last: u64,
    findings: Vec<Finding>,
}

/// Every batch on chain under a number of this log must be one that it sealed: an id covers the header, and the header
/// commits to the log.
fn compare(config: &Config, anchors: Anchors) -> Result<Anchored, Failure> {
    let nodes = connect(config, anchors.opening.keeper)?;
    let first = anchors.opening.start.number;
    let history = block_on(async {
        let history = nodes.history(first, anchors.finalised).await;
        history.map_err(Failure::from)
    })?;
    let mut anchored = Anchored {
        batches: BTreeSet::new(),
        last: 0,
        findings: anchors.findings,
    };
    for (block, fact) in history {
        let (id, number) = match fact {
            Fact::Proposed { id, header, .. } => (id, header.first_number),
            Fact::Paid {
                id, first_number, ..
            } => (id, first_number),
            _ => continue,
        };
        if anchors.opening.namespace.counter_of(number).is_none() {
            continue; // somebody else's
        }
        match anchors.sealed.get(&id) {
            Some(anchor) => anchored.last = anchored.last.max(*anchor),
            None => anchored.findings.push(Finding {
                seq: None,
                why: format!(
                    "batch {id} in block {block} has numbers of this log from {number}, and the log never sealed it"
                ),
            }),
        }
        anchored.batches.insert(id);
    }
    Ok(anchored)
}

fn tell(
    verified: &Verified,
    anchored: Option<&Anchored>,
    taken: Duration,
    args: &Args,
    context: &Context,
) -> Result<(), Failure> {
    let Verified { head, findings } = verified;
    let of_chain = anchored.map(|anchored| anchored.findings.as_slice());
    let findings: Vec<&Finding> = findings
        .iter()
        .chain(of_chain.unwrap_or_default())
        .collect();
    if context.json {
        let findings: Vec<_> = findings
            .iter()
            .map(|Finding { seq, why }| json!({ "entry": seq, "why": why }))
            .collect();
        return print(json!({
            "entries": head.seq,
            "head": head.hash,
            "rows_compared": !args.hashes_only,
            "batches_on_chain": anchored.map(|anchored| anchored.batches.len()),
            "last_anchor_on_chain": anchored.map(|anchored| anchored.last),
            "milliseconds": u64::try_from(taken.as_millis()).unwrap_or(u64::MAX),
            "findings": findings,
        }));
    }
    for Finding { seq, why } in findings.iter().take(SHOWN) {
        print(match seq {
            Some(seq) => format!("BAD entry {seq}: {why}"),
            None => format!("BAD {why}"),
        })?;
    }
    let more = findings.len().saturating_sub(SHOWN);
    if more > 0 {
        print(format!("and {more} more"))?;
    }
    let what = if args.hashes_only {
        "hashes"
    } else {
        "hashes and rows"
    };
    let how = if verified.findings.is_empty() {
        "as they should be"
    } else {
        "good until there"
    };
    print(format!(
        "{} entries, {what} {how}; head {}; {} ms",
        head.seq,
        head.hash,
        taken.as_millis()
    ))?;
    match anchored {
        None => Ok(()),
        Some(anchored) => print(format!(
            "{} batches of this log on chain; the last of them commits to entry {}",
            anchored.batches.len(),
            anchored.last
        )),
    }
}
