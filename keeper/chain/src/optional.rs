//! Methods that a node may lack. One that it said it lacks is not asked for again: what it costs would be spent at every block.

use std::{
    collections::BTreeSet,
    sync::{Mutex, MutexGuard, PoisonError},
};

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{RpcChain, RpcError, dialect::known};

/// What a node said it lacks since the keeper started.
#[derive(Debug, Default)]
pub(super) struct Lacks(Mutex<BTreeSet<&'static str>>);

impl Lacks {
    fn methods(&self) -> MutexGuard<'_, BTreeSet<&'static str>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RpcChain {
    /// Asks for what not every node offers; none if it does not.
    pub(super) async fn optional<T: DeserializeOwned>(
        &self,
        method: &'static str,
        params: Value,
    ) -> Result<Option<T>, RpcError> {
        if self.lacks.methods().contains(method) {
            return Ok(None);
        }
        let answer = known(self.rpc.request(method, params).await)?;
        if answer.is_none() {
            self.lacks.methods().insert(method);
        }
        Ok(answer)
    }
}
