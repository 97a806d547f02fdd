//! An event as it is sent, in bytes that are written once however many it is sent to.

use axum::{body::Bytes, extract::ws::Utf8Bytes};

use crate::told::Told;

/// What keeps a stream of events alive on which nothing happens: a comment.
pub(crate) const ALIVE: Bytes = Bytes::from_static(b":\n\n");

/// One event; a copy shares its bytes.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    /// The entry of the log.
    pub sequence: u64,
    /// As a stream of Server-Sent Events has it, with the empty line after it.
    pub event: Bytes,
    /// As JSON, for a message of a socket: a part of the same bytes.
    pub message: Utf8Bytes,
}

impl Line {
    pub fn of(told: &Told) -> Self {
        // Of texts and numbers alone, which JSON always has a form for.
        let json = serde_json::to_string(&told.event).unwrap_or_default();
        let Told { sequence, kind, .. } = told;
        let before = format!("id: {sequence}\nevent: {}\ndata: ", kind.word());
        let event = Bytes::from(format!("{before}{json}\n\n"));
        let end = before.len().saturating_add(json.len());
        let message = Utf8Bytes::try_from(event.slice(before.len()..end));
        Self {
            sequence: *sequence,
            // It is a text between two texts.
            message: message.unwrap_or_default(),
            event,
        }
    }
}
