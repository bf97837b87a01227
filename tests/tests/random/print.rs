//! The types of a model as Rust.

use crate::model::{
    FieldDefault, FieldType, Fields, Item, ItemShape, Scalar, StructField, Tagging, TypeModel,
    VariantShape,
};
use std::fmt::Write;

/// The source text of `structs.rs`.
pub(crate) fn source(model: &TypeModel) -> String {
    let mut text = "// Made by the generator in `model.rs`, see `main.rs`.\n\n".to_owned();
    for index in model.used() {
        text += &one(model, &model.items[index]);
        text.push('\n');
    }
    text += "pub(crate) const ROOTS: &[crate::compare::Root] = &[\n";
    for root in &model.roots {
        let name = &model.items[*root].name;
        let _ = writeln!(text, "    crate::compare::root::<{name}>({name:?}),");
    }
    text + "];\n"
}

fn one(model: &TypeModel, item: &Item) -> String {
    let mut text = "#[derive(Deserialize, Debug, Clone, PartialEq".to_owned();
    if item.is_section {
        text += ", Flux";
    }
    if item.has_default {
        text += ", Default";
    }
    text += ")]\n";
    let name = &item.name;
    match &item.shape {
        ItemShape::Struct(fields) => {
            text += &container(fields);
            let _ = writeln!(text, "pub(crate) struct {name} {{");
            for field in &fields.all {
                text += &field_source(model, field, "    pub(crate) ");
            }
            text += "}\n";
        }
        ItemShape::Newtype(ty) => {
            let _ = writeln!(text, "pub(crate) struct {name}({});", rust(model, ty));
        }
        ItemShape::Tuple(types) => {
            let _ = writeln!(text, "pub(crate) struct {name}({});", list(model, types));
        }
        ItemShape::Enum(tagging, rename_all, variants) => {
            if let Some(case) = rename_all {
                let _ = writeln!(text, "#[serde(rename_all = {case:?})]");
            }
            text += match tagging {
                Tagging::External => "",
                Tagging::Internal => "#[serde(tag = \"type\")]\n",
                Tagging::Adjacent => "#[serde(tag = \"type\", content = \"is\")]\n",
                Tagging::Untagged => "#[serde(untagged)]\n",
            };
            let _ = writeln!(text, "pub(crate) enum {name} {{");
            for (variant, shape) in variants {
                let _ = match shape {
                    VariantShape::Unit => writeln!(text, "    {variant},"),
                    VariantShape::Newtype(ty) => {
                        writeln!(text, "    {variant}({}),", rust(model, ty))
                    }
                    VariantShape::Tuple(types) => {
                        writeln!(text, "    {variant}({}),", list(model, types))
                    }
                    VariantShape::Struct(fields) => {
                        let fields = fields.iter();
                        let fields = fields.map(|field| field_source(model, field, "        "));
                        let fields: String = fields.collect();
                        writeln!(text, "    {variant} {{\n{fields}    }},")
                    }
                };
            }
            text += "}\n";
        }
    }
    text
}

fn container(fields: &Fields) -> String {
    let mut options = Vec::new();
    if let Some(case) = fields.rename_all {
        options.push(format!("rename_all = {case:?}"));
    }
    if fields.deny_unknown {
        options.push("deny_unknown_fields".to_owned());
    }
    if fields.default {
        options.push("default".to_owned());
    }
    match options.is_empty() {
        true => String::new(),
        false => format!("#[serde({})]\n", options.join(", ")),
    }
}

fn field_source(model: &TypeModel, field: &StructField, before: &str) -> String {
    let indent = " ".repeat(before.len() - before.trim_start().len());
    let mut options = Vec::new();
    if field.skip {
        options.push("skip".to_owned());
    } else {
        if field.rename && !field.flatten {
            options.push(format!("rename = {:?}", field.key));
        }
        options.extend(
            field
                .aliases
                .iter()
                .map(|alias| format!("alias = {alias:?}")),
        );
        match field.default {
            FieldDefault::None => {}
            FieldDefault::Type => options.push("default".to_owned()),
            FieldDefault::Seven => options.push("default = \"seven\"".to_owned()),
        }
        if field.flatten {
            options.push("flatten".to_owned());
        }
    }
    let mut text = String::new();
    if !options.is_empty() {
        let _ = writeln!(text, "{indent}#[serde({})]", options.join(", "));
    }
    if field.nested {
        let _ = writeln!(text, "{indent}#[flux(nested)]");
    }
    let _ = writeln!(text, "{before}{}: {},", field.name, rust(model, &field.ty));
    text
}

fn list(model: &TypeModel, types: &[FieldType]) -> String {
    let types: Vec<_> = types.iter().map(|ty| rust(model, ty)).collect();
    types.join(", ")
}

fn rust(model: &TypeModel, ty: &FieldType) -> String {
    let inner = |ty: &FieldType| rust(model, ty);
    match ty {
        FieldType::Plain(scalar) => match scalar {
            Scalar::Bool => "bool",
            Scalar::U8 => "u8",
            Scalar::I16 => "i16",
            Scalar::U64 => "u64",
            Scalar::I64 => "i64",
            Scalar::U128 => "u128",
            Scalar::I128 => "i128",
            Scalar::F32 => "f32",
            Scalar::F64 => "f64",
            Scalar::Char => "char",
            Scalar::Text => "String",
            Scalar::Path => "PathBuf",
            Scalar::SharedText => "Arc<str>",
            Scalar::Url => "url::Url",
            Scalar::Uuid => "uuid::Uuid",
            Scalar::Date => "chrono::NaiveDate",
            Scalar::Ip => "IpAddr",
            Scalar::NonZero => "NonZeroU16",
            Scalar::Any => "serde_json::Value",
        }
        .to_owned(),
        FieldType::Option(ty) => format!("Option<{}>", inner(ty)),
        FieldType::Box(ty) => format!("Box<{}>", inner(ty)),
        FieldType::Arc(ty) => format!("Arc<{}>", inner(ty)),
        FieldType::List(ty) => format!("Vec<{}>", inner(ty)),
        FieldType::Queue(ty) => format!("VecDeque<{}>", inner(ty)),
        FieldType::Set(ty) => format!("BTreeSet<{}>", inner(ty)),
        FieldType::Array(ty, count) => format!("[{}; {count}]", inner(ty)),
        FieldType::Pair(one, two) => format!("({}, {})", inner(one), inner(two)),
        FieldType::Map(ty) => format!("BTreeMap<String, {}>", inner(ty)),
        FieldType::Numbered(ty) => format!("BTreeMap<u16, {}>", inner(ty)),
        FieldType::Named(index) => model.items[*index].name.clone(),
    }
}
