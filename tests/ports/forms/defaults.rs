//! Defaults as texts.

use crate::support::flux;
use flux::Flux;
use flux::Format;

#[tokio::test]
async fn a_default_may_be_the_text_of_any_leaf() {
    #[derive(Flux)]
    struct App {
        #[flux(default = "http://x/")]
        url: url::Url,
    }
    assert_eq!(
        flux::<App>(Format::Json, "{}", &[])
            .await
            .unwrap()
            .url
            .as_str(),
        "http://x/"
    );
}
