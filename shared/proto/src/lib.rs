//! Generated code of every package below `proto/`, and nothing else.
#![allow(missing_docs, clippy::all, reason = "generated")]

include!(concat!(env!("OUT_DIR"), "/marketplace.rs"));

pub use marketplace::*;

/// The encoded `FileDescriptorSet` of all packages, for reflection.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));
