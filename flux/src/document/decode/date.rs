//! How a text whose type the target decides is read as a date or a time of TOML: `toml::value::Datetime` asks for a struct with a field
//! of its own, and is one text all the same.

use crate::{document::tree::TreeError, problem::DATE};
use serde::de::{Visitor, value::MapDeserializer};

/// Whether a struct with these fields is a date.
pub(super) fn is_date(fields: &[&str]) -> bool {
    fields == [DATE]
}

pub(super) fn read<'de, V: Visitor<'de>>(text: &str, visitor: V) -> Result<V::Value, TreeError> {
    let date = std::iter::once((DATE, text.trim()));
    visitor.visit_map(MapDeserializer::new(date))
}

#[cfg(test)]
#[cfg(all(feature = "derive", feature = "toml"))]
mod tests {
    use crate::{Capacitor, Error, Source};
    use ::toml::value::Datetime;

    #[derive(Debug, flux_derive::Flux)]
    #[flux(crate = crate)]
    struct DatedApp {
        at: Option<Datetime>,
        #[flux(default)]
        holidays: Vec<Datetime>,
    }

    async fn started(variables: [(&str, &str); 2]) -> Result<Capacitor<DatedApp>, Error> {
        let source = Source::env("APP_").variables(variables);
        let builder = Capacitor::<DatedApp>::builder().manual();
        let capacitor = builder.source(source).build()?;
        capacitor.start().await?;
        Ok(capacitor)
    }

    #[tokio::test]
    async fn a_date_of_toml_is_its_text_in_a_variable() {
        let holidays = ("APP_HOLIDAYS", "1979-05-28, 07:32:00");
        let app = started([("APP_AT", " 1979-05-27T07:32:00Z"), holidays]).await;
        let app = app.unwrap().get();
        assert_eq!(app.at.unwrap().to_string(), "1979-05-27T07:32:00Z");
        let dates = app.holidays.iter().map(ToString::to_string);
        assert_eq!(dates.collect::<Vec<_>>(), ["1979-05-28", "07:32:00"]);
        let refused = started([("APP_AT", "yesterday"), holidays]).await;
        let Err(Error::Refused(report)) = refused else {
            panic!("a date")
        };
        assert_eq!(report.problems()[0].path.to_string(), "at");
    }
}
