//! Free text that callers send. No control characters: Postgres stores no NUL, and nobody means the others.

use crate::status::Violation;

/// Text of several lines, maybe empty: at most `most` characters, of control characters newline and tab alone. A newline
/// may come as `\r\n`.
pub fn lines(text: &str, field: &str, most: usize) -> Result<String, Violation> {
    let text = text.replace("\r\n", "\n");
    let unfit = |c: char| c.is_control() && c != '\n' && c != '\t';
    check(
        &text,
        field,
        most,
        unfit,
        "must not have control characters",
    )?;
    Ok(text)
}

/// Text of one line, maybe empty: at most `most` characters, no control characters.
pub fn line(text: &str, field: &str, most: usize) -> Result<String, Violation> {
    let why = "must be one line without control characters";
    check(text, field, most, char::is_control, why)?;
    Ok(text.to_owned())
}

fn check(
    text: &str,
    field: &str,
    most: usize,
    unfit: impl Fn(char) -> bool,
    why: &str,
) -> Result<(), Violation> {
    if text.chars().count() > most {
        let why = format!("is longer than {most} characters");
        return Err(Violation::new(field, why).because("TOO_LONG"));
    }
    if text.chars().any(unfit) {
        return Err(Violation::new(field, why).because("CONTROL_CHARACTER"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    type Check = fn(&str, &str, usize) -> Result<String, Violation>;

    fn reason(check: Check, text: &str) -> Option<String> {
        check(text, "notes", 5).unwrap_err().reason
    }

    #[test]
    fn newlines_and_tabs_are_text_and_other_control_characters_are_not() {
        assert_eq!(lines("a\r\n\tb", "notes", 4).unwrap(), "a\n\tb");
        assert_eq!(lines("ümläu", "notes", 5).unwrap(), "ümläu");
        for wrong in ["\0", "a\rb", "\u{1b}[m", "\u{85}", "\u{7f}"] {
            let refused = reason(lines, wrong);
            assert_eq!(refused.as_deref(), Some("CONTROL_CHARACTER"), "{wrong:?}");
        }
        for wrong in ["\0", "a\nb", "\t"] {
            let refused = reason(line, wrong);
            assert_eq!(refused.as_deref(), Some("CONTROL_CHARACTER"), "{wrong:?}");
        }
    }

    #[test]
    fn text_has_a_limit() {
        for check in [lines as Check, line as Check] {
            assert_eq!(check("", "notes", 5).unwrap(), "");
            assert_eq!(reason(check, "123456").as_deref(), Some("TOO_LONG"));
        }
    }
}
