-- why: the first tables. An event is one small row that every batch rewrites (events), one document that
-- only staff rewrite (event_documents), and rows that are keyed by the event first: registrations, the
-- parties behind them, the journal, the request ids that were used, the reasons that staff wrote down.
-- Personal data stands in parties and in reasons, and nowhere else. Ids are made by the service; instants
-- are microseconds since 1970 UTC; unsigned 64-bit hashes are stored bit by bit as signed ones.
-- Text that orders anything has the collation "C", so that both databases order alike.
-- There are no foreign keys: every row of an event is written in the transaction that locks its event row.

create table events (
    id              uuid    not null primary key,
    journal_number  bigint  not null,              -- number of the last change; moves with every batch
    next_due        bigint,                        -- when something falls due by itself; null where nothing does
    free_seats      bigint,                        -- free seats in all; null where a pool has no bound
    starts_at       bigint  not null,              -- start of the first session; 2^63 - 1 where it has none
    centre_id       text    collate "C" not null,  -- whose event it is
    programme_id    text    collate "C",           -- the programme that it is an event of, if any
    municipality    text    not null,              -- code of the municipality of its venue
    kind            text    not null,              -- course, open_group, open_event, single_session, appointments, contest
    state           text    not null check (state in ('draft', 'published', 'cancelled', 'completed')),
    header          text    not null               -- what else the roster keeps: counts, next number ... (JSON)
) with (fillfactor = 40);                          -- room to rewrite the row on its page, without touching indexes

create index events_by_start on events (starts_at, id);
create index events_by_centre on events (centre_id, starts_at, id);
create index events_by_due on events (next_due, id) where next_due is not null;

create table event_documents (
    event_id        uuid    not null primary key,
    document        text    not null               -- the event as staff wrote it (JSON of model::event::Event)
);

create table registrations (
    event_id            uuid    not null,
    id                  uuid    not null,          -- the number, then 90 unguessable bits
    request_key         uuid    not null,          -- keyed hash of the request id of the sign-up
    number              bigint  not null,          -- accepted number: 1, 2, 3 ... in the event; may have gaps
    place               bigint  not null,          -- where it stands among its class; the number, or a later one
    size                bigint  not null,          -- persons
    accepted_at         bigint  not null,
    changed_at          bigint  not null,
    request_fingerprint bigint  not null,          -- keyed hash of what was asked under request_key
    expires_at          bigint,                    -- deadline of an offer
    email_key           bigint,                    -- keyed hash of the e-mail address
    phone_key           bigint,                    -- keyed hash of the telephone number
    contact_guard       bigint,                    -- the one of the two keys that nobody else live may have
    pool                integer,                   -- the pool whose seats it holds, confirmed or offered
    state               smallint not null check (state between 1 and 10), -- model::registration::StateKind
    steps               text    not null,          -- journal numbers of its changes: '17,240'
    outcome             text    not null,          -- as answered: 'state,position,pool,expires_at,journal_number'
    token_hash          bytea   not null,          -- SHA-256 of the management token
    rare                text,                      -- what few have: class, wishes, passed over, twin, end ... (JSON)
    primary key (event_id, number)
);

-- One effect per request id, and one live registration per contact, even if a cached roster were wrong.
create unique index registrations_by_request on registrations (event_id, request_key);
create unique index registrations_by_contact on registrations (event_id, contact_guard) where contact_guard is not null;

create table parties (
    event_id        uuid    not null,
    number          bigint  not null,
    document        text    not null,              -- contact, members, answers (JSON of model::party::Party)
    search          text    collate "C" not null,  -- names without case and diacritics
    primary key (event_id, number)
);

create table journal (
    event_id        uuid    not null,
    first_number    bigint  not null,              -- number of the first entry of the batch
    last_number     bigint  not null check (last_number >= first_number),
    written_at      bigint  not null,              -- time of the last entry of the batch
    counts          text    not null,              -- of the event after the batch: parties and persons that are confirmed,
                                                   -- offered, waiting, and free seats: '9,12,0,0,3,5,0'; nothing: no bound
    entries         text    not null,              -- the batch, in order (JSON array of admission::Entry)
    primary key (event_id, first_number)           -- a second writer of the same number cannot exist
);
-- Not compressed: the time would be spent inside the transaction that holds the event's lock.
alter table journal alter column entries set storage external;

-- The change feed: every batch of every event under one dense position. Whoever reads the feed first gives the
-- batches that have none a position, with the row of feed_end locked: a batch gets it when it is committed, not
-- before, so that nothing is skipped however long a transaction is held back; and sign-ups pay nothing for it.
create table feed (
    position        bigint  not null primary key,  -- 1, 2, 3 ... without a gap, in the order of their commits
    event_id        uuid    not null,
    first_number    bigint  not null,
    last_number     bigint  not null,
    moment          bigint  not null               -- the latest written_at up to this position: never goes back
);

create index feed_by_moment on feed (moment, position);

create table feed_heads (
    event_id        uuid    not null primary key,
    fed_number      bigint  not null               -- the last number of the event's journal that stands in the feed
) with (fillfactor = 50);                          -- room to rewrite the row on its page

create table feed_end (
    id              smallint not null primary key check (id = 1),
    position        bigint  not null,              -- the last position given
    moment          bigint  not null               -- its moment
) with (fillfactor = 10);                          -- one row, rewritten whenever something is added
insert into feed_end (id, position, moment) values (1, 0, -9223372036854775808);

create table requests (
    event_id        uuid    not null,
    request_key     uuid    not null,              -- keyed hash of the request id
    fingerprint     bigint  not null,              -- keyed hash of what was asked under it
    number          bigint  not null,              -- the registration that it is about; 0 for the event
    journal_number  bigint  not null,              -- last number of the batch that recorded it
    outcome         text    not null,              -- as in registrations
    answer          bytea,                         -- where it is about the event: as first answered (eile.v1.Event); where a contact became another: that there was a new token
    primary key (event_id, request_key)
);

create index requests_by_number on requests (event_id, journal_number);

create table reasons (
    event_id        uuid    not null,
    journal_number  bigint  not null,              -- the change that the reason belongs to
    number          bigint  not null,              -- the registration that it is about; 0 for the event
    reason          text    not null,              -- in the words of staff: personal data
    primary key (event_id, journal_number, number)
);

create table attendance (
    event_id        uuid    not null,
    session_no      integer not null,              -- the session's number in the event, never reused
    number          bigint  not null,              -- the registration
    member          integer not null,              -- the member's place in its party, from 1
    mark            smallint not null check (mark between 1 and 4), -- model::attendance::Mark
    minutes         integer not null,              -- of one who was present
    source          smallint not null check (source between 1 and 3), -- model::attendance::Source
    entered_by      smallint not null check (entered_by between 1 and 4), -- party, staff, portal, service
    happened_at     bigint  not null,
    entered_at      bigint  not null,
    journal_number  bigint  not null,              -- the entry that set it; what it was before stands there
    primary key (event_id, session_no, number, member)
);

create table open_requests (
    request_key     uuid    not null primary key,  -- keyed hash of caller, method and request id
    fingerprint     bigint  not null,
    answer          bytea   not null               -- the event, centre or programme as first answered (its message)
);

create table centres (
    id              text    collate "C" not null primary key,
    version         bigint  not null,              -- 1, then one more with each update
    document        text    not null               -- JSON of model::centre::Centre
);

create table programmes (
    id              text    collate "C" not null primary key,
    version         bigint  not null,
    document        text    not null               -- JSON of model::centre::Programme
);

create table digests (
    event_id        uuid    not null primary key,
    journal_number  bigint  not null,              -- the number that the event had: at another one it is worked out anew
    summary         bytea   not null,              -- what reports know of the event (report::digest)
    facts           bytea   not null               -- what they know of each registration; ids and codes, no names
);
-- Not compressed: a report reads all of them.
alter table digests alter column summary set storage external;
alter table digests alter column facts set storage external;

create table reports (
    id              text    collate "C" not null primary key,
    version         bigint  not null,              -- 1: a stored report never changes
    document        text    not null               -- JSON of model::report::Report
);

create table access_keys (
    id              text    collate "C" not null primary key,
    version         bigint  not null,              -- one more with each rotation; as in the document
    document        text    not null               -- JSON of model::access::AccessKey; secrets only as hashes
);

-- Who read personal data and who decided (docs/decisions/0021); no names, no contacts, no words of anybody.
create table access_log (
    happened_at     bigint  not null,              -- when the call ended; of a stream, when it began
    id              uuid    not null,              -- orders what happened in the same microsecond
    key_id          text collate "C" not null,     -- whose key; '' where none is asked for
    role            text,                          -- of the key
    person          uuid,                          -- who sat before the tool; only the tool can say who that is
    method          text    not null,              -- the rpc
    kind            text    not null check (kind in ('read', 'decision')),
    centre_id       text collate "C",              -- whose people it was about, where that is one centre
    event_id        uuid,
    registration_id uuid,                          -- where it was about one
    rows_max        bigint,                        -- the most registrations that a list can have shown
    request_id      uuid,                          -- of a change
    reason          text    not null,              -- the code of the reason that was given, never its words
    outcome         smallint not null,             -- the status code of gRPC
    left_out        bigint  not null,              -- refusals of this key before it that have no row of their own
    primary key (happened_at, id)
);

create index access_log_by_centre on access_log (centre_id, happened_at, id) where centre_id is not null;
create index access_log_by_event on access_log (event_id, happened_at, id) where event_id is not null;
create index access_log_by_key on access_log (key_id, happened_at, id);

create table access_key_uses (
    key_id          text collate "C" not null primary key,
    last_used_at    bigint  not null               -- to the minute or so
);

create table people (
    id              text    collate "C" not null primary key, -- the entry's number in twelve digits: 000000000001 ...
    version         bigint  not null,              -- 1: an entry never changes
    document        text    not null               -- JSON of model::person::PeopleEntry
);

create table secrets (
    name            text    not null primary key,
    value           bytea   not null               -- made at the first start, the same for every instance
);

-- The second wall (docs/decisions/0024): what belongs to people or centres is shown to whoever says, in the same
-- transaction, on whose behalf it reads. The owner of the tables is bound like everybody else. Who says nothing
-- is not shown less, but fails: without the setting it is not known, and nothing is no number. Writing shows
-- nothing, and new rows ask for nothing.
alter table parties enable row level security;
alter table parties force row level security;
create policy by_reach on parties
using (
  case (select current_setting('eile.reach'))
    when 'service' then true
    when 'all' then true
    when 'within' then exists (
      select 1
      from events as e
      where e.id = parties.event_id
        and (
          current_setting('eile.centres', true) = '*'
          or e.centre_id = any (string_to_array(current_setting('eile.centres', true), ','))
        )
        and (
          current_setting('eile.events', true) = '*'
          or e.id::text = any (string_to_array(current_setting('eile.events', true), ','))
        )
    )
    when 'registration' then parties.event_id::text || '/' || parties.number = current_setting('eile.registration', true)
    else (select current_setting('eile.reach'))::integer is null
  end
)
with check (true);

alter table reasons enable row level security;
alter table reasons force row level security;
create policy by_reach on reasons
using (
  case (select current_setting('eile.reach'))
    when 'service' then true
    when 'all' then true
    when 'within' then exists (
      select 1
      from events as e
      where e.id = reasons.event_id
        and (
          current_setting('eile.centres', true) = '*'
          or e.centre_id = any (string_to_array(current_setting('eile.centres', true), ','))
        )
        and (
          current_setting('eile.events', true) = '*'
          or e.id::text = any (string_to_array(current_setting('eile.events', true), ','))
        )
    )
    when 'registration' then reasons.event_id::text || '/' || reasons.number = current_setting('eile.registration', true)
    else (select current_setting('eile.reach'))::integer is null
  end
)
with check (true);

alter table attendance enable row level security;
alter table attendance force row level security;
create policy by_reach on attendance
using (
  case (select current_setting('eile.reach'))
    when 'service' then true
    when 'all' then true
    when 'within' then exists (
      select 1
      from events as e
      where e.id = attendance.event_id
        and (
          current_setting('eile.centres', true) = '*'
          or e.centre_id = any (string_to_array(current_setting('eile.centres', true), ','))
        )
        and (
          current_setting('eile.events', true) = '*'
          or e.id::text = any (string_to_array(current_setting('eile.events', true), ','))
        )
    )
    when 'registration' then attendance.event_id::text || '/' || attendance.number = current_setting('eile.registration', true)
    else (select current_setting('eile.reach'))::integer is null
  end
)
with check (true);

alter table access_log enable row level security;
alter table access_log force row level security;
create policy by_reach on access_log
using (
  case (select current_setting('eile.reach'))
    when 'service' then true
    when 'all' then true
    when 'within' then (
      current_setting('eile.centres', true) = '*'
      or centre_id = any (string_to_array(current_setting('eile.centres', true), ','))
    ) and (
      current_setting('eile.events', true) = '*'
      or event_id::text = any (string_to_array(current_setting('eile.events', true), ','))
    )
    when 'registration' then false
    else (select current_setting('eile.reach'))::integer is null
  end
)
with check (true);

alter table reports enable row level security;
alter table reports force row level security;
create policy by_reach on reports
using (
  case (select current_setting('eile.reach'))
    when 'service' then true
    when 'all' then true
    when 'within' then (
      current_setting('eile.centres', true) = '*'
      or (document::jsonb ->> 'centre') = any (string_to_array(current_setting('eile.centres', true), ','))
    ) and current_setting('eile.events', true) = '*'
    when 'registration' then false
    else (select current_setting('eile.reach'))::integer is null
  end
)
with check (true);
