//! What the last known good file keeps of random types: after a stop, a start whose sources are all lost serves the same value.

use crate::{
    FORMATS, Wrong,
    compare::{PrintedLayer, SetVariable},
    documents::{TreeNode, Writer},
    forms,
    random::Random,
    seeds, structs, types,
};
use flux::{
    Capacitor, Config, Format, Secrets, Source,
    source::{Channel, ChannelSender, SourceError},
};
use std::{fmt::Debug, fs, path::Path};

/// Layers, lowest first.
pub(crate) enum KeptLayer {
    Document(PrintedLayer),
    /// The files of a `dir:` and their texts.
    Folder(Vec<(String, String)>),
    /// A file whose name has the format.
    File(PrintedLayer),
}

/// What became of the layers.
pub(crate) enum Kept {
    Refused,
    /// The value before the stop and after the start without sources.
    Values(String, String),
    /// What could not be kept, as it is reported when the file is written.
    Reported(String),
    Failed(String),
}

/// Starts with the layers and with variables above them, stops, loses every layer, and starts again.
pub(crate) fn twice<C: Config + Debug>(layers: &[KeptLayer], variables: &[SetVariable]) -> Kept {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let folder = tempfile::tempdir().expect("a folder");
    runtime.block_on(async {
        let (capacitor, senders) = open::<C>(layers, variables, folder.path());
        for (sender, layer) in senders.iter().zip(layers) {
            if let KeptLayer::Document((_, text)) = layer {
                sender.try_send(text.as_bytes()).expect("it has room");
            }
        }
        if capacitor.start().await.is_err() {
            return Kept::Refused;
        }
        let before = format!("{:?}", **capacitor.snapshot());
        capacitor.stop().await;
        let kept = capacitor.status().last_known_good.clone();
        if let Some(problem) = kept.and_then(|kept| kept.problem) {
            return Kept::Reported(problem);
        }
        for (number, layer) in layers.iter().enumerate() {
            let path = folder.path().join(place(number, layer));
            let _ = match layer {
                KeptLayer::Document(_) => Ok(()),
                KeptLayer::Folder(_) => fs::remove_dir_all(path),
                KeptLayer::File(_) => fs::remove_file(path),
            };
        }
        let (capacitor, senders) = open::<C>(layers, variables, folder.path());
        for (sender, layer) in senders.iter().zip(layers) {
            if let KeptLayer::Document(_) = layer {
                let lost = SourceError::transient("no route");
                sender.fail(lost).await.expect("it has room");
            }
        }
        if let Err(error) = capacitor.start().await {
            return Kept::Failed(error.to_string());
        }
        let after = format!("{:?}", **capacitor.snapshot());
        capacitor.stop().await;
        Kept::Values(before, after)
    })
}

/// The name of what a layer reads.
fn place(number: usize, layer: &KeptLayer) -> String {
    match layer {
        KeptLayer::File((format, _)) => format!("{number}.{format}").to_lowercase(),
        _ => number.to_string(),
    }
}

/// A capacitor over the layers, with a sender for each that is a document; files are written where they are not there.
fn open<C: Config>(
    layers: &[KeptLayer],
    variables: &[SetVariable],
    folder: &Path,
) -> (Capacitor<C>, Vec<ChannelSender>) {
    let kept = folder.join("kept.json");
    let is_first = !kept.exists();
    let mut builder = Capacitor::<C>::builder()
        .manual()
        .last_known_good(kept.to_str().expect("UTF-8"), Secrets::Omit);
    let mut senders = Vec::new();
    for (number, layer) in layers.iter().enumerate() {
        let path = folder.join(place(number, layer));
        let (sender, channel) = Channel::latest(format!("layer {number}"));
        senders.push(sender);
        builder = builder.source(match layer {
            KeptLayer::Document((format, _)) => Source::watcher(channel).format(*format),
            KeptLayer::File((format, text)) => {
                if is_first {
                    fs::write(&path, text).expect("a file");
                }
                Source::file(path.to_str().expect("UTF-8")).format(*format)
            }
            KeptLayer::Folder(files) => {
                if is_first {
                    fs::create_dir(&path).expect("a folder");
                    for (name, text) in files {
                        fs::write(path.join(name), text).expect("a file");
                    }
                }
                Source::dir(path)
            }
        });
    }
    if !variables.is_empty() {
        builder = builder.override_with(Source::env("APP_").variables(variables.to_vec()));
    }
    (builder.build().expect("a declaration"), senders)
}

/// The entries that a file of a `dir:` can have, with what the file contains.
fn files(layer: &TreeNode) -> Option<Vec<(String, String)>> {
    let TreeNode::Map(entries) = layer else {
        return None;
    };
    let is_name = |key: &str| {
        key.chars()
            .all(|c| c.is_alphanumeric() || c == '_' || c == '-')
    };
    let file = |(key, value): &(String, TreeNode)| {
        let text = match value {
            TreeNode::Text(text) if !text.trim().is_empty() => text.clone(),
            TreeNode::Number(number) => number.clone(),
            TreeNode::Bool(value) => value.to_string(),
            TreeNode::Bare(text) => (*text).to_owned(),
            TreeNode::Map(_) | TreeNode::List(_) => forms::print(value, Format::Json, 0)?,
            _ => return None,
        };
        is_name(key).then(|| (key.clone(), text))
    };
    let mut files: Vec<_> = entries.iter().filter_map(file).collect();
    // Names that differ in their case alone are one file to some systems.
    files.sort_by_key(|(name, _)| name.to_lowercase());
    files.dedup_by_key(|(name, _)| name.to_lowercase());
    (files.len() == entries.len() && !files.is_empty()).then_some(files)
}

#[test]
fn a_start_without_sources_serves_what_readers_saw_whatever_the_types_formats_and_sources() {
    let model = types();
    let mut wrong = Wrong::default();
    let (mut same, mut refused, mut reported) = (0, 0, Vec::new());
    // Each is two starts and a file that is synced.
    for seed in seeds().step_by(3) {
        let mut random = Random::new(seed ^ 0x6b65_7074);
        let number = random.below(model.roots.len());
        let (root, index) = (&structs::ROOTS[number], model.roots[number]);
        let mut writer = Writer {
            model: &model,
            random: &mut random,
        };
        let mut whole = writer.document(index);
        let mut variables = Vec::new();
        let nodes = match writer.random.below(3) {
            // What an odd scalar means depends on how it is written.
            0 => {
                writer.mutate(&mut whole);
                vec![whole]
            }
            _ => {
                let spread = writer.spread(index, &whole);
                variables = spread.variables;
                spread.layers
            }
        };
        let layers: Vec<_> = nodes
            .iter()
            .map(|node| {
                if random.one_in(3)
                    && let Some(files) = files(node)
                {
                    return KeptLayer::Folder(files);
                }
                let format = random.pick(&FORMATS);
                let text = forms::print(node, format, random.next());
                // TOML has no null and no empty document.
                let json = || (Format::Json, forms::print(node, Format::Json, 0));
                let (format, text) = text.map_or_else(json, |text| (format, Some(text)));
                let printed = (format, text.unwrap_or_default());
                match random.one_in(3) {
                    true => KeptLayer::File(printed),
                    false => KeptLayer::Document(printed),
                }
            })
            .collect();
        let failure = match (root.kept)(&layers, &variables) {
            Kept::Refused => {
                refused += 1;
                continue;
            }
            Kept::Reported(problem) => {
                reported.push(problem);
                continue;
            }
            Kept::Values(before, after) if before == after => {
                same += 1;
                continue;
            }
            Kept::Values(before, after) => format!("  before: {before}\n  after:  {after}"),
            Kept::Failed(error) => error,
        };
        wrong.add(format!("seed {seed}"), || {
            let layers = layers.iter().map(|layer| match layer {
                KeptLayer::Document((format, text)) => format!("---- {format}\n{text}\n"),
                KeptLayer::File((format, text)) => format!("---- a file, {format}\n{text}\n"),
                KeptLayer::Folder(files) => format!("---- a folder: {files:?}\n"),
            });
            format!(
                "FLUX_RANDOM_SEED={seed}, {}:\n{}  {variables:?}\n{failure}\n",
                root.name,
                layers.collect::<String>()
            )
        });
    }
    let count = reported.len();
    reported.sort_unstable();
    reported.dedup();
    println!(
        "{same} kept, {refused} refused, {count} reported as what cannot be kept: {reported:#?}"
    );
    wrong.check();
    // One seed that is repeated may be such a one.
    assert!(
        seeds().count() == 1 || count * 20 <= same,
        "{count} of {same} cannot be kept"
    );
}
