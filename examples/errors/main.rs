//! Everything that Flux can say when something is wrong, said: `cargo run --example errors`. The page `flux::guide::errors`
//! explains each of it, and the test below keeps that page and Flux together; `cargo run --example errors flux/src/docs/errors.md`
//! writes what is said into it.

mod by_hand;
mod declared;
mod documents;
mod operations;
mod program;

use std::{env, fs, future::Future, io, pin::Pin, time::Duration};

/// The name of a case in the page, and what is said.
type Said = (&'static str, String);

/// The cases of one topic.
type Cases = Pin<Box<dyn Future<Output = Vec<Said>>>>;

const HOUR: Duration = Duration::from_secs(3600);

/// Runs every case under a clock that jumps to whatever is waited for next.
fn everything() -> Vec<Said> {
    let topics: [fn() -> Cases; 4] = [
        || Box::pin(documents::cases()),
        || Box::pin(program::cases()),
        || Box::pin(operations::cases()),
        || Box::pin(declared::cases()),
    ];
    let mut said = documents::environment();
    said.extend(documents::variables());
    for topic in topics {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .expect("a runtime");
        let all = async { tokio::time::timeout(HOUR, topic()).await };
        said.extend(runtime.block_on(all).expect("every case ends"));
    }
    said.extend(declared::without_a_runtime());
    said.extend(declared::without_timers());
    said
}

/// The panics that are part of the show are not printed twice.
fn hush() {
    let loud = std::panic::take_hook();
    let shown = ["out of cheese", "thirteen workers", "not started"];
    std::panic::set_hook(Box::new(move |panic| {
        let payload = panic.payload();
        let text = payload.downcast_ref::<&str>().copied();
        let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        let text = text.unwrap_or_default();
        if !shown.iter().any(|part| text.contains(part)) {
            loud(panic);
        }
    }));
}

/// The page with what is said in its blocks; each follows a comment with the case's name.
fn filled(page: &str, said: &[Said]) -> Result<String, String> {
    let mut parts = page.split("<!-- says: ");
    let mut filled = parts.next().unwrap_or_default().to_owned();
    let mut shown = Vec::new();
    for part in parts {
        let (name, block) = part
            .split_once(" -->\n```text\n")
            .ok_or("no block after a comment")?;
        let (_, rest) = block.split_once("\n```").ok_or("a block without an end")?;
        let (_, text) = said
            .iter()
            .find(|(known, _)| *known == name)
            .ok_or(format!("nothing says `{name}`"))?;
        filled += &format!("<!-- says: {name} -->\n```text\n{text}\n```{rest}");
        shown.push(name);
    }
    match said.iter().find(|(name, _)| !shown.contains(name)) {
        Some((name, _)) => Err(format!("the page does not show `{name}`")),
        None => Ok(filled),
    }
}

/// In a folder of its own, because some cases write files.
fn everything_in_a_folder() -> io::Result<Vec<Said>> {
    let (here, folder) = (env::current_dir()?, tempfile::tempdir()?);
    env::set_current_dir(folder.path())?;
    let said = everything();
    env::set_current_dir(here)?;
    Ok(said)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    hush();
    let said = everything_in_a_folder()?;
    if let Some(page) = env::args().nth(1) {
        let text = filled(&fs::read_to_string(&page)?, &said)?;
        fs::write(page, text)?;
        return Ok(());
    }
    for (name, text) in said {
        println!("--- {name}\n{text}\n");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_shows_what_flux_says() {
        hush();
        let said = everything_in_a_folder().expect("a folder");
        let page = include_str!("../../flux/src/docs/errors.md");
        let filled = filled(page, &said).unwrap_or_else(|problem| panic!("errors.md: {problem}"));
        assert_eq!(
            page, filled,
            "made anew by: cargo run --example errors flux/src/docs/errors.md"
        );
    }
}
