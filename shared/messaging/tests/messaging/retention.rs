//! Nothing grows for ever, and the app role changes no table.

use marketplace_messaging::retention::sweep_once;
use marketplace_runtime::clock;

use crate::setup::Setup;

#[tokio::test]
async fn what_is_past_its_age_goes_and_the_rest_stays() {
    let setup = Setup::new().await;
    let old = "
        INSERT INTO publishing.inbox VALUES
            ('01000000-0000-7000-8000-000000000001', now() - interval '40 days'),
            ('01000000-0000-7000-8000-000000000002', now() - interval '1 day'),
            ('01000000-0000-7000-8000-000000000003', now() - interval '36 days');
        INSERT INTO publishing.requests (key, rpc, fingerprint, answer, made_at) VALUES
            (sha256('a'), 'A', sha256('a'), '', now() - interval '9 days'),
            (sha256('b'), 'A', sha256('a'), '', now() - interval '7 days');
        INSERT INTO publishing.dead_letters (id, queue, event_id, type, reason, attempts, received_at, payload, state, settled_at)
        VALUES (gen_random_uuid(), 'q', gen_random_uuid(), 't', 'r', 1, now() - interval '1 year', '', 'waiting', NULL),
               (gen_random_uuid(), 'q', gen_random_uuid(), 't', 'r', 1, now() - interval '1 year', '', 'replayed', now() - interval '91 days');
        CREATE TABLE publishing.published_20200101 PARTITION OF publishing.published FOR VALUES FROM ('2020-01-01') TO ('2020-01-02');
        ALTER TABLE publishing.published_20200101 OWNER TO publishing_owner;
        INSERT INTO publishing.published (published_on, position, event_id, stream, revision, epoch, occurred_at, key, cc, head,
                                          body, traceparent, tracestate)
        SELECT day, 1, gen_random_uuid(), 's', 1, 1, now(), 'k', '', '', '', '', ''
        FROM (VALUES ('2020-01-01'::date), ('2020-02-01'), (current_date - 29), (current_date)) v (day)";
    sqlx::raw_sql(old).execute(&setup.admin).await.unwrap();
    sweep_once(setup.publishing.pool(), clock::now())
        .await
        .unwrap();
    for (table, left) in [
        ("SELECT count(*) FROM publishing.inbox", 2),
        ("SELECT count(*) FROM publishing.requests", 1),
        ("SELECT count(*) FROM publishing.dead_letters", 1),
        ("SELECT count(*) FROM publishing.published", 2),
        ("SELECT count(*) FROM publishing.published_default", 0),
        (
            "SELECT count(*) FROM pg_tables WHERE tablename = 'published_20200101'",
            0,
        ),
    ] {
        assert_eq!(setup.count(table).await, left, "{table}");
    }
    setup.end().await;
}

#[tokio::test]
async fn the_app_role_rotates_partitions_but_changes_no_table() {
    let setup = Setup::new().await;
    let app = setup.publishing.pool();
    for refused in [
        "DROP TABLE publishing.outbox",
        "ALTER TABLE publishing.outbox ADD COLUMN x int",
        "CREATE TABLE publishing.mine ()",
        "TRUNCATE publishing.outbox",
        "SELECT * FROM history.outbox",
        "SELECT history.rotate_published(30)",
        "SELECT rotate_published(1)",
    ] {
        assert!(
            sqlx::query(refused).execute(app).await.is_err(),
            "{refused}"
        );
    }
    sqlx::query("SELECT rotate_published(30)")
        .execute(app)
        .await
        .unwrap();
    setup.end().await;
}
