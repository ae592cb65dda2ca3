//! Fresh databases on the server of `TEST_POSTGRES_URL`, made of roles.sql and the migrations, used as the app role.

use marketplace_messaging::Database;
use marketplace_runtime::ids::new_id;
use marketplace_runtime::postgres;
use offer_catalog::{DOMAIN, MIGRATIONS, NAME};
use sqlx::postgres::PgPoolOptions;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use url::Url;

const ROLES: &str = include_str!("../../../../../deploy/postgres/roles.sql");

#[expect(
    clippy::disallowed_methods,
    reason = "tests are told where servers are by their environment"
)]
fn server() -> Url {
    let url = std::env::var("TEST_POSTGRES_URL")
        .expect("TEST_POSTGRES_URL: a superuser's URL of a server to make databases on");
    Url::parse(&url).unwrap()
}

fn url(database: &str, user: Option<&str>) -> String {
    let mut url = server();
    url.set_path(database);
    if let Some(user) = user {
        url.set_username(user).unwrap();
    }
    url.to_string()
}

/// A migrated database; its name is answered too.
pub async fn fresh() -> (Database, String) {
    let name = format!("test_offer_catalog_{}", new_id().simple());
    let mut admin = PgConnection::connect(server().as_str()).await.unwrap();
    // Roles belong to the server: two tests at once must not change them both.
    sqlx::raw_sql("SELECT pg_advisory_lock(7001)")
        .execute(&mut admin)
        .await
        .unwrap();
    sqlx::raw_sql(AssertSqlSafe(format!("CREATE DATABASE {name}")))
        .execute(&mut admin)
        .await
        .unwrap();
    let mut made = PgConnection::connect(&url(&name, None)).await.unwrap();
    sqlx::raw_sql(ROLES).execute(&mut made).await.unwrap();
    sqlx::raw_sql("SELECT pg_advisory_unlock(7001)")
        .execute(&mut admin)
        .await
        .unwrap();
    postgres::migrate(&url(&name, Some("offer_catalog_owner")), &MIGRATIONS)
        .await
        .unwrap();
    let options = postgres::options(&url(&name, Some("offer_catalog_app"))).unwrap();
    let pool = PgPoolOptions::new()
        .max_connections(12)
        .connect_with(options)
        .await
        .unwrap();
    postgres::check_migrations(&pool, &MIGRATIONS)
        .await
        .unwrap();
    (Database::new(pool, NAME, DOMAIN), name)
}

pub async fn drop(name: &str) {
    let mut admin = PgConnection::connect(server().as_str()).await.unwrap();
    let sql = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
    sqlx::raw_sql(AssertSqlSafe(sql))
        .execute(&mut admin)
        .await
        .unwrap();
}
