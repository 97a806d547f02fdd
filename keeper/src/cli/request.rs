//! `keeper request`: files payments to be made. Needs the store only; the daemon takes them in when it runs.

mod many;

use std::path::PathBuf;

use rand::Rng;
use serde::Serialize;
use tidelock_core::domain::{DomainError, Payment, PaymentRef};

use super::{Context, lists, offline, print, print_by_and_by};
use crate::{
    config::Config,
    csv::read_payment,
    exit::{ExitStatus, Failure, Outcome},
    store::{Filed, Filing},
};

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
    /// A CSV file with the columns ref, recipient and amount; - for standard input. If one line is bad, nothing of it is
    /// filed. It is filed in pieces: if that breaks off, file it again, and what is filed already is not filed twice
    #[arg(long)]
    pub file: Option<PathBuf>,
    /// Say what would be filed, and file nothing
    #[arg(long, requires = "file", conflicts_with = "recipient")]
    pub dry_run: bool,
    /// Answer each row by itself; with --json this is always so
    #[arg(long, requires = "file", conflicts_with_all = ["recipient", "dry_run"])]
    pub rows: bool,
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

impl Shown {
    fn new(payment: &Payment, filed: Filed, decimals: u8) -> Self {
        Self {
            reference: payment.reference(),
            recipient: payment.recipient().to_string(),
            amount: payment.amount().display(decimals),
            arrival: filed.arrival,
            known: filed.known,
        }
    }

    fn words(&self) -> String {
        let how = if self.known {
            "was filed before, and was not filed again"
        } else {
            "filed"
        };
        let Self {
            reference,
            recipient,
            amount,
            ..
        } = self;
        format!("ref {reference}: {how}: {amount} to {recipient}")
    }
}

pub(super) fn run(args: &Args, context: &Context) -> Outcome {
    let config = context.load()?;
    let mut desk = offline::desk(&config)?;
    if let Some(path) = &args.file {
        return many::run(path, args, desk, &config, context);
    }
    let decimals = desk.identity().decimals;
    let payment = single(args, decimals, &config)?;
    let filing = desk.file(&[payment])?;
    desk.close()?;
    match filing {
        Filing::Filed(filed) => {
            for filed in filed {
                show(&payment, filed, decimals, context)?;
            }
            Ok(ExitStatus::Done)
        }
        Filing::Refused(taken) => {
            let words: Vec<String> = taken.iter().map(|taken| taken.describe(decimals)).collect();
            let words = format!("nothing was filed: {}", words.join("\n"));
            Err(Failure::new(ExitStatus::Refused, words))
        }
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
    let (vault, token) = (config.vault.address, config.vault.token);
    let rule = crate::csv::never_paid(payment, vault, token)?;
    Some(format!("recipient {}: {rule}", payment.recipient()))
}

/// What became of one request.
fn show(payment: &Payment, filed: Filed, decimals: u8, context: &Context) -> Result<(), Failure> {
    let shown = Shown::new(payment, filed, decimals);
    print(if context.json {
        serde_json::to_string(&shown).map_err(|error| Failure::of(ExitStatus::Failed, error))?
    } else {
        shown.words()
    })
}
