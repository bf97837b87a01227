//! What ends a start before anything is opened: a default that its type cannot read, names of arguments that mean two fields, and
//! `--help`.

use crate::{
    engine::Schema,
    problem::{Dotted, Seg},
    runtime::error::Error,
    schema::{Descent, Field, Kind, MAX_DEPTH, every_table},
    source::{
        arguments,
        declare::{Input, Opened},
    },
};
use std::collections::HashMap;

/// A default that its type cannot read is found before it is needed.
pub(super) fn check_defaults(
    fields: &'static [Field],
    depth: u8,
    path: &mut Vec<Seg>,
) -> Result<(), String> {
    for field in fields {
        if !field.flatten {
            path.push(Seg::Key(field.name.into()));
        }
        if let Err(why) = field.try_default() {
            let why = match field.is_secret() {
                true => "its default cannot be read".to_owned(),
                false => why,
            };
            let place = field.default().map_or(String::new(), |default| {
                format!(" ({}, line {})", default.file, default.line)
            });
            let path = Dotted(path);
            return Err(format!(
                "`{path}`: {why}; write a default that its type reads{place}"
            ));
        }
        if let Some(inner) = field.kind.table()
            && depth > 0
        {
            check_defaults(inner, depth - 1, path)?;
        }
        if !field.flatten {
            path.pop();
        }
    }
    Ok(())
}

/// A key that means two fields, one of them in a flattened section, is refused: only the first could ever be set. Keys of one struct
/// alone do not compile.
pub(super) fn check_keys(fields: &'static [Field]) -> Result<(), String> {
    let mut tables = every_table(fields);
    tables.try_for_each(|table| {
        flat_keys(
            table,
            &Descent::at(table, MAX_DEPTH),
            "",
            &mut HashMap::new(),
        )
    })
}

fn flat_keys(
    fields: &'static [Field],
    at: &Descent<'_>,
    section: &str,
    known: &mut HashMap<&'static str, String>,
) -> Result<(), String> {
    for field in fields {
        if field.flatten {
            if let Kind::Section(inner) = field.kind
                && let Some(at) = at.enter(inner())
            {
                let name = format!(" of the flattened `{}`", field.type_name());
                flat_keys(inner(), &at, &name, known)?;
            }
            continue;
        }
        let mut own = vec![field.name];
        own.extend(field.aliases.iter().filter(|alias| **alias != field.name));
        for key in own {
            let this = format!("`{}`{section}", field.name);
            if let Some(other) = known.insert(key, this.clone()) {
                return Err(format!(
                    "the key `{key}` means two fields, {other} and {this}, and would set one of them alone; rename one"
                ));
            }
        }
    }
    Ok(())
}

/// Names that mean two fields are refused; and `--help` gives the help instead of a configuration.
pub(super) fn check_arguments(schema: &Schema, name: &str, layers: &[Opened]) -> Result<(), Error> {
    let given = layers.iter().find_map(|layer| match &layer.input {
        Input::Arguments(given) => Some(given),
        _ => None,
    });
    let Some(given) = given else { return Ok(()) };
    let (fields, decode) = ((schema.fields)(), schema.decode_tree);
    arguments::check_names(fields, decode).map_err(|problem| Error::Declaration {
        name: name.to_owned(),
        problem,
    })?;
    if !arguments::ask_for_help(fields, decode, given) {
        return Ok(());
    }
    let prefixes = layers.iter().filter_map(|layer| match &layer.input {
        Input::Environment(prefix, _) => Some(prefix.as_str()),
        _ => None,
    });
    let prefixes: Vec<&str> = prefixes.collect();
    Err(Error::Help(arguments::help(
        fields, decode, &prefixes, given,
    )))
}

#[cfg(test)]
#[cfg(all(feature = "derive", feature = "yaml"))]
mod tests {
    use crate::{Capacitor, Config, Format, Source, source::Channel};

    #[derive(flux_derive::Flux)]
    #[flux(crate = crate)]
    struct FlatPool {
        #[flux(default, non_empty)]
        name: String,
        #[flux(default = 1)]
        #[serde(alias = "most")]
        max: u32,
    }

    #[derive(flux_derive::Flux)]
    #[flux(crate = crate)]
    struct OwnMax {
        #[flux(default = 1)]
        max: u32,
        #[flux(nested)]
        #[serde(flatten)]
        pool: FlatPool,
    }

    #[derive(flux_derive::Flux)]
    #[flux(crate = crate)]
    struct OwnMaxByAlias {
        #[flux(default = 1)]
        #[serde(alias = "most")]
        limit: u32,
        #[flux(nested)]
        #[serde(flatten)]
        pool: FlatPool,
    }

    #[derive(flux_derive::Flux)]
    #[flux(crate = crate)]
    struct InASection {
        #[flux(nested)]
        section: OwnMax,
    }

    #[derive(flux_derive::Flux)]
    #[flux(crate = crate)]
    struct FlatTwice {
        #[flux(nested)]
        #[serde(flatten)]
        first: FlatPool,
        #[flux(nested)]
        #[serde(flatten)]
        second: FlatPool,
    }

    #[derive(flux_derive::Flux)]
    #[flux(crate = crate)]
    struct FlatAlone {
        #[flux(default = 1)]
        size: u32,
        #[flux(nested)]
        #[serde(flatten)]
        pool: FlatPool,
    }

    fn refused<C: Config>() -> Option<String> {
        let (_, channel) = Channel::buffered("app", 4);
        let source = Source::watcher(channel).format(Format::Yaml);
        let built = Capacitor::<C>::builder().source(source).build();
        built.err().map(|error| error.to_string())
    }

    #[test]
    fn a_key_of_a_field_and_of_one_in_a_flattened_section_is_refused() {
        let max = "the key `max` means two fields, `max` and `max` of the flattened `FlatPool`";
        for (refused, sentence) in [
            (refused::<OwnMax>(), max),
            (refused::<InASection>(), max),
            (
                refused::<OwnMaxByAlias>(),
                "the key `most` means two fields, `limit` and `max` of the flattened `FlatPool`",
            ),
            (refused::<FlatTwice>(), "the key `name` means two fields"),
        ] {
            let refused = refused.unwrap_or_default();
            assert!(refused.contains(sentence), "{refused}");
        }
        assert_eq!(refused::<FlatAlone>(), None);
    }

    #[derive(flux_derive::Flux)]
    #[flux(crate = crate)]
    struct PoolInASection {
        #[flux(nested)]
        pool: FlatPool,
    }

    async fn report<C: Config>(document: &str) -> String {
        let (sender, channel) = Channel::buffered("app", 4);
        let source = Source::watcher(channel).format(Format::Yaml);
        let builder = Capacitor::<C>::builder().source(source);
        let capacitor = builder.build().unwrap();
        sender.send(document.as_bytes().to_vec()).await.unwrap();
        capacitor.start().await.unwrap_err().to_string()
    }

    #[tokio::test]
    async fn a_default_that_breaks_its_own_rule_is_reported_as_the_default_with_its_place() {
        let set = report::<FlatAlone>("name: ''").await;
        assert!(!set.contains("the default in the code"), "{set}");
        let report = [
            report::<FlatAlone>("size: 2").await,
            report::<PoolInASection>("pool: {max: 2}").await,
        ];
        for report in report {
            let sentence = "name: must not be empty; no layer sets it, and the default in the code breaks this rule (";
            let place = report.split_once(sentence).map_or("", |(_, behind)| behind);
            assert!(place.contains("before_start.rs, line "), "{report}");
        }
    }
}
