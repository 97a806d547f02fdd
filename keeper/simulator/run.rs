//! One seed from beginning to end: first everything goes wrong, then nothing does, and what can be paid must be.

use std::{cell::RefCell, rc::Rc};

use tidelock_core::{
    domain::PaymentRef,
    engine,
    event::{HaltReason, Mode},
    lease::Term,
    lifecycle::PaymentStatus,
    log::LogHead,
};

use crate::{
    coverage::Coverage,
    fate::Fate,
    faults::Fault,
    host::Host,
    mishaps::Mishaps,
    oracle::Oracle,
    past::Past,
    people::People,
    record::record,
    rng::Rng,
    setting::Setting,
    trace::Trace,
    world::{
        World,
        lease::Server,
        store::{Disk, Drive},
        writer::{HostFiles, Writer},
    },
};

/// Steps after the faults within which everything payable must be paid.
pub const LIVENESS_STEPS: u64 = 10_000;
/// Steps after a broken finality within which the keeper must have halted.
const HALT_STEPS: u64 = 400;
/// Chain time of a block once faults have ended, so that windows and delays pass. [seconds]
const STRIDE_S: u64 = 600;
/// Steps between two rounds of clearing what holds payments, once faults have ended.
const CLEAR_STEPS: u64 = 40;

/// What came of a seed.
pub struct Verdict {
    /// What is wrong, if anything.
    pub failure: Option<String>,
    /// What it exercised.
    pub coverage: Coverage,
    /// The last things that happened.
    pub account: Vec<String>,
    /// Its canonical chain, if that was asked for.
    pub trace: Option<Trace>,
}

/// A seed's world, people and keepers.
struct Simulation {
    world: World,
    people: People,
    hosts: Vec<Host>,
    mishaps: Mishaps,
    oracle: Oracle,
    drive: Drive,
    fate: Fate,
    now_ms: u64,
    next_block_ms: u64,
    finality_broken: bool,
}

/// Runs one seed; prints what happens if `traced`, writes the canonical chain out if `recorded`.
pub fn run(seed: u64, steps: u64, traced: bool, recorded: bool) -> Verdict {
    let mut simulation = Simulation::new(seed, steps, traced);
    let judged = simulation.disturbed(steps);
    let judged = judged.and_then(|()| match simulation.finality_broken {
        true => simulation.halted(),
        false => simulation.calm(),
    });
    let judged = judged.and_then(|()| simulation.drive.0.borrow().tables.must_be_whole());
    let mut coverage = simulation.fate.coverage.clone();
    coverage.edges = simulation.drive.0.borrow().edges.clone();
    Verdict {
        failure: judged.err(),
        coverage,
        account: simulation.fate.account().cloned().collect(),
        trace: recorded.then(|| record(&simulation.world, seed, steps)),
    }
}

impl Simulation {
    fn new(seed: u64, steps: u64, traced: bool) -> Self {
        let mut rng = Rng::new(seed);
        let setting = Setting::draw(&mut rng);
        let mut fate = Fate::new(rng, traced);
        let drive = Drive(Rc::new(RefCell::new(Disk::new(Server::new(&mut fate)))));
        let mut world = World::new(setting);
        let past = if fate.rng.chance(200) {
            Past::draw(&mut world, &mut fate)
        } else {
            Past::none(&world)
        };
        let disturbing = [
            Fault::LandsBetween,
            Fault::OtherExecutes,
            Fault::ReorgDrops,
            Fault::ReorgOlderAttempt,
            Fault::OutcomeFlips,
            Fault::FinalityBroken,
            Fault::NodesContradict,
            Fault::NumberTaken,
        ];
        world.caps_are_calm = disturbing.iter().all(|fault| !fate.has(*fault));
        let next_block_ms = world.setting.block_ms;
        if fate.has(Fault::KeyRotation) && fate.rng.chance(500) {
            let about = steps * next_block_ms / 4;
            world.rotates_at_ms = Some(fate.rng.below(about + 1));
        }
        open_log(&drive, &world, &past);
        Self {
            hosts: hosts(&drive, next_block_ms, &mut fate),
            mishaps: Mishaps::new(next_block_ms),
            people: People::new(drive.clone(), &past.payments),
            oracle: Oracle::default(),
            world,
            drive,
            fate,
            now_ms: 0,
            next_block_ms,
            finality_broken: false,
        }
    }

    /// Faults strike.
    fn disturbed(&mut self, steps: u64) -> Result<(), String> {
        for _ in 0..steps {
            self.world.befall(self.now_ms, &mut self.fate);
            self.reorganise();
            self.step(steps)?;
            self.finality_broken |= self.is_misled();
            if self.finality_broken {
                break;
            }
        }
        Ok(())
    }

    /// A node of another chain was believed so far that the keeper halted, which nobody waves through.
    fn is_misled(&self) -> bool {
        let disk = self.drive.0.borrow();
        let is_broken = |reason: &HaltReason| matches!(reason, HaltReason::FinalityBroken { .. });
        let is_halted = matches!(&disk.head().mode, Mode::Halted { reason } if is_broken(reason));
        is_halted && self.world.has_met_aliens
    }

    /// Nothing goes wrong any more: everything payable is paid, the keeper knows it, and every nonce is used up.
    fn calm(&mut self) -> Result<(), String> {
        self.fate.calm();
        self.set_right();
        self.world.stride_s = Some(STRIDE_S);
        for step in 0..LIVENESS_STEPS {
            if step % CLEAR_STEPS == 0 {
                self.people.clear(&mut self.world);
            }
            self.step(1)?;
            if step % CLEAR_STEPS == CLEAR_STEPS - 1 && self.unfinished().is_none() {
                return Ok(());
            }
        }
        match self.unfinished() {
            None => Ok(()),
            Some(what) => Err(format!(
                "{what}, {LIVENESS_STEPS} steps after the last fault; {}",
                self.hosts
                    .iter()
                    .map(Host::waits)
                    .collect::<Vec<_>>()
                    .join("; ")
            )),
        }
    }

    /// The chain broke its promise: the keeper halts, and sends nothing any more.
    fn halted(&mut self) -> Result<(), String> {
        self.fate.calm();
        self.set_right();
        for _ in 0..HALT_STEPS {
            self.step(1)?;
        }
        let disk = self.drive.0.borrow();
        match &disk.head().mode {
            Mode::Halted { .. } => Ok(()), // it may have been halted before
            mode => Err(format!("finality broke, and the keeper is {mode:?}")),
        }
    }

    fn set_right(&mut self) {
        self.world.calm(&mut self.fate);
        self.hosts.iter_mut().for_each(Host::calm);
    }

    fn step(&mut self, steps: u64) -> Result<(), String> {
        let block_ms = self.world.setting.block_ms;
        self.now_ms += self.fate.rng.between(1, block_ms / 2);
        self.fate.set_time(self.now_ms);
        while self.next_block_ms <= self.now_ms {
            self.next_block_ms += block_ms;
            self.world.mine(&mut self.fate);
        }
        self.people.act(&mut self.world, steps, &mut self.fate);
        let (world, fate) = (&mut self.world, &mut self.fate);
        let seen = self.hosts.iter().map(Host::seen).min().unwrap_or(0);
        let term = self.hosts.iter().find_map(Host::term);
        let mut disk = self.drive.0.borrow_mut();
        let is_host_lost = self
            .mishaps
            .befall(&mut disk, (seen, term), self.now_ms, fate);
        drop(disk);
        if is_host_lost {
            let lost = fate.rng.below(self.hosts.len() as u64) as usize;
            self.hosts[lost].replace();
        }
        for host in &mut self.hosts {
            host.step(world, self.now_ms, fate);
            if let Some(wrong) = host.wrong() {
                return Err(format!("keeper: {wrong}"));
            }
        }
        if self.hosts.iter().filter(|host| host.works()).count() > 1 {
            fate.count("steps in which two keepers work on the log");
        }
        let disk = self.drive.0.borrow();
        self.oracle.check(world, &self.people, &disk, fate)
    }

    fn reorganise(&mut self) {
        let chain = &self.world.chain;
        let safe = chain.head().number - chain.finalised();
        let wants = self.fate.has(Fault::ReorgDrops)
            || self.fate.has(Fault::ReorgOlderAttempt)
            || self.fate.has(Fault::OutcomeFlips);
        if safe > 1 && wants && self.fate.rng.chance(15) {
            let depth = self.fate.rng.between(1, safe - 1);
            self.world.reorganise(depth, &mut self.fate);
        }
        if self.fate.strikes(Fault::FinalityBroken) {
            self.break_finality();
        }
    }

    /// A reorganisation below what the keeper's log calls final. One that it never took in may as well have happened
    /// before it looked.
    fn break_finality(&mut self) {
        let taken_in = self.drive.0.borrow().head().finalised.number;
        let chain = &self.world.chain;
        let depth = chain.head().number + 1 - taken_in;
        let reachable = taken_in > chain.first() + 1 && depth < 48;
        if !reachable {
            return;
        }
        self.fate.struck(Fault::FinalityBroken);
        self.oracle.finality_breaks();
        self.finality_broken = true;
        self.world.fork = None;
        self.world.reorganise(depth, &mut self.fate);
    }

    /// What is left to do, if anything.
    fn unfinished(&self) -> Option<String> {
        let disk = self.drive.0.borrow();
        let unpaid = |reference: &PaymentRef| {
            let row = disk.payment(*reference);
            row.is_none_or(|row| row.status != PaymentStatus::Paid)
                || !self.oracle.is_paid_for_good(&self.world, *reference)
        };
        let expected = self.people.expected(&self.world);
        let left: Vec<_> = expected.into_iter().filter(unpaid).collect();
        if let Some(reference) = left.first() {
            let row = disk.payment(*reference);
            let count = left.len();
            return Some(format!(
                "{count} payments are unpaid, the first is {reference}: {row:?}"
            ));
        }
        let slot = disk.live_slots().next();
        slot.map(|slot| format!("nonce {} is not used up: {:?}", slot.nonce, slot.job))
    }
}

/// A new log, and what was before it.
fn open_log(drive: &Drive, world: &World, past: &Past) {
    let files = HostFiles {
        note: LogHead::EMPTY,
        is_cut_off: false,
    };
    let files = Rc::new(RefCell::new(files));
    let mut writer = Writer::open(drive.clone(), files, None).expect("an empty store");
    let opening = world.setting.opening(world.keys[0].address(), past.start);
    let opened = engine::open(&mut writer, opening, past.events.clone());
    opened.expect("a new store takes a new log");
}

/// One on a store of its own, or several on one that all can write.
fn hosts(drive: &Drive, block_ms: u64, fate: &mut Fate) -> Vec<Host> {
    let count = fate.rng.pick(&[1, 1, 1, 2, 2, 3]);
    let term = Term(block_ms * fate.rng.pick(&[3, 6, 12]));
    let term = (count > 1).then_some(term);
    (0..count)
        .map(|index| Host::new(index, drive.clone(), term, fate))
        .collect()
}
