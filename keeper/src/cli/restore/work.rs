//! Halt, file, hold: in that order, each step answered by the running keeper before the next one begins, so that nothing of a
//! backup is paid before an operator has looked.

use std::{
    thread,
    time::{Duration, Instant},
};

use tidelock_core::{
    domain::Payment,
    event::{Command, HaltReason, Mode},
    log::LogHead,
    state::HeadRow,
};

use super::{
    super::command,
    plan::{PIECE, Plan},
};
use crate::{
    exit::{ExitStatus, Failure},
    store::{BETWEEN_PIECES, Desk, Filing, Reader},
};

/// What was done.
#[derive(Debug, Default)]
pub(super) struct Done {
    /// Requests that were filed.
    pub filed: u64,
    /// Payments that are held as an operator had them.
    pub held: u64,
    /// Payments that are withdrawn as they were before.
    pub withdrawn: u64,
    /// Why the keeper refused to hold or withdraw others.
    pub refused: Vec<String>,
}

/// The store here, while its keeper runs.
pub(super) struct Work {
    here: Reader,
    desk: Desk,
    patience: Duration,
}

impl Work {
    /// `wait` is how long the keeper may take to get on. [seconds]
    pub fn new(here: Reader, desk: Desk, wait: u64) -> Self {
        Self {
            here,
            desk,
            patience: Duration::from_secs(wait),
        }
    }

    /// Does what is planned. What breaks off is ended by doing it again.
    pub fn does(mut self, plan: &Plan, backup: &LogHead) -> Result<Done, Failure> {
        self.halt(backup)?;
        let mut done = Done::default();
        let last = self.file(&plan.fresh, &mut done)?;
        self.until("takes requests in", last, |head| head.arrivals)?;
        self.withdraw(plan, &mut done)?;
        self.hold(plan, &mut done)?;
        self.here.close()?;
        self.desk.close()?;
        Ok(done)
    }

    /// So that it stays halted until an operator resumes, whatever it waits for now.
    fn halt(&mut self, backup: &LogHead) -> Result<(), Failure> {
        let (log, head) = self.log()?;
        if waits_for_a_person(&head) {
            return Ok(());
        }
        let note = format!(
            "restored from a backup that ends at entry {}: look at what was restored, then resume",
            backup.seq
        );
        let arrival = self.desk.command(&Command::Halt { note })?;
        let answer = command::wait(&mut self.here, log.seq, arrival, self.patience)?;
        let (_, head) = self.log()?;
        if waits_for_a_person(&head) {
            return Ok(());
        }
        Err(match answer.and_then(|answer| answer.refused) {
            Some(why) => Failure::new(
                ExitStatus::Refused,
                format!("the keeper refuses to halt: {why}; nothing was filed"),
            ),
            None => self.too_slow("halts"),
        })
    }

    /// Answers the last arrival.
    fn file(&mut self, payments: &[Payment], done: &mut Done) -> Result<u64, Failure> {
        let decimals = self.desk.identity().decimals;
        let mut last = 0;
        for piece in payments.chunks(PIECE) {
            match self.desk.file(piece)? {
                Filing::Filed(filed) => {
                    let new = filed.iter().filter(|filed| !filed.known).count();
                    done.filed = done.filed.saturating_add(u64::try_from(new).unwrap_or(0));
                    last = filed.iter().map(|filed| filed.arrival).fold(last, u64::max);
                }
                Filing::Refused(taken) => {
                    let words: Vec<String> =
                        taken.iter().map(|taken| taken.describe(decimals)).collect();
                    return Err(Failure::new(
                        ExitStatus::Refused,
                        format!(
                            "{} requests were filed; somebody used a ref meanwhile: {}; do it again",
                            done.filed,
                            words.join("\n")
                        ),
                    ));
                }
            }
            thread::sleep(BETWEEN_PIECES);
        }
        Ok(last)
    }

    fn withdraw(&mut self, plan: &Plan, done: &mut Done) -> Result<(), Failure> {
        let commands = plan.withdrawn.iter().map(|reference| Command::Cancel {
            reference: *reference,
            note: "withdrawn before the backup was made".to_owned(),
        });
        let refused = self.tell("withdraws", commands, &mut done.withdrawn)?;
        done.refused.extend(refused);
        Ok(())
    }

    fn hold(&mut self, plan: &Plan, done: &mut Done) -> Result<(), Failure> {
        let commands = plan.holds.iter().map(|(reference, note)| Command::Hold {
            reference: *reference,
            note: note.clone(),
        });
        let refused = self.tell("holds", commands, &mut done.held)?;
        done.refused.extend(refused);
        Ok(())
    }

    /// Hands commands in and waits for their answers: counts those that were done, and says why others were refused.
    fn tell(
        &mut self,
        what: &str,
        commands: impl Iterator<Item = Command>,
        count: &mut u64,
    ) -> Result<Vec<String>, Failure> {
        let (log, _) = self.log()?;
        let mut arrivals = Vec::new();
        for command in commands {
            arrivals.push(self.desk.command(&command)?);
        }
        let last = arrivals.last().copied().unwrap_or(0);
        self.until(what, last, |head| head.commands)?;
        let (mut answers, mut refused) = (self.here.answers(log.seq)?, Vec::new());
        for arrival in arrivals {
            let Some(answer) = answers.remove(&arrival) else {
                return Err(self.too_slow(what));
            };
            match answer.refused {
                None => *count = count.saturating_add(1),
                Some(why) => refused.push(why),
            }
        }
        Ok(refused)
    }

    /// Waits until the keeper has come as far as `last`. Longer than patience goes only while it gets on.
    fn until(
        &mut self,
        what: &str,
        last: u64,
        how_far: impl Fn(&HeadRow) -> u64,
    ) -> Result<(), Failure> {
        let (mut since, mut before) = (Instant::now(), 0);
        loop {
            let (_, head) = self.log()?;
            let now = how_far(&head);
            if now >= last {
                return Ok(());
            }
            if now > before {
                (since, before) = (Instant::now(), now);
            }
            if since.elapsed() >= self.patience {
                return Err(self.too_slow(what));
            }
            thread::sleep(command::PAUSE);
        }
    }

    fn log(&mut self) -> Result<(LogHead, HeadRow), Failure> {
        self.here.overview()?.log.ok_or_else(|| {
            Failure::new(
                ExitStatus::Store,
                "store: its log is gone; nothing more was done",
            )
        })
    }

    fn too_slow(&self, what: &str) -> Failure {
        let waited = self.patience.as_secs();
        Failure::new(
            ExitStatus::Failed,
            format!(
                "the running keeper has not answered within {waited} s (it {what} then); do the same again, nothing is done twice"
            ),
        )
    }
}

/// Halted for a reason that only an operator's word ends.
fn waits_for_a_person(head: &HeadRow) -> bool {
    match &head.mode {
        Mode::Armed => false,
        Mode::Halted { reason } => !matches!(reason, HaltReason::Restored { .. }),
    }
}
