//! What is noted of a topic beside the log: how far it has come, what is tried again, and what is left out.

use std::time::{Duration, Instant};

use tidelock_store::{Advance, Delivery, Outbox, StoreError};
use tracing::warn;

use super::{
    super::client::Why,
    {NOTE, Work},
};
use crate::clock;

/// Of what a person has had sent again, so many are taken up at once.
const AGAIN: usize = 100;

impl Work<'_> {
    /// Notes it for people and for whoever takes over, and waits; the longer, the more often it failed.
    pub(super) async fn failed(&mut self, why: Why) -> Result<(), StoreError> {
        let now = clock::now_ms();
        let told = self.told.unwrap_or(self.turn.cursor);
        let after = told.seq.saturating_add(1)..;
        let mut after = after.filter(|seq| !self.left_out.contains(seq));
        let first = after.next().unwrap_or(told.seq);
        if self.tries == 0 {
            self.first_failed = now;
        }
        self.tries = self.tries.saturating_add(1);
        let wait = self.sink.waits.after(self.tries, None);
        let tries = self.tries;
        warn!(
            sink = self.sink.name,
            tries,
            why,
            again_in_ms = wait,
            "not taken"
        );
        self.shared.board.change(&self.sink.name, |figures| {
            figures.refused = figures.refused.saturating_add(1);
        });
        let kept = Delivery {
            seq: first,
            tries,
            first: self.first_failed,
            next: now.saturating_add(wait),
            why,
            dead: None,
        };
        if !self.kept.contains(&first) {
            self.kept.push(first);
        }
        self.commit(vec![kept], Vec::new()).await?;
        let end = Instant::now().checked_add(Duration::from_millis(wait));
        while let Some(left) = end.and_then(|end| end.checked_duration_since(Instant::now())) {
            if !self.shared.pause(left.min(NOTE)).await {
                return Ok(());
            }
            self.note().await?;
        }
        Ok(())
    }

    /// Notes how far the topic has come, if that is time, and renews the turn.
    pub(super) async fn note(&mut self) -> Result<(), StoreError> {
        if self.noted_at.is_some_and(|at| at.elapsed() < NOTE) && self.kept.is_empty() {
            return Ok(());
        }
        let taken = if self.tries == 0 && self.told.is_some() {
            std::mem::take(&mut self.kept)
        } else {
            Vec::new()
        };
        self.commit(Vec::new(), taken).await
    }

    pub(super) async fn commit(
        &mut self,
        kept: Vec<Delivery>,
        taken: Vec<u64>,
    ) -> Result<(), StoreError> {
        self.noted_at = Some(Instant::now());
        let told = self.told.filter(|told| told.seq > self.turn.cursor.seq);
        let progress = Advance {
            cursor: told,
            kept,
            taken,
        };
        let (turn, lease) = (self.turn.clone(), self.shared.lease);
        let note = move |outbox: &mut Outbox| {
            if progress != Advance::default() {
                outbox.commit(&turn, &progress)?;
            }
            if !outbox.renew(&turn, lease)? {
                return Err(StoreError::TurnLost { sink: turn.sink });
            }
            let again = outbox.revived(&turn, AGAIN)?;
            Ok((again, outbox.sink(&turn.sink)?))
        };
        let (again, view) = self.shared.outbox.ask(note).await?;
        // What the cursor has not passed yet is left out until it has: it would be told again from there.
        let passed = self.told.map_or(0, |told| told.seq);
        let again = again.iter().map(|kept| kept.seq);
        self.again = again.filter(|seq| *seq <= passed).collect();
        self.turn.cursor = told.unwrap_or(self.turn.cursor);
        self.end = self.shared.log.end().await?;
        let now = Instant::now();
        self.ends.saw(self.end, now);
        // What nobody is to be told of does not count as behind.
        let age = self.ends.age_after(self.read, self.end, now);
        let (end, read) = (self.end, self.read);
        self.shared.board.change(&self.sink.name, |figures| {
            figures.lag_entries = end.saturating_sub(read);
            figures.lag_seconds = age;
            figures.retrying = view.as_ref().map_or(0, |view| view.waiting);
            figures.dead = view.as_ref().map_or(0, |view| view.dead);
        });
        Ok(())
    }

    /// An entry is too large for its topic: it is kept for a person, and the others go on.
    pub(super) async fn leave_out(&mut self, seq: u64, why: Why) -> Result<(), StoreError> {
        warn!(
            sink = self.sink.name,
            seq, why, "left out; `keeper publish dead` lists it"
        );
        self.shared.board.change(&self.sink.name, |figures| {
            figures.refused = figures.refused.saturating_add(1);
        });
        let now = clock::now_ms();
        let kept = Delivery {
            seq,
            tries: 1,
            first: now,
            next: now,
            why,
            dead: Some(now),
        };
        self.left_out.insert(seq);
        self.kept.retain(|other| *other != seq);
        // Before the cursor passes it: it is never left out without that being known.
        self.commit(vec![kept], Vec::new()).await
    }
}
