//! offer-catalog
