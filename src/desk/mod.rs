//! The registration desk: group commit over all events that wait, a cache of rosters checked by number, and
//! the sweeper that does what is due.
//!
//! # How it works
//!
//! A few lines (tasks) share the events among them. A line takes everybody who waits, locks the rosters of
//! their events in memory and, in one transaction, the rows; brings rosters that are behind up to date;
//! lets the core decide one after the other; writes everything; commits; and only then answers. Nobody
//! reads a roster that is not committed, because the lock is held until the commit is known.
//!
//! # What holds whatever happens
//!
//! - Nobody is told anything before the commit returned.
//! - A failed commit is told to everybody in the batch; an unknown one is decided again under the same
//!   request ids, which tell what was written.
//! - After anything but success the rosters of the batch are forgotten and loaded anew.
//! - A caller who goes away changes nothing.

mod batch;
mod cache;
mod job;
mod line;
mod loaded;
mod reads;
mod sweeper;
mod transfer;
mod watches;

pub use job::{
    AnswerEvent, Borne, DeskError, Done, EditEvent, EventPapers, Job, LeftBehind, NEW_TOKEN, Papers, PartyPapers,
    SignUp, TransferJob, Transferred, View,
};

use crate::admission::{Answer, Command, NewParty, Request, Verb};
use crate::clock::Clock;
use crate::keys::Keys;
use crate::model::consent::Choices;
use crate::model::contact::ContactKeys;
use crate::model::id::EventId;
use crate::model::registration::ActorKind;
use crate::storage::{Store, StoreError};
use batch::Ticket;
use cache::Cache;
use loaded::Loaded;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How the desk is run.
#[derive(Clone, Debug)]
pub struct DeskOptions {
    /// Lines, each with its share of the events: 1 on SQLite, which has one writer.
    pub lines: usize,
    /// Other instances write to the same database.
    pub shared: bool,
    /// Most commands in one transaction.
    pub batch_max: usize,
    /// Most commands that wait in one line; more are refused as overload.
    pub queue_max: usize,
    /// Most registrations in memory.
    pub cache_max: usize,
    pub sweep_every: Duration,
}

impl Default for DeskOptions {
    fn default() -> Self {
        Self {
            lines: 1,
            shared: false,
            batch_max: 1024,
            queue_max: 8192,
            cache_max: 400_000,
            sweep_every: Duration::from_secs(1),
        }
    }
}

/// Told of each batch, for the metrics.
pub trait Observer: Send + Sync + 'static {
    /// `size` commands were decided and committed in `took`; `cached` registrations are in memory.
    fn batch(&self, size: usize, took: Duration, cached: usize);
}

/// The desk. A clone is the same desk.
#[derive(Clone)]
pub struct Desk {
    shared: Arc<Shared>,
    lines: Arc<Vec<mpsc::Sender<Ticket>>>,
    questions: mpsc::Sender<reads::Question>,
    tasks: TaskTracker,
}

struct Shared {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    keys: Keys,
    options: DeskOptions,
    cache: Cache,
    watches: watches::Watches,
    closing: CancellationToken,
    fatal: CancellationToken,
    observer: Option<Arc<dyn Observer>>,
}

impl Shared {
    fn observe(&self, size: usize, took: Duration) {
        if let Some(observer) = &self.observer {
            observer.batch(size, took, self.cache.held());
        }
    }

    /// Where one process owns the file, an unknown commit means that the disk failed: nothing that is
    /// written afterwards could be trusted, so the desk stops and the process is to end.
    fn stop_if_fatal(&self, error: &StoreError) {
        if !self.options.shared && matches!(error, StoreError::Unknown(_)) {
            tracing::error!(%error, "the disk failed at a commit; stopping");
            self.fatal.cancel();
        }
    }
}

impl Desk {
    /// Opens the desk: spawns its lines and its sweeper on the current runtime.
    pub fn open(store: Arc<dyn Store>, clock: Arc<dyn Clock>, keys: Keys, options: DeskOptions) -> Desk {
        Self::open_observed(store, clock, keys, options, None)
    }

    /// As `open`, with somebody to tell of each batch.
    pub fn open_observed(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        keys: Keys,
        options: DeskOptions,
        observer: Option<Arc<dyn Observer>>,
    ) -> Desk {
        let cache = Cache::new(options.cache_max);
        let shared = Arc::new(Shared {
            store,
            clock,
            keys,
            cache,
            watches: watches::Watches::default(),
            closing: CancellationToken::new(),
            fatal: CancellationToken::new(),
            observer,
            options,
        });
        let tasks = TaskTracker::new();
        let lines = (0..shared.options.lines.max(1))
            .map(|_| {
                let (sender, waiting) = mpsc::channel(shared.options.queue_max.max(1));
                tasks.spawn(line::run(Arc::clone(&shared), waiting));
                sender
            })
            .collect();
        let (questions, asked) = mpsc::channel(8192);
        tasks.spawn(reads::run(Arc::clone(&shared), asked));
        let desk = Desk { shared, lines: Arc::new(lines), questions, tasks };
        desk.tasks.spawn(sweeper::run(desk.clone()));
        desk
    }

    /// Hands in a command and waits for the commit. Dropping the future changes nothing.
    pub async fn submit(&self, job: impl Into<Box<Job>>) -> Result<Done, DeskError> {
        let job = job.into();
        self.must_exist(job.event).await?;
        self.hand_in(job.event, |reply| Ticket::One(job, reply)).await
    }

    /// What was done under this request id, if the same was asked before: told after a commit, as any repeated
    /// request is. `None` where it is new.
    pub async fn repeated(&self, event: EventId, request: Request) -> Result<Option<Done>, DeskError> {
        let is_same =
            |view: &View<'_>| view.roster.recorded(request.key).is_some_and(|r| r.fingerprint == request.fingerprint);
        if !self.read(event, is_same).await? {
            return Ok(None);
        }
        let command = Command { actor: ActorKind::System, request: Some(request), verb: Verb::Sweep };
        match self.submit(Job { event, command, papers: Papers::Repeat, borne: None }).await {
            Err(DeskError::Stale) => Ok(None),
            answer => answer.map(Some),
        }
    }

    /// Moves a registration to another event: both journals or neither.
    pub async fn transfer(&self, job: TransferJob) -> Result<Transferred, DeskError> {
        let event = job.from;
        self.hand_in(event, |reply| Ticket::Transfer(Box::new(job), reply)).await
    }

    /// Decides on a copy and changes nothing; `f` sees what would be.
    pub async fn try_out<R>(&self, job: Job, f: impl FnOnce(&Done, &View<'_>) -> R + Send) -> Result<R, DeskError>
    where
        R: Send + 'static,
    {
        let now = self.clock().now();
        self.read(job.event, |view| try_on_copy(&job, view, now).map(|(done, copy)| f(&done, &copy.view()))).await?
    }

    /// What a transfer would lead to; nothing is changed.
    pub async fn try_transfer(&self, job: TransferJob) -> Result<Done, DeskError> {
        let now = self.clock().now();
        let due = Command { actor: job.actor, request: None, verb: Verb::Sweep };
        let probe = Job { event: job.from, command: due, papers: Papers::None, borne: None };
        let party = self
            .read(job.from, |view| {
                let (_, copy) = try_on_copy(&probe, view, now)?;
                let refused = |refusal| DeskError::refused(refusal, Some(&copy.roster.terms));
                let s = copy.roster.may_leave(job.number).map_err(refused)?;
                // Trying costs nothing and leaves no trace: it tells nobody who is registered in the target.
                Ok::<_, DeskError>((s.size, if job.vouched { s.contact } else { ContactKeys::default() }))
            })
            .await??;
        self.read(job.to, |view| {
            let no = |id: &String| view.roster.terms.pools.iter().find(|p| p.id == *id).map_or(0, |p| p.no);
            let wishes = job.wishes.iter().map(no).collect();
            let party =
                NewParty { size: party.0, wishes, contact: party.1, vouched: job.vouched, choices: Choices::default() };
            let command = Command { actor: job.actor, request: None, verb: Verb::Register(party) };
            let probe = Job { event: job.to, command, papers: Papers::None, borne: None };
            try_on_copy(&probe, view, now).map(|(done, _)| done)
        })
        .await?
    }

    /// Looks at an event: everything that `f` sees is committed and holds at one journal number, which is
    /// not older than the call.
    pub async fn read<R: Send>(&self, event: EventId, f: impl FnOnce(&View<'_>) -> R + Send) -> Result<R, DeskError> {
        let committed = match self.shared.options.shared {
            true => self.ask_number(event).await?.ok_or(DeskError::EventNotFound)?,
            false => self.must_exist(event).await.map(|()| 0)?,
        };
        for _ in 0..4 {
            let cell = self.shared.cache.cell(event);
            let loaded = cell.loaded.read().await;
            match loaded.as_ref() {
                Some(loaded) if loaded.roster.journal_number >= committed => return Ok(f(&loaded.view())),
                _ => drop(loaded),
            }
            self.hand_in(event, |reply| Ticket::Load(event, reply)).await?;
        }
        Err(DeskError::Unavailable)
    }

    /// Follows the journal number of an event.
    pub async fn watch(&self, event: EventId) -> Result<watch::Receiver<u64>, DeskError> {
        let number = self.read(event, |view| view.roster.journal_number).await?;
        Ok(self.shared.watches.subscribe(event, number))
    }

    /// Wakes with whatever this desk commits, whatever the event.
    pub fn commits(&self) -> watch::Receiver<u64> {
        self.shared.watches.commits()
    }

    /// Does what is due now, everywhere, and waits for it.
    pub async fn sweep_now(&self) {
        sweeper::sweep(self).await;
    }

    /// Closes the door, serves who is inside, and leaves.
    pub async fn drain(&self) {
        self.shared.closing.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// How many events are in memory.
    pub fn events_in_memory(&self) -> usize {
        self.shared.cache.events()
    }

    /// How many wait in each line, beside those who are being served.
    pub fn waiting(&self) -> Vec<usize> {
        self.lines.iter().map(|line| line.max_capacity() - line.capacity()).collect()
    }

    /// Cancelled where the disk failed at a commit: the process must end and start anew.
    pub fn fatal(&self) -> &CancellationToken {
        &self.shared.fatal
    }

    pub fn store(&self) -> &Arc<dyn Store> {
        &self.shared.store
    }

    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.shared.clock
    }

    pub fn keys(&self) -> &Keys {
        &self.shared.keys
    }

    /// Hands a ticket in at the event's line.
    async fn hand_in<T>(
        &self,
        event: EventId,
        ticket: impl FnOnce(oneshot::Sender<Result<T, DeskError>>) -> Ticket,
    ) -> Result<T, DeskError> {
        if self.shared.fatal.is_cancelled() {
            return Err(DeskError::Unavailable);
        }
        if self.shared.closing.is_cancelled() {
            return Err(DeskError::Draining);
        }
        let (reply, answer) = oneshot::channel();
        let line = (event.0.as_u128() % self.lines.len() as u128) as usize;
        match self.lines.get(line).map(|l| l.try_send(ticket(reply))) {
            Some(Ok(())) => answer.await.unwrap_or(Err(DeskError::OutcomeUnknown)),
            Some(Err(mpsc::error::TrySendError::Full(_))) => Err(DeskError::Overloaded),
            _ => Err(DeskError::Draining),
        }
    }

    /// Whoever asks for an event that nobody has asked for lately does not come to the desk before it is known to
    /// exist: ids that were made up would take memory, and turns at the line.
    async fn must_exist(&self, event: EventId) -> Result<(), DeskError> {
        if self.shared.cache.has(event) {
            return Ok(());
        }
        self.ask_number(event).await?.map(|_| ()).ok_or(DeskError::EventNotFound)
    }

    async fn ask_number(&self, event: EventId) -> Result<Option<u64>, DeskError> {
        let (reply, answer) = oneshot::channel();
        self.questions.try_send((event, reply)).map_err(|_| DeskError::Overloaded)?;
        answer.await.unwrap_or(Err(DeskError::Draining))
    }
}

fn try_on_copy(job: &Job, view: &View<'_>, now: crate::model::time::Timestamp) -> Result<(Done, Loaded), DeskError> {
    if let Papers::Event(EventPapers { if_version: Some(expected), .. }) = &job.papers
        && *expected != view.roster.version
    {
        let refusal = crate::admission::Refusal::EtagMismatch { current: view.roster.version };
        return Err(DeskError::refused(refusal, Some(&view.roster.terms)));
    }
    let (answer, roster, mut entries) = view.roster.try_out(&job.command, now);
    let outcome = match answer {
        Answer::Done(outcome) | Answer::Replayed(outcome) => outcome,
        Answer::Refused(refusal) => return Err(DeskError::refused(refusal, Some(&view.roster.terms))),
    };
    let mut event = view.event.clone();
    if let Papers::Event(EventPapers { edit: Some(edit), .. }) = &job.papers {
        edit(&mut event);
    }
    event.terms = Arc::clone(&roster.terms);
    event.version = roster.version;
    let standing = roster.standing(outcome.number).cloned();
    let terms = Arc::clone(&roster.terms);
    let entry = entries.pop().filter(|_| job.command.verb.is_attendance());
    Ok((Done { outcome, standing, terms, answer: None, replayed: false, entry }, Loaded { event, roster }))
}
