//! A few threads that read the store: its calls block, and a runtime's threads must not.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
};

use tidelock_store::{Location, Reader, StoreError};
use tokio::sync::oneshot;

use crate::problem::Problem;

/// Threads, each with a connection.
const THREADS: usize = 4;
/// Questions that wait; more are refused at once.
const WAITING: usize = 1_024;

type Question = Box<dyn FnOnce(&mut Option<Reader>, &Location) + Send>;

/// Asks the store. The threads end once nobody can ask any more.
#[derive(Clone)]
pub(crate) struct Readers {
    questions: SyncSender<Question>,
}

impl Readers {
    pub fn start(location: &Location) -> std::io::Result<Self> {
        let (questions, receiver) = sync_channel(WAITING);
        let receiver = Arc::new(Mutex::new(receiver));
        for _ in 0..THREADS {
            let (receiver, location) = (Arc::clone(&receiver), location.clone());
            let name = "api reader".to_owned();
            thread::Builder::new()
                .name(name)
                .spawn(move || work(&receiver, &location))?;
        }
        Ok(Self { questions })
    }

    /// Asks one question.
    pub async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut Reader) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, Problem> {
        let (answer, answered) = oneshot::channel();
        let question: Question = Box::new(move |reader, location| {
            // Nobody may be left to hear it.
            let _ = answer.send(with(reader, location, question));
        });
        let busy = || Problem::unavailable("too many questions wait for the store; ask again");
        self.questions.try_send(question).map_err(|_| busy())?;
        let answered = answered.await.map_err(|_| Problem::internal())?;
        Ok(answered?)
    }
}

fn work(questions: &Mutex<Receiver<Question>>, location: &Location) {
    let mut reader = None;
    loop {
        let next = questions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .recv();
        let Ok(question) = next else { return };
        question(&mut reader, location);
    }
}

/// Opens the store if it is not open. After an error it is opened anew the next time.
pub(crate) fn with<T>(
    slot: &mut Option<Reader>,
    location: &Location,
    question: impl FnOnce(&mut Reader) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let mut reader = match slot.take() {
        Some(reader) => reader,
        None => Reader::open_present(location)?,
    };
    let answer = question(&mut reader)?;
    *slot = Some(reader);
    Ok(answer)
}
