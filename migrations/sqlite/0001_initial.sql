-- why: the first tables. An event is one small row that every batch rewrites (events), one document that
-- only staff rewrite (event_documents), and rows that are keyed by the event first: registrations, the
-- parties behind them, the journal, the request ids that were used, the reasons that staff wrote down.
-- Personal data stands in parties and in reasons, and nowhere else. Ids are made by the service; instants
-- are microseconds since 1970 UTC; unsigned 64-bit hashes are stored bit by bit as signed ones.
-- Tables that every sign-up adds to are not `without rowid`: a batch over a thousand events then appends its
-- rows to a few pages, where it would touch a page of each event otherwise; and SQLite would carry documents
-- into the upper pages of the tree.
-- There are no foreign keys: every row of an event is written in the transaction that locks its event row.

create table events (
    id              blob    not null primary key,  -- uuid
    centre_id       text    not null,              -- whose event it is
    programme_id    text,                          -- the programme that it is an event of, if any
    municipality    text    not null,              -- code of the municipality of its venue
    kind            text    not null,              -- course, open_group, open_event, single_session, appointments, contest
    state           text    not null check (state in ('draft', 'published', 'cancelled', 'completed')),
    starts_at       integer not null,              -- start of the first session; 2^63 - 1 where it has none
    journal_number  integer not null,              -- number of the last change; moves with every batch
    next_due        integer,                       -- when something falls due by itself; null where nothing does
    free_seats      integer,                       -- free seats in all; null where a pool has no bound
    header          text    not null               -- what else the roster keeps: counts, next number ... (JSON)
) strict, without rowid;

create index events_by_start on events (starts_at, id);
create index events_by_centre on events (centre_id, starts_at, id);
create index events_by_due on events (next_due, id) where next_due is not null;

create table event_documents (
    event_id        blob    not null primary key,
    document        text    not null               -- the event as staff wrote it (JSON of model::event::Event)
) strict;

create table registrations (
    event_id            blob    not null,
    number              integer not null,          -- accepted number: 1, 2, 3 ... in the event; may have gaps
    id                  blob    not null,          -- uuid: the number, then 90 unguessable bits
    state               integer not null check (state between 1 and 10), -- model::registration::StateKind
    pool                integer,                   -- the pool whose seats it holds, confirmed or offered
    size                integer not null,          -- persons
    place               integer not null,          -- where it stands among its class; the number, or a later one
    expires_at          integer,                   -- deadline of an offer
    accepted_at         integer not null,
    changed_at          integer not null,
    steps               text    not null,          -- journal numbers of its changes: '17,240'
    email_key           integer,                   -- keyed hash of the e-mail address
    phone_key           integer,                   -- keyed hash of the telephone number
    contact_guard       integer,                   -- the one of the two keys that nobody else live may have
    request_key         blob    not null,          -- keyed hash of the request id of the sign-up
    request_fingerprint integer not null,          -- keyed hash of what was asked under it
    outcome             text    not null,          -- as answered: 'state,position,pool,expires_at,journal_number'
    token_hash          blob    not null,          -- SHA-256 of the management token
    rare                text,                      -- what few have: class, wishes, passed over, twin, end ... (JSON)
    primary key (event_id, number)
) strict;

-- Differs from postgres because there are no unique indexes by request key and by contact guard: one process
-- writes, its roster comes from these very rows, and the event's journal number shows that it is right. At
-- random places of two large indexes, a batch of a thousand sign-ups would rewrite two thousand pages.

create table parties (
    event_id        blob    not null,
    number          integer not null,
    document        text    not null,              -- contact, members, answers (JSON of model::party::Party)
    search          text    not null,              -- names without case and diacritics
    primary key (event_id, number)
) strict;

create table journal (
    -- Where the batch stands among all batches of all events: 1, 2, 3 ... with one writer that is the order of
    -- the commits, so that the journal itself is the change feed. Written down, because SQLite may renumber rows
    -- that have no number of their own.
    position        integer primary key,
    event_id        blob    not null,
    first_number    integer not null,              -- number of the first entry of the batch
    last_number     integer not null check (last_number >= first_number),
    written_at      integer not null,              -- time of the last entry of the batch, or a later one: it never
                                                   -- goes back from one position to the next
    counts          text    not null,              -- of the event after the batch: parties and persons that are confirmed,
                                                   -- offered, waiting, and free seats: '9,12,0,0,3,5,0'; nothing: no bound
    entries         text    not null,              -- the batch, in order (JSON array of admission::Entry)
    unique (event_id, first_number)                -- a second writer of the same number cannot exist
) strict;

-- Differs from postgres because there are no tables of the change feed: see journal.position.

create table requests (
    event_id        blob    not null,
    request_key     blob    not null,              -- keyed hash of the request id
    fingerprint     integer not null,              -- keyed hash of what was asked under it
    number          integer not null,              -- the registration that it is about; 0 for the event
    outcome         text    not null,              -- as in registrations
    journal_number  integer not null,              -- last number of the batch that recorded it
    answer          blob ,                         -- where it is about the event: as first answered (eile.v1.Event); where a contact became another: that there was a new token
    primary key (event_id, request_key)
) strict, without rowid;

create index requests_by_number on requests (event_id, journal_number);

create table reasons (
    event_id        blob    not null,
    journal_number  integer not null,              -- the change that the reason belongs to
    number          integer not null,              -- the registration that it is about; 0 for the event
    reason          text    not null,              -- in the words of staff: personal data
    primary key (event_id, journal_number, number)
) strict, without rowid;

create table attendance (
    event_id        blob    not null,
    session_no      integer not null,              -- the session's number in the event, never reused
    number          integer not null,              -- the registration
    member          integer not null,              -- the member's place in its party, from 1
    mark            integer not null check (mark between 1 and 4), -- model::attendance::Mark
    minutes         integer not null,              -- of one who was present
    source          integer not null check (source between 1 and 3), -- model::attendance::Source
    entered_by      integer not null check (entered_by between 1 and 4), -- party, staff, portal, service
    happened_at     integer not null,
    entered_at      integer not null,
    journal_number  integer not null,              -- the entry that set it; what it was before stands there
    primary key (event_id, session_no, number, member)
) strict, without rowid;

create table open_requests (
    request_key     blob    not null primary key,  -- keyed hash of caller, method and request id
    fingerprint     integer not null,
    answer          blob    not null               -- the event, centre or programme as first answered (its message)
) strict, without rowid;

create table centres (
    id              text    not null primary key,
    version         integer not null,              -- 1, then one more with each update
    document        text    not null               -- JSON of model::centre::Centre
) strict, without rowid;

create table programmes (
    id              text    not null primary key,
    version         integer not null,
    document        text    not null               -- JSON of model::centre::Programme
) strict, without rowid;

create table digests (
    event_id        blob    not null primary key,
    journal_number  integer not null,              -- the number that the event had: at another one it is worked out anew
    summary         blob    not null,              -- what reports know of the event (report::digest)
    facts           blob    not null               -- what they know of each registration; ids and codes, no names
) strict;

create table reports (
    id              text    not null primary key,
    version         integer not null,              -- 1: a stored report never changes
    document        text    not null               -- JSON of model::report::Report
) strict, without rowid;

create table access_keys (
    id              text    not null primary key,
    version         integer not null,              -- one more with each rotation; as in the document
    document        text    not null               -- JSON of model::access::AccessKey; secrets only as hashes
) strict, without rowid;

-- Who read personal data and who decided (docs/decisions/0021); no names, no contacts, no words of anybody.
create table access_log (
    happened_at     integer not null,              -- when the call ended; of a stream, when it began
    id              blob    not null,              -- orders what happened in the same microsecond
    key_id          text    not null,              -- whose key; '' where none is asked for
    role            text,                          -- of the key
    person          blob,                          -- who sat before the tool; only the tool can say who that is
    method          text    not null,              -- the rpc
    kind            text    not null check (kind in ('read', 'decision')),
    centre_id       text,                          -- whose people it was about, where that is one centre
    event_id        blob,
    registration_id blob,                          -- where it was about one
    rows_max        integer,                       -- the most registrations that a list can have shown
    request_id      blob,                          -- of a change
    reason          text    not null,              -- the code of the reason that was given, never its words
    outcome         integer not null,              -- the status code of gRPC
    left_out        integer not null,              -- refusals of this key before it that have no row of their own
    primary key (happened_at, id)
) strict, without rowid;

create index access_log_by_centre on access_log (centre_id, happened_at, id) where centre_id is not null;
create index access_log_by_event on access_log (event_id, happened_at, id) where event_id is not null;
create index access_log_by_key on access_log (key_id, happened_at, id);

create table access_key_uses (
    key_id          text    not null primary key,
    last_used_at    integer not null               -- to the minute or so
) strict, without rowid;

create table people (
    id              text    not null primary key,  -- the entry's number in twelve digits: 000000000001 ...
    version         integer not null,              -- 1: an entry never changes
    document        text    not null               -- JSON of model::person::PeopleEntry
) strict, without rowid;

create table secrets (
    name            text    not null primary key,
    value           blob    not null               -- made at the first start, the same for every instance
) strict, without rowid;
