//! The document of what comes in is what the code says; `UPDATE_FIXTURES=1` writes it.

use std::{fs, path::Path};

use serde_json::{Value, json};

fn kept() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("asyncapi.json")
}

#[test]
fn the_document_is_what_the_code_says() {
    let made = tidelock_consume::document().unwrap();
    if std::env::var_os("UPDATE_FIXTURES").is_some() {
        fs::write(kept(), &made).unwrap();
    }
    let kept = fs::read_to_string(kept()).unwrap();
    assert!(
        kept == made,
        "keeper/consume/asyncapi.json is old: UPDATE_FIXTURES=1 cargo test -p tidelock-consume --test asyncapi"
    );
}

/// Each reference leads somewhere, and a message has to have all that a request needs.
#[test]
fn the_document_is_whole() {
    let document: Value = serde_json::from_str(&tidelock_consume::document().unwrap()).unwrap();
    let request = &document["components"]["schemas"]["WithdrawalRequest"];
    assert_eq!(request["required"], json!(["ref", "to", "amount"]));
    let text = document.to_string();
    let places: Vec<&str> = text.split("\"$ref\":\"#").skip(1).collect();
    assert_eq!(places.len(), 7);
    for place in places {
        let place = place.split('"').next().unwrap();
        assert!(document.pointer(place).is_some(), "{place}");
    }
}
