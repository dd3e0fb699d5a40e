//! The `ordermill` command.

fn main() {}
