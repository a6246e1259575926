-- SPDX-License-Identifier: Apache-2.0
-- Public keys of devices.  Consumed one-time keys stay, marked, until the
-- device is removed: a repeated upload must not bring one back.

CREATE TABLE device_keys (
	device_id    @I64@  NOT NULL PRIMARY KEY,
	updated_at   @I64@  NOT NULL,
	spk_id       @I64@  NOT NULL,            -- current signed prekey
	ticket       @I64@  NOT NULL,            -- random, of the last upload
	alg          @I16@  NOT NULL,
	identity_pub @BLOB@ NOT NULL,
	fingerprint  @TEXT@
@END@;

CREATE TABLE signed_prekeys (
	device_id  @I64@  NOT NULL,
	key_id     @I64@  NOT NULL,
	created_at @I64@  NOT NULL,
	expires_at @I64@,
	alg        @I16@  NOT NULL,
	pub        @BLOB@ NOT NULL,
	sig        @BLOB@ NOT NULL,
	PRIMARY KEY (device_id, key_id)
@ENDW@;

CREATE TABLE one_time_prekeys (
	seq         @SERIAL@,
	device_id   @I64@  NOT NULL,
	key_id      @I64@  NOT NULL,
	consumed_at @I64@,
	alg         @I16@  NOT NULL,
	pub         @BLOB@ NOT NULL,
	UNIQUE (device_id, key_id)
@END@;
CREATE INDEX otp_free ON one_time_prekeys(device_id, seq) WHERE consumed_at IS NULL;
