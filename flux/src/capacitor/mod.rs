//! The capacitor: watches the layers of one config type and holds the last good value.

/// Declares a capacitor: its layers, in order of precedence, and its options.
pub struct Builder<C>(std::marker::PhantomData<C>);

/// Watches the layers of one config type, holds the last good value, moves between the states.
pub struct Capacitor<C>(std::marker::PhantomData<C>);

impl<C> Capacitor<C> {
    /// The state.
    pub fn state(&self) -> &'static str {
        "loading"
    }
}
