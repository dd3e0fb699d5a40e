//! The scripts, each with what they share before it.

use std::sync::LazyLock;

use redis_link::Script;

macro_rules! scripts {
    ($($(#[$doc:meta])* $name:ident = $file:literal;)*) => {
        $($(#[$doc])*
        pub(super) static $name: LazyLock<Script> = LazyLock::new(|| {
            Script::new(concat!(include_str!("scripts/lib.lua"), include_str!(concat!("scripts/", $file))))
        });)*
    };
}

scripts! {
    OFFER = "offer.lua";
    CLAIM = "claim.lua";
    COMPLETE = "complete.lua";
    MOVE = "move.lua";
    EXTEND = "extend.lua";
    PROMOTE = "promote.lua";
    EXPIRED = "expired.lua";
    PRUNE = "prune.lua";
    PAGE = "page.lua";
    NEWEST = "newest.lua";
    READ = "read.lua";
    DEPTH = "depth.lua";
    NEXT = "next.lua";
    READY = "ready.lua";
    ESTABLISH = "establish.lua";
    STATES = "states.lua";
    SETTLED = "settled.lua";
}
