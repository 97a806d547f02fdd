//! Ports of this host for programs that must be told theirs, and bind it later or again.

use std::{
    env,
    fs::{self, File},
    net::TcpListener,
    process,
};

/// Below those that systems give out to whoever asks for any (from 32768 on, in some sandboxes from 16000), so that nobody else gets one by
/// accident; above those that browsers refuse. Brokers have those from 10000 on.
const PORTS: std::ops::Range<u16> = 7_000..10_000;

/// A port that no other test gets while this is there, whether or not anybody listens.
#[derive(Debug)]
pub struct Port {
    number: u16,
    /// The lock is the claim.
    _claim: File,
}

impl Port {
    pub fn claim() -> Self {
        let claims = env::temp_dir().join("tidelock-ports");
        fs::create_dir_all(&claims).unwrap();
        // Processes begin apart, so that they seldom try the same.
        let apart = process::id().wrapping_mul(97) % u32::from(PORTS.end - PORTS.start);
        let first = PORTS.start + u16::try_from(apart).unwrap();
        for number in (first..PORTS.end).chain(PORTS.start..first) {
            let path = claims.join(number.to_string());
            let claim = File::options().create(true).append(true).open(path);
            let Ok(claim) = claim else { continue };
            let is_ours = claim.try_lock().is_ok();
            if is_ours && TcpListener::bind(("127.0.0.1", number)).is_ok() {
                return Self {
                    number,
                    _claim: claim,
                };
            }
        }
        panic!("no port of {PORTS:?} is free");
    }

    pub fn number(&self) -> u16 {
        self.number
    }
}
