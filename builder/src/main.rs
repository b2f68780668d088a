//! The command `wifibox-build`: a thin wrapper round the library.

fn main() {}
