//! A tree as JSON with comments and trailing commas, and as JSON5, in all the ways in which that writes a value.

use crate::{documents::TreeNode, random::Random};
use std::fmt::Write;

pub(crate) struct CommentedText<'r> {
    pub(crate) random: &'r mut Random,
    pub(crate) is_json5: bool,
}

impl CommentedText<'_> {
    /// By chances of its own: another value in its place leaves what is around it as it was.
    pub(crate) fn value(&mut self, text: &mut String, node: &TreeNode) {
        let mut own = Random::new(self.random.next());
        let mut inner = CommentedText {
            random: &mut own,
            is_json5: self.is_json5,
        };
        inner.between(text);
        inner.node(text, node);
    }

    /// In the line of its key, which is looked for by the same text.
    fn of_key(&mut self, text: &mut String, node: &TreeNode) {
        let mut own = Random::new(self.random.next());
        let mut inner = CommentedText {
            random: &mut own,
            is_json5: self.is_json5,
        };
        text.push_str(inner.random.pick(&["", " ", "/* é, \" } */"]));
        inner.node(text, node);
    }

    fn node(&mut self, text: &mut String, node: &TreeNode) {
        match node {
            TreeNode::Null => text.push_str("null"),
            TreeNode::Bool(value) => text.push_str(&value.to_string()),
            TreeNode::Number(number) => self.number(text, number),
            TreeNode::Text(value) => self.string(text, value),
            TreeNode::Bare(value) => self.string(text, value),
            TreeNode::List(items) => {
                text.push('[');
                for (at, item) in items.iter().enumerate() {
                    self.value(text, item);
                    self.comma(text, at + 1 == items.len());
                }
                self.between(text);
                text.push(']');
            }
            TreeNode::Map(entries) => {
                text.push('{');
                for (at, (key, value)) in entries.iter().enumerate() {
                    self.between(text);
                    match self.is_json5 && is_name(key) && self.random.one_in(2) {
                        // The scanner of the library takes no comment directly behind a name.
                        true => *text += &format!("{key} "),
                        false => self.string(text, key),
                    }
                    text.push_str(self.random.pick(&["", " ", "/* ' { */"]));
                    text.push(':');
                    self.of_key(text, value);
                    self.comma(text, at + 1 == entries.len());
                }
                self.between(text);
                text.push('}');
            }
        }
    }

    /// What may be between two parts.
    fn between(&mut self, text: &mut String) {
        text.push_str(match self.random.below(12) {
            0 => "/* é, \" } */",
            1 => "// ' [ \\\n",
            2 => "/**/",
            3 => "\n",
            4 => "\t ",
            5 if self.is_json5 => "\u{a0}\u{b}\u{2028}",
            _ => "",
        });
    }

    fn comma(&mut self, text: &mut String, is_last: bool) {
        self.between(text);
        if !is_last || self.random.one_in(3) {
            text.push(',');
        }
    }

    fn number(&mut self, text: &mut String, number: &str) {
        let digits = number.strip_prefix('-').unwrap_or(number);
        let sign = match &number[..number.len() - digits.len()] {
            "" if self.is_json5 && self.random.one_in(3) => "+",
            sign => sign,
        };
        let (before, after) = digits.split_once('.').unwrap_or((digits, ""));
        let whole = digits.parse::<u128>();
        match self.random.below(3) {
            0 if self.is_json5 && before == "0" && !after.is_empty() => {
                *text += &format!("{sign}.{after}");
            }
            0 if self.is_json5 && after == "0" => *text += &format!("{sign}{before}."),
            1 if let (true, Ok(whole)) = (self.is_json5, whole) => {
                *text += &format!("{sign}0x{whole:X}");
            }
            _ => *text += &format!("{sign}{digits}"),
        }
    }

    fn string(&mut self, text: &mut String, value: &str) {
        if !self.is_json5 {
            *text += &serde_json::Value::from(value).to_string();
            return;
        }
        let quote = self.random.pick(&['"', '\'']);
        text.push(quote);
        for c in value.chars() {
            let is_rewritten = self.random.one_in(6);
            match c {
                '\\' => text.push_str("\\\\"),
                '\n' => text.push_str("\\n"),
                '\r' => text.push_str("\\r"),
                c if c == quote => *text += &format!("\\{c}"),
                'e' if is_rewritten => text.push_str("\\\ne"),
                'o' | '"' | '\'' if is_rewritten => *text += &format!("\\x{:02x}", u32::from(c)),
                'k' if is_rewritten => text.push_str("\\k"),
                'é' if is_rewritten => text.push_str("\\u00E9"),
                '\u{b}' => text.push_str("\\v"),
                c if u32::from(c) < 32 => {
                    let _ = write!(text, "\\u{:04x}", u32::from(c));
                }
                c => text.push(c),
            }
        }
        text.push(quote);
    }
}

fn is_name(key: &str) -> bool {
    let begins = |c: char| c.is_ascii_alphabetic() || matches!(c, '_' | '$');
    key.starts_with(begins) && key.chars().all(|c| begins(c) || c.is_ascii_digit())
}
