-- SPDX-License-Identifier: Apache-2.0
-- Messages and what became of them.  Ids are one ascending sequence, drawn
-- while the session row and the recipient's mailbox are locked; it keeps
-- CACHE 1, since cached blocks would break that order.

CREATE TABLE messages (
	id         @SERIAL@,
	session    @I64@  NOT NULL,
	server_ts  @I64@  NOT NULL,
	client_ts  @I64@,
	expires_at @I64@,                        -- for later, always NULL now
	ver        @I32@  NOT NULL,
	dir        @I16@  NOT NULL,              -- role of the sender
	kind       @I16@  NOT NULL DEFAULT 0,    -- for later, always 0 now
	cmid       @BLOB@ NOT NULL,              -- clientMessageId, packed: design, storage, section 1
	auth_tag   @BLOB@ NOT NULL,
	ciphertext @BLOB@ NOT NULL
@END@;
CREATE INDEX messages_page ON messages(session, id);
CREATE UNIQUE INDEX messages_idem ON messages(session, dir, cmid);
-- Ciphertext does not compress.
ALTER TABLE messages ALTER ciphertext SET STORAGE EXTERNAL;              -- pg

CREATE TABLE message_receipts (
	message_id   @I64@ NOT NULL,
	device_id    @I64@ NOT NULL,
	delivered_at @I64@ NOT NULL,
	read_at      @I64@,
	status       @I16@ NOT NULL,             -- 1 DELIVERED 2 READ
	PRIMARY KEY (message_id, device_id)
@ENDW@;
