//! The log in one process, on redb: in memory or in a directory.
