//! `certification` or `certification start` serves; `certification migrate` applies the migrations as the owner.

fn main() -> std::process::ExitCode {
    marketplace_runtime::run(
        "certification",
        &certification::MIGRATIONS,
        certification::Config::read,
        certification::start,
    )
}
