//! Where chance, the count of what happened and the account of it come together.

use std::collections::VecDeque;

use crate::{coverage::Coverage, faults::Fault, rng::Rng};

/// Lines of the account that are kept.
const KEPT_LINES: usize = 60;

/// Decides what goes wrong, counts it, and keeps an account of the last things that happened.
pub struct Fate {
    /// The stream that the world draws from.
    pub rng: Rng,
    /// What happened so far.
    pub coverage: Coverage,
    /// How often each fault strikes, in a thousand; 0 for those that this seed does not have.
    rates: Vec<u64>,
    active: bool,
    account: VecDeque<String>,
    printed: bool,
    now_ms: u64,
}

impl Fate {
    /// Each seed has some of the faults, so that rare combinations are not drowned by frequent ones.
    pub fn new(mut rng: Rng, printed: bool) -> Self {
        let share = rng.pick(&[150, 350, 600, 900]);
        let rates = Fault::ALL.iter().map(|fault| {
            let factor = rng.pick(&[1, 1, 2, 4]);
            let has = rng.chance(share);
            if has { fault.per_mille() * factor } else { 0 }
        });
        let rates = rates.collect();
        Self {
            rng,
            coverage: Coverage::default(),
            rates,
            active: true,
            account: VecDeque::new(),
            printed,
            now_ms: 0,
        }
    }

    /// Whether faults still strike.
    pub fn is_active(&self) -> bool {
        self.active
    }

    /// From now on nothing goes wrong.
    pub fn calm(&mut self) {
        self.active = false;
    }

    /// The time that the account's lines carry.
    pub fn set_time(&mut self, now_ms: u64) {
        self.now_ms = now_ms;
    }

    /// Whether this seed has the fault.
    pub fn has(&self, fault: Fault) -> bool {
        self.active && self.rates[fault as usize] > 0
    }

    /// Whether the fault strikes now. What struck is counted by [`Fate::struck`], where it took effect.
    pub fn strikes(&mut self, fault: Fault) -> bool {
        self.has(fault) && self.rng.chance(self.rates[fault as usize])
    }

    /// The fault took effect.
    pub fn struck(&mut self, fault: Fault) {
        *self.coverage.faults.entry(fault).or_default() += 1;
        self.say(|| format!("fault {}: {}", fault.number(), fault.what()));
    }

    /// Something worth a number happened.
    pub fn count(&mut self, what: &'static str) {
        *self.coverage.counts.entry(what).or_default() += 1;
    }

    /// Something worth a line of the account happened.
    pub fn say(&mut self, line: impl FnOnce() -> String) {
        let line = format!("{:>10} ms  {}", self.now_ms, line());
        if self.printed {
            println!("{line}");
        }
        if self.account.len() == KEPT_LINES {
            self.account.pop_front();
        }
        self.account.push_back(line);
    }

    /// The last lines of the account.
    pub fn account(&self) -> impl Iterator<Item = &String> {
        self.account.iter()
    }
}
