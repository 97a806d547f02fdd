//! Compiled from the sources, the contracts are those of the release.
#![cfg(feature = "compiler")]

use std::path::Path;

use tidelock_deploy::{Release, compile::Sources};

fn sources() -> Sources {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2);
    Sources::open(root.unwrap()).unwrap()
}

#[test]
fn the_sources_are_the_release() {
    let compiled = sources().compile().unwrap();
    let release = Release::embedded().unwrap();
    let pairs = [
        ("rules", &compiled.rules, &release.rules),
        ("vault", &compiled.vault, &release.vault),
        ("factory", &compiled.factory, &release.factory),
        ("lens", &compiled.lens, &release.lens),
    ];
    for (name, ours, theirs) in pairs {
        assert_eq!(
            ours.creation_code_hash(),
            theirs.creation_code_hash(),
            "{name}"
        );
        assert_eq!(ours.masked_hash(), theirs.masked_hash(), "{name}");
        assert_eq!(ours.immutables, theirs.immutables, "{name}");
    }
}

#[test]
fn explorers_get_sources_and_settings() {
    let text = sources().standard_json("Vault").unwrap();
    let input: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert!(input["sources"]["contracts/src/Vault.sol"]["content"].is_string());
    assert_eq!(input["settings"]["viaIR"], true);
    assert_eq!(input["settings"]["evmVersion"], "cancun");
    let root = env!("CARGO_MANIFEST_DIR");
    assert!(
        !text.contains(root.trim_end_matches("/keeper/deploy")),
        "no path of this machine"
    );
}
