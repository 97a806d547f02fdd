//! `keeper canary`: this version beside the one that leads. It follows the leader's log, decides for itself, and says whether both
//! decide alike.

mod ahead;
mod decision;
mod follower;
mod report;

use serde_json::json;
use tokio::runtime::Runtime;

use super::{
    Context, offline,
    online::{connect, expected},
    print,
    run::{self, Stop},
};
use crate::{
    config::Config,
    exit::{ExitStatus, Failure, Outcome},
    store::{Followed, Reader},
};

use follower::Follower;
use report::Report;

/// Differences after which it is clear that both differ.
const ENOUGH: usize = 5;

/// What `keeper canary` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// How many blocks both are watched for
    #[arg(long, default_value_t = 100)]
    pub blocks: u64,
    /// How many batches and executions must have been decided alike at least
    #[arg(long, default_value_t = 1)]
    pub decisions: u64,
}

pub(super) fn run(args: &Args, context: &Context) -> Outcome {
    let config = context.load()?;
    let runtime = Runtime::new().map_err(|error| Failure::of(ExitStatus::Failed, error))?;
    let stop = Stop::on_signal(&runtime)?;
    let watched = watch(args, &config, &runtime, &stop);
    runtime.shutdown_background();
    let report = watched?;
    tell(args, &report, context)?;
    Ok(if is_good(args, &report) {
        ExitStatus::Done
    } else {
        ExitStatus::Failed
    })
}

fn is_good(args: &Args, report: &Report) -> bool {
    let is_enough = report.blocks() >= args.blocks && report.alike() >= args.decisions;
    report.differences.is_empty() && is_enough
}

fn watch(args: &Args, config: &Config, runtime: &Runtime, stop: &Stop) -> Result<Report, Failure> {
    if !Reader::is_written(&config.store) {
        let rule = format!(
            "store {}: no keeper writes its log now; a canary follows one that leads",
            config.store
        );
        return Err(Failure::new(ExitStatus::Refused, rule));
    }
    let mut reader = offline::reader(config)?;
    let log = reader.overview()?.log;
    let Some((_, head)) = log else {
        let rule = format!("store {}: no log was opened there yet", config.store);
        return Err(Failure::new(ExitStatus::Store, rule));
    };
    let nodes = connect(config, head.opening.keeper)?;
    let identity = runtime.block_on(nodes.identify(expected(config, false)))?;
    let settings = run::settings(config, &identity, false);
    let store = Followed::new(offline::reader(config)?);
    let world = (nodes.chain(), runtime.handle().clone());
    let mut follower = Follower::start((store, reader), settings, world, identity.head.number)?;
    loop {
        let is_level = follower.turn()?;
        let Report { differences, .. } = &follower.report;
        let is_done = is_level && follower.report.blocks() >= args.blocks;
        if is_done || differences.len() >= ENOUGH || stop.is_asked() {
            return Ok(follower.report);
        }
    }
}

fn tell(args: &Args, report: &Report, context: &Context) -> Result<(), Failure> {
    if context.json {
        let mut shown = json!(report);
        if let Some(fields) = shown.as_object_mut() {
            fields.insert("alike".to_owned(), json!(is_good(args, report)));
        }
        return print(shown);
    }
    for difference in &report.differences {
        print(format!("DIFFERS {difference}"))?;
    }
    let Report {
        from,
        to,
        batches,
        executions,
        payments_judged,
        not_compared,
        ..
    } = report;
    print(format!(
        "blocks {from} to {to}; alike: {batches} batches, {executions} executions, {payments_judged} payments looked at for the first time; \
         batches of payments that had waited before, and are not compared: {not_compared}"
    ))?;
    let short = |what: &str, found: u64, wanted: u64| {
        (found < wanted).then(|| format!("too few {what}: {found}, and {wanted} are wanted"))
    };
    let few = short("blocks", report.blocks(), args.blocks)
        .or_else(|| short("decisions", report.alike(), args.decisions));
    print(match (report.differences.len(), few) {
        (0, None) => "both decide alike".to_owned(),
        (0, Some(few)) => few,
        (count, _) => {
            format!("{count} differences: this version must not lead before each is understood")
        }
    })
}
