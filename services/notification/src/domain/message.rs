//! The words of one notification, in blocks that the Action Center and both kinds of mail are made of.

/// A link, as the Action Center shows it beside an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    pub title: String,
    /// URL, or the resource name of a report.
    pub target: String,
}

/// One failed policy of a report (RP-3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// For example "100.1.3 Offer title".
    pub policy: String,
    pub description: String,
    /// Which page to fix, and where on it.
    pub page: String,
    pub evidence: String,
    pub remedy: String,
    pub url: String,
}

/// A part of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Block {
    Text(String),
    /// Names and values.
    Facts(Vec<(&'static str, String)>),
    /// A heading, and what somebody wrote.
    Quote(&'static str, String),
    Finding(Box<Finding>),
    /// A code to copy.
    Code(String),
}

/// What a person is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub title: String,
    pub blocks: Vec<Block>,
    pub links: Vec<Link>,
    /// Links to a preview: they hold its token. They are mailed, and kept nowhere.
    pub previews: Vec<Link>,
}

/// What an item of the Action Center holds at most: a page of the list must stay small.
const LONGEST_BODY: usize = 2_000;

impl Message {
    /// The text of an item in the Action Center; what doesn't fit is behind the links.
    pub fn body(&self) -> String {
        let mut body = self
            .blocks
            .iter()
            .map(plain)
            .collect::<Vec<_>>()
            .join("\n\n");
        if body.len() > LONGEST_BODY {
            let end = (0..=LONGEST_BODY - 4)
                .rev()
                .find(|at| body.is_char_boundary(*at))
                .unwrap_or_default();
            body.truncate(end);
            body.push_str(" …");
        }
        body
    }

    fn all_links(&self) -> impl Iterator<Item = &Link> {
        self.previews.iter().chain(&self.links)
    }

    /// The mail as plain text.
    pub fn text(&self, footer: &str) -> String {
        let mut text = format!("{}\n\n", self.title);
        for block in &self.blocks {
            text.push_str(&plain(block));
            text.push_str("\n\n");
        }
        for link in self.all_links() {
            text.push_str(&format!("{}: {}\n", link.title, link.target));
        }
        text.push_str(&format!("\n-- \n{footer}\n"));
        text
    }

    /// The mail as simple HTML: no images, no scripts, nothing that is fetched.
    pub fn html(&self, footer: &str) -> String {
        let blocks: String = self.blocks.iter().map(html).collect();
        let links: String = self.all_links().map(link_item).collect();
        let links = if links.is_empty() {
            links
        } else {
            format!("<ul>{links}</ul>")
        };
        let (title, footer) = (escape(&self.title), escape(footer).replace('\n', "<br>"));
        format!(
            "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title></head>\
             <body style=\"font-family:sans-serif;max-width:40em\"><h1 style=\"font-size:1.3em\">{title}</h1>\
             {blocks}{links}<hr><p style=\"color:#555;font-size:.85em\">{footer}</p></body></html>"
        )
    }
}

fn plain(block: &Block) -> String {
    match block {
        Block::Text(text) | Block::Code(text) => text.clone(),
        Block::Facts(facts) => facts
            .iter()
            .map(|(name, value)| format!("{name}: {value}"))
            .collect::<Vec<_>>()
            .join("\n"),
        Block::Quote(heading, text) => format!("{heading}:\n{text}"),
        Block::Finding(finding) => finding_lines(finding).join("\n"),
    }
}

/// The lines of a finding that say something.
fn finding_lines(finding: &Finding) -> Vec<String> {
    let mut lines = vec![format!("* {}", finding.policy)];
    let parts = [
        ("", &finding.description),
        ("Found: ", &finding.evidence),
        ("Where: ", &finding.page),
        ("What to do: ", &finding.remedy),
        ("Policy: ", &finding.url),
    ];
    lines.extend(
        parts
            .iter()
            .filter(|(_, text)| !text.is_empty())
            .map(|(name, text)| format!("  {name}{text}")),
    );
    lines
}

fn html(block: &Block) -> String {
    match block {
        Block::Text(text) => format!("<p>{}</p>", escape(text)),
        Block::Code(code) => format!(
            "<p><code style=\"font-size:1.2em\">{}</code></p>",
            escape(code)
        ),
        Block::Facts(facts) => {
            let row = |(name, value): &(&str, String)| {
                format!(
                    "<tr><th style=\"text-align:left\">{name}</th><td>{}</td></tr>",
                    escape(value)
                )
            };
            format!(
                "<table>{}</table>",
                facts.iter().map(row).collect::<String>()
            )
        }
        Block::Quote(heading, text) => {
            format!(
                "<p>{heading}:</p><blockquote>{}</blockquote>",
                escape(text).replace('\n', "<br>")
            )
        }
        Block::Finding(finding) => format!(
            "<p>{}</p>",
            escape(&finding_lines(finding).join("\n")).replace('\n', "<br>")
        ),
    }
}

fn link_item(link: &Link) -> String {
    let (title, target) = (escape(&link.title), escape(&link.target));
    if link.target.starts_with("https://") || link.target.starts_with("http://") {
        format!("<li><a href=\"{target}\">{title}</a></li>")
    } else {
        format!("<li>{title}: {target}</li>")
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message() -> Message {
        Message {
            title: "\"Db\" <is> live".into(),
            blocks: vec![
                Block::Text("5 < 6 & so on".into()),
                Block::Facts(vec![("Who", "Ada".into())]),
            ],
            links: vec![
                Link {
                    title: "Overview".into(),
                    target: "https://p/o?a=1&b=2".into(),
                },
                Link {
                    title: "Odd".into(),
                    target: "javascript:alert(1)".into(),
                },
            ],
            previews: vec![],
        }
    }

    #[test]
    fn html_shows_text_as_text_and_links_to_nothing_but_the_web() {
        let html = message().html("<bye>");
        assert!(html.contains("5 &lt; 6 &amp; so on") && html.contains("&lt;bye&gt;"));
        assert!(
            html.contains("href=\"https://p/o?a=1&amp;b=2\"")
                && !html.contains("href=\"javascript")
        );
    }

    #[test]
    fn plain_text_has_everything_too() {
        let text = message().text("bye");
        for part in [
            "5 < 6",
            "Who: Ada",
            "Overview: https://p/o?a=1&b=2",
            "-- \nbye",
        ] {
            assert!(text.contains(part), "{part} is not in {text}");
        }
    }

    #[test]
    fn a_long_body_is_cut_between_characters() {
        let long = Message {
            blocks: vec![Block::Text("ä".repeat(3_000))],
            ..message()
        };
        assert!(long.body().len() <= 2_000 && long.body().ends_with('…'));
    }
}
