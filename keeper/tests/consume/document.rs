//! The commands of docs/consuming.md do what it says, and its figures are served.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use tidelock_keeper::operations::CONSUMED;

use super::{
    broker::{self, Queues},
    consumer::{Consumers, until},
    rabbitmq::PASSWORD,
    support::Kind,
};

/// The one block of the guide in a language.
fn block(language: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let guide = fs::read_to_string(root.join("docs/consuming.md")).unwrap();
    let start = format!("```{language}\n");
    let blocks: Vec<&str> = guide.split(start.as_str()).skip(1).collect();
    let [block] = blocks[..] else {
        panic!("{} blocks", blocks.len());
    };
    block.split("```").next().unwrap().to_owned()
}

/// What a shell says to it, in the folder of the installation.
fn shell(consumers: &Consumers, program: &[&str], commands: &str) {
    let done = Command::new(program[0])
        .args(&program[1..])
        .arg(commands)
        .current_dir(consumers.folder().path())
        .env("RABBITMQ_PASSWORD", PASSWORD)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
}

/// One page of the consumer's own server.
fn page(address: &str, path: &str) -> String {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(async {
        let client = tidelock_keeper::tls::client().build().unwrap();
        let answer = client.get(format!("http://{address}{path}")).send().await;
        answer
            .unwrap()
            .error_for_status()
            .unwrap()
            .text()
            .await
            .unwrap()
    })
}

/// What the guide says, with this instead of that.
fn replaced(text: &str, pairs: &[(&str, &str)]) -> String {
    pairs.iter().fold(text.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from}: {text}");
        text.replacen(from, to, 1)
    })
}

#[test]
fn the_guides_commands_do_what_it_says() {
    let queues = Queues::of(broker::shared());
    let port = queues.port.to_string();
    let mut consumers = Consumers::set_up(Kind::Sqlite);
    fs::remove_file(consumers.folder().path().join("rabbitmq.password")).unwrap();
    shell(&consumers, &["bash", "-euc"], &block("sh"));
    let settings = replaced(
        &block("toml"),
        &[
            ("127.0.0.1:9466", "127.0.0.1:0"),
            (
                "amqps://keeper@rabbitmq.example/%2f",
                &format!("amqp://keeper@127.0.0.1:{port}/%2f"),
            ),
            ("\"withdrawals\"", &format!("{:?}", queues.requests)),
            ("\"withdrawals.dead\"", &format!("{:?}", queues.dead)),
        ],
    );
    consumers.configure(&settings);
    consumers.start();
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let python = python.join("target/rabbitmq/client/bin/python");
    let send = replaced(
        &block("py"),
        &[("\"withdrawals\"", &format!("{:?}", queues.requests))],
    );
    let connect = "import json, os, pika\nlogin = pika.PlainCredentials('keeper', os.environ['RABBITMQ_PASSWORD'])\n";
    let connect = format!(
        "{connect}channel = pika.BlockingConnection(pika.ConnectionParameters('127.0.0.1', {port}, '/', login)).channel()\n{send}"
    );
    shell(&consumers, &[python.to_str().unwrap(), "-c"], &connect);
    until("it is not filed", || consumers.filed() == 1);
    let (_, _, note) = consumers.requests().into_values().next().unwrap();
    assert_eq!(
        note.as_deref(),
        Some("{\"@filed_by\":\"the shop's back end\"}")
    );
    let log = consumers.log();
    let (_, rest) = log.split_once("figures are served address=").unwrap();
    let address = rest.lines().next().unwrap().trim();
    assert_eq!(page(address, "/healthz"), "ok\n");
    let text = page(address, "/metrics");
    for metric in CONSUMED {
        assert!(
            text.contains(&format!("{}{{source=\"shop\"}} ", metric.name)),
            "{text}"
        );
    }
    for line in [
        "tidelock_consume_connected{source=\"shop\"} 1",
        "tidelock_consume_dead_letters_total{source=\"shop\"} 0",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    consumers.end();
}

#[test]
fn a_consumer_without_a_source_is_refused() {
    let consumers = Consumers::set_up(Kind::Sqlite);
    let refused = consumers.run(&["consume"]);
    refused.refused(2, &["[[consume.rabbitmq]]", "none is configured"]);
}
