use std::{fs, path::Path};

use alloy::primitives::address;
use tidelock_core::observe::Fork;

use super::*;

fn of(chain_id: u64) -> Profile {
    Profile::of(ChainId(chain_id)).unwrap()
}

#[test]
fn every_file_is_a_profile_and_every_section_has_its_source() {
    let all = Profile::all().unwrap();
    let ids: Vec<u64> = all.iter().map(|profile| profile.chain_id).collect();
    assert_eq!(
        ids,
        [
            1,
            11_155_111,
            56,
            42_161,
            10,
            8_453,
            137,
            43_114,
            420_420_419,
            31_337
        ]
    );
    for profile in &all {
        let mut sections = vec!["chain", "checks", "fees", "finality", "transaction_gas"];
        if profile.nodes.note.is_some() {
            sections.push("nodes");
        }
        if profile.usdt.is_some() {
            sections.push("usdt");
        }
        sections.sort_unstable();
        let sources: Vec<&String> = profile.sources.keys().collect();
        assert_eq!(sources, sections, "{}", profile.name);
        for (section, named) in &profile.sources {
            assert!(!named.is_empty(), "{} {section}", profile.name);
        }
        assert!(profile.tried.is_some(), "{}", profile.name);
        assert!(!profile.is_unknown());
    }
}

#[test]
fn a_profile_knows_its_chain() {
    let bsc = of(56);
    assert_eq!(bsc.coin, "BNB");
    assert_eq!(bsc.fees.market, Market::BaseFeeZero);
    assert_eq!(bsc.usdt.unwrap().decimals, 18);
    assert_eq!(bsc.nodes.rebroadcast, Some(false));
    assert_eq!(bsc.transaction_gas().at(Fork::Amsterdam), 16_777_216);
    // 450 ms: three blocks are over before a node has passed the transaction on.
    assert_eq!((bsc.rebroadcast_blocks(), bsc.replace_blocks()), (45, 27));

    let ethereum = of(1);
    assert_eq!(ethereum.checks.blocks, BlockChecks::Receipts);
    assert_eq!(ethereum.transaction_gas().at(Fork::Osaka), 16_777_216);
    assert_eq!(ethereum.transaction_gas().at(Fork::Amsterdam), 50_000_000);
    assert_eq!(
        (ethereum.rebroadcast_blocks(), ethereum.replace_blocks()),
        (5, 3)
    );
    assert_eq!(
        ethereum.usdt.unwrap().address,
        address!("dAC17F958D2ee523a2206206994597C13D831ec7")
    );

    assert_eq!(of(42_161).fees.data, DataFee::InGas);
    assert_eq!(of(42_161).checks.blocks, BlockChecks::Receipts);
    assert_eq!(of(42_161).transaction_gas().osaka, 32_000_000);
    for chain in [10, 8_453] {
        assert_eq!(of(chain).fees.data, DataFee::OpOracle);
        assert_eq!(of(chain).checks.blocks, BlockChecks::Receipts);
    }
    assert_eq!(of(137).transaction_gas().osaka, 33_554_432);
    assert_eq!(of(43_114).checks.blocks, BlockChecks::None);
    for chain in [43_114, 420_420_419] {
        assert!(!of(chain).checks.proofs, "{chain}");
    }
    assert_eq!(of(11_155_111).usdt, None);
    assert_eq!(of(31_337).block_time_ms, None);
}

#[test]
fn an_unknown_chain_gets_the_least_of_all() {
    let unknown = of(4_242);
    assert!(unknown.is_unknown());
    assert_eq!(unknown.chain_id, 4_242);
    assert_eq!(
        unknown.transaction_gas(),
        TransactionGas::always(16_777_216)
    );
    assert_eq!(unknown.checks.blocks, BlockChecks::Receipts);
    let all = Profile::all().unwrap();
    let least = all.iter().map(|profile| profile.transaction_gas().osaka);
    assert_eq!(least.min().unwrap(), unknown.transaction_gas().osaka);
}

#[test]
fn a_chain_whose_gas_coin_is_the_token_is_refused() {
    let error = Profile::of(ChainId(988)).unwrap_err().to_string();
    assert!(
        error.starts_with("Stable is refused: its coin for gas is USDT0"),
        "{error}"
    );
}

/// `UPDATE_FIXTURES=1` writes it.
#[test]
fn the_document_is_what_the_profiles_say() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/chains.md");
    let made = document().unwrap();
    if std::env::var_os("UPDATE_FIXTURES").is_some() {
        fs::write(&path, &made).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == made,
        "docs/chains.md is old: UPDATE_FIXTURES=1 cargo test -p tidelock-keeper --lib profile"
    );
}
