//! `keeper approve`: a signer's approval.

use std::fmt::Write as _;

use alloy::primitives::Bytes;
use alloy_sol_types::SolCall;
use serde_json::json;
use tidelock_core::{
    abi::{Vault, VaultLens, header_argument},
    domain::{Amount, Batch, Payment},
};

use super::{
    Context,
    direct::{Desk, SendArgs},
    once::{AgainArgs, Known},
    online::{batch_id, block_on},
    print,
};
use crate::{
    calendar::both,
    chain::RpcChain,
    exit::{ExitStatus, Failure, Outcome},
};

/// What `keeper approve` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The batch's id
    pub batch: String,
    /// First block to look in for the proposal, and for what was paid before it
    #[arg(long, default_value_t = 0)]
    pub from_block: u64,
    #[command(flatten)]
    pub again: AgainArgs,
    #[command(flatten)]
    pub send: SendArgs,
}

pub(super) fn run(args: &Args, context: &Context) -> Outcome {
    let config = context.load()?;
    let id = batch_id(&args.batch)?;
    block_on(async {
        let desk = Desk::open(&args.send, config.clone()).await?;
        let ask = async |chain: &RpcChain| chain.find_proposal(id, args.from_block).await;
        let Some(found) = desk.nodes.agree("proposal", ask).await? else {
            return Err(Failure::new(
                ExitStatus::Refused,
                format!("batch {id}: the vault's logs have no such proposal"),
            ));
        };
        let decimals = desk.decimals();
        let standing = desk.standing(id).await?;
        let batch = (&found.header, found.payments.as_slice());
        let known = Known::find(&desk, &config, batch, args.from_block).await?;
        if !context.json {
            print(describe(&found.header, &found.payments, decimals))?;
            print(words(&standing))?;
            known.lines().try_for_each(print)?;
        }
        known.refuse_unseen(args.send.yes, &args.again)?;
        desk.confirm("Approve these payments?")?;
        let batch = header_argument(&found.header);
        let data = Bytes::from(Vault::approveCall { batch }.abi_encode());
        let sent = desk.send(data).await?;
        let said = desk.standing(id).await?;
        print(if context.json {
            json!({
                "batch": id, "transaction": sent.hash, "block": sent.mined.block,
                "votes": said.votes, "required": said.required, "earliest": said.earliest.to::<u64>(),
                "warnings": known.warnings(),
            })
            .to_string()
        } else {
            format!(
                "approved {id}\nvotes      {} of {}\ntransaction {} in block {}",
                said.votes, said.required, sent.hash, sent.mined.block
            )
        })?;
        Ok(ExitStatus::Done)
    })
}

/// Where a proposal stands, as a signer reads it.
pub(super) fn words(standing: &VaultLens::Explanation) -> String {
    let state = match standing.state {
        0 => "not proposed",
        1 => "proposed",
        2 => "queued",
        3 => "ready",
        4 => "executed",
        5 => "cancelled",
        6 => "expired",
        _ => "unknown",
    };
    format!("{state}, {} of {} votes", standing.votes, standing.required)
}

/// What a signer is about to agree to, as the vault has it: every payment, since one that is not shown is agreed to unseen.
pub(super) fn describe(header: &Batch, payments: &[Payment], decimals: u8) -> String {
    let mut text = String::new();
    let show = |amount: Amount| amount.display(decimals);
    // Writing to a string cannot fail.
    let _ = writeln!(
        text,
        "batch of {} payments, numbers from {}, {} in all, tier {}, dead at {}",
        header.count,
        header.first_number,
        show(header.total),
        header.tier.get(),
        both(header.expires_at.seconds()),
    );
    for payment in payments {
        let _ = writeln!(
            text,
            "  {} {} ref {}",
            payment.recipient(),
            show(payment.amount()),
            payment.reference()
        );
    }
    text.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use alloy::primitives::{Address, B256};
    use tidelock_core::domain::{BlockTime, PaymentNumber, PaymentRef, TierIndex};

    use super::*;

    #[test]
    fn every_payment_of_the_largest_batch_is_shown() {
        let payment = |id: u8| {
            let reference = PaymentRef([id; 16]);
            Payment::new(Address::repeat_byte(1), Amount(5), reference).unwrap()
        };
        let payments: Vec<Payment> = (0..=255).map(payment).collect();
        let (first, tier) = (PaymentNumber(7), TierIndex::new(1).unwrap());
        let expires_at = BlockTime::from_seconds(9).unwrap();
        let header = Batch::seal(first, tier, &payments, expires_at, B256::ZERO).unwrap();
        let shown = describe(&header, &payments, 6);
        for payment in &payments {
            assert!(shown.contains(&payment.reference().to_string()));
        }
    }
}
