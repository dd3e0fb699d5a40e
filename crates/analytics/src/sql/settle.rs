use sql::Tx;

use crate::Result;
use crate::feed::{Home, home, set_home};

/// Whether figures live in SQL, and are all there.
pub fn is_settled(tx: &mut Tx<'_>) -> Result<bool> {
    Ok(home(tx)? == Home::Sql)
}

/// Says that figures live in SQL from now on. True if they lived elsewhere: what is stored here lacks what was told
/// meanwhile, and must be [rebuilt](crate::Rebuild) before [`settled`] is said.
pub fn settle(tx: &mut Tx<'_>) -> Result<bool> {
    match home(tx)? {
        Home::Sql => Ok(false),
        Home::Moving => Ok(true),
        Home::Redis => set_home(tx, Home::Moving).map(|()| true),
    }
}

/// Says that the figures in SQL are all there.
pub fn settled(tx: &mut Tx<'_>) -> Result<()> {
    set_home(tx, Home::Sql)
}
