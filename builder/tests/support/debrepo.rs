//! Repo.
