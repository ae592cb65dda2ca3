//! The stories over the five real services. This list is the table of contents.

mod access;
mod faults;
mod isolation;
mod live;
mod races;
mod readme;
mod refusals;
mod requests;
mod roles;
mod shape;
mod shutdown;
mod trace;
