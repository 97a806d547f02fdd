//! Entries of the log as events for others: CloudEvents 1.0 in JSON. One event for each entry, so their sequence has no gaps; the
//! refs that it is about are looked up. Signed bytes are not told.

use std::collections::BTreeSet;

use serde::Serialize;
use tidelock_core::{
    calendar::rfc3339,
    domain::{BatchId, BlockTime, Payment, PaymentRef, VaultDomain},
    event::{DeathCause, Event, HaltReason, Mode},
};
use tidelock_store::{Identity, LoggedEvent, Reader, StoreError};
use utoipa::ToSchema;

use crate::shown::Hold;

/// An event, as CloudEvents 1.0.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CloudEvent {
    /// `1.0`
    specversion: &'static str,
    /// The same event has the same id, however often it is sent.
    #[schema(example = "42")]
    id: String,
    /// The vault.
    #[schema(example = "urn:tidelock:chain:1:vault:0x1111111111111111111111111111111111111111")]
    source: String,
    /// What happened.
    #[serde(rename = "type")]
    kind: EventType,
    /// The chain's time when it was written: that of the last block that was final, RFC 3339.
    #[schema(example = "2026-11-25T01:49:00Z")]
    time: String,
    /// `application/json`
    datacontenttype: &'static str,
    /// Counts from 1 without gaps, with zeros before it, so that it sorts as text too.
    #[schema(example = "00000000000000000042")]
    sequence: String,
    /// What there is to say.
    data: EventData,
}

/// What there is to say of an event; what does not apply is left out.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, ToSchema)]
pub struct EventData {
    /// The withdrawals it is about.
    refs: Vec<String>,
    /// The batch.
    #[serde(skip_serializing_if = "Option::is_none")]
    batch: Option<String>,
    /// The transaction.
    #[serde(skip_serializing_if = "Option::is_none")]
    transaction: Option<String>,
    /// The keeper's nonce.
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<u64>,
    /// The block it is final in, or up to which all is final.
    #[serde(skip_serializing_if = "Option::is_none")]
    block: Option<u64>,
    /// Why it is held.
    #[serde(skip_serializing_if = "Option::is_none")]
    hold: Option<Hold>,
    /// Why, in a word: of a batch that ended, a keeper that stopped, a transaction that reverted.
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<&'static str>,
    /// How many payments, for refs that nobody had asked for, the vault made instead of displaced ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    others: Option<usize>,
}

macro_rules! event_types {
    ($($(#[doc = $doc:expr])* $name:ident = $word:tt,)*) => {
        /// What happened.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
        pub enum EventType {
            $($(#[doc = $doc])* #[serde(rename = $word)] $name,)*
        }

        impl EventType {
            /// Its word.
            pub fn word(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)*
                }
            }
        }
    };
}

event_types! {
    /// The log was opened.
    LogOpened = "tidelock.log.opened",
    /// Requests were taken in.
    Accepted = "tidelock.withdrawal.accepted",
    /// Withdrawals are held.
    Held = "tidelock.withdrawal.held",
    /// Withdrawals may be batched.
    Released = "tidelock.withdrawal.released",
    /// Withdrawals were refused for good.
    Rejected = "tidelock.withdrawal.rejected",
    /// An operator withdrew them.
    Cancelled = "tidelock.withdrawal.cancelled",
    /// They were put into a batch, under their numbers.
    Batched = "tidelock.withdrawal.batched",
    /// They are paid: a final block says so.
    Paid = "tidelock.withdrawal.paid",
    /// Something else was paid under their numbers: they can never be paid.
    Displaced = "tidelock.withdrawal.displaced",
    /// Somebody else's proposal of refs that nobody asked for was taken over.
    Adopted = "tidelock.withdrawal.adopted",
    /// Somebody else proposed refs that are known here.
    Contested = "tidelock.withdrawal.contested",
    /// The vault had paid them for others.
    Recovered = "tidelock.withdrawal.recovered",
    /// A final block holds the proposal of a batch.
    Proposed = "tidelock.batch.proposed",
    /// A batch can pay nothing any more; what is left of it goes into another.
    Ended = "tidelock.batch.ended",
    /// A nonce is taken for a transaction.
    Reserved = "tidelock.transaction.reserved",
    /// A transaction is signed, and may be sent.
    Signed = "tidelock.transaction.signed",
    /// A final block used a nonce up.
    Consumed = "tidelock.transaction.final",
    /// All up to this block is final, and taken in.
    Advanced = "tidelock.chain.advanced",
    /// The vault paid something that is none of the keeper's.
    ForeignSeen = "tidelock.vault.foreign",
    /// An operator's command was looked at.
    Commanded = "tidelock.operator.command",
    /// Another key sends from now on.
    KeyChanged = "tidelock.keeper.key",
    /// The keeper stops or starts sending.
    ModeChanged = "tidelock.keeper.mode",
}

/// One thing that happened to a withdrawal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct TimelineEntry {
    /// The event's place in the log.
    sequence: u64,
    /// What happened.
    #[serde(rename = "type")]
    kind: EventType,
    /// The chain's time, RFC 3339.
    time: String,
    /// What there is to say, without the other withdrawals of the batch.
    data: EventData,
}

/// An event that is ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The entry of the log.
    pub sequence: u64,
    /// What happened.
    pub kind: EventType,
    /// In the words of others.
    pub event: CloudEvent,
}

/// An event as topics have it: about one withdrawal, by which those that belong together are kept in order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct KeyedEvent {
    /// The event; what is about several withdrawals is there once for each, with that one among its refs, and an id that ends with it.
    #[serde(flatten)]
    event: CloudEvent,
    /// The withdrawal, or the vault if it is about none. It is the record's key.
    #[schema(example = "0190163d-8694-739b-aea5-966c26f8ad91")]
    partitionkey: String,
}

impl KeyedEvent {
    /// The key.
    pub fn key(&self) -> &str {
        &self.partitionkey
    }
}

/// What events of a vault have as their source.
pub fn source_of(domain: &VaultDomain) -> String {
    format!(
        "urn:tidelock:chain:{}:vault:{}",
        domain.chain_id.0, domain.vault
    )
}

impl Told {
    /// The next events after one, at most `limit`.
    pub fn after(reader: &mut Reader, after: u64, limit: u32) -> Result<Vec<Self>, StoreError> {
        let identity = *reader.identity();
        let entries = reader.events_after(after, limit)?;
        let mut time = match entries.first() {
            Some(first) => reader.time_of(first.seq)?,
            None => None,
        };
        let mut told = Vec::new();
        for entry in entries {
            match &entry.event {
                Event::FinalisedAdvanced { block } => time = Some(block.time),
                Event::LogOpened(opening) => time = Some(opening.start.time),
                _ => {}
            }
            let refs = refs(reader, &entry.event)?;
            told.push(Self::of(&identity, &entry, time, &refs));
        }
        Ok(told)
    }

    /// The vault.
    pub fn source(&self) -> &str {
        &self.event.source
    }

    /// The withdrawals it is about.
    pub fn refs(&self) -> &[String] {
        &self.event.data.refs
    }

    /// The same for each withdrawal that it is about; once for the vault if it is about none.
    pub fn keyed(&self) -> Vec<KeyedEvent> {
        if self.refs().is_empty() {
            return vec![KeyedEvent {
                event: self.event.clone(),
                partitionkey: self.source().to_owned(),
            }];
        }
        let each: BTreeSet<&String> = self.refs().iter().collect();
        let keyed = each.into_iter().map(|reference| {
            let data = EventData {
                refs: vec![reference.clone()],
                ..self.event.data.clone()
            };
            let event = CloudEvent {
                id: format!("{}-{reference}", self.event.id),
                data,
                ..self.event.clone()
            };
            KeyedEvent {
                event,
                partitionkey: reference.clone(),
            }
        });
        keyed.collect()
    }

    fn of(
        identity: &Identity,
        entry: &LoggedEvent,
        time: Option<BlockTime>,
        refs: &[PaymentRef],
    ) -> Self {
        let (kind, mut data) = told(&entry.event);
        data.refs = refs.iter().map(ToString::to_string).collect();
        Self {
            sequence: entry.seq,
            kind,
            event: CloudEvent {
                specversion: "1.0",
                id: entry.seq.to_string(),
                source: source_of(&identity.domain),
                kind,
                time: stamp(time),
                datacontenttype: "application/json",
                sequence: format!("{:020}", entry.seq),
                data,
            },
        }
    }

    /// The same for one withdrawal.
    pub(crate) fn entry(entry: &LoggedEvent, time: Option<BlockTime>) -> TimelineEntry {
        let (kind, data) = told(&entry.event);
        TimelineEntry {
            sequence: entry.seq,
            kind,
            time: stamp(time),
            data,
        }
    }
}

/// The chain's time; 1970 before a log was opened.
fn stamp(time: Option<BlockTime>) -> String {
    rfc3339(time.map_or(0, BlockTime::seconds))
}

/// The refs that an entry is about.
fn refs(reader: &mut Reader, event: &Event) -> Result<Vec<PaymentRef>, StoreError> {
    let of = |payments: &[Payment]| payments.iter().map(Payment::reference).collect();
    Ok(match event {
        Event::RequestsAccepted { requests, .. } => (requests.iter())
            .map(|request| request.payment.reference())
            .collect(),
        Event::Held { refs, .. }
        | Event::Released { refs }
        | Event::Rejected { refs }
        | Event::Cancelled { refs }
        | Event::Displaced { refs, .. }
        | Event::BatchSealed { refs, .. } => refs.clone(),
        Event::Adopted { payments, .. } | Event::ForeignProposed { payments, .. } => of(payments),
        Event::Recovered { payments } => (payments.iter())
            .map(|numbered| numbered.payment.reference())
            .collect(),
        Event::OutcomeFinal {
            first_number, paid, ..
        } => reader.refs_paid(*first_number, *paid)?,
        Event::CommandTaken { command, .. } => command.reference().into_iter().collect(),
        Event::ProposalFinal { batch, .. } | Event::BatchDied { batch, .. } => {
            reader.refs_of_batch(batch)?
        }
        Event::SlotReserved { job, .. } | Event::AttemptSigned { job, .. } => match job.batch() {
            Some(batch) => reader.refs_of_batch(&batch)?,
            None => Vec::new(),
        },
        Event::LogOpened(_)
        | Event::SlotConsumed { .. }
        | Event::FinalisedAdvanced { .. }
        | Event::ForeignSeen { .. }
        | Event::KeyChanged { .. }
        | Event::ModeChanged { .. } => Vec::new(),
    })
}

/// What an entry says, without its refs.
#[allow(clippy::too_many_lines, reason = "one arm for each kind of entry")]
fn told(event: &Event) -> (EventType, EventData) {
    let mut data = EventData::default();
    let kind = match event {
        Event::LogOpened(_) => EventType::LogOpened,
        Event::RequestsAccepted { .. } => EventType::Accepted,
        Event::Held { reason, .. } => {
            data.hold = Some(reason.into());
            EventType::Held
        }
        Event::Released { .. } => EventType::Released,
        Event::Rejected { .. } => EventType::Rejected,
        Event::Cancelled { .. } => EventType::Cancelled,
        Event::BatchSealed { .. } => EventType::Batched,
        Event::Adopted { .. } => EventType::Adopted,
        Event::ForeignProposed { .. } => EventType::Contested,
        Event::Recovered { .. } => EventType::Recovered,
        Event::Displaced { by, block, .. } => {
            data.block = Some(*block);
            data.others = Some(by.len());
            EventType::Displaced
        }
        Event::OutcomeFinal { batch, block, .. } => {
            in_batch(&mut data, batch, *block);
            EventType::Paid
        }
        Event::ProposalFinal { batch, block } => {
            in_batch(&mut data, batch, *block);
            EventType::Proposed
        }
        Event::ForeignSeen { batch, block } => {
            in_batch(&mut data, batch, *block);
            EventType::ForeignSeen
        }
        Event::BatchDied { batch, cause } => {
            data.batch = Some(batch.to_string());
            data.cause = Some(death(*cause));
            EventType::Ended
        }
        Event::SlotReserved { nonce, job } => {
            data.nonce = Some(*nonce);
            data.batch = job.batch().map(|batch| batch.to_string());
            EventType::Reserved
        }
        Event::AttemptSigned {
            nonce, job, hash, ..
        } => {
            data.nonce = Some(*nonce);
            data.batch = job.batch().map(|batch| batch.to_string());
            data.transaction = Some(hash.to_string());
            EventType::Signed
        }
        Event::SlotConsumed {
            nonce,
            by,
            reverted,
            block,
            ..
        } => {
            data.nonce = Some(*nonce);
            data.transaction = by.map(|hash| hash.to_string());
            data.block = Some(*block);
            data.cause = reverted.then_some("reverted");
            EventType::Consumed
        }
        Event::FinalisedAdvanced { block } => {
            data.block = Some(block.number);
            EventType::Advanced
        }
        Event::CommandTaken { refused, .. } => {
            data.cause = refused.as_ref().map(|_| "refused");
            EventType::Commanded
        }
        Event::KeyChanged { .. } => EventType::KeyChanged,
        Event::ModeChanged { mode } => {
            data.cause = Some(halt(mode));
            EventType::ModeChanged
        }
    };
    (kind, data)
}

fn in_batch(data: &mut EventData, batch: &BatchId, block: u64) {
    data.batch = Some(batch.to_string());
    data.block = Some(block);
}

fn death(cause: DeathCause) -> &'static str {
    match cause {
        DeathCause::Expired => "expired",
        DeathCause::Vetoed => "vetoed",
        DeathCause::Leftover => "leftover",
    }
}

pub(crate) fn halt(mode: &Mode) -> &'static str {
    match mode {
        Mode::Armed => "armed",
        Mode::Halted { reason } => match reason {
            HaltReason::FinalityBroken { .. } => "finality_broken",
            HaltReason::ForeignNonce { .. } => "foreign_nonce",
            HaltReason::ForeignTransaction { .. } => "foreign_transaction",
            HaltReason::ForeignNumber { .. } => "foreign_number",
            HaltReason::ForeignRef { .. } => "foreign_ref",
            HaltReason::Restored { .. } => "restored",
            HaltReason::Reopened { .. } => "reopened",
            HaltReason::Operator { .. } => "operator",
        },
    }
}
