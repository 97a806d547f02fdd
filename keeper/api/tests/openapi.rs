//! The document that clients are made from is what the code says; `UPDATE_FIXTURES=1` writes it.

use std::{fs, path::Path};

use serde_json::Value;

fn kept() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi.json")
}

#[test]
fn the_document_is_what_the_code_says() {
    let made = tidelock_api::document().unwrap();
    if std::env::var_os("UPDATE_FIXTURES").is_some() {
        fs::write(kept(), &made).unwrap();
    }
    let kept = fs::read_to_string(kept()).unwrap();
    assert!(
        kept == made,
        "keeper/api/openapi.json is old: UPDATE_FIXTURES=1 cargo test -p tidelock-api --test openapi"
    );
}

/// Each operation has a name that clients' methods are made from, says which scope it takes, and answers refusals as problems.
#[test]
fn every_operation_is_whole() {
    let document: Value = serde_json::from_str(&tidelock_api::document().unwrap()).unwrap();
    assert_eq!(document["openapi"], "3.1.0");
    let mut names = std::collections::BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let what = format!("{method} {path}");
            let name = operation["operationId"].as_str().unwrap();
            assert!(
                names.insert(name.to_owned()),
                "{what}: {name} is there twice"
            );
            assert!(operation["summary"].is_string(), "{what}");
            if path.starts_with("/v1/") {
                let known = ["request", "read", "operate", "audit", "administer"];
                let security = operation["security"].as_array().unwrap();
                let scopes = security.iter().map(|one| one["key"][0].as_str().unwrap());
                let scopes: Vec<&str> = scopes.collect();
                assert!(!scopes.is_empty(), "{what}");
                assert!(scopes.iter().all(|scope| known.contains(scope)), "{what}");
                let others = &operation["responses"]["default"]["content"];
                assert!(others["application/problem+json"].is_object(), "{what}");
            }
        }
    }
    assert_eq!(
        document["components"]["securitySchemes"]["key"]["scheme"],
        "bearer"
    );
}
