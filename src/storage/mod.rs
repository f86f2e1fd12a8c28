//! One behaviour, two dialects. The only room that knows sqlx; the rooms above see [`Store`].

mod traits;

pub use traits::{
    Behind, ChangedRegistration, Decide, EventQuery, EventRow, EventWrite, Fresh, Lock, NO_START,
    NewRegistration, OpenRequest, PartyRow, PartyWrite, Reason, Store, StoreError, Stored, Whole,
};
