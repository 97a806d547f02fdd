//! `keeper backup`: a copy of the store in a SQLite file, made while it is in use.

use std::path::PathBuf;

use serde_json::json;

use super::{Context, offline, print, words};
use crate::{
    exit::{ExitStatus, Failure, Outcome},
    store::Copied,
};

/// What `keeper backup` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Where to write the copy; no file of that name may be there
    #[arg(long, value_name = "FILE")]
    pub to: PathBuf,
}

pub(super) fn run(args: &Args, context: &Context) -> Outcome {
    let config = context.load()?;
    let mut reader = offline::reader(&config)?;
    let copied = reader.copy_to(&args.to)?;
    reader.close()?;
    tell(args, &copied, context)?;
    Ok(ExitStatus::Done)
}

fn tell(args: &Args, copied: &Copied, context: &Context) -> Result<(), Failure> {
    let head = copied.verified.head;
    let counts = &copied.overview.counts;
    let counted = words::STATUSES.iter().filter_map(|status| {
        let count = counts.get(status)?;
        Some((words::status(*status), *count))
    });
    let waiting = copied.overview.waiting;
    if context.json {
        let counted: serde_json::Map<String, serde_json::Value> = counted
            .map(|(status, count)| (status.to_owned(), count.into()))
            .collect();
        return print(json!({
            "file": args.to,
            "bytes": copied.size,
            "entries": head.seq,
            "head": head.hash,
            "payments": counted,
            "not_taken_in": waiting,
        }));
    }
    let counted: Vec<String> = counted
        .map(|(status, count)| format!("{count} {status}"))
        .collect();
    let counted = if counted.is_empty() {
        "none".to_owned()
    } else {
        counted.join(", ")
    };
    print(format!(
        "{}: {} bytes; {} entries, hashes and rows as they should be; head {}\n\
         payments: {counted}; requests not taken in yet: {waiting}",
        args.to.display(),
        copied.size,
        head.seq,
        head.hash,
    ))
}
