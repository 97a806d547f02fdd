use alloy::primitives::Address;
use tidelock_core::{
    abi::Vault,
    domain::{Amount, Payment, PaymentRef, TierIndex},
    port::{Advice, Effect, Outcome},
};
use tidelock_keeper::chain::Chain;

use crate::{
    payment,
    world::{Plan, Tether, USDT, World},
};

#[tokio::test]
async fn advice_names_the_lowest_tier_or_why_there_is_none() {
    let known = Address::repeat_byte(0x74);
    let world = World::start(Plan {
        known: vec![known],
        ..Plan::default()
    })
    .await;
    let chain = world.chain();
    let listed = payment(0x75, USDT);
    let blocked = payment(0x76, USDT);
    let user = listed.recipient();
    world.token_call(&Tether::addBlackListCall { user }).await;
    let recipient = blocked.recipient();
    let guardian = world.keys.guardian.address();
    let call = Vault::blockRecipientCall { recipient };
    assert!(world.vault_call(guardian, &call).await.success);
    let to = |recipient| Payment::new(recipient, Amount(USDT), PaymentRef([9; 16])).unwrap();
    let cases = [
        (
            payment(0x71, 1_000 * USDT),
            Advice::Tier(TierIndex::new(0).unwrap()),
        ),
        (
            payment(0x71, 1_000 * USDT + 1),
            Advice::Tier(TierIndex::new(1).unwrap()),
        ),
        (
            payment(0x74, 1_000 * USDT + 1),
            Advice::Tier(TierIndex::new(0).unwrap()),
        ),
        (
            payment(0x71, 1_000_000 * USDT),
            Advice::Tier(TierIndex::new(2).unwrap()),
        ),
        (payment(0x71, 1_000_000 * USDT + 1), Advice::AboveLimit),
        (listed, Advice::Blacklisted),
        (blocked, Advice::Blocked),
        (to(world.domain.vault), Advice::Never),
        (to(world.token), Advice::Never),
    ];
    let at = world.head().await;
    // More than one call's worth, so that the answers are put together in order.
    let cases: Vec<_> = cases.iter().cycle().take(300).collect();
    let payments = cases.iter().map(|(payment, _)| *payment).collect();
    let expected: Vec<Advice> = cases.iter().map(|(_, advice)| *advice).collect();
    let outcome = chain.answer(Effect::Advise { at, payments }).await;
    assert_eq!(outcome, Outcome::Advised(expected));
}
