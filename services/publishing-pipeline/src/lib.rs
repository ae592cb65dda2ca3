//! publishing-pipeline
