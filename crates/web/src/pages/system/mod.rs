//! How everything does, and the settings in force.

mod settings;
mod show;

pub(super) use settings::settings;
pub(super) use show::show;
