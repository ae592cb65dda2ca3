//! What is known of each method before it is called: whether it streams, and how long it may take.

use std::collections::HashMap;
use std::time::Duration;

use prost::Message;
use prost_types::FileDescriptorSet;

/// The most that a unary call takes where the service says nothing else.
pub const DEFAULT_MAXIMUM: Duration = Duration::from_secs(15);

/// The methods of a server, by path.
pub(crate) struct Methods {
    by_path: HashMap<String, Method>,
}

struct Method {
    streaming: bool,
    maximum: Option<Duration>,
    /// `package.Service/Method`, for metrics: known names only, so that nobody can make up series.
    name: &'static str,
}

impl Methods {
    /// All methods of the given descriptors, and those that every server has.
    pub fn read(
        descriptors: &[u8],
        maxima: &[(&'static str, Duration)],
    ) -> Result<Self, prost::DecodeError> {
        let mut by_path = HashMap::new();
        for file in FileDescriptorSet::decode(descriptors)?.file {
            let package = file.package().to_owned();
            for service in &file.service {
                for method in &service.method {
                    let path = format!("/{package}.{}/{}", service.name(), method.name());
                    insert(
                        &mut by_path,
                        path,
                        method.client_streaming() || method.server_streaming(),
                    );
                }
            }
        }
        for (path, streaming) in [
            ("/grpc.health.v1.Health/Check", false),
            ("/grpc.health.v1.Health/Watch", true),
            (
                "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
                true,
            ),
            (
                "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
                true,
            ),
        ] {
            insert(&mut by_path, path.to_owned(), streaming);
        }
        for (path, maximum) in maxima {
            if let Some(method) = by_path.get_mut(*path) {
                method.maximum = Some(*maximum);
            }
        }
        Ok(Self { by_path })
    }

    /// The longest that a call of this path may take; `None`: as long as it likes (streams), or there is no such method.
    pub fn maximum(&self, path: &str) -> Option<Duration> {
        let method = self.by_path.get(path)?;
        method
            .maximum
            .or((!method.streaming).then_some(DEFAULT_MAXIMUM))
    }

    /// The name for spans and metrics.
    pub fn name(&self, path: &str) -> &'static str {
        self.by_path
            .get(path)
            .map_or("unknown", |method| method.name)
    }

    /// True if there is such a method.
    pub fn has(&self, path: &str) -> bool {
        self.by_path.contains_key(path)
    }
}

fn insert(methods: &mut HashMap<String, Method>, path: String, streaming: bool) {
    // Leaked once per method and server: a name without a lifetime makes metrics free of allocations.
    let name: &'static str = path[1..].to_owned().leak();
    methods.insert(
        path,
        Method {
            streaming,
            maximum: None,
            name,
        },
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unary_calls_have_a_maximum_and_streams_have_none() {
        let long = ("/grpc.health.v1.Health/Check", Duration::from_secs(1));
        let methods = Methods::read(marketplace_proto::DESCRIPTORS, &[long]).unwrap();
        assert_eq!(
            methods.maximum("/grpc.health.v1.Health/Check"),
            Some(Duration::from_secs(1))
        );
        assert_eq!(methods.maximum("/grpc.health.v1.Health/Watch"), None);
        let unary = "/marketplace.messaging.v1.DeadLetterService/GetDeadLetter";
        assert_eq!(methods.maximum(unary), Some(DEFAULT_MAXIMUM));
        assert_eq!(
            (methods.name(unary), methods.name("/x/y")),
            (&unary[1..], "unknown")
        );
    }
}
