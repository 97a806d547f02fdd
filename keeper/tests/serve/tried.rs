//! The API as others' tools find it: Schemathesis tries what the document says, and what it does not, and holds each answer to it.

use std::process::Command;

use super::{
    api::Api,
    support::{self, Kind},
    world::repository,
};

/// What it holds answers to. That refusals are refusals is what the other tests are for: a document says less than the rules do.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,\
    response_schema_conformance,unsupported_method,ignored_auth";

pub fn the_document_holds_for_whatever_is_asked(kind: Kind) {
    let (mut api, store) = Api::set_up(kind, |location| support::lively(location).0);
    store.close().unwrap();
    api.variables
        .push(("KEEPER_SERVE__REQUESTS_PER_SECOND", "1000000".to_owned()));
    api.start();
    let key = api.key("request,read,operate,audit,administer");
    let tool = repository().join("target/api-tools/bin/schemathesis");
    assert!(
        tool.exists(),
        "{}: scripts/api-tools makes it",
        tool.display()
    );
    let folder = tempfile::tempdir().unwrap();
    let done = Command::new(tool)
        .current_dir(folder.path())
        .args(["--no-color", "run", &api.url("/openapi.json")])
        .args(["--header", &format!("Authorization: Bearer {key}")])
        .args(["--checks", CHECKS, "--phases", "examples,coverage,fuzzing"])
        .args(["--max-examples", "15", "--seed", "1", "--no-shrink"])
        .args(["--generation-database", "none", "--request-timeout", "30"])
        .args(["--suppress-health-check", "all", "--continue-on-failure"])
        // A stream has no end.
        .args(["--exclude-path", "/v1/events/stream"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&done.stdout);
    let why = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{said}{why}");
    assert!(
        said.contains("Test cases:") && !said.contains("Tested: 0"),
        "{said}"
    );
    assert!(api.log().matches("panicked").count() == 0, "{}", api.log());
}
