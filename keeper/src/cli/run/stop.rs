//! The wish to end, heeded between two commits and while waiting, for a password and a token too.

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::{
    runtime::Runtime,
    signal::unix::{SignalKind, signal},
    sync::Notify,
};

use crate::{
    exit::{ExitStatus, Failure},
    operations::Service,
};

/// Said by SIGTERM or SIGINT.
#[derive(Debug, Clone, Default)]
pub(in crate::cli) struct Stop {
    is_asked: Arc<AtomicBool>,
    asked: Arc<Notify>,
}

/// It was asked to end before it had begun.
#[derive(Debug, thiserror::Error)]
#[error("stopped before it had begun")]
pub(in crate::cli) struct Stopped;

impl Stop {
    pub fn on_signal(runtime: &Runtime) -> Result<Self, Failure> {
        let stop = Self::default();
        let _guard = runtime.enter();
        for kind in [SignalKind::terminate(), SignalKind::interrupt()] {
            let signals = signal(kind).map_err(|error| Failure::of(ExitStatus::Failed, error));
            let (stop, mut signals) = (stop.clone(), signals?);
            runtime.spawn(async move {
                signals.recv().await;
                Service.ends();
                stop.ask();
            });
        }
        Ok(stop)
    }

    /// The same as a signal.
    pub fn ask(&self) {
        self.is_asked.store(true, Ordering::Relaxed);
        self.asked.notify_waiters();
    }

    pub fn is_asked(&self) -> bool {
        self.is_asked.load(Ordering::Relaxed)
    }

    /// For whoever looks at it now and then.
    pub fn flag(&self) -> &AtomicBool {
        &self.is_asked
    }

    /// Does it, unless it is asked to end first.
    pub async fn or<T>(&self, work: impl Future<Output = T>) -> Result<T, Stopped> {
        let asked = self.asked.notified(); // from here on nothing is missed
        if self.is_asked() {
            return Err(Stopped);
        }
        tokio::select! {
            done = work => Ok(done),
            () = asked => Err(Stopped),
        }
    }
}

impl From<Stopped> for Failure {
    fn from(stopped: Stopped) -> Self {
        Self::of(ExitStatus::Done, stopped)
    }
}
