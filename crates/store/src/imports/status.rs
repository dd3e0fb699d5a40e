use schemars::JsonSchema;
use serde::Serialize;

/// Where an import stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ImportStatus {
    /// The file is being read for the first time.
    Planning,
    /// Its chunks are being imported.
    Running,
    /// Its chunks wait for an operator.
    Paused,
    /// Every chunk is done.
    Completed,
    /// An operator ended it; what was imported stays.
    Cancelled,
    /// It cannot go on; its error says why.
    Failed,
    /// Its file is on the way from a folder or an object store.
    Fetching,
    /// Its file turned out to be that of another import; nothing was imported.
    Duplicate,
}

impl ImportStatus {
    const ALL: [Self; 8] = [
        Self::Planning,
        Self::Running,
        Self::Paused,
        Self::Completed,
        Self::Cancelled,
        Self::Failed,
        Self::Fetching,
        Self::Duplicate,
    ];

    /// The number stored in the ledger.
    pub fn code(self) -> i64 {
        self as i64 + 1
    }

    /// The status with this stored number.
    pub fn from_code(code: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.code() == code)
    }

    /// The word people see.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Planning => "planning",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Completed => "completed",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
            Self::Fetching => "fetching",
            Self::Duplicate => "duplicate",
        }
    }

    /// Whether it can be stopped for a while.
    pub const fn can_pause(self) -> bool {
        matches!(self, Self::Running)
    }

    /// Whether it was stopped for a while.
    pub const fn is_paused(self) -> bool {
        matches!(self, Self::Paused)
    }

    /// Whether it can be ended before its time.
    pub const fn can_cancel(self) -> bool {
        !self.is_final()
    }

    /// Whether nothing more will happen to it.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Cancelled | Self::Failed | Self::Duplicate)
    }
}
