//! When output has colours, and which; the printed lines are the same without them.

use std::io::{self, IsTerminal, Write};

const RED: &str = "\x1b[1;31m";
const YELLOW: &str = "\x1b[1;33m";
const BLUE: &str = "\x1b[1;34m";
const GREEN: &str = "\x1b[1;32m";
const END: &str = "\x1b[0m";

/// Whether a stream shows colours, as other programs decide it: `NO_COLOR` turns them off and `CLICOLOR_FORCE` on; else a terminal has
/// them, unless `CLICOLOR=0` or `TERM=dumb`.
pub(super) fn has_colours(stream: &impl IsTerminal) -> bool {
    decide(stream.is_terminal(), |name| std::env::var(name).ok())
}

fn decide(is_terminal: bool, variable: impl Fn(&str) -> Option<String>) -> bool {
    let set = |name: &str| variable(name).filter(|text| !text.is_empty());
    if set("NO_COLOR").is_some() {
        return false;
    }
    if set("CLICOLOR_FORCE").is_some_and(|text| text != "0") {
        return true;
    }
    let off = set("CLICOLOR").as_deref() == Some("0");
    // Consoles of Windows show them where a terminal names itself.
    let shows = match (set("TERM"), cfg!(windows)) {
        (Some(name), _) => name != "dumb",
        (None, true) => set("WT_SESSION").is_some(),
        (None, false) => false,
    };
    !off && shows && is_terminal
}

/// Colours the lines that are written, each as soon as it is whole.
pub(super) struct Painted<W> {
    to: W,
    is_on: bool,
    line: Vec<u8>,
}

impl<W: Write> Painted<W> {
    pub(super) fn new(to: W, is_on: bool) -> Self {
        let line = Vec::new();
        Painted { to, is_on, line }
    }

    /// Writes what is left of a line.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        let line = std::mem::take(&mut self.line);
        let text = String::from_utf8_lossy(&line);
        self.to.write_all(painted(&text).as_bytes())?;
        self.to.flush()
    }
}

impl<W: Write> Write for Painted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !self.is_on {
            return self.to.write(bytes);
        }
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.line.extend(part);
            if part.ends_with(b"\n") {
                let line = std::mem::take(&mut self.line);
                let text = String::from_utf8_lossy(&line);
                self.to
                    .write_all(painted(text.trim_end_matches('\n')).as_bytes())?;
                self.to.write_all(b"\n")?;
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// One line with its colours.
fn painted(line: &str) -> String {
    let bare = line.trim_start();
    let blanks = &line[..line.len() - bare.len()];
    let with = |colour: &str, word: &str| {
        let rest = &bare[word.len()..];
        format!("{blanks}{colour}{word}{END}{rest}")
    };
    let words = [
        ("error:", RED),
        ("configuration refused", RED),
        ("configuration would be refused", RED),
        ("part of the configuration refused", RED),
        ("refused", RED),
        ("warning:", YELLOW),
        ("note:", BLUE),
        ("-->", BLUE),
        ("= ", BLUE),
        ("configuration would be applied", GREEN),
        ("applied", GREEN),
        ("recovered", GREEN),
    ];
    if let Some((word, colour)) = words.into_iter().find(|(word, _)| bare.starts_with(word)) {
        return with(colour, word);
    }
    // The frame of a snippet, and its caret.
    let digits = bare.trim_start_matches(|c: char| c.is_ascii_digit());
    let gutter = digits.strip_prefix(" |").or_else(|| bare.strip_prefix('|'));
    if let Some(text) = gutter.filter(|_| !blanks.is_empty() || bare.len() > digits.len()) {
        let frame = &bare[..bare.len() - text.len()];
        return match text.trim_start() {
            "^" => format!(
                "{blanks}{BLUE}{frame}{END}{}{RED}^{END}",
                &text[..text.len() - 1]
            ),
            _ => format!("{blanks}{BLUE}{frame}{END}{text}"),
        };
    }
    line.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_shown_as_other_programs_decide_it() {
        let shows = |terminal: bool, set: &[(&str, &str)]| {
            decide(terminal, |name| {
                let found = set.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| (*value).to_owned())
            })
        };
        let term = ("TERM", "xterm");
        assert!(shows(true, &[term]));
        assert!(!shows(false, &[term]));
        assert!(shows(false, &[("CLICOLOR_FORCE", "1")]));
        for off in [("NO_COLOR", "1"), ("CLICOLOR", "0"), ("TERM", "dumb")] {
            assert!(!shows(true, &[off, term]), "{off:?}");
        }
        assert!(!shows(true, &[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")]));
        assert!(shows(true, &[("NO_COLOR", ""), term]));
    }

    #[test]
    fn without_its_colours_a_text_is_what_it_was() {
        let text = "configuration would be refused: 1 problem; nothing was applied\n  port: must be\n    --> a.yaml:1:7\n      |\n    1 | port: 0\n      |       ^\n  warning: x | y\nerror: no\n  = docs: |\nlast";
        let mut out = Vec::new();
        let mut painted = Painted::new(&mut out, true);
        for piece in text.as_bytes().chunks(7) {
            painted.write_all(piece).unwrap();
        }
        painted.finish().unwrap();
        let coloured = String::from_utf8(out).unwrap();
        assert!(coloured.contains("\x1b[1;31m^\x1b[0m"), "{coloured}");
        let mut plain = coloured;
        for colour in [RED, YELLOW, BLUE, GREEN, END] {
            plain = plain.replace(colour, "");
        }
        assert_eq!(plain, text);
    }
}
