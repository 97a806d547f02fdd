//! What a requester noted beside a withdrawal. Beside the log, never in it: it may be personal, and a log cannot forget.

use std::collections::BTreeMap;

use tidelock_core::domain::PaymentRef;

use super::{
    Desk, Reader, StoreError,
    sql::{Connection, among, query},
};

/// Refs in one question.
const REFS: usize = 250;

/// Keeps notes of refs that have none.
pub(super) async fn keep(
    connection: &mut Connection,
    notes: &[(PaymentRef, String)],
) -> Result<(), StoreError> {
    const KEEP: &str =
        "INSERT INTO metadata (ref, body) VALUES ($1, $2) ON CONFLICT (ref) DO NOTHING";
    for (reference, body) in notes {
        let kept = query(KEEP).bind(reference.0.to_vec()).bind(body.clone());
        kept.execute(connection).await?;
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
    /// Forgets what was noted beside a withdrawal, for good: an empty note stays, so that a request that is sent again brings nothing back.
    pub fn forget_metadata(&mut self, reference: PaymentRef) -> Result<(), StoreError> {
        const FORGET: &str = "INSERT INTO metadata (ref, body) VALUES ($1, '') \
            ON CONFLICT (ref) DO UPDATE SET body = ''";
        self.write(async |connection| {
            let gone = query(FORGET).bind(reference.0.to_vec());
            gone.execute(connection).await.map(drop)
        })
    }
}
