//! The `wxb` command.
fn main() {}
