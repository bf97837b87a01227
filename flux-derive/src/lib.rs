//! The derive macro of Flux. What was written (`ast`, `attr`) is checked as a whole (`check`) and becomes a model that
//! the emitting code (`expand`) cannot fail on; after an error `fallback` keeps follow-on errors away.

mod ast;
mod attr;
mod check;
mod errors;
mod expand;
mod fallback;
mod model;
#[cfg(test)]
mod tests;
mod types;

use proc_macro::TokenStream;

/// Generates the layer, the reducer, the validation and the handle of a config struct.
///
/// | on the struct | |
/// |---|---|
/// | `source = "URI"`, `override = "URI"` | a layer; overrides come after sources, later wins. Long form: `source("URI", optional, format = "yaml", wait = "5s")` |
/// | `debounce`, `startup_timeout`, `resync` | durations as text, `"100ms"` |
/// | `unknown = "warn"` | or `"deny"`, `"ignore"`: keys that no field has |
/// | `name = ".."` | the capacitor's name in logs and metrics |
/// | `validate = path` | `fn(&Self) -> Result<(), impl Display>`: rules across fields |
///
/// | on a field | |
/// |---|---|
/// | `default`, `default = value` | when no layer sets it; on an `Option<T>` the value is a `T`, on a `Duration` text |
/// | `nested` | a section: `T`, `Option<T>`, `Vec<T>` or a string-keyed map of a `T` that derives `Flux` |
/// | `range`, `length`, `non_empty`, `pattern`, `one_of`, `email`, `url`, `ip`, `each(..)`, `validate = path` | rules; `message = ".."` replaces what they say. On an `Option<T>` they are asked of the `T` |
/// | `merge = "append"` | or `"replace"`, `"prepend"`, `"union"`, `"by_key"`, or a function `fn(&mut T, &T)` |
/// | `secret` | never printed |
/// | `env = "NAME"` | the exact variable |
/// | `hot`, `hot = "name"` | a scalar with an accessor on the type, read with one atomic load |
/// | `opaque` | needs no `PartialEq`; counts as changed whenever its layer changed |
///
/// serde's `rename`, `rename_all`, `alias`, `with`, `deserialize_with`, `default`, `skip`, `deny_unknown_fields`, and `flatten` on
/// a section, mean what they mean to serde.
#[proc_macro_derive(Flux, attributes(flux, serde))]
pub fn derive_flux(input: TokenStream) -> TokenStream {
    let input = syn::parse_macro_input!(input as syn::DeriveInput);
    let mut errors = errors::Errors::default();
    let input = ast::Input::read(&input, &mut errors);
    let model = check::model(&input, &mut errors);
    match model {
        Some(model) if errors.is_empty() => expand::all(&model),
        _ => {
            let mut tokens = errors.into_tokens();
            tokens.extend(fallback::all(&input));
            tokens
        }
    }
    .into()
}
