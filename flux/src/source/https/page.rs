//! Whether an answer is a page for people, and no document.

/// Whether it is a page for people, as a login shows one with `200 OK`. YAML would take many for a map of one unknown key.
pub(super) fn is_page(content_type: Option<&str>, body: &[u8]) -> bool {
    let body = body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(body);
    let body = body.trim_ascii_start();
    let begins = |with: &str| {
        let beginning = body.get(..with.len());
        beginning.is_some_and(|beginning| beginning.eq_ignore_ascii_case(with.as_bytes()))
    };
    let html = content_type.unwrap_or_default().trim_start();
    let html = html
        .get(..9)
        .is_some_and(|kind| kind.eq_ignore_ascii_case("text/html"));
    begins("<!doctype html")
        || begins("<html")
        // Servers call what they know nothing of so, too.
        || html && begins("<") && !begins("<?") && !begins("<<")
}

#[cfg(test)]
mod tests {
    use super::is_page;

    #[test]
    fn a_page_is_no_document() {
        let html = Some("Text/HTML; charset=utf-8");
        for page in [
            "<html><body>Login: please</body></html>",
            " \n<!DOCTYPE html>\n<title>502: Bad Gateway</title>",
            "\u{feff}<HTML lang=en>",
        ] {
            assert!(is_page(None, page.as_bytes()), "{page}");
            assert!(is_page(html, page.as_bytes()), "{page}");
        }
        let comment = b"<!-- login: please --><html>";
        assert!(is_page(html, comment) && !is_page(None, comment));
        for document in [
            "{}",
            "port: 1",
            "a = '<html>'",
            "",
            "<<: *a",
            "<?xml version='1.0'?><port>1</port>",
        ] {
            assert!(!is_page(html, document.as_bytes()), "{document}");
            assert!(!is_page(None, document.as_bytes()), "{document}");
        }
        assert!(!is_page(Some("application/xml"), b"<port>1</port>"));
    }
}
