//! What is asked: at most one question of each key is under way, and what failed is not asked again at once.

use std::collections::BTreeMap;

use crate::port::{Effect, Key, Monotonic};

/// Effects that are under way, and those that must wait.
#[derive(Debug, Default)]
pub(super) struct Questions {
    under_way: BTreeMap<Key, Effect>,
    not_before: BTreeMap<Key, Monotonic>,
}

impl Questions {
    pub(super) fn may_start(&self, key: Key, now: Monotonic) -> bool {
        let is_early = self.not_before.get(&key).is_some_and(|at| now < *at);
        !is_early && !self.is_under_way(key)
    }

    pub(super) fn is_under_way(&self, key: Key) -> bool {
        self.under_way.contains_key(&key)
    }

    pub(super) fn start(&mut self, effect: Effect) {
        let key = effect.key();
        self.not_before.remove(&key);
        self.under_way.insert(key, effect);
    }

    /// Takes the question off that an answer is for.
    pub(super) fn answered(&mut self, key: Key) -> Option<Effect> {
        self.under_way.remove(&key)
    }

    /// It is not asked again before then.
    pub(super) fn wait(&mut self, key: Key, until: Monotonic) {
        self.not_before.insert(key, until);
    }

    /// Forgets waits that are over. A nonce or a hash may never be asked about again.
    pub(super) fn prune(&mut self, now: Monotonic) {
        self.not_before.retain(|_, at| now < *at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_that_is_over_is_forgotten() {
        let mut questions = Questions::default();
        for nonce in 0..100 {
            questions.wait(Key::Sign(nonce), Monotonic(nonce));
        }
        questions.prune(Monotonic(98));
        assert_eq!(questions.not_before.len(), 1);
        assert!(questions.may_start(Key::Sign(98), Monotonic(98)));
        assert!(!questions.may_start(Key::Sign(99), Monotonic(98)));
    }
}
