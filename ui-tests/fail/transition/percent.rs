//! Limits that are no percentage, or that no change or every change keeps.
use flux::Flux;

#[derive(Flux)]
struct Section {
    #[flux(max_change = 50)]
    number: u16,
    #[flux(max_change)]
    nothing: u16,
    #[flux(max_change = "50")]
    bare: u16,
    #[flux(max_change = "half")]
    word: u16,
    #[flux(max_change = "%")]
    sign: u16,
    #[flux(max_change = "1e3%")]
    exponent: u16,
    #[flux(max_change = "0%")]
    zero: u16,
    #[flux(max_change = "-5%")]
    negative: u16,
    #[flux(max_change = "0.00001%")]
    fine: u16,
    #[flux(max_change = "99999999999999999999%")]
    huge: u16,
    #[flux(max_chnage = "50%")]
    misspelt: u16,
    #[flux(each(monotonic))]
    items: Vec<u16>,
}

fn main() {}
