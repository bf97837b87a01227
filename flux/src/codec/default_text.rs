//! How a default that is written as a text becomes a value: converted where its type can be made from one, or else read as a
//! variable is.

use crate::document::{TreeDecoder, tree::Tree};
use serde::de::DeserializeOwned;
use std::marker::PhantomData;

/// The text of a default, for generated code: `(&DefaultText::<T>::new("..")).value()`.
#[derive(Debug)]
pub struct DefaultText<T>(&'static str, PhantomData<T>);

impl<T> DefaultText<T> {
    /// The text as it is written.
    pub const fn new(text: &'static str) -> Self {
        DefaultText(text, PhantomData)
    }
}

/// Chosen for types that can be made from a text.
pub trait ReadAsText {
    /// The type.
    type Value;
    /// The default.
    fn value(&self) -> Self::Value;
}

impl<T: From<&'static str>> ReadAsText for DefaultText<T> {
    type Value = T;
    fn value(&self) -> T {
        T::from(self.0)
    }
}

/// Chosen for every other type that can be decoded.
#[diagnostic::on_unimplemented(
    message = "a default for this type cannot be written as a text",
    note = "it needs `From<&str>` or `Deserialize`; or write an expression: `#[flux(default = expr())]`"
)]
pub trait ReadAsDocument {
    /// The type.
    type Value;
    /// The default.
    fn value(&self) -> Self::Value;
}

impl<T: DeserializeOwned> ReadAsDocument for &DefaultText<T> {
    type Value = T;
    /// # Panics
    /// Where the type cannot be read from the text. A panic while a configuration is built is a refusal with this sentence.
    fn value(&self) -> T {
        match T::deserialize(TreeDecoder(&Tree::Raw(self.0.to_owned()))) {
            Ok(value) => value,
            Err(error) => panic!("the default `{}` cannot be read: {error}", self.0),
        }
    }
}

#[cfg(test)]
#[allow(
    clippy::needless_borrow,
    reason = "the borrow chooses the trait, as in generated code"
)]
mod tests {
    use super::*;
    use std::{
        net::IpAddr,
        num::{NonZeroU8, NonZeroU16},
    };

    #[test]
    fn a_default_is_made_from_its_text_or_read_from_it() {
        let text: String = (&DefaultText::<String>::new("a")).value();
        assert_eq!(text, "a");
        let address: IpAddr = (&DefaultText::<IpAddr>::new("::1")).value();
        assert!(address.is_loopback());
        let number = (&DefaultText::<NonZeroU16>::new("80")).value();
        assert_eq!(number.get(), 80);
        let list = (&DefaultText::<(u8, String)>::new("1,b")).value();
        assert_eq!(list, (1, "b".to_owned()));
    }

    #[test]
    #[should_panic = "the default `0` cannot be read: invalid value: integer `0`, expected a nonzero u8"]
    fn a_default_that_cannot_be_read_says_so() {
        (&DefaultText::<NonZeroU8>::new("0")).value();
    }
}
