//! What the seeds of a run have exercised. A run that leaves a fault or a transition out proves less than it says, and
//! fails.

use std::collections::BTreeMap;

use tidelock_core::{
    lifecycle::{AttemptStatus, BatchStatus, PaymentStatus, SlotStatus},
    machine::Machine,
};

use crate::faults::Fault;

/// An edge of a lifecycle's table: the machine and the place in its table.
pub type EdgeKey = (&'static str, usize);

/// Counts of what happened.
#[derive(Debug, Clone, Default)]
pub struct Coverage {
    /// How often each fault took effect.
    pub faults: BTreeMap<Fault, u64>,
    /// How often each edge was taken.
    pub edges: BTreeMap<EdgeKey, u64>,
    /// Other things worth a number.
    pub counts: BTreeMap<&'static str, u64>,
}

impl Coverage {
    /// Adds what another seed exercised.
    pub fn add(&mut self, other: &Self) {
        add(&mut self.faults, &other.faults);
        add(&mut self.edges, &other.edges);
        add(&mut self.counts, &other.counts);
    }

    /// Faults that never took effect and edges that were never taken, in words.
    pub fn missing(&self) -> Vec<String> {
        let faults = Fault::ALL.iter().filter(|f| !self.faults.contains_key(f));
        let mut missing: Vec<String> = faults
            .map(|fault| format!("fault {}: {}", fault.number(), fault.what()))
            .collect();
        let edges = all_edges().into_iter();
        missing.extend(edges.filter_map(|(key, words)| {
            (!self.edges.contains_key(&key)).then(|| format!("transition of {words}"))
        }));
        missing
    }

    /// The table of a run.
    pub fn print(&self) {
        println!("\n{:>9}  fault", "times");
        for fault in Fault::ALL {
            let times = self.faults.get(fault).copied().unwrap_or(0);
            println!("{times:>9}  {:>2} {}", fault.number(), fault.what());
        }
        println!("\n{:>9}  transition", "times");
        for (key, words) in all_edges() {
            let times = self.edges.get(&key).copied().unwrap_or(0);
            println!("{times:>9}  {words}");
        }
        println!();
        for (what, times) in &self.counts {
            println!("{times:>9}  {what}");
        }
    }
}

fn add<K: Ord + Copy>(to: &mut BTreeMap<K, u64>, from: &BTreeMap<K, u64>) {
    for (key, count) in from {
        *to.entry(*key).or_default() += count;
    }
}

fn all_edges() -> Vec<(EdgeKey, String)> {
    let mut all = edges::<PaymentStatus>();
    all.extend(edges::<BatchStatus>());
    all.extend(edges::<SlotStatus>());
    all.extend(edges::<AttemptStatus>());
    all
}

fn edges<M: Machine>() -> Vec<(EdgeKey, String)> {
    let words = |(index, edge): (usize, &tidelock_core::machine::Edge<M>)| {
        let from = (edge.from).map_or("nothing".to_owned(), |from| format!("{from:?}"));
        let words = format!("{}: {from} --{:?}--> {:?}", M::NAME, edge.by, edge.to);
        ((M::NAME, index), words)
    };
    M::EDGES.iter().enumerate().map(words).collect()
}

/// The edge between two states, if the table has one.
pub fn edge_between<M: Machine>(from: Option<M>, to: M) -> Option<EdgeKey> {
    let leads = |edge: &tidelock_core::machine::Edge<M>| edge.from == from && edge.to == to;
    M::EDGES
        .iter()
        .position(leads)
        .map(|index| (M::NAME, index))
}
