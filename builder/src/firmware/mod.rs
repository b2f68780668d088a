//! Firmware selection.
