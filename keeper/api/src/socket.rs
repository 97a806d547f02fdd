//! `/v1/events/socket`: the same events by WebSocket, with the same cursor.

use std::time::Duration;

use axum::{
    extract::{
        Extension, Query, State,
        ws::{Message, WebSocket, WebSocketUpgrade},
    },
    http::HeaderMap,
    response::Response,
};
use tokio::time::sleep;

use crate::{
    App,
    access::MayRead,
    door::Turn,
    events::{Following, StreamParameters},
    figures::Kind,
    problem::Problem,
};

/// Bytes of a message to the server, which says nothing that is read.
const LONGEST: usize = 1_024;
/// Between two signs of life of a socket on which nothing happens.
const QUIET: Duration = Duration::from_secs(15);

/// Streams what happens, by WebSocket
///
/// Each event is one text message, as in a page; go on after the `sequence` of the last one. What is sent to the server is not read. It ends as the
/// stream does.
#[utoipa::path(get, path = "/v1/events/socket", operation_id = "openEventSocket", tag = "events",
    params(StreamParameters, ("Last-Event-ID" = Option<String>, Header, description = "The `id` of the last event that was read")),
    responses(
        (status = 101, description = "Events, until either side ends"),
        (status = 422, description = "A parameter breaks a rule", body = Problem, content_type = "application/problem+json"),
        (status = "default", description = "Any other refusal", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = ["read"])))]
pub(crate) async fn open(
    MayRead(caller): MayRead,
    State(app): State<App>,
    Extension(turn): Extension<Turn>,
    headers: HeaderMap,
    Query(given): Query<Vec<(String, String)>>,
    upgrade: WebSocketUpgrade,
) -> Result<Response, Problem> {
    let following = Following::open(app, Kind::Socket, caller, &headers, &given).await?;
    let upgrade = upgrade.max_message_size(LONGEST).max_frame_size(LONGEST);
    Ok(upgrade.on_upgrade(async move |socket| {
        tell(socket, following).await;
        // It was a connection all the time.
        drop(turn);
    }))
}

async fn tell(mut socket: WebSocket, mut following: Following) {
    loop {
        let message = tokio::select! {
            line = following.next() => line.map(|line| Message::Text(line.message)),
            // Pings are answered and the end is noticed while it is listened to.
            heard = socket.recv() => match heard {
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                Some(Ok(_)) => continue,
            },
            () = sleep(QUIET) => Some(Message::Ping(Vec::new().into())),
        };
        let is_over = message.is_none();
        let message = message.unwrap_or(Message::Close(None));
        if socket.send(message).await.is_err() || is_over {
            return;
        }
    }
}
