-- Migrations that have ended and that vmferry still looks after: they have left something on a host, or it is not certain where
-- the VM is (model::Migration::needs_care).

ALTER TABLE migrations ADD COLUMN needs_care INTEGER NOT NULL DEFAULT 0; -- 1 as long as that is so

-- Of earlier versions' migrations only the second is known.
UPDATE migrations SET needs_care = 1 WHERE phase = 'needs-attention';

CREATE INDEX migrations_needing_care ON migrations (id) WHERE needs_care;
