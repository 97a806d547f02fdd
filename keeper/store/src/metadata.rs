//! What a requester noted beside a withdrawal. Beside the log, never in it: it may be personal, and a log cannot forget.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use tidelock_core::domain::{Payment, PaymentRef};

use super::{
    Desk, Filed, Reader, StoreError,
    sql::{Connection, among, query},
};

/// Refs in one question.
const REFS: usize = 250;

/// The name under which is noted who filed a request, where that was said. Requesters' own names have no such letter, and who filed it is not
/// forgotten with what they noted.
const FILED_BY: &str = "@filed_by";
/// What names begin with that are not requesters'.
const OURS: char = '@';

/// A request, and what is to be noted beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Noted {
    /// What is asked for.
    pub payment: Payment,
    /// What its requester notes: an object, as JSON.
    pub note: Option<String>,
    /// Who files it, if that is to be noted: only of a request that nobody filed before.
    pub filed_by: Option<String>,
}

impl From<Payment> for Noted {
    fn from(payment: Payment) -> Self {
        Self {
            payment,
            note: None,
            filed_by: None,
        }
    }
}

impl Noted {
    /// All that is noted, as JSON.
    fn body(&self, is_fresh: bool) -> Result<Option<String>, StoreError> {
        let Some(filed_by) = self.filed_by.as_ref().filter(|_| is_fresh) else {
            return Ok(self.note.clone());
        };
        let mut body = self.note.as_deref().map_or(Ok(Map::new()), object)?;
        body.insert(FILED_BY.to_owned(), filed_by.clone().into());
        Ok(Some(Value::Object(body).to_string()))
    }
}

fn object(body: &str) -> Result<Map<String, Value>, StoreError> {
    serde_json::from_str(body).map_err(|error| StoreError::damaged("metadata", error.to_string()))
}

/// Keeps notes of refs that have none.
pub(super) async fn keep(
    connection: &mut Connection,
    noted: &[Noted],
    filed: &[Filed],
) -> Result<(), StoreError> {
    const KEEP: &str =
        "INSERT INTO metadata (ref, body) VALUES ($1, $2) ON CONFLICT (ref) DO NOTHING";
    for (noted, filed) in noted.iter().zip(filed) {
        if let Some(body) = noted.body(!filed.known)? {
            let kept = query(KEEP).bind(filed.reference.0.to_vec()).bind(body);
            kept.execute(connection).await?;
        }
    }
    Ok(())
}

impl Reader {
    /// What was noted beside withdrawals, as JSON by ref.
    pub fn metadata(
        &mut self,
        refs: &[PaymentRef],
    ) -> Result<BTreeMap<PaymentRef, String>, StoreError> {
        let connection = &mut self.connection;
        self.runtime.block_on(async {
            let mut found = BTreeMap::new();
            for refs in refs.chunks(REFS) {
                let keys = refs.iter().map(|reference| reference.0.to_vec()).collect();
                let asked = among("SELECT ref, body FROM metadata WHERE ref", keys);
                for row in &asked.fetch_all(connection).await? {
                    let reference = <[u8; 16]>::try_from(row.bytes("ref")?);
                    let reference =
                        reference.map_err(|_| StoreError::damaged("metadata", "a ref"))?;
                    let body = row.text("body")?;
                    if !body.is_empty() {
                        found.insert(PaymentRef(reference), body.to_owned());
                    }
                }
            }
            Ok(found)
        })
    }
}

impl Desk {
    /// Forgets what its requester noted beside a withdrawal, for good: an empty note stays, so that a request that is sent again brings nothing
    /// back.
    pub fn forget_metadata(&mut self, reference: PaymentRef) -> Result<(), StoreError> {
        const FORGET: &str = "INSERT INTO metadata (ref, body) VALUES ($1, $2) \
            ON CONFLICT (ref) DO UPDATE SET body = excluded.body";
        self.write(async |connection| {
            let asked = query("SELECT body FROM metadata WHERE ref = $1");
            let asked = asked.bind(reference.0.to_vec());
            let row = asked.fetch_optional(connection).await?;
            let body = row.as_ref().map(|row| row.text("body")).transpose()?;
            let mut body = match body {
                None | Some("") => Map::new(),
                Some(body) => object(body)?,
            };
            body.retain(|name, _| name.starts_with(OURS));
            let left = if body.is_empty() {
                String::new()
            } else {
                Value::Object(body).to_string()
            };
            let gone = query(FORGET).bind(reference.0.to_vec()).bind(left);
            gone.execute(connection).await.map(drop)
        })
    }
}
