//! What comes in and what is put away, as AsyncAPI 3.1: made from the API's own type of a request, so that it cannot say something else.

use serde_json::{Map, Value, json};

use crate::HEADERS;

/// The document, as text.
pub fn document() -> Result<String, serde_json::Error> {
    let api: Value = serde_json::from_str(&tidelock_api::document()?)?;
    let request = api.pointer("/components/schemas/WithdrawalRequest");
    let mut request = request.cloned().unwrap_or_default();
    // Over HTTP a header may have it; here there is no other place.
    if let Some(required) = request.get_mut("required").and_then(Value::as_array_mut) {
        required.insert(0, json!("ref"));
    }
    if let Some(description) = request.pointer_mut("/properties/ref/description") {
        *description = json!(
            "Your own id of it: a UUID, a ULID, or 32 hexadecimal digits. A ref is for one payment, ever: sending it again pays nothing again."
        );
    }
    let headers = HEADERS.iter().map(|(name, says)| {
        let schema = json!({"type": "string", "description": says});
        ((*name).to_owned(), schema)
    });
    let headers: Map<String, Value> = headers.collect();
    let text = json!({
        "asyncapi": "3.1.0",
        "info": {
            "title": "Tidelock: requests from brokers",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "What keeper consume takes from queues of RabbitMQ and topics of Kafka, and what it puts away.",
            "license": {"name": "MIT"},
        },
        "defaultContentType": "application/json",
        "channels": {
            "requests": {
                "address": null,
                "description": "The queue or topic that a source of keeper.toml names.",
                "messages": {"request": {"$ref": "#/components/messages/request"}},
            },
            "deadLetters": {
                "address": null,
                "description": "The queue or topic that the same source names for what is refused for good.",
                "messages": {"refused": {"$ref": "#/components/messages/refused"}},
            },
        },
        "operations": {
            "takeRequest": {
                "action": "receive",
                "channel": {"$ref": "#/channels/requests"},
                "messages": [{"$ref": "#/channels/requests/messages/request"}],
                "summary": "Files one withdrawal, once for each ref, and acknowledges it then.",
            },
            "putAway": {
                "action": "send",
                "channel": {"$ref": "#/channels/deadLetters"},
                "messages": [{"$ref": "#/channels/deadLetters/messages/refused"}],
                "summary": "Keeps what is refused for good, with the reason. One may come twice.",
            },
        },
        "components": {
            "messages": {
                "request": {
                    "title": "A withdrawal",
                    "payload": {"$ref": "#/components/schemas/WithdrawalRequest"},
                },
                "refused": {
                    "title": "What was refused",
                    "description": "The body of the message as it came, or its first 64 KiB.",
                    "headers": {"type": "object", "properties": headers},
                    "payload": {},
                },
            },
            "schemas": {"WithdrawalRequest": request},
        },
    });
    Ok(format!("{}\n", serde_json::to_string_pretty(&text)?))
}
