use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use tidelock_core::{
    observe::{Block, Polled},
    port::{Effect, Outcome},
    submit::Reply,
};

use super::{Answer, Chain};

/// Two nodes, neither of which is believed alone about what happened.
///
/// Rule 8: a block is taken in once both show it, with the same facts, and it is final once both say so; the slower one
/// sets the pace. Advice is what both say: a payment to a frozen account cannot be called back. What costs gas at most if
/// wrong (the vault's state, simulations) comes from the first. Transactions go to both.
pub struct TwoNodes {
    first: Arc<dyn Chain>,
    second: Arc<dyn Chain>,
    /// Answers of both that could not both be true.
    disagreements: Arc<AtomicU64>,
}

impl TwoNodes {
    /// Asks both.
    pub fn new(first: Arc<dyn Chain>, second: Arc<dyn Chain>) -> Self {
        Self {
            first,
            second,
            disagreements: Arc::default(),
        }
    }

    /// Counts there how often both answered, and not the same.
    #[must_use]
    pub fn counting(mut self, disagreements: Arc<AtomicU64>) -> Self {
        self.disagreements = disagreements;
        self
    }

    /// What it comes to that both answered, and could not both be right.
    fn disagree(&self, what: String) -> Outcome {
        self.disagreements.fetch_add(1, Ordering::Relaxed);
        Outcome::Failed(what)
    }

    async fn poll(&self, effect: Effect) -> Outcome {
        let answers = tokio::join!(
            self.first.answer(effect.clone()),
            self.second.answer(effect)
        );
        match answers {
            (Outcome::Polled(first), Outcome::Polled(second)) => {
                agreed(first, second).unwrap_or_else(|what| self.disagree(what))
            }
            (Outcome::Polled(_), Outcome::Failed(why)) => {
                Outcome::Failed(format!("second node: {why}"))
            }
            (failed, _) => failed,
        }
    }

    async fn advise(&self, effect: Effect) -> Outcome {
        let answers = tokio::join!(
            self.first.answer(effect.clone()),
            self.second.answer(effect.clone())
        );
        match (answers, effect) {
            (
                (Outcome::Advised(first), Outcome::Advised(second)),
                Effect::Advise { payments, .. },
            ) if first != second => {
                let mut pairs = payments.iter().zip(first.iter().zip(&second));
                let differing = pairs.find(|(_, (one, other))| one != other);
                self.disagree(differing.map_or_else(
                    || "advice: the nodes answer for different numbers of payments".to_owned(),
                    |(payment, (one, other))| {
                        let reference = payment.reference();
                        format!("advice for ref {reference}: {one:?} at one node, {other:?} at the other")
                    },
                ))
            }
            ((advised @ Outcome::Advised(_), Outcome::Advised(_)), _) => advised,
            ((Outcome::Advised(_), Outcome::Failed(why)), _) => {
                Outcome::Failed(format!("second node: {why}"))
            }
            ((failed, _), _) => failed,
        }
    }

    /// Both must say the same of what may be paid.
    async fn recall(&self, effect: Effect) -> Outcome {
        let answers = tokio::join!(
            self.first.answer(effect.clone()),
            self.second.answer(effect)
        );
        match answers {
            (Outcome::Recalled(first), Outcome::Recalled(second)) if first != second => self
                .disagree(
                    "numbers that may be paid: the nodes say different things of them".to_owned(),
                ),
            (recalled @ Outcome::Recalled(_), Outcome::Recalled(_)) => recalled,
            (Outcome::Recalled(_), Outcome::Failed(why)) => {
                Outcome::Failed(format!("second node: {why}"))
            }
            (failed, _) => failed,
        }
    }

    async fn send(&self, effect: Effect) -> Outcome {
        let answers = tokio::join!(
            self.first.answer(effect.clone()),
            self.second.answer(effect)
        );
        match answers {
            (accepted @ Outcome::Sent(Reply::Accepted | Reply::Known), _)
            | (_, accepted @ Outcome::Sent(Reply::Accepted | Reply::Known)) => accepted,
            (first, _) => first,
        }
    }
}

impl Chain for TwoNodes {
    fn answer(&self, effect: Effect) -> Answer<'_> {
        Box::pin(async move {
            match effect {
                Effect::Poll { .. } => self.poll(effect).await,
                Effect::Advise { .. } => self.advise(effect).await,
                Effect::Recall { .. } => self.recall(effect).await,
                Effect::Send { .. } => self.send(effect).await,
                _ => self.first.answer(effect).await,
            }
        })
    }
}

/// What both say; what they differ in, if they do.
fn agreed(first: Polled, second: Polled) -> Result<Outcome, String> {
    let (lower, higher) = if second.finalised.0 < first.finalised.0 {
        (&second, &first)
    } else {
        (&first, &second)
    };
    let finalised = lower.finalised;
    let is_one_block = first.finalised.0 == second.finalised.0;
    if is_one_block && first.finalised.1 != second.finalised.1 {
        return Err(format!(
            "block {}: final as {} at one node, as {} at the other",
            finalised.0, first.finalised.1, second.finalised.1
        ));
    }
    let mut finalised_nonce = None;
    if let (Some(nonce), Some(later)) = (lower.finalised_nonce, higher.finalised_nonce) {
        if is_one_block && nonce != later {
            return Err(format!(
                "nonce at final block {}: {nonce} at one node, {later} at the other",
                finalised.0
            ));
        }
        if nonce > later {
            return Err(format!(
                "nonce {nonce} at final block {}: it never falls, and is {later} at {} at the other node",
                finalised.0, higher.finalised.0
            ));
        }
        finalised_nonce = Some(nonce);
    }
    let suggested_tip = first.suggested_tip;
    let blocks = common(first.blocks, &second.blocks).map_err(|number| {
        format!("block {number}: the nodes agree on its hash and disagree on what it says")
    })?;
    Ok(Outcome::Polled(Polled {
        blocks,
        finalised,
        finalised_nonce,
        suggested_tip,
    }))
}

/// The blocks from the first one on that both have. One that only one of them has is asked for again; one that both have
/// must say the same.
fn common(first: Vec<Block>, second: &[Block]) -> Result<Vec<Block>, u64> {
    let mut blocks = Vec::new();
    for (ours, theirs) in first.into_iter().zip(second) {
        if ours.id.hash != theirs.id.hash {
            break;
        }
        if ours != *theirs {
            return Err(ours.id.number);
        }
        blocks.push(ours);
    }
    Ok(blocks)
}

#[cfg(test)]
mod tests {
    use alloy::primitives::{B256, Bytes};
    use tidelock_core::{
        abi::Fact,
        domain::{Address, Amount, BlockTime, Payment, PaymentNumber, PaymentRef, TierIndex},
        event::BlockRef,
        observe::Fork,
        port::{Advice, Recalled, Simulation},
        submit::RefusalClass,
    };

    use super::*;

    /// A node that always answers the same.
    struct Fixed(Outcome);

    impl Chain for Fixed {
        fn answer(&self, _: Effect) -> Answer<'_> {
            let outcome = self.0.clone();
            Box::pin(async move { outcome })
        }
    }

    fn block(number: u64, fork: u8, facts: Vec<Fact>) -> Block {
        Block {
            id: BlockRef {
                number,
                hash: hash(number, fork),
                time: BlockTime::from_seconds(1_800_000_000).unwrap(),
            },
            parent: hash(number.saturating_sub(1), fork),
            base_fee: 1,
            gas_limit: 30_000_000,
            fork: Fork::Osaka,
            facts,
            transactions: Vec::new(),
        }
    }

    fn hash(number: u64, fork: u8) -> B256 {
        B256::repeat_byte(u8::try_from(number).unwrap() ^ fork)
    }

    fn polled(blocks: Vec<Block>, finalised: u64, nonce: u64) -> Outcome {
        Outcome::Polled(Polled {
            blocks,
            finalised: (finalised, hash(finalised, 0)),
            finalised_nonce: Some(nonce),
            suggested_tip: 7,
        })
    }

    fn tip() -> BlockRef {
        block(1, 0, Vec::new()).id
    }

    async fn poll(first: Outcome, second: Outcome) -> Outcome {
        let nodes = TwoNodes::new(Arc::new(Fixed(first)), Arc::new(Fixed(second)));
        nodes.answer(Effect::Poll { tip: tip() }).await
    }

    fn is_failure(outcome: &Outcome) -> bool {
        matches!(outcome, Outcome::Failed(_))
    }

    #[tokio::test]
    async fn the_slower_node_sets_the_pace() {
        let fast = polled(vec![block(2, 0, vec![]), block(3, 0, vec![])], 2, 5);
        let slow = polled(vec![block(2, 0, vec![])], 1, 4);
        let expected = polled(vec![block(2, 0, vec![])], 1, 4);
        assert_eq!(poll(fast.clone(), slow.clone()).await, expected);
        assert_eq!(poll(slow, fast).await, expected);
    }

    #[tokio::test]
    async fn a_block_on_a_fork_is_not_taken_in() {
        let here = polled(vec![block(2, 0, vec![]), block(3, 0, vec![])], 1, 4);
        let fork = polled(vec![block(2, 0, vec![]), block(3, 9, vec![])], 1, 4);
        let expected = polled(vec![block(2, 0, vec![])], 1, 4);
        assert_eq!(poll(here, fork).await, expected);
    }

    #[tokio::test]
    async fn a_block_that_says_two_things_is_no_answer() {
        let one = polled(vec![block(2, 0, vec![Fact::Policy])], 1, 4);
        let other = polled(vec![block(2, 0, vec![])], 1, 4);
        assert!(is_failure(&poll(one.clone(), other.clone()).await));
        assert_eq!(poll(one.clone(), one.clone()).await, one);
        // It is counted as a disagreement; that a node does not answer is none.
        let counted = Arc::new(AtomicU64::new(0));
        let silent = Outcome::Failed("no answer".to_owned());
        for (second, count) in [(one.clone(), 0), (silent, 0), (other, 1)] {
            let nodes = TwoNodes::new(Arc::new(Fixed(one.clone())), Arc::new(Fixed(second)));
            let nodes = nodes.counting(counted.clone());
            nodes.answer(Effect::Poll { tip: tip() }).await;
            assert_eq!(counted.load(Ordering::Relaxed), count);
        }
    }

    #[tokio::test]
    async fn two_final_blocks_or_nonces_at_one_height_are_no_answer() {
        let one = polled(Vec::new(), 1, 4);
        let mut fork = one.clone();
        if let Outcome::Polled(polled) = &mut fork {
            polled.finalised.1 = hash(1, 9);
        }
        assert!(is_failure(&poll(one.clone(), fork).await));
        assert!(is_failure(&poll(one, polled(Vec::new(), 1, 5)).await));
    }

    #[tokio::test]
    async fn a_nonce_that_would_have_fallen_is_no_answer() {
        let lower = polled(vec![block(2, 0, vec![])], 1, 6);
        let higher = polled(vec![block(2, 0, vec![])], 2, 5);
        assert!(is_failure(&poll(lower.clone(), higher.clone()).await));
        assert!(is_failure(&poll(higher, lower).await));
    }

    #[tokio::test]
    async fn a_nonce_that_one_node_does_not_keep_is_not_known() {
        let known = polled(vec![block(2, 0, vec![])], 1, 4);
        let mut unknown = known.clone();
        if let Outcome::Polled(polled) = &mut unknown {
            polled.finalised_nonce = None;
        }
        assert_eq!(poll(known.clone(), unknown.clone()).await, unknown);
        assert_eq!(poll(unknown.clone(), known).await, unknown);
    }

    #[tokio::test]
    async fn one_silent_node_is_no_answer() {
        let silent = Outcome::Failed("no answer".to_owned());
        let one = polled(Vec::new(), 1, 4);
        assert!(is_failure(&poll(one.clone(), silent.clone()).await));
        assert!(is_failure(&poll(silent, one).await));
    }

    #[tokio::test]
    async fn a_transaction_that_either_takes_is_sent() {
        let taken = Outcome::Sent(Reply::Accepted);
        let refused = Outcome::Sent(Reply::Refused(RefusalClass::PoolFull));
        let send = || Effect::Send {
            hash: B256::ZERO,
            raw: Bytes::new(),
        };
        for (first, second, expected) in [
            (taken.clone(), refused.clone(), taken.clone()),
            (refused.clone(), taken.clone(), taken),
            (refused.clone(), Outcome::Sent(Reply::Ambiguous), refused),
        ] {
            let nodes = TwoNodes::new(Arc::new(Fixed(first)), Arc::new(Fixed(second)));
            assert_eq!(nodes.answer(send()).await, expected);
        }
    }

    #[tokio::test]
    async fn advice_is_what_both_say() {
        let payment = Payment::new(Address::repeat_byte(1), Amount(5), PaymentRef([7; 16]));
        let advise = Effect::Advise {
            at: tip(),
            payments: vec![payment.unwrap()],
        };
        let tier = Outcome::Advised(vec![Advice::Tier(TierIndex::new(0).unwrap())]);
        let listed = Outcome::Advised(vec![Advice::Blacklisted]);
        let silent = Outcome::Failed("no answer".to_owned());
        let ask = async |first: &Outcome, second: &Outcome| {
            let (first, second) = (Fixed(first.clone()), Fixed(second.clone()));
            let nodes = TwoNodes::new(Arc::new(first), Arc::new(second));
            nodes.answer(advise.clone()).await
        };
        assert_eq!(ask(&tier, &tier).await, tier);
        assert_eq!(ask(&listed, &listed).await, listed);
        for (first, second) in [(&tier, &listed), (&listed, &tier)] {
            let Outcome::Failed(why) = ask(first, second).await else {
                panic!("one node alone was believed");
            };
            assert!(why.contains(&PaymentRef([7; 16]).to_string()), "{why}");
        }
        let short = Outcome::Advised(Vec::new());
        for other in [&silent, &short] {
            assert!(is_failure(&ask(&tier, other).await));
            assert!(is_failure(&ask(other, &tier).await));
        }
    }

    #[tokio::test]
    async fn what_may_be_paid_is_what_both_say() {
        let recall = Effect::Recall {
            first: 0,
            at: tip(),
            numbers: vec![PaymentNumber(7)],
        };
        let none = Outcome::Recalled(Recalled::default());
        let one = Outcome::Recalled(Recalled {
            paid: [PaymentNumber(7)].into(),
            facts: Vec::new(),
        });
        let silent = Outcome::Failed("no answer".to_owned());
        let ask = async |first: &Outcome, second: &Outcome| {
            let (first, second) = (Fixed(first.clone()), Fixed(second.clone()));
            let nodes = TwoNodes::new(Arc::new(first), Arc::new(second));
            nodes.answer(recall.clone()).await
        };
        assert_eq!(ask(&one, &one).await, one);
        for (first, second) in [
            (&one, &none),
            (&none, &one),
            (&one, &silent),
            (&silent, &one),
        ] {
            assert!(is_failure(&ask(first, second).await));
        }
    }

    #[tokio::test]
    async fn simulations_come_from_the_first() {
        let one = Outcome::Simulated(Simulation::Succeeds {
            returned: Bytes::new(),
            gas: 1,
        });
        let silent = Outcome::Failed("no answer".to_owned());
        let nodes = TwoNodes::new(Arc::new(Fixed(one.clone())), Arc::new(Fixed(silent)));
        let simulate = Effect::Simulate {
            at: tip(),
            data: Bytes::new(),
            gas_limit: 1,
            until: 1,
        };
        assert_eq!(nodes.answer(simulate).await, one);
    }
}
