//! The laws that every log obeys, as functions that run on any of them.
