//! Names of variables: a documented one sets its field, a near miss is reported with the name that was meant, and others are nobody's.

use crate::{
    Wrong,
    compare::{PrintedLayer, Reported, SetVariable},
    documents::{TreeNode, Writer},
    forms,
    layers::is_map,
    model::{FieldType, Fields, ItemShape, TypeModel},
    random::Random,
    seeds, structs, types,
};
use flux::{Capacitor, Flux, Format, Source, Unknown};
use std::collections::BTreeMap;

/// A field that has a variable.
struct Named<'m> {
    /// That with the field's key first, then those with aliases, of the field and of the sections around it.
    names: Vec<String>,
    /// The name with the field's name in Rust, where serde renames it.
    in_rust: Option<String>,
    /// The keys of the sections around it, each with its aliases, and the field's own.
    way: Vec<Vec<&'m String>>,
    ty: &'m FieldType,
    /// `deny_unknown_fields` of its section.
    is_strict: bool,
}

/// The part of a name for a key: upper case, `_` where a word begins and for everything that is neither letter nor digit.
fn part(key: &str) -> String {
    let (mut part, mut before) = (String::new(), None::<char>);
    for letter in key.chars() {
        if letter.is_uppercase() && before.is_some_and(|one| one.is_lowercase() || one.is_numeric())
        {
            part.push('_');
        }
        match letter.is_alphanumeric() {
            true => part.extend(letter.to_uppercase()),
            false => part.push('_'),
        }
        before = Some(letter);
    }
    part
}

fn add_named<'m>(
    model: &'m TypeModel,
    fields: &'m Fields,
    prefixes: &[String],
    way: &[Vec<&'m String>],
    all: &mut Vec<Named<'m>>,
) {
    for field in fields.all.iter().filter(|field| !field.skip) {
        let mut ty = &field.ty;
        while let (true, FieldType::Option(inner) | FieldType::Box(inner)) = (field.nested, ty) {
            ty = inner;
        }
        let section = match (field.nested, ty) {
            (true, FieldType::Named(index)) => match &model.items[*index].shape {
                ItemShape::Struct(fields) => Some(fields),
                _ => None,
            },
            _ => None,
        };
        if field.flatten {
            if let Some(section) = section {
                add_named(model, section, prefixes, way, all);
            }
            continue;
        }
        let keys: Vec<&String> = std::iter::once(&field.key).chain(&field.aliases).collect();
        let mut names = Vec::new();
        for key in &keys {
            names.extend(
                prefixes
                    .iter()
                    .map(|prefix| format!("{prefix}_{}", part(key))),
            );
        }
        let mut way = way.to_vec();
        way.push(keys);
        match section {
            Some(section) => add_named(model, section, &names, &way, all),
            None => all.push(Named {
                in_rust: Some(format!("{}_{}", prefixes[0], part(&field.name)))
                    .filter(|name| !names.contains(name)),
                names,
                way,
                ty: &field.ty,
                is_strict: fields.deny_unknown,
            }),
        }
    }
}

/// The document with another value of the field; none where a section around it is not there.
fn with(node: &TreeNode, way: &[Vec<&String>], value: &TreeNode) -> Option<TreeNode> {
    let TreeNode::Map(entries) = node else {
        return None;
    };
    let mut entries = entries.clone();
    let at = entries.iter().position(|(key, _)| way[0].contains(&key));
    match (at, &way[1..]) {
        (Some(at), []) => entries[at].1 = value.clone(),
        (None, []) => entries.push((way[0][0].clone(), value.clone())),
        (Some(at), rest) => entries[at].1 = with(&entries[at].1, rest, value)?,
        (None, _) => return None,
    }
    Some(TreeNode::Map(entries))
}

/// A slip in what is behind the prefix.
fn near_miss(random: &mut Random, named: &Named<'_>) -> String {
    let name = &named.names[random.below(named.names.len())];
    let mut letters: Vec<char> = name["APP_".len()..].chars().collect();
    let at = random.below(letters.len());
    let separators: Vec<usize> = (0..letters.len())
        .filter(|at| letters[*at] == '_')
        .collect();
    let letter = random.pick(&['Q', 'X', 'E', 'A']);
    match random.below(8) {
        0 => drop(letters.remove(at)),
        1 => letters.insert(at, letter),
        2 => letters[at] = letter,
        3 if at > 0 => letters.swap(at - 1, at),
        4 if !separators.is_empty() => drop(letters.remove(random.pick(&separators))),
        5 if !separators.is_empty() => letters.insert(random.pick(&separators), '_'),
        6 => return name.to_lowercase(),
        7 if named.in_rust.is_some() => return named.in_rust.clone().unwrap_or_default(),
        _ => letters.push('_'),
    }
    format!("APP_{}", letters.into_iter().collect::<String>())
}

/// So many letters are one too many, one too few, others or two exchanged; `_` and case do not count.
fn slips(one: &str, other: &str) -> usize {
    let bare = |text: &str| {
        text.to_lowercase()
            .replace('_', "")
            .chars()
            .collect::<Vec<_>>()
    };
    let (one, other) = (bare(one), bare(other));
    let start = one.iter().zip(&other).take_while(|(a, b)| a == b).count();
    let (one, other) = (&one[start..], &other[start..]);
    let ends = one.iter().rev().zip(other.iter().rev());
    let end = ends.take_while(|(a, b)| a == b).count();
    let (one, other) = (&one[..one.len() - end], &other[..other.len() - end]);
    match (one, other) {
        ([a, b], [c, d]) if (a, b) == (d, c) => 1,
        _ => one.len().max(other.len()),
    }
}

/// The field whose name is suggested, in a warning or, where unknown keys are refused, in the only problem.
fn suggested<'a, 'm>(found: &Reported, miss: &str, all: &'a [Named<'m>]) -> Option<&'a Named<'m>> {
    let mut reported = found.warnings.iter().chain(&found.problems);
    let (Some(only), None) = (reported.next(), reported.next()) else {
        return None;
    };
    let (_, name) = only.message.split_once("did you mean `")?;
    let name = name.split('`').next()?;
    let mut all = all.iter();
    let meant = all.find(|one| one.names.iter().any(|known| known == name))?;
    let is_near = slips(name, miss) <= 1 || meant.in_rust.as_deref() == Some(miss);
    (is_near && only.variable.as_deref() == Some(miss)).then_some(meant)
}

#[test]
fn each_name_of_a_variable_sets_its_field_and_each_near_miss_is_reported() {
    let model = types();
    let (mut wrong, mut set, mut missed, mut unrelated) = (Wrong::default(), 0, 0, 0);
    for seed in seeds() {
        let mut random = Random::new(seed);
        let number = random.below(model.roots.len());
        let (root, index) = (&structs::ROOTS[number], model.roots[number]);
        let ItemShape::Struct(fields) = &model.items[index].shape else {
            continue;
        };
        let mut all = Vec::new();
        add_named(&model, fields, &["APP".to_owned()], &[], &mut all);
        let mut writer = Writer {
            model: &model,
            random: &mut random,
        };
        let document = writer.document(index);
        let named = &all[writer.random.below(all.len())];
        let other = writer.node(named.ty);
        let text = writer.text_of(named.ty, &other);
        let printed = |node| -> [PrintedLayer; 1] {
            [(
                Format::Json,
                forms::print(node, Format::Json, 0).unwrap_or_default(),
            )]
        };
        let layers = printed(&document);
        let plain = (root.reported)(&layers, &[], Unknown::Deny);
        if plain.value.is_none() {
            continue;
        }
        let mut check = |kind: &str,
                         variable: SetVariable,
                         unknown,
                         is_right: &dyn Fn(&Reported) -> bool| {
            let found = (root.reported)(&layers, std::slice::from_ref(&variable), unknown);
            if !is_right(&found) {
                wrong.add(format!("{kind}, {}", root.name), || {
                    format!(
                        "FLUX_RANDOM_SEED={seed}: {variable:?}, {unknown:?}, {:?}\n{}\n  {found:#?}\n",
                        named.names, layers[0].1
                    )
                });
            }
        };
        // Maps are laid over one another, by key.
        let whole = with(&document, &named.way, &other).filter(|_| !is_map(named.ty));
        if let (Some(whole), Some(text)) = (whole, text) {
            let expected = (root.reported)(&printed(&whole), &[], Unknown::Deny);
            if expected.value.is_some() {
                let name = random.below(named.names.len());
                let variable = (named.names[name].clone(), text);
                set += 1;
                check("set", variable, Unknown::Deny, &|found| {
                    found.value == expected.value && found.warnings.is_empty()
                });
            }
        }
        let miss = near_miss(&mut random, named);
        let is_other_field = all.iter().flat_map(|one| &one.names).any(|name| {
            let behind = miss.strip_prefix(name.as_str());
            behind.is_some_and(|behind| behind.is_empty() || behind.starts_with('_'))
        });
        if !is_other_field {
            missed += 1;
            let variable = (miss.clone(), "1".to_owned());
            check("near miss", variable.clone(), Unknown::Warn, &|found| {
                let meant = suggested(found, &miss, &all);
                meant.is_some_and(|meant| match meant.is_strict {
                    true => found.value.is_none(),
                    false => found.value == plain.value,
                })
            });
            check(
                "near miss, ignored",
                variable.clone(),
                Unknown::Ignore,
                &|found| {
                    let is_refused = found.value.is_none()
                        && suggested(found, &miss, &all).is_some_and(|meant| meant.is_strict);
                    is_refused || found.value == plain.value && found.warnings.is_empty()
                },
            );
            check("near miss, denied", variable, Unknown::Deny, &|found| {
                found.value.is_none() && suggested(found, &miss, &all).is_some()
            });
        }
        let name = &named.names[0];
        let foreign = match random.below(6) {
            0 => "PATH".to_owned(),
            1 => format!("MY{name}"),
            2 => name["APP_".len()..].to_owned(),
            3 => format!("OTHER_{name}"),
            4 => format!("APP_QQJJWWVV{}", random.below(1_000)),
            _ => format!("APPS{}", &name["APP".len()..]),
        };
        unrelated += 1;
        check(
            "unrelated",
            (foreign, "1".to_owned()),
            Unknown::Deny,
            &|found| found.value == plain.value && found.warnings.is_empty(),
        );
    }
    println!("{set} set, {missed} near misses, {unrelated} of others");
    wrong.check();
}

#[derive(Flux)]
#[allow(dead_code)]
struct Upstreams {
    #[flux(default)]
    upstream_v2: BTreeMap<String, String>,
}

#[test]
fn a_misspelt_map_whose_name_has_several_words_is_no_entry_of_it() {
    let variables = [("APP_UPSTREAM__V2", "a=b")];
    let source = Source::env("APP_").variables(variables);
    let builder = Capacitor::<Upstreams>::builder().manual().source(source);
    let capacitor = builder.build().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.unwrap().block_on(capacitor.start()).unwrap();
    let warnings = capacitor.status().warnings.clone();
    assert_eq!(
        warnings[0].message,
        "this variable is not read, did you mean `APP_UPSTREAM_V2`?"
    );
}
