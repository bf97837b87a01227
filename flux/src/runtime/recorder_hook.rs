//! Where a recorder of the test kit listens; without the feature `testing` there is none.

#[cfg(feature = "testing")]
pub(crate) use crate::record::RecorderHook;

#[cfg(not(feature = "testing"))]
pub(crate) use off::RecorderHook;

#[cfg(not(feature = "testing"))]
mod off {
    use crate::{
        engine::{Engine, Event, Schema},
        runtime::Command,
        source::{declare::Opened, mailbox::News},
    };

    #[derive(Default)]
    pub(crate) struct RecorderHook;

    impl RecorderHook {
        pub(crate) fn begin(&self, _: &'static Schema, _: &[Opened], _: u64) {}
        pub(crate) fn heard(&self, _: &News) {}
        pub(crate) fn command(&self, _: &Command) {}
        pub(crate) fn event(&self, _: &Event) {}
        pub(crate) fn settled(&self, _: &Engine) {}
        pub(crate) fn end(&self) {}
    }
}
