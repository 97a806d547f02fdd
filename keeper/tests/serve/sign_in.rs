//! People sign in by a real provider (npm's oidc-provider), as a browser would take them there and back, and by one that lies.

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader},
    os::unix::fs::PermissionsExt,
    process::{Child, Command, Stdio},
    sync::LazyLock,
    time::Instant,
};

use serde_json::{Value, json};

use super::{
    api::{Answer, Api, PATIENCE, Server, block_on, key_with},
    doors::settings,
    keys::until_known,
    support::{self, Kind, port::Port},
    world::repository,
};

const SECRET: &str = "a secret of the client that is long enough for HMAC";

/// The provider; killed when dropped.
struct Provider {
    process: Child,
    issuer: String,
    port: Port,
    /// That of the server which it leads back to.
    door: Port,
}

impl Provider {
    fn start() -> Self {
        let (port, door) = (Port::claim(), Port::claim());
        let (process, issuer) = Self::run(&port, &door);
        Self {
            process,
            issuer,
            port,
            door,
        }
    }

    /// With other keys, where it was.
    fn start_again(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        (self.process, self.issuer) = Self::run(&self.port, &self.door);
    }

    fn run(port: &Port, door: &Port) -> (Child, String) {
        let folder = repository().join("keeper/tests/serve/provider");
        let packages = folder.join("node_modules");
        assert!(
            packages.exists(),
            "{}: npm ci there makes it",
            packages.display()
        );
        let mut node = Command::new("node");
        node.current_dir(folder)
            .args(["provider.js", &port.number().to_string()]);
        node.arg(format!(
            "http://127.0.0.1:{}/sign-in/callback",
            door.number()
        ));
        let mut process = node
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let is_issuer = |line: &String| line.starts_with("http://");
        let issuer = lines
            .by_ref()
            .map_while(Result::ok)
            .find(is_issuer)
            .unwrap();
        // What it says of itself later is waited for by nobody.
        std::thread::spawn(move || lines.for_each(drop));
        (process, issuer)
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A server where people sign in, at the address that the provider leads back to.
fn served(kind: Kind) -> (Api, Provider) {
    let provider = Provider::start();
    let public_url = format!("http://127.0.0.1:{}", provider.door.number());
    let (mut api, store) = Api::set_up(kind, |location| support::create(location));
    store.close().unwrap();
    let secret = api.home.folder.path().join("secret");
    fs::write(&secret, format!("{SECRET}\n")).unwrap();
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
    settings(
        &api,
        &format!(
            "[serve.sign_in]\nissuer = {:?}\nclient_id = \"tidelock\"\nclient_secret_file = \"secret\"\npublic_url = {public_url:?}\n\
             scopes = [\"profile\", \"groups\"]\n[serve.sign_in.grants]\noperators = [\"operate\", \"read\"]\nadministrators = [\"administer\"]\n",
            provider.issuer
        ),
    );
    api.variables
        .push(("KEEPER_SERVE__LISTEN", public_url.replace("http://", "")));
    api.start();
    (api, provider)
}

/// What a browser has of cookies, by host and name.
#[derive(Default)]
struct Browser(BTreeMap<(String, String), String>);

impl Browser {
    /// One for all, as of the API's.
    fn client() -> reqwest::Client {
        static CLIENT: LazyLock<reqwest::Client> = LazyLock::new(|| {
            let client = tidelock_keeper::tls::client().pool_max_idle_per_host(0);
            client
                .redirect(reqwest::redirect::Policy::none())
                .build()
                .unwrap()
        });
        CLIENT.clone()
    }

    /// One request; where it leads is not followed.
    async fn get(&mut self, url: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = Self::client().get(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = Api::send_in_time(self.shows(request, url)).await;
        for line in answer.headers.get_all("set-cookie") {
            let (pair, rest) = line.to_str().unwrap().split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            assert!(rest.to_lowercase().contains("httponly"), "{pair}");
            self.0
                .insert((place(url), name.to_owned()), value.to_owned());
        }
        answer
    }

    fn shows(&self, request: reqwest::RequestBuilder, url: &str) -> reqwest::RequestBuilder {
        let of_host = self.0.iter().filter(|((host, _), _)| *host == place(url));
        let pairs: Vec<String> = of_host
            .map(|((_, name), value)| format!("{name}={value}"))
            .collect();
        request.header("cookie", pairs.join("; "))
    }

    /// Goes to the provider as somebody, and back; where to.
    async fn comes_back(&mut self, api: &Api, who: &str) -> String {
        let answer = self.get(&api.url("/sign-in"), &[]).await;
        assert_eq!(answer.status, 303, "{}", answer.text);
        let mut url = format!("{}&login_hint={who}", leads_to(&answer, ""));
        assert!(
            url.contains("code_challenge_method=S256") && url.contains("nonce="),
            "{url}"
        );
        while !url.starts_with(&api.url("/sign-in/callback")) {
            let answer = self.get(&url, &[]).await;
            url = leads_to(&answer, &url);
        }
        url
    }

    /// Signs in as somebody; what the callback answers, and its URL.
    async fn signs_in(&mut self, api: &Api, who: &str) -> (Answer, String) {
        let url = self.comes_back(api, who).await;
        (self.get(&url, &[]).await, url)
    }

    /// What it has of one server it has of another, as behind one name.
    fn also_at(&mut self, there: &Server, here: &Server) {
        let of_there = self.0.clone().into_iter();
        let of_there = of_there.filter(|((host, _), _)| *host == there.address);
        let copied = of_there.map(|((_, name), value)| ((here.address.clone(), name), value));
        self.0.extend(copied.collect::<Vec<_>>());
    }

    /// Asks the server from a page of its own, unless other headers say otherwise.
    async fn asks(
        &self,
        api: &Server,
        path: &str,
        body: Option<Value>,
        headers: &[(&str, &str)],
    ) -> Answer {
        let (client, url) = (Api::client(), api.url(path));
        let request = match body {
            None => client.get(&url),
            Some(body) => client
                .post(&url)
                .header("content-type", "application/json")
                .body(body.to_string()),
        };
        let mut request = self.shows(request, &url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Api::send(request).await
    }

    async fn tells(&self, api: &Api, path: &str, body: Value) -> Answer {
        self.asks(api, path, Some(body), &[("origin", &api.url(""))])
            .await
    }
}

/// Host and port.
fn place(url: &str) -> String {
    url.split('/').nth(2).unwrap().to_owned()
}

fn leads_to(answer: &Answer, from: &str) -> String {
    assert_eq!(answer.status, 303, "{from}: {}", answer.text);
    let to = answer.headers["location"].to_str().unwrap();
    if to.starts_with('/') {
        format!("http://{}{to}", place(from))
    } else {
        to.to_owned()
    }
}

#[test]
#[allow(clippy::too_many_lines, reason = "one story, told in order")]
fn people_sign_in_and_are_who_they_are() {
    let (api, provider) = served(Kind::Sqlite);
    let anna_key = key_with(api.command(), " ANNA", "operate", &[]);
    let person = format!("{}|ben", provider.issuer);
    let bens_key = key_with(api.command(), "somebody", "operate", &["--person", &person]);
    block_on(async {
        let (mut anna, mut ben, mut dora) =
            (Browser::default(), Browser::default(), Browser::default());
        let (answer, url) = anna.signs_in(&api, "anna").await;
        assert_eq!(leads_to(&answer, &url), api.url("/"));
        let cookies = answer.headers.get_all("set-cookie").into_iter();
        let cookies: Vec<&str> = cookies.map(|line| line.to_str().unwrap()).collect();
        assert!(
            cookies[0].contains("HttpOnly; SameSite=Strict; Max-Age=28800"),
            "{cookies:?}"
        );
        // A sign-in ends once.
        anna.get(&url, &[]).await.refused(401, "not-signed-in");
        ben.signs_in(&api, "ben").await;
        dora.signs_in(&api, "dora").await;
        let who = anna.asks(&api, "/v1/session", None, &[]).await.of(200);
        assert_eq!(
            (&who["name"], &who["scopes"]),
            (&json!("Anna"), &json!(["read", "operate"]))
        );
        let id = who["id"].as_str().unwrap();
        assert!(id.starts_with("person_"), "{who}");
        let who = dora.asks(&api, "/v1/session", None, &[]).await.of(200);
        assert_eq!(who["scopes"], json!(["administer"]), "one group, as a text");
        // What a session may do is what the groups are granted.
        anna.asks(&api, "/v1/events", None, &[]).await.of(200);
        anna.asks(&api, "/v1/keys", None, &[])
            .await
            .refused(403, "not-allowed");
        dora.asks(&api, "/v1/keys", None, &[]).await.of(200);
        let (answer, _) = Browser::default().signs_in(&api, "rose").await;
        answer.refused(403, "granted-nothing");
        let (answer, _) = Browser::default().signs_in(&api, "no").await;
        answer.refused(401, "not-signed-in");

        // Only a page of this server asks with it.
        let halt = json!({"act": "halt", "reason": "look at it"});
        let own = api.url("");
        for headers in [
            &[][..],
            &[("origin", "null")],
            &[("origin", "http://evil.example")],
            &[("origin", own.as_str()), ("sec-fetch-site", "same-site")],
        ] {
            let answer = anna
                .asks(&api, "/v1/acts", Some(halt.clone()), headers)
                .await;
            answer.refused(403, "cross-site");
        }
        let origin = [("origin", "http://evil.example")];
        anna.asks(&api, "/v1/events", None, &origin)
            .await
            .refused(403, "cross-site");
        let socket = [("upgrade", "websocket"), ("connection", "upgrade")];
        anna.asks(&api, "/v1/events/socket", None, &socket)
            .await
            .refused(403, "cross-site");
        let done = anna.tells(&api, "/v1/acts", halt).await.of(201);
        assert_eq!(done["deed"]["by"], id);

        // One human with a key and a sign-in is not two, by name or by the key's own word.
        let wanted = json!({"name": "Eve", "scopes": "read", "days": "1", "reason": "x"});
        let asked = dora.tells(&api, "/v1/keys", wanted).await.of(201);
        let confirmation = format!("/v1/acts/{}/confirmation", asked["act"]["id"]);
        let why = || json!({"reason": "x"});
        dora.tells(&api, &confirmation, why())
            .await
            .refused(409, "same-person");
        let carl = api.key_of("Carl", "administer");
        until_known(&api, &carl, "/v1/keys", true).await;
        api.tell(&carl, &confirmation, why()).await.of(201);
        same_person(&api, &anna, &ben, &anna_key, &bens_key).await;

        // A session ends.
        let (mut other, out) = (Browser::default(), json!({}));
        other.signs_in(&api, "anna").await;
        other.tells(&api, "/v1/session/end", out.clone()).await;
        for browser in [&anna, &other] {
            browser
                .asks(&api, "/v1/session", None, &[])
                .await
                .refused(401, "unknown-key");
        }
        api.tell(&anna_key, "/v1/session/end", out)
            .await
            .refused(409, "no-session");
        ben.asks(&api, "/v1/session", None, &[]).await.of(200);
        // Another browser cannot end what this one began.
        let begun = anna.get(&api.url("/sign-in"), &[]).await;
        let state = leads_to(&begun, "");
        let state = state
            .split('&')
            .find_map(|pair| pair.split_once("state="))
            .unwrap()
            .1;
        let callback = api.url(&format!("/sign-in/callback?code=x&state={state}"));
        Browser::default()
            .get(&callback, &[])
            .await
            .refused(401, "not-signed-in");
    });
    let log = api.log();
    for secret in [SECRET, "Anna", "code=", "eyJ"] {
        assert!(!log.contains(secret), "{secret}: {log}");
    }
}

/// Anna and Ben ask each by session and by key; nobody confirms what they asked for themselves.
async fn same_person(api: &Api, anna: &Browser, ben: &Browser, anna_key: &str, bens_key: &str) {
    let why = || json!({"reason": "x"});
    let wanted = json!({"act": "halt", "reason": "x"});
    let asked = |done: Value| {
        // As an act that asks: what a keeper without a log cannot be asked for.
        let mut deed = done["deed"].clone();
        deed["act"] = json!("resume");
        deed["step"] = json!("asked");
        deed["until"] = json!(deed["at"].as_u64().unwrap() + 3_600);
        deed["before"] = json!({"status": "no_log"});
        deed.as_object_mut().unwrap().remove("command");
        let location = api.location.clone();
        async move {
            let kept = tokio::task::spawn_blocking(move || {
                let mut desk = tidelock_keeper::store::Desk::open(location).unwrap();
                desk.act(None, |_| None, |_| deed.to_string()).unwrap()
            });
            let tidelock_keeper::store::Acting::Done { seq, .. } = kept.await.unwrap() else {
                panic!()
            };
            format!("/v1/acts/{seq}/confirmation")
        }
    };
    let by_anna = asked(anna.tells(api, "/v1/acts", wanted.clone()).await.of(201)).await;
    api.tell(anna_key, &by_anna, why())
        .await
        .refused(409, "same-person");
    anna.tells(api, &by_anna, why())
        .await
        .refused(409, "same-person");
    ben.tells(api, &by_anna, why()).await.of(201);
    let by_ben = asked(api.tell(bens_key, "/v1/acts", wanted).await.of(201)).await;
    ben.tells(api, &by_ben, why())
        .await
        .refused(409, "same-person");
    anna.tells(api, &by_ben, why()).await.of(201);
}

crate::on_both! {
    every_server_of_a_store_knows_who_signed_in,
}

/// Two servers of one store, as behind one name: a sign-in is begun at one and ends at the other, and both know who signed in, also after a new
/// start, until they sign out at either.
fn every_server_of_a_store_knows_who_signed_in(kind: Kind) {
    let (mut api, _provider) = served(kind);
    let mut second = Server::in_folder(api.home.folder.path());
    let elsewhere = |api: &Api| {
        let mut command = api.command();
        command.env("KEEPER_SERVE__LISTEN", "127.0.0.1:0");
        command
    };
    second.start(elsewhere(&api));
    let (mut anna, mut ben) = (Browser::default(), Browser::default());
    block_on(async {
        let back = anna.comes_back(&api, "anna").await;
        anna.also_at(&api, &second);
        let back = back.replace(&api.url(""), &second.url(""));
        let answer = anna.get(&back, &[]).await;
        assert_eq!(answer.status, 303, "{}", answer.text);
        anna.also_at(&second, &api);
        ben.signs_in(&api, "ben").await;
    });
    api.kill();
    api.start();
    block_on(async {
        ben.also_at(&api, &second);
        for server in [&second, &*api] {
            let who = anna.asks(server, "/v1/session", None, &[]).await.of(200);
            assert_eq!(who["name"], "Anna");
        }
        let (out, own) = (Some(json!({})), api.url(""));
        let headers = [("origin", own.as_str())];
        let out = anna.asks(&second, "/v1/session/end", out, &headers).await;
        assert_eq!(out.status, 204, "{}", out.text);
        for server in [&second, &*api] {
            let gone = anna.asks(server, "/v1/session", None, &[]).await;
            gone.refused(401, "unknown-key");
            ben.asks(server, "/v1/session", None, &[]).await.of(200);
        }
    });
}

/// Whoever begins many sign-ins, or asks with no key, takes nothing from whoever asks from elsewhere.
#[test]
fn a_stranger_who_asks_without_end_locks_nobody_out() {
    let (mut api, _provider) = served(Kind::Sqlite);
    // The tests are the proxy: they say from where they ask.
    settings(&api, "proxies = [\"127.0.0.1\"]");
    api.kill();
    api.start();
    block_on(async {
        let url = api.url("/sign-in");
        let begin = async |address| {
            let asked = Browser::client().get(&url);
            let answer = Api::send(asked.header("x-forwarded-for", address)).await;
            (address, answer.status)
        };
        let mut anna = Browser::default();
        let (answer, _) = anna.signs_in(&api, "anna").await;
        assert_eq!(answer.status, 303, "{}", answer.text);
        // One of them asks more often than anybody may, however slow the server is, the other does not, and both ask at once.
        let mut crowd = 300;
        loop {
            let mixed = (0..crowd + 50).map(|number| match number < 50 {
                true => begin("192.0.2.2"),
                false => begin("192.0.2.1"),
            });
            let told = futures_util::future::join_all(mixed).await;
            let refused = |of| told.iter().filter(|told| **told == (of, 429)).count();
            assert_eq!(refused("192.0.2.2"), 0);
            if refused("192.0.2.1") > 0 {
                break;
            }
            assert!(crowd < 10_000, "nobody is ever refused");
            crowd *= 2;
        }
        let headers = [("x-forwarded-for", "192.0.2.2")];
        anna.asks(&api, "/v1/session", None, &headers).await.of(200);
    });
}

#[test]
fn a_provider_that_lies_signs_nobody_in_and_new_keys_are_found() {
    let (api, mut provider) = served(Kind::Sqlite);
    block_on(async {
        for lie in [
            "nonce", "issuer", "audience", "time", "key", "none", "secret", "access", "nothing",
        ] {
            let (answer, _) = Browser::default()
                .signs_in(&api, &format!("lie:{lie}"))
                .await;
            answer.refused(401, "not-signed-in");
        }
        let (answer, _) = Browser::default().signs_in(&api, "anna").await;
        assert_eq!(answer.status, 303, "{}", answer.text);
        // It comes back with another key of another name.
        provider.start_again();
        let begin = Instant::now();
        loop {
            let (answer, _) = Browser::default().signs_in(&api, "anna").await;
            if answer.status == 303 {
                break;
            }
            answer.refused(401, "not-signed-in");
            assert!(begin.elapsed() < PATIENCE, "{}", api.log());
        }
        provider.process.kill().unwrap();
        let begun = Browser::default().get(&api.url("/sign-in"), &[]).await;
        // What it is known by is known for a while.
        assert_eq!(begun.status, 303, "{}", begun.text);
    });
}
