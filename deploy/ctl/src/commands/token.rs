//! `marketctl token`: prints what `--as` would use, for grpcurl and scripts.

use serde_json::json;
use time::format_description::well_known::Rfc3339;

use crate::cli::Globals;
use crate::config;
use crate::error::Error;
use crate::output::Output;
use crate::token;

pub fn run(globals: &Globals, out: &mut Output) -> Result<(), Error> {
    let minted = token::mint(globals, config::now())?;
    out.say(&minted.token)?;
    out.json(&json!({"token": minted.token, "expires": minted.expires.format(&Rfc3339).unwrap_or_default()}))
}
