//! The image writers against readers that others wrote: every image is written, read back by our
//! own check where there is one, and read by the tools that people use, where they are installed.
//! With `CI` set in the environment a tool that is missing is a failure.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

mod esp;
mod newc;
mod support;
mod uki;
