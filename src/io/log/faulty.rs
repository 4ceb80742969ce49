//! Injects the errors of a real broker over any log.
