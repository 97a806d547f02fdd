-- The keeper's tables. Written so that SQLite and PostgreSQL both take it: 8-byte integers, text and bytes only.
-- Payment numbers use all 64 bits and are stored as 8 bytes, big-endian; amounts as decimal text, in base units.

-- What was asked for. Others than the engine insert here, and nobody changes or deletes.
CREATE TABLE request (
    ref       BYTEA  NOT NULL PRIMARY KEY,
    arrival   BIGINT NOT NULL UNIQUE,
    body_hash BYTEA  NOT NULL,
    recipient BYTEA  NOT NULL,
    amount    TEXT   NOT NULL
);

-- What operators asked for, likewise.
CREATE TABLE command (
    arrival BIGINT NOT NULL PRIMARY KEY,
    body    TEXT   NOT NULL
);

-- The last arrival given out. Taking one locks the row until the end of the transaction, so that arrivals become
-- visible in their order: who has read through one never misses a lower one.
CREATE TABLE arrivals (
    kind TEXT   NOT NULL PRIMARY KEY,
    last BIGINT NOT NULL
);
INSERT INTO arrivals (kind, last) VALUES ('request', 0), ('command', 0);

-- The log.
CREATE TABLE event (
    seq  BIGINT NOT NULL PRIMARY KEY,
    kind TEXT   NOT NULL,
    body TEXT   NOT NULL,
    prev BYTEA  NOT NULL,
    hash BYTEA  NOT NULL
);

-- From here on: folded from the log, and written in the transaction that writes the events.
CREATE TABLE payment (
    ref       BYTEA  NOT NULL PRIMARY KEY,
    arrival   BIGINT NOT NULL,
    recipient BYTEA  NOT NULL,
    amount    TEXT   NOT NULL,
    status    TEXT   NOT NULL,
    reason    TEXT,
    number    BYTEA  UNIQUE,
    batch     BYTEA,
    tries     BIGINT NOT NULL
);
CREATE INDEX payment_status ON payment (status);

CREATE TABLE batch (
    id       BYTEA NOT NULL PRIMARY KEY,
    header   TEXT  NOT NULL,
    payments BYTEA NOT NULL,
    route    TEXT  NOT NULL,
    status   TEXT  NOT NULL,
    paid     BYTEA NOT NULL
);
CREATE INDEX batch_status ON batch (status);

CREATE TABLE slot (
    nonce  BIGINT NOT NULL PRIMARY KEY,
    status TEXT   NOT NULL,
    job    TEXT   NOT NULL,
    batch  BYTEA
);
CREATE INDEX slot_status ON slot (status);

CREATE TABLE attempt (
    hash    BYTEA  NOT NULL PRIMARY KEY,
    nonce   BIGINT NOT NULL REFERENCES slot (nonce),
    place   BIGINT NOT NULL,
    raw     BYTEA  NOT NULL,
    max_fee TEXT   NOT NULL,
    tip     TEXT   NOT NULL,
    job     TEXT   NOT NULL,
    batch   BYTEA,
    status  TEXT   NOT NULL,
    UNIQUE (nonce, place)
);

CREATE TABLE checkpoint (
    vault  BYTEA  NOT NULL PRIMARY KEY,
    number BIGINT NOT NULL,
    hash   BYTEA  NOT NULL,
    time   BIGINT NOT NULL
);

-- How far each reader of the log has come.
CREATE TABLE cursor (
    consumer TEXT   NOT NULL PRIMARY KEY,
    seq      BIGINT NOT NULL
);

-- 'schema', 'identity' and 'log', as JSON.
CREATE TABLE meta (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);

-- What was quoted for payments, as JSON; nothing is decided by it.
CREATE TABLE quote (
    ref  BYTEA NOT NULL PRIMARY KEY,
    body TEXT  NOT NULL
);

-- What people did through the API. A chain of its own: each hash covers the one before it. `answers` is the act that this one ends.
CREATE TABLE act (
    seq     BIGINT NOT NULL PRIMARY KEY,
    answers BIGINT UNIQUE,
    body    TEXT   NOT NULL,
    prev    BYTEA  NOT NULL,
    hash    BYTEA  NOT NULL
);

-- Votes for batches that signers gave off chain, for anybody to bring to the vault.
CREATE TABLE vote (
    batch     BYTEA  NOT NULL,
    signer    BYTEA  NOT NULL,
    epoch     BIGINT NOT NULL,
    signature BYTEA  NOT NULL,
    PRIMARY KEY (batch, signer, epoch)
);

-- What a requester noted beside a withdrawal, as JSON; nothing is decided by it. It may be personal, so the log has none of it.
CREATE TABLE metadata (
    ref  BYTEA NOT NULL PRIMARY KEY,
    body TEXT  NOT NULL
);

-- Sessions of people who signed in, by the hash of what their browser shows. They end and are gone, and no copy of the store has them.
CREATE TABLE session (
    hash    BYTEA  NOT NULL PRIMARY KEY,
    person  TEXT   NOT NULL,
    body    TEXT   NOT NULL,
    ends_at BIGINT NOT NULL
);
CREATE INDEX session_person ON session (person);
