//! How long a server asks to be left alone, by `Retry-After`.

use std::time::{Duration, SystemTime};

/// The pause that `Retry-After` asks for: seconds, or a date. That is one of the server's clock, which `sent`, the answer's `Date`, shows;
/// this machine's may differ.
pub(crate) fn pause(header: &str, sent: Option<&str>) -> Option<Duration> {
    let header = header.trim();
    if let Ok(seconds) = header.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = date(header)?;
    let now = sent.and_then(date).unwrap_or_else(|| {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        now.unwrap_or_default().as_secs()
    });
    Some(Duration::from_secs(at.saturating_sub(now)))
}

/// A date of HTTP, such as `Wed, 21 Oct 2015 07:28:00 GMT`, in seconds since 1970; the two obsolete forms are not read.
pub(crate) fn date(text: &str) -> Option<u64> {
    const MONTHS: &str = "JanFebMarAprMayJunJulAugSepOctNovDec";
    let (_, text) = text.split_once(", ")?;
    let mut words = text.split(' ');
    let day: u64 = words.next()?.parse().ok()?;
    let month = words.next().filter(|month| month.len() == 3)?;
    let month = u64::try_from(MONTHS.find(month)? / 3 + 1).ok()?;
    let year: u64 = words
        .next()?
        .parse()
        .ok()
        .filter(|year| (1970..10_000).contains(year))?;
    let mut time = words
        .next()?
        .split(':')
        .map(|part| part.parse::<u64>().ok());
    let (hour, minute, second) = (time.next()??, time.next()??, time.next()??);
    if words.next() != Some("GMT") || !(1..=31).contains(&day) || hour > 23 || minute > 59 {
        return None;
    }
    // Days since the year 0 of a calendar whose year begins in March.
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day - 1;
    Some((days - 719_468) * 86_400 + hour * 3600 + minute * 60 + second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_seconds_since_1970() {
        assert_eq!(date("Thu, 01 Jan 1970 00:00:00 GMT"), Some(0));
        assert_eq!(date("Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777));
        assert_eq!(date("Thu, 29 Feb 2024 23:59:59 GMT"), Some(1_709_251_199));
        for wrong in [
            "",
            "yesterday",
            "Sun, 06 Nov 1994 08:49:37 CET",
            "Sun, 40 Nov 1994 08:49:37 GMT",
        ] {
            assert_eq!(date(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_date_is_one_of_the_servers_clock() {
        let date = "Sun, 06 Nov 1994 08:49:37 GMT";
        assert_eq!(pause("120", None), Some(Duration::from_secs(120)));
        assert_eq!(pause(date, None), Some(Duration::ZERO));
        assert_eq!(pause("soon", Some(date)), None);
        for (sent, seconds) in [
            ("08:49:30", 7),
            ("08:49:37", 0),
            ("08:50:00", 0),
            ("no time", 0),
        ] {
            let sent = format!("Sun, 06 Nov 1994 {sent} GMT");
            assert_eq!(
                pause(date, Some(&sent)),
                Some(Duration::from_secs(seconds)),
                "{sent}"
            );
        }
    }
}
