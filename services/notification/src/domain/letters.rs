//! Messages to one person about themselves: N13, N14, and the mail that proves an address.

use super::words::last;
use super::{Block, Message, Portal};

/// N13: the address is missing or not verified.
pub fn unverified(portal: &Portal) -> Message {
    let text = "You get no e-mail until your address is verified. Open My Preferences, enter your address, and confirm the \
                code that is mailed to it. What was told meanwhile is here in the Action Center.";
    let (title, blocks) = (
        "Verify your e-mail address".to_owned(),
        vec![Block::Text(text.into())],
    );
    Message {
        title,
        blocks,
        links: vec![portal.preferences()],
        previews: Vec::new(),
    }
}

/// N14: put on, or taken off, the submission notification audience.
pub fn membership(offer: &str, added: bool, portal: &Portal) -> Message {
    let name = last(offer);
    let (title, text) = if added {
        (
            format!("You hear of submissions of {name} now"),
            format!("You were added to the submission notification audience of {name}."),
        )
    } else {
        (
            format!("You don't hear of submissions of {name} any more"),
            format!("You were removed from the submission notification audience of {name}."),
        )
    };
    Message {
        title,
        blocks: vec![Block::Text(text)],
        links: vec![portal.overview(offer)],
        previews: Vec::new(),
    }
}

/// The mail that proves an address (NO-9).
pub fn verification(code: &str, portal: &Portal) -> Message {
    Message {
        title: "Your verification code".into(),
        blocks: vec![
            Block::Text(
                "Enter this code in Action Center → My Preferences to verify your e-mail address:"
                    .into(),
            ),
            Block::Code(code.to_owned()),
            Block::Text(
                "It can be used once, within 24 hours. If you didn't ask for it, ignore this mail."
                    .into(),
            ),
        ],
        links: vec![portal.preferences()],
        previews: Vec::new(),
    }
}
