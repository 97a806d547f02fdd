//! The routes, and the document that is made from them.

use axum::Router;
use utoipa::{
    Modify, OpenApi,
    openapi::{
        OpenApi as Document,
        security::{Http, HttpAuthScheme, SecurityScheme},
    },
};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    App, CloudEvent, KeyedEvent, acts, admin, approvals, audit, bulk, changes, events, exports,
    health, keeper, quotes, second, sign_in, socket, vaults, withdrawals,
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Tidelock",
        description = "Files withdrawals with a keeper, and tells what becomes of them. Amounts are strings of decimal digits, in tokens.",
        license(name = "MIT", identifier = "MIT")
    ),
    modifiers(&Keyed),
    tags(
        (name = "withdrawals", description = "What was asked for"),
        (name = "events", description = "What happened"),
        (name = "vaults", description = "What may leave, and who may do what"),
        (name = "approvals", description = "What waits for signers"),
        (name = "acts", description = "What operators and administrators do, and what an auditor reads"),
        (name = "session", description = "Who asks, and how people sign in. Whoever signed in has a cookie, and a page of this server needs no key"),
        (name = "operation", description = "For whoever runs it; these need no key"),
    )
)]
struct Head;

/// What events are made of, for documents of those who tell them elsewhere.
#[derive(OpenApi)]
#[openapi(components(schemas(CloudEvent, KeyedEvent)))]
struct Events;

/// The schemas of events, by name.
pub fn event_schemas() -> Result<serde_json::Value, serde_json::Error> {
    let components = Events::openapi().components.unwrap_or_default();
    serde_json::to_value(components.schemas)
}

/// Callers show who they are by a key.
struct Keyed;

impl Modify for Keyed {
    fn modify(&self, document: &mut Document) {
        let components = document.components.get_or_insert_default();
        components.add_security_scheme(
            "key",
            SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)),
        );
    }
}

/// Every route, and the document of them.
pub(crate) fn routes() -> (Router<App>, Document) {
    OpenApiRouter::with_openapi(Head::openapi())
        .routes(routes!(withdrawals::file, withdrawals::list))
        .routes(routes!(bulk::file))
        .routes(routes!(exports::export))
        .routes(routes!(withdrawals::show))
        .routes(routes!(withdrawals::timeline))
        .routes(routes!(quotes::quote))
        .routes(routes!(vaults::list))
        .routes(routes!(vaults::show))
        .routes(routes!(approvals::list))
        .routes(routes!(approvals::sign))
        .routes(routes!(changes::sign))
        .routes(routes!(acts::act, acts::list))
        .routes(routes!(acts::show))
        .routes(routes!(second::confirm))
        .routes(routes!(second::refuse))
        .routes(routes!(admin::add, admin::list))
        .routes(routes!(admin::end))
        .routes(routes!(audit::log))
        .routes(routes!(keeper::show))
        .routes(routes!(sign_in::begin))
        .routes(routes!(sign_in::end))
        .routes(routes!(sign_in::who::offer))
        .routes(routes!(sign_in::who::show))
        .routes(routes!(sign_in::who::sign_out))
        .routes(routes!(events::page))
        .routes(routes!(events::stream))
        .routes(routes!(socket::open))
        .routes(routes!(health::healthz))
        .routes(routes!(health::readyz))
        .routes(routes!(health::document))
        .split_for_parts()
}

/// The OpenAPI document, as JSON; the same for the same code.
pub fn document() -> Result<String, serde_json::Error> {
    let mut text = routes().1.to_pretty_json()?;
    text.push('\n');
    Ok(text)
}
