//! What is printed: a figure a row, its ratio to another one, and whether it is what was promised.

/// The rows of a run.
#[derive(Default)]
pub(crate) struct Table {
    missed: Vec<String>,
}

/// One figure.
pub(crate) struct Row {
    what: String,
    figure: f64,
    unit: &'static str,
    base: Option<(String, f64)>,
    at_most: Option<f64>,
}

impl Row {
    pub(crate) fn new(what: impl Into<String>, figure: f64, unit: &'static str) -> Row {
        Row {
            what: what.into(),
            figure,
            unit,
            base: None,
            at_most: None,
        }
    }

    /// Measured against another figure of the same run.
    pub(crate) fn of(mut self, base: impl Into<String>, figure: f64) -> Row {
        self.base = Some((base.into(), figure));
        self
    }

    /// The promise: of the ratio where there is one, else of the figure.
    pub(crate) fn at_most(mut self, limit: f64) -> Row {
        self.at_most = Some(limit);
        self
    }
}

impl Table {
    pub(crate) fn title(&self, title: &str) {
        println!("\n{title}");
    }

    pub(crate) fn add(&mut self, row: Row) {
        let ratio = row.base.as_ref().map(|(_, base)| row.figure / base);
        let mut line = format!(
            "  {:<58}{:>14} {:<13}",
            row.what,
            shown(row.figure),
            row.unit
        );
        if let (Some(ratio), Some((base, _))) = (ratio, &row.base) {
            line.push_str(&format!("{ratio:>6.2} x {base}"));
        }
        if let Some(limit) = row.at_most {
            let missed = ratio.unwrap_or(row.figure) > limit;
            line.push_str(if missed {
                "  MISSED, at most "
            } else {
                "  at most "
            });
            line.push_str(&limit.to_string());
            if missed {
                self.missed.push(row.what);
            }
        }
        println!("{}", line.trim_end());
    }

    /// What was promised and is not so.
    pub(crate) fn missed(&self) -> &[String] {
        &self.missed
    }
}

/// `1 759 570`, `134.2`, `0.28`.
fn shown(figure: f64) -> String {
    if figure.fract() == 0.0 || figure >= 1_000.0 {
        let digits = format!("{figure:.0}");
        let mut text = String::new();
        for (i, digit) in digits.chars().enumerate() {
            if i > 0 && (digits.len() - i) % 3 == 0 {
                text.push(' ');
            }
            text.push(digit);
        }
        return text;
    }
    if figure < 10.0 {
        format!("{figure:.2}")
    } else {
        format!("{figure:.1}")
    }
}
