//! Kernel packages: capabilities, modules, depmod indexes.
