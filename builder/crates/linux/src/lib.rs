//! Linux: what a kernel can do, which of its modules and which firmware a guest needs.

pub mod drivers;
pub mod firmware;
pub mod kernel;
