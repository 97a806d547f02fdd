-- SQLite's way of refusing changes to what is append-only. PostgreSQL writes triggers differently.
-- Somebody with the file can remove these; the chain of hashes then shows what was changed.
CREATE TRIGGER event_is_never_updated BEFORE UPDATE ON event
BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
CREATE TRIGGER event_is_never_deleted BEFORE DELETE ON event
BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
CREATE TRIGGER request_is_never_updated BEFORE UPDATE ON request
BEGIN SELECT RAISE(ABORT, 'requests are append-only'); END;
CREATE TRIGGER request_is_never_deleted BEFORE DELETE ON request
BEGIN SELECT RAISE(ABORT, 'requests are append-only'); END;
CREATE TRIGGER command_is_never_updated BEFORE UPDATE ON command
BEGIN SELECT RAISE(ABORT, 'commands are append-only'); END;
CREATE TRIGGER command_is_never_deleted BEFORE DELETE ON command
BEGIN SELECT RAISE(ABORT, 'commands are append-only'); END;
