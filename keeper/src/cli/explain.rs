//! `keeper explain`: where one payment stands, why, and what the log says of it.

use serde_json::json;
use tidelock_core::domain::{DomainError, PaymentRef};

use super::{Context, command::unknown, offline, print, shown::Shown, words};
use crate::{
    exit::{ExitStatus, Failure, Outcome},
    store::{LoggedEvent, Standing},
};

/// What `keeper explain` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Which payment
    #[arg(value_name = "REF")]
    pub reference: String,
}

pub(super) fn run(args: &Args, context: &Context) -> Outcome {
    let reference: PaymentRef = args
        .reference
        .parse()
        .map_err(|error: DomainError| Failure::of(ExitStatus::Usage, error))?;
    let config = context.load()?;
    let mut reader = offline::reader(&config)?;
    let decimals = reader.identity().decimals;
    let (shown, meaning) = match reader.standing(&reference)? {
        Standing::Unknown => return Err(unknown(&reference)),
        Standing::Waiting(request) => (
            Shown::of_request(&request, decimals),
            "filed; the keeper takes it in when it runs",
        ),
        Standing::LeftOut(request) => (
            Shown::left_out(&request, decimals),
            "left out: it could not be read when the keeper came to it; file it again under another ref",
        ),
        Standing::Taken(view) => (
            Shown::of_view(&view, decimals),
            words::meaning(view.row.status),
        ),
    };
    let events = reader.events_about(&reference)?;
    reader.close()?;
    print(if context.json {
        let events: Vec<_> = events
            .iter()
            .map(|LoggedEvent { seq, event }| {
                json!({ "seq": seq, "kind": event.kind(), "words": words::event(event) })
            })
            .collect();
        json!({ "payment": shown, "meaning": meaning, "events": events }).to_string()
    } else {
        text(&shown, meaning, &events)
    })?;
    Ok(ExitStatus::Done)
}

fn text(shown: &Shown, meaning: &str, events: &[LoggedEvent]) -> String {
    let mut lines = vec![
        format!("ref       {}", shown.reference),
        format!("pays      {} to {}", shown.amount, shown.recipient),
        format!("status    {}: {meaning}", shown.status),
    ];
    if let Some(reason) = &shown.reason {
        lines.push(format!("because   {reason}"));
    }
    if let Some(number) = shown.number {
        lines.push(format!("number    {number}"));
    }
    if let (Some(batch), Some(tier), Some(route)) = (shown.batch, shown.tier, shown.route) {
        lines.push(format!("batch     {batch}, tier {tier}, {route}"));
    }
    if shown.returns > 0 {
        lines.push(format!("returns   {}", shown.returns));
    }
    if !events.is_empty() {
        lines.push("log".to_owned());
    }
    for LoggedEvent { seq, event } in events {
        lines.push(format!("  {seq:>8}  {}", words::event(event)));
    }
    lines.join("\n")
}
