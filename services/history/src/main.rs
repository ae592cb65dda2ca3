//! `history` or `history start` serves; `history migrate` applies the migrations as the owner role.

use history::config::Config;

fn main() -> std::process::ExitCode {
    marketplace_runtime::run(
        "history",
        &history::MIGRATIONS,
        Config::read,
        history::start,
    )
}
