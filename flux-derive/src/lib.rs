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
/// | `debounce`, `max_wait`, `startup_timeout`, `resync` | durations as text, `"100ms"` |
/// | `unknown = "warn"` | or `"deny"`, `"ignore"`: keys that no field has |
/// | `name = ".."` | the capacitor's name in logs and metrics |
/// | `validate = path` | `fn(&Self) -> Result<(), impl Display>`: rules across fields |
/// | `transform = path`, `apply = path`, `effect = path`, `mutate(when = path, with = path)`, `enrich = path` | stages, run in the order written; each may be given more than once |
/// | `on_apply = path` | the callback that is asked before readers see a change |
/// | `retry(attempts = 3, base = "100ms", max = "10s")` | tries in all, the first one included; the ceilings of the first and of the longest pause |
/// | `timeout = "5s"`, `circuit_breaker(failures = 5, recovery = "30s")`, `rate_limit(per_second = 10, burst = 20)` | layers around the stages and the callback; the first one written is the innermost |
/// | `fallback = path`, `error_handler = path`, `filter = path` | layers too; `filter` may be given more than once |
/// | `probation = "30s"`, `health_check = path` | how long a change may be taken back, and who is asked |
/// | `history = 10`, `generations = 5` | how many refusals, and how many earlier configurations, are kept |
/// | `last_known_good = "PATH"` | serves a start while the sources are down. Long form: `last_known_good("PATH", secrets = "refuse")`; secrets are left out of it by default |
/// | `on_stop = path` | called once with the final state |
///
/// Each function is what the method of the same name on `flux::Builder` takes.
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
/// | `immutable` | a change is refused while the program runs. On a section: of any of its fields that can be compared |
/// | `restart` | the rest of a change applies, and this keeps its running value until the next start. A section must be `Clone` |
/// | `max_change = "50%"` | numbers and durations: the most by which the value may change at a time, up or down. From zero, from `None` and to `None` every change is allowed |
/// | `monotonic` | the value may not decrease; `None` is below every `Some` |
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
