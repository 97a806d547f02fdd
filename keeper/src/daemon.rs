//! The loop: one thread owns the engine and the store; tasks ask chain and key. An answer is all that comes back from a
//! task, so nothing but this thread ever decides, and no task can delay another.

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{self, Receiver, RecvTimeoutError, Sender},
    },
    time::{Duration, Instant, SystemTime},
};

use tidelock_core::{
    engine::{Engine, EngineError, Status},
    port::{Effect, Key, Monotonic, Outcome},
    store::Store,
};
use tokio::runtime::Handle;
use tracing::debug;

use crate::{
    chain::Chain,
    signer::{Message, Signer},
    store::Leadership,
    witness::Witness,
};

/// Longest time between two turns while there is something to do.
const TICK: Duration = Duration::from_millis(20);
/// The same while there is nothing. What arrives meanwhile waits so long at most; answers do not wait.
const IDLE: Duration = Duration::from_millis(100);
/// Time between two reports.
const REPORT: Duration = Duration::from_millis(500);

/// Asks chain and key for what the engine wants to know.
#[derive(Clone)]
pub struct World {
    /// The chain.
    pub chain: Arc<dyn Chain>,
    /// The keeper's key.
    pub signer: Arc<dyn Signer>,
    /// Where tasks run.
    pub tasks: Handle,
    /// Whether this keeper may still sign and send.
    pub leadership: Leadership,
    /// Who hears what is done.
    pub witness: Option<Arc<dyn Witness>>,
}

impl World {
    fn start(&self, effect: Effect, answers: &Sender<(Key, Outcome)>) {
        let (world, key) = (self.clone(), effect.key());
        let answer = async move { world.answer(effect).await };
        ask(&self.tasks, key, answer, answers);
    }

    async fn answer(&self, effect: Effect) -> Outcome {
        let (key, asked) = (effect.key(), SystemTime::now());
        let outcome = self.ask(effect).await;
        if let Some(witness) = &self.witness {
            witness.answered(&key, asked, &outcome);
        }
        outcome
    }

    async fn ask(&self, effect: Effect) -> Outcome {
        if effect.is_act() && !self.leadership.holds() {
            return Outcome::Failed("this keeper leads no more".to_owned());
        }
        let Effect::Sign { preimage, .. } = effect else {
            return self.chain.answer(effect).await;
        };
        match self.signer.sign(&Message::new(preimage)).await {
            Ok(signature) => Outcome::Signed(signature),
            Err(error) => Outcome::Failed(error.to_string()),
        }
    }
}

/// Sends the answer once there is one.
pub(crate) fn ask(
    tasks: &Handle,
    key: Key,
    answer: impl Future<Output = Outcome> + Send + 'static,
    answers: &Sender<(Key, Outcome)>,
) {
    let answers = answers.clone();
    // In a task of its own: after a panic it is asked again, where else it would be waited for for ever.
    let asked = tasks.spawn(answer);
    tasks.spawn(async move {
        debug!(?key, "asked");
        let broken = |_| Outcome::Failed("the task that asked broke off".to_owned());
        let outcome = asked.await.unwrap_or_else(broken);
        if let Outcome::Failed(why) = &outcome {
            // What stays is told by whoever reports the status, once.
            debug!(?key, why, "no usable answer; it is asked again");
        }
        // Fails only when the engine has stopped, and nobody waits for answers any more.
        let _ = answers.send((key, outcome));
    });
}

/// Why the engine turns no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It was told to stop.
    Stopped,
    /// Its key was retired, and has nothing left to do.
    Drained,
    /// Its lease was not renewed in time: another keeper may lead.
    Lapsed,
}

/// Turns the engine until `stop` is set, between two commits, or until it must not go on.
pub fn run<S>(
    engine: &mut Engine<S>,
    world: &World,
    stop: &AtomicBool,
    report: impl FnMut(&Status),
) -> Result<(), EngineError<S::Error>>
where
    S: Store,
    S::Error: 'static,
{
    run_while_key_serves(engine, world, (stop, &AtomicBool::new(false)), report).map(|_| ())
}

/// The same, but retires the key once `retire` is set, and ends when that is done.
pub fn run_while_key_serves<S>(
    engine: &mut Engine<S>,
    world: &World,
    (stop, retire): (&AtomicBool, &AtomicBool),
    mut report: impl FnMut(&Status),
) -> Result<Ended, EngineError<S::Error>>
where
    S: Store,
    S::Error: 'static,
{
    let clock = Clock::start();
    let (sender, receiver) = mpsc::channel();
    let mut next_report = Instant::now();
    let mut tick = TICK;
    while !stop.load(Ordering::Relaxed) {
        if !world.leadership.holds() {
            return Ok(Ended::Lapsed);
        }
        let (answers, before) = (arrived(&receiver, tick), engine.head());
        let effects = engine.turn(answers, clock.now())?;
        let is_stored = engine.head() != before;
        if let Some(witness) = world.witness.as_ref().filter(|_| is_stored) {
            witness.stored(engine.head().seq);
        }
        let is_idle = effects.is_empty() && !is_stored;
        tick = if is_idle { IDLE } else { TICK };
        for effect in effects {
            world.start(effect, &sender);
        }
        if Instant::now() >= next_report {
            next_report = Instant::now().checked_add(REPORT).unwrap_or(next_report);
            report(&engine.status());
        }
        if retire.load(Ordering::Relaxed) {
            engine.retire_key();
        }
        if engine.is_drained() {
            return Ok(Ended::Drained);
        }
    }
    report(&engine.status());
    Ok(Ended::Stopped)
}

/// What has arrived, after waiting for one answer, or for a tick. At most one answer for each effect under way can come,
/// so the channel stays short.
pub(crate) fn arrived(receiver: &Receiver<(Key, Outcome)>, tick: Duration) -> Vec<(Key, Outcome)> {
    match receiver.recv_timeout(tick) {
        Ok(first) => std::iter::once(first).chain(receiver.try_iter()).collect(),
        Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => Vec::new(),
    }
}

/// Time since the start.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock(Instant);

impl Clock {
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn now(self) -> Monotonic {
        let elapsed = self.0.elapsed().as_millis();
        Monotonic(u64::try_from(elapsed).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use alloy::primitives::{Address, B256, Bytes};

    use super::*;
    use crate::{chain::Answer, signer::Signing};

    struct Broken;

    impl Chain for Broken {
        fn answer(&self, _: Effect) -> Answer<'_> {
            Box::pin(async { panic!("a library's mistake") })
        }
    }

    impl Signer for Broken {
        fn address(&self) -> Address {
            Address::ZERO
        }

        fn sign<'a>(&'a self, _: &'a Message) -> Signing<'a> {
            panic!("another one")
        }
    }

    #[test]
    fn a_task_that_panics_or_may_not_act_is_an_answer_that_did_not_come() {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let world = World {
            chain: Arc::new(Broken),
            signer: Arc::new(Broken),
            tasks: runtime.handle().clone(),
            leadership: Leadership::for_good(),
            witness: None,
        };
        let send = Effect::Send {
            hash: B256::ZERO,
            raw: Bytes::new(),
        };
        let sign = Effect::Sign {
            nonce: 7,
            digest: B256::ZERO,
            preimage: Bytes::new(),
        };
        let (sender, receiver) = mpsc::channel();
        let ask = |why: &str| {
            for effect in [send.clone(), sign.clone()] {
                let asked = effect.key();
                world.start(effect, &sender);
                let (key, outcome) = receiver.recv_timeout(Duration::from_secs(20)).unwrap();
                assert_eq!(key, asked);
                assert!(
                    matches!(&outcome, Outcome::Failed(said) if said.contains(why)),
                    "{outcome:?}"
                );
            }
        };
        ask("broke off");
        // Neither chain nor key is asked by a keeper that leads no more, whatever the database says.
        world.leadership.end();
        ask("leads no more");
    }
}
