use domain::SourceName;
use importer::{Charset, Field, Returns, Rules, TotalMismatch, Workflow};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{App, Error, Result};

/// What an import does with its rows. Stored with it, so that it goes on as it began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ImportOptions {
    /// Half of the identity of its orders; the profile's name where it is not told.
    pub source: Option<SourceName>,
    /// How columns are read; found by the header where it is not told.
    pub profile: Option<String>,
    /// Columns and what they mean, whatever the profile says.
    pub columns: Vec<(String, Field)>,
    /// Columns that mean nothing, whatever the profile says.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ignored_columns: Vec<String>,
    /// The file's encoding, where it is known.
    pub encoding: Option<Charset>,
    /// The file's delimiter, where it is known.
    pub delimiter: Option<u8>,
    /// Rows of a transaction, about.
    pub chunk_size: u32,
    /// What the import is for; the profile's own where it is not told.
    pub workflow: Option<Workflow>,
    /// Whether customers are told; by default they are of new orders, and not of historical ones.
    pub notify: Option<bool>,
    /// What happens to a line whose SKU is not in the catalogue.
    pub unknown_products: UnknownProducts,
    /// Units that products are made with.
    pub initial_stock: i64,
    /// What a bad row does.
    pub on_error: OnError,
    /// Totals that do not add up.
    pub total_mismatch: TotalMismatch,
    /// Negative quantities.
    pub returns: Returns,
    /// Rejected rows after which the import fails.
    pub max_rejects: Option<u64>,
}

/// What happens to a line whose SKU is not in the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum UnknownProducts {
    /// The product is made.
    #[default]
    Create,
    /// The order is rejected.
    Reject,
}

/// What a bad row does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnError {
    /// It rejects its order; other orders go on.
    #[default]
    RejectOrder,
    /// It ends the import.
    Stop,
}

impl Default for ImportOptions {
    fn default() -> Self {
        ImportOptions {
            source: None,
            profile: None,
            columns: Vec::new(),
            ignored_columns: Vec::new(),
            encoding: None,
            delimiter: None,
            chunk_size: 1_000,
            workflow: None,
            notify: None,
            unknown_products: UnknownProducts::Create,
            initial_stock: 0,
            on_error: OnError::RejectOrder,
            total_mismatch: TotalMismatch::default(),
            returns: Returns::default(),
            max_rejects: None,
        }
    }
}

impl ImportOptions {
    /// What the import is for, given its profile's own purpose.
    pub(crate) fn workflow(&self, profile: Workflow) -> Workflow {
        self.workflow.unwrap_or(profile)
    }

    pub(crate) fn check(&self, profile: Workflow) -> Result<()> {
        let wrong = |what: &str| Err(Error::Invalid(what.to_owned()));
        if self.chunk_size == 0 || self.chunk_size > 100_000 {
            return wrong("the chunk size must be from 1 to 100000 rows");
        }
        if self.initial_stock < 0 {
            return wrong("the initial stock must not be negative");
        }
        if self.returns == Returns::Refund && self.workflow(profile) == Workflow::Process {
            return wrong(
                "returns can be refunded only in historical imports: an order that is yet to be paid has nothing to \
                 give back",
            );
        }
        Ok(())
    }

    pub(crate) fn rules(&self, app: &App, profile: Workflow) -> Rules {
        /// Two years.
        const AHEAD: jiff::SignedDuration = jiff::SignedDuration::from_hours(2 * 366 * 24);
        Rules {
            zone: app.calendar().zone().clone(),
            latest: app.now().saturating_add(AHEAD).unwrap_or(jiff::Timestamp::MAX),
            workflow: self.workflow(profile),
            total_mismatch: self.total_mismatch,
            returns: self.returns,
        }
    }
}
