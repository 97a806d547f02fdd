//! `keeper status`: where everything stands, from the store.

use std::{
    io::{self, IsTerminal},
    thread,
    time::Duration,
};

use clap::builder::PossibleValuesParser;
use serde_json::{Value, json};
use tidelock_core::{
    domain::{Address, Payment, parse_address},
    event::{Mode, Request},
};

use super::{
    Context, leader, offline, print,
    shown::{Shown, WAITING, now},
    words,
};
use crate::{
    config::Config,
    exit::{ExitStatus, Failure, Outcome},
    heartbeat::Heartbeat,
    store::{Overview, Reader, StoreError},
};

/// What `keeper status` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Every payment, those that are final too
    #[arg(long)]
    pub all: bool,
    /// Only payments that stand so; may be given several times
    #[arg(long, value_parser = PossibleValuesParser::new(states()))]
    pub state: Vec<String>,
    /// Only payments to this recipient
    #[arg(long, value_parser = parse_address)]
    pub recipient: Option<Address>,
    /// Only payments that were taken in at least so long ago, for example 90s, 15min, 2h or 3d
    #[arg(long, value_name = "AGE", value_parser = age)]
    pub older_than: Option<u64>,
    /// Payments shown without --all
    #[arg(long, default_value_t = 50)]
    pub limit: usize,
    /// Show it again and again, until interrupted
    #[arg(long)]
    pub watch: bool,
    /// Between two looks [milliseconds]
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(100..=3_600_000))]
    pub interval_ms: u64,
}

pub(super) fn run(args: &Args, context: &Context) -> Outcome {
    let config = context.load()?;
    loop {
        if args.watch && !context.json && io::stdout().is_terminal() {
            print("\x1b[2J\x1b[H")?;
        }
        once(args, &config, context)?;
        if !args.watch {
            return Ok(ExitStatus::Done);
        }
        thread::sleep(Duration::from_millis(args.interval_ms));
    }
}

fn once(args: &Args, config: &Config, context: &Context) -> Result<(), Failure> {
    let mut reader = offline::reader(config)?;
    // What a keeper that has stopped said last is no news.
    let running = Reader::is_written(&config.store);
    let beat = Heartbeat::read(&config.store.path).filter(|_| running);
    let overview = reader.overview()?;
    let led_by = leader::ask(config)?;
    if context.json {
        let listed = payments(&mut reader, args)?;
        let shown = serde_json::to_value(listed.shown)
            .map_err(|error| Failure::of(ExitStatus::Failed, error))?;
        let mut whole = summary(&reader, &overview, running, beat.as_ref());
        if let Value::Object(fields) = &mut whole {
            fields.insert("leader".to_owned(), leader::as_json(led_by.as_ref()));
            fields.insert("payments".to_owned(), shown);
            fields.insert("damaged".to_owned(), listed.damaged.into());
        }
        print(whole)?;
    } else {
        if let Some(led_by) = &led_by {
            print(format!("leader  {}", leader::words(led_by)))?;
        }
        print(heading(&reader, &overview, running, beat.as_ref()))?;
        let listed = payments(&mut reader, args)?;
        if !listed.shown.is_empty() {
            print(Shown::heading())?;
        }
        for shown in &listed.shown {
            print(shown.line())?;
        }
        for damaged in &listed.damaged {
            print(format!("DAMAGED {damaged}"))?;
        }
        if listed.more {
            print(format!(
                "… and more; --limit {} or --all shows them",
                args.limit.saturating_mul(10)
            ))?;
        }
    }
    Ok(reader.close()?)
}

/// Payments as they are listed.
struct Listed {
    shown: Vec<Shown>,
    /// Requests that cannot be read.
    damaged: Vec<String>,
    /// There are more.
    more: bool,
}

/// Every state by its word.
fn states() -> Vec<&'static str> {
    std::iter::once(WAITING)
        .chain(words::STATUSES.map(words::status))
        .collect()
}

/// A number and a unit, in seconds.
fn age(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let unit = match text.strip_prefix(digits) {
        Some("s") => Some(1_u64),
        Some("min") => Some(60),
        Some("h") => Some(3_600),
        Some("d") => Some(86_400),
        _ => None,
    };
    let seconds = digits
        .parse()
        .ok()
        .zip(unit)
        .and_then(|(count, unit)| unit.checked_mul(count));
    seconds.ok_or_else(|| "must be a whole number and one of s, min, h and d".to_owned())
}

/// Which payments are listed.
struct Filter<'a> {
    args: &'a Args,
    /// Arrivals up to this one are old enough.
    through: u64,
}

impl Filter<'_> {
    fn takes(&self, status: &str, payment: &Payment, arrival: u64) -> bool {
        let Args {
            state, recipient, ..
        } = self.args;
        (state.is_empty() || state.iter().any(|state| state == status))
            && recipient.is_none_or(|recipient| recipient == payment.recipient())
            && arrival <= self.through
    }

    /// Whether payments that are final can be among them.
    fn all(&self) -> bool {
        let is_final = |state: &String| {
            let mut statuses = words::STATUSES.iter();
            statuses.any(|status| words::status(*status) == state && status.is_final())
        };
        self.args.all || self.args.state.iter().any(is_final)
    }
}

/// Those that the engine knows, then those that it has not taken in.
fn payments(reader: &mut Reader, args: &Args) -> Result<Listed, Failure> {
    let decimals = reader.identity().decimals;
    let limit = if args.all { usize::MAX } else { args.limit };
    let mut listed = Listed {
        shown: Vec::new(),
        damaged: Vec::new(),
        more: false,
    };
    let through = match args.older_than {
        Some(age) => reader.arrivals_until(now().saturating_sub(age))?,
        None => u64::MAX,
    };
    let filter = Filter { args, through };
    reader.payments::<StoreError>(filter.all(), |view| {
        let row = &view.row;
        if !filter.takes(words::status(row.status), &row.payment, row.arrival) {
            return Ok(true);
        }
        if listed.shown.len() >= limit {
            listed.more = true;
            return Ok(false);
        }
        listed.shown.push(Shown::of_view(&view, decimals));
        Ok(true)
    })?;
    let shown = std::mem::take(&mut listed.shown).into_iter();
    let traced: Result<Vec<Shown>, StoreError> = shown.map(|shown| shown.traced(reader)).collect();
    listed.shown = traced?;
    let room = limit.saturating_sub(listed.shown.len());
    let ask = u32::try_from(room.saturating_add(1)).unwrap_or(u32::MAX);
    let waiting = reader.waiting(ask)?;
    let is_taken = |request: &&Request| filter.takes(WAITING, &request.payment, request.arrival);
    let requests: Vec<&Request> = waiting.requests.iter().filter(is_taken).collect();
    listed.more |= requests.len() > room;
    listed.damaged = waiting.damaged;
    let requests = requests.into_iter().take(room);
    listed
        .shown
        .extend(requests.map(|request| Shown::of_request(request, decimals)));
    Ok(listed)
}

fn summary(reader: &Reader, overview: &Overview, running: bool, beat: Option<&Heartbeat>) -> Value {
    let identity = reader.identity();
    let mut counts = serde_json::Map::new();
    counts.insert("waiting".to_owned(), overview.waiting.into());
    for status in words::STATUSES {
        let count = overview.counts.get(&status).copied().unwrap_or_default();
        counts.insert(words::status(status).to_owned(), count.into());
    }
    let log = overview.log.as_ref().map(|(head, row)| {
        json!({
            "seq": head.seq,
            "hash": head.hash,
            "keeper": row.opening.keeper,
            "finalised": row.finalised,
            "next_nonce": row.next_nonce,
            "mode": row.mode,
        })
    });
    json!({
        "chain_id": identity.domain.chain_id,
        "vault": identity.domain.vault,
        "token": identity.token,
        "decimals": identity.decimals,
        "running": running,
        "heartbeat": beat,
        "log": log,
        "counts": counts,
    })
}

fn heading(
    reader: &Reader,
    overview: &Overview,
    running: bool,
    beat: Option<&Heartbeat>,
) -> String {
    let identity = reader.identity();
    let now = beat.map(sign_of_life).unwrap_or_default();
    let log = match &overview.log {
        None if running => "keeper  opens its log".to_owned(),
        None => "keeper  not running; its log is not opened yet".to_owned(),
        Some((head, row)) => format!(
            "keeper  {}\nlog     entry {} {}\nfinal   block {}",
            doing(&row.mode, running, beat),
            head.seq,
            head.hash,
            row.finalised.number
        ),
    };
    let mut counts = vec![format!("waiting {}", overview.waiting)];
    counts.extend(words::STATUSES.iter().map(|status| {
        let count = overview.counts.get(status).copied().unwrap_or_default();
        format!("{} {count}", words::status(*status))
    }));
    format!(
        "vault   {} on chain {}\n{log}\n{now}\n{}\n",
        identity.domain.vault,
        identity.domain.chain_id.0,
        counts.join("  ")
    )
}

/// Whether it runs, and whether it sends.
fn doing(mode: &Mode, running: bool, beat: Option<&Heartbeat>) -> String {
    let is_armed = matches!(mode, Mode::Armed);
    match beat {
        _ if !is_armed && running => format!("running; {}", words::mode(mode)),
        _ if !is_armed => format!("not running; {}", words::mode(mode)),
        _ if !running => "not running, sends nothing; would send if it ran".to_owned(),
        Some(beat) if beat.observes => "running; sends nothing, by --observe".to_owned(),
        Some(_) => "running; sends".to_owned(),
        None => "running; has not said yet whether it sends".to_owned(),
    }
}

/// Beats are half a second apart; one that is older than this means a keeper that hangs. [seconds]
const STALE: u64 = 15;

/// What the running keeper sees and waits for.
fn sign_of_life(beat: &Heartbeat) -> String {
    let mut lines = vec![format!(
        "head    block {}; {} transactions in no block",
        beat.tip.number, beat.unincluded
    )];
    lines.extend(beat.waits.iter().map(|wait| format!("waits   {wait}")));
    lines.extend(beat.alerts.iter().map(|alert| format!("ALERT   {alert}")));
    if let Some(failure) = &beat.failure {
        lines.push(format!("trouble {failure}"));
    }
    if beat.age() > STALE {
        lines.push(format!("trouble no sign of life for {} s", beat.age()));
    }
    lines.iter().map(|line| format!("{line}\n")).collect()
}
