//! A connection that asks and is answered, with as little work as can be: what is measured is on its other side.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

pub struct Client {
    stream: TcpStream,
    heard: Vec<u8>,
}

impl Client {
    pub async fn open(address: &str) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self {
            stream,
            heard: Vec::with_capacity(4_096),
        }
    }

    /// The status of the answer, whose body is passed over.
    pub async fn ask(&mut self, request: &[u8]) -> u16 {
        self.stream.write_all(request).await.unwrap();
        self.heard.clear();
        let head = loop {
            if let Some(end) = find(&self.heard, b"\r\n\r\n") {
                break end + 4;
            }
            self.hear().await;
        };
        let text = std::str::from_utf8(&self.heard[..head]).unwrap();
        let status = text[9..12].parse().unwrap();
        let length = text.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            let is_it = name.eq_ignore_ascii_case("content-length");
            is_it.then(|| value.trim().parse::<usize>().unwrap())
        });
        let all = head + length.expect("an answer says how long it is");
        while self.heard.len() < all {
            self.hear().await;
        }
        status
    }

    async fn hear(&mut self) {
        let more = self.stream.read_buf(&mut self.heard).await.unwrap();
        assert!(more > 0, "the server closed the connection");
    }

    /// For whoever reads on.
    pub async fn send(mut self, request: &[u8]) -> TcpStream {
        self.stream.write_all(request).await.unwrap();
        self.stream
    }
}

pub fn find(within: &[u8], what: &[u8]) -> Option<usize> {
    within.windows(what.len()).position(|window| window == what)
}

pub fn get(path: &str, key: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {key}\r\n\r\n")
        .into_bytes()
}

pub fn post(path: &str, key: &str, body: &str) -> Vec<u8> {
    format!(
        "POST {path} HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {key}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}
