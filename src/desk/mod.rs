//! The registration desk: group commit over all events that wait, a cache of rosters checked by number, and
//! the sweeper that does what is due.

mod job;

pub use job::{
    DeskError, Done, EditEvent, Job, Papers, PartyPapers, SignUp, TransferJob, Transferred, View,
};
