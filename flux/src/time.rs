//! Pure functions of times: a pause that grows and is capped, an instant that cannot overflow, seconds since 1970.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The longest pause after so many failures in a row: `base`, doubled each time, up to `cap`.
pub(crate) fn ceiling(failures: u32, base: Duration, cap: Duration) -> Duration {
    let doublings = failures.saturating_sub(1).min(16);
    base.saturating_mul(1 << doublings).min(cap)
}

/// Later than any program waits for.
const FAR: Duration = Duration::from_secs(30 * 365 * 24 * 3600);

/// So long after `now`; a time that is too far for the clock is some thirty years away.
pub(crate) fn after(now: Instant, wait: Duration) -> Instant {
    now.checked_add(wait.min(FAR)).unwrap_or(now)
}

/// Seconds since 1970.
pub(crate) fn unix(time: SystemTime) -> f64 {
    time.duration_since(UNIX_EPOCH)
        .map_or(0.0, |since| since.as_secs_f64())
}

/// The time in UTC, as `2026-11-27T13:08:48Z`.
pub(crate) fn utc(at: SystemTime) -> String {
    let seconds = at.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    // Years that begin in March, so that the day of a leap year is the last one; eras of 400 years.
    let shifted = days + 719_468;
    let (era, day) = (shifted / 146_097, shifted % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = era * 400 + year + u64::from(month <= 2);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// The same for people: `2026-11-27 13:08:48 UTC`.
pub(crate) fn clock_time(at: SystemTime) -> String {
    utc(at).replace('T', " ").replace('Z', " UTC")
}

/// A length of time in its two largest units.
pub(crate) fn lasting(time: Duration) -> String {
    let seconds = time.as_secs();
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match (days, hours, minutes, seconds % 60) {
        (0, 0, 0, seconds) => format!("{seconds} s"),
        (0, 0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (0, hours, minutes, _) => format!("{hours} h {minutes} min"),
        (days, hours, ..) => format!("{days} d {hours} h"),
    }
}

/// How often something happened.
pub(crate) fn times(count: u32) -> String {
    match count {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        count => format!("{count} times"),
    }
}

/// How long something lasts that began then, and when that was: `2 h 1 min (since 2026-11-27 13:08:48 UTC)`.
pub(crate) fn lasting_since(begin: SystemTime) -> String {
    let length = lasting(begin.elapsed().unwrap_or_default());
    format!("{length} (since {})", clock_time(begin))
}

/// How long ago something was, and when: `2 h 1 min ago (2026-11-27 13:08:48 UTC)`. A clock that was set back makes no time to come.
pub(crate) fn ago(at: SystemTime) -> String {
    let length = lasting(at.elapsed().unwrap_or_default());
    format!("{length} ago ({})", clock_time(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_the_calendar() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_709_251_199, "2024-02-29T23:59:59Z"),
            (1_735_689_599, "2024-12-31T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(utc(UNIX_EPOCH + Duration::from_secs(seconds)), text);
        }
        let at = UNIX_EPOCH + Duration::from_secs(1_798_761_599);
        assert_eq!(clock_time(at), "2026-12-31 23:59:59 UTC");
    }

    #[test]
    fn a_length_has_its_two_largest_units() {
        for (seconds, text) in [
            (59, "59 s"),
            (61, "1 min 1 s"),
            (7_260, "2 h 1 min"),
            (90_000, "1 d 1 h"),
        ] {
            assert_eq!(lasting(Duration::from_secs(seconds)), text);
        }
    }
}
