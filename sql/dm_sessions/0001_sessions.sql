-- SPDX-License-Identifier: Apache-2.0
-- Conversations of two devices.  A sessionId is unique for each device, not for
-- all: every look-up starts at (device, session_id) in dm_participants.

-- No index may hold last_id, last_at or unread_*: every send is then a HOT update.
CREATE TABLE dm_sessions (
	id               @SERIAL@,
	initiator_device @I64@ NOT NULL,
	responder_device @I64@ NOT NULL,
	initiator_user   @I64@ NOT NULL,
	responder_user   @I64@ NOT NULL,
	created_at       @I64@ NOT NULL,
	accepted_at      @I64@,
	last_id          @I64@ NOT NULL DEFAULT 0,
	last_at          @I64@ NOT NULL,         -- last message, else accept, else open
	session_id       @I32@ NOT NULL,
	unread_i         @I32@ NOT NULL DEFAULT 0,
	unread_r         @I32@ NOT NULL DEFAULT 0,
	state            @I16@ NOT NULL DEFAULT 0    -- 0 PENDING 1 ACTIVE
@HOT@;
CREATE INDEX dm_incoming ON dm_sessions(responder_device, id) WHERE state = 0;
CREATE INDEX dm_pending ON dm_sessions(responder_device, initiator_device) WHERE state = 0;

CREATE TABLE dm_participants (
	device_id  @I64@ NOT NULL,
	session_id @I32@ NOT NULL,
	session    @I64@ NOT NULL,
	role       @I16@ NOT NULL,               -- 0 initiator 1 responder
	PRIMARY KEY (device_id, session_id)
	INCLUDE (session, role)                                          -- pg
@ENDW@;

-- Apart, so that the row every send touches stays at 110 bytes.
CREATE TABLE dm_offers (
	session @I64@  NOT NULL PRIMARY KEY,
	offer   @TEXT@ NOT NULL
@END@;
