//! A key in AWS's Key Management Service. Credentials and region are found as AWS's own tools find them: environment, profile,
//! web identity, container, instance.

use std::time::Duration;

use alloy::primitives::{Address, Signature};
use aws_config::{BehaviorVersion, Region, retry::RetryConfig, timeout::TimeoutConfig};
use aws_sdk_kms::{
    Client,
    error::{DisplayErrorContext, ProvideErrorMetadata, SdkError},
    primitives::Blob,
    types::{MessageType, SigningAlgorithmSpec},
};

use k256::ecdsa::{self, VerifyingKey};

use super::{Message, Signer, SignerError, Signing};
use crate::config::AwsKmsConfig;

/// A public key of secp256k1 in DER (RFC 5480), as far as the point.
const SPKI: [u8; 23] = [
    0x30, 0x56, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x05, 0x2b,
    0x81, 0x04, 0x00, 0x0a, 0x03, 0x42, 0x00,
];
/// Longest part of AWS's own words that is passed on. [characters]
const MAX_WORDS: usize = 300;

/// What the service answers for good, until somebody changes the key, its policy or the credentials.
const FINAL: &[&str] = &[
    "AccessDeniedException",
    "DisabledException",
    "IncompleteSignature",
    "InvalidArnException",
    "InvalidClientTokenId",
    "InvalidKeyUsageException",
    "InvalidSignatureException",
    "KMSInvalidStateException",
    "NotFoundException",
    "UnrecognizedClientException",
    "UnsupportedOperationException",
    "ValidationException",
];

/// A key that AWS keeps.
pub struct AwsKmsSigner {
    address: Address,
    client: Client,
    key: String,
}

impl AwsKmsSigner {
    /// Asks for the key's public half.
    pub async fn open(config: &AwsKmsConfig, timeout_ms: u64) -> Result<Self, SignerError> {
        let limit = Duration::from_millis(timeout_ms);
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            // The same is asked for again by the keeper, which also says so.
            .retry_config(RetryConfig::disabled())
            .timeout_config(TimeoutConfig::builder().operation_timeout(limit).build());
        if let Some(region) = &config.region {
            loader = loader.region(Region::new(region.clone()));
        }
        let found = loader.load().await;
        if found.region().is_none() {
            return Err(SignerError::Refused {
                field: "key.kms_region",
                value: "\"\"".to_owned(),
                rule: "must be given, or AWS_REGION, or a profile's region".to_owned(),
            });
        }
        let mut settings = aws_sdk_kms::config::Builder::from(&found);
        if let Some(endpoint) = &config.endpoint {
            settings = settings.endpoint_url(endpoint.expose());
        }
        let client = Client::from_conf(settings.build());
        let key = config.key.clone();
        let asked = client.get_public_key().key_id(&key).send().await;
        let answer = asked.map_err(|error| failed(&key, &error))?;
        let der = answer.public_key.map(Blob::into_inner).unwrap_or_default();
        let address = address(&der)
            .ok_or_else(|| refused(&key, "must be of the curve ECC_SECG_P256K1".to_owned()))?;
        Ok(Self {
            address,
            client,
            key,
        })
    }

    async fn signed(&self, message: &Message) -> Result<Signature, SignerError> {
        let asked = self
            .client
            .sign()
            .key_id(&self.key)
            .message(Blob::new(message.digest().as_slice()))
            .message_type(MessageType::Digest)
            .signing_algorithm(SigningAlgorithmSpec::EcdsaSha256);
        let answer = asked.send().await;
        let answer = answer.map_err(|error| failed(&self.key, &error))?;
        let der = answer.signature.map(Blob::into_inner).unwrap_or_default();
        let signature = ecdsa::Signature::from_der(&der);
        let signature = signature.map_err(|_| {
            refused(
                &self.key,
                "answers with something that is no signature".to_owned(),
            )
        })?;
        Ok(Signature::from_signature_and_parity(signature, false))
    }
}

impl Signer for AwsKmsSigner {
    fn address(&self) -> Address {
        self.address
    }

    fn sign<'a>(&'a self, message: &'a Message) -> Signing<'a> {
        Box::pin(self.signed(message))
    }
}

fn address(der: &[u8]) -> Option<Address> {
    let key = VerifyingKey::from_sec1_bytes(der.strip_prefix(&SPKI)?).ok()?;
    Some(Address::from_public_key(&key))
}

fn failed<E>(key: &str, error: &SdkError<E>) -> SignerError
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    let code = error
        .as_service_error()
        .and_then(ProvideErrorMetadata::code);
    let words = match code {
        Some(code) => format!("{code}: {}", error.message().unwrap_or_default()),
        None => DisplayErrorContext(error).to_string(),
    };
    let printable = |c: char| if c.is_control() { ' ' } else { c };
    let words = words.chars().take(MAX_WORDS).map(printable).collect();
    if code.is_some_and(|code| FINAL.contains(&code)) {
        return refused(key, words);
    }
    SignerError::Unavailable {
        field: "key.kms_key",
        value: key.to_owned(),
        reason: words,
    }
}

fn refused(key: &str, rule: String) -> SignerError {
    SignerError::Refused {
        field: "key.kms_key",
        value: key.to_owned(),
        rule,
    }
}
