//! Which path or query asks for which answer, and which of them must be posted.

use std::borrow::Cow;

/// What there is below the page's prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Route {
    Page,
    Style,
    Script,
    Icon,
    Events,
    Status,
    Settings,
    Explain,
    Blame,
    EffectiveJson,
    EffectiveYaml,
    EffectiveToml,
    Fingerprint,
    Silent,
    SilentPage,
    Schema,
    Template,
    Reference,
    Variables,
    Health,
    Metrics,
    Control,
    Plan,
    Rollback,
    Pin,
    Unpin,
    Trust,
}

/// The names, which are part of the interface.
const ROUTES: [(&str, Route); 27] = [
    ("", Route::Page),
    ("page.css", Route::Style),
    ("page.js", Route::Script),
    ("icon.svg", Route::Icon),
    ("events", Route::Events),
    ("status.json", Route::Status),
    ("settings.json", Route::Settings),
    ("explain.json", Route::Explain),
    ("blame.json", Route::Blame),
    ("effective.json", Route::EffectiveJson),
    ("effective.yaml", Route::EffectiveYaml),
    ("effective.toml", Route::EffectiveToml),
    ("fingerprint.json", Route::Fingerprint),
    ("silent.json", Route::Silent),
    ("silent", Route::SilentPage),
    ("schema.json", Route::Schema),
    ("template.yaml", Route::Template),
    ("reference.md", Route::Reference),
    ("variables.env", Route::Variables),
    ("healthz", Route::Health),
    ("metrics", Route::Metrics),
    ("control.json", Route::Control),
    ("plan", Route::Plan),
    ("rollback", Route::Rollback),
    ("pin", Route::Pin),
    ("unpin", Route::Unpin),
    ("trust", Route::Trust),
];

impl Route {
    /// The route of a path below the prefix, and of a query. `/config?status.json` is `/config/status.json`: a link that is a query
    /// alone leads to the same place with and without a slash behind the prefix, whatever the prefix is, which only the router knows.
    pub(super) fn of(path: &str, query: &Query<'_>) -> Option<Route> {
        let name = path.strip_prefix('/').unwrap_or(path);
        let find = |name: &str| ROUTES.iter().find(|(known, _)| *known == name);
        if !name.is_empty() {
            return find(name).map(|(_, route)| *route);
        }
        let first = query.0.split('&').next().unwrap_or_default();
        let named = find(first).map(|(_, route)| *route);
        Some(named.unwrap_or(Route::Page))
    }

    /// Whether its answer is JSON, whatever is accepted.
    pub(super) fn is_json(self) -> bool {
        let mut routes = ROUTES.iter();
        routes.any(|(name, route)| *route == self && name.ends_with(".json"))
    }

    /// Whether it changes something, or shows what the document of a visitor would change, so that it must be posted.
    pub(super) fn is_order(self) -> bool {
        matches!(
            self,
            Route::Plan | Route::Rollback | Route::Pin | Route::Unpin | Route::Trust
        )
    }
}

/// The query of a URI, or the body of a form: names and values.
#[derive(Debug, Clone, Copy)]
pub(super) struct Query<'a>(pub(super) &'a str);

impl<'a> Query<'a> {
    /// The first value with this name, decoded.
    pub(super) fn get(&self, name: &str) -> Option<Cow<'a, str>> {
        let mut pairs = self.0.split('&').filter_map(|pair| pair.split_once('='));
        pairs
            .find(|(known, _)| *known == name)
            .map(|(_, value)| decoded(value))
    }

    /// Whether something is asked for: `name`, `name=true` or `name=1`, and not `name=false` or `name=0`. The error is another value.
    pub(super) fn flag(&self, name: &str) -> Result<bool, Cow<'a, str>> {
        if self.0.split('&').any(|one| one == name) {
            return Ok(true);
        }
        let value = self.get(name);
        match value.as_deref() {
            None | Some("false" | "0") => Ok(false),
            Some("" | "true" | "1") => Ok(true),
            Some(_) => Err(value.unwrap_or_default()),
        }
    }
}

/// A text as forms encode it. What is no escape stays as it is.
fn decoded(text: &str) -> Cow<'_, str> {
    if !text.contains(['%', '+']) {
        return Cow::Borrowed(text);
    }
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escape = text.get(at + 1..at + 3);
        let escape = escape.filter(|two| two.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let escape = escape.and_then(|two| u8::from_str_radix(two, 16).ok());
        match (bytes[at], escape) {
            (b'%', Some(byte)) => {
                out.push(byte);
                at += 2;
            }
            (b'+', _) => out.push(b' '),
            (byte, _) => out.push(byte),
        }
        at += 1;
    }
    Cow::Owned(String::from_utf8_lossy(&out).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_names_a_route_where_the_path_does_not() {
        for (path, query, route) in [
            ("/", "", Some(Route::Page)),
            ("", "", Some(Route::Page)),
            ("/", "q=port", Some(Route::Page)),
            ("/", "status.json", Some(Route::Status)),
            ("", "explain.json&path=a", Some(Route::Explain)),
            ("/status.json", "", Some(Route::Status)),
            ("/status.json", "healthz", Some(Route::Status)),
            ("/nothing", "status.json", None),
            ("/status.json/", "", None),
        ] {
            assert_eq!(Route::of(path, &Query(query)), route, "{path}?{query}");
        }
    }

    #[test]
    fn a_flag_is_off_where_it_is_false() {
        for (query, value) in [
            ("", Ok(false)),
            ("healthz&strict", Ok(true)),
            ("strict=", Ok(true)),
            ("strict=true", Ok(true)),
            ("strict=1", Ok(true)),
            ("healthz&strict=false", Ok(false)),
            ("strict=0", Ok(false)),
            ("strictly", Ok(false)),
            ("strict=no+more", Err("no more".into())),
        ] {
            assert_eq!(Query(query).flag("strict"), value, "{query}");
        }
    }

    #[test]
    fn texts_of_forms_are_decoded() {
        let query = Query("a=1&path=pool.%22a+b%22%2e%zz%&b=%ff%é");
        assert_eq!(query.get("path").as_deref(), Some("pool.\"a b\".%zz%"));
        assert_eq!(query.get("b").as_deref(), Some("\u{fffd}%é"));
        assert_eq!(query.get("c"), None);
    }
}
