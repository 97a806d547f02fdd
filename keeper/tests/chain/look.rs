use alloy::primitives::{B256, Bytes, U256};
use tidelock_core::{
    abi::{Vault, order_argument},
    domain::{Amount, pack_payments},
    port::{Effect, Outcome, ProposalState},
};
use tidelock_keeper::chain::Chain;

use crate::{
    by_hand, header, payment,
    world::{self, Plan, USDT, World},
};

#[tokio::test]
async fn a_look_is_of_its_block_and_of_no_other() {
    let world = by_hand(2).await;
    let chain = world.chain();
    let payments = [payment(0x71, 30_000 * USDT)];
    let unknown_to_vault = header(&world, 2, (1 << 63) + 5, &payments).await;
    let proposed = header(&world, 2, (1 << 63) + 1, &payments).await;
    let ids = vec![
        proposed.id(&world.domain),
        unknown_to_vault.id(&world.domain),
    ];
    let before = world.head().await;
    let call = Vault::proposeCall {
        order: order_argument(&proposed),
        payments: pack_payments(&payments).into(),
    };
    let alice = world.keys.signers[0].address();
    assert!(world.vault_call(alice, &call).await.success);
    assert!(world.vault_call(alice, &Vault::freezeCall {}).await.success);
    let after = world.head().await;

    let look = async |at| {
        let proposals = ids.clone();
        match chain.answer(Effect::Look { at, proposals }).await {
            Outcome::Looked(look) => *look,
            other => panic!("{other:?}"),
        }
    };
    let old = look(before).await;
    assert_eq!(old.halted_until, 0);
    assert_eq!(old.proposals[0].1.state, ProposalState::None);
    let new = look(after).await;
    assert_eq!(
        new.halted_until,
        after.time.seconds() + 4 * u64::from(world::DAY)
    );
    assert_eq!(new.balance, Amount(50_000_000 * USDT));
    let rows: Vec<_> = new
        .tiers
        .iter()
        .map(|tier| (tier.approvals, tier.delay, tier.is_automatic()))
        .collect();
    assert_eq!(
        rows,
        [
            (0, 0, true),
            (2, world::HOUR, false),
            (3, world::DAY, false)
        ]
    );
    assert_eq!(new.tiers[1].cap, Amount(500_000 * USDT));
    assert_eq!(new.tiers[1].headroom, Amount(500_000 * USDT));
    assert_eq!(new.proposals[0].0, ids[0]);
    let said = new.proposals[0].1;
    assert_eq!(
        (said.state, said.votes, said.required, said.earliest),
        (ProposalState::Proposed, 1, 3, 0)
    );
    assert_eq!(new.proposals[1].1.state, ProposalState::None);
    let party = world.party(world.keys.keeper.address()).await;
    assert_eq!(new.keeper_until, party.keeperUntil.to::<u64>());
    assert_eq!(new.proposer_until, party.proposerUntil.to::<u64>());
    assert_eq!(new.gas_balance, U256::from(10).pow(U256::from(20)));
}

#[tokio::test]
async fn a_block_that_the_node_lacks_is_no_answer() {
    let world = World::start(Plan::default()).await;
    let chain = world.chain();
    let mut at = world.head().await;
    at.hash = B256::repeat_byte(0xab);
    let payments = vec![payment(0x71, USDT)];
    let effects = [
        Effect::Look {
            at,
            proposals: Vec::new(),
        },
        Effect::Advise { at, payments },
        Effect::Simulate {
            at,
            data: Bytes::new(),
            gas_limit: 1_000_000,
            until: 0,
        },
    ];
    for effect in effects {
        let key = effect.key();
        let outcome = chain.answer(effect).await;
        assert!(
            matches!(outcome, Outcome::Failed(_)),
            "{key:?}: {outcome:?}"
        );
    }
}
