//! Values of a single word: numbers, switches, and values of enums without the prefix that they share.

use prost_reflect::{EnumDescriptor, Kind, Value as Proto};

/// The value of a field that is a single word, or what is wrong with it.
pub fn scalar(kind: &Kind, text: &str) -> Result<Proto, String> {
    let number = |_: std::num::ParseIntError| format!("is {text:?}: a whole number is wanted");
    Ok(match kind {
        Kind::Bool => match text {
            "true" | "True" | "TRUE" => Proto::Bool(true),
            "false" | "False" | "FALSE" => Proto::Bool(false),
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

/// The number of "LIST_AND_SELL" in an enum whose values begin with "SELLING_OPTION_"; a value
/// that is newer than this program is its number, as [`enum_name`] writes it.
fn enum_number(values: &EnumDescriptor, text: &str) -> Result<i32, String> {
    let prefix = prefix(values);
    let found = values
        .values()
        .find(|v| v.number() != 0 && v.name().strip_prefix(&prefix).unwrap_or(v.name()) == text);
    let newer = || {
        let number = text.parse().ok()?;
        values.get_value(number).is_none().then_some(number)
    };
    found
        .map(|value| value.number())
        .or_else(newer)
        .ok_or_else(|| {
            format!(
                "is {text:?}: one of {} is wanted",
                enum_names(values).join(", ")
            )
        })
}

/// What every value of an enum begins with: "SELLING_OPTION_".
fn prefix(values: &EnumDescriptor) -> String {
    let zero = values.get_value(0);
    zero.map(|zero| zero.name().trim_end_matches("UNSPECIFIED").to_owned())
        .unwrap_or_default()
}

/// The values of an enum as files have them.
pub fn enum_names(values: &EnumDescriptor) -> Vec<String> {
    let prefix = prefix(values);
    let known = values.values().filter(|value| value.number() != 0);
    known
        .map(|v| {
            v.name()
                .strip_prefix(&prefix)
                .unwrap_or(v.name())
                .to_owned()
        })
        .collect()
}

/// The same of one value; of one that is newer than this program, its number.
pub fn enum_name(values: &EnumDescriptor, number: i32) -> String {
    let Some(value) = values.get_value(number) else {
        return number.to_string();
    };
    let prefix = prefix(values);
    value
        .name()
        .strip_prefix(&prefix)
        .unwrap_or(value.name())
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::json::pool;

    #[test]
    fn a_value_that_is_newer_than_this_program_comes_back() {
        let values = pool().get_enum_by_name("marketplace.offercatalog.v1.SellingOption");
        let values = values.unwrap();
        for number in [1, 77, -3] {
            assert_eq!(
                enum_number(&values, &enum_name(&values, number)),
                Ok(number)
            );
        }
        for wrong in ["", "0", "1", "LISTED", "UNSPECIFIED"] {
            assert!(enum_number(&values, wrong).is_err(), "{wrong}");
        }
    }
}
