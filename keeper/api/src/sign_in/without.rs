//! Nothing: this build signs nobody in.

use super::{Failed, Identity, SignIn, begun::Begun};

pub(crate) struct Provider;

impl Provider {
    pub fn new(_: SignIn) -> std::io::Result<Self> {
        let rule =
            "serve.sign_in: this keeper was built without it; cargo build needs --features oidc";
        Err(std::io::Error::other(rule))
    }

    pub async fn begin(&self, _: &Begun) -> Result<String, Failed> {
        Err(Failed::Silent("built without".to_owned()))
    }

    pub async fn end(&self, _: String, _: &Begun) -> Result<Identity, Failed> {
        Err(Failed::Silent("built without".to_owned()))
    }
}
