//! A store in memory that keeps its promises, and dies where dying hurts: a commit may be made or not, and either way the
//! answer may be lost. It checks what it is given: the chain of entries, and that rows are the fold of the entries.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use alloy_primitives::B256;
use tidelock_core::{
    domain::{BatchId, Payment, PaymentRef},
    event::{Command, Event, Request},
    lifecycle::{BatchStatus, PaymentStatus},
    log::Entry,
    state::{AttemptRow, HeadRow, PaymentRow, Rows, SlotRow},
};

use super::{lease::Server, tables::Tables};
use crate::{coverage::EdgeKey, faults::Fault};

/// The store as everybody has it. What it stands on outlives every process.
#[derive(Debug, Clone)]
pub struct Drive(pub Rc<RefCell<Disk>>);

/// Where a commit is to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ambush {
    /// Which fault it is; says what the commit must hold.
    pub fault: Fault,
    /// Whether the commit is made all the same.
    pub applied: bool,
}

/// What survives a crash.
#[derive(Debug)]
pub struct Disk {
    /// The log, its rows, and who leads.
    pub tables: Tables,
    /// The server that has them.
    pub server: Server,
    /// Grows whenever every session is lost.
    pub session: u64,
    /// Epochs over whose lease the server's clock jumped: whoever leads in one may act beside the next leader.
    pub cut_short: BTreeSet<u64>,
    /// What was requested, by arrival; none of what cannot be read.
    requests: Vec<(u64, Option<Payment>)>,
    /// What operators filed, by arrival; none of what cannot be read.
    pub commands: Vec<(u64, Option<Command>)>,
    /// Where the next fitting commit fails.
    pub ambush: Option<Ambush>,
    /// The fault that the last commit failed by.
    pub sprung: Option<Fault>,
    /// Rows are handed out without what is final, or with it.
    pub lean: bool,
    /// How often each transition was made.
    pub edges: BTreeMap<EdgeKey, u64>,
    /// What is wrong with what was committed.
    pub wrong: Option<String>,
}

impl Disk {
    /// Without a log.
    pub fn new(server: Server) -> Self {
        Self {
            tables: Tables::default(),
            server,
            session: 0,
            cut_short: BTreeSet::new(),
            requests: Vec::new(),
            commands: Vec::new(),
            ambush: None,
            sprung: None,
            lean: false,
            edges: BTreeMap::new(),
            wrong: None,
        }
    }

    /// Files a request, as the intake of the daemon does. True if it is new, an error if the ref has another body.
    pub fn file(&mut self, payment: Payment) -> Result<bool, Payment> {
        let reference = payment.reference();
        let filed = self.requests.iter();
        let known = filed
            .filter_map(|(_, payment)| *payment)
            .find(|known| known.reference() == reference)
            .or_else(|| Some(self.tables.payments.get(&reference)?.payment));
        match known {
            Some(known) if known == payment => Ok(false),
            Some(known) => Err(known),
            None => {
                self.push(Some(payment));
                Ok(true)
            }
        }
    }

    fn push(&mut self, payment: Option<Payment>) {
        let arrival = self.requests.len() as u64 + 1;
        self.requests.push((arrival, payment));
    }

    /// Files a command.
    pub fn command(&mut self, command: Command) {
        self.push_command(Some(command));
    }

    fn push_command(&mut self, command: Option<Command>) {
        let arrival = self.commands.len() as u64 + 1;
        self.commands.push((arrival, command));
    }

    /// A request, or a command, comes that nobody can read.
    pub fn file_unreadable(&mut self, is_command: bool) {
        match is_command {
            true => self.push_command(None),
            false => self.push(None),
        }
    }

    /// Requests after an arrival, and those that cannot be read.
    pub fn requests_after(&self, arrival: u64) -> impl Iterator<Item = (u64, Option<Request>)> {
        let after = self.requests.iter().filter(move |(at, _)| *at > arrival);
        after.map(|(arrival, payment)| {
            let request = payment.map(|payment| Request {
                arrival: *arrival,
                payment,
            });
            (*arrival, request)
        })
    }

    /// Payments that the log knows, final ones too.
    pub fn payments(&self) -> impl Iterator<Item = &PaymentRow> {
        self.tables.payments.values()
    }

    /// A payment that the log knows.
    pub fn payment(&self, reference: PaymentRef) -> Option<&PaymentRow> {
        self.tables.payments.get(&reference)
    }

    /// Slots that are not consumed.
    pub fn live_slots(&self) -> impl Iterator<Item = &SlotRow> {
        self.tables.slots.values().filter(|slot| slot.is_live())
    }

    /// Slots whose nonce is used up.
    pub fn used_slots(&self) -> impl Iterator<Item = &SlotRow> {
        self.tables.slots.values().filter(|slot| !slot.is_live())
    }

    /// The row about the log as a whole.
    pub fn head(&self) -> &HeadRow {
        self.tables.head.as_ref().expect("opened")
    }

    /// A signed transaction that is durable.
    pub fn attempt(&self, hash: B256) -> Option<&AttemptRow> {
        let mut attempts = self.tables.slots.values().flat_map(|slot| &slot.attempts);
        attempts.find(|attempt| attempt.hash == hash)
    }

    /// Proposals of somebody else's that may still be executed, and that would pay again what is paid.
    pub fn repeating(&self) -> impl Iterator<Item = BatchId> {
        let is_paid = |payment: &Payment| {
            let row = self.tables.payments.get(&payment.reference());
            row.is_some_and(|row| row.status == PaymentStatus::Paid)
        };
        let batches = self.tables.batches.values();
        let foreign = batches.filter(|batch| batch.status == BatchStatus::Foreign);
        let repeating = foreign.filter(move |batch| batch.payments.iter().any(is_paid));
        repeating.map(|batch| batch.id)
    }

    /// Whether the ambush is for a commit of these entries.
    pub fn is_sprung_by(&self, entries: &[Entry]) -> bool {
        let Some(ambush) = self.ambush else {
            return false;
        };
        let has = |kind: &str| entries.iter().any(|entry| entry.kind == kind);
        match ambush.fault {
            Fault::CrashBeforeSigning => has("batch_sealed") || has("slot_reserved"),
            Fault::CrashMidReplacement => entries.iter().any(|entry| self.replaces(entry)),
            Fault::CommitUnclear => true,
            _ => has("attempt_signed"),
        }
    }

    fn replaces(&self, entry: &Entry) -> bool {
        match serde_json::from_str(&entry.body) {
            Ok(Event::AttemptSigned { nonce, .. }) => {
                let slot = self.tables.slots.get(&nonce);
                slot.is_some_and(|slot| !slot.attempts.is_empty())
            }
            _ => false,
        }
    }

    /// Makes a commit.
    pub fn apply(&mut self, entries: &[Entry], rows: &Rows) {
        if let Err(wrong) = self.tables.apply(entries, rows, &mut self.edges) {
            self.wrong = Some(wrong);
        }
    }
}
