//! Which parts of a server's URI are refused because they mean something only together with others. One that would be passed over
//! in silence is refused.

use super::Remote;
use crate::Scheme;

impl<T> Remote<T> {
    /// Whether every option is used. `tls` is the value of the option of that name, where it is known.
    ///
    /// # Errors
    /// The option that would be ignored, and how to fix it. Holds no values.
    pub(super) fn check_options(&self, tls: Option<&str>) -> Result<(), String> {
        self.check_certificate()?;
        self.check_tls(tls)
    }

    fn is_set(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    fn check_certificate(&self) -> Result<(), String> {
        let (set, missing) = match (self.is_set("cert"), self.is_set("cert_key")) {
            (true, false) => ("cert", "cert_key"),
            (false, true) => ("cert_key", "cert"),
            _ => return Ok(()),
        };
        Err(format!(
            "`{set}` is set and `{missing}` is not; a certificate and its key belong together"
        ))
    }

    /// `tls=false` would take the security from those who asked for it elsewhere.
    fn check_tls(&self, tls: Option<&str>) -> Result<(), String> {
        if tls != Some("false") {
            return Ok(());
        }
        let asks = ["ca", "cert"].into_iter().find(|name| self.is_set(name));
        let asks = match (self.secure, asks) {
            (true, _) => "the scheme".to_owned(),
            (false, Some(name)) => format!("`{name}`"),
            (false, None) => return Ok(()),
        };
        Err(format!(
            "`tls=false` asks for a connection without TLS, and {asks} for one with it; remove one of them"
        ))
    }

    /// Whether user, password and token are sent.
    ///
    /// # Errors
    /// The one that would be ignored, and how to fix it. Holds no values.
    pub(super) fn check_user(&self) -> Result<(), String> {
        let both = matches!(
            self.scheme,
            Scheme::Redis | Scheme::Etcd | Scheme::ZooKeeper
        );
        // A user without a password is the token there.
        let token = self.scheme == Scheme::Nats;
        match (&self.user, &self.password) {
            (Some(_), None) if both => Err(
                "a user is named and no password, without which no user is sent; add `password=${NAME}`, and any where the user needs none"
                    .to_owned(),
            ),
            (None, Some(_)) if token || self.scheme == Scheme::Etcd => Err(
                "a password is set and no user, without whom no password is sent; write `user:${PASSWORD}@host`"
                    .to_owned(),
            ),
            (Some(_), _) if (token || self.scheme == Scheme::Https) && self.is_set("token") => Err(
                "a user and a `token` are set, and only one of them is sent; remove the other".to_owned(),
            ),
            _ => Ok(()),
        }
    }
}
