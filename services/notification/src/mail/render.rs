//! A message as the bytes that are sent: plain text and simple HTML, with an id and a date fixed once.

use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use time::OffsetDateTime;
use uuid::Uuid;

use super::MailError;
use crate::domain::Message;

/// Who mails, and what stands below each mail.
#[derive(Debug, Clone)]
pub struct Letterhead {
    pub from: Mailbox,
    pub footer: String,
}

/// The whole mail. The same id, time and message need not give the same bytes twice (the boundary between the parts is
/// random): what is rendered is stored.
pub fn render(
    head: &Letterhead,
    to: &str,
    id: Uuid,
    at: OffsetDateTime,
    message: &Message,
    critical: bool,
) -> Result<Vec<u8>, MailError> {
    let mut mail = lettre::Message::builder()
        .from(head.from.clone())
        .to(Mailbox::new(None, to.parse()?))
        .subject(one_line(&message.title))
        .message_id(Some(format!("<{id}@{}>", head.from.email.domain())))
        .date(at.into())
        .raw_header(header("Auto-Submitted", "auto-generated"));
    if critical {
        mail = mail.raw_header(header("Importance", "high"));
    }
    let parts =
        MultiPart::alternative_plain_html(message.text(&head.footer), message.html(&head.footer));
    Ok(mail.multipart(parts)?.formatted())
}

fn header(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}

/// A title is somebody's text: nothing in it may end the header.
fn one_line(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;
    use crate::domain::Block;

    fn mail(title: &str, critical: bool) -> String {
        let head = Letterhead {
            from: "Marketplace <no-reply@market.example>".parse().unwrap(),
            footer: "bye".into(),
        };
        let message = Message {
            title: title.into(),
            blocks: vec![Block::Text("Grüße".into())],
            links: vec![],
            previews: vec![],
        };
        let at = datetime!(2026-11-22 17:40 UTC);
        String::from_utf8(
            render(
                &head,
                "ada@contoso.example",
                Uuid::from_u128(1),
                at,
                &message,
                critical,
            )
            .unwrap(),
        )
        .unwrap()
    }

    #[test]
    fn a_mail_has_a_fixed_id_and_date_and_both_kinds_of_text() {
        let mail = mail("Db is live", false);
        for part in [
            "Message-ID: <00000000-0000-0000-0000-000000000001@market.example>",
            "Date: Sun, 22 Nov 2026 17:40:00 +0000",
            "To: ada@contoso.example",
            "Subject: Db is live",
            "Auto-Submitted: auto-generated",
            "text/plain",
            "text/html",
        ] {
            assert!(mail.contains(part), "{part} is not in {mail}");
        }
        assert!(!mail.contains("Importance"));
    }

    #[test]
    fn a_critical_mail_is_marked() {
        assert!(mail("x", true).contains("Importance: high"));
    }

    #[test]
    fn a_title_can_not_add_headers() {
        let mail = mail("x\r\nBcc: eve@evil.example", false);
        let (headers, _) = mail.split_once("\r\n\r\n").unwrap();
        assert!(!headers.contains("\nBcc:"), "{headers}");
    }
}
