//! The commands of docs/publishing.md do what it says, and its figures are served.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use tidelock_keeper::operations::PUBLISHED;

use super::{
    publisher::{Publisher, until},
    receiver::{Library, Receiver},
    support::Kind,
};

/// The blocks of the guide in one language.
fn blocks(language: &str) -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let guide = fs::read_to_string(root.join("docs/publishing.md")).unwrap();
    let start = format!("```{language}\n");
    let blocks = guide.split(start.as_str()).skip(1);
    blocks
        .map(|block| block.split("```").next().unwrap().to_owned())
        .collect()
}

/// What a shell says to it, in the folder of the installation.
fn shell(publisher: &Publisher, commands: &str) -> String {
    let binary = Path::new(env!("CARGO_BIN_EXE_keeper")).parent().unwrap();
    let path = format!("{}:{}", binary.display(), std::env::var("PATH").unwrap());
    let done = Command::new("bash")
        .args(["-euc", commands])
        .current_dir(publisher.home.folder.path())
        .env("PATH", path)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let (out, err) = (
        String::from_utf8(done.stdout),
        String::from_utf8(done.stderr),
    );
    assert!(done.status.success(), "{}", err.unwrap());
    out.unwrap()
}

/// One page of the publisher's own server.
fn page(address: &str, path: &str) -> String {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(async {
        let client = tidelock_keeper::tls::client().build().unwrap();
        let answer = client
            .get(format!("http://{address}{path}"))
            .send()
            .await
            .unwrap();
        answer.error_for_status().unwrap().text().await.unwrap()
    })
}

#[test]
fn the_guides_commands_do_what_it_says() {
    let mut publisher = Publisher::set_up(Kind::Sqlite);
    let [secret, ping, look] = blocks("sh").try_into().unwrap();
    shell(&publisher, &secret);
    let secret = fs::read_to_string(publisher.home.folder.path().join("shop.secret")).unwrap();
    let receiver = Receiver::start(Library::Npm, secret.trim());
    let [settings, _, _] = blocks("toml").try_into().unwrap();
    for part in ["127.0.0.1:9465", "https://shop.example/hooks/tidelock"] {
        assert!(settings.contains(part), "{settings}");
    }
    let settings = settings.replace(
        "[publish]\n",
        "[publish]\nprivate_hosts = [\"127.0.0.1\"]\n",
    );
    let settings = settings.replace("127.0.0.1:9465", "127.0.0.1:0");
    publisher.configure(&settings.replace("https://shop.example/hooks/tidelock", &receiver.url()));
    assert_eq!(
        shell(&publisher, "keeper publish status"),
        "nothing was published yet\n"
    );
    assert!(shell(&publisher, &ping).starts_with("shop: taken by http://127.0.0.1"));
    publisher.start();
    until("it does not come to the end", || {
        publisher.is_told("shop", 300)
    });
    let out = shell(&publisher, &look);
    assert!(
        out.contains("shop: told up to entry 300") && out.contains("nothing was given up"),
        "{out}"
    );
    let status = publisher.run(&["publish", "status", "--json"]).json();
    let shop = &status[0];
    assert_eq!((&shop["sink"], &shop["seq"]), (&"shop".into(), &300.into()));
    assert_eq!((&shop["retrying"], &shop["dead"]), (&0.into(), &0.into()));
    let log = publisher.log();
    let (_, rest) = log.split_once("figures are served address=").unwrap();
    let address = rest.lines().next().unwrap().trim();
    assert_eq!(page(address, "/healthz"), "ok\n");
    let told = receiver
        .taken()
        .iter()
        .filter(|taken| taken.kind != "tidelock.ping")
        .count();
    // Figures are told a moment after what they rest on is stored.
    let lag = "tidelock_publish_lag_entries{sink=\"shop\"} 0\n";
    until("it lags", || page(address, "/metrics").contains(lag));
    let text = page(address, "/metrics");
    for metric in PUBLISHED {
        assert!(
            text.contains(&format!("{}{{sink=\"shop\"}} ", metric.name)),
            "{text}"
        );
    }
    for line in [
        "tidelock_publish_active{sink=\"shop\"} 1".to_owned(),
        format!("tidelock_publish_taken_total{{sink=\"shop\"}} {told}"),
    ] {
        assert!(text.contains(&line), "{line}: {text}");
    }
    publisher.end();
    assert_eq!(
        receiver
            .taken()
            .iter()
            .filter(|taken| taken.kind.starts_with("tidelock.withdrawal."))
            .count(),
        told
    );
}

/// What dead letters are sent again with is in the guide as it is in the other tests.
#[test]
fn the_guide_names_how_dead_letters_are_sent_again() {
    let commands = blocks("text").concat();
    for command in [
        "keeper publish replay shop --seq 40\n",
        "keeper publish replay shop\n",
    ] {
        assert!(commands.contains(command), "{commands}");
    }
}

/// What the guide configures brokers with is taken, by a keeper that has what they need.
#[cfg(all(feature = "kafka", feature = "rabbitmq"))]
#[test]
fn the_guides_brokers_can_be_configured() {
    let publisher = Publisher::set_up(Kind::Sqlite);
    let [_, topic, exchange] = blocks("toml").try_into().unwrap();
    publisher.configure(&topic);
    publisher.configure(&exchange);
    let status = publisher.run(&["publish", "status"]);
    assert_eq!(status.ok(), "nothing was published yet\n");
    // Their passwords are read before anything is told.
    let refused = publisher.run(&["publish"]);
    refused.refused(2, &["PASSWORD", "there is no such variable"]);
}

/// Each objection names field, value and rule, and repeats nothing that may be secret.
#[cfg(all(feature = "kafka", feature = "rabbitmq"))]
#[test]
#[allow(clippy::too_many_lines, reason = "a table of settings and rules")]
fn what_brokers_are_configured_with_is_held_to_rules() {
    let [_, topic, exchange] = blocks("toml").try_into().unwrap();
    let (kafka, rabbitmq) = ("publish.kafka", "publish.rabbitmq");
    let publisher = Publisher::set_up(Kind::Sqlite);
    let home = &publisher.home;
    let before = fs::read_to_string(home.folder.path().join("keeper.toml")).unwrap();
    for (section, part, instead, field, words) in [
        (
            &topic,
            "kafka-1.example:9093,",
            "kafka-1.example,",
            kafka,
            "brokers = \"kafka-1.example\": must be hosts",
        ),
        (
            &topic,
            "tidelock.events\"",
            "a/b\"",
            kafka,
            "topic = \"a/b\": must be the name of a topic",
        ),
        (
            &topic,
            "user =",
            "cursors = \"tidelock.events\"\nuser =",
            kafka,
            "cursors = tidelock.events: must be another topic",
        ),
        (
            &topic,
            "user =",
            "tls = false\nuser =",
            kafka,
            "tls = false: others could read",
        ),
        (
            &topic,
            "user =",
            "mechanism = \"GSSAPI\"\nuser =",
            kafka,
            "mechanism = GSSAPI: must be one of SCRAM-SHA-512",
        ),
        (
            &topic,
            "user = \"keeper\"\n",
            "",
            kafka,
            "user = (none): must be given",
        ),
        (
            &topic,
            "env:KAFKA_PASSWORD",
            "hunter2",
            kafka,
            "password = (not shown): must say where",
        ),
        (
            &topic,
            "user =",
            "timeout_ms = 60000\nuser =",
            kafka,
            "timeout_ms = 60000: must be 1000 to 50000",
        ),
        (
            &topic,
            "user =",
            "types = []\nuser =",
            kafka,
            "types = []: must name what is told",
        ),
        (
            &topic,
            "user =",
            "tls = false\nallow_plain = true\nca_file = \"a\"\nuser =",
            kafka,
            "ca_file = a: is only for",
        ),
        (
            &exchange,
            "amqps:",
            "amqp:",
            rabbitmq,
            "url = (not shown): others could read",
        ),
        (
            &exchange,
            "keeper@",
            "keeper:hunter2@",
            rabbitmq,
            "url = (not shown): must hold no password",
        ),
        (
            &exchange,
            "amqps:",
            "https:",
            rabbitmq,
            "url = (not shown): must be an amqp",
        ),
        (
            &exchange,
            "env:RABBITMQ_PASSWORD",
            "hunter2",
            rabbitmq,
            "password = (not shown): must say where",
        ),
        (
            &exchange,
            "tidelock.events",
            "",
            rabbitmq,
            "exchange = : must be the name of an exchange",
        ),
    ] {
        assert!(section.contains(part), "{part}: {section}");
        home.write(
            "keeper.toml",
            &format!("{before}\n{}", section.replacen(part, instead, 1)),
        );
        let refused = publisher.run(&["publish", "status"]);
        assert!(!refused.err.contains("hunter2"), "{}", refused.err);
        refused.refused(2, &[&format!("{field}.{words}")]);
    }
}
