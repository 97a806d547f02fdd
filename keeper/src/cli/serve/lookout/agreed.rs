//! What both nodes say, where there are two.

use std::fmt::Debug;

use tidelock_api::Unseen;
use tidelock_core::{differing::differing, event::BlockRef, port::VaultLook};

use super::silent;
use crate::chain::{Nodes, RpcChain};

/// What both say of something, where there are two.
pub(super) fn same<T: PartialEq + Debug>(of: &str, one: T, other: Option<&T>) -> Result<T, Unseen> {
    match other {
        Some(other) if *other != one => {
            let (one, other) = differing(&one, other);
            let words = format!("{of}: chain.rpc_url says {one}, chain.second_rpc_url {other}");
            Err(Unseen::Differ(words))
        }
        _ => Ok(one),
    }
}

/// What payments are held to; but for what is paid for data, which each node tells as it was lately.
pub(super) async fn look(chain: &RpcChain, at: BlockRef) -> Result<VaultLook, Unseen> {
    let looked = chain.look_at(at).await;
    let looked = looked.map_err(|error| silent(&error))?;
    Ok(VaultLook {
        data_fee: None,
        ..looked
    })
}

/// The newest block that every node has.
pub(super) async fn head(nodes: &Nodes) -> Result<BlockRef, Unseen> {
    let first = nodes.first().head().await.map_err(|error| silent(&error))?;
    let Some(second) = nodes.second() else {
        return Ok(first);
    };
    let other = second.head().await.map_err(|error| silent(&error))?;
    let number = first.number.min(other.number);
    let (one, other) = tokio::try_join!(
        nodes.first().block_numbered(number),
        second.block_numbered(number),
    )
    .map_err(|error| silent(&error))?;
    same("block", one, Some(&other))
}
