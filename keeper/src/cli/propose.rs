//! `keeper propose`: a person proposes payments, under numbers that no keeper uses.

use std::path::{Path, PathBuf};

use alloy::primitives::{B256, Bytes};
use alloy_sol_types::SolCall;
use rand::Rng;
use serde_json::json;
use tidelock_core::{
    abi::{Vault, VaultLens, order_argument},
    domain::{
        Batch, BlockTime, DomainError, MAX_BATCH_COUNT, Payment, PaymentNumber, TierIndex,
        pack_payments,
    },
    event::BlockRef,
};

use super::{
    Context,
    approve::describe,
    direct::{Desk, SendArgs},
    lists,
    once::{AgainArgs, Known},
    online::block_on,
    print,
};
use crate::exit::{ExitStatus, Failure, Outcome};

/// First of the numbers that only proposals may use.
const PROPOSALS: u64 = 1 << 63;
/// People's numbers are namespace 0 of that half: 40 bits.
const COUNTER_BITS: u32 = 40;
/// Numbers for each second of the counter: two batches of the largest size.
const PER_SECOND_BITS: u32 = 9;

/// What `keeper propose` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Payments: CSV with the columns ref, recipient and amount, amounts in tokens; - for standard input
    #[arg(long)]
    pub file: PathBuf,
    /// Tier of the release policy; the lowest that takes all of them, if not given
    #[arg(long)]
    pub tier: Option<u8>,
    /// How long the proposal lives; batch.voting_s, the tier's delay and 29 hours, if not given [seconds]
    #[arg(long)]
    pub life: Option<u64>,
    /// Number of the first payment; one made of the time, if not given
    #[arg(long)]
    pub first_number: Option<u64>,
    /// First block to look in for what was paid before
    #[arg(long, default_value_t = 0)]
    pub from_block: u64,
    #[command(flatten)]
    pub again: AgainArgs,
    #[command(flatten)]
    pub send: SendArgs,
}

pub(super) fn run(args: &Args, context: &Context) -> Outcome {
    let config = context.load()?;
    let batch = config.batch;
    block_on(async {
        let desk = Desk::open(&args.send, config.clone()).await?;
        let payments = read_file(&args.file, desk.decimals())?;
        let at = desk.nodes.head().await?;
        let tiers = tiers(&desk, at).await?;
        let tier = match args.tier {
            Some(tier) => TierIndex::new(tier).map_err(usage)?,
            None => lowest_tier(&desk, at, &tiers, &payments).await?,
        };
        let delay = tiers
            .get(usize::from(tier.get()))
            .map_or(0, |row| row.delay);
        let life = args.life.unwrap_or_else(|| batch.proposal_life(delay));
        let first = args.first_number.map_or_else(|| number_of(at), Ok)?;
        let header = seal(first, tier, &payments, at, life)?;
        check_numbers(&desk, at, &header).await?;
        let id = header.id(&desk.parties().domain);
        let proposal = (&header, payments.as_slice());
        let known = Known::find(&desk, &config, proposal, args.from_block).await?;
        if !context.json {
            print(describe(&header, &payments, desk.decimals()))?;
            known.lines().try_for_each(print)?;
        }
        known.refuse_unseen(args.send.yes, &args.again)?;
        desk.confirm("Propose these payments?")?;
        let call = Vault::proposeCall {
            order: order_argument(&header),
            payments: Bytes::from(pack_payments(&payments)),
        };
        let sent = desk.send(Bytes::from(call.abi_encode())).await?;
        print(if context.json {
            let block = sent.mined.block;
            json!({
                "batch": id, "header": header.message(), "payments": Bytes::from(pack_payments(&payments)), "transaction": sent.hash, "block": block, "warnings": known.warnings(),
            })
                .to_string()
        } else {
            format!(
                "proposed {id}\ntransaction {} in block {}",
                sent.hash, sent.mined.block
            )
        })?;
        Ok(ExitStatus::Done)
    })
}

fn usage(error: DomainError) -> Failure {
    Failure::of(ExitStatus::Usage, error)
}

fn read_file(path: &Path, decimals: u8) -> Result<Vec<Payment>, Failure> {
    let mut list = lists::read(path, decimals, |_| None)?;
    let count = usize::try_from(list.totals().count).unwrap_or(usize::MAX);
    if count > MAX_BATCH_COUNT {
        let error = usage(DomainError::CountOutOfRange { count });
        return Err(error.while_doing(format!("--file {}", path.display())));
    }
    let rows = lists::next(&mut list, MAX_BATCH_COUNT)?;
    Ok(rows.into_iter().map(|(_, payment)| payment).collect())
}

/// 9 bits of choice for each second of the block's time: unused, unless somebody takes the same in the same second.
fn number_of(at: BlockRef) -> Result<u64, Failure> {
    let half = if rand::rng().random() { 1_u64 << 8 } else { 0 };
    let counter = (at.time.seconds() << PER_SECOND_BITS) & ((1_u64 << COUNTER_BITS) - 1);
    Ok(PROPOSALS | counter | half)
}

fn seal(
    first: u64,
    tier: TierIndex,
    payments: &[Payment],
    at: BlockRef,
    life: u64,
) -> Result<Batch, Failure> {
    if !(PROPOSALS..PROPOSALS | (1 << COUNTER_BITS)).contains(&first) {
        return Err(Failure::new(
            ExitStatus::Usage,
            format!(
                "--first-number {first}: must be 2^63 to 2^63 + 2^40 - 1; the others belong to keepers"
            ),
        ));
    }
    let expires = at.time.seconds().saturating_add(life);
    let expires_at = BlockTime::from_seconds(expires).map_err(usage)?;
    Batch::seal(PaymentNumber(first), tier, payments, expires_at, B256::ZERO).map_err(usage)
}

/// The release policy.
async fn tiers(desk: &Desk, at: BlockRef) -> Result<Vec<VaultLens::Tier>, Failure> {
    let parties = desk.parties();
    let call = VaultLens::tiersCall {
        vault: parties.domain.vault,
    };
    Ok(desk.call("tiers", at, parties.lens, call).await?)
}

/// The lowest tier that is not automatic and that takes every payment.
async fn lowest_tier(
    desk: &Desk,
    at: BlockRef,
    rows: &[VaultLens::Tier],
    payments: &[Payment],
) -> Result<TierIndex, Failure> {
    let parties = desk.parties();
    let vault = parties.domain.vault;
    let packed = Bytes::from(pack_payments(payments));
    let preview = VaultLens::previewCall {
        vault,
        payments: packed,
    };
    let previews = desk.call("tier", at, parties.lens, preview).await?;
    let refused = previews
        .iter()
        .zip(payments)
        .find(|(said, _)| said.refusal != 0);
    if let Some((said, payment)) = refused {
        let why = match said.refusal {
            2 => "the recipient is blocked in the vault's book, or can never be paid",
            _ => "no tier takes that amount for a recipient of that standing",
        };
        let reference = payment.reference();
        let words = format!("payment {reference} to {}: {why}", payment.recipient());
        return Err(Failure::new(ExitStatus::Refused, words));
    }
    let automatic = rows
        .iter()
        .take_while(|row| row.approvals == 0 && row.delay == 0);
    let least = u8::try_from(automatic.count()).unwrap_or(u8::MAX);
    let needed = previews.iter().map(|said| said.tier).max().unwrap_or(0);
    let tier = needed.max(least);
    if usize::from(tier) >= rows.len() {
        let words = "--tier: every tier of the vault is automatic; there is nothing to approve";
        return Err(Failure::new(ExitStatus::Refused, words));
    }
    TierIndex::new(tier).map_err(usage)
}

/// A number that is paid already would leave its payment unpaid.
async fn check_numbers(desk: &Desk, at: BlockRef, header: &Batch) -> Result<(), Failure> {
    let first = header.first_number;
    let offsets = 0..header.count;
    let numbers: Vec<PaymentNumber> = offsets
        .filter_map(|offset| first.checked_add(offset))
        .collect();
    if desk.nodes.paid_among(at, &numbers).await?.is_empty() {
        return Ok(());
    }
    let words = format!("--first-number {first}: the vault has paid some of these numbers already");
    Err(Failure::new(ExitStatus::Refused, words))
}
