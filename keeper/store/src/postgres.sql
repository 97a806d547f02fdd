-- PostgreSQL's way of refusing changes to what is append-only, and the lease of the one keeper that writes the log.
-- The tables' owner can remove the triggers; the chain of hashes then shows what was changed.
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% append-only', TG_ARGV[0];
END $$;
CREATE TRIGGER event_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON event
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('the log is');
CREATE TRIGGER request_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON request
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('requests are');
CREATE TRIGGER command_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON command
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('commands are');

-- Who may write the log. Times are milliseconds since 1970, by this server's clock.
CREATE TABLE lease (
    name     TEXT   NOT NULL PRIMARY KEY,
    holder   TEXT   NOT NULL,
    -- Grows with each keeper that takes it. Every commit of the log holds its own against it.
    epoch    BIGINT NOT NULL,
    taken    BIGINT NOT NULL,
    expires  BIGINT NOT NULL,
    -- Of the server when it was taken: a promoted or restored server has another timeline, and one whose commits waited for
    -- no replica may then lack some.
    timeline TEXT   NOT NULL,
    replicas TEXT   NOT NULL
);
INSERT INTO lease (name, holder, epoch, taken, expires, timeline, replicas) VALUES ('engine', '', 0, 0, 0, '', '');
