//! The host's clock: waits last longer than a process does.

use std::time::{SystemTime, UNIX_EPOCH};

/// [milliseconds since 1970]
pub(crate) fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let since = since.unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
