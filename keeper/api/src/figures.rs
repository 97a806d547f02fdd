//! How the server is doing, for whoever watches.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// What is open now, and who was cut off since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Figures {
    /// Connections.
    pub connections: u64,
    /// Readers of events by Server-Sent Events.
    pub streams: u64,
    /// Readers of events by WebSocket.
    pub sockets: u64,
    /// Connections that were ended because the other side took nothing in time.
    pub stalled: u64,
    /// Readers of events that fell too far behind the log's end.
    pub behind: u64,
}

/// All of them, counted where they happen.
#[derive(Debug, Clone, Default)]
pub struct Board(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    connections: AtomicU64,
    streams: AtomicU64,
    sockets: AtomicU64,
    stalled: AtomicU64,
    behind: AtomicU64,
}

/// What is counted while it is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Connection,
    Stream,
    Socket,
}

/// Counts as open until it is dropped.
#[derive(Debug)]
pub(crate) struct Open {
    board: Board,
    kind: Kind,
}

impl Board {
    /// What is known now.
    pub fn read(&self) -> Figures {
        let Counts {
            connections,
            streams,
            sockets,
            stalled,
            behind,
        } = &*self.0;
        Figures {
            connections: connections.load(Ordering::Relaxed),
            streams: streams.load(Ordering::Relaxed),
            sockets: sockets.load(Ordering::Relaxed),
            stalled: stalled.load(Ordering::Relaxed),
            behind: behind.load(Ordering::Relaxed),
        }
    }

    pub(crate) fn open(&self, kind: Kind) -> Open {
        self.of(kind).fetch_add(1, Ordering::Relaxed);
        Open {
            board: self.clone(),
            kind,
        }
    }

    pub(crate) fn stalled(&self) {
        self.0.stalled.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn behind(&self) {
        self.0.behind.fetch_add(1, Ordering::Relaxed);
    }

    fn of(&self, kind: Kind) -> &AtomicU64 {
        match kind {
            Kind::Connection => &self.0.connections,
            Kind::Stream => &self.0.streams,
            Kind::Socket => &self.0.sockets,
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.board.of(self.kind).fetch_sub(1, Ordering::Relaxed);
    }
}
