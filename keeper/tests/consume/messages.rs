//! Messages, good and bad.

use serde_json::{Value, json};
use tidelock_core::domain::PaymentRef;

use super::{
    broker::Message,
    support::{VAULT, payment},
};

/// The body of a request.
pub fn request(index: u64) -> Value {
    let payment = payment(index);
    json!({
        "ref": payment.reference().to_string(),
        "to": payment.recipient().to_string(),
        "amount": payment.amount().display(6).to_string(),
    })
}

pub fn reference(index: u64) -> PaymentRef {
    payment(index).reference()
}

/// A good one.
pub fn good(index: u64) -> Message {
    Message::new(request(index).to_string())
}

/// One that nobody will ever take.
pub fn bad(index: u64) -> Message {
    with(index, "amount", json!("-1"))
}

fn with(index: u64, field: &str, value: Value) -> Message {
    let mut body = request(index);
    body[field] = value;
    Message::new(body.to_string())
}

/// What somebody who can write to the queue may think of, and of what it is refused for: a field, and words of the rule.
pub fn refused() -> Vec<(Message, &'static str, &'static str)> {
    let padded = format!("{}{}", good(900).text(), " ".repeat(1_000_000));
    let many: Vec<String> = (0..1_500).map(|field| format!("\"f{field}\":1")).collect();
    let mut forged = with(901, "amount", json!("1e3"));
    for (name, text) in [
        ("tidelock-rule", "nothing"),
        ("tidelock-source", "bank"),
        ("x", "y"),
    ] {
        forged.headers.insert(name.to_owned(), text.to_owned());
    }
    vec![
        (Message::new(""), "body", "must be JSON"),
        (Message::new("pay me"), "body", "must be JSON"),
        (Message::new([0xff, 0xfe, 0]), "body", "must be JSON"),
        (Message::new("[]"), "body", "must be a JSON object"),
        (
            Message::new("{\"a\":".repeat(2_600)),
            "body",
            "must be JSON",
        ),
        (Message::new(padded), "body", "at most 16384 bytes"),
        (
            Message::new(format!("{{{}}}", many.join(","))),
            "f0",
            "no such field",
        ),
        (
            Message::new(format!("{{\"{}\":1}}", "x".repeat(16_000))),
            "xxx",
            "no such field",
        ),
        (
            with(902, "amount", json!(12.5)),
            "amount",
            "must be a string",
        ),
        (with(903, "amount", json!("0")), "amount", "more than 0"),
        (with(904, "to", json!("0x12")), "to", "must be"),
        (with(905, "to", json!(VAULT)), "to", ""),
        // No message says which vault pays.
        (
            with(
                906,
                "vault",
                json!("0x00000000000000000000000000000000000000b7"),
            ),
            "vault",
            "",
        ),
        (with(907, "ref", json!("7")), "ref", "must be"),
        (
            with(908, "metadata", json!({"@filed_by": "bank"})),
            "metadata.@filed_by",
            "letters",
        ),
        // Its ref is that of a good one.
        (with(1, "amount", json!("1.5")), "ref", "was used already"),
        (forged, "amount", "only digits"),
    ]
}

impl Message {
    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }
}
