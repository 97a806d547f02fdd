//! How working on the log ends: by another key, by a failure of the store, by another leader, by death.

use tidelock_core::engine::{self, EngineError};

use super::Host;
use crate::{
    fate::Fate,
    faults::Fault,
    world::{World, writer::StoreFailure},
};

impl Host {
    /// Goes over to the next key, once it is to and the one before has nothing left to do.
    pub(super) fn rotate(&mut self, world: &World, now_ms: u64, fate: &mut Fate) {
        let is_due = world.rotates_at_ms.is_some_and(|at| now_ms >= at);
        if !is_due || !self.process.works_with(world.keys[0].address()) {
            return;
        }
        if self.process.retire_key() {
            fate.count("keys retired with nonces under way");
        }
        let is_asked = now_ms >= world.down_until_ms; // for the next key's nonce
        let Some(mut writer) = is_asked.then(|| self.process.take_drained(fate)).flatten() else {
            return;
        };
        let last = world.chain.at(world.chain.finalised()).expect("canonical");
        let (next, nonce) = (world.keys[1].address(), last.nonces[1]);
        match engine::change_key(&mut writer, next, nonce) {
            Ok(()) => {
                fate.struck(Fault::KeyRotation);
                self.stand_by(now_ms, fate);
            }
            Err(EngineError::Store(failure)) => self.fail(failure, now_ms, fate),
            Err(error) => self.process.wrong = Some(format!("the key does not change: {error}")),
        }
    }

    /// A commit or a question failed: the process ends, or stands by again.
    pub(super) fn fail(&mut self, failure: StoreFailure, now_ms: u64, fate: &mut Fate) {
        fate.say(|| format!("{}: {failure}", self.name));
        match failure {
            StoreFailure::Gone => {
                let sprung = self.drive.0.borrow_mut().sprung.take();
                fate.struck(sprung.expect("a commit fails for a reason"));
                self.die(now_ms, fate);
            }
            StoreFailure::Deposed { .. } => {
                fate.struck(Fault::TwoLeaders);
                self.stand_by(now_ms, fate);
            }
            StoreFailure::Away => self.stand_by(now_ms, fate),
            StoreFailure::Old(_) | StoreFailure::Damaged(_) => self.refuse(failure, now_ms, fate),
        }
    }

    /// The store is not to be worked on. People find out why.
    pub(super) fn refuse(&mut self, failure: StoreFailure, now_ms: u64, fate: &mut Fate) {
        fate.say(|| format!("{}: refuses the store: {failure}", self.name));
        fate.struck(match failure {
            StoreFailure::Damaged(_) => Fault::TornLog,
            _ => Fault::OldBackup,
        });
        self.stand_by(now_ms, fate);
        self.starts_ms = now_ms + self.term.map_or(10_000, |term| term.0);
    }

    /// Works no more, and gives the lease back if it is still its own.
    pub(super) fn stand_by(&mut self, now_ms: u64, fate: &mut Fate) {
        if self.process.works() {
            fate.say(|| format!("{}: stands by", self.name));
            self.process.end(fate);
        }
        if let Some(tenure) = self.tenure.take() {
            self.strays.extend(self.errand.take());
            self.next_errand_ms = now_ms;
            if now_ms >= self.cut_off_until_ms {
                let lease = &mut self.drive.0.borrow_mut().tables.lease;
                lease.release(tenure.epoch);
            }
        }
    }

    /// The process is killed: nobody gives anything back.
    pub(super) fn die(&mut self, now_ms: u64, fate: &mut Fate) {
        fate.say(|| format!("{}: dies", self.name));
        fate.count("deaths");
        self.process.end(fate);
        self.tenure = None;
        self.strays.extend(self.errand.take());
        self.starts_ms = now_ms + fate.rng.below(30_000);
        self.next_errand_ms = self.starts_ms;
    }
}
