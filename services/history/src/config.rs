//! The settings of this service.

use marketplace_runtime::config::{Common, Env, Neighbours};
use url::Url;

use crate::domain::Brand;

/// Local port.
pub const PORT: u16 = 7004;

/// What this service reads from the environment.
#[derive(Debug, Clone)]
pub struct Config {
    /// What every service has.
    pub common: Common,
    /// `CATALOG_URL`: names of members, facts of offer types, and who may read.
    pub catalog: Url,
    /// `OPERATOR_NAME`, `OPERATOR_LOGO_URL`: what the history shows in place of the operator's staff (IB-2).
    pub brand: Brand,
}

impl Config {
    /// Reads all of it.
    pub fn read(env: &mut Env) -> Option<Config> {
        let common = Common::read(env, PORT);
        let name = env.or("OPERATOR_NAME", "Marketplace".to_owned());
        let logo: Option<Option<Url>> = env.optional("OPERATOR_LOGO_URL");
        let common = common?;
        let catalog = Neighbours::need(env, common.neighbours.catalog.as_ref(), "CATALOG_URL");
        let brand = Brand {
            name: name?,
            logo_url: logo?.map(String::from).unwrap_or_default(),
        };
        Some(Config {
            catalog: catalog?,
            brand,
            common,
        })
    }
}

impl AsRef<Common> for Config {
    fn as_ref(&self) -> &Common {
        &self.common
    }
}
