//! What is read off the chain and off the operating system.

use std::collections::BTreeMap;

use alloy::primitives::U256;
use serde_json::{Value, json};

use super::world::World;

/// The blocks from the first to the last that hold something of ours.
pub struct Blocks(Vec<One>);

struct One {
    gas_used: u64,
    gas_limit: u64,
    payments: u64,
    time: u64,
}

impl Blocks {
    /// `paid`: height, and payments paid there.
    pub async fn read(world: &World, paid: &[(u64, u64)]) -> Self {
        let mut by_height: BTreeMap<u64, u64> = BTreeMap::new();
        for (height, payments) in paid {
            *by_height.entry(*height).or_default() += payments;
        }
        let first = *by_height.keys().next().expect("something was paid");
        let last = *by_height.keys().last().expect("something was paid");
        let mut blocks = Vec::new();
        for height in first..=last {
            let block: Value = world
                .ask(
                    "eth_getBlockByNumber",
                    json!([format!("{height:#x}"), false]),
                )
                .await;
            let number = |field: &str| -> u64 {
                let value: U256 = serde_json::from_value(block[field].clone()).unwrap();
                value.to()
            };
            blocks.push(One {
                gas_used: number("gasUsed"),
                gas_limit: number("gasLimit"),
                payments: by_height.get(&height).copied().unwrap_or(0),
                time: number("timestamp"),
            });
        }
        Self(blocks)
    }

    /// The keeper's gas over the gas there was, up to the last block at whose start a full batch was unmined.
    pub fn share(&self, total: u64, full: u64) -> f64 {
        let mut unmined = total;
        let (mut used, mut limit) = (0, 0);
        for block in &self.0 {
            if unmined < full {
                break;
            }
            used += block.gas_used;
            limit += block.gas_limit;
            unmined -= block.payments;
        }
        used as f64 / limit as f64
    }

    /// From the first block to the last, the first one's own second included.
    pub fn seconds(&self) -> f64 {
        let (Some(first), Some(last)) = (self.0.first(), self.0.last()) else {
            return 0.0;
        };
        (last.time - first.time + 1) as f64
    }
}

/// Least, middle and most.
pub fn median(mut values: Vec<f64>) -> (f64, f64, f64) {
    values.sort_by(f64::total_cmp);
    (
        values[0],
        values[values.len() / 2],
        values[values.len() - 1],
    )
}

pub fn percentile(values: &[f64], percent: usize) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    let at = (values.len() * percent).div_ceil(100).saturating_sub(1);
    values.get(at).copied().unwrap_or(0.0)
}

/// User and system time of this process. [seconds]
pub fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let fields: Vec<&str> = after_name.split_whitespace().collect();
    let ticks = |at: usize| -> f64 { fields.get(at).and_then(|f| f.parse().ok()).unwrap_or(0.0) };
    (ticks(11) + ticks(12)) / 100.0 // clock ticks per second, on every Linux
}

/// Most memory this process ever held. [MiB]
pub fn peak_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1));
    kib.and_then(|kib| kib.parse::<f64>().ok()).unwrap_or(0.0) / 1024.0
}
