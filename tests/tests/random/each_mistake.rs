//! One bad item hides no other: of several mistakes in different fields, each is in the report as it is when it is the only one.

use crate::{
    FORMATS, Wrong,
    documents::{TreeNode, Writer, text},
    forms,
    random::Random,
    seeds, structs, types,
};

/// The way to a scalar: positions of entries and items.
type Way = Vec<usize>;

/// The scalars below a node.
fn scalars(node: &TreeNode, way: &mut Way, all: &mut Vec<Way>) {
    let mut part = |number: usize, part: &TreeNode| {
        way.push(number);
        scalars(part, way, all);
        way.pop();
    };
    match node {
        TreeNode::List(items) => (items.iter().enumerate()).for_each(|(at, one)| part(at, one)),
        TreeNode::Map(entries) => {
            let entries = entries.iter().enumerate();
            entries.for_each(|(at, (_, one))| part(at, one));
        }
        _ => all.push(way.clone()),
    }
}

fn put(node: &mut TreeNode, way: &[usize], value: TreeNode) {
    let Some((first, rest)) = way.split_first() else {
        *node = value;
        return;
    };
    match node {
        TreeNode::List(items) => put(&mut items[*first], rest, value),
        TreeNode::Map(entries) => put(&mut entries[*first].1, rest, value),
        _ => unreachable!("a scalar has no parts"),
    }
}

/// What no number, date, address or character looks like.
fn mark(number: usize) -> String {
    format!("zz{number}bad")
}

fn line_of(document: &str, number: usize) -> Option<usize> {
    let at = document.find(&mark(number))?;
    Some(document[..at].matches('\n').count() + 1)
}

#[test]
fn of_several_mistakes_in_different_fields_each_is_in_the_report_with_its_place() {
    let model = types();
    let (mut wrong, mut tried, mut together) = (Wrong::default(), 0, 0);
    // Each document is read some ten times.
    for seed in seeds().step_by(4) {
        let mut random = Random::new(seed);
        let number = random.below(model.roots.len());
        let (root, index) = (&structs::ROOTS[number], model.roots[number]);
        let mut writer = Writer {
            model: &model,
            random: &mut random,
        };
        let good = writer.document(index);
        let mut all = Vec::new();
        scalars(&good, &mut Vec::new(), &mut all);
        // In different fields of the root; of a pair or an array only the first one is found.
        let mut ways: Vec<Way> = Vec::new();
        for _ in 0..8 {
            if all.is_empty() {
                break;
            }
            let way = all[random.below(all.len())].clone();
            if ways.iter().all(|known| known.first() != way.first()) {
                ways.push(way);
            }
        }
        let style = random.next();
        for format in FORMATS {
            let Some(text_of_good) = forms::print(&good, format, style) else {
                continue;
            };
            let refusals = |text: &str| (root.refusals)(format, text);
            if !refusals(&text_of_good).is_empty() {
                continue;
            }
            // Each by itself; what a type accepts is no mistake.
            let (mut bad, mut single) = (good.clone(), Vec::new());
            for (at, way) in ways.iter().enumerate() {
                let mut one = good.clone();
                put(&mut one, way, text(&mark(at)));
                let Some(printed) = forms::print(&one, format, style) else {
                    continue;
                };
                let found = refusals(&printed);
                let of_this: Vec<_> = (found.into_iter())
                    .filter(|(_, line)| *line == line_of(&printed, at))
                    .collect();
                if !of_this.is_empty() {
                    put(&mut bad, way, text(&mark(at)));
                    single.push((at, of_this));
                }
            }
            let Some(printed) = forms::print(&bad, format, style).filter(|_| single.len() > 1)
            else {
                continue;
            };
            (tried, together) = (tried + single.len(), together + 1);
            let found = refusals(&printed);
            for (at, alone) in single {
                let line = line_of(&printed, at);
                for (path, _) in alone {
                    if !found.contains(&(path.clone(), line)) {
                        wrong.add(format!("{}: {path}", root.name), || {
                            format!(
                                "FLUX_RANDOM_SEED={seed}, {format}:\n{printed}\n  {path}, line {line:?}, is not among\n  {found:?}\n"
                            )
                        });
                    }
                }
            }
        }
    }
    println!("{tried} mistakes in {together} documents");
    wrong.check();
    assert!(together > 0 || std::env::var_os("FLUX_RANDOM_SEED").is_some());
}
