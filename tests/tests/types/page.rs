//! The tables of the page.

use std::cell::{Cell, RefCell};

/// The page, and what is not as it says.
pub(crate) struct Page {
    text: &'static str,
    tried: Cell<usize>,
    wrong: RefCell<Vec<String>>,
}

/// One row.
pub(crate) struct Case<'a> {
    page: &'a Page,
    pub(crate) name: &'a str,
    pub(crate) document: Forms<'a>,
    pub(crate) variable: Forms<'a>,
    pub(crate) value: &'a str,
    pub(crate) options: String,
    /// What is laid over the first form, and the value after that.
    pub(crate) merge: Option<(&'a str, &'a str)>,
}

/// What is read, and what is refused.
pub(crate) struct Forms<'a> {
    pub(crate) read: Vec<&'a str>,
    pub(crate) refused: Vec<&'a str>,
}

impl<'a> Forms<'a> {
    fn of(cell: &'a str) -> Self {
        let (read, refused) = cell.split_once(" not ").unwrap_or((cell, ""));
        Forms {
            read: codes(read),
            refused: codes(refused),
        }
    }
}

/// What stands between backticks.
fn codes(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

impl Page {
    pub(crate) fn new(text: &'static str) -> Self {
        Page {
            text,
            tried: Cell::new(0),
            wrong: RefCell::default(),
        }
    }

    pub(crate) fn cases(&self) -> Vec<Case<'_>> {
        let rows = self.text.lines().filter(|line| line.starts_with('|'));
        let mut cases = Vec::new();
        for row in rows {
            let cells: Vec<_> = row.trim_matches('|').split('|').map(str::trim).collect();
            let [name, document, variable, value, options, merge] = cells[..] else {
                panic!("six cells: {row}");
            };
            if name == "type" || name.starts_with("---") {
                continue;
            }
            let name = name.replace('`', "");
            let merge = match codes(merge)[..] {
                [top, value] => Some((top, value)),
                [] => None,
                _ => panic!("one layer above and the value: {merge}"),
            };
            cases.push(Case {
                page: self,
                name: String::leak(name),
                document: Forms::of(document),
                variable: Forms::of(variable),
                value: codes(value)
                    .first()
                    .copied()
                    .unwrap_or_else(|| panic!("a value: {row}")),
                options: codes(options).join(","),
                merge,
            });
        }
        cases
    }

    /// Fails with everything that is not as the page says.
    pub(crate) fn finish(&self, least: usize) {
        let wrong = self.wrong.borrow();
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        assert!(
            self.tried.get() >= least,
            "only {} rows were tried",
            self.tried.get()
        );
    }
}

impl Case<'_> {
    pub(crate) fn tried(&self) {
        self.page.tried.set(self.page.tried.get() + 1);
    }

    pub(crate) fn wrong(&self, what: String) {
        self.page
            .wrong
            .borrow_mut()
            .push(format!("{}: {what}", self.name));
    }
}
