//! `publishing-pipeline` serves, `publishing-pipeline migrate` migrates as the owner.

use publishing_pipeline::Config;

fn main() -> std::process::ExitCode {
    marketplace_runtime::run(
        publishing_pipeline::NAME,
        &publishing_pipeline::MIGRATIONS,
        Config::read,
        publishing_pipeline::start,
    )
}
