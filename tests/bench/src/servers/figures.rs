//! What many measurements amount to.

/// The value that so many of a hundred do not exceed.
pub(super) fn percentile(mut all: Vec<u64>, of_100: usize) -> u64 {
    all.sort_unstable();
    let rank = (all.len() * of_100).div_ceil(100);
    all[rank.max(1) - 1]
}

/// The largest share of `times` that falls into any window of so long.
pub(super) fn herd(mut times: Vec<u64>, window: u64) -> f64 {
    times.sort_unstable();
    let mut from = 0;
    let mut most = 0;
    for (to, time) in times.iter().enumerate() {
        while time - times[from] >= window {
            from += 1;
        }
        most = most.max(to + 1 - from);
    }
    most as f64 / times.len() as f64
}

/// The middle one of an odd number of figures.
pub(super) fn median(mut all: Vec<f64>) -> f64 {
    all.sort_unstable_by(f64::total_cmp);
    all[all.len() / 2]
}

pub(super) fn most(all: &[f64]) -> f64 {
    all.iter().copied().fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_one_of_the_values() {
        let all: Vec<u64> = (1..=1_000).rev().collect();
        assert_eq!(percentile(all.clone(), 50), 500);
        assert_eq!(percentile(all.clone(), 99), 990);
        assert_eq!(percentile(all, 100), 1_000);
        assert_eq!(percentile(vec![7], 50), 7);
    }

    #[test]
    fn a_herd_is_found_wherever_its_window_begins() {
        let even: Vec<u64> = (0..100).map(|n| n * 10).collect();
        assert_eq!(herd(even.clone(), 100), 0.1);
        let with_a_herd = even.into_iter().chain([555; 100]).collect();
        assert_eq!(herd(with_a_herd, 100), 0.55);
        assert_eq!(herd(vec![0, 100], 100), 0.5);
        assert_eq!(herd(vec![99, 0], 100), 1.0);
    }

    #[test]
    fn the_median_is_the_middle_one() {
        assert_eq!(median(vec![0.5, 0.1, 0.2]), 0.2);
        assert_eq!(most(&[0.1, 0.5, 0.2]), 0.5);
    }
}
