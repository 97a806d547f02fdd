//! The end of the log, followed by one thread for all who look on. Each event is put into words and bytes once, and kept in a ring of a
//! fixed length: who falls behind it is cut off, and goes on from where it was.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use tidelock_store::{Location, Reader, StoreError};
use tokio::sync::broadcast;
use tracing::warn;

use crate::{line::Line, readers::with, told::Told};

/// Events that the ring holds.
const RING: usize = 4_096;
/// Between two looks at the log's end.
const LOOK: Duration = Duration::from_millis(20);
/// After the store failed.
const PAUSE: Duration = Duration::from_secs(1);
/// Entries that are read at once.
const AT_ONCE: u32 = 500;

/// Tells what is written to the log from now on.
pub(crate) struct Tail {
    ring: broadcast::Sender<Line>,
    ends: Arc<AtomicBool>,
}

impl Tail {
    pub fn start(location: Location) -> std::io::Result<(Self, thread::JoinHandle<()>)> {
        let (ring, _) = broadcast::channel(RING);
        let ends = Arc::new(AtomicBool::new(false));
        let (to, is_over) = (ring.clone(), Arc::clone(&ends));
        let thread = thread::Builder::new().name("api tail".to_owned());
        let thread = thread.spawn(move || follow(&location, &to, &is_over))?;
        Ok((Self { ring, ends }, thread))
    }

    /// What is written from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<Line> {
        self.ring.subscribe()
    }

    /// Asks the thread to end.
    pub fn end(&self) {
        self.ends.store(true, Ordering::Relaxed);
    }
}

fn follow(location: &Location, ring: &broadcast::Sender<Line>, is_over: &AtomicBool) {
    let mut reader: Option<Reader> = None;
    let mut last = None;
    while !is_over.load(Ordering::Relaxed) {
        match with(&mut reader, location, |reader| read(reader, &mut last)) {
            Ok(told) if told.is_empty() => thread::sleep(LOOK),
            Ok(told) => {
                for event in &told {
                    // Nobody may be looking.
                    let _ = ring.send(Line::of(event));
                }
            }
            Err(error) => {
                warn!(%error, "the log cannot be followed");
                thread::sleep(PAUSE);
            }
        }
    }
}

/// What follows; begins with the log's end.
fn read(reader: &mut Reader, last: &mut Option<u64>) -> Result<Vec<Told>, StoreError> {
    let end = reader.end()?;
    let after = *last.get_or_insert(end);
    if end <= after {
        return Ok(Vec::new());
    }
    let told = Told::after(reader, after, AT_ONCE)?;
    if let Some(event) = told.last() {
        *last = Some(event.sequence);
    }
    Ok(told)
}
