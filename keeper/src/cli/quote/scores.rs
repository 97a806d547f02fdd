//! Quotes beside what happened: times from the log, and what was paid for gas from the node, if it can be asked.

use alloy::primitives::{Address, B256};
use serde::Serialize;
use tidelock_core::{
    calendar::span,
    domain::Amount,
    event::{Event, Route},
    lifecycle::PaymentStatus,
};

use super::super::{
    Context, offline,
    online::{connect, runtime},
    print,
    shown::Shown,
    words,
};
use crate::{
    chain::RpcChain,
    config::Config,
    exit::{ExitStatus, Failure, Outcome},
    store::{Quote, Reader, Standing, StoreError},
};

/// One quote, and what came of it.
#[derive(Debug, Serialize)]
struct Score {
    #[serde(flatten)]
    quote: Quote,
    status: &'static str,
    /// From the entry of the log that took it in to the one that has it paid in a final block. [seconds of chain time]
    took_s: Option<u64>,
    /// Within what was quoted at most, finality included.
    in_time: Option<bool>,
    /// Within the time in which half are, and that in which 95 of 100 are; none of quotes of earlier versions, and of what signers had to approve.
    within_p50: Option<bool>,
    within_p95: Option<bool>,
    /// What the transaction that paid it paid for gas, for all in it. [wei]
    gas_paid: Option<Amount>,
    /// Not above what was quoted at most for it alone.
    within_fee: Option<bool>,
}

/// What all of them come to.
#[derive(Debug, Serialize)]
struct Sum {
    quotes: usize,
    paid: usize,
    in_time: usize,
    /// Of these paid ones that were quoted so: how many were final in the time in which half should be, and in which 95 of 100 should be.
    spread: usize,
    within_p50: usize,
    within_p95: usize,
    /// The middle one of what each took longer than expected, finality included. [seconds; negative if it was faster]
    median_late_s: Option<i64>,
}

pub(super) fn run(config: &Config, context: &Context) -> Outcome {
    let mut desk = offline::desk(config)?;
    let quotes = desk.quotes()?;
    desk.close()?;
    let mut reader = offline::reader(config)?;
    let (runtime, nodes) = (runtime()?, connect(config, Address::ZERO)?);
    // A node that cannot be asked leaves the fee unknown.
    let gas_paid = |transaction| {
        let asked = runtime.block_on(nodes.agree("gas that was paid", async |chain: &RpcChain| {
            chain.gas_paid(transaction).await
        }));
        asked.ok().flatten()
    };
    let mut scores = Vec::new();
    for quote in quotes {
        scores.push(score(&mut reader, quote, gas_paid)?);
    }
    reader.close()?;
    let sum = sum(&scores);
    print(if context.json {
        serde_json::to_string(&serde_json::json!({ "quotes": scores, "sum": sum }))
            .map_err(|error| Failure::of(ExitStatus::Failed, error))?
    } else {
        text(&scores, &sum, &config.profile.coin)
    })?;
    Ok(ExitStatus::Done)
}

fn score(
    reader: &mut Reader,
    quote: Quote,
    gas_paid: impl FnOnce(B256) -> Option<u128>,
) -> Result<Score, Failure> {
    let mut score = Score {
        status: "not filed",
        took_s: None,
        in_time: None,
        within_p50: None,
        within_p95: None,
        gas_paid: None,
        within_fee: None,
        quote,
    };
    let reference = score.quote.reference;
    let view = match reader.standing(&reference)? {
        Standing::Taken(view) => view,
        Standing::Waiting(_) => {
            score.status = "waiting";
            return Ok(score);
        }
        Standing::LeftOut(_) | Standing::Unknown => return Ok(score),
    };
    score.status = words::status(view.row.status);
    if view.row.status != PaymentStatus::Paid {
        return Ok(score);
    }
    let took = took(reader, &reference)?;
    let quoted = score.quote.most_s.saturating_add(score.quote.finality_s);
    score.took_s = took;
    score.in_time = took.map(|took| took <= quoted);
    // How long people take to approve is not quoted.
    if view.route == Some(Route::Direct) {
        let within = |quoted: Option<u64>| Some(took? <= quoted?);
        score.within_p50 = within(score.quote.p50_s);
        score.within_p95 = within(score.quote.p95_s);
    }
    let decimals = reader.identity().decimals;
    let shown = Shown::of_view(&view, decimals).traced(reader)?;
    if let Some(transaction) = shown.landed {
        score.gas_paid = gas_paid(transaction).map(Amount);
        score.within_fee = score.gas_paid.map(|paid| paid <= score.quote.fee_most);
    }
    Ok(score)
}

/// From the first entry about a payment to the final block with which its outcome was taken in. [seconds]
fn took(
    reader: &mut Reader,
    reference: &tidelock_core::domain::PaymentRef,
) -> Result<Option<u64>, StoreError> {
    let events = reader.events_about(reference)?;
    let outcome = events
        .iter()
        .rfind(|logged| matches!(logged.event, Event::OutcomeFinal { .. }));
    let (Some(first), Some(last)) = (events.first(), outcome) else {
        return Ok(None);
    };
    let (from, to) = (reader.time_of(first.seq)?, reader.final_at(last.seq)?);
    let ends = from.zip(to);
    Ok(ends.map(|(from, to)| to.seconds().saturating_sub(from.seconds())))
}

fn sum(scores: &[Score]) -> Sum {
    let late = scores.iter().filter_map(|score| {
        let expected = score
            .quote
            .expected_s
            .saturating_add(score.quote.finality_s);
        let (took, expected) = (i64::try_from(score.took_s?), i64::try_from(expected));
        took.ok()?.checked_sub(expected.ok()?)
    });
    let mut late: Vec<i64> = late.collect();
    late.sort_unstable();
    Sum {
        quotes: scores.len(),
        paid: scores.iter().filter(|score| score.took_s.is_some()).count(),
        in_time: scores
            .iter()
            .filter(|score| score.in_time == Some(true))
            .count(),
        spread: scores
            .iter()
            .filter(|score| score.within_p50.is_some())
            .count(),
        within_p50: scores
            .iter()
            .filter(|score| score.within_p50 == Some(true))
            .count(),
        within_p95: scores
            .iter()
            .filter(|score| score.within_p95 == Some(true))
            .count(),
        median_late_s: late.get(late.len().div_euclid(2)).copied(),
    }
}

fn text(scores: &[Score], sum: &Sum, coin: &str) -> String {
    let mut lines: Vec<String> = scores.iter().map(|score| line(score, coin)).collect();
    let late = sum.median_late_s.map_or_else(String::new, |late| {
        format!("; the middle one took {late} s longer than expected")
    });
    lines.push(format!(
        "{} quotes, {} paid, {} of them in time{late}",
        sum.quotes, sum.paid, sum.in_time
    ));
    if sum.spread > 0 {
        lines.push(format!(
            "of {} paid ones {} were final in the time in which half should be, and {} in that in which 95 of 100 should be",
            sum.spread, sum.within_p50, sum.within_p95
        ));
    }
    lines.join("\n")
}

fn line(score: &Score, coin: &str) -> String {
    let Quote {
        reference,
        expected_s,
        most_s,
        finality_s,
        fee_most,
        ..
    } = &score.quote;
    let quoted = format!(
        "{reference}  {:<9}  quoted {}, at most {}",
        score.status,
        span(expected_s.saturating_add(*finality_s)),
        span(most_s.saturating_add(*finality_s))
    );
    let took = score.took_s.map_or_else(String::new, |took| {
        let word = if score.in_time == Some(true) {
            "in time"
        } else {
            "LATE"
        };
        format!(", took {}: {word}", span(took))
    });
    let fee = score.gas_paid.map_or_else(String::new, |paid| {
        format!(
            "; its transaction paid {} {coin}, quoted at most {}",
            paid.display(18),
            fee_most.display(18)
        )
    });
    format!("{quoted}{took}{fee}")
}
