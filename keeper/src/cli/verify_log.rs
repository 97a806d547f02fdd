//! `keeper verify-log`: holds the log to its hashes, and the stored rows to the log.

use std::{
    io::Write,
    time::{Duration, Instant},
};

use serde_json::json;

use super::{Context, offline, print};
use crate::{
    exit::{ExitStatus, Failure, Outcome},
    store::{Finding, Progress, Verified},
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
    if args.chain {
        return Err(Failure::new(
            ExitStatus::Usage,
            "`keeper verify-log --chain` is not there yet: this version cannot do it, and nothing was done",
        ));
    }
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
    reader.close()?;
    tell(&verified, start.elapsed(), args.hashes_only, context)?;
    Ok(if verified.findings.is_empty() {
        ExitStatus::Done
    } else {
        ExitStatus::Store
    })
}

fn tell(
    verified: &Verified,
    taken: Duration,
    hashes_only: bool,
    context: &Context,
) -> Result<(), Failure> {
    let Verified { head, findings } = verified;
    if context.json {
        let findings: Vec<_> = findings
            .iter()
            .map(|Finding { seq, why }| json!({ "entry": seq, "why": why }))
            .collect();
        return print(json!({
            "entries": head.seq,
            "head": head.hash,
            "rows_compared": !hashes_only,
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
    let what = if hashes_only {
        "hashes"
    } else {
        "hashes and rows"
    };
    let how = if findings.is_empty() {
        "as they should be"
    } else {
        "good until there"
    };
    print(format!(
        "{} entries, {what} {how}; head {}; {} ms",
        head.seq,
        head.hash,
        taken.as_millis()
    ))
}
