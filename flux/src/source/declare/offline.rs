//! What is known of a declared layer without opening its source: for those who judge documents and start nothing.

use super::{
    Source, SourceKind,
    expand::{expand, value_of},
    opening::{Input, decoder_of, default_decoder, open, read},
};
#[cfg(feature = "file")]
use super::{
    opening::{decoder_of_all, decoder_of_file, drop_ins_of},
    places::{first_there, searched},
};
use crate::{
    codec::Decoder,
    source::{SourceError, drop_ins::DropInLayers},
};
use flux_syntax::Template;
use std::{path::PathBuf, sync::Arc};

/// A declared layer that is not opened.
pub(crate) struct OfflineLayer {
    /// What reports call it.
    pub(crate) origin: String,
    /// What it is called on disk: not where it was found.
    #[cfg_attr(
        not(feature = "cli"),
        allow(dead_code, reason = "asked by the command line alone")
    )]
    pub(crate) declared: String,
    pub(crate) decoder: Option<Decoder>,
    pub(crate) optional: bool,
    pub(crate) content: OfflineContent,
    /// The name of its file, where it is one of several of a source.
    pub(crate) drop_in: Option<Arc<str>>,
    /// Where it is looked for, if in several places.
    pub(crate) searched: Vec<String>,
}

/// Where the content of such a layer is.
pub(crate) enum OfflineContent {
    #[cfg_attr(
        not(feature = "file"),
        allow(dead_code, reason = "files are a feature")
    )]
    File(PathBuf),
    /// Several files, each a layer of its own, and whether there are any; or why a start refuses them all.
    #[cfg_attr(
        not(feature = "file"),
        allow(dead_code, reason = "files are a feature")
    )]
    Files(Arc<DropInLayers>, Result<bool, SourceError>),
    /// On a server, in a folder, or with the program: it is not read.
    Elsewhere,
    /// It is read at start.
    Given(Input),
    /// The declaration cannot work here.
    Broken(String),
}

/// Its name, decoder and content, and the places where it is looked for.
type KnownLayer = (String, Option<Decoder>, OfflineContent, LayerPlaces);

/// Where a layer is looked for, if in several places, and the one where it was found.
#[derive(Default)]
struct LayerPlaces {
    all: Vec<String>,
    found: Option<String>,
}

impl Source {
    /// The layer, as far as it is known without its source.
    pub(crate) fn offline(self) -> OfflineLayer {
        let (name, optional) = (self.name.clone(), self.optional);
        let format = self.format.clone();
        let written = self.written();
        let mut layer = match self.known() {
            Ok((declared, decoder, content, places)) => OfflineLayer {
                origin: places.found.unwrap_or_else(|| declared.clone()),
                declared,
                decoder,
                optional,
                content,
                drop_in: None,
                searched: places.all,
            },
            Err(problem) => OfflineLayer {
                origin: written.clone(),
                declared: written,
                decoder: format.or_else(default_decoder),
                optional,
                content: OfflineContent::Broken(problem),
                drop_in: None,
                searched: Vec::new(),
            },
        };
        if let Some(name) = name {
            layer.declared.clone_from(&name);
            layer.origin = name;
        }
        layer
    }

    /// The declaration without its variables, as far as it cannot contain a password.
    fn written(&self) -> String {
        let shown = |template: &Template| {
            let text = template.to_string();
            (!text.contains('@')).then_some(text)
        };
        match &self.kind {
            SourceKind::File(path) | SourceKind::Search(path, _) => path.to_string(),
            #[cfg(feature = "dotenv")]
            SourceKind::Dotenv(file) => format!("dotenv:{file}"),
            SourceKind::Uri(uri) => shown(uri).unwrap_or_else(|| "a source URI".to_owned()),
            SourceKind::Remote(place) => format!("a `{}:` source", place.scheme.as_str()),
            _ => "a source".to_owned(),
        }
    }

    fn known(mut self) -> Result<KnownLayer, String> {
        let mut written = None;
        // A URI may come from a variable as a whole.
        while let SourceKind::Uri(template) = &self.kind {
            let (uri, kind) = (
                expand(template, &self.variables)?,
                read(template, &self.variables)?,
            );
            (written, self.kind) = (Some(uri), kind);
        }
        match &self.kind {
            #[cfg(feature = "file")]
            SourceKind::File(path) => {
                let path = expand(path, &self.variables)?;
                if let Some(layers) = drop_ins_of(&path, self.format.clone(), self.name.as_deref())?
                {
                    let decoder = decoder_of_all(&layers);
                    let files = OfflineContent::Files(layers, Ok(false));
                    return Ok((path, Some(decoder), files, LayerPlaces::default()));
                }
                let decoder = decoder_of_file(&path, self.format.clone())?;
                let file = OfflineContent::File(PathBuf::from(&path));
                Ok((path, Some(decoder), file, LayerPlaces::default()))
            }
            #[cfg(feature = "file")]
            SourceKind::Search(file, folders) => {
                let (name, places) = searched(file, folders, &self.variables)?;
                let decoder = decoder_of_file(&name, self.format.clone())?;
                let found = first_there(&places).cloned();
                let path = found.as_ref().or(places.first()).unwrap_or(&name);
                let file = OfflineContent::File(PathBuf::from(path));
                let places = LayerPlaces { all: places, found };
                Ok((name, Some(decoder), file, places))
            }
            SourceKind::Remote(place) => {
                let lookup = |name: &str| value_of(name, &self.variables);
                let place = place.expand(&lookup)?;
                let decoder = self.format.clone().unwrap_or_else(|| decoder_of(&place));
                let origin = place.origin();
                let origin = written.filter(|uri| !uri.contains('@')).unwrap_or(origin);
                let elsewhere = OfflineContent::Elsewhere;
                Ok((origin, Some(decoder), elsewhere, LayerPlaces::default()))
            }
            SourceKind::Watcher(watcher) => {
                let decoder = self.format.clone().or_else(default_decoder);
                Ok((
                    watcher.origin(),
                    decoder,
                    OfflineContent::Elsewhere,
                    LayerPlaces::default(),
                ))
            }
            _ => {
                self.name = None;
                let opened = open(self, None)?;
                let content = OfflineContent::Given(opened.input);
                let places = LayerPlaces::default();
                Ok((opened.origin, opened.decoder, content, places))
            }
        }
    }
}
