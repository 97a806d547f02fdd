//! How things stand when an act is asked for, in words. Whoever confirms it lets it be done to what stood then, and to nothing else.

use serde::Serialize;
use tidelock_core::{
    domain::PaymentRef,
    event::{HaltReason, Mode},
};
use tidelock_store::{Reader, Standing, StoreError};

use crate::{
    deed::Kind,
    problem::Problem,
    shown::{Hold, Status},
    told,
};

/// Of a withdrawal its status, and why it is held; without one the keeper's mode, and why it is halted. None of a ref that nobody asked for.
pub(crate) fn stands(
    reader: &mut Reader,
    reference: Option<PaymentRef>,
) -> Result<Option<String>, StoreError> {
    let Some(reference) = reference else {
        let head = reader.overview()?.log;
        let mode = head.map(|(_, head)| of_mode(&head.mode));
        return Ok(Some(mode.unwrap_or_else(|| "no log".to_owned())));
    };
    Ok(match reader.standing(&reference)? {
        Standing::Unknown => None,
        Standing::Waiting(_) => Some(word(Status::Waiting)),
        Standing::LeftOut(_) => Some(word(Status::LeftOut)),
        Standing::Taken(view) => {
            let status = word(Status::from(view.row.status));
            let hold = view.row.hold.as_ref().map(Hold::from);
            Some(match hold {
                None => status,
                Some(hold) => because(&status, &word(hold.reason), hold.detail),
            })
        }
    })
}

/// Refuses to ask for what there is nothing to do about.
pub(crate) fn must_be_possible(kind: Kind, before: &str) -> Result<(), Problem> {
    let status = before.split(':').next().unwrap_or_default();
    match kind {
        Kind::Release if status != "held" => {
            let words = format!("only what is held can be released; it is {status}");
            Err(Problem::conflict("not-held", words))
        }
        Kind::Resume if status != "halted" => {
            let words = format!("only a keeper that is halted can resume; it is {status}");
            Err(Problem::conflict("not-halted", words))
        }
        _ => Ok(()),
    }
}

fn of_mode(mode: &Mode) -> String {
    let Mode::Halted { reason } = mode else {
        return told::halt(mode).to_owned();
    };
    let detail = match reason {
        HaltReason::FinalityBroken { number, was, now } => {
            format!("block {number} was {was} and is {now}")
        }
        HaltReason::ForeignNonce { on_chain, next } => {
            format!("nonce {on_chain} on chain, {next} here")
        }
        HaltReason::ForeignTransaction { nonce } => format!("nonce {nonce}"),
        HaltReason::ForeignNumber { number } => format!("number {number}"),
        HaltReason::ForeignRef { reference, number } => {
            format!("ref {reference} paid as number {number}")
        }
        HaltReason::Restored { until } | HaltReason::Reopened { until } => {
            format!("until {}", until.seconds())
        }
        HaltReason::Operator { note } => note.clone(),
    };
    because("halted", told::halt(mode), Some(detail))
}

fn because(status: &str, reason: &str, detail: Option<String>) -> String {
    let detail = detail.map(|detail| format!(": {detail}"));
    format!("{status}: {reason}{}", detail.unwrap_or_default())
}

fn word(of: impl Serialize) -> String {
    let word = serde_json::to_value(of).ok();
    let word = word.and_then(|word| word.as_str().map(str::to_owned));
    word.unwrap_or_default()
}
