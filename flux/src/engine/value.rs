//! Layers and configurations without their type; that a panic in the drop of a value is caught and reported.
//!
//! Only the functions of a [`Schema`](super::Schema) look into them, and a schema belongs to one config type: so a value of another
//! type cannot arrive there, and [`mismatch`] is the one place that reports it if it does.
//!
//! A value's drop is code of the program, which may panic. Wherever the engine lets a value go, the panic is caught and kept for
//! [`take_drop_panics`].

use crate::{handle::Snapshot, problem::caught};
use std::{
    any::{Any, type_name},
    cell::RefCell,
    fmt,
    sync::Arc,
    time::SystemTime,
};

thread_local! {
    static DROP_PANICS: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// What the drops of the program's values panicked with on this thread since the last call.
pub(crate) fn take_drop_panics() -> Vec<String> {
    DROP_PANICS
        .try_with(|panics| std::mem::take(&mut *panics.borrow_mut()))
        .unwrap_or_default()
}

/// Drops a value of the program; a panic in it goes no further.
pub(crate) fn discard<T>(value: T) {
    if let Err(text) = caught(|| drop(value)) {
        // At the end of a thread nobody asks any more.
        let _ = DROP_PANICS.try_with(|panics| panics.borrow_mut().push(text));
    }
}

/// One source's view of the config type.
pub(crate) struct AnyLayer(Option<Box<dyn Any + Send + Sync>>);

impl AnyLayer {
    pub(crate) fn new<L: Any + Send + Sync>(layer: L) -> Self {
        AnyLayer(Some(Box::new(layer)))
    }

    pub(crate) fn get<L: Any>(&self) -> &L {
        let Some(any) = &self.0 else {
            mismatch(type_name::<L>())
        };
        match any.downcast_ref() {
            Some(layer) => layer,
            None => mismatch(type_name::<L>()),
        }
    }

    pub(crate) fn get_mut<L: Any>(&mut self) -> &mut L {
        let Some(any) = &mut self.0 else {
            mismatch(type_name::<L>())
        };
        match any.downcast_mut() {
            Some(layer) => layer,
            None => mismatch(type_name::<L>()),
        }
    }

    pub(crate) fn into<L: Any>(mut self) -> L {
        let Some(any) = self.0.take() else {
            mismatch(type_name::<L>())
        };
        match any.downcast() {
            Ok(layer) => *layer,
            Err(_) => mismatch(type_name::<L>()),
        }
    }
}

impl Drop for AnyLayer {
    fn drop(&mut self) {
        if let Some(layer) = self.0.take() {
            discard(layer);
        }
    }
}

/// One configuration with its number. Clones are the same configuration.
pub(crate) struct AnySnapshot {
    any: Option<Arc<dyn Any + Send + Sync>>,
    generation: u64,
    applied: SystemTime,
}

impl AnySnapshot {
    pub(crate) fn new<C: Send + Sync + 'static>(snapshot: Arc<Snapshot<C>>) -> Self {
        AnySnapshot {
            generation: Snapshot::generation(&snapshot),
            applied: Snapshot::applied(&snapshot),
            any: Some(snapshot),
        }
    }

    pub(crate) fn get<C: 'static>(&self) -> &Snapshot<C> {
        let Some(any) = &self.any else {
            mismatch(type_name::<C>())
        };
        match any.downcast_ref() {
            Some(snapshot) => snapshot,
            None => mismatch(type_name::<C>()),
        }
    }

    pub(crate) fn typed<C: Send + Sync + 'static>(&self) -> Arc<Snapshot<C>> {
        let Some(any) = &self.any else {
            mismatch(type_name::<C>())
        };
        match Arc::clone(any).downcast() {
            Ok(snapshot) => snapshot,
            Err(_) => mismatch(type_name::<C>()),
        }
    }

    pub(crate) fn generation(&self) -> u64 {
        self.generation
    }

    pub(crate) fn applied(&self) -> SystemTime {
        self.applied
    }

    /// Whether both are the very same value, and not only an equal one.
    pub(crate) fn is(&self, other: &AnySnapshot) -> bool {
        match (&self.any, &other.any) {
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            _ => false,
        }
    }
}

impl Clone for AnySnapshot {
    fn clone(&self) -> Self {
        AnySnapshot {
            any: self.any.clone(),
            generation: self.generation,
            applied: self.applied,
        }
    }
}

impl Drop for AnySnapshot {
    fn drop(&mut self) {
        if let Some(any) = self.any.take() {
            discard(any);
        }
    }
}

impl fmt::Debug for AnySnapshot {
    /// Without the value, which may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AnySnapshot")
            .field("generation", &self.generation)
            .finish_non_exhaustive()
    }
}

/// A value of another config type than the schema's. It cannot happen: values are made by the schema's own functions.
#[cold]
#[inline(never)]
fn mismatch(expected: &'static str) -> ! {
    panic!(
        "internal error of flux: a value that is not of the type `{expected}` reached its schema"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot<C: Send + Sync + 'static>(value: C) -> AnySnapshot {
        AnySnapshot::new(Arc::new(Snapshot::new(value, 7)))
    }

    #[test]
    fn a_value_comes_back_as_it_was() {
        let mut layer = AnyLayer::new(vec![1_u8]);
        layer.get_mut::<Vec<u8>>().push(2);
        assert_eq!(layer.get::<Vec<u8>>(), &[1, 2]);
        assert_eq!(layer.into::<Vec<u8>>(), [1, 2]);
        let one = snapshot(5_u16);
        assert_eq!((**one.get::<u16>(), one.generation()), (5, 7));
        assert!(one.is(&one.clone()) && !one.is(&snapshot(5_u16)));
        assert_eq!(**one.typed::<u16>(), 5);
    }

    #[test]
    fn a_wrong_downcast_names_the_type_that_was_expected() {
        let wrong: [Box<dyn Fn()>; 5] = [
            Box::new(|| _ = AnyLayer::new(1_u8).into::<u16>()),
            Box::new(|| _ = AnyLayer::new(1_u8).get::<u16>()),
            Box::new(|| _ = AnyLayer::new(1_u8).get_mut::<u16>()),
            Box::new(|| _ = snapshot(1_u8).get::<u16>()),
            Box::new(|| drop(snapshot(1_u8).typed::<u16>())),
        ];
        for look in wrong {
            let panic = caught(look).expect_err("another type");
            assert!(panic.contains("internal error of flux"));
            assert!(panic.contains("`u16`"));
        }
    }

    #[test]
    fn a_panic_in_a_drop_is_caught_and_kept_for_the_operator() {
        struct Bad;
        impl Drop for Bad {
            fn drop(&mut self) {
                panic!("cannot be dropped");
            }
        }
        let one = snapshot(Bad);
        drop(one.clone());
        assert_eq!(
            take_drop_panics(),
            Vec::<String>::new(),
            "another one is left"
        );
        drop(one);
        drop(AnyLayer::new(Bad));
        assert_eq!(
            take_drop_panics(),
            ["cannot be dropped", "cannot be dropped"]
        );
    }
}
