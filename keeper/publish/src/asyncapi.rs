//! What is told to whom, as AsyncAPI 3.1 has it: for whoever reads it or makes code from it. Its schemas are those of the types that are
//! written, as in the OpenAPI document.

use serde_json::{Value, json};

/// How records and messages are marked: the whole event is the body ("Structured Content Mode").
pub(crate) const CONTENT_TYPE: &str = "application/cloudevents+json; charset=UTF-8";

/// The document, as JSON; the same for the same code.
pub fn document() -> Result<String, serde_json::Error> {
    let document = json!({
        "asyncapi": "3.1.0",
        "info": {
            "title": "Tidelock events",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "What a keeper's log says, told by `keeper publish`: each entry is an event, as CloudEvents 1.0 in JSON. \
                Addresses are those that the keeper is configured with.",
            "license": { "name": "MIT" },
        },
        "defaultContentType": "application/cloudevents+json",
        "channels": { "topic": topic(), "exchange": exchange(), "webhook": webhook() },
        "operations": {
            "writeTopic": send("topic", "Once in the topic for each withdrawal that it is about, for whoever reads what is committed"),
            "tellExchange": send("exchange", "At least once, those of each withdrawal in their order; drop what you have by the id"),
            "tellWebhook": send("webhook", "At least once, those of each withdrawal in their order; drop what you have by the id"),
        },
        "components": {
            "messages": {
                "keyedEvent": keyed_message(),
                "event": message("Event", "CloudEvent", "An entry of the log"),
            },
            "schemas": tidelock_api::event_schemas()?,
        },
    });
    let mut text = serde_json::to_string_pretty(&document)?;
    text.push('\n');
    Ok(text)
}

fn topic() -> Value {
    json!({
        "address": null,
        "title": "A topic of Kafka",
        "description": "`topic` of `[[publish.kafka]]`. The key is `partitionkey`. Read it with `isolation.level=read_committed`.",
        "messages": { "event": reference("messages/keyedEvent") },
    })
}

fn exchange() -> Value {
    json!({
        "address": "{type}",
        "title": "An exchange of RabbitMQ",
        "description": "`exchange` of `[[publish.rabbitmq]]`. The routing key is the type of the event; `message_id` is the same each time that \
            an event is told.",
        "parameters": { "type": { "description": "The type of the event", "examples": ["tidelock.withdrawal.paid"] } },
        "messages": { "event": reference("messages/event") },
        "bindings": {
            "amqp": { "is": "routingKey", "exchange": { "type": "topic", "durable": true }, "bindingVersion": "0.3.0" },
        },
    })
}

fn webhook() -> Value {
    json!({
        "address": null,
        "title": "A webhook",
        "description": "`url` of `[[publish.webhook]]`, signed as Standard Webhooks 1.0 has it.",
        "messages": { "event": reference("messages/event") },
    })
}

fn send(channel: &str, summary: &str) -> Value {
    json!({ "action": "send", "channel": { "$ref": format!("#/channels/{channel}") }, "summary": summary })
}

fn keyed_message() -> Value {
    let mut message = message(
        "Event of one withdrawal",
        "KeyedEvent",
        "An entry of the log, for one of its withdrawals",
    );
    if let Some(message) = message.as_object_mut() {
        let key = json!({ "type": "string", "description": "The withdrawal, or the vault if the event is about none" });
        let binding = json!({ "kafka": { "key": key, "bindingVersion": "0.5.0" } });
        message.insert("bindings".to_owned(), binding);
    }
    message
}

fn message(title: &str, schema: &str, summary: &str) -> Value {
    json!({
        "title": title,
        "summary": summary,
        "contentType": CONTENT_TYPE,
        "payload": reference(&format!("schemas/{schema}")),
    })
}

fn reference(component: &str) -> Value {
    json!({ "$ref": format!("#/components/{component}") })
}
