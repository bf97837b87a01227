//! How `${NAME}`, `${NAME:-default}` and `${file:PATH}` in texts are parsed and expanded.

use std::{fmt, ops::Range};

/// A text with variables in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// What it is made of, in order.
    pub parts: Vec<Part>,
}

/// A piece of a [`Template`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Text as it is.
    Text(String),
    /// A variable of the environment, or a file.
    Var {
        /// Its name, or `file:` and the path.
        name: String,
        /// What replaces it where it is unset or empty; may name variables itself.
        default: Option<Template>,
    },
}

/// Why a text is no template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateError {
    /// What is wrong and how to fix it.
    pub message: String,
    /// Where in the text, in bytes.
    pub span: Range<usize>,
}

/// A variable without a default that is unset or empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnsetVariable {
    /// Its name.
    pub name: String,
    /// It is set, to nothing.
    pub empty: bool,
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for TemplateError {}

impl fmt::Display for UnsetVariable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = &self.name;
        if let Some(path) = name.strip_prefix(FILE) {
            return write!(
                f,
                "the file `{path}` of `${{{name}}}` is missing, empty or not readable"
            );
        }
        let state = if self.empty { "empty" } else { "not set" };
        write!(
            f,
            "the environment variable {name} is {state}; set it, or give a default: `${{{name}:-..}}`"
        )
    }
}

impl std::error::Error for UnsetVariable {}

impl Template {
    /// A template of these parts.
    pub fn new(parts: Vec<Part>) -> Self {
        Template { parts }
    }

    /// Reads `${NAME}` and `${NAME:-default}`, where the default may hold variables of its own; `$$` is a dollar.
    ///
    /// # Errors
    /// An unterminated `${`, or a name that no variable can have.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut at = 0;
        while let Some(found) = text[at..].find('$') {
            let dollar = at + found;
            literal.push_str(&text[at..dollar]);
            let rest = &text[dollar + 1..];
            if rest.starts_with('$') {
                literal.push('$');
                at = dollar + 2;
            } else if let Some(inside) = rest.strip_prefix('{') {
                let Some(length) = closing(inside) else {
                    return Err(TemplateError {
                        message: "this `${` has no closing `}`".to_owned(),
                        span: dollar..text.len(),
                    });
                };
                let end = dollar + 2 + length + 1;
                let (name, default) = match inside[..length].split_once(":-") {
                    Some((name, default)) => (name, Some(default)),
                    None => (&inside[..length], None),
                };
                if !is_variable_name(name) && !is_file(name) {
                    return Err(TemplateError {
                        message: format!(
                            "`{name}` is not the name of a variable; write `${{NAME}}` or `${{NAME:-default}}`"
                        ),
                        span: dollar..end,
                    });
                }
                if !literal.is_empty() {
                    parts.push(Part::Text(std::mem::take(&mut literal)));
                }
                let default = default
                    .map(|default| {
                        let start = end - 1 - default.len();
                        Template::parse(default).map_err(|error| error.shifted(start))
                    })
                    .transpose()?;
                let name = name.to_owned();
                parts.push(Part::Var { name, default });
                at = end;
            } else {
                literal.push('$');
                at = dollar + 1;
            }
        }
        literal.push_str(&text[at..]);
        if !literal.is_empty() {
            parts.push(Part::Text(literal));
        }
        Ok(Template { parts })
    }

    /// Puts the variables in.
    ///
    /// # Errors
    /// A variable without a default for which `lookup` has nothing.
    pub fn expand(&self, lookup: &dyn Fn(&str) -> Option<String>) -> Result<String, UnsetVariable> {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Text(piece) => text.push_str(piece),
                Part::Var { name, default } => {
                    let value = lookup(name);
                    let empty = value.as_ref().is_some_and(String::is_empty);
                    match (value.filter(|_| !empty), default) {
                        (Some(value), _) => text.push_str(&value),
                        (None, Some(default)) => text.push_str(&default.expand(lookup)?),
                        (None, None) => {
                            return Err(UnsetVariable {
                                name: name.clone(),
                                empty,
                            });
                        }
                    }
                }
            }
        }
        Ok(text)
    }

    /// The text with the names of its variables in place of their values.
    pub fn with_names(&self) -> String {
        let name = |part: &Part| match part {
            Part::Text(text) => text.clone(),
            Part::Var { name, .. } => format!("${{{name}}}"),
        };
        self.parts.iter().map(name).collect()
    }

    /// The values that [`expand`](Self::expand) puts in.
    pub fn values(&self, lookup: &dyn Fn(&str) -> Option<String>) -> Vec<String> {
        let value = |part: &Part| match part {
            Part::Text(_) => None,
            Part::Var { name, default } => {
                let value = lookup(name).filter(|value| !value.is_empty());
                value.or_else(|| default.as_ref()?.expand(lookup).ok())
            }
        };
        self.parts.iter().filter_map(value).collect()
    }

    /// Whether a file is read for it.
    pub fn reads_files(&self) -> bool {
        self.parts.iter().any(|part| match part {
            Part::Text(_) => false,
            Part::Var { name, default } => {
                is_file(name) || default.as_ref().is_some_and(Template::reads_files)
            }
        })
    }

    /// The text, where there is no variable in it.
    pub fn as_literal(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [] => Some(""),
            [Part::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// Whether nothing of it is written down: only variables, whose defaults, if any, are variables too.
    pub fn is_variable(&self) -> bool {
        !self.parts.is_empty()
            && self.parts.iter().all(|part| match part {
                Part::Text(_) => false,
                Part::Var { default, .. } => default.as_ref().is_none_or(Template::is_variable),
            })
    }

    /// Changes the written text, defaults included.
    pub(crate) fn map_text<E>(
        self,
        change: &dyn Fn(String) -> Result<String, E>,
    ) -> Result<Self, E> {
        let map = |part| match part {
            Part::Text(text) => change(text).map(Part::Text),
            Part::Var { name, default } => {
                let default = default
                    .map(|default| default.map_text(change))
                    .transpose()?;
                Ok(Part::Var { name, default })
            }
        };
        Ok(Template::new(
            self.parts.into_iter().map(map).collect::<Result<_, E>>()?,
        ))
    }
}

impl TemplateError {
    /// The same of a text that begins `by` bytes earlier.
    pub(crate) fn shifted(self, by: usize) -> Self {
        TemplateError {
            message: self.message,
            span: self.span.start + by..self.span.end + by,
        }
    }
}

/// Where the `}` is that ends what a `${` began; `inside` is what follows it.
fn closing(inside: &str) -> Option<usize> {
    let bytes = inside.as_bytes();
    let (mut at, mut depth) = (0, 0usize);
    while at < bytes.len() {
        match (bytes[at], bytes.get(at + 1)) {
            (b'$', Some(b'$')) => at += 1,
            (b'$', Some(b'{')) => {
                depth += 1;
                at += 1;
            }
            (b'}', _) if depth == 0 => return Some(at),
            (b'}', _) => depth -= 1,
            _ => {}
        }
        at += 1;
    }
    None
}

/// Where one of `characters` first is in `text`, outside of variables.
pub(crate) fn find(text: &str, characters: &[char]) -> Option<usize> {
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        if rest.starts_with("$$") {
            at += 2;
        } else if let Some(inside) = rest.strip_prefix("${") {
            at += 2 + closing(inside)? + 1;
        } else {
            let next = rest.chars().next()?;
            if characters.contains(&next) {
                return Some(at);
            }
            at += next.len_utf8();
        }
    }
    None
}

/// What the name of a variable begins with that is the content of a file.
pub(crate) const FILE: &str = "file:";

fn is_file(name: &str) -> bool {
    let path = name.strip_prefix(FILE);
    path.is_some_and(|path| !path.is_empty() && !path.contains(['$', '{', '\n']))
}

fn is_variable_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes
        .next()
        .is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
        && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

impl From<&str> for Template {
    /// The text as it is; nothing is read into it.
    fn from(text: &str) -> Self {
        Template::from(text.to_owned())
    }
}

impl From<String> for Template {
    /// The text as it is; nothing is read into it.
    fn from(text: String) -> Self {
        Template::new(vec![Part::Text(text)])
    }
}

/// Doubles the dollars that would begin a variable or be taken for a doubled one.
fn write_text(text: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut pieces = text.split('$').peekable();
    while let Some(piece) = pieces.next() {
        f.write_str(piece)?;
        if let Some(next) = pieces.peek() {
            let is_plain = next.chars().next().is_some_and(|c| c != '{');
            f.write_str(if is_plain { "$" } else { "$$" })?;
        }
    }
    Ok(())
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in &self.parts {
            match part {
                Part::Text(text) => write_text(text, f)?,
                Part::Var {
                    name,
                    default: None,
                } => write!(f, "${{{name}}}")?,
                Part::Var {
                    name,
                    default: Some(default),
                } => write!(f, "${{{name}:-{default}}}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn expand(text: &str) -> Result<String, UnsetVariable> {
        Template::parse(text)
            .expect("a template")
            .expand(&|name| match name {
                "DIR" => Some("/etc".to_owned()),
                "EMPTY" => Some(String::new()),
                _ => None,
            })
    }

    #[test]
    fn variables_and_defaults_are_put_in() {
        assert_eq!(expand("${DIR}/app.yaml").as_deref(), Ok("/etc/app.yaml"));
        assert_eq!(
            expand("${NONE:-conf}/app.yaml").as_deref(),
            Ok("conf/app.yaml")
        );
        assert_eq!(expand("${EMPTY:-conf}").as_deref(), Ok("conf"));
        assert_eq!(expand("a$$b$c").as_deref(), Ok("a$b$c"));
    }

    #[test]
    fn a_default_may_hold_variables() {
        assert_eq!(expand("f:${NONE:-${DIR}}").as_deref(), Ok("f:/etc"));
        assert_eq!(
            expand("${NONE:-${EMPTY:-a}/${DIR}}/b").as_deref(),
            Ok("a//etc/b")
        );
        assert_eq!(
            expand("${NONE:-${OTHER}}").expect_err("unset").name,
            "OTHER"
        );
        assert_eq!(Template::parse("${A:-${B}").expect_err("open").span, 0..9);
        assert_eq!(Template::parse("x${A:-${}}").expect_err("name").span, 6..9);
    }

    #[test]
    fn what_is_only_variables_is_told_from_what_is_written_down() {
        let only = |text| Template::parse(text).expect("a template").is_variable();
        assert!(only("${A}") && only("${A:-${B}}") && only("${A}${B}"));
        assert!(!only("a") && !only("${A}b") && !only("${A:-b}") && !only("${A:-${B:-c}}"));
        assert!(!only(""));
    }

    #[test]
    fn separators_inside_variables_are_none() {
        assert_eq!(find("${A:-x/y}/z", &['/']), Some(9));
        assert_eq!(find("${A:-${B}/}", &['/']), None);
        assert_eq!(find("a$$/", &['/']), Some(3));
        assert_eq!(find("${A/", &['/']), None);
    }

    #[test]
    fn an_unset_variable_is_named() {
        let error = expand("${NONE}/x").expect_err("unset");
        assert!(error.to_string().contains("NONE is not set"));
        let error = Template::parse("${EMPTY}").unwrap();
        let error = error.expand(&|_| Some(String::new())).unwrap_err();
        assert!(
            error.to_string().contains("EMPTY is empty; set it"),
            "{error}"
        );
        assert!(expand("${EMPTY}").is_err());
    }

    #[test]
    fn what_cannot_be_a_variable_is_refused_where_it_stands() {
        assert_eq!(Template::parse("a/${X").expect_err("open").span, 2..5);
        assert_eq!(Template::parse("${}").expect_err("empty").span, 0..3);
        assert!(Template::parse("${1X}").is_err());
    }

    #[test]
    fn a_dollar_is_printed_doubled_only_where_it_must_be() {
        for (text, printed) in [
            ("$HOME/app.yaml", "$HOME/app.yaml"),
            ("$$HOME/a$$b", "$HOME/a$b"),
            ("$$$$a", "$$$a"),
            ("$${A}", "$${A}"),
            ("a$$${A}", "a$$${A}"),
            ("$", "$$"),
        ] {
            let template = Template::parse(text).expect("a template");
            assert_eq!(template.to_string(), printed, "{text}");
            assert_eq!(Template::parse(printed), Ok(template), "{text}");
        }
    }

    proptest! {
        #[test]
        fn dollars_and_braces_are_read_as_they_were_printed(text in "[${}A:-]{0,12}") {
            if let Ok(template) = Template::parse(&text) {
                prop_assert_eq!(Template::parse(&template.to_string()), Ok(template));
            }
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".*") {
            if let Ok(template) = Template::parse(&text) {
                prop_assert_eq!(Template::parse(&template.to_string()), Ok(template));
            }
        }

        #[test]
        fn a_literal_stays_what_it_is(text in ".*") {
            let template = Template::from(text.as_str());
            prop_assert_eq!(template.expand(&|_| None), Ok(text));
        }
    }
}
