//! Ports of this host for programs that must be told theirs, and bind it later or again.

use std::{
    env,
    fs::{self, File},
    net::TcpListener,
    process,
};

/// Below those that systems give out to whoever asks for any (from 32768 on, in some sandboxes from 16000), so that nobody else gets one by
/// accident; above those that browsers refuse.
const PORTS: std::ops::Range<u16> = 7_000..15_000;

/// A port that no other test gets while this is there, whether or not anybody listens, and maybe those that follow it.
#[derive(Debug)]
pub struct Port {
    number: u16,
    /// Their locks are the claims.
    _claims: Vec<File>,
}

impl Port {
    pub fn claim() -> Self {
        Self::claim_row(1)
    }

    /// So many that follow each other.
    pub fn claim_row(count: u16) -> Self {
        let claims = env::temp_dir().join("tidelock-ports");
        fs::create_dir_all(&claims).unwrap();
        // Processes begin apart, so that they seldom try the same.
        let apart = process::id().wrapping_mul(97) % u32::from(PORTS.end - PORTS.start);
        let first = PORTS.start + u16::try_from(apart).unwrap();
        let claim = |number: u16| {
            let path = claims.join(number.to_string());
            let claim = File::options().create(true).append(true).open(path).ok()?;
            let is_ours = claim.try_lock().is_ok();
            (is_ours && TcpListener::bind(("127.0.0.1", number)).is_ok()).then_some(claim)
        };
        for number in (first..PORTS.end).chain(PORTS.start..first) {
            if let Some(claims) = (number..number + count).map(claim).collect() {
                return Self {
                    number,
                    _claims: claims,
                };
            }
        }
        panic!("no port of {PORTS:?} is free");
    }

    pub fn number(&self) -> u16 {
        self.number
    }
}
