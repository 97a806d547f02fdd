//! Refusals, as `application/problem+json` (RFC 9457). Each says what, and of each bad value its field and rule; none says anything
//! that is secret, or what another's payment is.

use axum::{
    body::Body,
    http::{
        HeaderValue, StatusCode,
        header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE},
    },
    response::{IntoResponse, Response},
};
use serde::Serialize;
use tidelock_store::StoreError;
use tracing::error;
use utoipa::ToSchema;

use crate::keys::KeysError;

/// What every refusal is sent as.
pub(crate) const PROBLEM_JSON: &str = "application/problem+json";
/// Characters of a bad value that are repeated.
const REPEATED: usize = 200;

/// Why a request was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Problem {
    /// What kind of problem: `urn:tidelock:problem:` and a word that never changes its meaning.
    #[serde(rename = "type")]
    #[schema(example = "urn:tidelock:problem:invalid")]
    pub kind: String,
    /// The kind in words.
    pub title: String,
    /// The HTTP status.
    #[schema(minimum = 400, maximum = 599)]
    pub status: u16,
    /// What happened, and what to do about it.
    pub detail: String,
    /// Each value that breaks a rule.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<Broken>,
    #[serde(skip)]
    retry_after: Option<u32>, // [seconds]
}

/// A value that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Broken {
    /// The field, header or parameter.
    pub field: String,
    /// What was given, or its beginning.
    pub value: String,
    /// What it must be.
    pub rule: String,
    /// The line it stands on, of a list; from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
}

impl Broken {
    pub(crate) fn new(field: impl Into<String>, value: &str, rule: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            value: value.chars().take(REPEATED).collect(),
            rule: rule.into(),
            line: None,
        }
    }

    pub(crate) fn on_line(mut self, line: u64) -> Self {
        self.line = Some(line);
        self
    }
}

impl Problem {
    fn new(status: StatusCode, kind: &str, detail: impl Into<String>) -> Self {
        Self {
            kind: format!("urn:tidelock:problem:{kind}"),
            title: status.canonical_reason().unwrap_or("Refused").to_owned(),
            status: status.as_u16(),
            detail: detail.into(),
            errors: Vec::new(),
            retry_after: None,
        }
    }

    /// Whether the same, asked again, would be refused again: then its asker has to change something.
    pub fn is_for_good(&self) -> bool {
        let is_askers = (400..500).contains(&self.status);
        is_askers && !matches!(self.status, 408 | 429)
    }

    /// 422: values break rules.
    pub(crate) fn invalid(errors: Vec<Broken>) -> Self {
        let detail = match errors.as_slice() {
            [one] => format!("{}: {}", one.field, one.rule),
            several => format!("{} values break rules", several.len()),
        };
        Self {
            errors,
            ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", detail)
        }
    }

    /// 422: one value breaks a rule.
    pub(crate) fn broken(field: &str, value: &str, rule: impl Into<String>) -> Self {
        Self::invalid(vec![Broken::new(field, value, rule)])
    }

    /// 409: refs that were used for something else. What for is not said.
    pub(crate) fn taken(errors: Vec<Broken>) -> Self {
        let detail = "a ref is for one payment, ever: nothing was filed";
        Self {
            errors,
            ..Self::new(StatusCode::CONFLICT, "ref-taken", detail)
        }
    }

    /// 409: what stands now forbids it.
    pub(crate) fn conflict(kind: &str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, kind, detail)
    }

    /// 400: what cannot be read at all.
    pub(crate) fn unreadable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "unreadable", detail)
    }

    /// 401: nobody knows who asks.
    pub(crate) fn unknown_key() -> Self {
        let detail = "the header Authorization must be `Bearer` and an API key that is known and has not ended, or a session must have begun at /sign-in";
        Self::new(StatusCode::UNAUTHORIZED, "unknown-key", detail)
    }

    /// 401: a sign-in did not come to its end.
    pub(crate) fn not_signed_in(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "not-signed-in", detail)
    }

    /// 403: a page of somebody else may have sent it.
    pub(crate) fn cross_site() -> Self {
        let detail =
            "a session is for pages of this server alone: the header Origin must be its own";
        Self::new(StatusCode::FORBIDDEN, "cross-site", detail)
    }

    /// 403: signed in, and nothing is granted.
    pub(crate) fn granted_nothing() -> Self {
        let detail = "no group of yours is granted anything here: whoever runs this server sets serve.sign_in.grants";
        Self::new(StatusCode::FORBIDDEN, "granted-nothing", detail)
    }

    /// 403: the key is known, and may not do this.
    pub(crate) fn not_allowed(scope: &str) -> Self {
        let detail = format!("this key or person lacks the scope {scope}");
        Self::new(StatusCode::FORBIDDEN, "not-allowed", detail)
    }

    /// 403: the key is known, and may not be used there.
    pub(crate) fn not_from_there(rule: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "not-from-there", rule)
    }

    /// 404: nothing is there.
    pub(crate) fn missing(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "missing", detail)
    }

    /// 413: too much at once.
    pub(crate) fn too_large(most: usize) -> Self {
        let detail = format!("the body must have at most {most} bytes");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", detail)
    }

    /// 415: another media type.
    pub(crate) fn media_type(known: &str) -> Self {
        let detail = format!("the header Content-Type must be {known}");
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "media-type", detail)
    }

    /// 429: too often.
    pub(crate) fn too_often() -> Self {
        let detail = "more requests in a second than this key may make; try again later";
        Self {
            retry_after: Some(1),
            ..Self::new(StatusCode::TOO_MANY_REQUESTS, "too-often", detail)
        }
    }

    /// 408: it came or was answered too slowly.
    pub(crate) fn too_slow() -> Self {
        let detail = "not done in time; ask again: a ref is filed once, however often it is sent";
        Self::new(StatusCode::REQUEST_TIMEOUT, "too-slow", detail)
    }

    /// 503: for now.
    pub(crate) fn unavailable(detail: impl Into<String>) -> Self {
        Self {
            retry_after: Some(1),
            ..Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail)
        }
    }

    /// 503: two nodes say different things, so nothing is told.
    pub(crate) fn nodes_differ() -> Self {
        let detail = "the two nodes that this server asks say different things of it, so neither is told; whoever runs it sees what in its log";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "nodes-differ", detail)
    }

    /// 500: a mistake of this program.
    pub(crate) fn internal() -> Self {
        let detail =
            "the answer broke off; ask again: a ref is filed once, however often it is sent";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail)
    }

    /// What a status says that was answered without words of ours.
    pub(crate) fn of_status(status: StatusCode) -> Self {
        let (kind, detail) = match status {
            StatusCode::METHOD_NOT_ALLOWED => (
                "method-not-allowed",
                "this path takes other methods; the header Allow names them",
            ),
            StatusCode::NOT_FOUND => (
                "missing",
                "there is nothing at this path; see /openapi.json",
            ),
            _ => ("refused", "the request cannot be read"),
        };
        Self::new(status, kind, detail)
    }
}

/// What the store says goes to whoever runs it, not to whoever asks.
impl From<StoreError> for Problem {
    fn from(cause: StoreError) -> Self {
        error!(%cause, "the store");
        Self::unavailable(
            "the store cannot be used just now; whether what was asked is durable is not known. Ask again: a ref is filed once",
        )
    }
}

/// A value that no key may have is told; what is wrong with the file is not.
impl From<KeysError> for Problem {
    fn from(cause: KeysError) -> Self {
        match cause {
            KeysError::Value { field, value, rule } => Self::broken(field, &value, rule),
            KeysError::Unknown { id } => Self::missing(format!("key {id}: there is none")),
            cause => {
                error!(%cause, "the file of API keys");
                Self::unavailable("the keys cannot be changed just now; ask again")
            }
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let text = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = Response::new(Body::from(text));
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        if let Some(seconds) = self.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == StatusCode::UNAUTHORIZED.as_u16() {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
