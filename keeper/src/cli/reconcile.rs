//! `keeper reconcile`: compares the log with the chain.

use serde_json::json;
use tidelock_core::state::HeadRow;

use super::{
    Context,
    online::{connect, runtime},
    print,
};
use crate::{
    config::Config,
    exit::{ExitStatus, Failure, Outcome},
    reconcile::{Reconciliation, Report},
    store::{Reader, StoreError},
};

/// What `keeper reconcile` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {}

pub(super) fn run(_args: &Args, context: &Context) -> Outcome {
    let config = context.load()?;
    let report = reconcile(&config)?;
    print(if context.json {
        json!(report).to_string()
    } else {
        as_text(&report)
    })?;
    Ok(if report.differences.is_empty() {
        ExitStatus::Done
    } else {
        ExitStatus::Failed
    })
}

fn reconcile(config: &Config) -> Result<Report, Failure> {
    let mut reader = Reader::open(&config.store).map_err(failure)?;
    let head = head_of(&mut reader)?;
    let domain = head.opening.domain;
    if domain.vault != config.vault.address || domain.chain_id != config.chain.chain_id {
        return Err(Failure::new(
            ExitStatus::Usage,
            format!(
                "store {}: its log is of vault {} on chain {}, not of the one configured",
                config.store, domain.vault, domain.chain_id.0
            ),
        ));
    }
    let nodes = connect(config, head.opening.keeper)?;
    let runtime = runtime()?;
    // In this order: what the log takes in meanwhile is then on the chain that is read last.
    let started = Reconciliation::start(&nodes, head.opening, head.finalised);
    let mut reconciliation = runtime.block_on(started)?;
    reader
        .payments(true, |view| {
            reconciliation.take(view.row);
            Ok::<_, StoreError>(true)
        })
        .map_err(failure)?;
    reader.close().map_err(failure)?;
    Ok(runtime.block_on(reconciliation.finish())?)
}

fn head_of(reader: &mut Reader) -> Result<HeadRow, Failure> {
    let overview = reader.overview().map_err(failure)?;
    let (_, head) = overview.log.ok_or_else(|| {
        let words = "store.path: the log was never opened; `keeper run` opens it";
        Failure::new(ExitStatus::Store, words)
    })?;
    Ok(head)
}

fn failure(error: StoreError) -> Failure {
    Failure::of(ExitStatus::Store, error)
}

fn as_text(report: &Report) -> String {
    let mut lines: Vec<String> = report
        .differences
        .iter()
        .map(|difference| format!("DIFFERS  {difference}"))
        .collect();
    lines.push(format!(
        "{} payments in the log, {} paid, {} displaced; {} payments of others; compared through block {}: {} differences",
        report.payments,
        report.paid,
        report.displaced,
        report.foreign,
        report.through.number,
        report.differences.len()
    ));
    lines.join("\n")
}
