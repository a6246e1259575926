-- SPDX-License-Identifier: Apache-2.0
-- The books of the installation: which migrations ran, and a few values that
-- belong to the database as a whole.  Types and macros: design, storage, section 1.
CREATE SCHEMA IF NOT EXISTS convro;                                      -- pg
SET search_path = convro;                                                -- pg
PRAGMA application_id = 1129141583;                                      -- sqlite

CREATE TABLE convro_migration (
	module     @TEXT@ NOT NULL,
	version    @I32@  NOT NULL,
	name       @TEXT@ NOT NULL,
	checksum   @BLOB@ NOT NULL,      -- SHA-256 of the file, 32 bytes
	applied_at @I64@  NOT NULL,
	PRIMARY KEY (module, version)
@ENDW@;

-- db_epoch, perm_key, ordinal, migration_lock
CREATE TABLE convro_meta (
	name @TEXT@ NOT NULL PRIMARY KEY,
	i    @I64@  NOT NULL DEFAULT 0,
	b    @BLOB@
@ENDW@;

INSERT INTO convro_meta(name, i)
VALUES ('db_epoch', 1), ('ordinal', 0), ('migration_lock', 0);
