//! TLS with the cryptography of ring: it compiles in a fraction of the time of the one that the client brings by default.

use reqwest::{Client, ClientBuilder};

/// A client to be set up. All clients of this process use the same cryptography.
pub fn client() -> ClientBuilder {
    // Refused if it was chosen before, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
}
