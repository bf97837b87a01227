//! In which section a variable that is not read would be: whether that refuses keys which no field has decides over the variable, as it
//! does over the same slip in a document.

use super::{
    Environment,
    names::{computed_names, names_of},
};
use crate::{
    problem::Seg,
    schema::{self, Kind},
};

impl<L> Environment<'_, L> {
    /// Whether the section refuses unknown keys that is the innermost one on the way to what was meant, as far as its name is spelt as it
    /// is read: the slip is in it.
    pub(super) fn is_in_strict_section(&self, name: &str, meant: &[Seg]) -> bool {
        let with_prefix = self
            .in_letters_of_prefix(name)
            .or_else(|| self.behind_shorter_prefix(name));
        let name = with_prefix.as_deref().unwrap_or(name);
        // The names that may lead so far, each with the separator behind it.
        let begun = |names: Vec<String>| -> Vec<String> {
            let names = names.into_iter();
            let names = names.map(|one| one + self.naming.separator);
            names.filter(|one| name.starts_with(one)).collect()
        };
        let mut section = self.fields;
        let mut names = vec![self.naming.prefix.to_owned()];
        let mut is_inside = false;
        let mut steps = meant.iter();
        while let Some(Seg::Key(key)) = steps.next()
            && let Some(field) = schema::find(section, key)
        {
            names = begun(match is_inside {
                true => computed_names(field, &names),
                false => names_of(field, &names),
            });
            let mut kind = field.kind;
            while let Kind::List(inner) | Kind::Map(inner) = kind {
                (kind, is_inside) = (*inner, true);
                // Without one, what was meant is in any item or entry.
                if let Some(step) = steps.next() {
                    let parts = parts(step);
                    let longer = |name: &String| {
                        let name = name.clone();
                        parts
                            .clone()
                            .into_iter()
                            .map(move |part| format!("{name}{part}"))
                    };
                    names = begun(names.iter().flat_map(longer).collect());
                }
            }
            let Kind::Section(inner) = kind else {
                break;
            };
            if names.is_empty() {
                break;
            }
            section = inner();
        }
        schema::is_strict(section)
    }
}

/// How an entry or an item is called in the name of a variable that was read without the layers below.
fn parts(step: &Seg) -> Vec<String> {
    match step {
        Seg::Index(index) => vec![index.to_string()],
        Seg::Key(key) => vec![key.to_uppercase(), key.to_string()],
    }
}

#[cfg(test)]
#[cfg(all(feature = "derive", feature = "json"))]
mod tests {
    use crate::{Capacitor, Config, Source};
    use std::collections::BTreeMap;

    macro_rules! sections {
        ($module:ident, $(#[$of_root:meta])?, $(#[$of_section:meta])?) => {
            mod $module {
                use super::BTreeMap;

                #[derive(Debug, flux_derive::Flux)]
                #[flux(crate = crate)]
                $(#[$of_root])?
                pub(super) struct StrictSlips {
                    #[flux(default)]
                    port: u16,
                    #[flux(nested)]
                    pool: Pool,
                    #[flux(nested, default)]
                    tenants: BTreeMap<String, Tenant>,
                    #[flux(nested, default)]
                    ups: Vec<Tenant>,
                }

                #[derive(Debug, flux_derive::Flux)]
                #[flux(crate = crate)]
                $(#[$of_section])?
                pub(super) struct Pool {
                    #[flux(default)]
                    max_size: u32,
                }

                #[derive(Debug, flux_derive::Flux)]
                #[flux(crate = crate)]
                pub(super) struct Tenant {
                    #[flux(nested)]
                    #[serde(alias = "basin")]
                    pool: Pool,
                }
            }
        };
    }

    sections!(strict_root, #[serde(deny_unknown_fields)],);
    sections!(strict_section, , #[serde(deny_unknown_fields)]);

    /// Whether the variable is refused, and not only a warning.
    async fn refuses<C: Config>(prefix: &str, name: &str) -> bool {
        let source = Source::env(prefix).variables([(name, "1")]);
        let capacitor = Capacitor::<C>::builder().manual().source(source);
        let capacitor = capacitor.build().unwrap();
        let started = capacitor.start().await;
        let warnings = capacitor.status().warnings.len();
        assert_eq!(warnings, usize::from(started.is_ok()), "{name}");
        started.is_err()
    }

    #[tokio::test]
    async fn a_misspelt_variable_is_refused_where_the_section_that_it_would_be_in_refuses_unknown_keys()
     {
        for (prefix, name, is_in_section) in [
            ("APP_", "APP_PROT", false),
            ("APP_", "app_port", false),
            ("APP_", "APP_POLL_MAX_SIZE", false),
            ("APP_", "APP_POOL", false),
            ("APP_", "APP_POOL_MAX_SIZ", true),
            ("APP_", "app_pool_max_size", true),
            ("APP__?separator=__", "APP__POOL__OTHER", true),
            ("APP__?separator=__", "APP_POOL__MAX_SIZE", true),
            ("APP_?files=true", "APP_POOL_MAX_SIZ_FILE", true),
            ("APP_", "APP_TENANTS_A_POOL_MAX_SIZ", true),
            ("APP_", "APP_TENANTS_A_BASIN_MAX_SIZ", true),
            ("APP_", "APP_UPS_0_POOL_MAX_SIZ", true),
            ("APP_", "APP_TENATNS_A_POOL_MAX_SIZE", false),
        ] {
            assert_eq!(
                refuses::<strict_section::StrictSlips>(prefix, name).await,
                is_in_section,
                "{name}, in a section that refuses unknown keys"
            );
            assert_eq!(
                refuses::<strict_root::StrictSlips>(prefix, name).await,
                !is_in_section,
                "{name}, below a root that refuses unknown keys"
            );
        }
    }
}
