//! Audit reports in, findings out.
