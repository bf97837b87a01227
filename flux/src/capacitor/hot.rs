//! How a `hot` field is read with one atomic load, and what it holds before it is published.

use crate::capacitor::Root;
use std::sync::atomic::{AtomicU64, Ordering};

/// A scalar that `#[flux(hot)]` publishes on its own, read with one atomic load.
pub struct Hot<T> {
    bits: AtomicU64,
    scalar: std::marker::PhantomData<T>,
}

impl<T> std::fmt::Debug for Hot<T> {
    /// Without the value, which may be secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hot").finish_non_exhaustive()
    }
}

/// Means "nothing published". A 64-bit value that happens to be these bits is recognised on the cold path.
const UNPUBLISHED: u64 = (-0x5eed_1235_i64) as u64;

/// A scalar of at most 64 bits.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be `hot`",
    note = "`#[flux(hot)]` needs an integer of at most 64 bits, a float, a bool or a char"
)]
pub trait Scalar: Copy {
    /// The value's bits.
    fn to_bits(self) -> u64;
    /// The value of these bits.
    fn from_bits(bits: u64) -> Self;
}

macro_rules! integers {
    ($($type:ty)*) => {$(
        impl Scalar for $type {
            #[inline(always)]
            fn to_bits(self) -> u64 {
                self as u64
            }
            #[inline(always)]
            fn from_bits(bits: u64) -> Self {
                bits as $type
            }
        }
    )*};
}

integers!(u8 u16 u32 u64 usize i8 i16 i32 i64 isize);

impl Scalar for bool {
    #[inline(always)]
    fn to_bits(self) -> u64 {
        u64::from(self)
    }
    #[inline(always)]
    fn from_bits(bits: u64) -> Self {
        bits != 0
    }
}

impl Scalar for char {
    #[inline(always)]
    fn to_bits(self) -> u64 {
        u64::from(self)
    }
    #[inline(always)]
    fn from_bits(bits: u64) -> Self {
        char::from_u32(bits as u32).unwrap_or_default()
    }
}

impl Scalar for f32 {
    #[inline(always)]
    fn to_bits(self) -> u64 {
        u64::from(f32::to_bits(self))
    }
    #[inline(always)]
    fn from_bits(bits: u64) -> Self {
        f32::from_bits(bits as u32)
    }
}

impl Scalar for f64 {
    #[inline(always)]
    fn to_bits(self) -> u64 {
        f64::to_bits(self)
    }
    #[inline(always)]
    fn from_bits(bits: u64) -> Self {
        f64::from_bits(bits)
    }
}

impl<T: Scalar> Hot<T> {
    /// Nothing published.
    pub const fn new() -> Self {
        Hot {
            bits: AtomicU64::new(UNPUBLISHED),
            scalar: std::marker::PhantomData,
        }
    }
    /// Publishes a value.
    pub fn publish(&self, value: T) {
        self.bits.store(value.to_bits(), Ordering::Release);
    }
    /// Takes the published value back: readers look at the whole configuration.
    pub fn unpublish(&self) {
        self.bits.store(UNPUBLISHED, Ordering::Release);
    }
    /// The published value; `field` finds it in the whole configuration.
    #[inline(always)]
    pub fn get<C: Root>(&self, field: fn(&C) -> T) -> T {
        let bits = self.bits.load(Ordering::Acquire);
        if bits == UNPUBLISHED {
            return unpublished(field);
        }
        T::from_bits(bits)
    }
}

#[cold]
#[inline(never)]
fn unpublished<C: Root, T>(field: fn(&C) -> T) -> T {
    field(&crate::capacitor::global::get::<C>())
}

impl<T: Scalar> Default for Hot<T> {
    fn default() -> Self {
        Hot::new()
    }
}
