//! Emits the steps of the pipeline, and the options for trials, history and the disk, as calls on the builder.

use super::{source::template, value::duration};
use crate::model::{Root, Step};
use proc_macro2::TokenStream;
use quote::{format_ident, quote};

/// What is remembered, taken back and kept on disk.
pub(super) fn safety(root: &Root<'_>, flux: &TokenStream) -> TokenStream {
    let mut all = TokenStream::new();
    if let Some(size) = root.history {
        all.extend(quote!(.history(#size)));
    }
    if let Some(earlier) = root.generations {
        all.extend(quote!(.generations(#earlier)));
    }
    if let Some(window) = root.probation {
        let window = duration(window);
        all.extend(quote!(.probation(#window)));
    }
    if let Some(path) = root.health_check {
        all.extend(quote!(.health_check(#path)));
    }
    if let Some(kept) = &root.last_known_good {
        let (path, secrets) = (template(&kept.path), format_ident!("{}", kept.secrets));
        all.extend(quote!(.last_known_good(#path, #flux::Secrets::#secrets)));
        if let Some(tries) = kept.tries {
            all.extend(quote!(.trial(#tries)));
        }
    }
    if let Some(signal) = root.reload_on {
        let signal = format_ident!("{signal}");
        all.extend(quote!(.reload_on(#flux::capacitor::Signal::#signal)));
    }
    if let Some(address) = &root.admin {
        let address = template(address);
        all.extend(quote!(.admin(#address)));
    }
    if let Some(path) = root.on_stop {
        all.extend(quote!(.on_stop(#path)));
    }
    all
}

/// The steps, the innermost first.
pub(super) fn steps(root: &Root<'_>, flux: &TokenStream) -> TokenStream {
    let steps = root.pipeline.iter().map(|one| step(one, flux));
    steps.collect()
}

/// `Config::transformed`, where there are any.
pub(super) fn transformed(root: &Root<'_>) -> TokenStream {
    let stages = root.pipeline.iter().filter_map(|step| match step {
        Step::Mutate { when, with } => Some(quote!(__f::Stage::mutate(#when, #with))),
        Step::Call { method, path } if *method == "transform" => {
            Some(quote!(__f::Stage::transform(#path)))
        }
        _ => None,
    });
    let stages: Vec<_> = stages.collect();
    match stages.is_empty() {
        true => TokenStream::new(),
        false => quote! {
            fn transformed(self, __cx: &mut __f::Cx) -> ::core::option::Option<Self> {
                __f::transformed(self, __cx, ::std::vec![#(#stages),*])
            }
        },
    }
}

fn step(step: &Step<'_>, flux: &TokenStream) -> TokenStream {
    match step {
        Step::Retry {
            attempts,
            base,
            max,
        } => {
            let (base, max) = (duration(*base), duration(*max));
            quote!(.retry(#flux::pipeline::Retry::attempts(#attempts).base(#base).max(#max)))
        }
        Step::Timeout(limit) => {
            let limit = duration(*limit);
            quote!(.timeout(#limit))
        }
        Step::CircuitBreaker { failures, recovery } => {
            let recovery = duration(*recovery);
            quote!(.circuit_breaker(#flux::pipeline::CircuitBreaker::failures(#failures).recovery(#recovery)))
        }
        Step::RateLimit { per_second, burst } => {
            quote!(.rate_limit(#flux::pipeline::RateLimit::per_second(#per_second).burst(#burst)))
        }
        Step::Mutate { when, with } => quote!(.mutate(#when, #with)),
        Step::Call { method, path } => {
            let method = format_ident!("{method}");
            quote!(.#method(#path))
        }
    }
}
