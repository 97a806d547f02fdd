//! `keeper hold`, `release`, `cancel`, `halt` and `resume`: what an operator asks the daemon for. Each is durable before
//! it is answered, and goes into the log with its reason.

use std::{
    thread,
    time::{Duration, Instant},
};

use tidelock_core::{
    domain::{DomainError, PaymentRef},
    event::Command,
};

use super::{Context, offline, print};
use crate::{
    config::Config,
    exit::{ExitStatus, Failure, Outcome},
    store::{Answer, Reader, Standing},
};

/// Between two looks for the daemon's answer.
pub(super) const PAUSE: Duration = Duration::from_millis(50);
/// Characters of a reason.
const LONGEST: usize = 500;

/// Why, and how long to wait.
#[derive(Debug, clap::Args)]
pub(super) struct Why {
    /// Why. It goes into the log for good: no personal data
    #[arg(long)]
    pub reason: String,
    /// How long to wait for a running keeper's answer [seconds]
    #[arg(long, default_value_t = 5)]
    pub wait: u64,
}

/// What commands about one payment take.
#[derive(Debug, clap::Args)]
pub(super) struct PaymentArgs {
    /// Which payment
    #[arg(value_name = "REF")]
    pub reference: String,
    #[command(flatten)]
    pub why: Why,
}

/// What commands about the whole keeper take.
#[derive(Debug, clap::Args)]
pub(super) struct WholeArgs {
    #[command(flatten)]
    pub why: Why,
}

pub(super) fn hold(args: &PaymentArgs, context: &Context) -> Outcome {
    about_payment(args, context, |reference, note| Command::Hold {
        reference,
        note,
    })
}

pub(super) fn release(args: &PaymentArgs, context: &Context) -> Outcome {
    about_payment(args, context, |reference, note| Command::Release {
        reference,
        note,
    })
}

pub(super) fn cancel(args: &PaymentArgs, context: &Context) -> Outcome {
    about_payment(args, context, |reference, note| Command::Cancel {
        reference,
        note,
    })
}

pub(super) fn halt(args: &WholeArgs, context: &Context) -> Outcome {
    give(&context.load()?, &args.why, context, |note| Command::Halt {
        note,
    })
}

pub(super) fn resume(args: &WholeArgs, context: &Context) -> Outcome {
    give(&context.load()?, &args.why, context, |note| {
        Command::Resume { note }
    })
}

fn about_payment(
    args: &PaymentArgs,
    context: &Context,
    command: impl FnOnce(PaymentRef, String) -> Command,
) -> Outcome {
    let reference: PaymentRef = args
        .reference
        .parse()
        .map_err(|error: DomainError| Failure::of(ExitStatus::Usage, error))?;
    let config = context.load()?;
    let mut reader = offline::reader(&config)?;
    let standing = reader.standing(&reference)?;
    reader.close()?;
    if standing == Standing::Unknown {
        return Err(unknown(&reference));
    }
    give(&config, &args.why, context, |note| command(reference, note))
}

/// Nobody ever asked for it.
pub(super) fn unknown(reference: &PaymentRef) -> Failure {
    Failure::new(
        ExitStatus::Refused,
        format!("ref {reference}: no payment was ever requested under it"),
    )
}

fn give(
    config: &Config,
    why: &Why,
    context: &Context,
    command: impl FnOnce(String) -> Command,
) -> Outcome {
    let note = reason(&why.reason)?;
    let mut reader = offline::reader(config)?;
    let seq = reader.overview()?.log.map_or(0, |(head, _)| head.seq);
    let mut desk = offline::desk(config)?;
    let arrival = desk.command(&command(note))?;
    desk.close()?;
    let running = Reader::is_written(&config.store);
    let patience = if running {
        Duration::from_secs(why.wait)
    } else {
        Duration::ZERO
    };
    let answer = wait(&mut reader, seq, arrival, patience)?;
    reader.close()?;
    conclude(arrival, answer.as_ref(), running, why.wait, context)
}

fn reason(text: &str) -> Result<String, Failure> {
    let text = text.trim();
    let refused = |rule: &str| {
        Err(Failure::new(
            ExitStatus::Usage,
            format!("--reason {text:?}: {rule}"),
        ))
    };
    if text.is_empty() {
        return refused("must say why");
    }
    if text.chars().count() > LONGEST {
        return refused("must be at most 500 characters");
    }
    if text.chars().any(char::is_control) {
        return refused("must be one line of text");
    }
    Ok(text.to_owned())
}

/// What the keeper says to a command handed in after entry `seq`, if it says it in time.
pub(super) fn wait(
    reader: &mut Reader,
    seq: u64,
    arrival: u64,
    patience: Duration,
) -> Result<Option<Answer>, Failure> {
    let start = Instant::now();
    loop {
        let answer = reader.answer(seq, arrival)?;
        if answer.is_some() || start.elapsed() >= patience {
            return Ok(answer);
        }
        thread::sleep(PAUSE);
    }
}

fn conclude(
    arrival: u64,
    answer: Option<&Answer>,
    running: bool,
    waited: u64,
    context: &Context,
) -> Outcome {
    let refused = answer.and_then(|answer| answer.refused.as_deref());
    let (state, words) = match (answer, refused) {
        (Some(_), Some(why)) => {
            return Err(Failure::new(
                ExitStatus::Refused,
                format!("command {arrival}: the keeper refuses it: {why}"),
            ));
        }
        (Some(answer), None) => ("done", format!("done, by entry {} of the log", answer.seq)),
        (None, _) if running => {
            return Err(Failure::new(
                ExitStatus::Failed,
                format!(
                    "command {arrival}: handed in, but the running keeper has not answered within {waited} s; it stays \
                     handed in"
                ),
            ));
        }
        (None, _) => (
            "waiting",
            "handed in; no keeper runs, and it will be done when one does".to_owned(),
        ),
    };
    print(if context.json {
        let entry = answer.map(|answer| answer.seq);
        serde_json::json!({ "command": arrival, "state": state, "entry": entry }).to_string()
    } else {
        format!("command {arrival}: {words}")
    })?;
    Ok(ExitStatus::Done)
}
