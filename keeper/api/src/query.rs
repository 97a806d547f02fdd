//! Parameters of a query: each known one once, and no other.

use axum::http::HeaderMap;

use crate::problem::{Broken, Problem};

/// Entries of one page, unless another number is asked for.
pub(crate) const PAGE: u32 = 100;

/// Reads every parameter with `take`, which answers none for one that it does not know. Every bad one is named.
pub(crate) fn read(
    given: &[(String, String)],
    known: &str,
    mut take: impl FnMut(&str, &str) -> Option<Result<(), &'static str>>,
) -> Result<(), Problem> {
    let mut broken = Vec::new();
    for (place, (name, text)) in given.iter().enumerate() {
        let is_twice = given.iter().take(place).any(|(before, _)| before == name);
        let rule = match take(name, text) {
            None => format!("no such parameter; known here: {known}"),
            Some(_) if is_twice => "is there twice".to_owned(),
            Some(Err(rule)) => rule.to_owned(),
            Some(Ok(())) => continue,
        };
        broken.push(Broken::new(name, text, rule));
    }
    if broken.is_empty() {
        Ok(())
    } else {
        Err(Problem::invalid(broken))
    }
}

/// The text of a header, if it is there: once, or nobody knows which of them is meant.
pub(crate) fn header<'h>(
    headers: &'h HeaderMap,
    name: &str,
    rule: &str,
) -> Result<Option<&'h str>, Problem> {
    let mut given = headers.get_all(name).iter();
    let Some(first) = given.next() else {
        return Ok(None);
    };
    let text = first.to_str();
    let text = text.map_err(|_| Problem::broken(name, "", rule))?;
    match given.next() {
        Some(_) => Err(Problem::broken(name, text, "is there twice")),
        None => Ok(Some(text)),
    }
}

/// Puts what was read where it belongs.
pub(crate) fn put<T>(
    place: &mut T,
    read: Result<T, &'static str>,
) -> Option<Result<(), &'static str>> {
    Some(read.map(|value| *place = value))
}

/// After what, and how many.
pub(crate) fn page(given: &[(String, String)]) -> Result<(u64, u32), Problem> {
    let (mut after, mut limit) = (0, PAGE);
    read(given, "after, limit", |name, text| match name {
        "after" => put(&mut after, sequence(text)),
        "limit" => put(&mut limit, self::limit(text)),
        _ => None,
    })?;
    Ok((after, limit))
}

/// A number that a database can hold.
pub(crate) fn sequence(text: &str) -> Result<u64, &'static str> {
    let sequence = text.parse::<u64>().ok();
    let sequence = sequence.filter(|sequence| i64::try_from(*sequence).is_ok());
    sequence.ok_or("must be a whole number below 2^63")
}

/// How many of a page.
pub(crate) fn limit(text: &str) -> Result<u32, &'static str> {
    let limit = text.parse().ok();
    let limit = limit.filter(|limit| (1..=LONGEST_PAGE).contains(limit));
    limit.ok_or("must be 1 to 1000")
}

const LONGEST_PAGE: u32 = 1_000;

#[cfg(test)]
mod tests {
    use super::*;

    /// Fields and rules of what is refused.
    fn refused(given: &[(&str, &str)]) -> Vec<(String, String)> {
        let given: Vec<(String, String)> = given
            .iter()
            .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
            .collect();
        let mut after = 0;
        let read = read(&given, "after", |name, text| match name {
            "after" => put(&mut after, sequence(text)),
            _ => None,
        });
        let errors = read.err().map(|problem| problem.errors).unwrap_or_default();
        errors
            .into_iter()
            .map(|one| (one.field, one.rule))
            .collect()
    }

    #[test]
    fn a_header_is_there_once() {
        let name = "Last-Event-ID";
        let mut headers = HeaderMap::new();
        let read = |headers: &HeaderMap| {
            header(headers, name, "a rule").map(|text| text.map(str::to_owned))
        };
        assert_eq!(read(&headers).unwrap(), None);
        headers.append("last-event-id", "1".parse().unwrap());
        assert_eq!(read(&headers).unwrap(), Some("1".to_owned()));
        headers.append("last-event-id", "2".parse().unwrap());
        let refused = read(&headers).unwrap_err().errors.pop().unwrap();
        assert_eq!(
            (refused.field.as_str(), refused.rule.as_str()),
            (name, "is there twice")
        );
    }

    #[test]
    fn each_known_one_once_and_no_other() {
        assert!(refused(&[]).is_empty());
        assert!(refused(&[("after", "9223372036854775807")]).is_empty());
        for bad in ["9223372036854775808", "-1", "", "x", "1.0"] {
            assert_eq!(refused(&[("after", bad)]).len(), 1, "{bad}");
        }
        let found = refused(&[("after", "1"), ("after", "1"), ("before", "1")]);
        assert_eq!(found[0], ("after".to_owned(), "is there twice".to_owned()));
        assert!(found[1].1.contains("known here: after"), "{found:?}");
    }
}
