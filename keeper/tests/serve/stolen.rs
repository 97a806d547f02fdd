//! What whoever stole a key could try: every operation of the document, with what could move money or loosen something.

use serde_json::{Value, json};
use tidelock_core::domain::Payment;

use super::{
    api::{Api, Server, body},
    votes::waiting,
};

/// Acts that stop something. They are tried last: of a keeper that is halted nothing is shown by what it does not pay.
const STOPS: [&str; 3] = ["cancel", "halt", "hold"];

/// What is tried, and at what.
pub struct Thief<'a> {
    pub api: &'a Server,
    /// A key of every scope, by which things are set up.
    pub all: &'a str,
    pub vault: String,
    /// Waits for signers.
    pub large: &'a Payment,
    /// Is held.
    pub held: &'a Payment,
    /// The secrets of all keys.
    pub secrets: Vec<String>,
}

impl Thief<'_> {
    /// Everything that lets something go on, or shows something.
    pub async fn tries(&self, key: &str) {
        let document = tidelock_api::document().unwrap();
        let document: Value = serde_json::from_str(&document).unwrap();
        let schema = &document["components"]["schemas"]["ActRequest"]["properties"]["act"];
        let words = schema["pattern"].as_str().unwrap();
        let words = words.trim_matches(|c| "^($)".contains(c)).split('|');
        let acts: Vec<&str> = words.filter(|word| !STOPS.contains(word)).collect();
        assert!(acts.contains(&"release") && acts.contains(&"resume"));
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let name = operation["operationId"].as_str().unwrap();
                let place = self.place(path).await;
                for body in self.bodies(name, operation, &acts) {
                    self.asks(key, name, (method, &place), &body).await;
                }
            }
        }
    }

    /// What stops the keeper or a payment.
    pub async fn stops(&self, key: &str) {
        for act in STOPS {
            let body = self.act(act);
            self.asks(key, "act", ("post", "/v1/acts"), &body).await;
        }
    }

    /// Where something is that an operation could be about; what asks for a second person is asked for anew.
    async fn place(&self, path: &str) -> String {
        let id = match path.split('/').nth(2) {
            Some("vaults") => self.vault.clone(),
            Some("acts") if path.contains('{') => {
                let asked = self.api.tell(self.all, "/v1/acts", self.act("release"));
                asked.await.of(201)["id"].to_string()
            }
            Some("approvals") => {
                let item = waiting(self.api, self.all, &|_| true).await;
                item["id"].as_str().unwrap().to_owned()
            }
            Some("changes") => format!("0x{:064}", 1),
            _ => "0000000000000000".to_owned(),
        };
        let reference = self.large.reference().to_string();
        path.replace("{ref}", &reference).replace("{id}", &id)
    }

    fn act(&self, word: &str) -> Value {
        let mut act = json!({"act": word, "reason": "let it go"});
        if !["resume", "halt"].contains(&word) {
            act["ref"] = json!(self.held.reference());
        }
        act
    }

    /// What is sent to an operation. One of the document that takes something and is not here is not tried, and fails.
    fn bodies(&self, name: &str, operation: &Value, acts: &[&str]) -> Vec<Value> {
        let mut elsewhere = body(self.large);
        elsewhere["to"] = json!("0x1111111111111111111111111111111111111111");
        let vote = json!({
            "signer": "0x1111111111111111111111111111111111111111",
            "signature": format!("0x{}1b", "11".repeat(64)),
        });
        match name {
            "act" => acts.iter().map(|word| self.act(word)).collect(),
            "confirmAct" | "refuseAct" | "endKey" => vec![json!({"reason": "yes"})],
            "askForKey" => {
                vec![json!({"name": "nobody", "scopes": "operate", "days": "1", "reason": "x"})]
            }
            "fileWithdrawal" => vec![elsewhere, body(self.held)],
            "fileWithdrawals" => vec![json!([elsewhere]), json!([body(self.held)])],
            "quoteWithdrawal" => vec![body(self.large), body(self.held)],
            "addSignature" | "addChangeSignature" => vec![vote],
            _ => {
                let takes = operation.get("requestBody");
                assert!(takes.is_none(), "nothing is tried at {name}");
                vec![Value::Null]
            }
        }
    }

    async fn asks(&self, key: &str, name: &str, (method, place): (&str, &str), body: &Value) {
        let request =
            Api::client().request(method.to_uppercase().parse().unwrap(), self.api.url(place));
        let mut request = request.header("authorization", format!("Bearer {key}"));
        if !body.is_null() {
            request = request.header("content-type", "application/json");
            request = request.body(body.to_string());
        }
        if ["streamEvents", "openEventSocket"].contains(&name) {
            let answer = request.send().await.unwrap();
            assert!(answer.status().as_u16() < 500, "{name}");
            return;
        }
        let answer = Api::send_in_time(request).await;
        let words = format!("{name} {body}: {} {}", answer.status, answer.text);
        assert!(answer.status < 500, "{words}");
        // Nobody is told a key, but of their own making.
        let told = self
            .secrets
            .iter()
            .find(|secret| answer.text.contains(*secret));
        assert_eq!(told, None, "{words}");
        assert!(
            name == "askForKey" || !answer.text.contains("tlk_"),
            "{words}"
        );
        let is_refused = (400..500).contains(&answer.status);
        match name {
            "confirmAct" | "addSignature" | "addChangeSignature" | "endKey" => {
                assert!(is_refused, "{words}");
            }
            "act"
                if !is_refused
                    && ["release", "resume"].contains(&body["act"].as_str().unwrap()) =>
            {
                assert_eq!(answer.json()["deed"]["step"], "asked", "{words}");
            }
            "fileWithdrawal" | "fileWithdrawals" if body.to_string().contains("0x1111") => {
                assert!(is_refused, "{words}");
            }
            _ => {}
        }
    }
}
