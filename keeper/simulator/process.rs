//! The keeper's process: the production engine, what it has asked for, and its sudden deaths. Requests travel to the
//! world and answers back, each taking its time; a death loses answers, and not always what was on its way.

use alloy_sol_types::SolInterface;
use tidelock_core::{
    domain::BatchId,
    engine::{self, Engine},
    event::Mode,
    port::{Effect, Key, Monotonic, Outcome},
};

use crate::{
    fate::Fate,
    faults::Fault,
    past::Past,
    world::{
        World,
        store::{Ambush, Drive},
    },
};
use tidelock_model::abi::{self, unpack};

/// An effect on its way.
struct Flight {
    effect: Effect,
    arrives_ms: u64,
    answers_ms: u64,
    outcome: Option<Outcome>,
    /// Its process is dead; nobody waits for the answer.
    orphan: bool,
}

/// The keeper's process.
pub struct Process {
    drive: Drive,
    engine: Option<Engine<Drive>>,
    flights: Vec<Flight>,
    starts_ms: u64,
    /// What the process must never do, and did.
    pub wrong: Option<String>,
}

impl Process {
    /// A new log, and no process yet.
    pub fn new(mut drive: Drive, world: &World, past: &Past) -> Self {
        let opening = world.setting.opening(world.key.address(), past.start);
        let opened = engine::open(&mut drive, opening, past.events.clone());
        opened.expect("a new store takes a new log");
        Self {
            drive,
            engine: None,
            flights: Vec::new(),
            starts_ms: 0,
            wrong: None,
        }
    }

    /// Lets time pass up to now: what arrives arrives, what is answered is answered, and the engine takes a turn.
    pub fn step(&mut self, world: &mut World, now_ms: u64, fate: &mut Fate) {
        self.land(world, now_ms, fate);
        let answers = self.answers(now_ms);
        if self.engine.is_none() && now_ms >= self.starts_ms {
            self.start(world, now_ms, fate);
        }
        if self.engine.is_none() {
            return;
        }
        self.set_ambush(fate);
        let engine = self.engine.as_mut().expect("lives");
        match engine.turn(answers, Monotonic(now_ms)) {
            Ok(effects) => {
                self.check_told(fate);
                self.dispatch(effects, world, now_ms, fate);
            }
            Err(error) => {
                let sprung = self.drive.0.borrow_mut().sprung.take();
                match sprung {
                    Some(fault) => fate.struck(fault),
                    None => self.wrong = Some(format!("the engine stopped by itself: {error}")),
                }
                self.die(now_ms, fate);
            }
        }
    }

    /// What the keeper says that it waits for.
    pub fn waits(&self) -> String {
        match self.engine.as_ref().map(Engine::status) {
            None => "it does not run".to_owned(),
            Some(status) => format!(
                "is {:?}, waits for {:?}, says {:?}",
                status.mode, status.waits, status.failure
            ),
        }
    }

    fn start(&mut self, world: &World, now_ms: u64, fate: &mut Fate) {
        self.drive.0.borrow_mut().lean = fate.rng.chance(500);
        let settings = world.setting.settings();
        match Engine::start(self.drive.clone(), settings, Monotonic(now_ms)) {
            Ok(engine) => self.engine = Some(engine),
            Err(error) => self.wrong = Some(format!("the engine does not start: {error}")),
        }
        *fate.coverage.counts.entry("starts").or_default() += 1;
        fate.say(|| "keeper: starts".to_owned());
    }

    fn land(&mut self, world: &mut World, now_ms: u64, fate: &mut Fate) {
        self.flights.sort_by_key(|flight| flight.arrives_ms);
        for flight in &mut self.flights {
            if flight.outcome.is_none() && flight.arrives_ms <= now_ms {
                flight.outcome = Some(world.answer(&flight.effect, now_ms, fate));
            }
        }
        self.flights
            .retain(|flight| !(flight.orphan && flight.outcome.is_some()));
    }

    fn answers(&mut self, now_ms: u64) -> Vec<(Key, Outcome)> {
        let is_back = |flight: &Flight| flight.outcome.is_some() && flight.answers_ms <= now_ms;
        let (back, away) = std::mem::take(&mut self.flights)
            .into_iter()
            .partition(is_back);
        self.flights = away;
        let answer = |flight: Flight| (flight.effect.key(), flight.outcome.expect("is back"));
        Vec::into_iter(back).map(answer).collect()
    }

    fn set_ambush(&self, fate: &mut Fate) {
        let mut disk = self.drive.0.borrow_mut();
        if !fate.is_active() {
            disk.ambush = None;
        }
        if disk.ambush.is_some() {
            return;
        }
        let choices = [
            (Fault::CrashBeforeSigning, Some(true)),
            (Fault::CrashBeforeFsync, Some(false)),
            (Fault::CrashBeforeSend, Some(true)),
            (Fault::CrashMidReplacement, None),
            (Fault::CommitUnclear, None),
        ];
        for (fault, applied) in choices {
            if fate.strikes(fault) {
                let applied = applied.unwrap_or_else(|| fate.rng.chance(500));
                disk.ambush = Some(Ambush { fault, applied });
            }
        }
    }

    fn dispatch(&mut self, effects: Vec<Effect>, world: &World, now_ms: u64, fate: &mut Fate) {
        for effect in effects {
            if matches!(effect, Effect::Send { .. } | Effect::Sign { .. }) {
                self.check_may(&effect, world);
            }
            if matches!(effect, Effect::Send { .. }) && fate.strikes(Fault::CrashBeforeSend) {
                fate.struck(Fault::CrashBeforeSend);
                return self.die(now_ms, fate);
            }
            let key = effect.key();
            let away = (self.flights.iter()).any(|f| !f.orphan && f.effect.key() == key);
            if away {
                self.wrong = Some(format!("{key:?} was asked while it was under way"));
            }
            fate.say(|| told(&effect));
            let usual = world.setting.block_ms / 4;
            let longest = if fate.is_active() && fate.rng.chance(30) {
                world.setting.block_ms * 4
            } else {
                usual
            };
            let arrives_ms = now_ms + fate.rng.below(longest + 1);
            self.flights.push(Flight {
                answers_ms: arrives_ms + fate.rng.below(longest + 1),
                arrives_ms,
                outcome: None,
                orphan: false,
                effect,
            });
        }
    }

    /// Nothing is signed or sent while the log says that the keeper is halted; nothing is sent that is not durable, or that
    /// offers more than the operator allows.
    fn check_may(&mut self, effect: &Effect, world: &World) {
        let disk = self.drive.0.borrow();
        if matches!(disk.head().mode, Mode::Halted { .. }) {
            self.wrong = Some(format!("halted, and still: {}", told(effect)));
        }
        let Effect::Send { hash, .. } = effect else {
            return;
        };
        let most = world.setting.settings().fees;
        match disk.attempt(*hash).map(|attempt| attempt.fees) {
            None => self.wrong = Some(format!("{hash} is sent and not durable")),
            Some(fees) if fees.tip > most.max_tip || fees.max_fee > most.max_fee => {
                self.wrong = Some(format!("{hash} offers {fees:?}, beyond the caps"));
            }
            Some(_) => {}
        }
    }

    /// Signers are told of what would pay a second time, for as long as they may let it.
    fn check_told(&mut self, fate: &mut Fate) {
        let disk = self.drive.0.borrow();
        let mut repeating = disk.repeating().peekable();
        let Some(engine) = self.engine.as_ref().filter(|_| repeating.peek().is_some()) else {
            return;
        };
        *fate
            .coverage
            .counts
            .entry("looks at what would be paid twice")
            .or_default() += 1;
        let alerts = engine.status().alerts;
        let is_told = |id: &BatchId| {
            let id = id.to_string();
            alerts
                .iter()
                .any(|alert| alert.contains(&id) && alert.contains("again"))
        };
        if let Some(id) = repeating.find(|id| !is_told(id)) {
            self.wrong = Some(format!(
                "batch {id} would pay again what is paid, and nobody is told"
            ));
        }
    }

    fn die(&mut self, now_ms: u64, fate: &mut Fate) {
        fate.say(|| "keeper: dies".to_owned());
        *fate.coverage.counts.entry("deaths").or_default() += 1;
        self.engine = None;
        self.starts_ms = now_ms + fate.rng.below(30_000);
        for flight in &mut self.flights {
            flight.orphan = true;
        }
        let rng = &mut fate.rng;
        self.flights.retain(|flight| {
            let sends = matches!(flight.effect, Effect::Send { .. });
            sends && flight.outcome.is_none() && rng.chance(500)
        });
    }
}

fn told(effect: &Effect) -> String {
    match effect {
        Effect::Poll { tip } => format!("keeper: polls after {}", tip.number),
        Effect::Look { at, proposals } => {
            format!(
                "keeper: looks at {} ({} proposals)",
                at.number,
                proposals.len()
            )
        }
        Effect::Advise { at, payments } => {
            format!(
                "keeper: asks about {} payments at {}",
                payments.len(),
                at.number
            )
        }
        Effect::Simulate {
            at,
            data,
            gas_limit,
            ..
        } => {
            let call = call_in_words(data);
            format!(
                "keeper: simulates {call} at {} within {gas_limit} gas",
                at.number
            )
        }
        Effect::Replay { hash, .. } => format!("keeper: asks why {hash} reverted"),
        Effect::Recall { at, numbers, .. } => {
            let count = numbers.len();
            format!(
                "keeper: asks what became of {count} numbers at {}",
                at.number
            )
        }
        Effect::Sign { nonce, .. } => format!("keeper: signs for nonce {nonce}"),
        Effect::Send { hash, .. } => format!("keeper: sends {hash}"),
    }
}

fn numbers(order: &abi::Order, payments: &[u8]) -> String {
    format!("{} x {}", order.first_number(), unpack(payments).len())
}

fn call_in_words(data: &[u8]) -> String {
    match abi::VaultCalls::abi_decode(data) {
        Ok(abi::VaultCalls::pay(call)) => format!("pay {}", numbers(&call.order, &call.payments)),
        Ok(abi::VaultCalls::propose(call)) => {
            format!("propose {}", numbers(&call.order, &call.payments))
        }
        Ok(abi::VaultCalls::execute(call)) => {
            let (numbers, skip) = (numbers(&call.order, &call.payments), call.skipMask);
            format!("execute {numbers} but {skip:#b}")
        }
        _ => "a call of nothing it should call".to_owned(),
    }
}
