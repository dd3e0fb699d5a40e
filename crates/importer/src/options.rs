//! What a caller may say about how a file is read.

use serde::{Deserialize, Serialize};

use crate::{Charset, Field, Profile, ReadError};

/// How to read a file. The default finds out everything itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ReadOptions {
    /// The encoding, if it is known; bytes that it does not have are an error then.
    pub encoding: Option<Charset>,
    /// The delimiter, if it is known.
    pub delimiter: Option<u8>,
    /// The profile's name, if it is known.
    pub profile: Option<String>,
    /// The shop's own profiles, which come before those of the program.
    pub profiles: Vec<Profile>,
    /// Columns by name and what they mean, whatever the profile says.
    pub columns: Vec<(String, Field)>,
    /// Columns by name that mean nothing, whatever the profile says.
    pub ignored_columns: Vec<String>,
    /// Most bytes that may come out of a compressed file.
    pub max_bytes: u64,
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self {
            encoding: None,
            delimiter: None,
            profile: None,
            profiles: Vec::new(),
            columns: Vec::new(),
            ignored_columns: Vec::new(),
            max_bytes: 256 << 30,
        }
    }
}

impl ReadOptions {
    /// The profiles to choose from: the named one, or all.
    pub(crate) fn candidates(&self) -> Result<Vec<Profile>, ReadError> {
        let all: Vec<Profile> = self.profiles.iter().cloned().chain(Profile::builtin()).collect();
        let Some(name) = &self.profile else { return Ok(all) };
        let known = || all.iter().map(|profile| profile.name.as_str()).collect::<Vec<_>>().join(", ");
        let found = all.iter().find(|profile| profile.name == *name);
        let profile =
            found.ok_or_else(|| ReadError::UnknownProfile { name: name.clone(), known: known() })?;
        Ok(vec![profile.clone()])
    }
}

/// Bounds that keep the memory of planning and parsing flat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PlanOptions {
    /// Rows a chunk has, about.
    pub chunk_size: u64,
    /// Bytes after which a chunk ends even with fewer rows.
    pub chunk_bytes: u64,
    /// Most bytes of one cell.
    pub max_field: usize,
    /// Most bytes of one row.
    pub max_row: usize,
    /// Most rows of one order.
    pub max_order_rows: u64,
    /// Most orders whose lines may lie apart before the file counts as unsorted.
    pub max_broken_orders: usize,
    /// Order ids kept in memory before they are sorted out to disk; 32 bytes each.
    pub ids_in_memory: usize,
}

impl Default for PlanOptions {
    fn default() -> Self {
        Self {
            chunk_size: 2_000,
            chunk_bytes: 8 << 20,
            max_field: 1 << 20,
            max_row: 16 << 20,
            max_order_rows: 100_000,
            max_broken_orders: 100_000,
            ids_in_memory: 1 << 18,
        }
    }
}
