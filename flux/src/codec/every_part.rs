//! That further bad parts of a value which is decoded as a whole are found too: how far decoding goes on behind the first bad part.

use crate::{
    document::{ChosenPart, tree::TreeError},
    problem::collect_errors::{AllCaught, Caught, MOST},
};
use std::{collections::HashMap, hash::Hash};

/// What is decoded as a whole fails at its first bad part. The rest of it is decoded again, without the parts that are known to be
/// good or bad, until nothing new is found. `container` is the list or map in which a path is after so many steps.
pub(super) fn every_part<K: Hash + Eq>(
    container: impl Fn(&Caught, usize) -> K,
    mut decode: impl FnMut(&HashMap<K, ChosenPart>) -> (Result<(), TreeError>, AllCaught),
) -> (Result<(), TreeError>, AllCaught) {
    let (result, mut all) = decode(&HashMap::new());
    let (mut begin, mut passes) = (0, 0);
    // Not problems, but the places where the last pass ended.
    let mut ends: Vec<Caught> = Vec::new();
    while (begin < all.caught.len() || !ends.is_empty()) && all.caught.len() < MOST && passes < MOST
    {
        passes += 1;
        let parts = rest(&container, all.caught[begin..].iter().chain(&ends));
        if parts.is_empty() {
            break;
        }
        begin = all.caught.len();
        ends.clear();
        let (_, again) = decode(&parts);
        for caught in again.caught {
            if caught.steps.is_empty() {
                continue;
            }
            let itself = container(&caught, caught.steps.len());
            let known = |other: &Caught| other.problem.path == caught.problem.path;
            if all.caught.iter().any(known) {
                // Of what is read as a whole, such as a map that is a variant of an enum, no part can be left out: all of it is.
                let mut end = caught;
                end.steps.pop();
                ends.push(end);
            } else if parts.contains_key(&itself) {
                // A list without its bad items, or an enum without its tag, may be wrong because it is without them. What follows
                // it is not known yet.
                ends.push(caught);
            } else {
                all.caught.push(caught);
            }
        }
    }
    (result, all)
}

/// What follows the parts that failed.
fn rest<'c, K: Hash + Eq>(
    container: impl Fn(&Caught, usize) -> K,
    failed: impl Iterator<Item = &'c Caught>,
) -> HashMap<K, ChosenPart> {
    let mut parts = HashMap::new();
    for caught in failed {
        let Caught { steps, leaf, .. } = caught;
        // A list whose items have types of their own fails as a whole.
        let fixed = steps.iter().skip(*leaf).position(|step| step.fixed);
        let end = fixed.map_or(steps.len(), |fixed| leaf + fixed);
        if end <= *leaf {
            continue;
        }
        for (depth, step) in steps[..end].iter().enumerate() {
            let from = match depth {
                depth if depth + 1 == end => ChosenPart::From(step.index + 1),
                depth if depth >= *leaf => ChosenPart::From(step.index),
                _ => ChosenPart::Only(vec![step.index]),
            };
            let container = container(caught, depth);
            match (parts.get_mut(&container), from) {
                (Some(ChosenPart::Only(known)), ChosenPart::Only(more)) => {
                    if !known.contains(&more[0]) {
                        known.extend(more);
                    }
                }
                // It never turns back.
                (Some(ChosenPart::From(known)), ChosenPart::From(more)) => {
                    *known = more.max(*known);
                }
                (_, from) => drop(parts.insert(container, from)),
            }
        }
    }
    for part in parts.values_mut() {
        if let ChosenPart::Only(only) = part {
            only.sort_unstable();
        }
    }
    parts
}

#[cfg(test)]
#[cfg(all(
    feature = "derive",
    feature = "json",
    feature = "toml",
    feature = "yaml"
))]
mod tests {
    use crate::{Capacitor, Error, Format, Source, source::Channel};
    use serde::Deserialize;
    use std::collections::BTreeMap;

    #[derive(Debug, Clone, PartialEq, Deserialize)]
    struct MaxAndMin {
        #[serde(rename = "max")]
        _max: u8,
        #[serde(rename = "min", default)]
        _min: u8,
    }

    #[derive(Debug, Clone, PartialEq, Deserialize)]
    #[serde(tag = "type", rename_all = "lowercase")]
    enum TagInside {
        Leaf(MaxAndMin),
    }

    #[derive(Debug, Clone, PartialEq, Deserialize)]
    #[serde(tag = "type", content = "is", rename_all = "lowercase")]
    enum TagBeside {
        Leaf(MaxAndMin),
    }

    #[derive(Debug, Clone, PartialEq, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum TagOutside {
        Leaf(MaxAndMin),
    }

    #[derive(Debug, flux_derive::Flux)]
    #[flux(crate = crate)]
    struct Shapes {
        leaves: Vec<MaxAndMin>,
        inside: BTreeMap<String, TagInside>,
        beside: Vec<TagBeside>,
        outside: Vec<TagOutside>,
    }

    async fn bad_paths(text: &str, format: Format) -> Vec<String> {
        let (sender, channel) = Channel::latest("app");
        sender.try_send(text.as_bytes().to_vec()).unwrap();
        let source = Source::watcher(channel).format(format);
        let capacitor = Capacitor::<Shapes>::builder()
            .source(source)
            .build()
            .unwrap();
        let Err(Error::Refused(report)) = capacitor.start().await else {
            panic!("it is bad: {text}");
        };
        capacitor.stop().await;
        let problems = report.problems().iter();
        let mut paths: Vec<_> = problems.map(|problem| problem.path.to_string()).collect();
        paths.sort();
        paths
    }

    #[tokio::test]
    async fn what_has_nothing_good_in_it_hides_nothing_behind_it() {
        let json = r#"{
            "leaves": [{ "max": "x", "min": "y" }, { "max": 1 }, { "max": "z" }, 5, { "min": 300 }],
            "inside": {
                "a": { "type": "none" }, "b": { "type": "leaf", "max": "x" }, "c": { "type": [] }, "d": {},
                "e": { "type": "leaf", "max": "y" }
            },
            "beside": [{ "type": "none" }, { "is": 1 }, { "type": "leaf", "is": { "max": "x" } }],
            "outside": [{ "none": 1 }, { "leaf": { "max": "x" } }, "none", { "leaf": 5 }]
        }"#;
        let toml = r#"
            leaves = [{ max = "x", min = "y" }, { max = 1 }, { max = "z" }, 5, { min = 300 }]
            beside = [{ type = "none" }, { is = 1 }, { type = "leaf", is = { max = "x" } }]
            outside = [{ none = 1 }, { leaf = { max = "x" } }, "none", { leaf = 5 }]
            [inside]
            a = { type = "none" }
            b = { type = "leaf", max = "x" }
            c = { type = [] }
            d = {}
            e = { type = "leaf", max = "y" }
        "#;
        // JSON is YAML.
        for (text, format) in [
            (json, Format::Json),
            #[cfg(feature = "jsonc")]
            (json, Format::Jsonc),
            #[cfg(feature = "json5")]
            (json, Format::Json5),
            (json, Format::Yaml),
            (toml, Format::Toml),
        ] {
            let found = bad_paths(text, format).await;
            for path in [
                "leaves[0].max",
                "leaves[0].min",
                "leaves[2].max",
                "leaves[3]",
                "leaves[4]",
                "inside.a",
                "inside.b",
                "inside.c",
                "inside.d",
                "inside.e",
                "beside[0]",
                "beside[1]",
                "beside[2]",
                "outside[0]",
                "outside[1]",
                "outside[2]",
                "outside[3]",
            ] {
                let is_below = |one: &&String| one.starts_with(path);
                assert!(
                    found.iter().any(|one| is_below(&one)),
                    "{path} is not in {found:?}, {format:?}"
                );
            }
            assert!(!found.iter().any(|path| path.starts_with("leaves[1]")));
        }
    }
}
