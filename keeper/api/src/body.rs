//! What is sent: read up to a limit, and held to its rules field by field.

use axum::{
    body::{Body, Bytes, to_bytes},
    extract::Request,
    http::{HeaderMap, header::CONTENT_TYPE},
};
use http_body_util::LengthLimitError;
use std::error::Error;
use tidelock_core::domain::{Address, Payment, PaymentRef};
use tidelock_lists::{REF_RULE, never_paid, read_payment};

use crate::{
    fields::{Fields, fields},
    metadata,
    problem::{Broken, Problem},
};

/// Bytes of one request, alone or as a line of a list: read as JSON it takes many times that.
pub(crate) const LONGEST: usize = 16_384;

/// The media type without its parameters, in lower case.
pub(crate) fn media_type(headers: &HeaderMap) -> String {
    let value = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let kind = value.and_then(|value| value.split(';').next());
    kind.unwrap_or_default().trim().to_ascii_lowercase()
}

/// Refuses what is not said to be JSON.
pub(crate) fn must_be_json(headers: &HeaderMap) -> Result<(), Problem> {
    if media_type(headers) == "application/json" {
        Ok(())
    } else {
        Err(Problem::media_type("application/json"))
    }
}

/// All of a body, if it has at most so many bytes.
pub(crate) async fn read(request: Request, most: usize) -> Result<Bytes, Problem> {
    let body: Body = request.into_body();
    to_bytes(body, most).await.map_err(|error| {
        let is_long = error
            .source()
            .is_some_and(|source| source.is::<LengthLimitError>());
        if is_long {
            Problem::too_large(most)
        } else {
            Problem::unreadable("the body broke off")
        }
    })
}

/// A request that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    /// What is to be paid.
    pub payment: Payment,
    /// What is noted beside it, as JSON.
    pub metadata: Option<String>,
}

/// What payments are held to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules {
    /// The token's.
    pub decimals: u8,
    /// Recipients that no vault ever pays: itself, and its token.
    pub vault: Address,
    pub token: Address,
}

const FIELDS: [&str; 3] = ["ref", "to", "amount"];

impl Rules {
    /// Reads a request. `key` is what the header Idempotency-Key says. Every broken rule is named, not only the first.
    pub fn read(&self, bytes: &[u8], key: Option<&str>) -> Result<Asked, Problem> {
        self.asked(&fields(bytes)?, key).map_err(Problem::invalid)
    }

    /// Reads what is only asked about: under a ref if there is one, or else under that one.
    pub fn read_or(&self, bytes: &[u8], any: &str) -> Result<Payment, Problem> {
        let fields = fields(bytes)?;
        let texts = fields.texts(FIELDS).map_err(Problem::invalid)?;
        let [reference, to, amount] = texts;
        let reference = reference.or(Some(any));
        self.payment([reference, to, amount], None)
            .map_err(Problem::invalid)
    }

    /// Reads a request that is a line of a list.
    pub fn read_line(&self, text: &str) -> Result<Asked, Vec<Broken>> {
        if text.len() > LONGEST {
            let rule = format!("must have at most {LONGEST} bytes");
            return Err(vec![Broken::new("line", text, rule)]);
        }
        let read = serde_json::from_str::<Fields>(text);
        let rule = |_| vec![Broken::new("line", text, "must be a JSON object")];
        self.asked(&read.map_err(rule)?, None)
    }

    /// Reads a row of a table: its ref, recipient and amount.
    pub fn read_row(
        &self,
        [reference, to, amount]: &[Option<String>; 3],
    ) -> Result<Asked, Vec<Broken>> {
        let texts = [reference, to, amount].map(Option::as_deref);
        let renamed = |one: Broken| match one.field.as_str() {
            "to" => Broken {
                field: "recipient".to_owned(),
                ..one
            },
            "ref" if one.value.is_empty() => Broken {
                rule: "must be given".to_owned(),
                ..one
            },
            _ => one,
        };
        match self.payment(texts, None) {
            Ok(payment) => Ok(Asked {
                payment,
                metadata: None,
            }),
            Err(broken) => Err(broken.into_iter().map(renamed).collect()),
        }
    }

    /// The same of fields that were read.
    fn asked(&self, fields: &Fields, key: Option<&str>) -> Result<Asked, Vec<Broken>> {
        let texts = fields.texts_beside(FIELDS, Some(metadata::FIELD))?;
        let payment = self.payment(texts, key);
        match (payment, metadata::read(fields.each())) {
            (Ok(payment), Ok(metadata)) => Ok(Asked { payment, metadata }),
            (payment, metadata) => {
                let of_payment = payment.err().unwrap_or_default();
                let of_metadata = metadata.err().unwrap_or_default();
                Err(of_payment.into_iter().chain(of_metadata).collect())
            }
        }
    }

    /// All that is wrong is told at once: the others are read even if the ref is bad.
    fn payment(
        &self,
        [reference, to, amount]: [Option<&str>; 3],
        key: Option<&str>,
    ) -> Result<Payment, Vec<Broken>> {
        let reference = reference_of(reference, key);
        let given = reference.as_ref().copied();
        let given = given.unwrap_or(PaymentRef([0; 16]));
        let payment = match (to, amount) {
            (Some(to), Some(amount)) => self.read_texts(given, to, amount),
            (to, amount) => {
                let missing = [("to", to), ("amount", amount)].into_iter();
                let missing = missing.filter(|(_, value)| value.is_none());
                Err(missing
                    .map(|(name, _)| Broken::new(name, "", "must be given"))
                    .collect())
            }
        };
        match (reference, payment) {
            (Ok(_), Ok(payment)) => Ok(payment),
            (reference, payment) => {
                let of_payment = payment.err().unwrap_or_default();
                Err(reference.err().into_iter().chain(of_payment).collect())
            }
        }
    }

    fn read_texts(
        &self,
        reference: PaymentRef,
        to: &str,
        amount: &str,
    ) -> Result<Payment, Vec<Broken>> {
        let payment = read_payment(reference, to, amount, self.decimals).map_err(|error| {
            let (field, value, rule) = error.parts();
            let field = if field == "recipient" { "to" } else { field };
            vec![Broken::new(field, &value, rule)]
        })?;
        match self.refusal(&payment) {
            None => Ok(payment),
            Some(rule) => Err(vec![Broken::new("to", to, rule)]),
        }
    }

    /// Why no vault would ever pay it, if that is so.
    pub fn refusal(&self, payment: &Payment) -> Option<&'static str> {
        never_paid(payment, self.vault, self.token)
    }
}

/// The ref, from the body, the header or both.
fn reference_of(field: Option<&str>, key: Option<&str>) -> Result<PaymentRef, Broken> {
    let read = |name: &str, text: &str| {
        text.parse::<PaymentRef>()
            .map_err(|_| Broken::new(name, text, REF_RULE))
    };
    match (field, key) {
        (None, None) => Err(Broken::new(
            "ref",
            "",
            "must be given, here or as Idempotency-Key",
        )),
        (Some(text), None) => read("ref", text),
        (None, Some(key)) => read("Idempotency-Key", key),
        (Some(text), Some(key)) => {
            let (reference, key_ref) = (read("ref", text)?, read("Idempotency-Key", key)?);
            if reference == key_ref {
                Ok(reference)
            } else {
                Err(Broken::new(
                    "Idempotency-Key",
                    key,
                    "must be the ref of the body",
                ))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REF: &str = "01234567-89ab-cdef-0123-456789abcdef";
    const TO: &str = "0x1111111111111111111111111111111111111111";

    fn rules() -> Rules {
        Rules {
            decimals: 6,
            vault: Address::repeat_byte(0xa1),
            token: Address::repeat_byte(0xa3),
        }
    }

    /// Field and rule of each broken one.
    fn broken(body: &str, key: Option<&str>) -> Vec<(String, String)> {
        let problem = rules().read(body.as_bytes(), key).unwrap_err();
        let errors = problem.errors.into_iter();
        errors.map(|one| (one.field, one.rule)).collect()
    }

    #[test]
    fn a_request_is_read() {
        let body = format!(r#"{{"ref":"{REF}","to":"{TO}","amount":"12.5"}}"#);
        let asked = rules().read(body.as_bytes(), None).unwrap();
        assert_eq!(asked.payment.amount().0, 12_500_000);
        let body = format!(r#"{{"to":"{TO}","amount":"12.5"}}"#);
        assert_eq!(rules().read(body.as_bytes(), Some(REF)).unwrap(), asked);
        let ulid = "014D2PF2DBSQQG28T5CY4TQKFF";
        assert_eq!(rules().read(body.as_bytes(), Some(ulid)).unwrap(), asked);
    }

    #[test]
    fn amounts_are_never_numbers_and_fields_are_never_guessed() {
        let with = |rest: &str| format!(r#"{{"ref":"{REF}","to":"{TO}",{rest}}}"#);
        for (rest, field, rule) in [
            (r#""amount":12.5"#, "amount", "must be a string"),
            (r#""amount":null"#, "amount", "must be a string"),
            (r#""amount":"1","amount":"2""#, "amount", "is there twice"),
            (r#""amount":"1","Amount":"2""#, "Amount", "no such field"),
            (r#""amount":"1e3""#, "amount", "only digits"),
            (r#""amount":"-1""#, "amount", "only digits"),
            (r#""amount":"0""#, "amount", "more than 0"),
            (r#""amount":"0.0000001""#, "amount", "at most the token's 6"),
            (
                r#""amount":"99999999999999999999999999""#,
                "amount",
                "below",
            ),
            (r#""note":"x""#, "note", "no such field"),
        ] {
            let found = broken(&with(rest), None);
            let fits = found
                .iter()
                .any(|(one, said)| one == field && said.contains(rule));
            assert!(fits, "{rest}: {found:?}");
        }
    }

    #[test]
    fn all_that_is_wrong_is_told_at_once() {
        let found = broken(r#"{"ref":"x","to":"0x12","amount":"1"}"#, None);
        let fields: Vec<&str> = found.iter().map(|(field, _)| field.as_str()).collect();
        assert_eq!(fields, ["ref", "to"]);
        let found = broken("{}", None);
        let fields: Vec<&str> = found.iter().map(|(field, _)| field.as_str()).collect();
        assert_eq!(fields, ["ref", "to", "amount"]);
        let body = format!(r#"{{"ref":"{REF}","to":"{TO}","amount":"1"}}"#);
        let other = "0x000102030405060708090a0b0c0d0e0f";
        assert_eq!(broken(&body, Some(other))[0].0, "Idempotency-Key");
    }

    #[test]
    fn nobody_pays_the_vault_or_the_token() {
        for to in [rules().vault, rules().token] {
            let body = format!(r#"{{"ref":"{REF}","to":"{to}","amount":"1"}}"#);
            assert_eq!(broken(&body, None)[0].0, "to");
        }
    }

    #[test]
    fn what_is_no_object_is_unreadable() {
        for body in ["", "[]", "\"x\"", "{", "{}x", "\u{0}"] {
            let problem = rules().read(body.as_bytes(), None).unwrap_err();
            assert_eq!(problem.status, 400, "{body:?}");
        }
    }
}
