//! From YAML to a protobuf message, driven by the message's descriptor: field names as in the .proto files, enum values
//! without their prefix. A field that the proto gains can be written the same day.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use prost_reflect::{
    DynamicMessage, EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor, Value as Proto,
};

use super::assets::{self, AssetFile};
use super::tree::{Entry, Node, Value};
use crate::error::Problem;

/// Where the fields of a page stand in the file: field path to line.
pub type Lines = BTreeMap<String, usize>;

/// Reads nodes of one file and notes everything that is wrong with them.
pub struct Mapper<'a> {
    /// As shown in problems.
    pub file: &'a str,
    /// What `file:` is relative to.
    pub folder: &'a Path,
    /// Resource name of the offer, for the names of its assets.
    pub offer: String,
    pub variable: &'a dyn Fn(&str) -> Option<String>,
    pub problems: Vec<Problem>,
    /// Files that the page read last refers to.
    pub assets: Vec<AssetFile>,
    pub lines: Lines,
}

impl Mapper<'_> {
    pub fn problem(&mut self, line: usize, text: impl Into<String>) {
        self.problems.push(Problem {
            file: self.file.to_owned(),
            line,
            text: text.into(),
        });
    }

    /// A message of this type; what is wrong is noted and left out. `path` is empty or ends the message's own path.
    pub fn message(
        &mut self,
        descriptor: &MessageDescriptor,
        node: &Node,
        path: &str,
    ) -> DynamicMessage {
        let mut message = DynamicMessage::new(descriptor.clone());
        let entries = match &node.value {
            Value::Map(entries) => entries.as_slice(),
            Value::Null => &[],
            _ => {
                let what = if path.is_empty() {
                    descriptor.name()
                } else {
                    path
                };
                self.problem(
                    node.line,
                    format!("{what} must be a mapping, not {}", node.kind()),
                );
                &[]
            }
        };
        for entry in entries {
            self.entry(&mut message, descriptor, entry, path);
        }
        message
    }

    fn entry(
        &mut self,
        message: &mut DynamicMessage,
        descriptor: &MessageDescriptor,
        entry: &Entry,
        path: &str,
    ) {
        let Some(field) = descriptor.get_field_by_name(&entry.key) else {
            let known: Vec<String> = descriptor.fields().map(|f| f.name().to_owned()).collect();
            return self.problem(
                entry.line,
                format!(
                    "there is no field {}; known here: {}",
                    entry.key,
                    known.join(", ")
                ),
            );
        };
        let path = if path.is_empty() {
            entry.key.clone()
        } else {
            format!("{path}.{}", entry.key)
        };
        self.lines.insert(path.clone(), entry.line);
        let others = field
            .containing_oneof()
            .into_iter()
            .flat_map(|oneof| oneof.fields().collect::<Vec<_>>());
        if let Some(other) = others
            .into_iter()
            .find(|other| *other != field && message.has_field(other))
        {
            return self.problem(
                entry.line,
                format!("{} and {} exclude each other", other.name(), field.name()),
            );
        }
        if let Some(value) = self.field(&field, &entry.node, &path) {
            message.set_field(&field, value);
        }
    }

    fn field(&mut self, field: &FieldDescriptor, node: &Node, path: &str) -> Option<Proto> {
        if !field.is_list() {
            return self.single(field, node, path);
        }
        match &node.value {
            Value::Null => None,
            Value::List(items) => {
                let mut values = Vec::new();
                for (i, item) in items.iter().enumerate() {
                    let path = format!("{path}[{i}]");
                    self.lines.insert(path.clone(), item.line);
                    values.extend(self.single(field, item, &path));
                }
                Some(Proto::List(values))
            }
            _ => {
                self.problem(
                    node.line,
                    format!("{path} must be a list, not {}", node.kind()),
                );
                None
            }
        }
    }

    fn single(&mut self, field: &FieldDescriptor, node: &Node, path: &str) -> Option<Proto> {
        match field.kind() {
            Kind::Message(descriptor) => {
                Some(Proto::Message(self.message(&descriptor, node, path)))
            }
            Kind::String => self.text(field, node, path).map(Proto::String),
            kind => {
                if node.value == Value::Null {
                    return None;
                }
                let value = node
                    .text()
                    .ok_or_else(|| format!("{path} must be a value, not {}", node.kind()));
                let value = value
                    .and_then(|text| scalar(&kind, text).map_err(|why| format!("{path} {why}")));
                value.map_err(|text| self.problem(node.line, text)).ok()
            }
        }
    }

    /// A text: written here, in a file (`{file: …}`), or in the environment (`{env: …}`, for secrets).
    fn text(&mut self, field: &FieldDescriptor, node: &Node, path: &str) -> Option<String> {
        let asset = assets::kind(field, path);
        match &node.value {
            Value::Null => None,
            Value::Text(text) => Some(text.clone()),
            Value::Map(entries) => match entries.as_slice() {
                [Entry { key, node, .. }] if key == "file" && asset.is_some() => {
                    self.asset(node, asset?, path)
                }
                [Entry { key, node, .. }] if key == "file" => self.file_text(node, path),
                [Entry { key, node, .. }] if key == "env" => self.environment(node, path),
                _ => {
                    self.problem(
                        node.line,
                        format!("{path} must be a text, {{file: PATH}} or {{env: NAME}}"),
                    );
                    None
                }
            },
            Value::List(_) => {
                self.problem(node.line, format!("{path} must be a text, not a list"));
                None
            }
        }
    }

    fn asset(&mut self, node: &Node, kind: assets::Kind, path: &str) -> Option<String> {
        let file = self.path(node, path)?;
        match AssetFile::read(&file, kind) {
            Ok(asset) => {
                let name = format!("{}/assets/{}", self.offer, asset.id);
                self.assets.push(asset);
                Some(name)
            }
            Err(error) => {
                self.problem(node.line, format!("{}: {error}", file.display()));
                None
            }
        }
    }

    fn file_text(&mut self, node: &Node, path: &str) -> Option<String> {
        let file = self.path(node, path)?;
        let text = std::fs::read_to_string(&file);
        text.map_err(|error| self.problem(node.line, format!("{}: {error}", file.display())))
            .ok()
    }

    fn environment(&mut self, node: &Node, path: &str) -> Option<String> {
        let name = node.text().unwrap_or_default();
        let value = (self.variable)(name).filter(|value| !value.is_empty());
        if value.is_none() {
            self.problem(node.line, format!("{path}: the variable {name} is not set"));
        }
        value
    }

    fn path(&mut self, node: &Node, path: &str) -> Option<PathBuf> {
        let Some(text) = node.text() else {
            self.problem(
                node.line,
                format!("{path}: file must be a path, not {}", node.kind()),
            );
            return None;
        };
        Some(self.folder.join(text))
    }
}

fn scalar(kind: &Kind, text: &str) -> Result<Proto, String> {
    let number = |_: std::num::ParseIntError| format!("is {text:?}: a whole number is wanted");
    Ok(match kind {
        Kind::Bool => match text {
            "true" => Proto::Bool(true),
            "false" => Proto::Bool(false),
            _ => return Err(format!("is {text:?}: true or false is wanted")),
        },
        Kind::Int32 => Proto::I32(text.parse().map_err(number)?),
        Kind::Int64 => Proto::I64(text.parse().map_err(number)?),
        Kind::Uint32 => Proto::U32(text.parse().map_err(number)?),
        Kind::Uint64 => Proto::U64(text.parse().map_err(number)?),
        Kind::Enum(values) => Proto::EnumNumber(enum_number(values, text)?),
        other => return Err(format!("is of a kind that files can't hold: {other:?}")),
    })
}

/// The number of "LIST_AND_SELL" (or of the full name) in an enum whose values begin with "SELLING_OPTION_".
fn enum_number(values: &EnumDescriptor, text: &str) -> Result<i32, String> {
    let prefix = values
        .get_value(0)
        .map(|zero| zero.name().trim_end_matches("UNSPECIFIED").to_owned())
        .unwrap_or_default();
    let found = values.values().find(|v| {
        v.number() != 0 && (v.name() == text || v.name().strip_prefix(&prefix) == Some(text))
    });
    found.map(|value| value.number()).ok_or_else(|| {
        let names: Vec<String> = values
            .values()
            .skip(1)
            .map(|v| v.name().trim_start_matches(&prefix).to_owned())
            .collect();
        format!("is {text:?}: one of {} is wanted", names.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apply::tree;
    use crate::output::json::pool;

    fn read(kind: &str, text: &str) -> (serde_json::Value, Vec<String>, Lines) {
        let variable = |name: &str| (name == "CRM_KEY").then(|| "s3cret".to_owned());
        let mut mapper = Mapper {
            file: "offer.yaml",
            folder: Path::new(env!("CARGO_MANIFEST_DIR")),
            offer: "publishers/p/offers/o".into(),
            variable: &variable,
            problems: Vec::new(),
            assets: Vec::new(),
            lines: Lines::new(),
        };
        let descriptor = pool()
            .get_message_by_name(&format!("marketplace.offercatalog.v1.{kind}"))
            .unwrap();
        let message = mapper.message(&descriptor, &tree::parse("offer.yaml", text).unwrap(), "");
        let options = prost_reflect::SerializeOptions::new().use_proto_field_name(true);
        let json = message
            .serialize_with_options(serde_json::value::Serializer, &options)
            .unwrap();
        (
            json,
            mapper.problems.iter().map(ToString::to_string).collect(),
            mapper.lines,
        )
    }

    #[test]
    fn every_shape_of_field_is_mapped() {
        let text = "
markets: [NO, US]
model: FLAT_RATE
hidden: true
prices:
  - {term: BILLING_TERM_ONE_MONTH, currency: USD, amount: 49.00, min_users: 2}
";
        let (json, problems, lines) = read("PlanPricingPage", text);
        let wanted = serde_json::json!({
            "markets": ["NO", "US"], "model": "PRICING_MODEL_FLAT_RATE", "hidden": true,
            "prices": [{"term": "BILLING_TERM_ONE_MONTH", "currency": "USD", "amount": "49.00", "min_users": 2}],
        });
        assert_eq!((json, problems), (wanted, vec![]));
        assert_eq!(
            (lines["markets"], lines["prices"], lines["prices[0].amount"]),
            (2, 5, 6)
        );
    }

    #[test]
    fn every_mistake_is_named_with_its_line() {
        let text = "
selling: LISTED
call_to_acton: FREE
client_links: none
test_drive: {type: [a]}
lead_destination:
  https_endpoint: {url: https://x}
  marketo: {form_id: 1}
";
        let (_, problems, _) = read("OfferSetupPage", text);
        let wanted = [
            "offer.yaml:2: selling is \"LISTED\": one of LIST_AND_SELL, LISTING_ONLY is wanted",
            "offer.yaml:3: there is no field call_to_acton; known here: selling, call_to_action, call_to_action_url, \
             lead_destination, client_links, test_drive",
            "offer.yaml:4: client_links must be a list, not a text",
            "offer.yaml:5: test_drive.type must be a text, not a list",
            "offer.yaml:8: https_endpoint and marketo exclude each other",
        ];
        assert_eq!(problems, wanted);
    }

    #[test]
    fn numbers_and_switches_are_checked() {
        let (_, problems, _) = read(
            "PlanPricingPage",
            "hidden: yes\nprices:\n  - {min_users: few}\n",
        );
        let wanted = [
            "offer.yaml:1: hidden is \"yes\": true or false is wanted",
            "offer.yaml:3: prices[0].min_users is \"few\": a whole number is wanted",
        ];
        assert_eq!(problems, wanted);
    }

    #[test]
    fn texts_come_from_files_and_secrets_from_the_environment() {
        let (json, problems, _) = read("TableDestination", "connection_string: {env: CRM_KEY}\n");
        assert_eq!(
            (json["connection_string"].as_str(), problems.len()),
            (Some("s3cret"), 0)
        );
        let (_, problems, _) = read("TableDestination", "connection_string: {env: OTHER}\n");
        assert_eq!(
            problems,
            ["offer.yaml:1: connection_string: the variable OTHER is not set"]
        );
        let (json, problems, _) = read("OfferListingPage", "description: {file: Cargo.toml}\n");
        assert!(
            json["description"]
                .as_str()
                .unwrap()
                .starts_with("[package]"),
            "{problems:?}"
        );
        let (_, problems, _) = read("OfferListingPage", "title: {file: nowhere.txt}\n");
        assert_eq!(problems.len(), 1);
    }
}
