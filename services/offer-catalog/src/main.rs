//! `offer-catalog start` serves, `offer-catalog migrate` applies the migrations as the owner role.

use std::process::ExitCode;

use offer_catalog::config::Config;

fn main() -> ExitCode {
    marketplace_runtime::run(
        offer_catalog::NAME,
        &offer_catalog::MIGRATIONS,
        Config::read,
        offer_catalog::start,
    )
}
