//! Taking and renewing the lease, as the daemon does.

use std::rc::Rc;

use super::{
    Host, Tenure,
    errand::{Errand, Said},
};
use crate::{
    fate::Fate,
    faults::Fault,
    world::{lease::Taking, writer::Writer},
};

impl Host {
    /// What it asks of the lease, when it is time.
    pub(super) fn ask(&mut self, now_ms: u64, fate: &mut Fate) {
        let Some(term) = self.term else { return };
        if self.errand.is_some() || now_ms < self.next_errand_ms {
            return;
        }
        let epoch = self.tenure.map(|tenure| tenure.epoch);
        if epoch.is_some() && fate.strikes(Fault::LeaseLost) && fate.rng.chance(500) {
            fate.struck(Fault::LeaseLost);
            self.cut_off_until_ms = now_ms + fate.rng.between(term.0 / 2, term.0 * 2);
            fate.say(|| format!("{}: is cut off", self.name));
        }
        let asked = self.clock.at(now_ms);
        self.errand = Some(Errand::new(epoch, asked, term, now_ms, fate));
    }

    /// Errands reach the server, whatever became of the process.
    pub(super) fn run_errands(&mut self, now_ms: u64, fate: &mut Fate) {
        let Some(term) = self.term else { return };
        let is_cut_off = now_ms < self.cut_off_until_ms;
        let mut disk = self.drive.0.borrow_mut();
        for errand in self.errand.iter_mut().chain(&mut self.strays) {
            errand.run(&mut disk, term, (now_ms, is_cut_off), fate);
        }
        self.strays.retain(Errand::is_away);
    }

    /// What came back.
    pub(super) fn hear(&mut self, now_ms: u64, fate: &mut Fate) {
        let Some(term) = self.term else { return };
        let at = self.clock.at(now_ms);
        let Some(errand) = self
            .errand
            .take_if(|errand| errand.is_over(at, term, now_ms))
        else {
            return;
        };
        let (asked, said) = (errand.asked, errand.said(now_ms));
        let look = term.0 / 10;
        self.strays.push(errand);
        match said {
            Some(Said::Taking(Taking::Taken(epoch))) => {
                let until = term.acts_until(asked);
                self.tenure = Some(Tenure { epoch, until });
                self.next_errand_ms = now_ms + term.renewal();
                fate.count("leases taken");
                fate.say(|| format!("{}: leads in epoch {epoch}", self.name));
            }
            Some(Said::Taking(Taking::Led)) => {
                self.next_errand_ms = now_ms + look;
                self.follow(now_ms, fate);
            }
            Some(Said::Taking(Taking::Promoted)) => {
                fate.say(|| format!("{}: refuses a promoted server", self.name));
                fate.struck(Fault::OldBackup);
                self.next_errand_ms = now_ms + term.0;
            }
            Some(Said::Renewed(true)) => {
                self.next_errand_ms = now_ms + term.renewal();
                if let Some(tenure) = &mut self.tenure {
                    tenure.until = term.acts_until(asked);
                }
            }
            Some(Said::Renewed(false)) => self.stand_by(now_ms, fate),
            None if self.tenure.is_some() => self.next_errand_ms = now_ms + term.renewal(),
            None => self.next_errand_ms = now_ms + look,
        }
    }

    /// Notes what the leader has committed, so that an old copy is known here too.
    pub(super) fn follow(&mut self, now_ms: u64, fate: &mut Fate) {
        let (drive, files) = (self.drive.clone(), Rc::clone(&self.files));
        match Writer::open(drive, files, self.epoch()) {
            Ok(_) => {}
            Err(failure) => self.fail(failure, now_ms, fate),
        }
    }
}
