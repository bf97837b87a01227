//! What was seen of each source under each fault, as a table: `target/remote.md`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
    sync::{Mutex, PoisonError},
    time::Instant,
};

/// One case at work; a panic before [`passed`](Case::passed) is a failure.
pub struct Case {
    source: &'static str,
    fault: &'static str,
    begin: Instant,
    note: Option<String>,
}

impl Case {
    /// A case begins.
    pub fn begin(source: &'static str, fault: &'static str) -> Self {
        Case {
            source,
            fault,
            begin: Instant::now(),
            note: None,
        }
    }

    /// It showed what it had to.
    pub fn passed(mut self) {
        self.note = Some(format!("{:.1} s", self.begin.elapsed().as_secs_f64()));
    }

    /// The server is missing.
    pub fn skipped(mut self) {
        self.note = Some("skipped".to_owned());
    }

    /// The fault has no meaning here.
    pub fn does_not_apply(mut self) {
        self.note = Some("–".to_owned());
    }
}

impl Drop for Case {
    fn drop(&mut self) {
        let note = self.note.take().unwrap_or_else(|| "FAILED".to_owned());
        record(self.source, self.fault, &note);
    }
}

/// Writes one cell, and the table of all cells.
fn record(source: &str, fault: &str, note: &str) {
    static WRITING: Mutex<()> = Mutex::new(());
    let _writing = WRITING.lock().unwrap_or_else(PoisonError::into_inner);
    let target = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target");
    let cells = target.join("remote");
    // The table is a report beside the tests; that it cannot be written fails none.
    let _ = fs::create_dir_all(&cells);
    let _ = fs::write(cells.join(format!("{fault}.{source}")), note);
    let mut rows: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    let mut sources = BTreeSet::new();
    for entry in fs::read_dir(&cells).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if let Some((fault, source)) = name.rsplit_once('.') {
            let note = fs::read_to_string(entry.path()).unwrap_or_default();
            sources.insert(source.to_owned());
            let row = rows.entry(fault.to_owned()).or_default();
            row.insert(source.to_owned(), note);
        }
    }
    let mut table = "| fault |".to_owned();
    sources
        .iter()
        .for_each(|source| table += &format!(" {source} |"));
    table += &format!("\n|---|{}\n", "---|".repeat(sources.len()));
    for (fault, row) in rows {
        table += &format!("| {} |", fault.replace('_', " "));
        for source in &sources {
            let note = row.get(source).map_or("", String::as_str);
            table += &format!(" {note} |");
        }
        table.push('\n');
    }
    let _ = fs::write(target.join("remote.md"), table);
}
