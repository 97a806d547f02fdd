//! The examples of docs/examples: clients that others' tools make from the document pay many people, each once.

use std::{fs, process::Command};

use super::{
    chain::{beside, key},
    daemon::{each_paid_once, small},
    support::Kind,
    withdrawals::csv,
    world::repository,
};

fn run(command: &mut Command) -> String {
    let done = command.output().unwrap();
    let (out, err) = (
        String::from_utf8_lossy(&done.stdout),
        String::from_utf8_lossy(&done.stderr),
    );
    assert!(done.status.success(), "{command:?}: {out}{err}");
    out.into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_made_from_the_document_pay_many_people() {
    let (world, daemon, api) = beside(Kind::Sqlite).await;
    let (folder, url) = (daemon.folder().to_owned(), api.url(""));
    let payments = small(0..60);
    let (first, second) = payments.split_at(30);
    fs::write(folder.join("first.csv"), csv(first)).unwrap();
    fs::write(folder.join("second.csv"), csv(second)).unwrap();
    let key = key(&folder, "request,read");
    fs::write(folder.join("key"), key).unwrap();
    let work = tokio::task::spawn_blocking(move || {
        let tools = repository().join("target/api-tools/bin");
        assert!(
            tools.exists(),
            "{}: scripts/api-tools makes it",
            tools.display()
        );
        let path = format!("{}:{}", tools.display(), std::env::var("PATH").unwrap());
        let examples = repository().join("docs/examples");
        let mut make = Command::new("openapi-python-client");
        make.args([
            "generate",
            "--meta",
            "none",
            "--output-path",
            "tidelock_client",
            "--path",
        ]);
        make.arg(repository().join("keeper/api/openapi.json"));
        run(make.current_dir(&folder).env("PATH", &path));
        // The second time nothing is filed.
        for new in [30, 0] {
            let mut pay = Command::new(tools.join("python"));
            pay.arg(examples.join("python/pay.py"))
                .args([&url, "key", "first.csv"]);
            let said = run(pay.current_dir(&folder).env("PYTHONPATH", &folder));
            assert!(
                said.contains(&format!("30 requests are durable, {new} of them new")),
                "{said}"
            );
            assert!(said.contains("30 are paid"), "{said}");
        }
        let typescript = examples.join("typescript");
        assert!(
            typescript.join("node_modules").exists(),
            "{}: npm ci there makes node_modules",
            typescript.display()
        );
        run(Command::new("npm")
            .args(["run", "--silent", "build"])
            .current_dir(&typescript));
        let mut pay = Command::new("node");
        pay.arg(typescript.join("build/pay.js"))
            .args([&url, "key", "second.csv"]);
        let said = run(pay.current_dir(&folder));
        assert!(
            said.contains("30 requests are durable, 30 of them new"),
            "{said}"
        );
        assert!(said.contains("30 are paid"), "{said}");
        fs::write(folder.join("bad.csv"), "ref,recipient,amount\nx,0x12,1e3\n").unwrap();
        let mut pay = Command::new("node");
        pay.arg(typescript.join("build/pay.js"))
            .args([&url, "key", "bad.csv"]);
        let refused = pay.current_dir(&folder).output().unwrap();
        let why = String::from_utf8_lossy(&refused.stderr);
        assert!(
            !refused.status.success() && why.contains("row 1: ref"),
            "{why}"
        );
    });
    work.await.unwrap();
    each_paid_once(&world, &payments).await;
}
