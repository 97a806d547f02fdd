//! `keeper quote`: what a payment would cost and when it would arrive if it were filed now; and how good such quotes were.

mod scores;

use alloy::primitives::B256;
use rand::Rng;
use serde::Serialize;
use tidelock_core::{
    abi::encode_job,
    calendar::span,
    domain::{Amount, Batch, BlockTime, DomainError, Payment, PaymentRef, TierIndex},
    event::{BlockRef, Job, Namespace, Route},
    lifecycle::PaymentStatus,
    port::{Advice, Simulation, TierLook},
    quote::Scene,
    submit::{FeeMarket, Offer, Prices, offer},
};

use super::{
    Context, offline,
    online::{block_on, connect},
    print,
    shown::now,
};
use crate::{
    chain::{Nodes, RpcChain},
    config::Config,
    csv::read_payment,
    exit::{ExitStatus, Failure, Outcome},
    store::{Quote, Reader, StoreError},
};

/// Blocks that the time from one to the next is the mean of.
const BLOCKS: u64 = 64;
/// Base fees of the last day that are asked for.
const PRICES: u64 = 96;

/// What `keeper quote` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Who would be paid
    #[arg(required_unless_present = "scores", conflicts_with = "scores")]
    pub recipient: Option<String>,
    /// How much, in tokens, for example 12.5
    #[arg(
        required_unless_present = "scores",
        conflicts_with = "scores",
        allow_negative_numbers = true
    )]
    pub amount: Option<String>,
    /// The ref that it will be filed under, so that the quote can be held to what happens; a random one, if not given
    #[arg(long = "ref", value_name = "REF", conflicts_with = "scores")]
    pub reference: Option<String>,
    /// Hold the quotes that were given to what happened
    #[arg(long)]
    pub scores: bool,
}

/// A quote as it is shown.
#[derive(Debug, Serialize)]
struct Shown {
    #[serde(flatten)]
    quote: Quote,
    recipient: String,
    amount: String,
    tier: u8,
    approvals: u8,
    delay_s: u32,
    /// Open payments before it.
    ahead: u64,
    gas: u64,
    /// In the chain's coin.
    fee: String,
    fee_at_most: String,
    /// What stands in its way now.
    waits: Vec<String>,
}

pub(super) fn run(args: &Args, context: &Context) -> Outcome {
    let config = context.load()?;
    if args.scores {
        return scores::run(&config, context);
    }
    let mut reader = offline::reader(&config)?;
    let decimals = reader.identity().decimals;
    let payment = payment(args, decimals)?;
    let overview = reader.overview()?;
    let keeper = overview.log.map(|(_, head)| head.opening.keeper);
    let keeper = keeper
        .ok_or_else(|| Failure::new(ExitStatus::Refused, "no log yet: let the keeper run once"))?;
    let queue = Queue::of(&mut reader)?;
    reader.close()?;
    let shown = block_on(async {
        let nodes = connect(&config, keeper)?;
        ask(&config, &nodes, payment, &queue, decimals).await
    })?;
    let mut desk = offline::desk(&config)?;
    desk.keep_quote(&shown.quote)?;
    desk.close()?;
    print(if context.json {
        serde_json::to_string(&shown).map_err(|error| Failure::of(ExitStatus::Failed, error))?
    } else {
        text(&shown, &config.profile.coin)
    })?;
    Ok(ExitStatus::Done)
}

fn payment(args: &Args, decimals: u8) -> Result<Payment, Failure> {
    let usage = |error: DomainError| Failure::of(ExitStatus::Usage, error);
    let reference: PaymentRef = match &args.reference {
        Some(text) => text.parse().map_err(usage)?,
        None => PaymentRef(rand::rng().random()),
    };
    let (recipient, amount) = (args.recipient.as_deref(), args.amount.as_deref());
    let (recipient, amount) = (recipient.unwrap_or_default(), amount.unwrap_or_default());
    read_payment(reference, recipient, amount, decimals)
        .map_err(|error| Failure::of(ExitStatus::Usage, error))
}

/// Payments that are open before one that is filed now.
struct Queue {
    count: u64,
    sum: u128,
}

impl Queue {
    fn of(reader: &mut Reader) -> Result<Self, StoreError> {
        let mut queue = Self { count: 0, sum: 0 };
        let mut add = |payment: &Payment| {
            queue.count = queue.count.saturating_add(1);
            queue.sum = queue.sum.saturating_add(payment.amount().0);
        };
        reader.payments::<StoreError>(false, |view| {
            let is_before = matches!(
                view.row.status,
                PaymentStatus::Open | PaymentStatus::Requested
            );
            if is_before {
                add(&view.row.payment);
            }
            Ok(true)
        })?;
        for request in reader.waiting(u32::MAX)?.requests {
            add(&request.payment);
        }
        Ok(queue)
    }
}

async fn ask(
    config: &Config,
    nodes: &Nodes,
    payment: Payment,
    queue: &Queue,
    decimals: u8,
) -> Result<Shown, Failure> {
    let chain = nodes.first();
    let (head, finalised) = (chain.head().await?, chain.finalised().await?);
    let vault = chain.look_at(head).await?;
    let (index, tier) = tier_of(chain, head, payment, &vault.tiers).await?;
    let (base_fee, tip) = chain.market().await?;
    let earlier = chain
        .block_numbered(head.number.saturating_sub(BLOCKS))
        .await?;
    let block_ms = pace(earlier, head);
    let mut waits = Vec::new();
    let gas = match gas(config, chain, head, payment, index, &tier).await {
        Ok(gas) => gas,
        Err(why) => {
            waits.push(format!(
                "it could not be simulated, so its gas is not known: {why}"
            ));
            0
        }
    };
    let policy = config.fees.keeping_one_back();
    let market = FeeMarket { base_fee, tip };
    let (price, most) = match offer(&policy, market, None) {
        Offer::Sign(fees) => (
            base_fee.saturating_add(fees.tip).min(fees.max_fee),
            config.fees.max_fee,
        ),
        Offer::Hold { cap, needed } => {
            let cap_value = cap.of(&policy);
            waits.push(format!(
                "fees: {cap} {needed} wei per gas is needed, a payment may offer {cap_value}"
            ));
            (config.fees.max_fee, config.fees.max_fee)
        }
    };
    let patience_s = match &config.patience {
        None => (0, 0),
        Some(patience) => {
            let per_day = DAY_MS.checked_div(block_ms.max(1)).unwrap_or_default();
            let first = head.number.saturating_sub(per_day);
            let mut prices = Prices::default();
            for (time, fee) in chain.base_fees(first, head.number, PRICES).await? {
                prices.learn(time, fee);
            }
            (patience.age(&prices, base_fee), patience.deadline_s)
        }
    };
    let scene = Scene {
        amount: payment.amount().0,
        tier,
        balance: vault.balance.0,
        ahead: queue.count,
        ahead_sum: queue.sum,
        max_payments: u64::from(config.batch.max_payments),
        max_wait_s: config.batch.max_wait_ms.div_ceil(1_000),
        patience_s,
        block_ms,
        finality_s: head.time.seconds().saturating_sub(finalised.time.seconds()),
    };
    let arrival = scene.arrival();
    if arrival.lacks_balance {
        waits.push(format!(
            "a deposit: the vault holds {}",
            vault.balance.display(decimals)
        ));
    }
    if arrival.lacks_room {
        waits.push(format!(
            "room under its tier's cap: there is room for {} now",
            tier.headroom.display(decimals)
        ));
    }
    if vault.halted_until > head.time.seconds() {
        waits.push("the vault is frozen".to_owned());
    }
    if !tier.is_automatic() {
        waits.push(format!(
            "{} approvals; times are from the last of them, and the fee is that of proposing it",
            tier.approvals
        ));
    }
    let cost = |fee: u128| fee.saturating_mul(u128::from(gas));
    let quote = Quote {
        reference: payment.reference(),
        made_at: now(),
        expected_s: arrival.expected_s,
        most_s: arrival.most_s,
        finality_s: arrival.finality_s,
        fee_expected: Amount(cost(price)),
        fee_most: Amount(cost(most)),
    };
    Ok(Shown {
        recipient: payment.recipient().to_string(),
        amount: payment.amount().display(decimals),
        tier: index.get(),
        approvals: tier.approvals,
        delay_s: tier.delay,
        ahead: queue.count,
        gas,
        fee: quote.fee_expected.display(18),
        fee_at_most: quote.fee_most.display(18),
        waits,
        quote,
    })
}

/// A day. [milliseconds]
const DAY_MS: u64 = 86_400_000;

/// The mean time from one block to the next. [milliseconds]
fn pace(earlier: BlockRef, head: BlockRef) -> u64 {
    let seconds = head.time.seconds().saturating_sub(earlier.time.seconds());
    let blocks = head.number.saturating_sub(earlier.number).max(1);
    let pace = seconds.saturating_mul(1_000).checked_div(blocks);
    pace.unwrap_or_default()
}

async fn tier_of(
    chain: &RpcChain,
    head: BlockRef,
    payment: Payment,
    tiers: &[TierLook],
) -> Result<(TierIndex, TierLook), Failure> {
    let refused = |why: &str| Failure::new(ExitStatus::Refused, format!("it would be held: {why}"));
    let index = match chain.advise_one(head, payment).await? {
        Some(Advice::Tier(index)) => index,
        Some(Advice::Blocked) => return Err(refused("the vault's book blocks the recipient")),
        Some(Advice::Never) => return Err(refused("nobody can be paid at that address")),
        Some(Advice::AboveLimit) => {
            return Err(refused("no tier takes that amount for this recipient"));
        }
        Some(Advice::Blacklisted) => return Err(refused("the token freezes the recipient")),
        None => return Err(refused("the node says nothing of it")),
    };
    let tier = tiers.get(usize::from(index.get())).copied();
    tier.map(|tier| (index, tier))
        .ok_or_else(|| refused("its tier is not there any more"))
}

/// Gas limit of a transaction with this payment alone, by simulation after the newest block, under a number that nobody uses.
async fn gas(
    config: &Config,
    chain: &RpcChain,
    head: BlockRef,
    payment: Payment,
    tier: TierIndex,
    look: &TierLook,
) -> Result<u64, String> {
    let words = |error: DomainError| error.to_string();
    let route = if look.is_automatic() {
        Route::Direct
    } else {
        Route::Proposal
    };
    let (life, namespace) = match route {
        Route::Direct => (
            config.batch.attempt_ttl_s,
            Namespace::COUNT.saturating_sub(1),
        ),
        Route::Proposal => (
            config.batch.proposal_life(look.delay),
            Namespace::COUNT.saturating_sub(1),
        ),
    };
    let namespace = Namespace::new(namespace).map_err(|error| error.to_string())?;
    let counter = u64::from(rand::rng().random::<u32>());
    let number = namespace
        .number(route, counter)
        .ok_or("no number is left")?;
    let until = head.time.seconds().saturating_add(life);
    let expires = BlockTime::from_seconds(until).map_err(words)?;
    let header = Batch::seal(number, tier, &[payment], expires, B256::ZERO).map_err(words)?;
    let batch = header.id(&chain.parties().domain);
    let job = match route {
        Route::Direct => Job::Pay { batch },
        Route::Proposal => Job::Propose { batch },
    };
    let data = encode_job(&job, &header, &[payment]).ok_or("it cannot be encoded")?;
    let most = config.gas.transaction.osaka;
    match chain.try_job(head, data, (most, until)).await? {
        Simulation::Succeeds { gas, .. } => Ok(gas),
        Simulation::Reverts(revert) => Err(format!("the vault refuses it now: {revert:?}")),
    }
}

fn text(shown: &Shown, coin: &str) -> String {
    let Quote {
        reference,
        expected_s,
        most_s,
        finality_s,
        ..
    } = &shown.quote;
    let mut lines = vec![
        format!("pays      {} to {}", shown.amount, shown.recipient),
        format!(
            "tier      {}, {} approvals, delay {}",
            shown.tier,
            shown.approvals,
            span(u64::from(shown.delay_s))
        ),
        format!(
            "fee       {} {coin} alone in its transaction, at most {}; in a batch it shares",
            shown.fee, shown.fee_at_most
        ),
        format!(
            "arrives   in {}, at most {}; final {} later",
            span(*expected_s),
            span(*most_s),
            span(*finality_s)
        ),
        format!("ahead     {} payments", shown.ahead),
    ];
    lines.extend(shown.waits.iter().map(|wait| format!("waits     {wait}")));
    lines.push(format!(
        "ref       {reference}: file it with --ref, and `keeper quote --scores` holds this quote to what happens"
    ));
    lines.join("\n")
}
