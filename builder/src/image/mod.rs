//! Image writers: SquashFS, initramfs, UKI, ESP.
