//! Changes that kill the program, with real processes: this binary runs itself as the program.

mod anew;
mod by_hand;
mod child;
mod company;
mod deaths;
mod drop_ins;
mod events;
mod exact;
mod files;
mod random;
mod two;
