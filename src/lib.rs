//! Real-time contact-center metrics.
