//! The document of what is told is what the code says; `UPDATE_FIXTURES=1` writes it.

use std::{fs, path::Path};

use serde_json::Value;

#[test]
fn the_document_is_what_the_code_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("publish/asyncapi.json");
    let made = tidelock_publish::document().unwrap();
    if std::env::var_os("UPDATE_FIXTURES").is_some() {
        fs::write(&path, &made).unwrap();
    }
    let kept = fs::read_to_string(path).unwrap_or_default();
    assert!(
        kept == made,
        "keeper/publish/asyncapi.json is old: UPDATE_FIXTURES=1 cargo test -p tidelock-keeper --test publish asyncapi"
    );
}

/// What both documents describe is the same event.
#[test]
fn an_event_is_the_one_of_the_api() {
    let read = |text: String| -> Value { serde_json::from_str(&text).unwrap() };
    let ours = read(tidelock_publish::document().unwrap());
    let theirs = read(tidelock_api::document().unwrap());
    for name in ["CloudEvent", "EventData", "EventType"] {
        let schema = &theirs["components"]["schemas"][name];
        assert!(schema.is_object(), "{name}");
        assert_eq!(&ours["components"]["schemas"][name], schema, "{name}");
    }
}
