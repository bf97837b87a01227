//! How the verdict of a check is printed and serialized.

use super::{Checked, CheckedLayer, LayerInput};
use crate::{
    inspect::lines::{each_line, each_problem},
    problem::{escaped, serialized},
};
use std::fmt;

impl fmt::Display for Checked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.is_quarantined() {
            false => "configuration would be applied",
            true => "configuration would not be applied as it is: content of it is in quarantine",
        })?;
        each_line(f, "  in quarantine: ", self.quarantined())?;
        let layers = self.layers.iter();
        let left_out = layers.filter(|one| one.input == LayerInput::LeftOut);
        each_line(
            f,
            "  left out: ",
            left_out.map(|layer| escaped(&layer.origin)),
        )?;
        each_problem(f, "to come", &self.missing)?;
        each_problem(f, "warning", &self.warnings)?;
        each_line(f, "  note: ", &self.notes)
    }
}

impl fmt::Debug for Checked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Checked")
            .field("warnings", &self.warnings)
            .field("missing", &self.missing)
            .field("layers", &self.layers)
            .finish_non_exhaustive()
    }
}

serialized! {
    Checked, own => {
        warnings: own.warnings,
        missing: own.missing,
        layers: own.layers,
        notes: own.notes,
    }
}

serialized! {
    CheckedLayer, own => {
        origin: own.origin,
        input: own.input.as_str(),
        quarantined: own.quarantined,
    }
}
