use std::path::PathBuf;

use documented::{Documented, DocumentedFields};
use serde::{Deserialize, Serialize};

/// Files that come in. `[imports]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Documented, DocumentedFields)]
#[serde(default, deny_unknown_fields)]
pub struct ImportSettings {
    /// Rows that are imported in one transaction, about.
    pub chunk_size: u32,
    /// Where decoded copies of files are kept while they are imported; by default beside the database.
    pub spool: Option<PathBuf>,
    /// A folder of the shop's own profiles, one TOML file each.
    pub profiles: Option<PathBuf>,
    /// A field longer than this many bytes is refused.
    pub max_field_bytes: u64,
    /// A file that unpacks to more bytes than this is refused.
    pub max_file_bytes: u64,
}

impl Default for ImportSettings {
    fn default() -> Self {
        ImportSettings {
            chunk_size: 1_000,
            spool: None,
            profiles: None,
            max_field_bytes: 1 << 20,
            max_file_bytes: 1 << 40,
        }
    }
}
