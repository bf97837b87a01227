//! Whether a document that can be decoded is refused or warned of all the same, for keys that no field has, keys of earlier versions,
//! sections that are null, dates in their place.

#[cfg(feature = "dotenv")]
use super::slow::reported;
use super::{
    Decoder, Found, LazyModel, Unknown,
    opened::opened,
    slow::{MOST_WARNINGS, located, more_harmless, sentence},
    walk::{Spot, walk},
};
use crate::{
    document::Document,
    layer::seen_keys::SeenKeys,
    schema::{self, Field},
};

/// What a closer look at a document found that can otherwise be decoded.
#[derive(Default)]
pub(super) struct Closer {
    pub(super) found: Vec<Found>,
    /// It must not be applied.
    pub(super) refuses: bool,
}

/// Looks at a document that can be decoded, but has keys that no field has or that are of an earlier version, or a section that is
/// null.
#[cold]
pub(super) fn look_closer(
    fields: &'static [Field],
    model: &LazyModel<'_, '_>,
    unknown: Unknown,
    seen: SeenKeys,
) -> Closer {
    #[cfg(feature = "dotenv")]
    if let Decoder::Variables(reader) = model.decoder {
        let mut found = reported(model.variables(&**reader), model.text, unknown);
        let refuses = found.iter().any(|found| !found.is_warning);
        for one in &mut found {
            one.is_warning &= refuses;
        }
        return Closer { found, refuses };
    }
    // toml's decoder takes a date in the place of a section for a map with an unknown key.
    let matters = schema::any_strict(fields) || hands_dates_over_as_maps(model.decoder);
    if unknown == Unknown::Ignore && !matters && !seen.outdated {
        return Closer::default();
    }
    let document = model.placed().ok();
    let mut walked = match document {
        Some(document) => walk(fields, document, false, unknown),
        // The keys are listed without their places.
        None => match model.tree() {
            Ok(tree) => {
                let document = Document::of_tree(&opened(fields, &tree));
                let mut walked = walk(fields, &document, false, unknown);
                if !matches!(model.decoder, Decoder::Custom(_)) {
                    walked.spots.retain(Spot::is_of_key);
                }
                walked
            }
            Err(syntax) => {
                let sentence = sentence(fields, syntax.message, model.text, syntax.quotes);
                let keys = match seen.unknown {
                    true => "unknown keys",
                    false => "keys of earlier versions",
                };
                let text = format!("has {keys} that cannot be listed: {sentence}");
                return Closer {
                    found: vec![Found::whole(text, syntax.at)],
                    refuses: unknown == Unknown::Deny && seen.unknown,
                };
            }
        },
    };
    let refuses = walked.more > 0 || !walked.spots.iter().all(Spot::is_harmless);
    if unknown == Unknown::Ignore {
        walked.pass_over_unknown();
    }
    if refuses {
        walked.keep_harmless(MOST_WARNINGS, MOST_WARNINGS);
    }
    let mut found = located(document, walked.spots, walked.more);
    found.extend(more_harmless(walked.more_harmless));
    for one in &mut found {
        one.is_warning &= refuses;
    }
    Closer { found, refuses }
}

fn hands_dates_over_as_maps(decoder: &Decoder) -> bool {
    match decoder {
        #[cfg(feature = "toml")]
        Decoder::Toml => true,
        _ => false,
    }
}

#[cfg(test)]
#[cfg(all(
    feature = "derive",
    feature = "json",
    feature = "toml",
    feature = "yaml"
))]
mod tests {
    use crate::{
        codec::{self, Decoder, Unknown},
        problem::Dotted,
    };
    use flux_syntax::Format;

    #[derive(Debug, flux_derive::Flux)]
    #[flux(crate = crate)]
    #[allow(dead_code, reason = "only read")]
    struct Loose {
        #[flux(default)]
        x: u8,
    }

    #[derive(Debug, flux_derive::Flux)]
    #[flux(crate = crate)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code, reason = "only read")]
    struct Strict {
        #[flux(default)]
        x: u8,
    }

    #[derive(Debug, flux_derive::Flux)]
    #[flux(crate = crate)]
    #[allow(dead_code, reason = "only read")]
    struct MixedApp {
        #[flux(nested)]
        a: Loose,
        #[flux(nested)]
        b: Strict,
        #[flux(default)]
        n: u8,
    }

    /// Without a strict section.
    #[derive(Debug, flux_derive::Flux)]
    #[flux(crate = crate)]
    #[allow(dead_code, reason = "only read")]
    struct LooseApp {
        #[flux(nested)]
        a: Loose,
        #[flux(nested)]
        b: Loose,
    }

    /// The paths of what refuses the document, and those of the warnings beside.
    fn found<C: crate::Config>(
        format: Format,
        text: &str,
        unknown: Unknown,
    ) -> (Vec<String>, Vec<String>) {
        let read = codec::decode::<C>(&Decoder::from(format), text.as_bytes(), unknown);
        let found = read.map(drop).unwrap_err().found;
        let paths = |are_warnings: bool| {
            let some = found.iter().filter(|one| one.is_warning == are_warnings);
            some.map(|one| Dotted(&one.problem.path).to_string())
                .collect()
        };
        (paths(false), paths(true))
    }

    #[test]
    fn an_unknown_key_is_accused_only_where_its_own_section_refuses_it() {
        let harmless = ["a.z", "zz"];
        for (format, text, wrong) in [
            (Format::Yaml, "{a: {z: 1}, zz: 1, n: x}", "n"),
            (Format::Yaml, "{a: {z: 1}, zz: 1, b: {z: 1}}", "b.z"),
            (Format::Yaml, "{a: {z: 1}, zz: 1, b: 5}", "b"),
            (
                Format::Json,
                r#"{"a": {"z": 1}, "zz": 1, "b": {"z": 1}}"#,
                "b.z",
            ),
            (Format::Toml, "a = {z = 1}\nzz = 1\nb = 1979-05-27", "b"),
        ] {
            let refused = |unknown| found::<MixedApp>(format, text, unknown);
            let (problems, warnings) = refused(Unknown::Warn);
            assert_eq!(problems, [wrong], "{text}");
            assert_eq!(warnings, harmless, "{text}");
            let (problems, warnings) = refused(Unknown::Ignore);
            assert_eq!(problems, [wrong], "{text}");
            assert!(warnings.is_empty(), "{text}");
            let (problems, warnings) = refused(Unknown::Deny);
            assert_eq!(problems.len(), 3, "{text}");
            assert!(warnings.is_empty(), "{text}");
        }
    }

    #[test]
    fn an_unknown_key_beside_a_date_in_the_place_of_a_section_is_a_warning() {
        let text = "a = {z = 1}\nb = 1979-05-27";
        let (problems, warnings) = found::<LooseApp>(Format::Toml, text, Unknown::Warn);
        assert_eq!((problems, warnings), (vec!["b".into()], vec!["a.z".into()]));
    }

    #[test]
    fn an_unknown_key_that_is_refused_is_found_behind_very_many_that_are_not() {
        let many: String = (0..300).map(|n| format!("k{n}: 1\n")).collect();
        for (rest, wrong) in [("b: {z: 1}", "b.z"), ("n: x", "n")] {
            let text = format!("{many}{rest}");
            let (problems, warnings) = found::<MixedApp>(Format::Yaml, &text, Unknown::Warn);
            assert_eq!(problems, [wrong]);
            // The last one counts the others.
            assert_eq!(warnings.len(), super::MOST_WARNINGS + 1, "{warnings:?}");
        }
    }

    #[test]
    fn unknown_keys_alone_are_warnings_of_a_document_that_is_accepted() {
        let decoder = Decoder::from(Format::Yaml);
        let decoded = codec::decode::<MixedApp>(&decoder, b"a: {z: 1}", Unknown::Warn);
        let warnings = decoded.map(|decoded| decoded.warnings);
        assert_eq!(warnings.map_err(|failed| failed.found).unwrap().len(), 1);
    }
}
