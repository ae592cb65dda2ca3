//! Audiences as CSV files: who is in them, or what is wrong with which line (PN-11, PN-12, PA-3).

use std::collections::HashMap;

use csv::{ReaderBuilder, StringRecord, Trim};

use super::{AudienceIdKind, AudienceMember, check};

/// The most rows that are read; the rules of an audience allow fewer.
const MOST_ROWS: usize = 30_000;
/// The most lines that are told of.
const MOST_FAULTS: usize = 1_000;
/// PA-3
const LONGEST_ID: usize = 50;
const LONGEST_LABEL: usize = 1_000;

/// Something wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineFault {
    /// Counted from 1; 0: the file as a whole.
    pub line: u64,
    /// SCREAMING_SNAKE, part of the contract.
    pub code: &'static str,
    /// For people.
    pub message: String,
}

/// Numbers of lines. The reader counts empty lines to the row that follows them.
struct Lines<'f> {
    file: &'f [u8],
    at: usize,
    line: u64,
}

impl<'f> Lines<'f> {
    fn of_file(file: &'f [u8]) -> Self {
        Self {
            file,
            at: 0,
            line: 1,
        }
    }

    /// Of a row; rows are asked for in their order.
    fn of(&mut self, position: Option<&csv::Position>) -> u64 {
        let begin = position.and_then(|position| usize::try_from(position.byte()).ok());
        let begin = begin.unwrap_or(self.at).min(self.file.len());
        let blank = |c: &&u8| matches!(c, b'\r' | b'\n');
        let begin = begin + self.file[begin..].iter().take_while(blank).count();
        let passed = self.file.get(self.at..begin).unwrap_or_default();
        self.line += passed.iter().filter(|&&c| c == b'\n').count() as u64;
        self.at = self.at.max(begin);
        self.line
    }
}

/// Where the columns are.
struct Columns {
    kind: Option<usize>,
    id: usize,
    label: Option<usize>,
}

/// The members of a file, in its order; or everything that is wrong with it.
pub fn read(file: &[u8], kinds: &[AudienceIdKind]) -> Result<Vec<AudienceMember>, Vec<LineFault>> {
    let file = file.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file);
    let mut reader = ReaderBuilder::new()
        .flexible(true)
        .trim(Trim::All)
        .from_reader(file);
    let columns = match reader.headers() {
        Ok(headers) => columns(headers).map_err(|fault| vec![fault])?,
        Err(_) => return Err(vec![unreadable(1)]),
    };
    let mut members = Vec::new();
    let mut faults = Vec::new();
    let mut seen = HashMap::new();
    let mut lines = Lines::of_file(file);
    for row in reader.records() {
        if faults.len() >= MOST_FAULTS {
            break;
        }
        let row = match row {
            Ok(row) => row,
            Err(error) => {
                faults.push(unreadable(lines.of(error.position())));
                continue;
            }
        };
        let line = lines.of(row.position());
        if members.len() >= MOST_ROWS {
            let message = format!("the file has more than {MOST_ROWS} rows");
            faults.push(fault(line, "TOO_MANY", message));
            break;
        }
        match member(&columns, &row, kinds) {
            Ok(member) => {
                let key = (member.kind, member.id.to_lowercase());
                if let Some(first) = seen.insert(key, line) {
                    let message = format!("{} is there twice, first in line {first}", member.id);
                    faults.push(fault(line, "DUPLICATE", message));
                }
                members.push(member);
            }
            Err((code, message)) => faults.push(fault(line, code, message)),
        }
    }
    if members.is_empty() && faults.is_empty() {
        faults.push(fault(0, "TOO_FEW", "the file has no rows".to_owned()));
    }
    if faults.is_empty() {
        Ok(members)
    } else {
        Err(faults)
    }
}

fn columns(headers: &StringRecord) -> Result<Columns, LineFault> {
    let find = |names: &[&str]| {
        headers
            .iter()
            .position(|header| names.contains(&header.to_lowercase().as_str()))
    };
    let id = find(&["id"]).ok_or_else(|| {
        let message = "the first line must name the columns, one of them \"id\"";
        fault(1, "NO_ID_COLUMN", message.to_owned())
    })?;
    Ok(Columns {
        kind: find(&["type", "kind"]),
        id,
        label: find(&["description", "label"]),
    })
}

fn member(
    columns: &Columns,
    row: &StringRecord,
    kinds: &[AudienceIdKind],
) -> Result<AudienceMember, (&'static str, String)> {
    let cell = |at: Option<usize>| at.and_then(|at| row.get(at)).unwrap_or_default();
    let kind = match (cell(columns.kind), kinds) {
        ("", [only]) => *only,
        ("", _) => return Err(("REQUIRED", format!("the type must be {}", names(kinds)))),
        (text, _) => kind(text)
            .filter(|kind| kinds.contains(kind))
            .ok_or_else(|| {
                let message = format!("the type \"{text}\" must be {}", names(kinds));
                ("NOT_ALLOWED", message)
            })?,
    };
    let (id, label) = (cell(Some(columns.id)), cell(columns.label));
    if id.is_empty() {
        return Err(("REQUIRED", "the id is missing".to_owned()));
    }
    for (what, text, most) in [
        ("id", id, LONGEST_ID),
        ("description", label, LONGEST_LABEL),
    ] {
        if text.chars().count() > most {
            return Err((
                "TOO_LONG",
                format!("the {what} has more than {most} characters"),
            ));
        }
        if text.chars().any(char::is_control) {
            return Err((
                "CONTROL_CHARACTER",
                format!("the {what} has control characters"),
            ));
        }
    }
    match kind {
        AudienceIdKind::Email if !check::is_email(id) => {
            return Err(("BAD_EMAIL", format!("\"{id}\" is no e-mail address")));
        }
        AudienceIdKind::Subscription | AudienceIdKind::Tenant if !check::is_guid(id) => {
            return Err(("BAD_GUID", format!("\"{id}\" is no GUID")));
        }
        _ => {}
    }
    Ok(AudienceMember {
        kind,
        id: id.to_owned(),
        label: label.to_owned(),
    })
}

/// As people write it, and as the portal's own files do: `TenantID`, `subscription id`.
fn kind(text: &str) -> Option<AudienceIdKind> {
    let letters: String = text
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect();
    match letters.strip_suffix("id").unwrap_or(&letters) {
        "email" => Some(AudienceIdKind::Email),
        "subscription" | "azuresubscription" => Some(AudienceIdKind::Subscription),
        "tenant" => Some(AudienceIdKind::Tenant),
        "enterpriseagreement" | "ea" => Some(AudienceIdKind::EnterpriseAgreement),
        "msdn" => Some(AudienceIdKind::Msdn),
        _ => None,
    }
}

fn names(kinds: &[AudienceIdKind]) -> String {
    let names: Vec<String> = kinds
        .iter()
        .map(|kind| kind.as_str().to_lowercase())
        .collect();
    names.join(" or ")
}

fn fault(line: u64, code: &'static str, message: String) -> LineFault {
    LineFault {
        line,
        code,
        message,
    }
}

/// The reader goes on after a line that is no text.
fn unreadable(line: u64) -> LineFault {
    fault(
        line,
        "UNREADABLE",
        "is no line of a CSV file in UTF-8".to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOTH: &[AudienceIdKind] = &[AudienceIdKind::Tenant, AudienceIdKind::Subscription];
    const A: &str = "11111111-1111-4111-8111-111111111111";
    const B: &str = "22222222-2222-4222-8222-222222222222";

    fn faults(file: &str, kinds: &[AudienceIdKind]) -> Vec<(u64, &'static str)> {
        let faults = read(file.as_bytes(), kinds).unwrap_err().into_iter();
        faults.map(|one| (one.line, one.code)).collect()
    }

    #[test]
    fn pn_11_a_file_is_read_as_people_and_the_portal_write_it() {
        let file = format!(
            "\u{feff}Type,ID,Description,Note\r\nTenantID, {A} ,\"Contoso, Ltd\",x\nsubscription,{B}\n"
        );
        let members = read(file.as_bytes(), BOTH).unwrap();
        assert_eq!(members.len(), 2);
        assert_eq!(members[0].label, "Contoso, Ltd");
        assert_eq!(
            (members[1].kind, members[1].id.as_str()),
            (AudienceIdKind::Subscription, B)
        );
        let one_kind = format!("id\n{A}\n{B}\n");
        let only = &[AudienceIdKind::Tenant];
        assert_eq!(read(one_kind.as_bytes(), only).unwrap().len(), 2);
    }

    #[test]
    fn pn_11_every_bad_line_is_told_with_its_number() {
        let upper = A.to_uppercase();
        let file = format!(
            "type,id\ntenant,{A}\ntenant,nonsense\n\nemail,ada@contoso.example\n,{B}\ntenant,\ntenant,{upper}\ntenant,{}\n",
            "9".repeat(51)
        );
        let told = [
            (3, "BAD_GUID"),
            (5, "NOT_ALLOWED"),
            (6, "REQUIRED"),
            (7, "REQUIRED"),
            (8, "DUPLICATE"),
            (9, "TOO_LONG"),
        ];
        assert_eq!(faults(&file, BOTH), told);
        let twice = read(file.as_bytes(), BOTH).unwrap_err();
        assert!(twice[4].message.ends_with("first in line 2"), "{twice:?}");
    }

    #[test]
    fn pn_11_what_is_no_file_of_ids_is_refused_as_a_whole() {
        assert_eq!(faults("", BOTH), [(1, "NO_ID_COLUMN")]);
        assert_eq!(faults(A, BOTH), [(1, "NO_ID_COLUMN")]);
        assert_eq!(faults("type,id\n", BOTH), [(0, "TOO_FEW")]);
        let latin = [b"type,id\ntenant,".as_slice(), b"\xe4\n"].concat();
        let told = read(&latin, BOTH).unwrap_err();
        assert_eq!((told[0].line, told[0].code), (2, "UNREADABLE"));
        let many = format!("id\n{}", "x\n".repeat(40_000));
        assert_eq!(faults(&many, BOTH).len(), MOST_FAULTS);
    }

    #[test]
    fn pn_11_twenty_thousand_are_read_and_more_than_any_audience_are_not() {
        let only = &[AudienceIdKind::Tenant];
        let rows = |count: u128| {
            let ids = (1..=count).map(|at| format!("{}\n", uuid::Uuid::from_u128(at)));
            format!("id\n{}", ids.collect::<String>())
        };
        assert_eq!(read(rows(20_000).as_bytes(), only).unwrap().len(), 20_000);
        assert_eq!(faults(&rows(30_001), only), [(30_002, "TOO_MANY")]);
    }

    #[test]
    fn pn_12_kinds_are_known_by_every_name_that_is_in_use() {
        use AudienceIdKind::*;
        let rows = [
            ("email", Email, "ada@contoso.example"),
            ("E-mail", Email, "ada@contoso.example"),
            ("Azure subscription ID", Subscription, A),
            ("SUBSCRIPTION", Subscription, A),
            ("tenant id", Tenant, A),
            ("EA", EnterpriseAgreement, "7654321"),
            ("enterprise agreement", EnterpriseAgreement, "7654321"),
            ("MSDN", Msdn, "a-subscriber"),
        ];
        for (name, kind, id) in rows {
            let file = format!("kind,id\n{name},{id}\n");
            let members = read(file.as_bytes(), &[kind]).unwrap();
            assert_eq!((members[0].kind, members[0].id.as_str()), (kind, id));
            let others = [Email, Subscription, Tenant, EnterpriseAgreement, Msdn];
            let others: Vec<_> = others.into_iter().filter(|other| *other != kind).collect();
            assert_eq!(faults(&file, &others), [(2, "NOT_ALLOWED")], "{name}");
        }
        assert_eq!(faults("kind,id\nid,1\n", BOTH), [(2, "NOT_ALLOWED")]);
        let told = read(b"type,id\n,1\n", BOTH).unwrap_err();
        assert_eq!(told[0].message, "the type must be tenant or subscription");
    }

    #[test]
    fn pa_3_ids_and_labels_have_their_form_and_length() {
        use AudienceIdKind::*;
        let rows = [
            (Email, "ada@contoso.example".to_owned(), 0, None),
            (Email, "ada".to_owned(), 0, Some("BAD_EMAIL")),
            (Msdn, "i".repeat(50), 1_000, None),
            (Msdn, "i".repeat(51), 0, Some("TOO_LONG")),
            (Msdn, "i".repeat(50), 1_001, Some("TOO_LONG")),
            (Msdn, "a\u{7}b".to_owned(), 0, Some("CONTROL_CHARACTER")),
        ];
        for (kind, id, label, expected) in rows {
            let file = format!("id,label\n{id},{}\n", "l".repeat(label));
            let found = read(file.as_bytes(), &[kind]).err().unwrap_or_default();
            let codes: Vec<&str> = found.iter().map(|fault| fault.code).collect();
            assert_eq!(codes, Vec::from_iter(expected), "{id} {label}");
        }
    }
}
