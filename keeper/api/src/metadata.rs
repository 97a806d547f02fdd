//! What a requester notes beside a withdrawal: a few short texts of their own. It may be personal, so it is kept beside the log and never in
//! it, no event has it, and it can be forgotten.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{fields::Given, problem::Broken};

/// The field of a request.
pub(crate) const FIELD: &str = "metadata";
/// Texts of one withdrawal.
const MOST: usize = 16;
/// Characters of a name.
const LONGEST_NAME: usize = 40;
/// Characters of a text.
const LONGEST_TEXT: usize = 500;

/// Names and texts.
pub(crate) type Metadata = BTreeMap<String, String>;

/// What is noted, as JSON; none if there is nothing.
pub(crate) fn read(fields: &[(String, Given)]) -> Result<Option<String>, Vec<Broken>> {
    let mut given = fields.iter().filter(|(name, _)| name == FIELD);
    let refused =
        |value: &Given, rule: &str| Err(vec![Broken::new(FIELD, &value.to_string(), rule)]);
    let Some((_, value)) = given.next() else {
        return Ok(None);
    };
    if given.next().is_some() {
        return refused(value, "is there twice");
    }
    let Given::Object(notes) = value else {
        return refused(value, "must be an object of strings");
    };
    if notes.len() > MOST {
        return refused(value, "must have at most 16 fields");
    }
    let mut broken = Vec::new();
    for (place, (name, text)) in notes.iter().enumerate() {
        let is_twice = notes.iter().take(place).any(|(before, _)| before == name);
        let rule = match text {
            _ if is_twice => "is there twice",
            _ if !is_name(name) => {
                "its name must have 1 to 40 letters, digits, dots, dashes or underscores"
            }
            Value::String(text) if text.chars().count() > LONGEST_TEXT => {
                "must have at most 500 characters"
            }
            // PostgreSQL holds no such character.
            Value::String(text) if text.contains('\0') => "must not contain the character 0",
            Value::String(_) => continue,
            _ => "must be a string",
        };
        broken.push(Broken::new(
            format!("{FIELD}.{name}"),
            &text.to_string(),
            rule,
        ));
    }
    match broken.is_empty() {
        true if notes.is_empty() => Ok(None),
        true => Ok(Some(Value::from_iter(notes.clone()).to_string())),
        false => Err(broken),
    }
}

fn is_name(name: &str) -> bool {
    let is_known = |letter: char| letter.is_ascii_alphanumeric() || ".-_".contains(letter);
    (1..=LONGEST_NAME).contains(&name.len()) && name.chars().all(is_known)
}

/// What was noted, as it is shown.
pub(crate) fn shown(body: Option<&String>) -> Option<Metadata> {
    body.and_then(|body| serde_json::from_str(body).ok())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn given(text: &str) -> Given {
        serde_json::from_str(text).unwrap()
    }

    fn refused(value: &Value) -> Vec<String> {
        let fields = [(FIELD.to_owned(), given(&value.to_string()))];
        let broken = read(&fields).err().unwrap_or_default();
        broken.into_iter().map(|one| one.field).collect()
    }

    #[test]
    fn it_is_bounded_on_every_side() {
        assert!(refused(&json!({"order": "A-1", "x.y_z-1": ""})).is_empty());
        let many = |count: usize| -> Value {
            let each = (0..count).map(|place| (place.to_string(), json!("x")));
            Value::Object(each.collect())
        };
        assert!(refused(&many(16)).is_empty());
        assert_eq!(refused(&many(17)), [FIELD]);
        assert!(refused(&json!({"a": "é".repeat(500)})).is_empty());
        assert_eq!(refused(&json!({"a": "é".repeat(501)})), ["metadata.a"]);
        assert!(refused(&json!({"a".repeat(40): "x"})).is_empty());
        assert_eq!(refused(&json!({"a".repeat(41): "x"})).len(), 1);
        for bad in [json!([]), json!("x"), json!(null), json!(1)] {
            assert_eq!(refused(&bad), [FIELD], "{bad}");
        }
        for bad in [
            json!({"": "x"}),
            json!({"a b": "x"}),
            json!({"a": 1}),
            json!({"a": "\u{0}"}),
        ] {
            assert_eq!(refused(&bad).len(), 1, "{bad}");
        }
        let twice = [
            (FIELD.to_owned(), given("{}")),
            (FIELD.to_owned(), given("{}")),
        ];
        assert!(read(&twice).is_err());
        assert_eq!(read(&twice[..1]), Ok(None));
        let twice = [(FIELD.to_owned(), given(r#"{"order":"A","order":"B"}"#))];
        assert_eq!(read(&twice).unwrap_err()[0].rule, "is there twice");
        let once = [(FIELD.to_owned(), given(r#"{"order":"A"}"#))];
        assert_eq!(read(&once), Ok(Some(r#"{"order":"A"}"#.to_owned())));
    }
}
