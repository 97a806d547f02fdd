//! The figures that a keeper serves: one table, which is also what documents, boards and alerts are held to.

use std::fmt;

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, MetricEncoder, prometheus_text},
    metrics::MetricType,
    registry::Registry,
};

use super::{samples, snapshot::Snapshot};

/// How a figure behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It rises and falls.
    Gauge,
    /// It rises, and begins at 0 with each start, unless its text says otherwise.
    Counter,
    /// Counts in classes.
    Histogram,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gauge => "gauge",
            Self::Counter => "counter",
            Self::Histogram => "histogram",
        })
    }
}

/// A figure, and where it comes from.
pub struct Metric<S: 'static = Snapshot> {
    /// What Prometheus knows it by.
    pub name: &'static str,
    /// How it behaves.
    pub kind: Kind,
    /// What tells its samples apart.
    pub labels: &'static [&'static str],
    /// What it says.
    pub help: &'static str,
    pub(super) read: fn(&S) -> Vec<Sample>,
}

/// A value, and the values of the labels.
pub(super) struct Sample {
    pub labels: Vec<String>,
    pub value: Value,
}

/// A value.
pub(super) enum Value {
    Count(u64),
    /// Decimal digits, as the amount was written from whole base units: nothing is computed with it.
    Decimal(String),
    Classes {
        /// Upper end of each class, and how many are in it and in none before it.
        classes: Vec<(u64, u64)>,
        count: u64,
        sum: u64,
    },
}

macro_rules! metrics {
    ($($name:literal $kind:ident [$($label:literal),*] $read:ident $help:literal;)*) => {
        /// Every figure that is served.
        pub static METRICS: &[Metric] = &[$(Metric {
            name: $name,
            kind: Kind::$kind,
            labels: &[$($label),*],
            help: $help,
            read: samples::$read,
        },)*];
    };
}

metrics! {
    "tidelock_build_info" Gauge ["version"] build "1; the version that runs";
    "tidelock_beat_age_seconds" Gauge [] beat_age "Since the engine said something; it does twice a second";
    "tidelock_store_readable" Gauge [] store_readable "1 if the log can be read, 0 if not; figures that come from it are left out then";
    "tidelock_sends" Gauge [] sends "1 if the keeper sends; 0 if it is halted or only observes";
    "tidelock_halted" Gauge ["cause"] halted "1 for the cause that halts the keeper";
    "tidelock_failing" Gauge [] failing "1 if the last answer of node or key could not be used";
    "tidelock_waits" Gauge [] waits "What the keeper waits for; `keeper status` names each";
    "tidelock_alerts" Gauge [] alerts "What a person must look at; `keeper status` names each";
    "tidelock_payments" Gauge ["state"] payments "Payments that are not settled; `waiting` are requests that are not taken in yet";
    "tidelock_payments_settled_total" Counter ["state"] settled "Payments that are settled, since the log was opened";
    "tidelock_requests_accepted_total" Counter [] accepted "Requests taken in";
    "tidelock_payments_stopped_total" Counter ["class", "reason"] stopped "Payments held, refused, withdrawn or displaced, each time";
    "tidelock_payments_paid_total" Counter ["trail"] paid "Payments that the vault made by final blocks: `whole` for requests of this log, `broken` for others";
    "tidelock_arrival_seconds" Histogram [] arrivals "From taking a request in until its payment is final, by the time of final blocks";
    "tidelock_quotes_scored_total" Counter ["arrived"] quoted "Payments that no signer had to approve, that a quote was given for and that are final: in the time in which half should be (`p50`), after it in that in which 95 of 100 should be (`p95`), or `later`";
    "tidelock_batches" Gauge ["state"] batches "Batches that are not settled";
    "tidelock_nonces" Gauge ["state"] nonces "Nonces of the key that no final block has used up";
    "tidelock_attempts" Gauge [] attempts "Transactions signed with these nonces";
    "tidelock_transactions_unincluded" Gauge [] unincluded "Of these nonces, those with no transaction in any block";
    "tidelock_transactions_reverted_total" Counter [] reverted "Own transactions that reverted and paid for their gas";
    "tidelock_transactions_reverted_explained_total" Counter ["cause"] explained "Those of them whose cause was found: too little `gas`, another `state` then, or the `vault` refuses it";
    "tidelock_fee_gwei" Gauge ["what"] fees "Price of a unit of gas: base fee, the node's tip, what is needed to be in the next block, the highest offer under way, the caps, and what a payment may offer of the first";
    "tidelock_tier_cap_tokens" Gauge ["tier"] caps "Most that leaves under the tier in 24 hours";
    "tidelock_tier_headroom_tokens" Gauge ["tier"] headroom "What may still leave under the tier now";
    "tidelock_vault_balance_tokens" Gauge [] balance "What the vault holds";
    "tidelock_vault_frozen_until_seconds" Gauge [] frozen "When a freeze ends, since 1970; 0 or past without one";
    "tidelock_role_ends_seconds" Gauge ["role"] roles "When the key's role ends, since 1970; 0 if it has none";
    "tidelock_gas_balance_coins" Gauge [] gas "What the key holds of the chain's coin";
    "tidelock_gas_reserve_coins" Gauge [] gas_reserve "What it should hold: five transactions of most gas at the highest fee, and what each pays for data beside gas";
    "tidelock_gas_day_coins" Gauge ["what"] gas_day "The day's budget for gas, where there is one: what is spent, what is under way at most, and the budget";
    "tidelock_data_fee_coins" Gauge [] data_fee "What a full batch pays for its data, beside gas";
    "tidelock_head_block" Gauge [] head "The highest block known";
    "tidelock_head_time_seconds" Gauge [] head_time "Its time, since 1970";
    "tidelock_final_block" Gauge [] final_block "The last block taken in for good";
    "tidelock_final_time_seconds" Gauge [] final_time "Its time, since 1970";
    "tidelock_log_entries" Gauge [] log_entries "Entries of the log";
    "tidelock_log_head_info" Gauge ["hash"] log_head "1; the hash of the last entry, which commits to all before it";
    "tidelock_node_requests_total" Counter ["node"] node_requests "Questions to a node";
    "tidelock_node_unanswered_total" Counter ["node"] node_unanswered "Questions that no usable answer came to";
    "tidelock_node_block" Gauge ["node"] node_block "The newest block that the node told";
    "tidelock_node_time_seconds" Gauge ["node"] node_time "Its time, since 1970";
    "tidelock_node_disagreements_total" Counter [] disagreements "Answers of both nodes that could not both be right";
}

/// All figures of a table, as Prometheus reads them, and what the text is.
pub(super) fn text<S: Send + Sync + 'static>(
    table: &'static [Metric<S>],
    snapshot: S,
) -> Result<(String, &'static str), fmt::Error> {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Figures(table, snapshot)));
    let mut text = String::new();
    prometheus_text::encode(&mut text, &registry)?;
    Ok((text, prometheus_text::CONTENT_TYPE))
}

struct Figures<S: 'static>(&'static [Metric<S>], S);

impl<S> fmt::Debug for Figures<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Figures")
    }
}

impl<S: Send + Sync + 'static> Collector for Figures<S> {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        for metric in self.0 {
            let samples = (metric.read)(&self.1);
            if samples.is_empty() {
                continue; // not known now
            }
            let (name, kind) = match metric.kind {
                Kind::Gauge => (metric.name, MetricType::Gauge),
                // The library writes the ending itself.
                Kind::Counter => (metric.name.trim_end_matches("_total"), MetricType::Counter),
                Kind::Histogram => (metric.name, MetricType::Histogram),
            };
            let mut described = encoder.encode_descriptor(name, metric.help, None, kind)?;
            for sample in samples {
                let labels = metric.labels.iter().copied().zip(&sample.labels);
                let labels: Vec<(&str, &String)> = labels.collect();
                if labels.is_empty() {
                    sample.value.encode(metric.kind, &mut described)?;
                } else {
                    let mut one = described.encode_family(&labels)?;
                    sample.value.encode(metric.kind, &mut one)?;
                }
            }
        }
        Ok(())
    }
}

impl Value {
    fn encode(&self, kind: Kind, encoder: &mut MetricEncoder<'_>) -> fmt::Result {
        match (self, kind) {
            (Self::Count(count), Kind::Counter) => {
                encoder.encode_counter::<[(&str, &str); 0], _, u64>(count, None)
            }
            (Self::Count(count), _) => encoder.encode_gauge(count),
            (Self::Decimal(digits), _) => encoder.encode_gauge(&float(digits)),
            (
                Self::Classes {
                    classes,
                    count,
                    sum,
                },
                _,
            ) => {
                let classes = classes.iter();
                let classes: Vec<(f64, u64)> = classes
                    .map(|(end, count)| (float(&end.to_string()), *count))
                    .collect();
                let sum = float(&sum.to_string());
                encoder.encode_histogram::<[(&str, &str); 0]>(sum, *count, &classes, None)
            }
        }
    }
}

/// Prometheus has no other numbers. Read from digits at the very end, so that nothing is ever computed with one.
fn float(digits: &str) -> f64 {
    digits.parse().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_as_prometheus_wants_them_and_told_apart() {
        let names: BTreeSet<&str> = METRICS.iter().map(|metric| metric.name).collect();
        assert_eq!(names.len(), METRICS.len());
        for metric in METRICS {
            let Metric {
                name, kind, help, ..
            } = metric;
            let is_plain = |c: char| c.is_ascii_lowercase() || c == '_';
            assert!(
                name.starts_with("tidelock_") && name.chars().all(is_plain),
                "{name}"
            );
            let is_counter = *kind == Kind::Counter;
            assert_eq!(name.ends_with("_total"), is_counter, "{name}");
            assert!(!help.is_empty() && !help.ends_with('.'), "{name}: {help}");
        }
    }

    #[test]
    fn digits_are_read_as_they_stand() {
        for (digits, value) in [
            ("0", 0.0),
            ("12.5", 12.5),
            ("807971.213825", 807_971.213_825),
        ] {
            assert!((float(digits) - value).abs() < f64::EPSILON, "{digits}");
        }
        assert!(float("1e").is_nan());
    }
}
