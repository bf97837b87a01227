//! Good documents with slips of every kind in them: the report has the problems that were made, each at its path and line, and no other.

use crate::{
    FORMATS, Wrong,
    documents::{TreeNode, Writer, text},
    forms,
    model::{FieldDefault, FieldType, Fields, ItemShape, Scalar, Tagging, TypeModel},
    random::Random,
    seeds, structs, types,
};
use flux::{
    Format, Unknown,
    report::{PathStep, Problem},
};

/// Where a slip can be made.
struct Place<'m> {
    /// Positions of entries and items.
    way: Vec<usize>,
    path: Vec<PathStep>,
    /// Places of one field have one number: of a value with parts, the first problem may be all that is found.
    field: usize,
    of: PlaceOf<'m>,
}

#[derive(Clone, Copy)]
enum PlaceOf<'m> {
    Value(&'m FieldType),
    /// The value of a field, and the key that is asked for where it is left out; none where it may be.
    Field(&'m FieldType, Option<&'m str>),
    /// A section whose unknown keys are reported.
    Section,
}

/// All places of a document.
struct Places<'m> {
    model: &'m TypeModel,
    fields: usize,
    all: Vec<Place<'m>>,
}

fn key(path: &[PathStep], key: &str) -> Vec<PathStep> {
    let step = PathStep::Key(key.to_owned().into());
    path.iter().cloned().chain([step]).collect()
}

fn item(path: &[PathStep], at: usize) -> Vec<PathStep> {
    path.iter().cloned().chain([PathStep::Index(at)]).collect()
}

fn part(way: &[usize], at: usize) -> Vec<usize> {
    way.iter().copied().chain([at]).collect()
}

impl<'m> Places<'m> {
    fn add(&mut self, way: &[usize], path: &[PathStep], of: PlaceOf<'m>) {
        self.all.push(Place {
            way: way.to_vec(),
            path: path.to_vec(),
            field: self.fields,
            of,
        });
    }

    fn section(&mut self, index: usize, node: &TreeNode, way: &[usize], path: &[PathStep]) {
        if let (ItemShape::Struct(fields), TreeNode::Map(entries)) =
            (&self.model.items[index].shape, node)
        {
            let mut all = fields.all.iter();
            if !all.any(|field| field.flatten && !field.nested) {
                self.fields += 1;
                self.add(way, path, PlaceOf::Section);
            }
            self.fields(fields, entries, way, path);
        }
    }

    fn fields(
        &mut self,
        fields: &'m Fields,
        entries: &[(String, TreeNode)],
        way: &[usize],
        path: &[PathStep],
    ) {
        for field in fields.all.iter().filter(|field| !field.skip) {
            if field.flatten {
                if let (true, FieldType::Named(index)) = (field.nested, &field.ty)
                    && let ItemShape::Struct(inner) = &self.model.items[*index].shape
                {
                    self.fields(inner, entries, way, path);
                }
                continue;
            }
            let at = entries.iter().position(|(key, _)| field.has_key(key));
            let Some(at) = at else { continue };
            let (way, path) = (part(way, at), key(path, &entries[at].0));
            if field.nested {
                self.nested(&field.ty, &entries[at].1, &way, &path);
            } else {
                self.fields += 1;
                let may_be_absent = fields.default || field.default != FieldDefault::None;
                let required = (!may_be_absent && !is_option(&field.ty)).then_some(&*field.key);
                self.add(&way, &path, PlaceOf::Field(&field.ty, required));
                self.parts(&field.ty, &entries[at].1, &way, &path);
            }
        }
    }

    fn nested(&mut self, ty: &'m FieldType, node: &TreeNode, way: &[usize], path: &[PathStep]) {
        match (ty, node) {
            (FieldType::Named(index), node) => self.section(*index, node, way, path),
            (FieldType::Option(inner) | FieldType::Box(inner), node) => {
                self.nested(inner, node, way, path);
            }
            (FieldType::List(inner), TreeNode::List(items)) => {
                for (at, one) in items.iter().enumerate() {
                    self.nested(inner, one, &part(way, at), &item(path, at));
                }
            }
            (FieldType::Map(inner), TreeNode::Map(entries)) => {
                for (at, (name, one)) in entries.iter().enumerate() {
                    self.nested(inner, one, &part(way, at), &key(path, name));
                }
            }
            _ => {}
        }
    }

    /// The parts of a value, as far as its form is known.
    fn parts(&mut self, ty: &'m FieldType, node: &TreeNode, way: &[usize], path: &[PathStep]) {
        match (ty, node) {
            (FieldType::Option(inner) | FieldType::Box(inner) | FieldType::Arc(inner), node) => {
                self.parts(inner, node, way, path);
            }
            (
                FieldType::List(inner) | FieldType::Queue(inner) | FieldType::Array(inner, _),
                TreeNode::List(items),
            ) => {
                for (at, one) in items.iter().enumerate() {
                    self.value(inner, one, &part(way, at), &item(path, at));
                }
            }
            (FieldType::Pair(first, second), TreeNode::List(items)) => {
                for (at, (ty, one)) in [first, second].into_iter().zip(items).enumerate() {
                    self.value(ty, one, &part(way, at), &item(path, at));
                }
            }
            (FieldType::Map(inner) | FieldType::Numbered(inner), TreeNode::Map(entries)) => {
                for (at, (name, one)) in entries.iter().enumerate() {
                    self.value(inner, one, &part(way, at), &key(path, name));
                }
            }
            (FieldType::Named(index), TreeNode::Map(entries)) => {
                if let ItemShape::Struct(fields) = &self.model.items[*index].shape {
                    for field in fields.all.iter().filter(|field| !field.skip) {
                        let at = entries.iter().position(|(key, _)| field.has_key(key));
                        if let Some(at) = at {
                            let one = &entries[at];
                            self.value(&field.ty, &one.1, &part(way, at), &key(path, &one.0));
                        }
                    }
                }
            }
            _ => {}
        }
    }

    fn value(&mut self, ty: &'m FieldType, node: &TreeNode, way: &[usize], path: &[PathStep]) {
        self.add(way, path, PlaceOf::Value(ty));
        self.parts(ty, node, way, path);
    }
}

/// What no number, date, address or character looks like.
fn mark(number: usize) -> String {
    format!("zz{number}bad")
}

/// The value of an entry that is left out.
const LEFT_OUT: TreeNode = TreeNode::Bare("left out");

/// One slip.
struct Slip {
    put: TreeNode,
    /// Below this, instead of at the place, with a key.
    push: Option<String>,
    /// The mark may be in its place, to find the line.
    has_line: bool,
    path: Vec<PathStep>,
}

struct Slips<'m, 'r> {
    model: &'m TypeModel,
    random: &'r mut Random,
    format: Format,
}

impl Slips<'_, '_> {
    fn at(&mut self, place: &Place<'_>, good: &TreeNode, number: usize) -> Option<Slip> {
        let mut slip = Slip {
            put: text(&mark(number)),
            push: None,
            has_line: true,
            path: place.path.clone(),
        };
        match place.of {
            PlaceOf::Section => {
                slip.path = key(&place.path, &mark(number));
                slip.push = Some(mark(number));
            }
            PlaceOf::Field(ty, required) => match (self.random.below(6), required) {
                (0, Some(own)) => {
                    (slip.put, slip.has_line) = (LEFT_OUT, false);
                    slip.path.pop();
                    slip.path = key(&slip.path, own);
                }
                (1, _) if !self.takes_null(ty) && self.format != Format::Toml => {
                    slip.put = match self.format {
                        Format::Yaml => TreeNode::Bare("null"),
                        _ => TreeNode::Null,
                    };
                }
                _ => self.other_value(ty, good, &mut slip)?,
            },
            PlaceOf::Value(ty) => self.other_value(ty, good, &mut slip)?,
        }
        Some(slip)
    }

    fn other_value(&mut self, ty: &FieldType, good: &TreeNode, slip: &mut Slip) -> Option<()> {
        let out_of_range: &[&str] = match ty {
            FieldType::Option(inner) | FieldType::Box(inner) | FieldType::Arc(inner) => {
                return self.other_value(inner, good, slip);
            }
            FieldType::Named(index) => match &self.model.items[*index].shape {
                ItemShape::Newtype(inner) => return self.other_value(inner, good, slip),
                ItemShape::Enum(Tagging::Untagged, ..) => return None,
                _ => &[],
            },
            FieldType::Array(..) | FieldType::Pair(..) => {
                if let (TreeNode::List(items), true) = (good, self.random.one_in(2)) {
                    let mut items = items.clone();
                    items.extend(items.last().cloned());
                    (slip.put, slip.has_line) = (TreeNode::List(items), false);
                }
                return Some(());
            }
            FieldType::Plain(Scalar::Any) => return None,
            FieldType::Plain(Scalar::Text | Scalar::Path | Scalar::SharedText) => {
                slip.put = TreeNode::List(Vec::new());
                return Some(());
            }
            FieldType::Plain(Scalar::U8) => &["256", "-1", "0.5"],
            FieldType::Plain(Scalar::I16) => &["32768", "-32769", "0.5"],
            FieldType::Plain(Scalar::U64) => &["-1", "1.5"],
            FieldType::Plain(Scalar::NonZero) => &["0", "-1", "65536"],
            FieldType::Plain(Scalar::Bool) => &["1", "0"],
            _ => &[],
        };
        if !out_of_range.is_empty() && self.random.one_in(2) {
            slip.put = TreeNode::Number(self.random.pick(out_of_range).to_owned());
        }
        Some(())
    }

    fn takes_null(&self, ty: &FieldType) -> bool {
        match ty {
            FieldType::Option(_) | FieldType::Plain(Scalar::Any) => true,
            FieldType::Box(inner) | FieldType::Arc(inner) => self.takes_null(inner),
            FieldType::Named(index) => match &self.model.items[*index].shape {
                ItemShape::Newtype(inner) => self.takes_null(inner),
                ItemShape::Enum(tagging, ..) => *tagging == Tagging::Untagged,
                _ => false,
            },
            _ => false,
        }
    }
}

fn is_option(ty: &FieldType) -> bool {
    match ty {
        FieldType::Option(_) => true,
        FieldType::Box(inner) | FieldType::Arc(inner) => is_option(inner),
        _ => false,
    }
}

fn at<'n>(node: &'n mut TreeNode, way: &[usize]) -> &'n mut TreeNode {
    way.iter().fold(node, |node, at| match node {
        TreeNode::List(items) => &mut items[*at],
        TreeNode::Map(entries) => &mut entries[*at].1,
        _ => unreachable!("a scalar has no parts"),
    })
}

/// The document with slips; with the mark of one of them in its place.
fn slipped(good: &TreeNode, slips: &[(&Place<'_>, Slip)], marked: Option<usize>) -> TreeNode {
    let mut node = good.clone();
    for (number, (place, slip)) in slips.iter().enumerate() {
        let put = match marked == Some(number) {
            true => text(&mark(number)),
            false => slip.put.clone(),
        };
        match (&slip.push, at(&mut node, &place.way)) {
            (Some(key), TreeNode::Map(entries)) => entries.push((key.clone(), put)),
            (_, node) => *node = put,
        }
    }
    leave_out(&mut node);
    node
}

fn leave_out(node: &mut TreeNode) {
    match node {
        TreeNode::List(items) => items.iter_mut().for_each(leave_out),
        TreeNode::Map(entries) => {
            entries.retain(|(_, value)| *value != LEFT_OUT);
            entries.iter_mut().for_each(|(_, value)| leave_out(value));
        }
        _ => {}
    }
}

fn line_of(document: &str, number: usize) -> Option<usize> {
    let at = document.find(&mark(number))?;
    Some(document[..at].matches('\n').count() + 1)
}

#[test]
fn the_report_has_the_slips_that_were_made_and_no_other() {
    let model = types();
    let (mut wrong, mut tried, mut documents) = (Wrong::default(), 0, 0);
    for seed in seeds() {
        let mut random = Random::new(seed);
        let number = random.below(model.roots.len());
        let (root, index) = (&structs::ROOTS[number], model.roots[number]);
        let mut writer = Writer {
            model: &model,
            random: &mut random,
        };
        let good = writer.document(index);
        let mut places = Places {
            model: &model,
            fields: 0,
            all: Vec::new(),
        };
        places.section(index, &good, &[], &[]);
        let (style, format) = (random.next(), random.pick(&FORMATS));
        let report =
            |text: String| (root.reported)(&[(format, text)], ("APP_", &[]), Unknown::Deny);
        let text_of_good = forms::print(&good, format, style);
        if places.all.is_empty() || text_of_good.is_none_or(|text| report(text).value.is_none()) {
            continue;
        }
        let mut slips: Vec<(&Place<'_>, Slip)> = Vec::new();
        for _ in 0..random.within(1, 4) {
            let place = &places.all[random.below(places.all.len())];
            if slips.iter().any(|(known, _)| known.field == place.field) {
                continue;
            }
            let mut there = good.clone();
            let there = at(&mut there, &place.way);
            let mut maker = Slips {
                model: &model,
                random: &mut random,
                format,
            };
            if let Some(slip) = maker.at(place, there, slips.len()) {
                slips.push((place, slip));
            }
        }
        let Some(printed) = forms::print(&slipped(&good, &slips, None), format, style) else {
            continue;
        };
        let found = report(printed.clone()).problems;
        (tried, documents) = (tried + slips.len(), documents + 1);
        let is_of = |problem: &Problem, number: usize| {
            let slip = &slips[number].1;
            let marked = || forms::print(&slipped(&good, &slips, Some(number)), format, style);
            problem.path.steps() == slip.path
                && (!slip.has_line
                    || problem.line == marked().and_then(|text| line_of(&text, number)))
        };
        let all_are_found =
            (0..slips.len()).all(|number| found.iter().any(|problem| is_of(problem, number)));
        if !all_are_found || found.len() != slips.len() {
            let expected: Vec<_> = slips.iter().map(|(_, slip)| &slip.path).collect();
            let places: Vec<_> = (found.iter())
                .map(|one| (one.path.to_string(), one.line, &one.message))
                .collect();
            wrong.add(format!("{format}, {}: {expected:?}", root.name), || {
                format!("FLUX_RANDOM_SEED={seed}:\n{printed}\n  {places:#?}\n")
            });
        }
    }
    println!("{tried} slips in {documents} documents");
    wrong.check();
}
