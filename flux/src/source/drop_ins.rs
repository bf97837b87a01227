//! The layers of the files that a pattern names, `conf.d/*.yaml`: what each is called and by which format it is read, and the one
//! document in which their source delivers them together.

#![cfg_attr(
    not(feature = "file"),
    allow(dead_code, reason = "files are a feature")
)]

use super::SourceError;
use crate::{
    codec::Decoder,
    problem::{escaped, shortened},
};
use flux_syntax::{Format, Pattern};
use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
};

/// More files are refused.
pub(crate) const MOST_FILES: usize = 4096;

/// All files of a source together.
const MOST_BYTES: usize = 64 << 20;

/// Why a source of so many files with so many bytes together is refused; `shown` is what it is called.
pub(crate) fn refusal_of_size(shown: &str, files: usize, bytes: usize) -> Option<SourceError> {
    let text = match (files > MOST_FILES, bytes > MOST_BYTES) {
        (true, _) => format!("{shown} names more than the limit of {MOST_FILES} files"),
        (false, true) => {
            let limit = MOST_BYTES >> 20;
            format!("the files of {shown} hold more than the limit of {limit} MiB together")
        }
        (false, false) => return None,
    };
    Some(SourceError::configuration(text))
}

/// The name of a file, which is a line of the document of them all. `shown` is what the file is called where it has none.
pub(crate) fn name_of<'n>(name: &'n OsStr, shown: &str) -> Result<&'n str, SourceError> {
    let known = name.to_str().filter(|name| !name.contains('\n'));
    known.ok_or_else(|| {
        let shown = shown.escape_debug();
        SourceError::configuration(format!(
            "{shown} has a name that is not UTF-8, or of more than one line; rename it"
        ))
    })
}

/// A source whose files are a layer each.
#[derive(Clone)]
pub(crate) struct DropInLayers {
    pattern: Pattern,
    /// What comes before the name of a file in what its layer is called.
    before: String,
    /// None where each file's own ending names its format.
    decoder: Option<Decoder>,
    /// Where the files are, absolute.
    folder: PathBuf,
}

impl DropInLayers {
    /// Of the pattern that `path` is; none where it is the path of one file. The format is that of the pattern, or of each file, unless
    /// one is named.
    pub(crate) fn of(path: &str, format: Option<Decoder>) -> Result<Option<Self>, String> {
        let Some(pattern) = Pattern::of(path)? else {
            return Ok(None);
        };
        let decoder = format.or_else(|| pattern.format().map(Decoder::from));
        if decoder.is_none() && !pattern.is_open() {
            return Err(unknown_format(path));
        }
        let folder = match pattern.folder() {
            "" => Path::new("."),
            folder => Path::new(folder),
        };
        let folder = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
        Ok(Some(DropInLayers {
            before: pattern.folder().to_owned(),
            pattern,
            decoder,
            folder,
        }))
    }

    /// The source has a name of its own, which comes before those of the files.
    pub(crate) fn named(&mut self, name: &str) {
        self.before = format!("{name}/");
    }

    pub(crate) fn pattern(&self) -> &Pattern {
        &self.pattern
    }

    /// The pattern behind what the layers are called by.
    #[cfg(feature = "testing")]
    pub(crate) fn named_pattern(&self) -> String {
        format!("{}{}", self.before, self.pattern.name())
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// What the layer of a file is called.
    pub(crate) fn origin(&self, file: &str) -> String {
        escaped(&shortened(&self.declared(file))).into_owned()
    }

    /// What the layer of a file is called wherever it must be known again: with whatever characters the name has.
    pub(crate) fn declared(&self, file: &str) -> String {
        format!("{}{file}", self.before)
    }

    /// The name of the file whose layer is [declared](DropInLayers::declared) so.
    pub(crate) fn file_called<'o>(&self, declared: &'o str) -> Option<&'o str> {
        let file = declared.strip_prefix(&*self.before)?;
        self.is_file(file).then_some(file)
    }

    /// The name of the file, where it is one of the folder that the pattern fits.
    pub(crate) fn file_at<'p>(&self, path: &'p Path) -> Option<&'p str> {
        let (folder, file) = (path.parent()?, path.file_name()?.to_str()?);
        let folder = match folder.as_os_str().is_empty() {
            true => Path::new("."),
            false => folder,
        };
        let is_there = std::path::absolute(folder).is_ok_and(|folder| folder == self.folder);
        (is_there && self.is_file(file)).then_some(file)
    }

    fn is_file(&self, name: &str) -> bool {
        self.pattern.fits(name) && !name.contains(std::path::is_separator)
    }

    /// What is reported of a required source that has no file.
    pub(crate) fn absence(&self) -> String {
        match self.folder.is_dir() {
            true => "names no file that exists, and this layer is required",
            false => "names no file, since its folder does not exist, and this layer is required",
        }
        .to_owned()
    }

    /// By which format a file is read; none where that is not known from its name.
    pub(crate) fn decoder(&self, file: &str) -> Option<Decoder> {
        let own = || Format::of_path(file).map(Decoder::from);
        self.decoder.clone().or_else(own)
    }

    /// By which format all of them are read, where it is one.
    pub(crate) fn common_decoder(&self) -> Option<&Decoder> {
        self.decoder.as_ref()
    }
}

/// What is reported of a file whose name does not say how it is read.
pub(crate) fn unknown_format(path: &str) -> String {
    format!(
        "the format of `{path}` is not known from its name; name one of json, yaml, toml, jsonc, json5"
    )
}

/// One document of files: each one's name, how long it is, and its content.
pub(crate) fn written<'f>(files: impl IntoIterator<Item = (&'f str, &'f [u8])>) -> Vec<u8> {
    let mut document = Vec::new();
    for (name, content) in files {
        document.extend_from_slice(format!("{name}\n{}\n", content.len()).as_bytes());
        document.extend_from_slice(content);
        document.push(b'\n');
    }
    document
}

/// The files of what [`written`] has made, in the order of their names. None of anything else.
pub(crate) fn files_of(document: &[u8]) -> Option<Vec<(&str, &[u8])>> {
    let (mut rest, mut files) = (document, Vec::new());
    while !rest.is_empty() {
        let (name, behind) = first_line(rest)?;
        let (length, behind) = first_line(behind)?;
        let (content, behind) = behind.split_at_checked(length.parse().ok()?)?;
        rest = behind.strip_prefix(b"\n")?;
        files.push((name, content));
    }
    files.sort_by(|one, other| one.0.as_bytes().cmp(other.0.as_bytes()));
    let is_twice = files.windows(2).any(|pair| pair[0].0 == pair[1].0);
    (!is_twice).then_some(files)
}

/// A line, and what is behind it.
fn first_line(text: &[u8]) -> Option<(&str, &[u8])> {
    let end = text.iter().position(|byte| *byte == b'\n')?;
    let line = std::str::from_utf8(&text[..end]).ok()?;
    Some((line, &text[end + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_layer_is_called_as_its_file() {
        let mut layers = DropInLayers::of("etc/conf.d/*.yaml", None)
            .unwrap()
            .unwrap();
        assert_eq!(layers.origin("10-a.yaml"), "etc/conf.d/10-a.yaml");
        assert_eq!(
            layers.file_called("etc/conf.d/10-a.yaml"),
            Some("10-a.yaml")
        );
        for other in [
            "10-a.yaml",
            "etc/conf.d/a.toml",
            "etc/conf.d/b/a.yaml",
            "etc/conf.d/.a.yaml",
        ] {
            assert_eq!(layers.file_called(other), None, "{other}");
        }
        assert_eq!(
            layers.file_at(Path::new("./etc/conf.d/a.yaml")),
            Some("a.yaml")
        );
        assert_eq!(layers.file_at(Path::new("etc/a.yaml")), None);
        layers.named("site");
        assert_eq!(layers.origin("10-a.yaml"), "site/10-a.yaml");
    }

    #[test]
    fn the_format_is_that_of_the_pattern_or_of_each_file() {
        let of = |path: &str| DropInLayers::of(path, None);
        assert!(of("app.yaml").unwrap().is_none());
        assert!(of("d/*.conf").err().unwrap().contains("`d/*.conf`"));
        let open = of("d/*").unwrap().unwrap();
        assert!(open.common_decoder().is_none() && open.decoder("README").is_none());
        assert!(open.decoder("a.json").is_some());
    }

    #[test]
    fn what_is_no_document_of_files_has_none() {
        for text in [
            "a",
            "a\n1",
            "a\n1\n",
            "a\n1\nx",
            "a\n2\nx\n",
            "a\nx\nx\n",
            "a\n1\nx\na\n1\ny\n",
        ] {
            assert_eq!(files_of(text.as_bytes()), None, "{text:?}");
        }
        assert_eq!(files_of(b""), Some(Vec::new()));
    }

    proptest! {
        #[test]
        fn files_are_read_back_in_the_order_of_their_names(
            files in proptest::collection::btree_map("[a-z0-9é-]{1,8}", proptest::collection::vec(any::<u8>(), 0..40), 0..6)
        ) {
            let document = written(files.iter().rev().map(|(name, content)| (&**name, &**content)));
            let read = files_of(&document).unwrap();
            let expected: Vec<(&str, &[u8])> =
                files.iter().map(|(name, content)| (&**name, &**content)).collect();
            prop_assert_eq!(read, expected);
        }
    }
}
