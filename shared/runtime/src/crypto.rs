//! One TLS provider for the whole process.

/// Installs ring as rustls' provider. Harmless when called again; called by telemetry, outbound, postgres and tests.
pub fn install() {
    // Err means that a provider is installed already: ours, since nobody else installs one.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
