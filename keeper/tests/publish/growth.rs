//! A log that goes on growing while it is told, so that whatever is killed is killed at its work.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use tidelock_core::store::Store;
use tidelock_keeper::store::LogStore;

use super::{
    publisher::Publisher,
    support::{self, History, Kind},
};

/// Between two commits, of one entry each.
const PAUSE: Duration = Duration::from_millis(10);
/// The same once there are many: on a slow machine there would be ever more to tell.
const LONG_PAUSE: Duration = Duration::from_millis(250);
const MANY: u64 = 1_500;

pub struct Growth {
    stop: Arc<AtomicBool>,
    grows: JoinHandle<(LogStore, History)>,
}

impl Growth {
    /// An installation whose log grows from now on.
    pub fn set_up(kind: Kind) -> (Publisher, Self) {
        let publisher = Publisher::set_up(kind);
        let mut store = LogStore::open(publisher.location.clone()).unwrap();
        let history = support::resumed(&mut store);
        let growth = Self::of(store, history);
        (publisher, growth)
    }

    fn of(mut store: LogStore, mut history: History) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let asked = Arc::clone(&stop);
        let grows = thread::spawn(move || {
            while !asked.load(Ordering::Relaxed) {
                append(&mut store, &mut history, 1);
                let is_long = history.head.seq > MANY;
                thread::sleep(if is_long { LONG_PAUSE } else { PAUSE });
            }
            (store, history)
        });
        Self { stop, grows }
    }

    /// It grows no more.
    pub fn end(self) {
        self.stop.store(true, Ordering::Relaxed);
        let (store, _) = self.grows.join().unwrap();
        store.close().unwrap();
    }
}

/// So many entries more.
pub fn append(store: &mut LogStore, history: &mut History, entries: u64) {
    for _ in 0..entries {
        let entry = history.step();
        store
            .commit(&[entry], &history.state.take_changes())
            .unwrap();
    }
}
