-- SPDX-License-Identifier: Apache-2.0
-- What the core itself asks: is the store there, which migrations ran.

-- name: core.ping
-- args:
-- columns: db:i
SELECT i
FROM convro_meta
WHERE name = 'db_epoch';

-- Whether core/0001 ran: everything else here needs its tables.
-- name: core.is_installed pg
-- args:
-- columns: found:i
SELECT count(*)
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'convro' AND c.relname = 'convro_migration';

-- name: core.is_installed sqlite
-- args:
-- columns: found:i
SELECT count(*)
FROM sqlite_schema
WHERE type = 'table' AND name = 'convro_migration';

-- name: core.migrations
-- args:
-- columns: module:t version:j name:t checksum:b
SELECT module, version, name, checksum
FROM convro_migration
ORDER BY module, version;

-- First statement of every migration's transaction: two migrators queue here
-- where advisory locks do nothing.
-- name: core.migration_lock
-- args:
-- columns:
-- flags: write idempotent
UPDATE convro_meta
SET i = i
WHERE name = 'migration_lock';

-- name: core.migration_add
-- args: module:t version:j name:t checksum:b now:i
-- columns:
-- flags: write
INSERT INTO convro_migration(module, version, name, checksum, applied_at)
VALUES ($1, $2, $3, $4, $5);

-- name: core.meta_get
-- args: name:t
-- columns: i:i b:b?
SELECT i, b
FROM convro_meta
WHERE name = $1;

-- The first writer wins for ever: another perm_key would give numbers twice.
-- Read it back after the commit.
-- name: core.meta_put_blob
-- args: name:t b:b
-- columns:
-- flags: write idempotent
INSERT INTO convro_meta(name, b)
VALUES ($1, $2)
ON CONFLICT (name) DO NOTHING;
