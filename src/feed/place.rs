//! A place in the feed: what a cursor means.

/// Everything up to `position` was told, and the first `inside` entries of the batch behind it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub position: u64,
    pub inside: u32,
}

impl Place {
    /// Behind all of the batch at this position.
    pub fn at(position: u64) -> Self {
        Self { position, inside: 0 }
    }
}
