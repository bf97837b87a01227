//! Names of variables: a documented one sets its field and nothing is reported, one slip is reported with the name that was meant, and
//! others are nobody's. Names whose parts are joined by `_` and by `__`.

use crate::{
    Wrong,
    compare::{PrintedLayer, Reported, SetVariable},
    documents::{TreeNode, Writer},
    forms,
    layers::is_map,
    model::{FieldType, Fields, ItemShape, Scalar, TypeModel},
    random::Random,
    seeds, structs, types,
    variable_slips::{SLIPS, Slip, slipped},
};
use flux::{Format, Unknown, report::ProblemKind};

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
    (prefixes, separator): (&[String], &str),
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
                add_named(model, section, (prefixes, separator), way, all);
            }
            continue;
        }
        let keys: Vec<&String> = std::iter::once(&field.key).chain(&field.aliases).collect();
        let mut names = Vec::new();
        for key in &keys {
            names.extend(
                prefixes
                    .iter()
                    .map(|prefix| format!("{prefix}{}", part(key))),
            );
        }
        let mut way = way.to_vec();
        way.push(keys);
        match section {
            Some(section) => {
                let prefixes: Vec<String> = names
                    .iter()
                    .map(|name| format!("{name}{separator}"))
                    .collect();
                add_named(model, section, (&prefixes, separator), &way, all);
            }
            None => all.push(Named {
                in_rust: Some(format!("{}{}", prefixes[0], part(&field.name)))
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

/// None, one or more letters that are one too many, one too few, others or two exchanged; `_` and case do not count. None at all where
/// the words are so short that one letter makes another word.
fn slips(one: &str, other: &str) -> Option<usize> {
    let bare = |text: &str| {
        let letters = text["APP_".len()..].to_lowercase();
        letters.replace('_', "").chars().collect::<Vec<_>>()
    };
    let (one, other) = (bare(one), bare(other));
    let longer = one.len().max(other.len());
    let start = one.iter().zip(&other).take_while(|(a, b)| a == b).count();
    let (one, other) = (&one[start..], &other[start..]);
    let ends = one.iter().rev().zip(other.iter().rev());
    let end = ends.take_while(|(a, b)| a == b).count();
    let (one, other) = (&one[..one.len() - end], &other[..other.len() - end]);
    let (count, is_swapped) = match (one, other) {
        ([a, b], [c, d]) if (a, b) == (d, c) => (1, true),
        _ => (one.len().max(other.len()), false),
    };
    (count == 0 || is_swapped || longer > 3).then_some(count)
}

/// The names that are nearest, at most one slip away.
fn nearest<'a>(miss: &str, all: &'a [Named<'_>]) -> Vec<&'a str> {
    let names = || all.iter().flat_map(|one| &one.names);
    let away = |most: usize| {
        let near = names().filter(|name| slips(name, miss) == Some(most));
        near.map(String::as_str).collect::<Vec<_>>()
    };
    let same = away(0);
    match same.is_empty() {
        true => away(1),
        false => same,
    }
}

/// The value is written in parts too: an entry, an item, a field.
fn has_parts(ty: &FieldType) -> bool {
    match ty {
        FieldType::Plain(scalar) => *scalar == Scalar::Any,
        FieldType::Option(inner) | FieldType::Box(inner) | FieldType::Arc(inner) => {
            has_parts(inner)
        }
        _ => true,
    }
}

/// The text of the one report, which is of the variable.
fn only<'f>(found: &'f Reported, miss: &str) -> Option<&'f str> {
    let mut reported = found.warnings.iter().chain(&found.problems);
    match (reported.next(), reported.next()) {
        (Some(only), None) => {
            (only.variable.as_deref() == Some(miss)).then_some(only.message.as_str())
        }
        _ => None,
    }
}

/// Whether the report suggests one of the nearest names; or it is of a value with parts, with whose name the variable begins, and has the
/// name of that.
fn is_helpful(
    message: &str,
    miss: &str,
    near: &[&str],
    all: &[Named<'_>],
    separator: &str,
) -> bool {
    let suggested = |name: &&str| message.contains(&format!(", did you mean `{name}`?"));
    let is_of_parts = |one: &Named<'_>| {
        let mut names = one.names.iter();
        let begins = |name: &String| {
            let begin = format!("{name}{separator}");
            miss.to_uppercase().starts_with(&begin) && message.contains(&format!("`{name}"))
        };
        has_parts(one.ty) && names.any(begins)
    };
    near.iter().any(suggested) || all.iter().any(is_of_parts)
}

/// The name with one `_` wherever it has several.
fn with_single_lines(name: &str) -> String {
    let parts: Vec<&str> = name.split('_').filter(|part| !part.is_empty()).collect();
    let end = if name.ends_with('_') { "_" } else { "" };
    format!("{}{end}", parts.join("_"))
}

#[test]
fn each_name_of_a_variable_sets_its_field_and_each_slip_is_reported() {
    let model = types();
    let (mut wrong, mut set, mut unrelated, mut by_default) = (Wrong::default(), 0, 0, 0);
    let mut missed = std::collections::BTreeMap::<Slip, usize>::new();
    for seed in seeds() {
        let mut random = Random::new(seed);
        let separator = random.pick(&["_", "__"]);
        let prefix = match separator {
            "_" => "APP_",
            _ => "APP_?separator=__",
        };
        let number = random.below(model.roots.len());
        let (root, index) = (&structs::ROOTS[number], model.roots[number]);
        let ItemShape::Struct(fields) = &model.items[index].shape else {
            continue;
        };
        let mut all = Vec::new();
        add_named(
            &model,
            fields,
            (&["APP_".to_owned()], separator),
            &[],
            &mut all,
        );
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
        let plain = (root.reported)(&layers, (prefix, &[]), Unknown::Deny);
        if plain.value.is_none() {
            continue;
        }
        let mut check = |kind: &str,
                         variable: SetVariable,
                         unknown,
                         is_right: &dyn Fn(&Reported) -> bool| {
            let variables = std::slice::from_ref(&variable);
            let found = (root.reported)(&layers, (prefix, variables), unknown);
            if !is_right(&found) {
                wrong.add(kind.to_owned(), || {
                    format!(
                        "FLUX_RANDOM_SEED={seed}, {}: {variable:?}, {unknown:?}, {:?}, `{separator}`\n{}\n  {found:#?}\n",
                        root.name, named.names, layers[0].1
                    )
                });
            }
        };
        // Maps are laid over one another, by key.
        let whole = with(&document, &named.way, &other).filter(|_| !is_map(named.ty));
        if let (Some(whole), Some(text)) = (whole, text) {
            let expected = (root.reported)(&printed(&whole), (prefix, &[]), Unknown::Deny);
            if expected.value.is_some() {
                let name = random.below(named.names.len());
                let variable = (named.names[name].clone(), text);
                set += 1;
                check("set", variable, Unknown::Deny, &|found| {
                    // A value that takes keys of the document away is reported as that.
                    let mut others = found.warnings.iter();
                    let is_silent = others.all(|one| one.kind == ProblemKind::Replaced);
                    found.value == expected.value && is_silent
                });
            }
        }
        let slip = random.pick(&SLIPS);
        let name = &named.names[random.below(named.names.len())];
        let begins_with = |miss: &str, name: &str, separator: &str| {
            let behind = miss.strip_prefix(name);
            behind.is_some_and(|behind| behind.is_empty() || behind.starts_with(separator))
        };
        // What is behind the name of a map is the key of an entry.
        let is_read = |miss: &str| {
            let mut named = all.iter();
            named.any(|one| {
                let is_in_rust = one.in_rust.as_deref() == Some(miss);
                let mut names = one.names.iter();
                let is_one = |name: &String| match has_parts(one.ty) {
                    true => begins_with(miss, name, separator),
                    false => name == miss,
                };
                is_in_rust || names.any(is_one)
            })
        };
        let miss = slipped(&mut random, name, slip).filter(|miss| !is_read(miss));
        let near = miss.as_deref().map(|miss| nearest(miss, &all));
        if let (Some(miss), Some(near)) = (miss, near.filter(|near| !near.is_empty())) {
            *missed.entry(slip).or_default() += 1;
            // Where the section refuses what it does not know, a slip in it is refused.
            let is_strict = all.iter().any(|one| {
                one.is_strict && one.names.iter().any(|name| near.contains(&name.as_str()))
            });
            let variable = (miss.clone(), "1".to_owned());
            let is_right = |found: &Reported| {
                let message = only(found, &miss);
                message.is_some_and(|text| is_helpful(text, &miss, &near, &all, separator))
            };
            check(
                &format!("{slip:?}"),
                variable.clone(),
                Unknown::Warn,
                &|found| {
                    let is_served = found.value == plain.value;
                    is_right(found) && (is_served || is_strict && found.value.is_none())
                },
            );
            check(
                &format!("{slip:?}, denied"),
                variable,
                Unknown::Deny,
                &|found| found.value.is_none() && is_right(found),
            );
        }
        let foreign = match random.below(6) {
            0 => "PATH".to_owned(),
            1 => format!("MY{name}"),
            2 => format!("AP_{}", &name["APP_".len()..]),
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
        // Under a prefix with two `_` at its end, the default spelling has another prefix.
        let miss = with_single_lines(name);
        let is_in_rust = |one: &Named<'_>| {
            let in_rust = one.in_rust.as_deref().map(with_single_lines);
            in_rust.as_ref() == Some(&miss)
        };
        if separator == "_" || all.iter().any(is_in_rust) {
            continue;
        }
        let variables = [(miss.clone(), "1".to_owned())];
        let long = "APP__?separator=__";
        let found = (root.reported)(&layers, (long, &variables), Unknown::Warn);
        let is_suggested = |text: &str| {
            let mut same = all.iter().flat_map(|one| &one.names);
            same.any(|name| {
                let meant = name.replacen("APP_", "APP__", 1);
                with_single_lines(name) == miss
                    && text.contains(&format!(", did you mean `{meant}`?"))
            })
        };
        by_default += 1;
        if !only(&found, &miss).is_some_and(is_suggested) {
            wrong.add("default spelling".to_owned(), || {
                format!(
                    "FLUX_RANDOM_SEED={seed}, {}: {miss}, {:?}\n{}\n  {found:#?}\n",
                    root.name, named.names, layers[0].1
                )
            });
        }
    }
    println!(
        "{set} set, {missed:?} missed, {unrelated} of others, {by_default} in the default spelling"
    );
    wrong.check();
}
