//! The terminal that a password is typed at: whoever asks for one stops it from showing what is typed, and may be ended meanwhile.

use std::fs::File;

use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};

/// Puts the terminal back as it was, when dropped.
pub(super) struct Terminal(Option<(File, Termios)>);

impl Terminal {
    /// Remembers how it is. Without a terminal there is nothing to remember.
    pub fn save() -> Self {
        let terminal = File::options().read(true).write(true).open("/dev/tty").ok();
        Self(terminal.and_then(|terminal| {
            let state = tcgetattr(&terminal).ok()?;
            Some((terminal, state))
        }))
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if let Some((terminal, state)) = &self.0 {
            // A terminal that is gone needs nothing.
            let _ = tcsetattr(terminal, OptionalActions::Now, state);
        }
    }
}
