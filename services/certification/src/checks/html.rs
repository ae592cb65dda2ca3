//! Markup of descriptions as html5ever's tokenizer sees it: visible text, paragraphs, tags that don't belong or don't
//! balance (CV-3). A tree builder would mend what is wrong, so the tokens are looked at.

use std::cell::RefCell;

use html5ever::tokenizer::{
    BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
};

/// Tags that a description may use (LI-4).
const ALLOWED: &[&str] = &[
    "b", "i", "em", "strong", "br", "p", "ul", "ol", "li", "h1", "h2", "h3", "h4", "h5", "h6",
];
/// Tags that begin a new block of text.
const BLOCKS: &[&str] = &["p", "ul", "ol", "li", "h1", "h2", "h3", "h4", "h5", "h6"];

/// What a piece of HTML holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Html {
    /// Visible text of each block, white space made one blank, empty ones left out.
    pub blocks: Vec<String>,
    /// Tags that are not allowed, attributes included, each once.
    pub forbidden: Vec<String>,
    /// What doesn't balance, each in words.
    pub unbalanced: Vec<String>,
    /// At least one tag.
    pub has_tags: bool,
}

impl Html {
    /// Reads a text as HTML. Two line breaks begin a new block as well: plain text is as good as markup.
    pub fn read(source: &str) -> Html {
        let sink = Sink::default();
        let tokenizer = Tokenizer::new(sink, TokenizerOpts::default());
        let input = BufferQueue::default();
        input.push_back(source.into());
        // Scripts never run here, so feeding ends only when the input does.
        let _ = tokenizer.feed(&input);
        tokenizer.end();
        tokenizer.sink.seen.into_inner().finish()
    }

    /// Everything that can be read, blocks parted by line breaks.
    pub fn visible(&self) -> String {
        self.blocks.join("\n")
    }
}

#[derive(Default)]
struct Sink {
    seen: RefCell<Seen>,
}

#[derive(Default)]
struct Seen {
    html: Html,
    text: String,
    open: Vec<String>,
}

impl TokenSink for Sink {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let mut seen = self.seen.borrow_mut();
        match token {
            Token::CharacterTokens(text) => seen.characters(&text),
            Token::TagToken(tag) => seen.tag(&tag),
            Token::CommentToken(_) => seen.forbid("<!-- -->"),
            Token::DoctypeToken(_) => seen.forbid("<!DOCTYPE>"),
            Token::NullCharacterToken | Token::EOFToken | Token::ParseError(_) => {}
        }
        TokenSinkResult::Continue
    }
}

impl Seen {
    fn characters(&mut self, text: &str) {
        for (n, part) in text.replace("\r\n", "\n").split("\n\n").enumerate() {
            if n > 0 {
                self.end_block();
            }
            self.text.push_str(part);
        }
    }

    fn tag(&mut self, tag: &Tag) {
        let name = tag.name.to_string();
        self.html.has_tags = true;
        if !ALLOWED.contains(&name.as_str()) {
            self.forbid(&format!("<{name}>"));
        } else if !tag.attrs.is_empty() {
            let attributes: Vec<String> =
                tag.attrs.iter().map(|a| a.name.local.to_string()).collect();
            self.forbid(&format!("<{name} {}>", attributes.join(" ")));
        }
        if name == "br" {
            self.text.push('\n');
            return;
        }
        if BLOCKS.contains(&name.as_str()) {
            self.end_block();
        }
        match tag.kind {
            TagKind::StartTag if tag.self_closing => {}
            TagKind::StartTag => self.open.push(name),
            TagKind::EndTag => self.close(&name),
        }
    }

    fn close(&mut self, name: &str) {
        match self.open.iter().rposition(|open| open == name) {
            Some(at) => {
                for left in self.open.split_off(at).into_iter().skip(1) {
                    self.html
                        .unbalanced
                        .push(format!("<{left}> is not closed before </{name}>"));
                }
            }
            None => self
                .html
                .unbalanced
                .push(format!("</{name}> closes nothing")),
        }
    }

    fn forbid(&mut self, what: &str) {
        if !self.html.forbidden.iter().any(|known| known == what) {
            self.html.forbidden.push(what.to_owned());
        }
    }

    fn end_block(&mut self) {
        let block = self.text.split_whitespace().collect::<Vec<_>>().join(" ");
        self.text.clear();
        if !block.is_empty() {
            self.html.blocks.push(block);
        }
    }

    fn finish(mut self) -> Html {
        self.end_block();
        for left in self.open.drain(..) {
            self.html
                .unbalanced
                .push(format!("<{left}> is never closed"));
        }
        self.html
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_paragraphs_items_headings_and_blank_lines() {
        let html = Html::read(
            "<h2>What</h2><p>One <b>bold</b>\n word</p><ul><li>a</li><li>b &amp; c</li></ul>tail\n\nmore",
        );
        assert_eq!(
            html.blocks,
            ["What", "One bold word", "a", "b & c", "tail", "more"]
        );
        assert!(html.forbidden.is_empty() && html.unbalanced.is_empty());
    }

    #[test]
    fn what_is_not_allowed_or_not_balanced_is_named_once() {
        let html = Html::read(
            "<p>x<script>1</script><a href='#'>y</a><a>z</a></p><p class=k>w<b>v</p></i>",
        );
        assert_eq!(html.forbidden, ["<script>", "<a>", "<p class>"]);
        assert_eq!(
            html.unbalanced,
            ["<b> is not closed before </p>", "</i> closes nothing"]
        );
        assert_eq!(
            Html::read("<ul><li>x").unbalanced,
            ["<ul> is never closed", "<li> is never closed"]
        );
    }

    #[test]
    fn a_bare_less_than_sign_is_text() {
        let html = Html::read("Latency < 5 ms & throughput > 10k/s");
        assert!(!html.has_tags);
        assert_eq!(html.blocks, ["Latency < 5 ms & throughput > 10k/s"]);
    }
}
