//! `keeper fees`: what gas costs now, what the keeper would offer, and what waiting for a cheap hour would have saved.

use std::path::{Path, PathBuf};

use alloy::primitives::Address;
use serde::Serialize;
use tidelock_core::{
    calendar::span,
    cost::Charge,
    domain::Amount,
    submit::{DAY, FeeMarket, Offer, Patience, Prices, Replay, offer, replay},
};

use super::{
    Context,
    online::{block_on, connect, full_transaction, pace, past_fees},
    print,
};
use crate::{
    chain::{DataFee, RpcChain},
    config::Config,
    exit::{ExitStatus, Failure, Outcome},
};

/// Times that are tried if the configuration names none. [seconds]
const TRIED: [u64; 4] = [3_600, 6 * 3_600, 12 * 3_600, DAY];

/// What `keeper fees` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Days of the chain's past to replay
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=30))]
    pub days: u64,
    /// Replay this file instead: on each line a time in seconds since 1970 and a base fee in wei, with a comma between
    #[arg(long)]
    pub history: Option<PathBuf>,
}

/// What is shown. Prices of gas in gwei, other fees in the chain's coin, but for JSON in wei.
#[derive(Debug, Serialize)]
struct Shown {
    base_fee: Amount,
    suggested_tip: Amount,
    /// How much of the last day was below the base fee of now; none if too little of it is known. [percent]
    rank: Option<u64>,
    /// What a payment would offer.
    max_fee: Option<Amount>,
    tip: Option<Amount>,
    /// Why it would offer nothing.
    held: Option<String>,
    /// What a full batch pays for data, in words, where a chain takes anything for it.
    data: Option<String>,
    /// The same beside gas, as things are now; none if nothing is, or it is not known.
    data_fee: Option<Amount>,
    /// What a transaction of most gas costs now, and at the cap, with its data.
    full: Amount,
    full_at_most: Amount,
    /// Age from which a payment is paid at the price of now; none if the keeper does not wait. [seconds]
    waits_s: Option<u64>,
    /// Where the history is from, in words.
    history: String,
    prices: usize,
    /// From the first price to the last. [seconds]
    span_s: u64,
    replays: Vec<Played>,
}

/// One way of waiting, played against the history.
#[derive(Debug, Serialize)]
struct Played {
    wait_s: u64,
    wait_percent: u8,
    payments: u64,
    /// Mean base fee if each is paid at once, and if each waits. [wei per gas]
    now: Amount,
    patient: Amount,
    /// [hundredths of a percent; negative if waiting costs more]
    saved: i64,
    longest_wait_s: u64,
    mean_wait_s: u64,
}

impl Played {
    fn of(patience: Patience, history: &[(u64, u128)]) -> Self {
        let played = replay(&patience, history);
        let Replay {
            payments,
            now,
            patient,
            longest_s,
            waited_s,
        } = played;
        let mean = |sum: u128| Amount(sum.checked_div(payments.into()).unwrap_or_default());
        Self {
            wait_s: patience.deadline_s,
            wait_percent: patience.percent,
            payments,
            now: mean(now),
            patient: mean(patient),
            saved: i64::try_from(played.saved()).unwrap_or_default(),
            longest_wait_s: longest_s,
            mean_wait_s: waited_s.checked_div(payments).unwrap_or_default(),
        }
    }
}

pub(super) fn run(args: &Args, context: &Context) -> Outcome {
    let config = context.load()?;
    let recorded = args.history.as_deref().map(read).transpose()?;
    let shown = block_on(ask(&config, args, recorded))?;
    print(if context.json {
        serde_json::to_string(&shown).map_err(|error| Failure::of(ExitStatus::Failed, error))?
    } else {
        text(&shown, &config.profile.coin)
    })?;
    Ok(ExitStatus::Done)
}

async fn ask(
    config: &Config,
    args: &Args,
    recorded: Option<Vec<(u64, u128)>>,
) -> Result<Shown, Failure> {
    let nodes = connect(config, Address::ZERO)?;
    let chain = nodes.first();
    let (base_fee, tip) = chain.market().await?;
    let head = nodes.head().await?;
    let (source, history) = match recorded {
        Some(history) => ("the file", history),
        None => {
            let ask = async |chain: &RpcChain| {
                past_fees(chain, head, pace(chain, head).await?, args.days).await
            };
            ("the node's blocks", nodes.agree("base fees", ask).await?)
        }
    };
    let ask = async |chain: &RpcChain| chain.data_fee_of_full_batch(head).await;
    let data_fee = nodes.agree("the fee for data", ask).await?;
    let full = Charge {
        price: base_fee.saturating_add(tip),
        ..full_transaction(config, data_fee)
    };
    let mut prices = Prices::default();
    for (time, fee) in &history {
        prices.learn(*time, *fee);
    }
    let market = FeeMarket { base_fee, tip };
    let (max_fee, tip_offered, held) = match offer(&config.fees.keeping_one_back(), market, None) {
        Offer::Sign(fees) => (Some(Amount(fees.max_fee)), Some(Amount(fees.tip)), None),
        Offer::Hold { cap, needed } => {
            let why = format!("{cap} {} gwei is needed", Amount(needed).display(9));
            (None, None, Some(why))
        }
    };
    let ends = history.first().zip(history.last());
    let tried = match config.patience {
        Some(patience) => vec![patience],
        None => TRIED
            .map(|deadline_s| Patience {
                deadline_s,
                percent: 25,
            })
            .to_vec(),
    };
    Ok(Shown {
        base_fee: Amount(base_fee),
        suggested_tip: Amount(tip),
        rank: prices.rank(base_fee),
        max_fee,
        tip: tip_offered,
        held,
        data: data_words(chain.charges(), data_fee, &config.profile.coin),
        data_fee: data_fee.map(Amount),
        full: Amount(full.expected()),
        full_at_most: Amount(full.most()),
        waits_s: config
            .patience
            .map(|patience| patience.age(&prices, base_fee)),
        history: source.to_owned(),
        prices: history.len(),
        span_s: ends.map_or(0, |((first, _), (last, _))| last.saturating_sub(*first)),
        replays: tried
            .into_iter()
            .map(|patience| Played::of(patience, &history))
            .collect(),
    })
}

/// Times that rise, each with a base fee.
fn read(path: &Path) -> Result<Vec<(u64, u128)>, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        Failure::of(ExitStatus::Usage, error).while_doing(format!("--history {}", path.display()))
    })?;
    let mut history: Vec<(u64, u128)> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let (time, fee) = line.split_once(',').unwrap_or_default();
        let point = time
            .trim()
            .parse::<u64>()
            .ok()
            .zip(fee.trim().parse::<u128>().ok());
        let last = history.last().map(|(time, _)| *time);
        let point = point.filter(|(time, _)| last.is_none_or(|last| last <= *time));
        let Some(point) = point else {
            let words = format!(
                "--history line {}: {line:?} must be a time in seconds, not before the one above it, a comma, and a base fee in wei",
                index.saturating_add(1)
            );
            return Err(Failure::new(ExitStatus::Usage, words));
        };
        history.push(point);
    }
    Ok(history)
}

/// What a full batch pays for data, and how far that is known.
fn data_words(charges: DataFee, fee: Option<u128>, coin: &str) -> Option<String> {
    Some(match (charges, fee) {
        (DataFee::None, _) => return None,
        (DataFee::InGas, _) => {
            "part of the gas that a transaction uses; what a node estimates has it".to_owned()
        }
        (DataFee::OpOracle, Some(fee)) => {
            let fee = Amount(fee).display(18);
            format!("{fee} {coin} for a full batch, beside gas; no cap of the keeper's holds it")
        }
        (DataFee::OpOracle, None) => "not known: the chain has no GasPriceOracle".to_owned(),
    })
}

fn text(shown: &Shown, coin: &str) -> String {
    let gwei = |amount: Amount| amount.display(9);
    let rank = shown.rank.map_or_else(
        || "; too little of the last day is known to compare".to_owned(),
        |rank| format!(", above {rank} % of the last day's"),
    );
    let offers = match (shown.max_fee, shown.tip, &shown.held) {
        (Some(max_fee), Some(tip), _) => {
            format!("at most {} gwei, of which {} tip", gwei(max_fee), gwei(tip))
        }
        (_, _, why) => format!("nothing: {}", why.as_deref().unwrap_or_default()),
    };
    let waits = match shown.waits_s {
        None => "no: everything is paid at once (fees.wait_s = 0)".to_owned(),
        Some(0) => "not at the fee of now".to_owned(),
        Some(age) => format!("at the fee of now until a payment is {} old", span(age)),
    };
    let mut lines = vec![
        format!("base fee  {} gwei{rank}", gwei(shown.base_fee)),
        format!("tip       {} gwei, by the node", gwei(shown.suggested_tip)),
        format!("offers    {offers}"),
        format!(
            "full      {} {coin} for a transaction of most gas, at most {}",
            shown.full.display(18),
            shown.full_at_most.display(18)
        ),
        format!("waits     {waits}"),
        format!(
            "history   {}: {} prices of {}",
            shown.history,
            shown.prices,
            span(shown.span_s)
        ),
    ];
    let data = shown.data.iter();
    lines.splice(3..3, data.map(|data| format!("data      {data}")));
    lines.extend(shown.replays.iter().map(played));
    lines.join("\n")
}

fn played(played: &Played) -> String {
    let wait = span(played.wait_s);
    if played.payments == 0 {
        return format!("wait {wait}: the history is too short to tell");
    }
    let saved = played.saved.unsigned_abs();
    let (whole, part) = (saved.div_euclid(100), saved.rem_euclid(100));
    let word = if played.saved < 0 { "costs" } else { "saves" };
    format!(
        "wait {wait}: {word} {whole}.{part:02} %: {} gwei instead of {}, with waits of {} in the mean and {} at most",
        played.patient.display(9),
        played.now.display(9),
        span(played.mean_wait_s),
        span(played.longest_wait_s)
    )
}
