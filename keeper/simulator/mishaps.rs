//! What befalls the store itself: an old backup is put in its place, its end is torn, its server's clock jumps. People find
//! out in time, and put back what was there; unless a keeper has gone on from what it should have refused.

use tidelock_core::{
    lease::Term,
    log::{Entry, LogHead},
};

use crate::{
    fate::Fate,
    faults::Fault,
    world::{store::Disk, tables::Tables},
};

/// What is kept beside the store.
pub struct Mishaps {
    block_ms: u64,
    backup: Option<Box<Tables>>,
    mending: Option<Mending>,
}

/// What is to be put back.
struct Mending {
    at_ms: u64,
    right: Box<Tables>,
    timeline: u32,
    /// Where the wrong one ended when it was put there.
    wrong: LogHead,
}

impl Mishaps {
    /// None yet.
    pub fn new(block_ms: u64) -> Self {
        Self {
            block_ms,
            backup: None,
            mending: None,
        }
    }

    /// Asked once a step. `seen` is the last entry that every host has seen; `term` is there if hosts share the store. Answers
    /// whether a host was lost together with what was replaced.
    pub fn befall(
        &mut self,
        disk: &mut Disk,
        (seen, term): (u64, Option<Term>),
        now_ms: u64,
        fate: &mut Fate,
    ) -> bool {
        if self.mending.is_some() {
            self.mend(disk, now_ms, fate);
            return false;
        }
        if let Some(term) = term
            && fate.strikes(Fault::ServerClock)
        {
            jump(disk, term, fate);
        }
        if fate.has(Fault::OldBackup) && fate.rng.chance(8) {
            self.backup = Some(Box::new(disk.tables.clone()));
        }
        if fate.strikes(Fault::OldBackup) {
            return self.restore(disk, (seen, term.is_some()), now_ms, fate);
        } else if fate.strikes(Fault::TornLog) && disk.tables.entries.len() > 2 {
            self.tear(disk, now_ms, fate);
        }
        false
    }

    /// Puts the backup in the store's place, on a server that can be told from the one before, or if every host has seen more
    /// than it has.
    fn restore(
        &mut self,
        disk: &mut Disk,
        (seen, is_shared): (u64, bool),
        now_ms: u64,
        fate: &mut Fate,
    ) -> bool {
        let is_other = is_shared && fate.rng.chance(500);
        let end = disk.tables.noted.seq;
        let fits = |backup: &Tables| match is_other {
            true => backup.noted.seq < end && backup.lease.tells_servers_apart(),
            false => backup.noted.seq < seen,
        };
        let Some(backup) = self.backup.take_if(|backup| fits(backup)) else {
            return false;
        };
        fate.say(|| {
            format!(
                "store: a backup is restored, up to entry {}",
                backup.noted.seq
            )
        });
        self.replace(disk, *backup, now_ms, fate);
        disk.server.timeline += u32::from(is_other);
        is_other
    }

    /// The end of the log is torn, or a bit of it flips.
    fn tear(&mut self, disk: &mut Disk, now_ms: u64, fate: &mut Fate) {
        let mut torn = disk.tables.clone();
        match fate.rng.below(3) {
            0 => {
                torn.entries.pop();
            }
            1 => {
                torn.entries.pop();
                torn.noted = torn.entries.last().map_or(LogHead::EMPTY, Entry::head);
                torn.entries = disk.tables.entries.clone();
            }
            _ => {
                let last = torn.entries.last_mut().expect("there are some");
                let place = fate.rng.below(last.body.len() as u64) as usize;
                let mut bytes = std::mem::take(&mut last.body).into_bytes();
                bytes[place] ^= 1;
                last.body = String::from_utf8_lossy(&bytes).into_owned();
            }
        }
        fate.say(|| "store: its end is damaged".to_owned());
        self.replace(disk, torn, now_ms, fate);
    }

    fn replace(&mut self, disk: &mut Disk, wrong: Tables, now_ms: u64, fate: &mut Fate) {
        self.mending = Some(Mending {
            at_ms: now_ms + self.block_ms * fate.rng.between(4, 30),
            timeline: disk.server.timeline,
            wrong: wrong.noted,
            right: Box::new(swap(disk, wrong)),
        });
    }

    fn mend(&mut self, disk: &mut Disk, now_ms: u64, fate: &mut Fate) {
        let is_worked_on = |mending: &Mending| disk.tables.noted != mending.wrong;
        if self
            .mending
            .take_if(|mending| is_worked_on(mending))
            .is_some()
        {
            fate.say(|| "store: a keeper goes on from what it should refuse".to_owned());
            return;
        }
        let is_due = |mending: &Mending| now_ms >= mending.at_ms || !fate.is_active();
        if let Some(mending) = self.mending.take_if(|mending| is_due(mending)) {
            fate.say(|| "store: what was there is put back".to_owned());
            swap(disk, *mending.right);
            disk.server.timeline = mending.timeline;
        }
    }
}

/// Puts other tables in place: nobody's session outlives it, and a leader that does not know yet counts by the old lease.
fn swap(disk: &mut Disk, tables: Tables) -> Tables {
    disk.session += 1;
    disk.cut_short.insert(disk.tables.lease.epoch);
    let before = std::mem::replace(&mut disk.tables, tables);
    disk.cut_short.insert(disk.tables.lease.epoch);
    before
}

fn jump(disk: &mut Disk, term: Term, fate: &mut Fate) {
    let by = fate.rng.between(term.0 / 2, term.0 * 3);
    let forward = fate.rng.chance(500);
    fate.struck(Fault::ServerClock);
    if forward {
        disk.cut_short.insert(disk.tables.lease.epoch);
        disk.server.ahead_ms += by;
    } else {
        disk.server.ahead_ms -= by;
    }
}
