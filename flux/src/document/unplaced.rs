//! Reads YAML as the fast decoder does, without places: for texts that the parser with spans cannot follow.

use super::{
    build::NodeBuilder,
    merge,
    model::{Dialect, Document, NodeContent, NodeId, ScalarStyle},
};
use crate::layer::serde_methods::visitor_methods;
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error, IgnoredAny, MapAccess, SeqAccess,
    VariantAccess, Visitor,
};
use std::{borrow::Cow, fmt};

/// Reads a text of YAML twice: what each value is, then how numbers and bools are written. Aliases are put in.
pub(super) fn read(text: &str) -> Result<Document<'static>, serde_yaml::Error> {
    let decoder = || serde_yaml::Deserializer::from_str(text);
    let mut builder = NodeBuilder::default();
    let unplaced = UnplacedNode {
        builder: &mut builder,
        tag: None,
    };
    unplaced.deserialize(decoder())?;
    let document = builder.finish("", Dialect::Yaml);
    let mut document = document.ok_or_else(|| serde_yaml::Error::custom("has no value"))?;
    let mut next = 0;
    let texts = UnplacedTexts {
        document: &mut document,
        next: &mut next,
    };
    texts.deserialize(decoder())?;
    match merge::follow(&mut document) {
        true => Ok(document),
        false => Err(Error::custom("repetition limit exceeded")),
    }
}

/// A node that is read. A scalar that is a text is as one in quotes; of every other one the text is still to be read.
struct UnplacedNode<'b> {
    builder: &'b mut NodeBuilder<'static>,
    tag: Option<Box<str>>,
}

impl UnplacedNode<'_> {
    fn scalar(self, style: ScalarStyle, text: &str) {
        let text = Cow::Owned(text.to_owned());
        self.builder.scalar(0..0, style, text, self.tag);
    }

    /// Begins a list or a map.
    fn begin<E: Error>(&mut self, content: NodeContent<'static>) -> Result<(), E> {
        match self.builder.begin(0, self.tag.take(), content) {
            Some(_) => Ok(()),
            None => Err(E::custom("recursion limit exceeded")),
        }
    }

    fn part(&mut self) -> UnplacedNode<'_> {
        UnplacedNode {
            builder: self.builder,
            tag: None,
        }
    }
}

impl<'de> DeserializeSeed<'de> for UnplacedNode<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<(), D::Error> {
        d.deserialize_any(self)
    }
}

macro_rules! plain {
    ($method:ident: $type:ty) => {
        fn $method<E: Error>(self, _: $type) -> Result<(), E> {
            self.scalar(ScalarStyle::Plain, "");
            Ok(())
        }
    };
}

impl<'de> Visitor<'de> for UnplacedNode<'_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }
    visitor_methods! { plain: bool numbers }
    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        self.scalar(ScalarStyle::Quoted, text);
        Ok(())
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        self.scalar(ScalarStyle::Plain, "");
        Ok(())
    }
    /// A document of comments alone has no text to read.
    fn visit_none<E>(self) -> Result<(), E> {
        self.scalar(ScalarStyle::Plain, "null");
        Ok(())
    }
    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<(), A::Error> {
        self.begin(NodeContent::List(Vec::new()))?;
        while items.next_element_seed(self.part())?.is_some() {}
        self.builder.end(0);
        Ok(())
    }
    fn visit_map<A: MapAccess<'de>>(mut self, mut entries: A) -> Result<(), A::Error> {
        self.begin(NodeContent::Map(Vec::new()))?;
        while entries.next_key_seed(self.part())?.is_some() {
            entries.next_value_seed(self.part())?;
        }
        self.builder.end(0);
        Ok(())
    }
    fn visit_enum<A: EnumAccess<'de>>(self, tagged: A) -> Result<(), A::Error> {
        let (tag, content) = tagged.variant::<String>()?;
        let tag = match tag.as_str() {
            "!" => tag,
            name => format!("!{name}"),
        };
        content.newtype_variant_seed(UnplacedNode {
            builder: self.builder,
            tag: Some(tag.into()),
        })
    }
}

/// Reads the text again, whose nodes come in the order in which they were read before, and keeps how scalars are written.
struct UnplacedTexts<'d> {
    document: &'d mut Document<'static>,
    /// The number of the node that comes next.
    next: &'d mut usize,
}

impl UnplacedTexts<'_> {
    fn part(&mut self) -> UnplacedTexts<'_> {
        UnplacedTexts {
            document: self.document,
            next: self.next,
        }
    }
}

impl<'de> DeserializeSeed<'de> for UnplacedTexts<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<(), D::Error> {
        let id = self.document.id(*self.next);
        *self.next += 1;
        match &self.document.written(id).content {
            NodeContent::Scalar(scalar) => {
                match scalar.style == ScalarStyle::Plain && scalar.text.is_empty() {
                    true => d.deserialize_str(WrittenText(self.document, id)),
                    false => d.deserialize_ignored_any(IgnoredAny).map(drop),
                }
            }
            NodeContent::List(_) => d.deserialize_seq(self),
            NodeContent::Map(_) => d.deserialize_map(self),
            NodeContent::Alias(_) => Ok(()),
        }
    }
}

impl<'de> Visitor<'de> for UnplacedTexts<'_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the same document")
    }
    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<(), A::Error> {
        while items.next_element_seed(self.part())?.is_some() {}
        Ok(())
    }
    fn visit_map<A: MapAccess<'de>>(mut self, mut entries: A) -> Result<(), A::Error> {
        while entries.next_key_seed(self.part())?.is_some() {
            entries.next_value_seed(self.part())?;
        }
        Ok(())
    }
}

/// The scalar that is read again.
struct WrittenText<'d>(&'d mut Document<'static>, NodeId);

impl Visitor<'_> for WrittenText<'_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the same scalar")
    }
    fn visit_str<E>(self, written: &str) -> Result<(), E> {
        if let NodeContent::Scalar(scalar) = &mut self.0.nodes[self.1.number()].content {
            scalar.text = Cow::Owned(written.to_owned());
        }
        Ok(())
    }
}
