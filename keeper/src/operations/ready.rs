use tidelock_core::event::Mode;

use super::{
    pulse::{STALE, Said},
    snapshot::Snapshot,
};
use crate::cli::words;

/// What is not as it must be, in words; none if the keeper lives. A keeper that waits for something, and says so, lives.
pub(super) fn ill(said: &Said) -> Option<String> {
    let beat = said.beat.as_ref()?;
    let silent = beat.at.elapsed();
    let waits = said
        .wait
        .as_ref()
        .is_some_and(|(at, _)| at.elapsed() <= STALE);
    (silent > STALE && !waits).then(|| {
        format!(
            "engine: no sign of life for {} s; it says something twice a second",
            silent.as_secs()
        )
    })
}

/// Each component that keeps the keeper from paying, and why; none if it is ready. What the vault, its signers or its caps make
/// payments wait for is no fault of the keeper.
pub(super) fn unready(snapshot: &Snapshot) -> Vec<String> {
    let mut unready: Vec<String> = ill(&snapshot.said).into_iter().collect();
    if let Err(why) = &snapshot.stored {
        unready.push(format!("store: {why}"));
    }
    let wait = snapshot.said.wait.as_ref();
    unready.extend(wait.map(|(_, wait)| format!("waits: {wait}")));
    let Some(beat) = snapshot.beat() else {
        if wait.is_none() {
            unready.push("engine: it has not begun to turn".to_owned());
        }
        return unready;
    };
    let status = &beat.status;
    if let Mode::Halted { reason } = &status.mode {
        unready.push(format!("mode: halted: {}", words::halt(reason)));
    }
    if let Some(failure) = &status.failure {
        unready.push(format!("chain: {failure}"));
    }
    unready.extend(beat.laggard.as_ref().map(|who| format!("chain: {who}")));
    let lacks_role = status.figures.vault.as_ref().is_some_and(|vault| {
        let now = status.tip.time.seconds();
        now >= vault.keeper_until
    });
    if lacks_role {
        unready.push("key: it is no keeper of the vault".to_owned());
    }
    let unsigned = status.figures.unsigned.as_ref();
    unready.extend(unsigned.map(|why| format!("key: it has not signed: {why}")));
    unready
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn a_keeper_that_waits_lives_as_long_as_it_says_so() {
        let now = Instant::now();
        let ago = |seconds| now.checked_sub(Duration::from_secs(seconds)).unwrap();
        let beat = |at| Some(super::super::pulse::tests::beat(at));
        let wait = |at| Some((at, "the store is held".to_owned()));
        for (beat, wait, lives) in [
            (None, None, true), // it starts
            (beat(now), None, true),
            (beat(ago(60)), None, false),
            (beat(ago(60)), wait(now), true),
            (beat(ago(60)), wait(ago(60)), false),
        ] {
            let said = Said { beat, wait };
            assert_eq!(ill(&said).is_none(), lives, "{said:?}");
        }
    }
}
