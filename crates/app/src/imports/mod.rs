//! Imports: a file is received (sent, read where it is, or fetched by a job), planned into chunks, imported chunk by chunk on any worker, and finished.

mod chunk;
mod control;
mod draft;
mod dry_run;
mod fetch;
mod file_stamp;
mod finish;
mod folders;
mod historical;
mod known_products;
mod newcomers;
mod object_store;
mod options;
mod origin;
mod part;
mod plan;
mod pull;
mod rejects;
mod start;
mod upload;

pub(crate) use chunk::{import_chunk, prepare};
pub use control::{Status, cancel, current, list, pause, resume, status, wait_at_rest};
pub use draft::{Draft, profile_names};
pub use dry_run::{DryRun, Reason, Shortfall, dry_run};
pub(crate) use fetch::{ATTEMPTS, Fetched, arrive, fetch_file};
pub use fetch::{dry_run_of, fetch};
use file_stamp::FileStamp;
pub(crate) use finish::{fail, finish, remove_spool};
pub use importer::{Charset, Field, Looked, Reject, RejectCode, Returns, TotalMismatch, Workflow};
pub(crate) use known_products::KnownProducts;
pub use options::{ImportOptions, OnError, UnknownProducts};
pub use origin::{NotAllowed, Origin, is_url};
pub use plan::options_of;
pub(crate) use plan::{plan, record as record_plan};
pub use rejects::write_rejects;
pub(crate) use start::spool_folder;
pub use start::{Started, start};
pub use upload::{Upload, remove_left_behind};

use importer::{BrokenOrder, Layout};
use serde::{Deserialize, Serialize};

/// What is stored with an import once its file was looked at: how its rows are read.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct StoredPlan {
    /// How rows are read.
    pub(crate) layout: Layout,
    /// Orders whose lines lie apart.
    #[serde(default)]
    pub(crate) broken: Vec<BrokenOrder>,
    /// The file as it was received, where it is read in place: nobody else's hand is kept off it.
    #[serde(default)]
    pub(crate) file: Option<FileStamp>,
}
