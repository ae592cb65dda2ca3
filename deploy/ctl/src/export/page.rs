//! A page as a file has it: what [`crate::apply`] reads, the other way round.

use std::collections::{BTreeMap, BTreeSet};

use marketplace_proto::offercatalog::v1::Asset;
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, ReflectMessage, Value};

use super::yaml::Yaml;
use crate::apply::assets;
use crate::apply::audience;
use crate::apply::changes::AUDIENCE;
use crate::apply::scalar::enum_name;
use crate::error::Error;

/// An audience of more members gets a file of its own.
const INLINE: usize = 20;

/// Writes pages, and notes the files beside them.
pub struct Pages<'a> {
    /// Where assets are written, with their names in the catalog.
    pub assets: &'a BTreeMap<String, (String, Asset)>,
    /// Those among them that are written: a logo that is made of another isn't.
    pub shown: BTreeSet<String>,
    /// Audiences: path and content.
    pub audiences: Vec<(String, Vec<u8>)>,
    /// A snapshot has no private audiences, and smaller logos that were made of the large one.
    pub of_draft: bool,
}

impl Pages<'_> {
    /// `file` is for the page's audience.
    pub fn page(&mut self, page: &DynamicMessage, file: &str) -> Result<Yaml, Error> {
        let mut entries = self.entries(page, file, "")?;
        // Left out it would keep whatever audience the draft has by then.
        let empty = page.get_field_by_name(AUDIENCE);
        let empty = empty.is_some_and(|members| members.as_list().is_some_and(<[_]>::is_empty));
        if empty && self.of_draft {
            entries.push((AUDIENCE.to_owned(), Yaml::List(Vec::new())));
        }
        Ok(Yaml::Map(entries))
    }

    fn entries(
        &mut self,
        message: &DynamicMessage,
        file: &str,
        path: &str,
    ) -> Result<Vec<(String, Yaml)>, Error> {
        let fields: Vec<_> = message.descriptor().fields().collect();
        let mut entries = Vec::new();
        for field in fields.iter().filter(|field| message.has_field(field)) {
            if !self.of_draft && is_derived(message, field) {
                continue;
            }
            let path = match path {
                "" => field.name().to_owned(),
                path => format!("{path}.{}", field.name()),
            };
            let value = self.field(field, &message.get_field(field), file, &path)?;
            entries.push((field.name().to_owned(), value));
        }
        Ok(entries)
    }

    fn field(
        &mut self,
        field: &FieldDescriptor,
        value: &Value,
        file: &str,
        path: &str,
    ) -> Result<Yaml, Error> {
        match value {
            Value::List(members) if audience::is_audience(field) && members.len() > INLINE => {
                self.audience(field, members, file)
            }
            Value::List(items) => {
                let items = items.iter().map(|item| self.field(field, item, file, path));
                items.collect::<Result<_, _>>().map(Yaml::List)
            }
            Value::Message(message) => self.entries(message, file, path).map(Yaml::Map),
            Value::String(text) => Ok(self.text(field, text, path)),
            Value::EnumNumber(number) => Ok(Yaml::Word(match field.kind() {
                Kind::Enum(values) => enum_name(&values, *number),
                _ => number.to_string(),
            })),
            Value::Bool(value) => Ok(Yaml::Word(value.to_string())),
            Value::I32(value) => Ok(Yaml::Word(value.to_string())),
            Value::I64(value) => Ok(Yaml::Word(value.to_string())),
            Value::U32(value) => Ok(Yaml::Word(value.to_string())),
            Value::U64(value) => Ok(Yaml::Word(value.to_string())),
            other => Err(Error::usage(format!(
                "{path} is of a kind that files can't hold: {other:?}"
            ))),
        }
    }

    /// A text; of a file in the catalog the file that is written. One that is gone stays a name.
    fn text(&mut self, field: &FieldDescriptor, text: &str, path: &str) -> Yaml {
        let asset = assets::kind(field, path).and_then(|_| self.assets.get(text));
        let Some((file, asset)) = asset else {
            return Yaml::Text(text.to_owned());
        };
        self.shown.insert(text.to_owned());
        let id = crate::names::id(text);
        let name = file.rsplit('/').next().unwrap_or(file);
        let mut entries = vec![("file".to_owned(), Yaml::Text(file.clone()))];
        if assets::id(name, &asset.digest) != id {
            entries.push(("asset".to_owned(), Yaml::Text(id.to_owned())));
        }
        Yaml::Map(entries)
    }

    fn audience(
        &mut self,
        field: &FieldDescriptor,
        members: &[Value],
        file: &str,
    ) -> Result<Yaml, Error> {
        let members: Vec<_> = members
            .iter()
            .filter_map(|member| member.as_message().cloned())
            .collect();
        let kind = field.kind();
        let descriptor = kind
            .as_message()
            .ok_or_else(|| Error::usage("no audience"))?;
        self.audiences
            .push((file.to_owned(), audience::write(descriptor, &members)?));
        Ok(Yaml::Map(vec![(
            "file".to_owned(),
            Yaml::Text(file.to_owned()),
        )]))
    }
}

/// A smaller logo that was made of the large one: it is made again of it.
fn is_derived(page: &DynamicMessage, field: &FieldDescriptor) -> bool {
    let suffix = match field.name() {
        "medium_logo" => "medium",
        "small_logo" => "small",
        _ => return false,
    };
    let text = |name: &str| {
        let value = page.get_field_by_name(name)?;
        value.as_str().map(str::to_owned)
    };
    let large = text("large_logo").unwrap_or_default();
    text(field.name()) == Some(format!("{large}.{suffix}"))
}
