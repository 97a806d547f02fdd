//! `keeper revoke`: a signer takes its approval back.

use alloy::primitives::Bytes;
use alloy_sol_types::SolCall;
use serde_json::json;
use tidelock_core::abi::Vault;

use super::{
    Context,
    approve::words,
    direct::{Desk, SendArgs},
    online::{batch_id, block_on},
    print,
};
use crate::exit::{ExitStatus, Outcome};

/// What `keeper revoke` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The batch's id, or a policy change's
    pub id: String,
    #[command(flatten)]
    pub send: SendArgs,
}

pub(super) fn run(args: &Args, context: &Context) -> Outcome {
    let config = context.load()?;
    let id = batch_id(&args.id)?;
    block_on(async {
        let desk = Desk::open(&args.send, config).await?;
        let standing = desk.standing(id).await?;
        if !context.json {
            print(format!("{id}\n{}", words(&standing)))?;
        }
        desk.confirm(&format!("Take back the approval of {id}?"))?;
        let data = Bytes::from(Vault::revokeCall { id: id.0 }.abi_encode());
        let sent = desk.send(data).await?;
        print(if context.json {
            let block = sent.mined.block;
            json!({"id": id, "transaction": sent.hash, "block": block}).to_string()
        } else {
            format!(
                "revoked {id}\ntransaction {} in block {}",
                sent.hash, sent.mined.block
            )
        })?;
        Ok(ExitStatus::Done)
    })
}
