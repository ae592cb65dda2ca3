//! The settings that every service has.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use url::Url;

use super::Env;

/// What every service reads; a service's own configuration holds one and implements `AsRef<Common>`.
#[derive(Clone)]
pub struct Common {
    /// `LISTEN`: where gRPC is served; `127.0.0.1` and the service's local port by default. Port 0 is fine.
    pub listen: SocketAddr,
    /// `HEALTH_LISTEN`: where health alone is served as well, for probes.
    pub health_listen: Option<SocketAddr>,
    /// The database.
    pub postgres: PostgresConfig,
    /// `AMQP_URL`: the broker.
    pub amqp: String,
    /// Whose tokens count.
    pub auth: AuthConfig,
    /// Logs, traces and metrics.
    pub telemetry: TelemetryConfig,
    /// What the guarded HTTP client may do beyond the rules.
    pub outbound: OutboundConfig,
    /// Where the other services are.
    pub neighbours: Neighbours,
    /// Who this process is to the other services.
    pub service_identity: ServiceIdentity,
    /// `SHUTDOWN_GRACE`: how long calls and messages in flight may take to end; 25s by default.
    pub shutdown_grace: Duration,
    /// `REFLECTION`: whether gRPC reflection is served; true by default.
    pub reflection: bool,
    /// `ANONYMOUS_RATE`: calls per second that one address may make without a token; 50 by default.
    pub anonymous_rate: u32,
}

/// How to reach Postgres.
#[derive(Clone)]
pub struct PostgresConfig {
    /// `DATABASE_URL`: as the service's app role.
    pub url: String,
    /// `DATABASE_MAX_CONNECTIONS`: size of the pool; 16 by default.
    pub max_connections: u32,
}

/// Whose tokens count.
#[derive(Debug, Clone)]
pub struct AuthConfig {
    /// `AUTH_ISSUERS_FILE`: a JSON list of trusted issuers (see [`crate::identity::Issuer`]).
    pub issuers_file: PathBuf,
    /// `LOCAL`: accept keys whose kid begins with `local-`. For a developer's machine and tests only.
    pub local: bool,
}

/// Logs, traces and metrics.
#[derive(Debug, Clone)]
pub struct TelemetryConfig {
    /// `LOG`: filter directives, `info` by default.
    pub log: String,
    /// `LOG_FORMAT`: `json` (default) or `pretty`.
    pub format: LogFormat,
    /// `OTEL_EXPORTER_OTLP_ENDPOINT`: where traces and metrics go over OTLP/gRPC; nowhere by default.
    pub otlp_endpoint: Option<Url>,
    /// `OTEL_TRACES_SAMPLER_ARG`: the share of traces begun here that is kept, 0 to 1; 1 by default.
    pub sample: f64,
}

/// How a line of log looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// Text for people.
    Pretty,
}

impl std::str::FromStr for LogFormat {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "json" => Ok(Self::Json),
            "pretty" => Ok(Self::Pretty),
            _ => Err("must be json or pretty"),
        }
    }
}

/// Exceptions for the guarded HTTP client, see [`crate::outbound`].
#[derive(Debug, Clone, Default)]
pub struct OutboundConfig {
    /// `OUTBOUND_ALLOW`: CIDRs that may be called although they are not public; empty but in tests.
    pub allow: Vec<IpNet>,
    /// `OUTBOUND_CA_FILE`: PEM certificates trusted besides the public ones.
    pub ca_file: Option<PathBuf>,
}

/// Where the other services are. A service refuses to start without those that it calls: see [`Neighbours::need`].
#[derive(Debug, Clone, Default)]
pub struct Neighbours {
    /// `CATALOG_URL`
    pub catalog: Option<Url>,
    /// `CERTIFICATION_URL`
    pub certification: Option<Url>,
    /// `PUBLISHING_URL`
    pub publishing: Option<Url>,
    /// `HISTORY_URL`
    pub history: Option<Url>,
    /// `NOTIFICATION_URL`
    pub notification: Option<Url>,
}

/// Who this process is to the other services.
#[derive(Debug, Clone, Default)]
pub struct ServiceIdentity {
    /// `SERVICE_TOKEN_FILE`: a token that somebody else rotates (a projected ServiceAccount token).
    pub token_file: Option<PathBuf>,
    /// `SERVICE_KEY_FILE`: with `LOCAL=1`, an Ed25519 key (PKCS #8 PEM) to mint short tokens with.
    pub key_file: Option<PathBuf>,
    /// `SERVICE_KEY_ID`: the kid of that key; `local-1` by default.
    pub key_id: String,
}

impl Common {
    /// Reads all of them; `port` is the service's local port.
    pub fn read(env: &mut Env, port: u16) -> Option<Common> {
        let listen = env.or("LISTEN", SocketAddr::from(([127, 0, 0, 1], port)));
        let health_listen = env.optional("HEALTH_LISTEN");
        let postgres = PostgresConfig::read(env, "DATABASE_URL");
        let amqp = amqp(env);
        let auth = AuthConfig::read(env);
        let telemetry = TelemetryConfig::read(env);
        let outbound = OutboundConfig::read(env);
        let neighbours = Neighbours::read(env);
        let service_identity =
            ServiceIdentity::read(env, auth.as_ref().is_none_or(|auth| auth.local));
        let shutdown_grace = env.duration("SHUTDOWN_GRACE", Duration::from_secs(25));
        let reflection = env.flag("REFLECTION", true);
        let anonymous_rate = env.or("ANONYMOUS_RATE", 50);
        Some(Common {
            listen: listen?,
            health_listen: health_listen?,
            postgres: postgres?,
            amqp: amqp?,
            auth: auth?,
            telemetry: telemetry?,
            outbound: outbound?,
            neighbours: neighbours?,
            service_identity: service_identity?,
            shutdown_grace: shutdown_grace?,
            reflection: reflection?,
            anonymous_rate: anonymous_rate?,
        })
    }
}

impl std::fmt::Debug for Common {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The broker's URL holds a password.
        f.debug_struct("Common")
            .field("listen", &self.listen)
            .field("auth", &self.auth)
            .finish_non_exhaustive()
    }
}

impl AsRef<Common> for Common {
    fn as_ref(&self) -> &Common {
        self
    }
}

fn amqp(env: &mut Env) -> Option<String> {
    let url: Url = env.secret("AMQP_URL")?;
    if !matches!(url.scheme(), "amqp" | "amqps") {
        env.refuse("AMQP_URL", "must begin with amqp:// or amqps://");
        return None;
    }
    Some(url.into())
}

impl PostgresConfig {
    /// Reads the URL from `url`: `DATABASE_URL`, or `DATABASE_OWNER_URL` for migrations.
    pub fn read(env: &mut Env, url: &str) -> Option<Self> {
        let parsed: Option<Url> = env.secret(url);
        let max_connections = env.or("DATABASE_MAX_CONNECTIONS", 16);
        let parsed = parsed?;
        if !matches!(parsed.scheme(), "postgres" | "postgresql") {
            env.refuse(url, "must begin with postgres://");
            return None;
        }
        Some(Self {
            url: parsed.into(),
            max_connections: max_connections?,
        })
    }
}

impl std::fmt::Debug for PostgresConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The URL holds a password.
        f.debug_struct("PostgresConfig")
            .field("max_connections", &self.max_connections)
            .finish_non_exhaustive()
    }
}

impl AuthConfig {
    fn read(env: &mut Env) -> Option<Self> {
        let issuers_file = env.required("AUTH_ISSUERS_FILE");
        let local = env.flag("LOCAL", false);
        Some(Self {
            issuers_file: issuers_file?,
            local: local?,
        })
    }
}

impl TelemetryConfig {
    /// Reads them; `migrate` needs these and the owner's URL only.
    pub fn read(env: &mut Env) -> Option<Self> {
        let log = env.or("LOG", "info".to_owned());
        let format = env.or("LOG_FORMAT", LogFormat::Json);
        let otlp_endpoint = env.optional("OTEL_EXPORTER_OTLP_ENDPOINT");
        let sample = env.or("OTEL_TRACES_SAMPLER_ARG", 1.0);
        let log = log?;
        if let Err(error) = tracing_subscriber::EnvFilter::try_new(&log) {
            env.refuse("LOG", format!("is {log:?}: {error}"));
        }
        Some(Self {
            log,
            format: format?,
            otlp_endpoint: otlp_endpoint?,
            sample: sample?,
        })
    }
}

impl OutboundConfig {
    fn read(env: &mut Env) -> Option<Self> {
        let allow = env.list("OUTBOUND_ALLOW");
        let ca_file = env.optional("OUTBOUND_CA_FILE");
        Some(Self {
            allow: allow?,
            ca_file: ca_file?,
        })
    }
}

impl Neighbours {
    fn read(env: &mut Env) -> Option<Self> {
        let mut url = |name| -> Option<Option<Url>> {
            let url: Option<Url> = env.optional(name)?;
            if url
                .as_ref()
                .is_some_and(|url| url.scheme() != "http" || url.host().is_none())
            {
                env.refuse(name, "must be http://host:port");
                return None;
            }
            Some(url)
        };
        let [catalog, certification, publishing, history, notification] = [
            "CATALOG_URL",
            "CERTIFICATION_URL",
            "PUBLISHING_URL",
            "HISTORY_URL",
            "NOTIFICATION_URL",
        ]
        .map(&mut url);
        Some(Self {
            catalog: catalog?,
            certification: certification?,
            publishing: publishing?,
            history: history?,
            notification: notification?,
        })
    }

    /// The address of a neighbour that the service can't do without; `name` is its variable.
    pub fn need(env: &mut Env, url: Option<&Url>, name: &str) -> Option<Url> {
        if url.is_none() {
            env.refuse(name, "is not set");
        }
        url.cloned()
    }
}

impl ServiceIdentity {
    fn read(env: &mut Env, local: bool) -> Option<Self> {
        let token_file = env.optional("SERVICE_TOKEN_FILE");
        let key_file: Option<Option<PathBuf>> = env.optional("SERVICE_KEY_FILE");
        let key_id = env.or("SERVICE_KEY_ID", "local-1".to_owned());
        if !local && matches!(key_file, Some(Some(_))) {
            env.refuse(
                "SERVICE_KEY_FILE",
                "needs LOCAL=1: elsewhere services have tokens of a real issuer",
            );
        }
        Some(Self {
            token_file: token_file?,
            key_file: key_file?,
            key_id: key_id?,
        })
    }
}
