//! What the Postgres role of a service may not do.

use sqlx::Executor;
use system_tests::{Marketplace, Options, SERVICES, schema};

/// design: no role can read a neighbour's schema, and the history's app role can't change a row.
#[tokio::test]
async fn roles_stay_in_their_schemas() -> anyhow::Result<()> {
    let market = Marketplace::start_with(Options {
        stopped: true,
        ..Options::default()
    })
    .await?;
    for service in SERVICES {
        for role in ["app", "owner"] {
            let role = format!("{}_{role}", schema(service));
            let mut db = market.servers.database.connect(&role).await?;
            for neighbour in SERVICES.into_iter().filter(|other| *other != service) {
                let select = format!("SELECT * FROM {}.outbox LIMIT 1", schema(neighbour));
                let refused = db.execute(sqlx::AssertSqlSafe(select)).await;
                assert_eq!(
                    code(refused).as_deref(),
                    Some("42501"),
                    "{role} reads {neighbour}"
                );
            }
            let own = db
                .execute(sqlx::AssertSqlSafe(format!(
                    "SELECT * FROM {}.outbox LIMIT 1",
                    schema(service)
                )))
                .await;
            assert!(own.is_ok(), "{role} reads its own");
        }
        let role = format!("{}_app", schema(service));
        let mut app = market.servers.database.connect(&role).await?;
        let refused = app
            .execute(sqlx::AssertSqlSafe(format!(
                "CREATE TABLE {}.mine ()",
                schema(service)
            )))
            .await;
        assert_eq!(
            code(refused).as_deref(),
            Some("42501"),
            "{role} makes a table"
        );
    }
    let mut history = market.servers.database.connect("history_app").await?;
    for change in [
        "UPDATE history.rows SET seq = 0",
        "DELETE FROM history.rows",
        "TRUNCATE history.rows",
    ] {
        assert_eq!(
            code(history.execute(change).await).as_deref(),
            Some("42501"),
            "{change}"
        );
    }
    market.servers.drop_all().await
}

fn code(result: Result<sqlx::postgres::PgQueryResult, sqlx::Error>) -> Option<String> {
    result
        .err()?
        .as_database_error()?
        .code()
        .map(|code| code.into_owned())
}
