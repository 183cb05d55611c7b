-- REPLACE removes the row in its way without asking the triggers on DELETE, unless a connection wants it to (recursive_triggers). So no
-- row may be in its way: the database alone numbers the entries. Of one that is not numbered yet, a trigger before the insert sees -1.

CREATE TRIGGER audit_is_not_replaced BEFORE INSERT ON audit WHEN NEW.number <> -1
BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only');
END;

CREATE TRIGGER audit_is_numbered_by_the_database AFTER INSERT ON audit WHEN NEW.number < 1
BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only');
END;
