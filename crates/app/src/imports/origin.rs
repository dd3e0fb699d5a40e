//! Where files may be fetched from: the folders and the object stores of the settings, and nothing else.

use std::path::PathBuf;

use super::folders::open_within;
use crate::config::{ImportSettings, StoreSettings};

/// A place that a file may be fetched from.
#[derive(Debug, Clone)]
pub struct Origin {
    text: String,
    pub(super) place: Place,
}

#[derive(Debug, Clone)]
pub(super) enum Place {
    /// A file of a folder.
    Folder(PathBuf),
    /// An object of a store.
    Store { settings: Box<StoreSettings>, key: String },
}

/// Why a file is not fetched from a place.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct NotAllowed(String);

impl NotAllowed {
    pub(super) fn new(why: impl Into<String>) -> Self {
        NotAllowed(why.into())
    }
}

const SCHEME: &str = "s3://";
/// The longest key that S3 knows.
const LONGEST_KEY: usize = 1024;

impl Origin {
    /// A file of one of the folders. It must be there.
    pub fn path(settings: &ImportSettings, path: &str) -> Result<Self, NotAllowed> {
        let place = PathBuf::from(path);
        open_within(&settings.folders, &place)?;
        Ok(Origin { text: path.to_owned(), place: Place::Folder(place) })
    }

    /// An object of one of the stores, as `s3://BUCKET/KEY`. The key is taken as it stands, like other tools of S3 do.
    pub fn url(settings: &ImportSettings, url: &str) -> Result<Self, NotAllowed> {
        let rest = url.strip_prefix(SCHEME);
        let named = rest.and_then(|rest| rest.split_once('/')).filter(|(bucket, _)| !bucket.is_empty());
        let (bucket, key) = named.ok_or_else(|| {
            NotAllowed::new("the URL must be of the form s3://BUCKET/KEY; files are taken from nowhere else")
        })?;
        check_key(key)?;
        let of_bucket = settings.stores.values().filter(|store| store.bucket == bucket);
        let fitting = of_bucket.filter(|store| key.starts_with(&store.prefix));
        // Where one store is a part of another, the part's own settings count.
        let store = fitting.max_by_key(|store| store.prefix.len()).ok_or_else(|| {
            NotAllowed::new("the URL is of none of the object stores of the setting imports.stores")
        })?;
        let place = Place::Store { settings: Box::new(store.clone()), key: key.to_owned() };
        Ok(Origin { text: url.to_owned(), place })
    }

    /// What an import was recorded with.
    pub(super) fn stored(settings: &ImportSettings, text: &str) -> Result<Self, NotAllowed> {
        if is_url(text) { Self::url(settings, text) } else { Self::path(settings, text) }
    }

    /// How it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The file's name.
    pub(super) fn file_name(&self) -> String {
        let name = self.text.rsplit('/').next().unwrap_or_default();
        name.chars().filter(|letter| !letter.is_control()).collect()
    }
}

/// Whether it is the URL of an object, and no path.
pub fn is_url(text: &str) -> bool {
    text.starts_with(SCHEME)
}

/// What an address can carry: parts of dots alone would be resolved on the way, and lead elsewhere.
fn check_key(key: &str) -> Result<(), NotAllowed> {
    let is_name = !key.is_empty() && !key.ends_with('/') && key.len() <= LONGEST_KEY;
    let stays = key.split('/').all(|part| !matches!(part, "." | ".."));
    // A server on Windows, or a careless proxy, may take these for slashes and dots.
    let is_plain = !key.contains('\\') && !key.chars().any(char::is_control);
    if is_name && stays && is_plain {
        return Ok(());
    }
    Err(NotAllowed::new(
        "the key of the object must name a file, without `.`, `..`, `\\` and control characters",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> ImportSettings {
        let store = |prefix: &str, region: &str| StoreSettings {
            bucket: "exports".to_owned(),
            prefix: prefix.to_owned(),
            region: region.to_owned(),
            ..StoreSettings::default()
        };
        let stores = [("all", store("orders/", "one")), ("part", store("orders/2029/", "two"))];
        let stores = stores.map(|(name, store)| (name.to_owned(), store)).into();
        ImportSettings { stores, ..ImportSettings::default() }
    }

    #[test]
    fn an_object_of_a_store_is_found_by_bucket_and_prefix() {
        for (url, region) in [
            ("s3://exports/orders/a.csv", "one"),
            ("s3://exports/orders/2029/a.csv", "two"),
            ("s3://exports/orders/%2e%2e/..a/a.csv", "one"),
        ] {
            let origin = Origin::url(&settings(), url).unwrap();
            assert_eq!(
                (origin.as_str(), origin.file_name().as_str()),
                (url, url.rsplit('/').next().unwrap())
            );
            let Place::Store { settings, .. } = origin.place else { panic!("{url}") };
            assert_eq!(settings.region, region);
        }
    }

    #[test]
    fn nothing_else_is_fetched() {
        for url in [
            "http://169.254.169.254/latest/meta-data/",
            "https://shop.example/orders.csv",
            "file:///etc/passwd",
            "ftp://exports/orders/a.csv",
            "S3://exports/orders/a.csv",
            "s3:/exports/orders/a.csv",
            "s3://",
            "s3://exports",
            "s3:///orders/a.csv",
            "s3://other/orders/a.csv",
            "s3://exports/secret/a.csv",
            "s3://exports/orders/",
            "s3://exports/orders/../secret/a.csv",
            "s3://exports/orders/./a.csv",
            "s3://exports/orders/..",
            "s3://exports/orders/..\\secret\\a.csv",
            "s3://exports/orders/a\n.csv",
            "s3://user@exports/orders/a.csv",
            "s3://exports:80/orders/a.csv",
            "s3://exports?x=/orders/a.csv",
            " s3://exports/orders/a.csv",
            "/etc/passwd",
            "",
        ] {
            assert!(Origin::url(&settings(), url).is_err(), "{url}");
        }
        let long = format!("s3://exports/orders/{}", "a".repeat(LONGEST_KEY));
        assert!(Origin::url(&settings(), &long).is_err());
    }
}
