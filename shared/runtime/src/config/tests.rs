//! The settings of every service: what is enough, and what each wrong value is answered with.

use super::*;

const GOOD: [(&str, &str); 3] = [
    (
        "DATABASE_URL",
        "postgres://certification_app:pw@db/marketplace",
    ),
    ("AMQP_URL", "amqp://guest:pw@broker/%2f"),
    ("AUTH_ISSUERS_FILE", "/etc/marketplace/issuers.json"),
];

fn read(extra: &[(&str, &str)]) -> Result<Common, ConfigError> {
    Env::from_pairs(GOOD.into_iter().chain(extra.iter().copied()))
        .read(|env| Common::read(env, 7002))
}

#[test]
fn three_variables_are_enough() {
    let common = read(&[]).unwrap();
    assert_eq!(common.listen.to_string(), "127.0.0.1:7002");
    assert_eq!(
        (
            common.postgres.max_connections,
            common.auth.local,
            common.reflection
        ),
        (16, false, true)
    );
}

#[test]
fn an_empty_environment_names_each_that_is_missing() {
    let ConfigError(wrong) = Env::from_pairs::<&str, &str>([])
        .read(|env| Common::read(env, 1))
        .unwrap_err();
    for name in [
        "DATABASE_URL is not set",
        "AMQP_URL is not set",
        "AUTH_ISSUERS_FILE is not set",
    ] {
        assert!(
            wrong.iter().any(|line| line == name),
            "{name} is not in {wrong:?}"
        );
    }
}

#[test]
fn every_wrong_value_names_its_variable_and_no_secret() {
    let table = [
        ("LISTEN", "7002"),
        ("HEALTH_LISTEN", "localhost:1"),
        ("DATABASE_URL", "mysql://u:hush@db/x"),
        ("DATABASE_MAX_CONNECTIONS", "many"),
        ("AMQP_URL", "http://u:hush@broker"),
        ("LOG", "=,="),
        ("LOG_FORMAT", "xml"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "not a url"),
        ("OUTBOUND_ALLOW", "10.0.0.0/64"),
        ("CATALOG_URL", "https://catalog:7001"),
        ("SERVICE_KEY_FILE", "/key.pem"),
        ("SHUTDOWN_GRACE", "soon"),
        ("REFLECTION", "2"),
    ];
    let ConfigError(wrong) = read(&table).unwrap_err();
    for (name, _) in table {
        assert!(
            wrong.iter().any(|line| line.starts_with(name)),
            "{name} is not in {wrong:?}"
        );
    }
    assert_eq!(wrong.len(), table.len(), "{wrong:?}");
    assert!(!wrong.join(" ").contains("hush"));
}

#[test]
fn a_password_is_not_printed() {
    assert!(!format!("{:?}", read(&[]).unwrap().postgres).contains("pw"));
}
