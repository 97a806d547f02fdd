//! Who operates and administers in these tests, and a keeper that was stopped for them to act on.

use serde_json::{Value, json};
use tidelock_core::{
    event::{Command, Event, HaltReason, HoldReason, Mode},
    store::Store,
};
use tidelock_keeper::store::{LogStore, Reader};

use super::{
    api::Api,
    support::{self, History, Kind, payment},
};

/// The commands that the engine would take in. The store blocks.
pub async fn commands(api: &Api) -> Vec<Command> {
    let location = api.location.clone();
    let read = tokio::task::spawn_blocking(move || {
        let mut reader = Reader::open(location).unwrap();
        let commands = reader.commands_after(0).unwrap();
        reader.close().unwrap();
        commands
    });
    read.await.unwrap()
}

pub fn about(act: &str, index: u64) -> Value {
    json!({"act": act, "ref": payment(index).reference(), "reason": "a person called"})
}

/// Anna and Ben operate, Anna with two keys; Rose reads.
pub struct People {
    pub anna: String,
    pub anna_too: String,
    pub ben: String,
    pub rose: String,
    pub carl: String,
}

impl People {
    pub fn of(api: &Api) -> Self {
        Self {
            anna: api.key_of("Anna", "operate"),
            anna_too: api.key_of(" anna", "operate,administer"),
            ben: api.key_of("Ben", "operate"),
            rose: api.key_of("Rose", "read,request,audit"),
            carl: api.key_of("Carl", "administer"),
        }
    }
}

/// A server beside a log whose payment 1 is held, and which is halted. No engine takes commands in; the log goes on by hand.
pub fn stopped(kind: Kind) -> (Api, LogStore, History) {
    let mut history = None;
    let (mut api, store) = Api::set_up(kind, |location| {
        let mut store = support::create(location);
        let (mut log, first) = History::open(1);
        store.commit(&[first], &log.state.take_changes()).unwrap();
        let payments = log.accept(3);
        go_on(&mut store, &mut log, &payments);
        go_on(&mut store, &mut log, &held(HoldReason::AboveLimit));
        go_on(&mut store, &mut log, &halted("the node looks odd"));
        history = Some(log);
        store
    });
    api.start();
    (api, store, history.unwrap())
}

pub fn go_on(store: &mut LogStore, log: &mut History, event: &Event) {
    let entry = log.apply(event);
    store.commit(&[entry], &log.state.take_changes()).unwrap();
}

pub fn held(reason: HoldReason) -> Event {
    let refs = vec![payment(1).reference()];
    Event::Held { refs, reason }
}

pub fn halted(note: &str) -> Event {
    let note = note.to_owned();
    let reason = HaltReason::Operator { note };
    let mode = Mode::Halted { reason };
    Event::ModeChanged { mode }
}
