-- The journal of one account. Everything but `requests` is only ever appended to.
-- Whatever changes here raises SCHEMA_VERSION in journal.py.

PRAGMA application_id = 1213813826;  -- "HYDB": tells a journal from any other SQLite file

CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- One fact a row. `hash` is SHA-256 over the hash of the row before and all other columns, in hexadecimal.
-- `time_ns`, `parent_id` and `order_ref` repeat what the payload holds, to be found by.
CREATE TABLE events (
    seq       INTEGER PRIMARY KEY,
    time_ns   INTEGER NOT NULL,  -- market time, UTC nanoseconds
    kind      TEXT NOT NULL,     -- name of the event's class
    parent_id TEXT,
    order_ref TEXT,
    payload   TEXT NOT NULL,     -- JSON
    hash      TEXT NOT NULL
) STRICT;

CREATE INDEX events_by_kind ON events (kind, seq);
CREATE INDEX events_by_parent ON events (parent_id, seq);

-- One check of the gate a row, passed or not.
CREATE TABLE decisions (
    seq         INTEGER PRIMARY KEY,
    time_ns     INTEGER NOT NULL,
    parent_id   TEXT NOT NULL,
    slice       INTEGER,           -- NULL on a parent's
    action      TEXT NOT NULL,     -- parent, place, modify
    check_name  TEXT NOT NULL,
    allowed     INTEGER NOT NULL,  -- 0 or 1
    observed    REAL,              -- in `unit`
    limit_value REAL,              -- in `unit`
    unit        TEXT NOT NULL,
    message     TEXT NOT NULL,
    source      TEXT NOT NULL,
    would_pass  REAL,
    transient   INTEGER NOT NULL   -- 0 or 1
) STRICT;

-- The market as our feed showed it, for analysis; prices in the quoted unit.
CREATE TABLE quotes (
    seq          INTEGER PRIMARY KEY,
    time_ns      INTEGER NOT NULL,
    con_id       INTEGER NOT NULL,
    local_symbol TEXT NOT NULL,
    bid          REAL,
    bid_size     INTEGER NOT NULL,
    ask          REAL,
    ask_size     INTEGER NOT NULL,
    last         REAL,
    last_size    INTEGER NOT NULL,
    volume       INTEGER
) STRICT;

-- What another process asks of the desk that holds the journal.
CREATE TABLE requests (
    id      INTEGER PRIMARY KEY,
    kind    TEXT NOT NULL,                           -- kill
    reason  TEXT NOT NULL,
    created TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP, -- the host's time, UTC
    settled INTEGER NOT NULL DEFAULT 0               -- 1 once the desk has acted on it
) STRICT;

CREATE TRIGGER events_stay BEFORE UPDATE ON events BEGIN SELECT RAISE(ABORT, 'events are only appended'); END;
CREATE TRIGGER events_remain BEFORE DELETE ON events BEGIN SELECT RAISE(ABORT, 'events are only appended'); END;
CREATE TRIGGER decisions_stay BEFORE UPDATE ON decisions BEGIN SELECT RAISE(ABORT, 'decisions are only appended'); END;
CREATE TRIGGER decisions_remain BEFORE DELETE ON decisions BEGIN SELECT RAISE(ABORT, 'decisions are only appended'); END;
