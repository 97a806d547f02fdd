//! `keeper explain`: where one payment stands, why, and what the log says of it.

use alloy::primitives::Address;
use serde_json::json;
use tidelock_core::{
    calendar::{span, utc},
    domain::{Amount, BlockTime, DomainError, PaymentRef},
    lifecycle::{AttemptStatus, PaymentStatus},
};

use super::{
    Context,
    command::unknown,
    offline,
    online::{block_on, connect},
    print,
    shown::{Shown, now},
    words,
};
use crate::{
    chain::RpcChain,
    config::Config,
    exit::{ExitStatus, Failure, Outcome},
    heartbeat::Heartbeat,
    store::{LoggedEvent, Reader, Signed, Standing, StoreError},
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
            Shown::of_view(&view, decimals).traced(&mut reader)?,
            words::meaning(view.row.status),
        ),
    };
    let events = reader.events_about(&reference)?;
    let times = events
        .iter()
        .map(|logged| reader.time_of(logged.seq))
        .collect::<Result<Vec<_>, _>>()?;
    let events: Vec<(LoggedEvent, Option<BlockTime>)> = events.into_iter().zip(times).collect();
    let waits = waits(&config, &shown, &mut reader)?;
    reader.close()?;
    let arrived = arrived(&config, &shown, decimals);
    print(if context.json {
        let events: Vec<_> = events
            .iter()
            .map(|(LoggedEvent { seq, event }, time)| {
                let time = time.map(BlockTime::seconds);
                json!({ "seq": seq, "kind": event.kind(), "time": time, "words": words::event(event) })
            })
            .collect();
        json!({ "payment": shown, "meaning": meaning, "arrived": arrived, "waits": waits, "events": events })
            .to_string()
    } else {
        text(&shown, meaning, arrived.as_deref(), &waits, &events)
    })?;
    Ok(ExitStatus::Done)
}

/// What arrived of a payment that is paid: the transfers of its own transaction, as the token logged them. None if it is not paid.
fn arrived(config: &Config, shown: &Shown, decimals: u8) -> Option<String> {
    if shown.status != words::status(PaymentStatus::Paid) {
        return None;
    }
    let Some(transaction) = shown.landed else {
        return Some("not known here: another key's transaction paid it".to_owned());
    };
    let asked = block_on(async {
        let nodes = connect(config, Address::ZERO)?;
        let ask = async |chain: &RpcChain| chain.arrived(transaction, shown.payee).await;
        Ok(nodes.agree("the receipt's transfers", ask).await?)
    });
    let show = |amount: &Amount| amount.display(decimals);
    Some(match asked.as_ref().map(Option::as_deref) {
        Ok(Some([one])) => format!("{} of {}", show(one), shown.amount),
        Ok(Some([])) => format!(
            "nothing: the token logged no transfer to {}",
            shown.recipient
        ),
        Ok(Some(many)) => {
            let all: Vec<String> = many.iter().map(show).collect();
            format!(
                "{}: the transaction's payments to this recipient",
                all.join(" and ")
            )
        }
        Ok(None) => "not known: the node has no receipt of the transaction".to_owned(),
        Err(error) => format!("not known: {}", error.message()),
    })
}

/// What a payment waits for that is in a batch: its transaction, and what the running keeper says.
fn waits(config: &Config, shown: &Shown, reader: &mut Reader) -> Result<Vec<String>, StoreError> {
    let mut waits = Vec::new();
    let beat = Heartbeat::read(&config.store.path);
    let is_open = [
        PaymentStatus::Sealed,
        PaymentStatus::Open,
        PaymentStatus::Requested,
    ];
    if !is_open.map(words::status).contains(&shown.status) {
        return Ok(waits);
    }
    if let Some(batch) = &shown.batch {
        let signed = reader.signed_for(batch)?;
        let under_way = signed
            .iter()
            .rfind(|one| one.status == AttemptStatus::Signed);
        waits.extend(under_way.map(|Signed { nonce, hash, .. }| {
            format!("transaction {hash} with nonce {nonce}: until it is in a final block")
        }));
    }
    if !Reader::is_written(&config.store) {
        waits.push(
            "no keeper runs: nothing is sent, and nothing that happens is noticed".to_owned(),
        );
    } else if let Some(beat) = beat {
        waits.extend(beat.waits);
        waits.extend(beat.failure);
    }
    Ok(waits)
}

fn text(
    shown: &Shown,
    meaning: &str,
    arrived: Option<&str>,
    waits: &[String],
    events: &[(LoggedEvent, Option<BlockTime>)],
) -> String {
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
    if let Some(time) = shown.accepted_at {
        let ago = span(now().saturating_sub(time));
        lines.push(format!("accepted  {}, {ago} ago", utc(time)));
    }
    if let Some(hash) = shown.transaction {
        lines.push(format!("sent in   {hash}"));
    }
    lines.extend(arrived.map(|words| format!("arrived   {words}")));
    lines.extend(waits.iter().map(|wait| format!("note      {wait}")));
    if shown.returns > 0 {
        lines.push(format!("returns   {}", shown.returns));
    }
    if !events.is_empty() {
        lines.push("log".to_owned());
    }
    for (LoggedEvent { seq, event }, time) in events {
        let time = time.map_or_else(String::new, |time| utc(time.seconds()));
        lines.push(format!("  {seq:>8}  {time:<23}  {}", words::event(event)));
    }
    lines.join("\n")
}
