//! How documents are sent to a running program: read here, and in which form; bytes that are not UTF-8 as a text with a character for
//! each byte.

use super::{InputContent, InputDocument, InputError, InputTarget, Inputs};
use std::{path::PathBuf, sync::Arc};

impl Inputs {
    /// Whether nothing is asked but what runs.
    pub(crate) fn is_empty(&self) -> bool {
        self.documents.is_empty() && self.without.is_empty() && !self.only_given && !self.is_partial
    }

    /// All of it for another process: the files are read here.
    pub(crate) fn to_json(&self) -> Result<serde_json::Value, InputError> {
        let mut documents = Vec::new();
        for document in &self.documents {
            let path = document.path().map(|path| path.display().to_string());
            let bytes = document.read()?.bytes;
            // The program refuses what is not UTF-8 with the place, as a check does.
            let (text, other) = match std::str::from_utf8(&bytes) {
                Ok(text) => (Some(text), None),
                Err(_) => (
                    None,
                    Some(bytes.iter().map(|byte| char::from(*byte)).collect()),
                ),
            };
            let other: Option<String> = other;
            let layer = match &document.target {
                InputTarget::Layer(name) => Some(name),
                InputTarget::File(_) | InputTarget::New(..) | InputTarget::Number(_) => None,
            };
            documents.push(
                serde_json::json!({ "layer": layer, "path": path, "text": text, "bytes": other }),
            );
        }
        Ok(serde_json::json!({
            "documents": documents,
            "without": self.without,
            "only_given": self.only_given,
            "partial": self.is_partial,
        }))
    }

    /// What [`to_json`](Inputs::to_json) made; none of what it did not make. No file is read.
    pub(crate) fn from_json(json: &serde_json::Value) -> Option<Inputs> {
        let mut inputs = Inputs {
            only_given: json.get("only_given")?.as_bool()?,
            is_partial: json.get("partial")?.as_bool()?,
            ..Inputs::default()
        };
        for name in json.get("without")?.as_array()? {
            inputs.without.push(name.as_str()?.to_owned());
        }
        for document in json.get("documents")?.as_array()? {
            let text = |key: &str| document.get(key).and_then(serde_json::Value::as_str);
            let bytes: Arc<[u8]> = match text("text") {
                Some(text) => text.as_bytes().into(),
                None => {
                    let bytes = text("bytes")?.chars().map(|c| u8::try_from(c).ok());
                    bytes.collect::<Option<Vec<u8>>>()?.into()
                }
            };
            let path = PathBuf::from(text("path").unwrap_or_default());
            inputs.documents.push(InputDocument {
                target: match text("layer") {
                    Some(name) => InputTarget::Layer(name.to_owned()),
                    None => InputTarget::File(path.clone()),
                },
                content: InputContent::Sent(path, bytes),
            });
        }
        Some(inputs)
    }

    /// Whether every layer is left out.
    pub(crate) fn have_nothing(&self) -> bool {
        self.only_given && self.documents.is_empty()
    }

    /// Whether values that are missing may come later.
    pub(crate) fn are_partial(&self) -> bool {
        self.is_partial || self.only_given || !self.without.is_empty()
    }

    /// Whether layers without a document are left out.
    #[cfg(unix)]
    pub(crate) fn leave_out_the_rest(&self) -> bool {
        self.only_given
    }

    /// Whether a document is given for a layer.
    pub(crate) fn have_documents(&self) -> bool {
        !self.documents.is_empty()
    }

    /// The same, with the layers of the documents as if they contained nothing: what documents are compared with where what these
    /// layers contain cannot be.
    pub(in crate::inspect) fn without_documents(&self) -> Inputs {
        Inputs {
            are_compared_with: true,
            is_partial: true,
            ..self.clone()
        }
    }

    /// The same documents, each for the number of its layer in this order.
    pub(in crate::inspect) fn by_number(&self, documents: &[Option<&InputDocument>]) -> Inputs {
        let numbered = documents.iter().enumerate();
        let numbered = numbered.filter_map(|(number, document)| {
            Some(InputDocument {
                target: InputTarget::Number(number),
                content: document.as_ref()?.content.clone(),
            })
        });
        Inputs {
            documents: numbered.collect(),
            ..self.clone()
        }
    }

    /// The same without any document and any layer left out for that: what is compared with.
    pub(crate) fn terms(&self) -> Inputs {
        Inputs {
            without: self.without.clone(),
            is_partial: true,
            variables: self.variables.clone(),
            arguments: self.arguments.clone(),
            ..Inputs::default()
        }
    }
}
