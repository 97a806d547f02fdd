//! What systemd is told of the keeper: that it has started, that it lives, what it is about and that it ends. Without systemd nobody
//! listens, and nothing is said.

use sd_notify::NotifyState;
use tracing::debug;

/// Whoever started the keeper as a service.
#[derive(Debug, Clone, Copy, Default)]
pub struct Service;

impl Service {
    /// The engine turns, or this keeper stands by. What the watchdog waits for comes from here, so that a keeper that hangs is started anew.
    pub fn turns(self, words: &str) {
        let states = [
            NotifyState::Ready,
            NotifyState::Watchdog,
            NotifyState::Status(words),
        ];
        tell(&states);
    }

    /// It lives, and waits for something.
    pub fn waits(self, words: &str) {
        tell(&[NotifyState::Watchdog, NotifyState::Status(words)]);
    }

    /// It was asked to end, and will.
    pub fn ends(self) {
        tell(&[NotifyState::Stopping]);
    }
}

/// Nothing depends on whether it is heard.
fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        debug!(%error, "the service manager was not told");
    }
}
