//! How things stand when an act is asked for. Whoever confirms it lets it be done to what stood then, and to nothing else.

use tidelock_core::{
    domain::PaymentRef,
    event::{HaltReason, Mode},
};
use tidelock_store::{Reader, Standing, StoreError};

use crate::{
    deed::{Kind, Situation},
    problem::Problem,
    shown::{Hold, Status, word},
    told,
};

/// Of a withdrawal its status, and why it is held; without one the keeper's mode, and why it is halted. None of a ref that nobody asked for.
pub(crate) fn stands(
    reader: &mut Reader,
    reference: Option<PaymentRef>,
) -> Result<Option<Situation>, StoreError> {
    let Some(reference) = reference else {
        let head = reader.overview()?.log;
        let mode = head.map(|(_, head)| of_mode(&head.mode));
        return Ok(Some(mode.unwrap_or_else(|| Situation::word("no_log"))));
    };
    Ok(match reader.standing(&reference)? {
        Standing::Unknown => None,
        Standing::Waiting(_) => Some(Situation::word(&word(Status::Waiting))),
        Standing::LeftOut(_) => Some(Situation::word(&word(Status::LeftOut))),
        Standing::Taken(view) => {
            let hold = view.row.hold.as_ref().map(Hold::from);
            Some(Situation {
                status: word(Status::from(view.row.status)),
                reason: hold.as_ref().map(|hold| word(hold.reason)),
                detail: hold.and_then(|hold| hold.detail),
            })
        }
    })
}

/// Refuses to ask for what there is nothing to do about.
pub(crate) fn must_be_possible(kind: Kind, before: &Situation) -> Result<(), Problem> {
    let status = before.status.as_str();
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

fn of_mode(mode: &Mode) -> Situation {
    let Mode::Halted { reason } = mode else {
        return Situation::word(told::halt(mode));
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
    Situation {
        status: "halted".to_owned(),
        reason: Some(told::halt(mode).to_owned()),
        detail: Some(detail),
    }
}
