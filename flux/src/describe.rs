//! The field table: one static description from which environment names, unknown-key detection, secrets and reports are derived.

/// One field of a config struct, as the derive describes it.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// The key in documents.
    pub name: &'static str,
    /// Other keys that mean the same field.
    pub aliases: &'static [&'static str],
    /// The segment of the environment variable's name: `POOL` in `APP_POOL_MAX_SIZE`.
    pub env: &'static str,
    /// A complete variable name that replaces prefix and segments.
    pub env_exact: Option<&'static str>,
    /// What stands behind the key.
    pub kind: Kind,
    /// The value is never printed.
    pub secret: bool,
    /// The section's keys stand beside this struct's own.
    pub flatten: bool,
    /// The Rust type, as written.
    pub type_name: &'static str,
    /// The field's doc comment.
    pub docs: &'static str,
    /// The default, as written.
    pub default: Option<&'static str>,
}

/// What stands behind a key. The tables of sections are functions, so that a recursive type is no endless constant.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Kind {
    /// A value decoded as a whole.
    Leaf,
    /// A map with the fields of another config struct.
    Section(fn() -> &'static [Field]),
    /// A list of sections.
    List(fn() -> &'static [Field]),
    /// A map of sections by name.
    Map(fn() -> &'static [Field]),
}

impl Field {
    /// A leaf with this key and environment segment.
    pub const fn new(name: &'static str, env: &'static str) -> Self {
        Field {
            name,
            aliases: &[],
            env,
            env_exact: None,
            kind: Kind::Leaf,
            secret: false,
            flatten: false,
            type_name: "",
            docs: "",
            default: None,
        }
    }
    /// Sets [`Field::kind`].
    pub const fn kind(mut self, kind: Kind) -> Self {
        self.kind = kind;
        self
    }
    /// Sets [`Field::aliases`].
    pub const fn aliases(mut self, aliases: &'static [&'static str]) -> Self {
        self.aliases = aliases;
        self
    }
    /// Sets [`Field::env_exact`].
    pub const fn env_exact(mut self, name: &'static str) -> Self {
        self.env_exact = Some(name);
        self
    }
    /// Marks the value as secret.
    pub const fn secret(mut self) -> Self {
        self.secret = true;
        self
    }
    /// Marks the section as flattened.
    pub const fn flatten(mut self) -> Self {
        self.flatten = true;
        self
    }
    /// Sets [`Field::type_name`].
    pub const fn type_name(mut self, name: &'static str) -> Self {
        self.type_name = name;
        self
    }
    /// Sets [`Field::docs`].
    pub const fn docs(mut self, docs: &'static str) -> Self {
        self.docs = docs;
        self
    }
    /// Sets [`Field::default`].
    pub const fn default(mut self, default: &'static str) -> Self {
        self.default = Some(default);
        self
    }
    /// Whether `key` names this field.
    pub fn is(&self, key: &str) -> bool {
        self.name == key || self.aliases.contains(&key)
    }
}

/// The field that `key` names, looking into flattened sections.
pub(crate) fn find(fields: &'static [Field], key: &str) -> Option<&'static Field> {
    for field in fields {
        if field.flatten {
            if let Kind::Section(inner) = field.kind
                && let Some(found) = find(inner(), key)
            {
                return Some(found);
            }
        } else if field.is(key) {
            return Some(field);
        }
    }
    None
}

/// Whether a value found at `path` must never be printed: a secret field, anything below one, anything under a key that no field
/// has (it may be a misspelt secret), and a value in the place of a section that has secrets.
pub(crate) fn is_secret(fields: &'static [Field], path: &[crate::layer::Seg]) -> bool {
    use crate::layer::Seg;
    let Some((first, mut rest)) = path.split_first() else {
        return any_secret(fields, 8);
    };
    let Seg::Key(key) = first else {
        return any_secret(fields, 8);
    };
    let Some(field) = find(fields, key) else {
        return any_secret(fields, 8);
    };
    if field.secret {
        return true;
    }
    let inner = match field.kind {
        Kind::Leaf => return false,
        Kind::Section(inner) => inner,
        Kind::List(inner) | Kind::Map(inner) => {
            if rest.is_empty() {
                return any_secret(inner(), 8);
            }
            rest = &rest[1..];
            inner
        }
    };
    is_secret(inner(), rest)
}

/// What stands at `path`: a leaf (true), something with parts (false), or no field of the table.
#[cfg(feature = "json")]
pub(crate) fn is_field(fields: &'static [Field], path: &[crate::layer::Seg]) -> Option<bool> {
    use crate::layer::Seg;
    let (Seg::Key(key), mut rest) = path.split_first()? else {
        return None;
    };
    let field = find(fields, key)?;
    let inner = match field.kind {
        Kind::Leaf => return Some(true),
        Kind::Section(inner) => inner,
        Kind::List(inner) | Kind::Map(inner) => {
            if rest.is_empty() {
                return Some(false);
            }
            rest = &rest[1..];
            inner
        }
    };
    match rest.is_empty() {
        true => Some(field.secret),
        false => is_field(inner(), rest),
    }
}

/// Whether any field of the table, or of the sections in it, is secret.
pub(crate) fn any_secret(fields: &'static [Field], depth: u8) -> bool {
    fields.iter().any(|field| {
        field.secret
            || depth > 0
                && match field.kind {
                    Kind::Leaf => false,
                    Kind::Section(inner) | Kind::List(inner) | Kind::Map(inner) => {
                        any_secret(inner(), depth - 1)
                    }
                }
    })
}

/// Every key of the table, those of flattened sections included.
pub(crate) fn keys(fields: &'static [Field]) -> Vec<&'static str> {
    let mut all = Vec::new();
    for field in fields {
        match field.kind {
            Kind::Section(inner) if field.flatten => all.extend(keys(inner())),
            _ => all.push(field.name),
        }
    }
    all
}
