//! Runs trials, and cuts a trace that diverges down to what is needed.

use std::fmt::Write as _;

use tidelock_model::{Rules, abi::Configuration};

use crate::{
    author::Author,
    chain::Fork,
    trial::{Coverage, Step, Trial, verb},
};

/// Steps of a world, before another begins.
const STEPS_OF_A_WORLD: u64 = 250;

/// Where contract and model part.
pub struct Divergence {
    /// Seed of the world.
    pub seed: u64,
    /// What differs.
    pub what: String,
    /// Steps that lead there, as few as were found.
    pub steps: Vec<Step>,
}

impl std::fmt::Display for Divergence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut text = format!("world {}: {}\n", self.seed, self.what);
        for step in &self.steps {
            let Step {
                time,
                from,
                to,
                data,
                ..
            } = step;
            let _ = writeln!(
                text,
                "  at {time} {from} calls {to} ({}) {data}",
                verb(data)
            );
        }
        f.write_str(&text)
    }
}

/// Takes that many steps in worlds of consecutive seeds.
pub fn run(fork: Fork, rules: Rules, seed: u64, steps: u64) -> Result<Coverage, Box<Divergence>> {
    let mut coverage = Coverage::new();
    for world in 0..steps.div_ceil(STEPS_OF_A_WORLD) {
        let count = STEPS_OF_A_WORLD.min(steps - world * STEPS_OF_A_WORLD);
        for (name, times) in one_world(fork, rules, seed + world, count)? {
            *coverage.entry(name).or_default() += times;
        }
    }
    Ok(coverage)
}

fn one_world(fork: Fork, rules: Rules, seed: u64, count: u64) -> Result<Coverage, Box<Divergence>> {
    let mut taken = Vec::new();
    let (mut trial, mut author) = begin(fork, rules, seed);
    let configuration = trial.configuration.clone();
    let mut opening = author.opening(&trial.place).into_iter();
    for _ in 0..count {
        let step = match opening.next() {
            Some(step) => step,
            None => author.next(&trial.model, &trial.place),
        };
        taken.push(step.clone());
        let mut taking = trial.take(&step).map(drop);
        if taking.is_ok() && taken.len() as u64 == count {
            taking = trial.compare_everything(step.time);
        }
        if let Err(what) = taking {
            let (steps, what) = shrink(fork, rules, seed, &configuration, taken, what);
            return Err(Box::new(Divergence { seed, what, steps }));
        }
    }
    Ok(trial.coverage)
}

/// The world of a seed, before any step.
pub fn begin(fork: Fork, rules: Rules, seed: u64) -> (Trial, Author) {
    let mut author = Author::new(seed);
    let accounts = author.accounts();
    let trial = Trial::new(fork, rules, &accounts, |place| author.configuration(place));
    let trial = trial.unwrap_or_else(|what| panic!("world {seed} at birth: {what}"));
    (trial, author)
}

/// Leaves out what the divergence does not need: halves, quarters and so on down to single steps.
fn shrink(
    fork: Fork,
    rules: Rules,
    seed: u64,
    configuration: &Configuration,
    mut steps: Vec<Step>,
    mut what: String,
) -> (Vec<Step>, String) {
    let accounts = Author::new(seed).accounts();
    let diverges = |steps: &[Step]| {
        let trial = Trial::new(fork, rules, &accounts, |_| configuration.clone());
        let mut trial = trial.ok()?;
        let differs = steps.iter().find_map(|step| trial.take(step).err());
        let last = steps.last()?.time;
        differs.or_else(|| trial.compare_everything(last).err())
    };
    let mut length = steps.len().div_ceil(2);
    while length > 0 {
        let mut start = 0;
        while start < steps.len() {
            let end = (start + length).min(steps.len());
            let left = [&steps[..start], &steps[end..]].concat();
            match diverges(&left) {
                Some(still) => (steps, what) = (left, still),
                None => start = end,
            }
        }
        length /= 2;
    }
    (steps, what)
}
