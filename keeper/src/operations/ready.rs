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
    unready.extend(unready_by(&snapshot.said));
    unready
}

/// The same, of what the keeper said itself.
fn unready_by(said: &Said) -> Vec<String> {
    let mut unready = Vec::new();
    let wait = said.wait.as_ref();
    unready.extend(wait.map(|(_, wait)| format!("waits: {wait}")));
    let Some(beat) = said.beat.as_ref() else {
        if wait.is_none() {
            unready.push("engine: it has not begun to turn".to_owned());
        }
        return unready;
    };
    let status = &beat.status;
    if beat.observes {
        unready.push("mode: it only observes, and sends nothing".to_owned());
    }
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

    use super::{super::pulse::Beat, *};

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
            (None, wait(ago(60)), true), // its engine has ended, and it waits between two tries
        ] {
            let said = Said { beat, wait };
            assert_eq!(ill(&said).is_none(), lives, "{said:?}");
        }
    }

    #[test]
    fn an_engine_that_has_ended_does_not_hang() {
        let pulse = super::super::Pulse::default();
        let beat = super::super::pulse::tests::beat(Instant::now());
        pulse.beat(&beat.status, false, (Vec::new(), 0, None));
        assert!(pulse.said().beat.is_some());
        pulse.ends();
        pulse.waits("the chain");
        let said = pulse.said();
        assert!(said.beat.is_none() && said.wait.is_some(), "{said:?}");
    }

    #[test]
    fn one_that_only_observes_is_not_ready_to_pay() {
        let beat = super::super::pulse::tests::beat(Instant::now());
        for observes in [true, false] {
            let said = Said {
                beat: Some(Beat {
                    observes,
                    ..beat.clone()
                }),
                wait: None,
            };
            let unready = unready_by(&said);
            assert_eq!(
                unready.iter().any(|why| why.contains("only observes")),
                observes,
                "{unready:?}"
            );
        }
    }
}
