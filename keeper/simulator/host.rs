//! A host with a keeper: its clock, its own files, and a process that leads or stands by. Where several hosts can write the
//! store, it takes and renews the lease as the daemon does, by the core's rules.

mod ends;
mod errand;
mod lease;
mod pause;

use std::{cell::RefCell, rc::Rc};

use tidelock_core::{
    engine::EngineError,
    lease::{Term, may_act},
    log::LogHead,
    port::{Effect, Monotonic},
};

use crate::{
    conduct,
    fate::Fate,
    faults::Fault,
    process::{Process, set_ambush},
    world::{
        World,
        store::Drive,
        writer::{HostFiles, Writer},
    },
};
use errand::Errand;
use pause::{Pause, Place};

/// A host.
pub struct Host {
    name: String,
    drive: Drive,
    files: Rc<RefCell<HostFiles>>,
    clock: Clock,
    /// How long a lease lasts; none on a store that no other host can write.
    term: Option<Term>,
    tenure: Option<Tenure>,
    errand: Option<Errand>,
    /// Errands that nobody waits for any more.
    strays: Vec<Errand>,
    next_errand_ms: u64,
    process: Process,
    /// The process does not exist before then.
    starts_ms: u64,
    pause: Option<Pause>,
    cut_off_until_ms: u64,
}

/// A clock that never jumps, and does not run at quite the same rate as others.
#[derive(Debug, Clone, Copy)]
struct Clock {
    ahead_ms: u64,
    /// In a million.
    slow: u64,
}

impl Clock {
    fn at(self, now_ms: u64) -> Monotonic {
        Monotonic(self.ahead_ms + now_ms - now_ms * self.slow / 1_000_000)
    }
}

/// What a host believes of its lease.
#[derive(Debug, Clone, Copy)]
struct Tenure {
    epoch: u64,
    until: Monotonic,
}

impl Host {
    /// One that knows nothing of the store yet.
    pub fn new(index: usize, drive: Drive, term: Option<Term>, fate: &mut Fate) -> Self {
        let name = format!("keeper {}", index + 1);
        let files = HostFiles {
            note: LogHead::EMPTY,
            is_cut_off: false,
        };
        let clock = match term {
            None => Clock {
                ahead_ms: 0,
                slow: 0,
            },
            Some(_) => Clock {
                ahead_ms: fate.rng.below(1_000_000),
                slow: fate.rng.below(20_000),
            },
        };
        Self {
            process: Process::new(name.clone()),
            name,
            drive,
            files: Rc::new(RefCell::new(files)),
            clock,
            term,
            tenure: None,
            errand: None,
            strays: Vec::new(),
            next_errand_ms: 0,
            starts_ms: 0,
            pause: None,
            cut_off_until_ms: 0,
        }
    }

    /// The last entry that this host has seen.
    pub fn seen(&self) -> u64 {
        self.files.borrow().note.seq
    }

    /// Another machine takes its place, which has seen nothing of the store.
    pub fn replace(&mut self) {
        self.files.borrow_mut().note = LogHead::EMPTY;
    }

    /// How long a lease lasts, if several hosts share the store.
    pub fn term(&self) -> Option<Term> {
        self.term
    }

    /// What it must never do, and did.
    pub fn wrong(&self) -> Option<&String> {
        self.process.wrong.as_ref()
    }

    /// Whether its process works on the log.
    pub fn works(&self) -> bool {
        self.process.works()
    }

    /// What it says that it waits for.
    pub fn waits(&self) -> String {
        self.process.waits()
    }

    /// Faults end.
    pub fn calm(&mut self) {
        self.cut_off_until_ms = 0;
        if let Some(pause) = &mut self.pause {
            pause.until_ms = 0;
        }
    }

    /// Lets time pass up to now.
    pub fn step(&mut self, world: &mut World, now_ms: u64, fate: &mut Fate) {
        self.process.land(world, now_ms, fate);
        self.files.borrow_mut().is_cut_off = now_ms < self.cut_off_until_ms;
        self.run_errands(now_ms, fate);
        let is_paused = self.pause.as_ref().is_some_and(|p| now_ms < p.until_ms);
        if now_ms < self.starts_ms || is_paused {
            return;
        }
        match self.pause.take().map(|pause| pause.at) {
            None | Some(Place::Idle) => {}
            Some(Place::BeforeTurn) => self.turn(world, now_ms, fate),
            Some(Place::BeforeActs(effects)) => self.act(effects, world, now_ms, fate),
        }
        self.round(world, now_ms, fate);
    }

    /// One round of the loop.
    fn round(&mut self, world: &mut World, now_ms: u64, fate: &mut Fate) {
        self.hear(now_ms, fate);
        self.ask(now_ms, fate);
        if !self.leads(now_ms) {
            self.stand_by(now_ms, fate);
            return;
        }
        if !self.process.works() {
            self.start(world, now_ms, fate);
            return;
        }
        if self.term.is_some() && fate.is_active() && fate.rng.chance(1) {
            fate.count("leaders stopped in order");
            self.stand_by(now_ms, fate);
            self.starts_ms = now_ms + fate.rng.below(30_000);
            return;
        }
        let is_paused = self.is_paused_by(fate, now_ms, Place::Idle)
            || self.is_paused_by(fate, now_ms, Place::BeforeTurn);
        if is_paused {
            return;
        }
        self.turn(world, now_ms, fate);
        self.rotate(world, now_ms, fate);
    }

    /// Whether it may sign and send, as far as it knows.
    fn leads(&self, now_ms: u64) -> bool {
        match (self.term, self.tenure) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(_), Some(tenure)) => may_act(self.clock.at(now_ms), tenure.until),
        }
    }

    fn epoch(&self) -> Option<u64> {
        self.term?;
        Some(self.tenure.map_or(0, |tenure| tenure.epoch))
    }

    fn start(&mut self, world: &World, now_ms: u64, fate: &mut Fate) {
        self.drive.0.borrow_mut().lean = fate.rng.chance(500);
        let at = self.clock.at(now_ms);
        let (drive, files) = (self.drive.clone(), Rc::clone(&self.files));
        let opened = Writer::open(drive, files, self.epoch()).map_err(EngineError::Store);
        let started = opened.and_then(|writer| self.process.start(writer, world, at, fate));
        match started {
            Ok(()) => {}
            Err(EngineError::Store(failure)) => self.fail(failure, now_ms, fate),
            Err(error) => self.process.wrong = Some(format!("the engine does not start: {error}")),
        }
    }

    fn turn(&mut self, world: &World, now_ms: u64, fate: &mut Fate) {
        if !self.process.works() {
            return;
        }
        set_ambush(&mut self.drive.0.borrow_mut(), fate);
        match self.process.turn(now_ms, self.clock.at(now_ms)) {
            Ok(effects) => {
                if self.is_current() {
                    let disk = self.drive.0.borrow();
                    self.process.check_told(&disk, fate);
                }
                if self.may_pause_before(&effects, fate) {
                    self.pause_at(Place::BeforeActs(effects), now_ms, fate);
                } else {
                    self.act(effects, world, now_ms, fate);
                }
            }
            Err(EngineError::Store(failure)) => self.fail(failure, now_ms, fate),
            Err(error) => {
                self.process.wrong = Some(format!("the engine stopped by itself: {error}"));
            }
        }
    }

    /// Whether it is the one that leads, whatever it believes.
    fn is_current(&self) -> bool {
        let epoch = self.drive.0.borrow().tables.lease.epoch;
        self.epoch().is_none_or(|own| own == epoch)
    }

    fn act(&mut self, effects: Vec<Effect>, world: &World, now_ms: u64, fate: &mut Fate) {
        for effect in effects {
            let may = !effect.is_act() || self.leads(now_ms);
            if effect.is_act() && may {
                self.check(&effect, world);
            }
            if may && matches!(effect, Effect::Send { .. }) && fate.strikes(Fault::CrashBeforeSend)
            {
                fate.struck(Fault::CrashBeforeSend);
                return self.die(now_ms, fate);
            }
            self.process.launch(effect, may, world, now_ms, fate);
        }
    }

    fn check(&mut self, effect: &Effect, world: &World) {
        let disk = self.drive.0.borrow();
        let epoch = self.epoch();
        let checked = conduct::may_lead(effect, &disk, epoch);
        let checked = checked.and_then(|()| match self.is_current() {
            true => conduct::may_start(effect, &disk, world),
            false => Ok(()), // what it knows is from before
        });
        if let Err(wrong) = checked {
            self.process.wrong = Some(wrong);
        }
    }
}
