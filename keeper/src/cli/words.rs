//! What the log says, in words for people.

use alloy::primitives::B256;
use tidelock_core::{
    domain::Batch,
    event::{DeathCause, Event, HaltReason, HoldReason, Job, Mode, Route},
    lifecycle::PaymentStatus,
};

use crate::calendar::both;

/// Every status, in the order of a payment's life.
pub(crate) const STATUSES: [PaymentStatus; 8] = [
    PaymentStatus::Requested,
    PaymentStatus::Held,
    PaymentStatus::Open,
    PaymentStatus::Sealed,
    PaymentStatus::Paid,
    PaymentStatus::Rejected,
    PaymentStatus::Cancelled,
    PaymentStatus::Displaced,
];

/// The word that the log and JSON use.
pub(crate) fn status(status: PaymentStatus) -> &'static str {
    match status {
        PaymentStatus::Requested => "requested",
        PaymentStatus::Held => "held",
        PaymentStatus::Open => "open",
        PaymentStatus::Sealed => "sealed",
        PaymentStatus::Paid => "paid",
        PaymentStatus::Rejected => "rejected",
        PaymentStatus::Cancelled => "cancelled",
        PaymentStatus::Displaced => "displaced",
    }
}

/// What a status means for the one who waits.
pub(super) fn meaning(status: PaymentStatus) -> &'static str {
    match status {
        PaymentStatus::Requested => "accepted, not yet looked at",
        PaymentStatus::Held => "held; `keeper release` lets it go on",
        PaymentStatus::Open => "waits for a batch",
        PaymentStatus::Sealed => "in a batch that can still pay it",
        PaymentStatus::Paid => "paid, by the word of a finalised block",
        PaymentStatus::Rejected => "refused: it can never be paid",
        PaymentStatus::Cancelled => "withdrawn by an operator",
        PaymentStatus::Displaced => {
            "another key paid something else under its number: it can never be paid, file it again under a new ref"
        }
    }
}

/// The word that the log and JSON use.
pub(super) fn route(route: Route) -> &'static str {
    match route {
        Route::Direct => "direct",
        Route::Proposal => "proposal",
    }
}

/// Why a payment is held.
pub(super) fn hold(reason: &HoldReason) -> String {
    match reason {
        HoldReason::RecipientBlocked => "the vault blocks the recipient".to_owned(),
        HoldReason::AboveLimit => {
            "no tier takes that amount for a recipient of that standing".to_owned()
        }
        HoldReason::TokenBlacklist => {
            "the recipient is on the token's blacklist: what is paid there freezes".to_owned()
        }
        HoldReason::TokenRefuses => "the token refuses this transfer".to_owned(),
        HoldReason::CannotSimulate { answer } => {
            format!("no batch with it can be simulated; the vault says {answer}")
        }
        HoldReason::KeepsFailing => "it came back unpaid too often".to_owned(),
        HoldReason::Vetoed => "a guardian vetoed the batch it was in".to_owned(),
        HoldReason::ForeignProposal => {
            "somebody else proposed the same ref under another number; if that proposal ended unpaid (vetoed, revoked, expired), \
             `keeper release` lets this payment go on"
                .to_owned()
        }
        HoldReason::PaidElsewhere { number } => format!(
            "the vault paid this ref already, under number {number}; `keeper release` would have it paid once more"
        ),
        HoldReason::Operator { note } => format!("an operator holds it: {note}"),
    }
}

/// Whether the keeper sends, and why not.
pub(super) fn mode(mode: &Mode) -> String {
    match mode {
        Mode::Armed => "sends".to_owned(),
        Mode::Halted { reason } => format!("HALTED, sends nothing: {}", halt(reason)),
    }
}

/// Why the keeper sends nothing.
pub(crate) fn halt(reason: &HaltReason) -> String {
    match reason {
        HaltReason::FinalityBroken { number, was, now } => {
            format!("block {number} was final as {was}, and is {now} now")
        }
        HaltReason::ForeignNonce { on_chain, next } => format!(
            "the key's nonce on chain is {on_chain}, beyond {next}: another process has the key, or the database is old"
        ),
        HaltReason::ForeignTransaction { nonce } => {
            format!(
                "somebody else's transaction used nonce {nonce} of the key: another process has the key"
            )
        }
        HaltReason::ForeignNumber { number } => {
            format!("the vault paid number {number}, which this log never gave out so")
        }
        HaltReason::ForeignRef { reference, number } => {
            format!("ref {reference} was paid under number {number}, which is not its own")
        }
        HaltReason::Restored { until } => format!(
            "what an earlier keeper may have signed must expire first; goes on by itself when a block of chain time {} is final",
            both(until.seconds())
        ),
        HaltReason::Reopened { until } => format!(
            "its log was opened where an earlier one may have been: `keeper restore` what a backup holds, look at `keeper reconcile`, \
             then `keeper resume`; what the earlier keeper may have signed expires when a block of chain time {} is final",
            both(until.seconds())
        ),
        HaltReason::Operator { note } => format!("an operator stopped it: {note}"),
    }
}

fn job(job: &Job) -> String {
    match job {
        Job::Pay { batch } => format!("pays batch {batch}"),
        Job::Propose { batch } => format!("proposes batch {batch}"),
        Job::Execute { batch, .. } => format!("executes batch {batch}"),
        Job::Void => "does nothing".to_owned(),
    }
}

/// One entry of the log.
pub(super) fn event(event: &Event) -> String {
    match event {
        Event::LogOpened(opening) => format!("log opened at block {}", opening.start.number),
        Event::RequestsAccepted { requests, .. } => {
            format!("accepted, with {} requests at once", requests.len())
        }
        Event::Held { reason, .. } => format!("held: {}", hold(reason)),
        Event::Released { .. } => "released: may be put into a batch".to_owned(),
        Event::Rejected { .. } => "refused: it can never be paid".to_owned(),
        Event::Cancelled { .. } => "withdrawn by an operator".to_owned(),
        Event::Displaced { block, .. } => {
            format!(
                "paid in place of another under a number of the keeper's, or displaced by that, in block {block}"
            )
        }
        Event::BatchSealed {
            batch, route: by, ..
        } => format!(
            "sealed into a batch {}, {}, expires at {}",
            header(batch),
            route(*by),
            both(batch.expires_at.seconds())
        ),
        Event::Adopted { batch, .. } => {
            format!("adopted with a foreign proposal {}", header(batch))
        }
        Event::ForeignProposed { batch, .. } => {
            format!("somebody else proposes it in a batch {}", header(batch))
        }
        Event::Recovered { .. } => {
            "paid by the vault before this log was opened, or for somebody else".to_owned()
        }
        Event::SlotReserved { nonce, job: what } => {
            format!("nonce {nonce} reserved: {}", job(what))
        }
        Event::AttemptSigned {
            nonce,
            job: what,
            hash,
            fees,
            ..
        } => format!(
            "signed transaction {hash} with nonce {nonce}: {}; at most {} wei per gas",
            job(what),
            fees.max_fee
        ),
        Event::SlotConsumed {
            nonce,
            by,
            reverted,
            block,
            ..
        } => consumed(*nonce, *by, *reverted, *block),
        Event::ProposalFinal { block, .. } => format!("proposal is in final block {block}"),
        Event::OutcomeFinal { paid, block, .. } => format!(
            "final block {block} paid {} of its batch",
            paid.count_ones()
        ),
        Event::BatchDied { cause, .. } => {
            format!("its batch can pay nothing any more: {}", death(*cause))
        }
        Event::FinalisedAdvanced { block } => format!("final up to block {}", block.number),
        Event::ForeignSeen { block, .. } => {
            format!("a batch of somebody else in final block {block}")
        }
        Event::CommandTaken {
            command, refused, ..
        } => command_words(command, refused.as_deref()),
        Event::KeyChanged { keeper, .. } => format!("key {keeper} sends from now on"),
        Event::ModeChanged { mode: now } => format!("the keeper {}", mode(now)),
    }
}

fn header(batch: &Batch) -> String {
    format!(
        "of {} in tier {}, numbers from {}",
        batch.count,
        batch.tier.get(),
        batch.first_number
    )
}

fn death(cause: DeathCause) -> &'static str {
    match cause {
        DeathCause::Expired => "it expired",
        DeathCause::Vetoed => "a guardian vetoed it",
        DeathCause::Leftover => "it was mined and left payments behind",
    }
}

fn command_words(command: &tidelock_core::event::Command, refused: Option<&str>) -> String {
    use tidelock_core::event::Command;
    let (what, note) = match command {
        Command::Hold { note, .. } => ("hold", note),
        Command::Release { note, .. } => ("release", note),
        Command::Cancel { note, .. } => ("cancel", note),
        Command::Halt { note } => ("halt", note),
        Command::Resume { note } => ("resume", note),
    };
    match refused {
        None => format!("an operator asked to {what} it: {note}"),
        Some(why) => format!("an operator asked to {what} it: {note}; refused: {why}"),
    }
}

fn consumed(nonce: u64, by: Option<B256>, reverted: bool, block: u64) -> String {
    match by {
        Some(hash) if reverted => {
            format!("nonce {nonce} used up by {hash}, which reverted in final block {block}")
        }
        Some(hash) => format!("nonce {nonce} used up by {hash} in final block {block}"),
        None => format!("nonce {nonce} used up by a foreign transaction, final block {block}"),
    }
}
