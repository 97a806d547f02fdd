-- What a publisher keeps: in a file of its own beside a SQLite store, in tables of their own on PostgreSQL. Both databases take it.
-- Times are milliseconds since 1970: of a lease by the database's clock, of a delivery by the publisher's.
CREATE TABLE publish_meta (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);

-- How far each receiver has come, and who works for it.
CREATE TABLE publish_sink (
    name    TEXT   NOT NULL PRIMARY KEY,
    -- Every entry up to this one is done: taken by the receiver, or in publish_delivery. Its hash shows another log.
    seq     BIGINT NOT NULL,
    hash    BYTEA  NOT NULL,
    -- Grows with each publisher that takes it; every commit holds its own against it.
    epoch   BIGINT NOT NULL,
    holder  TEXT   NOT NULL,
    expires BIGINT NOT NULL
);

-- What a receiver did not take when it was told, and what waits behind that.
CREATE TABLE publish_delivery (
    sink    TEXT   NOT NULL,
    seq     BIGINT NOT NULL,
    tries   BIGINT NOT NULL,
    first   BIGINT NOT NULL,
    next    BIGINT NOT NULL,
    why     TEXT   NOT NULL,
    -- When it was given up; 0 while it is tried.
    dead    BIGINT NOT NULL,
    PRIMARY KEY (sink, seq)
);
INSERT INTO publish_meta (name, value) VALUES ('version', '1');
