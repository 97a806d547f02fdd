//! What each figure is read from. A figure that is not known now has no sample: 0 would be a claim.

use alloy::primitives::U256;
use tidelock_core::{
    cost::Charge,
    domain::Amount,
    engine::{Budget, Cause},
    event::{HaltReason, Mode},
    lifecycle::{BatchStatus, PaymentStatus, SlotStatus},
    port::VaultLook,
};

use super::{
    metrics::{Sample, Value},
    pulse::{Beat, NodeFigures},
    snapshot::{Snapshot, Stored},
    tally::CLASSES,
};
use crate::cli::words;

/// The decimals of gwei in wei, and of the chain's coin.
const GWEI: u8 = 9;
const COIN: u8 = 18;

fn one(value: impl Into<Option<Value>>) -> Vec<Sample> {
    let labels = Vec::new();
    let value = value.into();
    value
        .map(|value| Sample { labels, value })
        .into_iter()
        .collect()
}

fn each<L: Into<String>>(values: impl IntoIterator<Item = (L, Value)>) -> Vec<Sample> {
    let samples = values.into_iter().map(|(label, value)| Sample {
        labels: vec![label.into()],
        value,
    });
    samples.collect()
}

fn count(number: usize) -> Value {
    Value::Count(u64::try_from(number).unwrap_or(u64::MAX))
}

fn flag(is_so: bool) -> Value {
    Value::Count(u64::from(is_so))
}

fn decimal(amount: u128, decimals: u8) -> Value {
    Value::Decimal(Amount(amount).display(decimals))
}

fn coins(wei: U256) -> Value {
    decimal(wei.saturating_to(), COIN)
}

fn of_beat(snapshot: &Snapshot, read: impl Fn(&Beat) -> Value) -> Vec<Sample> {
    one(snapshot.beat().map(read))
}

fn of_store(snapshot: &Snapshot, read: impl Fn(&Stored) -> Value) -> Vec<Sample> {
    one(snapshot.stored().map(read))
}

fn of_vault(snapshot: &Snapshot, read: impl Fn(&VaultLook) -> Value) -> Vec<Sample> {
    one(vault(snapshot).map(read))
}

fn vault(snapshot: &Snapshot) -> Option<&VaultLook> {
    snapshot.beat()?.status.figures.vault.as_ref()
}

pub(super) fn build(_: &Snapshot) -> Vec<Sample> {
    each([(env!("CARGO_PKG_VERSION"), Value::Count(1))])
}

pub(super) fn beat_age(snapshot: &Snapshot) -> Vec<Sample> {
    of_beat(snapshot, |beat| Value::Count(beat.at.elapsed().as_secs()))
}

pub(super) fn store_readable(snapshot: &Snapshot) -> Vec<Sample> {
    one(flag(snapshot.stored.is_ok()))
}

pub(super) fn sends(snapshot: &Snapshot) -> Vec<Sample> {
    of_beat(snapshot, |beat| {
        flag(!beat.observes && matches!(beat.status.mode, Mode::Armed))
    })
}

const CAUSES: [&str; 8] = [
    "finality broken",
    "foreign nonce",
    "foreign transaction",
    "foreign number",
    "foreign ref",
    "restored",
    "reopened",
    "operator",
];

fn cause(reason: &HaltReason) -> &'static str {
    let [
        finality,
        nonce,
        transaction,
        number,
        reference,
        restored,
        reopened,
        operator,
    ] = CAUSES;
    match reason {
        HaltReason::FinalityBroken { .. } => finality,
        HaltReason::ForeignNonce { .. } => nonce,
        HaltReason::ForeignTransaction { .. } => transaction,
        HaltReason::ForeignNumber { .. } => number,
        HaltReason::ForeignRef { .. } => reference,
        HaltReason::Restored { .. } => restored,
        HaltReason::Reopened { .. } => reopened,
        HaltReason::Operator { .. } => operator,
    }
}

pub(super) fn halted(snapshot: &Snapshot) -> Vec<Sample> {
    let Some(beat) = snapshot.beat() else {
        return Vec::new();
    };
    let halted = match &beat.status.mode {
        Mode::Armed => None,
        Mode::Halted { reason } => Some(cause(reason)),
    };
    each(CAUSES.map(|cause| (cause, flag(halted == Some(cause)))))
}

pub(super) fn failing(snapshot: &Snapshot) -> Vec<Sample> {
    of_beat(snapshot, |beat| flag(beat.status.failure.is_some()))
}

pub(super) fn waits(snapshot: &Snapshot) -> Vec<Sample> {
    of_beat(snapshot, |beat| {
        let others = [beat.laggard.is_some(), snapshot.said.wait.is_some()];
        let others = others.into_iter().filter(|is_so| *is_so).count();
        count(beat.status.waits.len().saturating_add(others))
    })
}

pub(super) fn alerts(snapshot: &Snapshot) -> Vec<Sample> {
    of_beat(snapshot, |beat| count(beat.status.alerts.len()))
}

fn of_statuses(stored: &Stored, is_final: bool) -> Vec<(&'static str, Value)> {
    let counts = &stored.overview.counts;
    let statuses = words::STATUSES.into_iter();
    let statuses = statuses.filter(|status| status.is_final() == is_final);
    statuses
        .map(|status: PaymentStatus| {
            let count = counts.get(&status).copied().unwrap_or_default();
            (words::status(status), Value::Count(count))
        })
        .collect()
}

pub(super) fn payments(snapshot: &Snapshot) -> Vec<Sample> {
    let Some(stored) = snapshot.stored() else {
        return Vec::new();
    };
    let waiting = ("waiting", Value::Count(stored.overview.waiting));
    each(std::iter::once(waiting).chain(of_statuses(stored, false)))
}

pub(super) fn settled(snapshot: &Snapshot) -> Vec<Sample> {
    let stored = snapshot.stored();
    each(
        stored
            .into_iter()
            .flat_map(|stored| of_statuses(stored, true)),
    )
}

pub(super) fn accepted(snapshot: &Snapshot) -> Vec<Sample> {
    of_store(snapshot, |stored| Value::Count(stored.tally.accepted))
}

pub(super) fn stopped(snapshot: &Snapshot) -> Vec<Sample> {
    let stored = snapshot.stored().into_iter();
    let stopped = stored.flat_map(|stored| &stored.tally.stopped);
    let samples = stopped.map(|((class, reason), count)| Sample {
        labels: vec![class.word().to_owned(), (*reason).to_owned()],
        value: Value::Count(*count),
    });
    samples.collect()
}

pub(super) fn paid(snapshot: &Snapshot) -> Vec<Sample> {
    let tally = snapshot.stored().map(|stored| &stored.tally);
    let trails = tally.into_iter().flat_map(|tally| {
        [
            ("whole", Value::Count(tally.whole)),
            ("broken", Value::Count(tally.broken)),
        ]
    });
    each(trails)
}

pub(super) fn arrivals(snapshot: &Snapshot) -> Vec<Sample> {
    of_store(snapshot, |stored| {
        let arrivals = &stored.tally.arrivals;
        Value::Classes {
            classes: CLASSES.into_iter().zip(arrivals.counts).collect(),
            count: arrivals.count,
            sum: arrivals.sum,
        }
    })
}

pub(super) fn quoted(snapshot: &Snapshot) -> Vec<Sample> {
    let stored = snapshot.stored().into_iter();
    let quoted = stored.flat_map(|stored| &stored.tally.quoted);
    each(quoted.map(|(quoted, count)| (quoted.word(), Value::Count(*count))))
}

pub(super) fn batches(snapshot: &Snapshot) -> Vec<Sample> {
    let states = [
        (BatchStatus::Sealed, "sealed"),
        (BatchStatus::Proposed, "proposed"),
        (BatchStatus::Foreign, "foreign"),
    ];
    let beat = snapshot.beat();
    each(beat.into_iter().flat_map(|beat| {
        let batches = &beat.status.figures.batches;
        states.map(|(state, word)| {
            (
                word,
                count(batches.get(&state).copied().unwrap_or_default()),
            )
        })
    }))
}

pub(super) fn nonces(snapshot: &Snapshot) -> Vec<Sample> {
    let states = [
        (SlotStatus::Reserved, "reserved"),
        (SlotStatus::Occupied, "occupied"),
    ];
    let beat = snapshot.beat();
    each(beat.into_iter().flat_map(|beat| {
        let slots = &beat.status.figures.slots;
        states.map(|(state, word)| (word, count(slots.get(&state).copied().unwrap_or_default())))
    }))
}

pub(super) fn attempts(snapshot: &Snapshot) -> Vec<Sample> {
    of_beat(snapshot, |beat| count(beat.status.figures.attempts))
}

pub(super) fn unincluded(snapshot: &Snapshot) -> Vec<Sample> {
    of_beat(snapshot, |beat| count(beat.status.unincluded))
}

pub(super) fn reverted(snapshot: &Snapshot) -> Vec<Sample> {
    of_beat(snapshot, |beat| Value::Count(beat.status.reverted))
}

pub(super) fn explained(snapshot: &Snapshot) -> Vec<Sample> {
    let causes = [
        (Cause::Gas, "gas"),
        (Cause::State, "state"),
        (Cause::Vault, "vault"),
    ];
    let beat = snapshot.beat();
    each(beat.into_iter().flat_map(|beat| {
        let reverted = &beat.status.figures.reverted;
        causes.map(|(cause, word)| {
            let count = reverted.get(&cause).copied().unwrap_or_default();
            (word, Value::Count(count))
        })
    }))
}

pub(super) fn fees(snapshot: &Snapshot) -> Vec<Sample> {
    let limits = snapshot.limits.fees;
    let of_payments = limits.keeping_one_back();
    let mut fees = vec![
        ("cap", limits.max_fee),
        ("tip cap", limits.max_tip),
        ("payment cap", of_payments.max_fee),
    ];
    if let Some(beat) = snapshot.beat() {
        let figures = &beat.status.figures;
        fees.extend(figures.base_fee.map(|fee| ("base", fee)));
        fees.extend(figures.needed.map(|fee| ("needed", fee)));
        fees.push(("suggested tip", figures.suggested_tip));
        let offers = figures.offer.iter();
        fees.extend(
            offers.flat_map(|offer| [("offer", offer.max_fee), ("offered tip", offer.tip)]),
        );
    }
    each(
        fees.into_iter()
            .map(|(what, wei)| (what, decimal(wei, GWEI))),
    )
}

pub(super) fn caps(snapshot: &Snapshot) -> Vec<Sample> {
    tiers(snapshot, |vault, tier| {
        vault.tiers.get(tier).map(|row| row.cap)
    })
}

pub(super) fn headroom(snapshot: &Snapshot) -> Vec<Sample> {
    tiers(snapshot, |vault, tier| {
        vault.tiers.get(tier).map(|row| row.headroom)
    })
}

fn tiers(snapshot: &Snapshot, read: impl Fn(&VaultLook, usize) -> Option<Amount>) -> Vec<Sample> {
    let (Some(vault), Some(stored)) = (vault(snapshot), snapshot.stored()) else {
        return Vec::new();
    };
    let tiers = (0..vault.tiers.len()).filter_map(|tier| {
        let amount = read(vault, tier)?;
        Some((tier.to_string(), decimal(amount.0, stored.decimals)))
    });
    each(tiers)
}

pub(super) fn balance(snapshot: &Snapshot) -> Vec<Sample> {
    let decimals = snapshot.stored().map(|stored| stored.decimals);
    let balance = vault(snapshot).map(|vault| vault.balance.0);
    one(balance
        .zip(decimals)
        .map(|(sum, decimals)| decimal(sum, decimals)))
}

pub(super) fn frozen(snapshot: &Snapshot) -> Vec<Sample> {
    of_vault(snapshot, |vault| Value::Count(vault.halted_until))
}

pub(super) fn roles(snapshot: &Snapshot) -> Vec<Sample> {
    let ends = vault(snapshot).map(|vault| {
        [
            ("keeper", Value::Count(vault.keeper_until)),
            ("proposer", Value::Count(vault.proposer_until)),
        ]
    });
    each(ends.into_iter().flatten())
}

pub(super) fn gas(snapshot: &Snapshot) -> Vec<Sample> {
    of_vault(snapshot, |vault| coins(vault.gas_balance))
}

pub(super) fn gas_reserve(snapshot: &Snapshot) -> Vec<Sample> {
    let data = vault(snapshot).and_then(|vault| vault.data_fee);
    let full = Charge {
        data: data.unwrap_or_default(),
        ..snapshot.limits.transaction
    };
    one(coins(full.reserve()))
}

pub(super) fn gas_day(snapshot: &Snapshot) -> Vec<Sample> {
    let budget = snapshot.beat().and_then(|beat| beat.status.figures.budget);
    let each_of = |budget: Budget| {
        [
            ("spent", budget.spent),
            ("under way", budget.under_way),
            ("budget", budget.most),
        ]
    };
    let sums = budget.into_iter().flat_map(each_of);
    each(sums.map(|(what, wei)| (what, decimal(wei, COIN))))
}

pub(super) fn data_fee(snapshot: &Snapshot) -> Vec<Sample> {
    let fee = vault(snapshot).and_then(|vault| vault.data_fee);
    one(fee.map(|fee| decimal(fee, COIN)))
}

pub(super) fn head(snapshot: &Snapshot) -> Vec<Sample> {
    of_beat(snapshot, |beat| Value::Count(beat.status.tip.number))
}

pub(super) fn head_time(snapshot: &Snapshot) -> Vec<Sample> {
    of_beat(snapshot, |beat| {
        Value::Count(beat.status.tip.time.seconds())
    })
}

pub(super) fn final_block(snapshot: &Snapshot) -> Vec<Sample> {
    of_beat(snapshot, |beat| Value::Count(beat.status.finalised.number))
}

pub(super) fn final_time(snapshot: &Snapshot) -> Vec<Sample> {
    of_beat(snapshot, |beat| {
        Value::Count(beat.status.finalised.time.seconds())
    })
}

pub(super) fn log_entries(snapshot: &Snapshot) -> Vec<Sample> {
    of_beat(snapshot, |beat| Value::Count(beat.status.figures.head.seq))
}

pub(super) fn log_head(snapshot: &Snapshot) -> Vec<Sample> {
    let beat = snapshot.beat();
    let hash = beat.map(|beat| beat.status.figures.head.hash.to_string());
    each(hash.map(|hash| (hash, Value::Count(1))))
}

fn of_nodes(snapshot: &Snapshot, read: impl Fn(&NodeFigures) -> Option<u64>) -> Vec<Sample> {
    let nodes = snapshot.beat().into_iter().flat_map(|beat| &beat.nodes);
    let known = nodes.filter_map(|node| Some((node.name, Value::Count(read(node)?))));
    each(known)
}

pub(super) fn node_requests(snapshot: &Snapshot) -> Vec<Sample> {
    of_nodes(snapshot, |node| Some(node.asked))
}

pub(super) fn node_unanswered(snapshot: &Snapshot) -> Vec<Sample> {
    of_nodes(snapshot, |node| Some(node.unanswered))
}

pub(super) fn node_block(snapshot: &Snapshot) -> Vec<Sample> {
    of_nodes(snapshot, |node| Some(node.newest?.0))
}

pub(super) fn node_time(snapshot: &Snapshot) -> Vec<Sample> {
    of_nodes(snapshot, |node| Some(node.newest?.1))
}

pub(super) fn disagreements(snapshot: &Snapshot) -> Vec<Sample> {
    of_beat(snapshot, |beat| Value::Count(beat.disagreements))
}
