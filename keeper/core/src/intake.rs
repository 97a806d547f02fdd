//! What arrives from outside: requests and operators' commands. Each is taken exactly once, in order of arrival.

use crate::{
    calendar::utc,
    domain::PaymentRef,
    event::{Command, Event, HaltReason, HoldReason, Job, Mode, Request},
    journal::{Journal, JournalError},
    lifecycle::PaymentStatus,
    state::State,
    store::Unread,
};

/// Nonces used by somebody else that an operator can pass over at once.
const MOST_FOREIGN_NONCES: u64 = 1_000;

/// What is known of a payment that is not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Absent {
    /// Nothing.
    Unknown,
    /// It is filed, and not taken in.
    Waiting,
    /// It is over.
    Final(PaymentStatus),
}

/// Takes requests in. A ref that has become known meanwhile is left out: the payment exists. One that a foreign proposal
/// holds waits for a person: signers may still let that one pay.
pub(crate) fn take_requests(
    journal: &mut Journal,
    unread: Unread<Request>,
) -> Result<(), JournalError> {
    let Unread { items, through } = unread;
    if through <= journal.state().arrivals() {
        return Ok(());
    }
    let is_new = |request: &Request| {
        let reference = request.payment.reference();
        journal.state().open_payment(&reference).is_none()
    };
    let requests: Vec<Request> = items.into_iter().filter(is_new).collect();
    let refs = requests.iter().map(|request| request.payment.reference());
    let state = journal.state();
    let held: Vec<PaymentRef> = refs.filter(|known| state.is_foreign(known)).collect();
    journal.record(Event::RequestsAccepted { requests, through })?;
    if held.is_empty() {
        return Ok(());
    }
    journal.record(Event::Held {
        refs: held,
        reason: HoldReason::ForeignProposal,
    })
}

/// Does what an operator asks for, or says in the log why not.
///
/// `nonce` is the keeper's nonce at the last block that is final, if it is known; `absent` is what is known of the payment
/// that the command is about, if it is not open.
pub(crate) fn take_command(
    journal: &mut Journal,
    (arrival, command): (u64, Command),
    nonce: Option<u64>,
    absent: Absent,
) -> Result<(), JournalError> {
    let refused = refusal(journal.state(), &command, nonce, absent);
    let is_refused = refused.is_some();
    journal.record(Event::CommandTaken {
        arrival,
        command: command.clone(),
        refused,
    })?;
    if is_refused {
        return Ok(());
    }
    match command {
        Command::Hold { reference, note } => journal.record(Event::Held {
            refs: vec![reference],
            reason: HoldReason::Operator { note },
        }),
        Command::Release { reference, .. } => journal.record(Event::Released {
            refs: vec![reference],
        }),
        Command::Cancel { reference, .. } => journal.record(Event::Cancelled {
            refs: vec![reference],
        }),
        Command::Halt { note } => journal.record(Event::ModeChanged {
            mode: Mode::Halted {
                reason: HaltReason::Operator { note },
            },
        }),
        Command::Resume { .. } => {
            pass_foreign_nonces(journal, nonce)?;
            let mode = match journal.state().waits_until() {
                Some(until) => Mode::Halted {
                    reason: HaltReason::Restored { until },
                },
                None => Mode::Armed,
            };
            journal.record(Event::ModeChanged { mode })
        }
    }
}

/// Nonces that somebody else used while the log knew nothing of them are ours no more.
fn pass_foreign_nonces(journal: &mut Journal, nonce: Option<u64>) -> Result<(), JournalError> {
    let block = journal.state().finalised().number;
    while let next = journal.state().next_nonce()
        && nonce.is_some_and(|nonce| next < nonce)
    {
        journal.record(Event::SlotReserved {
            nonce: next,
            job: Job::Void,
        })?;
        journal.record(Event::SlotConsumed {
            nonce: next,
            by: None,
            reverted: false,
            block,
            cost: None,
        })?;
    }
    Ok(())
}

/// The wait for what an earlier log may have signed is not a person's to cut short, and a node that names an absurd nonce
/// must not fill the log.
fn resume_refusal(state: &State, nonce: Option<u64>) -> Option<String> {
    let next = state.next_nonce();
    let foreign = nonce.map_or(0, |nonce| nonce.saturating_sub(next));
    match state.mode() {
        Mode::Armed => Some("mode armed: there is nothing to resume".to_owned()),
        Mode::Halted {
            reason: HaltReason::Restored { until },
        } => Some(format!(
            "mode restored: goes on by itself once a block of {} is final",
            utc(until.seconds())
        )),
        Mode::Halted { .. } if foreign > MOST_FOREIGN_NONCES => Some(format!(
            "nonce on chain: {foreign} beyond {next}, the next of this log; at most {MOST_FOREIGN_NONCES} can be passed over: \
             use another key and another log"
        )),
        Mode::Halted { .. } => None,
    }
}

/// Whoever releases the payment must know this of it: it may be paid twice then.
fn to_be_seen(reason: &HoldReason) -> Option<String> {
    match reason {
        HoldReason::PaidElsewhere { number } => Some(format!("paid already, as number {number}")),
        HoldReason::ForeignProposal => Some("somebody else proposed it too".to_owned()),
        _ => None,
    }
}

fn refusal(state: &State, command: &Command, nonce: Option<u64>, absent: Absent) -> Option<String> {
    let (reference, allowed): (_, &[PaymentStatus]) = match command {
        Command::Hold { reference, .. } => (
            reference,
            &[
                PaymentStatus::Requested,
                PaymentStatus::Held,
                PaymentStatus::Open,
            ],
        ),
        Command::Release { reference, .. } => (reference, &[PaymentStatus::Held]),
        Command::Cancel { reference, .. } => (
            reference,
            &[
                PaymentStatus::Requested,
                PaymentStatus::Held,
                PaymentStatus::Open,
            ],
        ),
        Command::Halt { note } => {
            let note = note.clone();
            let halts = state.halts_for(&HaltReason::Operator { note });
            return (!halts).then(|| {
                "mode halted: it sends nothing already, for a reason that is to be seen".to_owned()
            });
        }
        Command::Resume { .. } => return resume_refusal(state, nonce),
    };
    let Some(row) = state.open_payment(reference) else {
        return Some(match absent {
            Absent::Unknown => format!("ref {reference}: unknown; nobody asked for it"),
            Absent::Waiting => {
                format!("ref {reference}: asked for, and not taken in yet; try again")
            }
            Absent::Final(status) => {
                format!("status {status:?} of ref {reference}: final, nothing can be changed")
            }
        });
    };
    if !allowed.contains(&row.status) {
        return Some(format!(
            "status {:?} of ref {reference}: must be one of {allowed:?}",
            row.status
        ));
    }
    if let (Command::Hold { .. }, Some(reason)) = (command, &row.hold)
        && let Some(why) = to_be_seen(reason)
    {
        return Some(format!(
            "ref {reference}: is held already, for a reason that an operator's must not hide: {why}"
        ));
    }
    if let (Command::Cancel { .. }, Some(number)) = (command, row.number) {
        return Some(format!(
            "number {number} of ref {reference}: what has been in a batch can be held, not withdrawn"
        ));
    }
    None
}
