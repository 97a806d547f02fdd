//! TLS 1.2 and 1.3 of what is served, by a certificate in files. They are read again when they change, so that a renewed one is served without a
//! restart; while the new ones do not fit together the old one is.

use std::{
    fs, io,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
    version::{TLS12, TLS13},
};
use tokio_rustls::TlsAcceptor;
use tracing::{error, info};

/// How old what is known of the files may be.
const FRESH: Duration = Duration::from_secs(1);

/// The files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// The certificate, and those that lead to its authority, as PEM.
    pub chain: PathBuf,
    /// Its private key, as PEM.
    pub key: PathBuf,
}

/// What tells one state of a file from another.
type Stamp = Option<(u64, u64, i64, i64)>;

#[derive(Debug)]
struct Served {
    files: Certificate,
    seen: Mutex<Seen>,
}

#[derive(Debug)]
struct Seen {
    looked: Instant,
    stamps: [Stamp; 2],
    certified: Arc<CertifiedKey>,
}

impl Certificate {
    /// What connections are accepted by.
    pub(crate) fn acceptor(self) -> io::Result<TlsAcceptor> {
        let provider = Arc::new(ring::default_provider());
        let served = Served {
            seen: Mutex::new(Seen {
                looked: Instant::now(),
                stamps: self.stamps(),
                certified: Arc::new(self.read()?),
            }),
            files: self,
        };
        let config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&TLS13, &TLS12])
            .map_err(io::Error::other)?;
        let config = config.with_no_client_auth();
        let mut config = config.with_cert_resolver(Arc::new(served));
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(TlsAcceptor::from(Arc::new(config)))
    }

    fn stamps(&self) -> [Stamp; 2] {
        [&self.chain, &self.key].map(|path| {
            let found = fs::metadata(path).ok()?;
            // Changed at a rename, a write and a chmod alike.
            Some((found.ino(), found.size(), found.ctime(), found.ctime_nsec()))
        })
    }

    fn read(&self) -> io::Result<CertifiedKey> {
        let chain = CertificateDer::pem_file_iter(&self.chain);
        let chain = chain.and_then(Iterator::collect::<Result<Vec<_>, _>>);
        let chain = chain.map_err(|error| failed(&self.chain, &error))?;
        let mode = fs::metadata(&self.key).map_err(|error| failed(&self.key, &error))?;
        if mode.permissions().mode() & 0o007 != 0 {
            let rule = "must not be open to every user of this host, as by chmod o=";
            return Err(failed(&self.key, &rule));
        }
        let key = PrivateKeyDer::from_pem_file(&self.key);
        let key = key.map_err(|error| failed(&self.key, &error))?;
        // Refused if the key is of another certificate.
        CertifiedKey::from_der(chain, key, &ring::default_provider())
            .map_err(|error| failed(&self.chain, &error))
    }
}

fn failed(path: &Path, why: &dyn std::fmt::Display) -> io::Error {
    io::Error::other(format!("file {}: {why}", path.display()))
}

impl ResolvesServerCert for Served {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.looked.elapsed() >= FRESH {
            seen.looked = Instant::now();
            let stamps = self.files.stamps();
            if stamps != seen.stamps {
                seen.stamps = stamps;
                match self.files.read() {
                    Ok(certified) => {
                        info!("another certificate is served");
                        seen.certified = Arc::new(certified);
                    }
                    Err(cause) => error!(%cause, "the certificate of before is served on"),
                }
            }
        }
        Some(Arc::clone(&seen.certified))
    }
}
