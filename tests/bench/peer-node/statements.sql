-- SPDX-License-Identifier: Apache-2.0
-- Storing one message, as one would write it for one row: lock, then insert.  The
-- order that the contract asks for needs both locks until commit, and an insert
-- whose snapshot is newer than they are.  bench.js gives the same to pgbench.

-- name: peer.send_lock
-- args: device:i sid:j
WITH s AS MATERIALIZED (
  SELECT s.id, s.state, s.last_at, p.role, s.initiator_user, s.responder_user,
    CASE p.role WHEN 0 THEN s.responder_device ELSE s.initiator_device END AS peer
  FROM dm_participants p
  JOIN dm_sessions s ON s.id = p.session
  WHERE p.device_id = $1 AND p.session_id = $2
  FOR NO KEY UPDATE OF s
)
SELECT s.id, s.state, s.last_at, s.role, s.initiator_user, s.responder_user, s.peer,
  (SELECT d.removed_at IS NOT NULL FROM devices d WHERE d.device_id = s.peer),
  pg_advisory_xact_lock(17229, hashint8(s.peer))
FROM s;

-- name: peer.send
-- args: session:i ts:i cts:i? ver:j dir:j cmid:b tag:b ct:b
WITH i AS (
  INSERT INTO messages(session, server_ts, client_ts, ver, dir, cmid, auth_tag, ciphertext)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
  ON CONFLICT (session, dir, cmid) DO NOTHING
  RETURNING id
)
UPDATE dm_sessions s
SET last_id = i.id,
    last_at = $2,
    unread_r = s.unread_r + 1 - $5,
    unread_i = s.unread_i + $5
FROM i
WHERE s.id = $1
RETURNING i.id;

-- name: peer.sent_before
-- args: session:i dir:j cmid:b
SELECT m.id, m.server_ts, m.client_ts, m.ver, m.auth_tag, m.ciphertext,
  (SELECT r.status FROM message_receipts r WHERE r.message_id = m.id) AS status
FROM messages m
WHERE m.session = $1 AND m.dir = $2 AND m.cmid = $3;
