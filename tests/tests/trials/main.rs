//! Changes that kill the program, with real processes: this binary runs itself as the program.

mod anew;
mod child;
mod company;
mod deaths;
mod exact;
mod files;
mod random;
mod two;
