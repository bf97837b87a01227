//! That no text gets into a page unescaped, except literals of this crate's source.

use crate::{
    problem::{controls, shortened, spelled},
    time::{clock_time, lasting, unix, utc},
};
use std::{
    fmt::{self, Display, Write as _},
    time::SystemTime,
};

/// When the reader of a page reads it; none where the browser computes the ages.
pub(super) type ReadAt = Option<SystemTime>;

/// A piece of a page. What is not a literal of the source is escaped, so that nothing that a user wrote opens a tag, ends an attribute
/// or controls how text is shown.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Html(String);

impl Html {
    pub(super) fn new() -> Self {
        Html::default()
    }

    /// Markup.
    pub(super) fn raw(&mut self, markup: &'static str) -> &mut Self {
        self.0.push_str(markup);
        self
    }

    /// Text, also in an attribute's quotes.
    pub(super) fn text(&mut self, text: impl Display) -> &mut Self {
        // Writing to a string does not fail.
        let _ = write!(Escaping(&mut self.0, false), "{text}");
        self
    }

    /// Text whose tabs are kept, as in a line of a document.
    pub(super) fn line(&mut self, text: &str) -> &mut Self {
        let _ = Escaping(&mut self.0, true).write_str(text);
        self
    }

    /// Text of any length, its middle left out where it is too long for people.
    pub(super) fn short(&mut self, text: &str) -> &mut Self {
        self.text(shortened(text))
    }

    /// A time, and how long ago it was. What a browser replaces later is the time alone.
    pub(super) fn time(&mut self, at: SystemTime, now: ReadAt) -> &mut Self {
        self.raw("<time datetime=\"")
            .text(utc(at))
            .raw("\" data-at=\"");
        self.text(format!("{:.0}", unix(at))).raw("\">");
        self.text(clock_time(at));
        if let Some(now) = now {
            match now.duration_since(at) {
                Ok(ago) => self.raw(" (").text(lasting(ago)).raw(" ago)"),
                Err(to_come) => self.raw(" (in ").text(lasting(to_come.duration())).raw(")"),
            };
        }
        self.raw("</time>")
    }

    pub(super) fn html(&mut self, other: &Html) -> &mut Self {
        self.0.push_str(&other.0);
        self
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn into_string(self) -> String {
        self.0
    }
}

struct Escaping<'a>(&'a mut String, bool);

impl fmt::Write for Escaping<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let is_plain = |byte: u8| matches!(byte, b' '..=b'~' if !matches!(byte, b'&' | b'<' | b'>' | b'"' | b'\''));
        if text.bytes().all(is_plain) {
            self.0.push_str(text);
            return Ok(());
        }
        for c in text.chars() {
            match c {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                c if controls(c) => self.0.push_str(&spelled(c, self.1)),
                c => self.0.push(c),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_a_user_wrote_is_text() {
        let mut html = Html::new();
        html.text("</title><script>alert('1')</script>\u{0}\u{202e}&amp;\"\n");
        assert_eq!(
            html.as_str(),
            "&lt;/title&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;\\u{0}\\u{202e}&amp;amp;&quot;\\n"
        );
    }

    proptest! {
        #[test]
        fn no_text_opens_a_tag_or_ends_an_attribute(text in any::<String>()) {
            let mut html = Html::new();
            html.text(&text).line(&text).short(&text);
            prop_assert!(!html.as_str().contains(['<', '>', '"', '\'']));
            prop_assert!(!html.as_str().chars().any(|c| c.is_control() && c != '\t'));
        }
    }
}
