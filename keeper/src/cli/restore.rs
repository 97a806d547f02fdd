//! `keeper restore`: what a backup holds and the chain does not, filed again into the log that was opened after the database was
//! lost. The backup's log is never continued: it may lack transactions that were signed after it was made.

mod plan;
mod work;

use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use tidelock_core::{domain::BlockTime, log::LogHead};

use super::{Context, offline, print};
use crate::{
    calendar::utc,
    config::Config,
    exit::{ExitStatus, Failure, Outcome},
    store::{Reader, StoreError, beside},
};

use plan::Plan;
use work::{Done, Work};

/// What `keeper restore` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// What `keeper backup` wrote
    #[arg(long, value_name = "FILE")]
    pub from: PathBuf,
    /// Only show what would be done
    #[arg(long)]
    pub dry_run: bool,
    /// How long to wait for the running keeper to get on [seconds]
    #[arg(long, default_value_t = 60)]
    pub wait: u64,
}

/// Two logs, and what lies between them.
struct Logs {
    /// Where the backup's log ends.
    head: LogHead,
    /// The last block that was final for it.
    until: Option<BlockTime>,
    /// The block that the log here was opened at.
    opened: BlockTime,
    /// Until when the log here waits for what the keeper before may have signed.
    waits: Option<BlockTime>,
}

pub(super) fn run(args: &Args, context: &Context) -> Outcome {
    let config = context.load()?;
    let mut here = offline::reader(&config)?;
    let mut backup = open(&args.from, &config, &here)?;
    let logs = logs(args, &config, &mut backup, &mut here)?;
    let mut desk = offline::desk(&config)?;
    let plan = Plan::make(&mut backup, &mut here, &mut desk)?;
    backup.close()?;
    let done = if args.dry_run || plan.is_done() {
        here.close()?;
        desk.close()?;
        None
    } else {
        may_begin(&config, &logs)?;
        Some(Work::new(here, desk, args.wait).does(&plan, &logs.head)?)
    };
    tell(args, &logs, &plan, done.as_ref(), context)?;
    let differs = !plan.taken.is_empty()
        || !plan.unpaid.is_empty()
        || !plan.not_withdrawn.is_empty()
        || done.is_some_and(|done| !done.refused.is_empty());
    Ok(if differs {
        ExitStatus::Failed
    } else {
        ExitStatus::Done
    })
}

/// What the keeper before had under way is known only when it has landed or expired: filed again before, it would be found paid by
/// somebody else. And what is filed must be taken in by a keeper that was halted first.
fn may_begin(config: &Config, logs: &Logs) -> Result<(), Failure> {
    let store = &config.store;
    let refused = |rule: String| {
        let words = format!("store {store}: {rule}; nothing was filed");
        Err(Failure::new(ExitStatus::Refused, words))
    };
    if let Some(until) = logs.waits {
        return refused(format!(
            "its log waits until a block of {} is final for what the keeper before may have signed; restore when that is over",
            shown(until)
        ));
    }
    if !Reader::is_written(store) {
        return refused(
            "no keeper runs on it; start `keeper run`, which is halted before anything is filed"
                .to_owned(),
        );
    }
    Ok(())
}

/// The backup, if it is one, of the vault here.
fn open(path: &Path, config: &Config, here: &Reader) -> Result<Reader, Failure> {
    let refused = |rule: &str| {
        let words = format!("--from {}: {rule}", path.display());
        Err(Failure::new(ExitStatus::Usage, words))
    };
    let Ok(file) = fs::metadata(path).map(|it| (it.is_file(), it.dev(), it.ino())) else {
        return refused("there is no such file; it must be one that `keeper backup` wrote");
    };
    if !file.0 {
        return refused("must be a file that `keeper backup` wrote");
    }
    let store = fs::metadata(&config.store.path);
    if store.is_ok_and(|it| (it.dev(), it.ino()) == (file.1, file.2)) {
        return refused("is the store itself (store.path); it must be a copy of the one before");
    }
    if fs::metadata(beside(path, "-wal")).is_ok_and(|it| it.len() > 0) {
        return refused(
            "has a file -wal beside it: it must be whole by itself, as `keeper backup` writes it",
        );
    }
    let backup = Reader::open_copy(path).map_err(|error| of_backup(path, error))?;
    offline::same(config, &path.into(), backup.identity())
        .map_err(|failure| failure.while_doing(format!("--from {}", path.display())))?;
    let (was, is) = (backup.identity().decimals, here.identity().decimals);
    if was != is {
        return refused(&format!(
            "was made for a token of {was} decimals; it must be {is}, as of the store here"
        ));
    }
    Ok(backup)
}

fn of_backup(path: &Path, error: StoreError) -> Failure {
    Failure::from(error).while_doing(format!("--from {}", path.display()))
}

/// Holds the backup to its hashes and rows, and both to having been opened.
fn logs(
    args: &Args,
    config: &Config,
    backup: &mut Reader,
    here: &mut Reader,
) -> Result<Logs, Failure> {
    let Some((_, log)) = here.overview()?.log else {
        return Err(Failure::new(
            ExitStatus::Refused,
            format!(
                "store {}: its log is not opened yet; start `keeper run`, which opens it from the chain",
                config.store
            ),
        ));
    };
    let of_backup = |error| of_backup(&args.from, error);
    let verified = backup.verify(true, |_| {}).map_err(of_backup)?;
    if let Some(finding) = verified.findings.first() {
        let place = finding
            .seq
            .map_or_else(String::new, |seq| format!("entry {seq} "));
        return Err(Failure::new(
            ExitStatus::Store,
            format!(
                "--from {}: is damaged, or was changed: {place}{}; nothing was filed",
                args.from.display(),
                finding.why
            ),
        ));
    }
    let head = verified.head;
    Ok(Logs {
        until: backup.time_of(head.seq).map_err(of_backup)?,
        head,
        opened: log.opening.start.time,
        waits: log.quiet_until.filter(|until| log.finalised.time < *until),
    })
}

/// Time of a block, for people and machines.
fn shown(time: BlockTime) -> String {
    utc(time.seconds())
}

fn tell(
    args: &Args,
    logs: &Logs,
    plan: &Plan,
    done: Option<&Done>,
    context: &Context,
) -> Result<(), Failure> {
    if context.json {
        return tell_machine(args, logs, plan, done);
    }
    let (until, opened) = (logs.until.map(shown), shown(logs.opened));
    let Plan { fresh, holds, .. } = plan;
    print(format!(
        "{}: {} entries, hashes and rows as they should be; head {}",
        args.from.display(),
        logs.head.seq,
        logs.head.hash
    ))?;
    let over: Vec<String> = plan
        .over
        .iter()
        .map(|(status, count)| format!("{count} {}", super::words::status(*status)))
        .collect();
    let over = if over.is_empty() {
        "none".to_owned()
    } else {
        over.join(", ")
    };
    print(format!(
        "payments of the backup: {} to file again, {} of all to hold as an operator did; {} open ones known here; over: {over}",
        fresh.len(),
        holds.len(),
        plan.known
    ))?;
    for why in &plan.taken {
        print(format!("NOT FILED {why}"))?;
    }
    for reference in &plan.unpaid {
        print(format!(
            "NOT FILED ref {reference}: paid by the backup, and not by the log here; compare with the chain by `keeper reconcile`"
        ))?;
    }
    for reference in &plan.not_withdrawn {
        print(format!(
            "NOT WITHDRAWN ref {reference}: withdrawn in the backup, and under way or paid here: it was filed again"
        ))?;
    }
    for why in &plan.left_out {
        print(format!("left out as by the keeper before: {why}"))?;
    }
    match done {
        Some(done) => tell_done(done)?,
        None if args.dry_run => print("nothing was done")?,
        None => print("nothing is left to do")?,
    }
    let until = until.unwrap_or_else(|| "its beginning".to_owned());
    print(format!(
        "lost is what was asked for, held, released or withdrawn after the backup was made. Its last final block is of {until}; the \
         log here was opened at one of {opened}. Have what was asked for in that time filed again: a ref is paid once"
    ))
}

fn tell_machine(args: &Args, logs: &Logs, plan: &Plan, done: Option<&Done>) -> Result<(), Failure> {
    let (until, opened) = (logs.until.map(shown), shown(logs.opened));
    let over: u64 = plan
        .over
        .values()
        .fold(0, |sum, one| sum.saturating_add(*one));
    print(serde_json::json!({
        "from": args.from,
        "entries": logs.head.seq,
        "head": logs.head.hash,
        "dry_run": args.dry_run,
        "to_file": plan.fresh.len(),
        "to_hold": plan.holds.len(),
        "filed": done.map_or(0, |done| done.filed),
        "to_withdraw": plan.withdrawn.len(),
        "withdrawn": done.map_or(0, |done| done.withdrawn),
        "not_withdrawn": plan.not_withdrawn,
        "held": done.map_or(0, |done| done.held),
        "refused": done.map(|done| &done.refused),
        "known": plan.known,
        "over": over,
        "used_for_something_else": plan.taken,
        "paid_by_the_backup_only": plan.unpaid,
        "left_out_by_the_backup": plan.left_out,
        "lost": { "after": until, "log_opened_at": opened },
    }))
}

fn tell_done(done: &Done) -> Result<(), Failure> {
    for why in &done.refused {
        print(format!("NOT DONE {why}"))?;
    }
    print(format!(
        "{} requests filed, {} of them withdrawn again, {} held. The keeper is halted: withdraw by `keeper cancel` what was withdrawn after the backup was made, \
         then `keeper resume --reason …`",
        done.filed, done.withdrawn, done.held
    ))
}
