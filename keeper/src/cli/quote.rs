//! `keeper quote`: what a payment would cost and when it would arrive if it were filed now; and how good such quotes were.

mod scores;

use alloy::primitives::{B256, Bytes, U256};
use rand::Rng;
use serde::Serialize;
use tidelock_core::{
    abi::{VaultLens, encode_job},
    calendar::{span, utc},
    cost::Charge,
    domain::{Amount, Batch, BlockTime, DomainError, Payment, PaymentRef, TierIndex},
    event::{BlockRef, Fees, Job, Namespace, Route},
    lifecycle::PaymentStatus,
    port::{Advice, Simulation, TierLook, VaultLook},
    quote::{Arrival, Scene},
    submit::{FeeMarket, Offer, Prices, Unsigned, offer},
};

use super::{
    Context, offline,
    online::{block_on, connect, look, pace, past_fees},
    print,
    shown::now,
};
use crate::{
    chain::{ChainError, DataFee, Nodes, RpcChain},
    config::Config,
    csv::read_payment,
    exit::{ExitStatus, Failure, Outcome},
    store::{Quote, Reader, StoreError},
};

/// A nonce of the usual length: what a transaction pays for data hangs on its bytes, and its nonce is not known yet.
const SOME_NONCE: u64 = 0xffff;

/// Recent batches that a quote looks at.
pub(super) const BATCHES: u32 = 50;

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
pub(super) struct Shown {
    #[serde(flatten)]
    pub quote: Quote,
    recipient: String,
    amount: String,
    pub tier: u8,
    pub approvals: u8,
    pub delay_s: u32,
    /// Open payments before it.
    pub ahead: u64,
    /// Recent payments that `p50_s` and `p95_s` rest on; 0 if too few are known, and they are what is foreseen.
    pub recent: usize,
    /// When its tier's cap has room for it, if nothing else leaves; none if it never has. [seconds since 1970]
    pub room_at: Option<u64>,
    /// The block that this is about.
    pub head: BlockRef,
    pub gas: u64,
    /// With what it pays for data. In the chain's coin.
    pub fee: String,
    pub fee_at_most: String,
    /// What of it is for data beside gas, as things are now; none if nothing is, or it is not known.
    data_fee: Option<String>,
    /// The same in words, where a chain takes anything for data.
    data: Option<String>,
    /// What stands in its way now.
    pub waits: Vec<String>,
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
    let took = reader.recently_took(BATCHES)?;
    reader.close()?;
    let shown = block_on(async {
        let nodes = connect(&config, keeper)?;
        let head = nodes.head().await?;
        let known = (&queue, took.as_slice());
        ask(&config, (&nodes, head), payment, known, decimals).await
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
pub(super) struct Queue {
    count: u64,
    sum: u128,
}

impl Queue {
    pub fn of(reader: &mut Reader) -> Result<Self, StoreError> {
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

/// What is asked of the chain for a quote, all of it about one block.
struct Seen {
    head: BlockRef,
    finality_s: u64,
    block_ms: u64,
    vault: VaultLook,
    index: TierIndex,
    tier: TierLook,
    market: FeeMarket,
}

impl Seen {
    /// What payments are held to is what both nodes say; prices are those of the first, by which the keeper sends.
    async fn ask(nodes: &Nodes, head: BlockRef, payment: Payment) -> Result<Self, Failure> {
        let chain = nodes.first();
        let finalised = nodes.finalised().await?;
        let vault = look(nodes, head).await?;
        let (index, tier) = tier_of(nodes, head, payment, &vault.tiers).await?;
        let (base_fee, tip) = chain.market().await?;
        Ok(Self {
            finality_s: head.time.seconds().saturating_sub(finalised.time.seconds()),
            block_ms: pace(chain, head).await?,
            market: FeeMarket { base_fee, tip },
            head,
            vault,
            index,
            tier,
        })
    }

    /// Age from which the price of now is paid, and at the latest. [seconds]
    async fn patience(&self, config: &Config, chain: &RpcChain) -> Result<(u64, u64), Failure> {
        let Some(patience) = &config.patience else {
            return Ok((0, 0));
        };
        let mut prices = Prices::default();
        for (time, fee) in past_fees(chain, self.head, self.block_ms, 1).await? {
            prices.learn(time, fee);
        }
        let age = patience.age(&prices, self.market.base_fee);
        Ok((age, patience.deadline_s))
    }

    /// What a unit of gas would cost, or which cap is in the way. [wei]
    fn price(&self, config: &Config) -> Result<u128, String> {
        let policy = config.fees.keeping_one_back();
        match offer(&policy, self.market, None) {
            Offer::Sign(fees) => {
                let price = self.market.base_fee.saturating_add(fees.tip);
                Ok(price.min(fees.max_fee))
            }
            Offer::Hold { cap, needed } => Err(format!(
                "fees: {cap} {needed} wei per gas is needed, and a payment may offer {}",
                cap.of(&policy)
            )),
        }
    }

    /// What stands in the way of the payment.
    fn waits(&self, arrival: &Arrival, decimals: u8) -> Vec<String> {
        let mut waits = Vec::new();
        if arrival.lacks_balance {
            let held = self.vault.balance.display(decimals);
            waits.push(format!("a deposit: the vault holds {held}"));
        }
        if arrival.lacks_room {
            let room = self.tier.headroom.display(decimals);
            waits.push(format!("room under its tier's cap: there is {room} now"));
        }
        if self.vault.halted_until > self.head.time.seconds() {
            let until = utc(self.vault.halted_until);
            waits.push(format!("the vault is frozen until {until}"));
        }
        if !self.tier.is_automatic() {
            let approvals = self.tier.approvals;
            waits.push(format!(
                "{approvals} approvals; times are from the last of them, and the fee is that of proposing it"
            ));
        }
        waits
    }
}

/// A quote after a block.
pub(super) async fn ask(
    config: &Config,
    (nodes, head): (&Nodes, BlockRef),
    payment: Payment,
    (queue, took): (&Queue, &[u64]),
    decimals: u8,
) -> Result<Shown, Failure> {
    let chain = nodes.first();
    let seen = Seen::ask(nodes, head, payment).await?;
    let scene = Scene {
        amount: payment.amount().0,
        tier: seen.tier,
        balance: seen.vault.balance.0,
        ahead: queue.count,
        ahead_sum: queue.sum,
        max_payments: u64::from(config.batch.max_payments),
        max_wait_s: config.batch.max_wait_ms.div_ceil(1_000),
        patience_s: seen.patience(config, chain).await?,
        block_ms: seen.block_ms,
        finality_s: seen.finality_s,
    };
    let (arrival, spread) = (scene.arrival(), scene.spread(took));
    let mut waits = seen.waits(&arrival, decimals);
    let tried = call(config, chain, payment, &seen).await;
    let tried = tried.map_err(|why| {
        waits.push(format!(
            "it could not be simulated, so its gas is not known: {why}"
        ));
    });
    let price = seen.price(config).unwrap_or_else(|why| {
        waits.push(why);
        config.fees.max_fee
    });
    let (mut gas, mut data_fee) = (0, None);
    if let Ok(call) = tried {
        gas = call.gas;
        let bytes = call.bytes(chain, config.fees.max_fee);
        let ask = async |chain: &RpcChain| chain.data_fee(head, bytes.clone()).await;
        data_fee = nodes.agree("the fee for data", ask).await?;
    }
    let charge = Charge {
        gas,
        price,
        cap: config.fees.max_fee,
        data: data_fee.unwrap_or_default(),
    };
    let quote = Quote {
        reference: payment.reference(),
        made_at: now(),
        expected_s: arrival.expected_s,
        most_s: arrival.most_s,
        finality_s: arrival.finality_s,
        p50_s: Some(spread.p50_s),
        p95_s: Some(spread.p95_s),
        fee_expected: Amount(charge.expected()),
        fee_most: Amount(charge.most()),
    };
    Ok(Shown {
        recipient: payment.recipient().to_string(),
        amount: payment.amount().display(decimals),
        tier: seen.index.get(),
        approvals: seen.tier.approvals,
        delay_s: seen.tier.delay,
        ahead: queue.count,
        recent: spread.recent,
        room_at: room_at(nodes, &seen, payment).await?,
        head: seen.head,
        gas,
        fee: quote.fee_expected.display(18),
        fee_at_most: quote.fee_most.display(18),
        data_fee: data_fee.map(|fee| Amount(fee).display(18)),
        data: data_words(chain.charges(), data_fee, &config.profile.coin),
        waits,
        quote,
    })
}

/// By the lens.
async fn room_at(nodes: &Nodes, seen: &Seen, payment: Payment) -> Result<Option<u64>, ChainError> {
    let parties = nodes.first().parties();
    let call = VaultLens::fitsAtCall {
        vault: parties.domain.vault,
        tier: U256::from(seen.index.get()),
        total: U256::from(payment.amount().0),
    };
    let (at, lens) = (seen.head.hash, parties.lens);
    let ask = async |chain: &RpcChain| chain.call(at, lens, call.clone()).await;
    let time = nodes.agree("room under the cap", ask).await?;
    Ok(u64::try_from(time).ok().filter(|time| *time > 0))
}

/// What of the fee is for data, and how far it is known beforehand.
fn data_words(charges: DataFee, fee: Option<u128>, coin: &str) -> Option<String> {
    Some(match (charges, fee) {
        (DataFee::None, _) => return None,
        (DataFee::InGas, _) => {
            "part of the gas, as the node counts it now; it follows the fees of the chain below, so nobody knows it beforehand".to_owned()
        }
        (DataFee::OpOracle, Some(fee)) => format!(
            "{} {coin} of the fee, as the chain's GasPriceOracle has it now; it follows the fees of the chain below and has no cap, so at most \
             counts it twice",
            Amount(fee).display(18)
        ),
        (DataFee::OpOracle, None) => "not known, and not counted".to_owned(),
    })
}

async fn tier_of(
    nodes: &Nodes,
    head: BlockRef,
    payment: Payment,
    tiers: &[TierLook],
) -> Result<(TierIndex, TierLook), Failure> {
    let refused = |why: &str| Failure::new(ExitStatus::Refused, format!("it would be held: {why}"));
    let ask = async |chain: &RpcChain| chain.advise_one(head, payment).await;
    let index = match nodes.agree("tier of the payment", ask).await? {
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

/// A transaction with one payment alone.
struct Call {
    job: Job,
    data: Bytes,
    gas: u64,
}

impl Call {
    /// As it would be signed.
    fn bytes(self, chain: &RpcChain, max_fee: u128) -> Bytes {
        let domain = chain.parties().domain;
        let fees = Fees {
            max_fee,
            tip: max_fee,
        };
        Unsigned::call(&domain, SOME_NONCE, self.job, self.data, self.gas, fees).preimage()
    }
}

/// The call, with its gas limit by simulation after the newest block, under a number that nobody uses.
async fn call(
    config: &Config,
    chain: &RpcChain,
    payment: Payment,
    seen: &Seen,
) -> Result<Call, String> {
    let words = |error: DomainError| error.to_string();
    let (head, tier) = (seen.head, seen.index);
    let (route, life) = if seen.tier.is_automatic() {
        (Route::Direct, config.batch.attempt_ttl_s)
    } else {
        (Route::Proposal, config.batch.proposal_life(seen.tier.delay))
    };
    let namespace = Namespace::COUNT.saturating_sub(1);
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
    match chain.try_job(head, data.clone(), (most, until)).await? {
        Simulation::Succeeds { gas, .. } => Ok(Call { job, data, gas }),
        Simulation::Reverts(revert) => Err(format!("the vault refuses it now: {revert:?}")),
    }
}

fn text(shown: &Shown, coin: &str) -> String {
    let Quote {
        reference,
        expected_s,
        most_s,
        finality_s,
        p50_s,
        p95_s,
        ..
    } = &shown.quote;
    let [p50, p95] = [p50_s, p95_s].map(|seconds| span(seconds.unwrap_or_default()));
    let basis = match shown.recent {
        0 => "as foreseen, for too few recent payments are known".to_owned(),
        recent => format!("by {recent} recent payments and what it waits for beside"),
    };
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
        format!("final     half of such payments are in {p50}, 95 of 100 in {p95}: {basis}"),
        format!("ahead     {} payments", shown.ahead),
    ];
    let data = shown.data.iter();
    lines.splice(3..3, data.map(|data| format!("data      {data}")));
    lines.extend(shown.waits.iter().map(|wait| format!("waits     {wait}")));
    lines.push(format!(
        "ref       {reference}: file it with --ref, and `keeper quote --scores` holds this quote to what happens"
    ));
    lines.join("\n")
}
