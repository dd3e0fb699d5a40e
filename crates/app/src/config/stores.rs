use std::time::Duration;

use documented::{Documented, DocumentedFields};
use queue::duration_text;
use serde::{Deserialize, Serialize};

/// An object store that files are imported from, under a name that the shop gives it. `[imports.stores.NAME]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Documented, DocumentedFields)]
#[serde(default, deny_unknown_fields)]
pub struct StoreSettings {
    /// What it speaks: `s3`.
    pub kind: StoreKind,
    /// Where it is, such as `https://minio.shop.example`. Empty: Amazon's own address in that region.
    pub endpoint: String,
    /// Its region, which signatures name.
    pub region: String,
    /// The bucket.
    pub bucket: String,
    /// Only objects whose keys begin with this are imported.
    pub prefix: String,
    /// Whether the bucket is named in the path of an address, and not in its host.
    pub path_style: bool,
    /// The id of the key to it. Without one, requests are not signed.
    pub access_key_id: Option<String>,
    /// The key to it.
    pub secret_access_key: Option<String>,
    /// The token that belongs to a key that was lent.
    pub session_token: Option<String>,
    /// For how long it may say nothing.
    #[serde(with = "duration_text")]
    pub timeout: Duration,
}

/// What an object store speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StoreKind {
    /// Amazon S3, or a server that speaks like it.
    #[default]
    S3,
}

impl Default for StoreSettings {
    fn default() -> Self {
        StoreSettings {
            kind: StoreKind::S3,
            endpoint: String::new(),
            region: "us-east-1".to_owned(),
            bucket: String::new(),
            prefix: String::new(),
            path_style: true,
            access_key_id: None,
            secret_access_key: None,
            session_token: None,
            timeout: Duration::from_secs(30),
        }
    }
}

impl StoreSettings {
    /// Its address.
    pub fn address(&self) -> String {
        match self.endpoint.as_str() {
            "" => format!("https://s3.{}.amazonaws.com", self.region),
            endpoint => endpoint.to_owned(),
        }
    }
}
