//! The provider that people sign in with (OpenID Connect Core 1.0: the authorization code flow, with PKCE). What it is and which keys it signs
//! with is discovered, kept for a while, and looked up again if it signs with a key that is not known.

use std::{
    pin::Pin,
    time::{Duration, Instant},
};

use openidconnect::{
    AccessTokenHash, AdditionalClaims, AuthorizationCode, ClaimsVerificationError, Client,
    ClientId, ClientSecret, CsrfToken, EmptyExtraTokenFields, EndpointMaybeSet, EndpointNotSet,
    EndpointSet, HttpRequest, HttpResponse, IdTokenFields, IssuerUrl, Nonce, OAuth2TokenResponse,
    PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope, SignatureVerificationError,
    StandardErrorResponse, StandardTokenResponse, TokenResponse, UserInfoClaims,
    core::{
        CoreAuthDisplay, CoreAuthPrompt, CoreAuthenticationFlow, CoreErrorResponseType,
        CoreGenderClaim, CoreJsonWebKey, CoreJweContentEncryptionAlgorithm,
        CoreJwsSigningAlgorithm, CoreProviderMetadata, CoreRevocableToken,
        CoreRevocationErrorResponse, CoreTokenIntrospectionResponse, CoreTokenType,
    },
};
use reqwest::redirect::Policy;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tokio::sync::Mutex;

use super::{Failed, Identity, SignIn, begun::Begun};

/// How long a provider's description is used.
const FRESH: Duration = Duration::from_secs(600);
/// How soon it may be looked up again because of a key that is not known: whoever signs in cannot make the server ask without end.
const AGAIN: Duration = Duration::from_secs(5);
/// How long the provider may take for an answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// Bytes of an answer.
const LONGEST: usize = 1_048_576;
/// What an id token may be signed by: what anybody can check and nobody but the provider can make.
const ALGORITHMS: [CoreJwsSigningAlgorithm; 9] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

/// Claims that the standard does not name.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Others {
    #[serde(flatten)]
    all: Map<String, Value>,
}

impl AdditionalClaims for Others {}

type Tokens = StandardTokenResponse<
    IdTokenFields<
        Others,
        EmptyExtraTokenFields,
        CoreGenderClaim,
        CoreJweContentEncryptionAlgorithm,
        CoreJwsSigningAlgorithm,
    >,
    CoreTokenType,
>;

type Known = Client<
    Others,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    StandardErrorResponse<CoreErrorResponseType>,
    Tokens,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// What somebody is called, by an id token or by the provider's word of a user.
macro_rules! names {
    ($claims:expr) => {{
        let name = $claims.name().and_then(|name| name.get(None));
        let all = [
            name.map(|name| name.as_str()),
            $claims.preferred_username().map(|name| name.as_str()),
            $claims.email().map(|email| email.as_str()),
        ];
        all.into_iter()
            .flatten()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    }};
}

/// A provider.
pub(crate) struct Provider {
    settings: SignIn,
    http: reqwest::Client,
    seen: Mutex<Option<(Instant, CoreProviderMetadata)>>,
}

impl Provider {
    pub fn new(settings: SignIn) -> std::io::Result<Self> {
        // Refused if it was chosen before, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        // What it redirects to, nobody named.
        let http = reqwest::Client::builder()
            .redirect(Policy::none())
            .timeout(PATIENCE);
        Ok(Self {
            http: http.build().map_err(std::io::Error::other)?,
            seen: Mutex::default(),
            settings,
        })
    }

    /// Where a browser goes to sign in.
    pub async fn begin(&self, begun: &Begun) -> Result<String, Failed> {
        let client = self.client(FRESH).await?;
        let verifier = PkceCodeVerifier::new(begun.verifier());
        let scopes = self.settings.scopes.iter().cloned().map(Scope::new);
        let (state, nonce) = (begun.state(), begun.nonce());
        let (url, ..) = client
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                move || CsrfToken::new(state),
                move || Nonce::new(nonce),
            )
            .add_scopes(scopes)
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier))
            .url();
        Ok(url.to_string())
    }

    /// Who came back with a code.
    pub async fn end(&self, code: String, begun: &Begun) -> Result<Identity, Failed> {
        let client = self.client(FRESH).await?;
        let ask = self.asking();
        let exchange = client.exchange_code(AuthorizationCode::new(code));
        let exchange = exchange
            .map_err(silent)?
            .set_pkce_verifier(PkceCodeVerifier::new(begun.verifier()));
        let tokens = exchange.request_async(&ask).await.map_err(refused)?;
        let nonce = &Nonce::new(begun.nonce());
        let held = match held(&client, &tokens, nonce) {
            Err(Claims::UnknownKey) => held(&self.client(AGAIN).await?, &tokens, nonce),
            held => held,
        };
        let (mut identity, mut others) = held.map_err(|error| match error {
            Claims::UnknownKey => {
                Failed::Refused("the id token is signed by an unknown key".to_owned())
            }
            Claims::Bad(why) => Failed::Refused(why),
        })?;
        // Some providers tell groups only there, others what a person is called: by their names keys are known for theirs.
        let has_groups = others.all.contains_key(&self.settings.claim);
        if !has_groups || identity.names.is_empty() {
            let subject = openidconnect::SubjectIdentifier::new(identity.subject.clone());
            if let Ok(request) = client.user_info(tokens.access_token().clone(), Some(subject)) {
                let told: Result<UserInfoClaims<Others, CoreGenderClaim>, _> =
                    request.request_async(&ask).await;
                let told = told.map_err(refused)?;
                if !has_groups {
                    others = told.additional_claims().clone();
                }
                identity.names.extend(names!(told));
            }
        }
        if identity.names.is_empty() {
            let why = "the provider says nothing that this person is called: ask it for the scopes profile and email";
            return Err(Failed::Refused(why.to_owned()));
        }
        identity.groups = match others.all.get(&self.settings.claim) {
            Some(Value::String(one)) => vec![one.clone()],
            Some(Value::Array(all)) => {
                let all = all.iter().filter_map(Value::as_str);
                all.map(str::to_owned).collect()
            }
            _ => Vec::new(),
        };
        Ok(identity)
    }

    /// By what is known of the provider, if that is no older.
    async fn client(&self, age: Duration) -> Result<Known, Failed> {
        let mut seen = self.seen.lock().await;
        let known = seen.as_ref().filter(|(at, _)| at.elapsed() < age);
        let known = match known {
            Some((_, known)) => known.clone(),
            None => {
                let issuer = IssuerUrl::new(self.settings.issuer.clone()).map_err(silent)?;
                let ask = self.asking();
                let found = CoreProviderMetadata::discover_async(issuer, &ask).await;
                let found = found.map_err(silent)?;
                *seen = Some((Instant::now(), found.clone()));
                found
            }
        };
        let redirect = format!("{}/sign-in/callback", self.settings.public_url);
        let secret = self.settings.client_secret.as_ref();
        let client = Known::from_provider_metadata(
            known,
            ClientId::new(self.settings.client_id.clone()),
            secret.map(|secret| ClientSecret::new(secret.expose().to_owned())),
        );
        Ok(client.set_redirect_uri(RedirectUrl::new(redirect).map_err(silent)?))
    }

    /// How the provider is asked.
    fn asking(&self) -> impl Fn(HttpRequest) -> Asked + use<> {
        let http = self.http.clone();
        move |request| Box::pin(ask(http.clone(), request))
    }
}

type Asked = Pin<Box<dyn Future<Output = Result<HttpResponse, Asking>> + Send>>;

async fn ask(http: reqwest::Client, request: HttpRequest) -> Result<HttpResponse, Asking> {
    let (parts, body) = request.into_parts();
    // Without its address, which may hold a code.
    let failed = |error: reqwest::Error| Asking(error.without_url().to_string());
    let asked = http.request(parts.method, parts.uri.to_string());
    let asked = asked.headers(parts.headers).body(body).send().await;
    let mut answer = asked.map_err(failed)?;
    let mut whole = Vec::new();
    while let Some(part) = answer.chunk().await.map_err(failed)? {
        whole.extend_from_slice(&part);
        if whole.len() > LONGEST {
            return Err(Asking(format!("the answer has more than {LONGEST} bytes")));
        }
    }
    let mut response = HttpResponse::new(whole);
    *response.status_mut() = answer.status();
    *response.headers_mut() = answer.headers().clone();
    Ok(response)
}

/// Why the provider did not answer.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Asking(String);

fn silent(error: impl std::error::Error) -> Failed {
    Failed::Silent(in_words(&error))
}

fn refused(error: impl std::error::Error) -> Failed {
    Failed::Refused(in_words(&error))
}

/// An error with what caused it.
fn in_words(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        words = format!("{words}: {error}");
        cause = error.source();
    }
    words
}

/// Why an id token is none.
enum Claims {
    UnknownKey,
    Bad(String),
}

/// Holds the id token to issuer, audience, nonce, time and signature, and the access token to it.
fn held(client: &Known, tokens: &Tokens, nonce: &Nonce) -> Result<(Identity, Others), Claims> {
    let bad = |error: &dyn std::error::Error| Claims::Bad(in_words(error));
    let token = tokens.id_token();
    let token = token.ok_or_else(|| Claims::Bad("the provider sent no id token".to_owned()))?;
    let verifier = client.id_token_verifier().set_allowed_algs(ALGORITHMS);
    let claims = token
        .claims(&verifier, nonce)
        .map_err(|error| match error {
            ClaimsVerificationError::SignatureVerification(
                SignatureVerificationError::NoMatchingKey,
            ) => Claims::UnknownKey,
            error => bad(&error),
        })?;
    if let Some(told) = claims.access_token_hash() {
        let algorithm = token.signing_alg().map_err(|error| bad(&error))?;
        let key = token.signing_key(&verifier).map_err(|error| bad(&error))?;
        let own = AccessTokenHash::from_token(tokens.access_token(), algorithm, key);
        if own.map_err(|error| bad(&error))? != *told {
            return Err(Claims::Bad("the access token is another's".to_owned()));
        }
    }
    let identity = Identity {
        issuer: claims.issuer().as_str().to_owned(),
        subject: claims.subject().as_str().to_owned(),
        names: names!(claims),
        groups: Vec::new(),
    };
    Ok((identity, claims.additional_claims().clone()))
}
