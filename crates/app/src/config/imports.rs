use std::collections::BTreeMap;
use std::path::PathBuf;

use documented::{Documented, DocumentedFields};
use serde::{Deserialize, Serialize};

use super::StoreSettings;

/// Files that come in. `[imports]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Documented, DocumentedFields)]
#[serde(default, deny_unknown_fields)]
pub struct ImportSettings {
    /// Rows that are imported in one transaction, about.
    pub chunk_size: u32,
    /// Where copies of files are kept while they are imported, and files that were sent in a browser until it is said how
    /// they are to be: several servers must share it then. By default `imports` beside the database file, or
    /// `data/imports` where the database is on a server.
    pub spool: Option<PathBuf>,
    /// Whether every file is copied there, also one that could be read where it is. Workers on other hosts need that,
    /// and `spool` on storage that all of them share under the same path.
    pub copy_files: bool,
    /// A folder of the shop's own profiles, one TOML file each.
    pub profiles: Option<PathBuf>,
    /// A field longer than this many bytes is refused.
    pub max_field_bytes: u64,
    /// A file that unpacks to more bytes than this is refused.
    pub max_file_bytes: u64,
    /// Folders whose files may be imported over the API, by their paths; the same for all workers. Empty: none.
    pub folders: Vec<PathBuf>,
    /// Object stores that files may be imported from, each a table `[imports.stores.NAME]`.
    pub stores: BTreeMap<String, StoreSettings>,
}

impl Default for ImportSettings {
    fn default() -> Self {
        ImportSettings {
            chunk_size: 1_000,
            spool: None,
            copy_files: false,
            profiles: None,
            max_field_bytes: 1 << 20,
            max_file_bytes: 1 << 40,
            folders: Vec::new(),
            stores: BTreeMap::new(),
        }
    }
}
