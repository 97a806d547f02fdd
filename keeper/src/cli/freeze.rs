//! `keeper freeze`: nothing leaves the vault for a while.

use alloy::primitives::Bytes;
use alloy_sol_types::SolCall;
use serde_json::json;
use tidelock_core::abi::Vault;

use super::{
    Context,
    direct::{Desk, SendArgs},
    online::{block_on, until},
    print,
};
use crate::{
    chain::RpcChain,
    exit::{ExitStatus, Outcome},
};

/// What `keeper freeze` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    pub send: SendArgs,
}

pub(super) fn run(args: &Args, context: &Context) -> Outcome {
    let config = context.load()?;
    block_on(async {
        let desk = Desk::open(&args.send, config).await?;
        desk.confirm("Stop everything that leaves the vault, until signers end it or time does?")?;
        let sent = desk
            .send(Bytes::from(Vault::freezeCall {}.abi_encode()))
            .await?;
        let at = desk.nodes.head().await?;
        let ask = async |chain: &RpcChain| chain.halted_until(at).await;
        let halted_until = desk.nodes.agree("end of the freeze", ask).await?;
        print(if context.json {
            json!({
                "halted_until": halted_until, "transaction": sent.hash, "block": sent.mined.block,
            })
            .to_string()
        } else {
            format!(
                "frozen until {}\ntransaction {} in block {}",
                until(halted_until, at.time.seconds()),
                sent.hash,
                sent.mined.block
            )
        })?;
        Ok(ExitStatus::Done)
    })
}
