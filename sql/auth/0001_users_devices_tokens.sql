-- SPDX-License-Identifier: Apache-2.0
-- Who may come in: people, their devices, and the refresh tokens of each login.

CREATE TABLE users (
	id           @I64@  NOT NULL PRIMARY KEY,
	created_at   @I64@  NOT NULL,
	erased_at    @I64@,
	number       @TEXT@ NOT NULL UNIQUE,     -- the digits after +99; never given twice
	username     @TEXT@,
	username_key @TEXT@ UNIQUE,              -- lower case, made in C
	full_name    @TEXT@,
	pw_hash      @TEXT@                      -- PHC string, NULL once erased
@END@;

CREATE TABLE devices (
	id           @SERIAL@,                   -- userDeviceId of the wire contract
	device_id    @I64@  NOT NULL UNIQUE,
	user_id      @I64@  NOT NULL,
	created_at   @I64@  NOT NULL,
	last_seen_at @I64@,
	removed_at   @I64@,
	token_epoch  @I32@  NOT NULL DEFAULT 0,
	platform     @I16@  NOT NULL,            -- 0 unknown 1 ios 2 android 3 desktop 4 web
	label        @TEXT@
@HOT@;
CREATE INDEX devices_user ON devices(user_id, created_at, device_id);
-- For the purge of keys at start; holds nothing while nobody removes a device.
CREATE INDEX devices_removed ON devices(device_id) WHERE removed_at IS NOT NULL;

CREATE TABLE refresh_tokens (
	jti         @BLOB@ NOT NULL PRIMARY KEY,
	user_id     @I64@  NOT NULL,
	device_id   @I64@  NOT NULL,
	family      @BLOB@ NOT NULL,             -- jti of the login
	secret_hash @BLOB@ NOT NULL,             -- SHA-256
	created_at  @I64@  NOT NULL,
	expires_at  @I64@  NOT NULL,
	revoked_at  @I64@,
	replaced_by @BLOB@,
	killed_at   @I64@
@ENDW@;
CREATE INDEX refresh_device ON refresh_tokens(device_id) WHERE revoked_at IS NULL;
CREATE INDEX refresh_user ON refresh_tokens(user_id) WHERE revoked_at IS NULL;
CREATE INDEX refresh_family ON refresh_tokens(family) WHERE killed_at IS NULL;
CREATE INDEX refresh_exp ON refresh_tokens(expires_at);
