//! Whether a page of another site makes a request: by what the browser reports of it, and by the host that the request is for.

use http::{
    HeaderMap, Uri,
    header::{HOST, ORIGIN, REFERER},
    request::Parts,
};

/// Whether a request comes from another site. What is no browser sends none of these headers.
pub(super) fn is_of_another_site(request: &Parts) -> bool {
    let headers = &request.headers;
    let is_other = |site: &http::HeaderValue| site != "same-origin" && site != "none";
    if headers.get("sec-fetch-site").is_some_and(is_other) {
        return true;
    }
    let sent = headers.get(ORIGIN).or_else(|| headers.get(REFERER));
    // `null`, and what cannot be read, is of no site.
    sent.is_some_and(|from| {
        let from = from.to_str().ok().and_then(Site::of_url);
        from.is_none_or(|from| !is_for(request, headers, &from))
    })
}

/// A host, and its port where that is not the one of the scheme.
#[derive(PartialEq)]
struct Site {
    host: String,
    port: Option<u16>,
}

impl Site {
    fn of_url(url: &str) -> Option<Site> {
        let url: Uri = url.parse().ok()?;
        Site::of(url.authority()?.as_str(), url.scheme_str()?)
    }

    fn of(authority: &str, scheme: &str) -> Option<Site> {
        let authority: http::uri::Authority = authority.trim().parse().ok()?;
        let usual = if scheme == "https" { 443 } else { 80 };
        Some(Site {
            host: authority.host().to_ascii_lowercase(),
            port: authority.port_u16().filter(|port| *port != usual),
        })
    }
}

/// Whether a request is for the site of this URL. A proxy that puts its own host in the place of the asked one names that one in
/// `X-Forwarded-Host`, which no page of another site can send.
fn is_for(request: &Parts, headers: &HeaderMap, from: &Site) -> bool {
    let named = ["x-forwarded-host", HOST.as_str()];
    let named = named.iter().flat_map(|name| headers.get_all(*name));
    let named = named.filter_map(|host| host.to_str().ok());
    let named = named.flat_map(|hosts| hosts.split(','));
    let asked = request.uri.authority().map(http::uri::Authority::as_str);
    // Which scheme a proxy was asked by is not known here.
    let is_it = |host: &str| {
        let sites = ["http", "https"].map(|scheme| Site::of(host, scheme));
        sites.iter().flatten().any(|site| site == from)
    };
    named.chain(asked).any(is_it)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_refused(headers: &[(&'static str, &str)], uri: &str) -> bool {
        let mut request = http::Request::post(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        is_of_another_site(&request.body(()).unwrap().into_parts().0)
    }

    #[test]
    fn the_origin_of_a_request_is_the_host_that_it_is_for() {
        let host = ("host", "app.example:8080");
        for (sent, is_other) in [
            (&[][..], false),
            (&[("origin", "http://app.example:8080")], false),
            (&[("origin", "https://APP.example:8080")], false),
            (&[("origin", "http://app.example")], true),
            (&[("origin", "http://evil.example:8080")], true),
            (&[("origin", "http://app.example:8080.evil.example")], true),
            (&[("origin", "null")], true),
            (&[("origin", "")], true),
            (&[("referer", "http://app.example:8080/config/?q=a")], false),
            (&[("referer", "http://evil.example/app.example:8080")], true),
            (&[("referer", "about:blank")], true),
            // Where both are sent, the origin counts.
            (
                &[
                    ("origin", "http://evil.example"),
                    ("referer", "http://app.example:8080/"),
                ],
                true,
            ),
            (&[("sec-fetch-site", "same-origin")], false),
            (&[("sec-fetch-site", "none")], false),
            (&[("sec-fetch-site", "same-site")], true),
            (
                &[
                    ("sec-fetch-site", "same-origin"),
                    ("origin", "http://evil.example"),
                ],
                true,
            ),
        ] {
            let headers = [&[host], sent].concat();
            assert_eq!(is_refused(&headers, "/pin"), is_other, "{sent:?}");
        }
    }

    #[test]
    fn the_port_of_the_scheme_may_be_left_out() {
        for (host, origin, is_other) in [
            ("app.example", "http://app.example:80", false),
            ("app.example:443", "https://app.example", false),
            ("app.example", "https://app.example", false),
            ("app.example:80", "https://app.example:8443", true),
            ("[::1]:9000", "http://[::1]:9000", false),
        ] {
            let headers = [("host", host), ("origin", origin)];
            assert_eq!(is_refused(&headers, "/pin"), is_other, "{host} {origin}");
        }
    }

    #[test]
    fn the_host_of_a_request_is_also_in_its_uri_or_named_by_a_proxy() {
        let origin = ("origin", "https://app.example");
        assert!(!is_refused(&[origin], "https://app.example/pin"));
        assert!(is_refused(&[origin], "/pin"));
        let behind = [
            ("host", "10.0.0.7:8080"),
            ("x-forwarded-host", "app.example"),
            origin,
        ];
        assert!(!is_refused(&behind, "/pin"));
        assert!(is_refused(&[behind[0], origin], "/pin"));
    }
}
