//! revm counts gas as go-ethereum does: what one more payment costs is what audits/gas.md says, which geth counted.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test says what must hold by panicking when it does not, in its helpers too"
)]

use std::fs;

use alloy_primitives::{Address, B256, U256, keccak256};
use alloy_sol_types::{SolCall, SolValue, sol};
use tidelock_model::abi::{Order, payCall};
use tidelock_trial::{
    artefacts,
    chain::{Chain, Fork},
    setting::{self, BIRTH, DAY, UNIT, account, pack},
};

sol! {
    /// contracts/test/mocks/tether
    interface ITether {
        function issue(uint256 amount) external;
        function transfer(address to, uint256 value) external;
    }
}

/// Payments of the larger and the smaller batch; what differs between the two is what one payment costs, times the rest.
const LARGE: u64 = 60;
const SMALL: u64 = 10;

/// One more payment, to holders or to new holders. [gas]
fn one_more(fork: Fork, holders: bool) -> u64 {
    let gas_of = |count| {
        let mut chain = Chain::new(fork, BIRTH);
        let (owner, keeper) = (account(0), account(1));
        let mut code = artefacts::code_in("target/contracts/tether/TetherLike.json");
        let arguments = (U256::ZERO, "Tether USD", "USDT", U256::from(6));
        code.extend_from_slice(&arguments.abi_encode_params());
        let token = chain.create(owner, code.into()).expect("a token");
        let configuration = setting::plain(token, keeper, account(2), account(3));
        let vault = setting::vault(&mut chain, None, &configuration);
        // Addresses and references as dense as real ones, for calldata is paid by the byte.
        let recipient = |i: u64| Address::from_word(keccak256(i.to_be_bytes()));
        let amount = U256::from(UNIT * 1_000_000);
        chain.must(owner, token, &ITether::issueCall { amount });
        let mut give = |to, units: u128| {
            let value = U256::from(UNIT * units);
            chain.must(owner, token, &ITether::transferCall { to, value });
        };
        give(vault, 100_000);
        if holders {
            (0..count).for_each(|i| give(recipient(i), 1));
        }
        let payments: Vec<_> = (0..count).map(|i| (recipient(i), 10 * UNIT)).collect();
        let mut packed = pack(&payments).to_vec();
        for (i, payment) in packed.chunks_exact_mut(48).enumerate() {
            payment[32..].copy_from_slice(&keccak256(i.to_le_bytes())[..16]);
        }
        let pay = payCall {
            order: Order::new(1, BIRTH + DAY, 0, B256::ZERO),
            payments: packed.into(),
        };
        let paid = chain.try_with_gas(keeper, vault, pay.abi_encode().into(), 16_000_000);
        assert!(paid.success, "{}", paid.output);
        paid.gas
    };
    (gas_of(LARGE) - gas_of(SMALL)) / (LARGE - SMALL)
}

/// The row of the table: gas on Osaka and on Amsterdam.
fn by_geth(fork: Fork, row: &str) -> u64 {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../audits/gas.md");
    let text = fs::read_to_string(file).expect("the gas table");
    let line = text
        .lines()
        .find(|line| line.starts_with(&format!("| {row} ")));
    let line = line.unwrap_or_else(|| panic!("no row {row}"));
    let column = match fork {
        Fork::Osaka => 2,
        Fork::Amsterdam => 5,
    };
    let cell = line.split('|').nth(column).expect("a column");
    cell.trim().replace(',', "").parse().expect("gas")
}

/// Amounts of the two measurements differ by a byte or two of calldata, hence the slack.
#[test]
fn one_more_payment_costs_what_geth_counts() {
    for fork in Fork::ALL {
        for (holders, row) in [
            (true, "**automatic batch**, to a holder"),
            (false, "**automatic batch**, to a new holder"),
        ] {
            let (ours, geths) = (one_more(fork, holders), by_geth(fork, row));
            println!("{fork:?} {row}: revm {ours}, geth {geths}");
            assert!(
                ours.abs_diff(geths) <= 30,
                "{fork:?} {row}: {ours}, geth {geths}"
            );
        }
    }
}

/// What a new holder costs beside a holder has no calldata in it, so that it must be the same to the gas, but for rounding.
#[test]
fn a_new_holder_costs_what_geth_counts() {
    for fork in Fork::ALL {
        let ours = one_more(fork, false) - one_more(fork, true);
        let geths = by_geth(fork, "**automatic batch**, to a new holder")
            - by_geth(fork, "**automatic batch**, to a holder");
        assert!(ours.abs_diff(geths) <= 1, "{fork:?}: {ours}, geth {geths}");
    }
}
