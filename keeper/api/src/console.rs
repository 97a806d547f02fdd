//! The console at `/`: the page of `keeper/console`, as `vite build` made it, if it was built in. It needs no key: it is the same for
//! everybody, and says nothing of payments before somebody shows one.

use axum::Router;

use crate::App;

/// Nothing: this build has no page.
#[cfg(not(feature = "console"))]
pub(crate) fn routes() -> Router<App> {
    Router::new()
}

#[cfg(feature = "console")]
pub(crate) use built_in::routes;

#[cfg(feature = "console")]
mod built_in {
    use axum::{
        http::{
            HeaderMap, HeaderValue,
            header::{
                ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE,
                REFERRER_POLICY, VARY,
            },
        },
        response::{IntoResponse, Response},
        routing::get,
    };

    use super::{App, Router};

    /// As the page states it of itself, and that nobody may put it into a frame, which only a header can say. Nodes are named by the
    /// page's user, so the page may ask any that speaks TLS, and any of this machine.
    const POLICY: &str = concat!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; ",
        "connect-src 'self' https: http://127.0.0.1:* http://localhost:*; base-uri 'none'; form-action 'none'; ",
        "require-trusted-types-for 'script'; trusted-types 'none'; frame-ancestors 'none'"
    );

    const INDEX: &[u8] = include_bytes!("../../../target/console/index.html");
    const SCRIPT: &[u8] = include_bytes!("../../../target/console/console.js");
    const SCRIPT_GZIP: &[u8] = include_bytes!("../../../target/console/console.js.gz");
    const STYLE: &[u8] = include_bytes!("../../../target/console/console.css");
    const ICON: &[u8] = include_bytes!("../../../target/console/icon.svg");

    pub(crate) fn routes() -> Router<App> {
        Router::new()
            .route("/", get(async || file("text/html; charset=utf-8", INDEX)))
            .route("/console.js", get(script))
            .route("/console.css", get(async || file("text/css", STYLE)))
            .route("/icon.svg", get(async || file("image/svg+xml", ICON)))
    }

    fn file(kind: &'static str, content: &'static [u8]) -> Response {
        let headers = [
            (CONTENT_TYPE, kind),
            (CONTENT_SECURITY_POLICY, POLICY),
            (REFERRER_POLICY, "no-referrer"),
        ];
        let headers = headers.map(|(name, value)| (name, HeaderValue::from_static(value)));
        (headers, content).into_response()
    }

    async fn script(asked: HeaderMap) -> Response {
        const KIND: &str = "text/javascript; charset=utf-8";
        let takes = asked
            .get(ACCEPT_ENCODING)
            .and_then(|text| text.to_str().ok());
        let takes_gzip =
            takes.is_some_and(|text| text.split(',').any(|each| each.trim() == "gzip"));
        let mut answer = file(KIND, if takes_gzip { SCRIPT_GZIP } else { SCRIPT });
        let headers = answer.headers_mut();
        headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
        if takes_gzip {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        answer
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn the_page_states_the_same_policy_of_itself() {
            let page = String::from_utf8_lossy(INDEX);
            let own = POLICY.strip_suffix("; frame-ancestors 'none'");
            assert!(own.is_some_and(|own| page.contains(own)));
        }
    }
}
