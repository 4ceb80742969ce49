//! The command line: flags to `app`, nothing else.
fn main() {}
