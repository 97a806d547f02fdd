//! What the API asks: requests a page at a time, the newest first, and which refs an entry of the log is about.

use std::collections::BTreeMap;

use alloy_primitives::{Address, U256};
use tidelock_core::{
    domain::{BatchId, Payment, PaymentNumber, PaymentRef},
    lifecycle::PaymentStatus,
    state::BatchRow,
};

use super::{
    Found, PaymentView, Reader, Standing, StoreError, columns, load,
    reader::{VIEW, view},
    sql::{Connection, among, places, query},
};

/// Requests that one page looks at, whatever it is narrowed to.
const LOOKED_AT: i64 = 500;
/// Refs in one question.
const REFS: usize = 250;

/// What a list is narrowed to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Filter {
    /// Standing so; `Waiting` is what the engine has not taken in yet.
    pub status: Option<Stands>,
    /// To this recipient.
    pub to: Option<Address>,
    /// Arrived after this one.
    pub after: u64,
}

/// Where a request stands, as one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stands {
    /// Filed, and not taken in yet.
    Waiting,
    /// Taken in.
    Taken(PaymentStatus),
}

/// A part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The newest first. There may be fewer than were asked for, and more to come all the same.
    pub items: Vec<Standing>,
    /// Where the next page begins; none after the last.
    pub next: Option<u64>,
}

impl Reader {
    /// Requests that arrived before `before`, at most `limit`. Looks at a few hundred requests and no more, so that no question
    /// takes long: a page may be short, or empty, before the last.
    pub fn page(
        &mut self,
        filter: &Filter,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Page, StoreError> {
        let before = before.map_or(Ok(i64::MAX), |before| columns::integer("cursor", before))?;
        let after = columns::integer("arrival", filter.after)?;
        let connection = &mut self.connection;
        self.runtime.block_on(async {
            let log = load::log_head(connection).await?;
            let taken_in = log.map_or(0, |(_, head)| head.arrivals);
            let rows = query(
                "SELECT * FROM request WHERE arrival < $1 AND arrival > $2 ORDER BY arrival DESC LIMIT $3",
            )
            .bind(before)
            .bind(after)
            .bind(LOOKED_AT)
            .fetch_all(connection)
            .await?;
            let all_seen = i64::try_from(rows.len()).is_ok_and(|count| count < LOOKED_AT);
            let mut requests = Vec::new();
            let mut last = None;
            for row in &rows {
                last = Some(columns::arrival(row)?);
                // What cannot be read is told by `keeper status`.
                requests.extend(columns::request(row));
            }
            let refs: Vec<PaymentRef> = (requests.iter())
                .map(|request| request.payment.reference())
                .collect();
            let mut views = views(connection, &refs).await?;
            let mut page = Page {
                items: Vec::new(),
                next: if all_seen { None } else { last },
            };
            for request in requests {
                if page.items.len() >= limit {
                    // The page ends before this one.
                    page.next = Some(request.arrival.saturating_add(1));
                    break;
                }
                let standing = match views.remove(&request.payment.reference()) {
                    Some(view) => Standing::Taken(Box::new(view)),
                    None if request.arrival <= taken_in => Standing::LeftOut(request),
                    None => Standing::Waiting(request),
                };
                if filter.takes(&request.payment, &standing) {
                    page.items.push(standing);
                }
            }
            Ok(page)
        })
    }

    /// The payments of a batch, in the order of their numbers; none of a batch that is not known.
    pub fn of_batch(&mut self, batch: &BatchId) -> Result<Vec<Standing>, StoreError> {
        let refs = self.refs_of_batch(batch)?;
        let connection = &mut self.connection;
        let mut views = self.runtime.block_on(views(connection, &refs))?;
        let each = refs.iter().filter_map(|reference| views.remove(reference));
        Ok(each.map(|view| Standing::Taken(Box::new(view))).collect())
    }

    /// Batches that signers decide about, in the order of their numbers: proposed, or about to be.
    pub fn proposals(&mut self) -> Result<Vec<BatchRow>, StoreError> {
        let asked = query(
            "SELECT * FROM batch WHERE status IN ('sealed', 'proposed') AND route = 'proposal'",
        )
        .fetch_all(&mut self.connection);
        let rows = self.runtime.block_on(asked)?;
        let mut batches = rows
            .iter()
            .map(columns::batch)
            .collect::<Result<Vec<BatchRow>, _>>()?;
        batches.sort_unstable_by_key(|batch| batch.header.first_number);
        Ok(batches)
    }

    /// The refs of a batch, in the order of their numbers; none of a batch that is not known.
    pub fn refs_of_batch(&mut self, batch: &BatchId) -> Result<Vec<PaymentRef>, StoreError> {
        let asked = query("SELECT * FROM batch WHERE id = $1")
            .bind(batch.0.to_vec())
            .fetch_optional(&mut self.connection);
        let Some(row) = self.runtime.block_on(asked)? else {
            return Ok(Vec::new());
        };
        let payments = columns::batch(&row)?.payments;
        Ok(payments.iter().map(Payment::reference).collect())
    }

    /// The refs of payments that are paid under the numbers that bits of a mask name, counted from a number.
    pub fn refs_paid(
        &mut self,
        first: PaymentNumber,
        mask: U256,
    ) -> Result<Vec<PaymentRef>, StoreError> {
        let bits = (0..256_usize).filter(|bit| mask.bit(*bit));
        let numbers = bits.filter_map(|bit| first.checked_add(u16::try_from(bit).ok()?));
        let numbers: Vec<Vec<u8>> = numbers
            .map(|number| columns::number(number).to_vec())
            .collect();
        if numbers.is_empty() {
            return Ok(Vec::new());
        }
        let places = places(numbers.len());
        let asked = query(format!(
            "SELECT ref FROM payment WHERE status = 'paid' AND number IN ({places}) ORDER BY number"
        ));
        let asked = numbers
            .into_iter()
            .fold(asked, |asked, number| asked.bind(number));
        let rows = asked.fetch_all(&mut self.connection);
        let rows = self.runtime.block_on(rows)?;
        rows.iter().map(columns::reference).collect()
    }

    /// What would become of requests if they were filed now.
    pub fn look_up(&mut self, payments: &[Payment]) -> Result<Found, StoreError> {
        let known = load::filed(&mut self.connection, payments);
        Ok(Found::of(payments, &self.runtime.block_on(known)?))
    }
}

impl Filter {
    fn takes(&self, payment: &Payment, standing: &Standing) -> bool {
        let stands = match standing {
            Standing::Waiting(_) => Some(Stands::Waiting),
            Standing::Taken(view) => Some(Stands::Taken(view.row.status)),
            Standing::Unknown | Standing::LeftOut(_) => None,
        };
        self.to.is_none_or(|to| to == payment.recipient())
            && (self.status.is_none() || self.status == stands)
    }
}

/// Payments by ref, with what their last batches say of them.
async fn views(
    connection: &mut Connection,
    refs: &[PaymentRef],
) -> Result<BTreeMap<PaymentRef, PaymentView>, StoreError> {
    let mut views = BTreeMap::new();
    for refs in refs.chunks(REFS) {
        let keys = refs.iter().map(|reference| reference.0.to_vec()).collect();
        let asked = among(&format!("{VIEW} WHERE p.ref"), keys);
        for row in &asked.fetch_all(connection).await? {
            let view = view(row)?;
            views.insert(view.row.reference(), view);
        }
    }
    Ok(views)
}
