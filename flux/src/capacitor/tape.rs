//! What a recorder of the test kit is told; without the feature `testing` there is none.

#[cfg(feature = "testing")]
pub(crate) use crate::testing::Tape;

#[cfg(not(feature = "testing"))]
pub(crate) use off::Tape;

#[cfg(not(feature = "testing"))]
mod off {
    use crate::{
        Config, Report, State,
        capacitor::Command,
        source::{declare::Opened, mailbox::News},
    };
    use std::marker::PhantomData;

    pub(crate) struct Tape<C>(PhantomData<fn() -> C>);

    impl<C> Default for Tape<C> {
        fn default() -> Self {
            Tape(PhantomData)
        }
    }

    impl<C: Config> Tape<C> {
        pub(crate) fn begin(&self, _: &[Opened], _: u64) {}
        pub(crate) fn heard(&self, _: &News) {}
        pub(crate) fn update(&self) {}
        pub(crate) fn command(&self, _: &Command) {}
        pub(crate) fn end(&self) {}
        pub(crate) fn unhealthy(&self, _: &str) {}
        pub(crate) fn outcome(&self, _: State, _: u64, _: Option<&Report>) {}
    }
}
