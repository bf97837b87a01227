//! What the layers are called where they are kept: by what they are declared as. Files that come and go take nobody's name.

use super::Layers;
use crate::{engine::layer_state::LayerState, source::drop_ins::DropInLayers};
use std::{borrow::Cow, collections::HashMap};

/// What a key is made of.
pub(crate) struct KeyedLayer<'l> {
    pub(crate) declared: &'l str,
    /// Of a source of several files.
    pub(crate) drop_ins: Option<&'l DropInLayers>,
    /// Whether it is one of the files of the source before it.
    pub(crate) is_file: bool,
}

/// The layers of the sources, which are always there.
pub(crate) struct DeclaredNames<'l> {
    /// How many of them are called so.
    plain: HashMap<&'l str, usize>,
    /// The sources of several files.
    folders: Vec<&'l DropInLayers>,
}

impl<'l> DeclaredNames<'l> {
    pub(crate) fn of(layers: impl Iterator<Item = KeyedLayer<'l>>) -> Self {
        let (mut plain, mut folders) = (HashMap::new(), Vec::new());
        for layer in layers.filter(|layer| !layer.is_file) {
            *plain.entry(layer.declared).or_default() += 1;
            folders.extend(layer.drop_ins);
        }
        DeclaredNames { plain, folders }
    }

    /// Which of the layers with this name the file of a source is, from 1: those that are declared with it come first, then the same file
    /// of each source before its own, whether or not it is there.
    fn number(&self, folder: usize, declared: &str) -> usize {
        let before = self.folders.iter().take(folder);
        let same = before.filter(|one| one.file_called(declared).is_some());
        self.plain.get(declared).copied().unwrap_or_default() + same.count() + 1
    }

    /// The name of the file of a source, by the number of the source among those of several files, whose layer has this key.
    pub(crate) fn file<'k>(&self, folder: usize, key: &'k str) -> Option<&'k str> {
        let numbered = key.rsplit_once('#').and_then(|(declared, number)| {
            let number: usize = number.parse().ok()?;
            (number > 1).then_some((declared, number))
        });
        let layers = self.folders.get(folder)?;
        let mut found = [numbered, Some((key, 1))].into_iter().flatten();
        found.find_map(|(declared, number)| {
            let file = layers.file_called(declared)?;
            (self.number(folder, declared) == number).then_some(file)
        })
    }
}

/// Their origins as they are declared, the second with the same one as `origin#2`.
pub(crate) fn keys<'l>(layers: impl Iterator<Item = KeyedLayer<'l>> + Clone) -> Vec<String> {
    let names = DeclaredNames::of(layers.clone());
    let (mut known, mut folders) = (HashMap::<&str, usize>::new(), 0_usize);
    let key = |layer: KeyedLayer<'l>| {
        let number = match layer.is_file {
            true => names.number(folders.saturating_sub(1), layer.declared),
            false => {
                folders += usize::from(layer.drop_ins.is_some());
                let number = known.entry(layer.declared).or_default();
                *number += 1;
                *number
            }
        };
        match number {
            1 => Cow::Borrowed(layer.declared),
            number => Cow::Owned(format!("{}#{number}", layer.declared)),
        }
        .into_owned()
    };
    layers.map(key).collect()
}

fn keyed(state: &LayerState) -> KeyedLayer<'_> {
    KeyedLayer {
        declared: &state.declared,
        drop_ins: state.drop_ins.as_deref(),
        is_file: state.drop_in.is_some(),
    }
}

/// What these layers are called where they are kept.
#[cfg(feature = "json")]
pub(crate) fn keys_of(states: &[LayerState]) -> Vec<String> {
    keys(states.iter().map(keyed))
}

impl Layers {
    /// What the layers are called where they are kept.
    pub(crate) fn keys(&self) -> Vec<String> {
        keys(self.states.iter().map(keyed))
    }

    /// The names that are always taken.
    pub(crate) fn declared_names(&self) -> DeclaredNames<'_> {
        DeclaredNames::of(self.states.iter().map(keyed))
    }

    /// The numbers of the own layers of sources of several files.
    pub(crate) fn folders(&self) -> Vec<usize> {
        let own = self.states.iter().enumerate();
        let own = own.filter(|(_, state)| state.drop_ins.is_some());
        own.map(|(number, _)| number).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Plain layers of these names, and folders with these files; what each is called.
    fn called(layers: &[(&str, Option<&[&str]>)]) -> Vec<String> {
        let of = |path: &str| DropInLayers::of(path, None).unwrap();
        let folders: Vec<Option<DropInLayers>> = layers.iter().map(|(path, _)| of(path)).collect();
        let declared: Vec<Vec<String>> = (layers.iter().zip(&folders))
            .map(|((_, files), folder)| {
                let files = files.unwrap_or_default().iter();
                files
                    .flat_map(|file| folder.as_ref().map(|one| one.declared(file)))
                    .collect()
            })
            .collect();
        let all = layers.iter().zip(&folders).zip(&declared);
        let all = all.flat_map(|(((path, _), folder), files)| {
            let own = KeyedLayer {
                declared: path,
                drop_ins: folder.as_ref(),
                is_file: false,
            };
            let file = |declared: &'_ String| KeyedLayer {
                declared: Box::leak(declared.clone().into_boxed_str()),
                drop_ins: None,
                is_file: true,
            };
            std::iter::once(own)
                .chain(files.iter().map(file))
                .collect::<Vec<_>>()
        });
        keys(all.collect::<Vec<_>>().iter().map(|one| KeyedLayer {
            declared: one.declared,
            drop_ins: one.drop_ins,
            is_file: one.is_file,
        }))
    }

    #[test]
    fn a_file_that_comes_or_goes_changes_no_other_name() {
        let none = called(&[("d/*.yaml", Some(&[])), ("d/a.yaml", None)]);
        assert_eq!(none, ["d/*.yaml", "d/a.yaml"]);
        let there = called(&[("d/*.yaml", Some(&["a.yaml"])), ("d/a.yaml", None)]);
        assert_eq!(there, ["d/*.yaml", "d/a.yaml#2", "d/a.yaml"]);
        for first in [&[][..], &["10-a.yaml"]] {
            let second = called(&[
                ("d/*.yaml", Some(first)),
                ("d/10-*", Some(&["10-a.yaml", "10-b.toml"])),
            ]);
            assert_eq!(second[first.len() + 2..], ["d/10-a.yaml#2", "d/10-b.toml"]);
        }
        let plain = called(&[("a", None), ("a", None)]);
        assert_eq!(plain, ["a", "a#2"]);
    }

    #[test]
    fn a_key_is_that_of_one_file_alone() {
        let of = |path: &str| DropInLayers::of(path, None).unwrap().unwrap();
        let (all, tens) = (of("d/*"), of("d/10-*"));
        let own = [
            ("d/*", Some(&all)),
            ("d/10-*", Some(&tens)),
            ("d/10-b", None),
        ];
        let names = DeclaredNames::of(own.into_iter().map(|(declared, drop_ins)| KeyedLayer {
            declared,
            drop_ins,
            is_file: false,
        }));
        assert_eq!(names.file(0, "d/10-a"), Some("10-a"));
        assert_eq!(names.file(1, "d/10-a"), None);
        assert_eq!(names.file(1, "d/10-a#2"), Some("10-a"));
        assert_eq!(
            names.file(0, "d/10-b"),
            None,
            "it is that of the declared layer"
        );
        assert_eq!(names.file(0, "d/10-b#2"), Some("10-b"));
        assert_eq!(names.file(0, "d/x#1"), Some("x#1"));
    }
}
