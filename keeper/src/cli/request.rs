//! `keeper request`: files payments to be made. Needs the store only; the daemon takes them in when it runs.

use std::path::{Path, PathBuf};

use rand::Rng;
use serde::Serialize;
use tidelock_core::domain::{DomainError, Payment, PaymentRef};

use super::{Context, offline, print};
use crate::{
    config::Config,
    csv::{read_lines, read_payment},
    exit::{ExitStatus, Failure, Outcome},
    store::{Filed, Filing, Taken},
};

/// Conflicts that are shown of one file; what follows is counted.
const SHOWN: usize = 20;

/// What `keeper request` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Who is to be paid
    #[arg(required_unless_present = "file", conflicts_with = "file")]
    pub recipient: Option<String>,
    /// How much, in tokens, for example 12.5
    #[arg(
        required_unless_present = "file",
        conflicts_with = "file",
        allow_negative_numbers = true
    )]
    pub amount: Option<String>,
    /// Your own id of the payment: 32 hexadecimal digits or a UUID; a random one, if not given. Handing the same ref in
    /// again never pays twice
    #[arg(long = "ref", value_name = "REF", conflicts_with = "file")]
    pub reference: Option<String>,
    /// A CSV file with the header ref,recipient,amount: all of it is filed, or none
    #[arg(long)]
    pub file: Option<PathBuf>,
}

/// A request as it is shown.
#[derive(Debug, Serialize)]
struct Shown {
    #[serde(rename = "ref")]
    reference: PaymentRef,
    recipient: String,
    /// In tokens.
    amount: String,
    arrival: u64,
    /// The same request was there before.
    known: bool,
}

pub(super) fn run(args: &Args, context: &Context) -> Outcome {
    let config = context.load()?;
    let mut desk = offline::desk(&config)?;
    let decimals = desk.identity().decimals;
    let (lines, payments) = match &args.file {
        Some(path) => from_file(path, decimals, &config)?,
        None => (Vec::new(), vec![single(args, decimals, &config)?]),
    };
    let filing = desk.file(&payments)?;
    desk.close()?;
    match filing {
        Filing::Filed(filed) => {
            show(&payments, &filed, decimals, args.file.is_some(), context)?;
            Ok(ExitStatus::Done)
        }
        Filing::Refused(taken) => Err(Failure::new(
            ExitStatus::Refused,
            refusal(&taken, &lines, decimals),
        )),
    }
}

fn usage(error: impl Into<anyhow::Error>) -> Failure {
    Failure::of(ExitStatus::Usage, error)
}

fn single(args: &Args, decimals: u8, config: &Config) -> Result<Payment, Failure> {
    let reference = match &args.reference {
        Some(text) => text.parse().map_err(|error: DomainError| usage(error))?,
        None => PaymentRef(rand::rng().random()),
    };
    let recipient = args.recipient.as_deref().unwrap_or_default();
    let amount = args.amount.as_deref().unwrap_or_default();
    let payment = read_payment(reference, recipient, amount, decimals).map_err(usage)?;
    match never_paid(&payment, config) {
        Some(rule) => Err(Failure::new(ExitStatus::Usage, rule)),
        None => Ok(payment),
    }
}

/// Recipients that no vault ever pays.
fn never_paid(payment: &Payment, config: &Config) -> Option<String> {
    let to = payment.recipient();
    let whose = if to == config.vault.address {
        "the vault"
    } else if to == config.vault.token {
        "the token"
    } else {
        return None;
    };
    Some(format!(
        "recipient {to}: is {whose} itself, which is never paid"
    ))
}

/// The payments of a file, and the line each stands on.
fn from_file(
    path: &Path,
    decimals: u8,
    config: &Config,
) -> Result<(Vec<usize>, Vec<Payment>), Failure> {
    let within = |error: Failure| error.while_doing(format!("--file {}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| within(usage(error)))?;
    let read = read_lines(&text, decimals).map_err(|error| within(usage(error)))?;
    let refused: Vec<String> = read
        .iter()
        .filter_map(|(line, payment)| {
            never_paid(payment, config).map(|rule| format!("line {line}: {rule}"))
        })
        .collect();
    if !refused.is_empty() {
        return Err(within(Failure::new(ExitStatus::Usage, shorten(refused))));
    }
    Ok(read.into_iter().unzip())
}

fn refusal(taken: &[Taken], lines: &[usize], decimals: u8) -> String {
    let each = taken.iter().map(|taken| {
        let words = taken.describe(decimals);
        match lines.get(taken.index) {
            Some(line) => format!("line {line}: {words}"),
            None => words,
        }
    });
    format!("nothing was filed: {}", shorten(each.collect()))
}

fn shorten(mut messages: Vec<String>) -> String {
    let more = messages.len().saturating_sub(SHOWN);
    messages.truncate(SHOWN);
    if more > 0 {
        messages.push(format!("and {more} more"));
    }
    messages.join("\n")
}

fn show(
    payments: &[Payment],
    filed: &[Filed],
    decimals: u8,
    many: bool,
    context: &Context,
) -> Result<(), Failure> {
    let mut shown = payments.iter().zip(filed).map(|(payment, filed)| Shown {
        reference: filed.reference,
        recipient: payment.recipient().to_string(),
        amount: payment.amount().display(decimals),
        arrival: filed.arrival,
        known: filed.known,
    });
    if many {
        let known = filed.iter().filter(|filed| filed.known).count();
        let new = filed.len().saturating_sub(known);
        return print(if context.json {
            let payments: Vec<Shown> = shown.collect();
            serde_json::json!({ "filed": new, "known": known, "payments": payments }).to_string()
        } else {
            format!("{new} requests filed; {known} were filed before, and were not filed again")
        });
    }
    let Some(one) = shown.next() else {
        return Ok(());
    };
    print(if context.json {
        serde_json::to_string(&one).map_err(|error| Failure::of(ExitStatus::Failed, error))?
    } else {
        let how = if one.known {
            "was filed before, and was not filed again"
        } else {
            "filed"
        };
        format!(
            "ref {}: {how}: {} to {}",
            one.reference, one.amount, one.recipient
        )
    })
}
