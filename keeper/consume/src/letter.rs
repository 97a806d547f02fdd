//! A dead letter: a message that was refused for good, and why. What is said of it is bounded, whatever the message says: a broker that refused it would
//! hand the message out again for ever.

use serde_json::json;
use tidelock_api::{Broken, Problem};

/// Bytes of a message that are kept. No request is that long.
const KEPT: usize = 65_536;

/// Headers of a dead letter, and what each says.
pub const HEADERS: [(&str, &str); 8] = [
    (
        "tidelock-source",
        "Name of the source that the message came from.",
    ),
    (
        "tidelock-from",
        "The queue it was in; of Kafka topic[partition]@offset.",
    ),
    (
        "tidelock-problem",
        "The type of the problem that POST /v1/withdrawals answers with.",
    ),
    (
        "tidelock-field",
        "The first field that breaks a rule; body if it is the whole.",
    ),
    ("tidelock-value", "What was given there, or its beginning."),
    ("tidelock-rule", "What it must be."),
    (
        "tidelock-errors",
        "All of them, at most ten, as JSON, if there are several.",
    ),
    (
        "tidelock-length",
        "Bytes of the message, if not all are kept.",
    ),
];

/// A message, or its beginning if it is longer than any request may be.
pub(crate) struct Message {
    /// What is kept of it.
    pub body: Vec<u8>,
    /// How long it was. [bytes]
    pub length: usize,
}

impl Message {
    pub fn new(mut body: Vec<u8>) -> Self {
        let length = body.len();
        body.truncate(KEPT);
        body.shrink_to_fit();
        Self { body, length }
    }
}
/// Broken rules that are told.
const MOST: usize = 10;
/// Characters of each text.
const LONGEST: usize = 300;

/// A message that was refused for good, and why.
pub(crate) struct Letter<'a> {
    /// The message, or its beginning.
    pub body: &'a [u8],
    /// Names and texts, for headers.
    pub headers: Vec<(&'static str, String)>,
}

impl<'a> Letter<'a> {
    /// `from` says where in the broker the message was.
    pub fn new(message: &'a Message, problem: &Problem, source: &str, from: &str) -> Self {
        let Message { body, length } = message;
        let whole = Broken {
            field: "body".to_owned(),
            value: String::from_utf8_lossy(body.get(..LONGEST).unwrap_or(body)).into_owned(),
            rule: problem.detail.trim_start_matches("body: ").to_owned(),
            line: None,
        };
        let broken = problem.errors.first().unwrap_or(&whole);
        let mut headers = vec![
            ("tidelock-source", cut(source)),
            ("tidelock-from", cut(from)),
            ("tidelock-problem", cut(&problem.kind)),
            ("tidelock-field", cut(&broken.field)),
            ("tidelock-value", cut(&broken.value)),
            ("tidelock-rule", cut(&broken.rule)),
        ];
        if problem.errors.len() > 1 {
            let errors = problem.errors.iter().take(MOST);
            let errors = errors.map(|one| json!({"field": cut(&one.field), "value": cut(&one.value), "rule": cut(&one.rule)}));
            headers.push((
                "tidelock-errors",
                errors.collect::<serde_json::Value>().to_string(),
            ));
        }
        if *length > body.len() {
            headers.push(("tidelock-length", length.to_string()));
        }
        Self { body, headers }
    }
}

/// On one line: some tools show headers as lines.
fn cut(text: &str) -> String {
    let letters = text.chars().take(LONGEST);
    letters
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect()
}
