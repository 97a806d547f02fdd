//! The fields of what is sent as JSON, each once.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};
use serde_json::Value;

use crate::problem::{Broken, Problem};

/// The fields of an object, in order, none left out.
pub(crate) struct Fields(Vec<(String, Given)>);

/// What a field was given: JSON alone would take the last of two fields of a name, in an object that is given too.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Given {
    /// An object's fields, in order, none left out.
    Object(Vec<(String, Value)>),
    /// Anything else.
    Plain(Value),
}

impl fmt::Display for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain(value) => value.fmt(f),
            Self::Object(fields) => {
                let each = fields.iter();
                let each =
                    each.map(|(name, value)| format!("{}:{value}", Value::from(name.as_str())));
                write!(f, "{{{}}}", each.collect::<Vec<_>>().join(","))
            }
        }
    }
}

impl<'de> Deserialize<'de> for Given {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        macro_rules! plain {
            ($($visit:ident: $of:ty),*) => {$(
                fn $visit<E>(self, value: $of) -> Result<Given, E> {
                    Ok(Given::Plain(Value::from(value)))
                }
            )*};
        }
        impl<'de> Visitor<'de> for Any {
            type Value = Given;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }

            plain!(visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_f64: f64, visit_str: &str, visit_string: String);

            fn visit_unit<E>(self) -> Result<Given, E> {
                Ok(Given::Plain(Value::Null))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Given, A::Error> {
                let mut all = Vec::new();
                while let Some(item) = items.next_element::<Value>()? {
                    all.push(item);
                }
                Ok(Given::Plain(Value::Array(all)))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Given, A::Error> {
                in_order(map).map(Given::Object)
            }
        }
        deserializer.deserialize_any(Any)
    }
}

fn in_order<'de, T: Deserialize<'de>, A: MapAccess<'de>>(
    mut map: A,
) -> Result<Vec<(String, T)>, A::Error> {
    let mut fields = Vec::new();
    while let Some(field) = map.next_entry()? {
        fields.push(field);
    }
    Ok(fields)
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Each;
        impl<'de> Visitor<'de> for Each {
            type Value = Fields;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Fields, A::Error> {
                in_order(map).map(Fields)
            }
        }
        deserializer.deserialize_map(Each)
    }
}

impl Fields {
    /// Each of them.
    pub fn each(&self) -> &[(String, Given)] {
        &self.0
    }

    /// The text of each known field, if it is there. Nothing else may be there, and nothing twice.
    pub fn texts<const N: usize>(
        &self,
        names: [&str; N],
    ) -> Result<[Option<&str>; N], Vec<Broken>> {
        self.texts_beside(names, None)
    }

    /// The same beside a field that is no text.
    pub fn texts_beside<const N: usize>(
        &self,
        names: [&str; N],
        other: Option<&str>,
    ) -> Result<[Option<&str>; N], Vec<Broken>> {
        let mut broken = Vec::new();
        let mut found = [None; N];
        for (name, value) in &self.0 {
            if other == Some(name) {
                continue;
            }
            let places = names.iter().zip(&mut found);
            let Some((_, place)) = places.into_iter().find(|(field, _)| **field == *name) else {
                let known = names.into_iter().chain(other).collect::<Vec<_>>();
                let rule = format!("no such field; known here: {}", known.join(", "));
                broken.push(Broken::new(name, &value.to_string(), rule));
                continue;
            };
            let rule = match value {
                _ if place.is_some() => "is there twice",
                Given::Plain(Value::String(text)) => {
                    *place = Some(text.as_str());
                    continue;
                }
                _ if name == "amount" => {
                    "must be a string of decimal digits, such as \"12.5\": a number may not keep its value"
                }
                _ => "must be a string",
            };
            *place = Some("");
            broken.push(Broken::new(name, &value.to_string(), rule));
        }
        if broken.is_empty() {
            Ok(found)
        } else {
            Err(broken)
        }
    }
}

/// The fields of a JSON object.
pub(crate) fn fields(bytes: &[u8]) -> Result<Fields, Problem> {
    serde_json::from_slice(bytes).map_err(|error| {
        let why = if error.is_data() {
            "must be a JSON object".to_owned()
        } else {
            format!("must be JSON: {error}")
        };
        Problem::unreadable(format!("body: {why}"))
    })
}

/// The texts of fields that all must be there.
pub(crate) fn texts<const N: usize>(
    bytes: &[u8],
    names: [&str; N],
) -> Result<[String; N], Problem> {
    let fields = fields(bytes)?;
    let found = fields.texts(names).map_err(Problem::invalid)?;
    let missing = names.iter().zip(&found).filter(|(_, text)| text.is_none());
    let missing: Vec<Broken> = missing
        .map(|(name, _)| Broken::new(*name, "", "must be given"))
        .collect();
    if missing.is_empty() {
        Ok(found.map(|text| text.unwrap_or_default().to_owned()))
    } else {
        Err(Problem::invalid(missing))
    }
}
