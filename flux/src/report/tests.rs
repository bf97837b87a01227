use super::*;
use crate::problem::Seg;

/// A report of so many problems with a message each.
fn report(count: usize, message: &str) -> Report {
    let entry = |i| {
        let what = What::Message(message.to_owned());
        let path = vec![Seg::Key("items".into()), Seg::Index(i)];
        Entry::new("app.yaml", Flaw { path, what })
    };
    let entries = (0..count).map(entry).collect();
    Report::compose(&[], entries, Keeping::Previous, &SecretSources::default())
}

fn counted(report: &Report) -> (usize, bool) {
    let last = report.problems().last().unwrap();
    (report.problems().len(), last.kind == ProblemKind::More)
}

#[test]
fn problems_beyond_500_are_counted_wherever_they_come_from() {
    let report = report(MOST_PROBLEMS + 7, "x");
    assert_eq!(counted(&report), (MOST_PROBLEMS + 1, true));
    assert!(report.to_string().contains("has 7 more problems"));
}

#[test]
fn a_text_is_no_longer_where_it_has_to_be_escaped() {
    let report = report(1, &"\u{202e}".repeat(2_000));
    let message = &report.problems()[0].message;
    assert!(message.chars().count() < 2_100, "{}", message.len());
}

#[test]
fn problems_that_would_make_a_report_longer_than_256_kib_are_counted() {
    assert_eq!(
        counted(&report(MOST_PROBLEMS, "too short")),
        (MOST_PROBLEMS, false)
    );
    let report = report(MOST_PROBLEMS, &"\u{1f}long ".repeat(1_000));
    let (kept, is_more) = counted(&report);
    assert!(is_more && kept > 50, "{kept}");
    assert!(report.to_string().len() < MOST_BYTES + 4_096);
    let more = MOST_PROBLEMS - (kept - 1);
    assert!(
        report.problems()[kept - 1]
            .message
            .contains(&format!("{more} more"))
    );
}
