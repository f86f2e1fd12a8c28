//! Update masks: which fields a caller replaces.

use super::{Fields, Path};

impl Fields {
    /// The named fields, each one of `known`; required, so that nothing is cleared by accident.
    pub fn mask(&mut self, given: Option<prost_types::FieldMask>, known: &'static [&'static str]) -> Vec<&'static str> {
        let at = Path::Top("update_mask");
        let paths = given.map(|mask| mask.paths).unwrap_or_default();
        if paths.is_empty() {
            self.refuse(at, "is required");
        }
        let paths = self.list(at, paths, 0, 100);
        let mut fields = Vec::with_capacity(paths.len());
        for path in &paths {
            match known.iter().find(|k| *k == path) {
                Some(field) if !fields.contains(field) => fields.push(*field),
                Some(_) => {}
                None => self.refuse(at, format!("may name only {}", known.join(", "))),
            }
        }
        fields
    }
}
