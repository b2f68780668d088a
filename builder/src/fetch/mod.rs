//! The only module that touches the network, and the content-addressed store.
