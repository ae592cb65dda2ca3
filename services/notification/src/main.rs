//! `notification` or `notification start` serves; `notification migrate` applies the migrations as the owner role.

use notification::config::Config;

fn main() -> std::process::ExitCode {
    marketplace_runtime::run(
        "notification",
        &notification::MIGRATIONS,
        Config::read,
        notification::start,
    )
}
