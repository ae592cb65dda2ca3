//! What an operator watches: backlog, returned publishes, dead letters. Instruments of the global meter, which is a
//! no-op until telemetry is set up.

use std::sync::OnceLock;

use opentelemetry::{
    KeyValue, global,
    metrics::{Counter, Gauge},
};

/// The instruments of this crate.
pub(crate) struct Metrics {
    published: Counter<u64>,
    returned: Counter<u64>,
    dead: Counter<u64>,
    backlog: Gauge<u64>,
    backlog_age: Gauge<f64>,
    waiting_dead: Gauge<u64>,
}

/// Instruments are not state: two services in one process share them and differ by attribute.
pub(crate) fn get() -> &'static Metrics {
    static METRICS: OnceLock<Metrics> = OnceLock::new();
    METRICS.get_or_init(|| {
        let meter = global::meter("marketplace-messaging");
        Metrics {
            published: meter
                .u64_counter("outbox.published")
                .with_description("events confirmed by the broker")
                .build(),
            returned: meter
                .u64_counter("outbox.refused")
                .with_description(
                    "publishes that the broker returned or refused; each holds back its offer",
                )
                .build(),
            dead: meter
                .u64_counter("inbox.dead_letters")
                .with_description("messages written to dead_letters")
                .build(),
            backlog: meter
                .u64_gauge("outbox.backlog")
                .with_description("events not yet published")
                .build(),
            backlog_age: meter.f64_gauge("outbox.backlog.age").with_unit("s").build(),
            waiting_dead: meter
                .u64_gauge("dead_letters.waiting")
                .with_description("dead letters that no operator has decided on")
                .build(),
        }
    })
}

impl Metrics {
    pub(crate) fn published(&self, service: &'static str, events: u64) {
        self.published
            .add(events, &[KeyValue::new("service", service)]);
    }

    pub(crate) fn refused(&self, service: &'static str, key: &str) {
        self.returned.add(
            1,
            &[
                KeyValue::new("service", service),
                KeyValue::new("key", key.to_owned()),
            ],
        );
    }

    pub(crate) fn dead_lettered(&self, queue: &'static str, kind: &str) {
        self.dead.add(
            1,
            &[
                KeyValue::new("queue", queue),
                KeyValue::new("type", kind.to_owned()),
            ],
        );
    }

    pub(crate) fn standing(
        &self,
        service: &'static str,
        backlog: u64,
        age: f64,
        waiting_dead: u64,
    ) {
        let service = [KeyValue::new("service", service)];
        self.backlog.record(backlog, &service);
        self.backlog_age.record(age, &service);
        self.waiting_dead.record(waiting_dead, &service);
    }
}
