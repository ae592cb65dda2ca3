//! The table that the run ends with.

use std::time::Duration;

use comfy_table::{Table, presets};

use crate::pace::Times;

pub struct Report(Table);

impl Report {
    pub fn new() -> Self {
        let mut table = Table::new();
        table.set_header(["measure", "result", "goal"]);
        Self(table)
    }

    pub fn row(&mut self, measure: &str, result: &str, goal: &str) {
        eprintln!("{measure}: {result} {goal}");
        self.0.add_row([measure, result, goal]);
    }

    #[expect(clippy::print_stdout, reason = "the table is what the program is for")]
    pub fn print(&mut self) {
        self.0.load_style(presets::ASCII_MARKDOWN);
        println!("{}", self.0);
    }
}

/// "1,234 / s, p50 1.2 ms, p99 3.4 ms".
pub fn rate(times: &Times) -> String {
    format!("{:.0} / s, {}", times.rate(), spread(times))
}

/// "p50 1.2 ms, p99 3.4 ms".
pub fn spread(times: &Times) -> String {
    format!(
        "p50 {}, p99 {}",
        ms(times.percentile(0.5)),
        ms(times.percentile(0.99))
    )
}

pub fn ms(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1_000.0)
}
