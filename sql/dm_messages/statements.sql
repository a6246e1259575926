-- SPDX-License-Identifier: Apache-2.0
-- Messages (design: storage, section 2.4).
--   send      send_lock + send
--   receipts  receipt_lock + receipt; no row for a single id: receipt_why
--   history   head + before | after, with limit + 1
-- On PostgreSQL one text of send and receipt serves one request (arrays of one)
-- and a coalesced group; SQLite runs its text once for each row.
-- A message has one receipt at most, its recipient's.  It is looked up for each
-- row and never joined: the plan of a join, when it was made while there were no
-- receipts, reads all of them for each row.

-- Session rows by id, then mailboxes by hash, both until commit.  Taken before
-- the statement that draws ids: its snapshot is then newer than the locks.
-- name: dm_messages.send_lock pg
-- args: dev:i[] sid:j[]
-- columns: n:i
-- flags: coalesce locks
WITH s AS MATERIALIZED (
  SELECT s.id,
    CASE p.role WHEN 0 THEN s.responder_device ELSE s.initiator_device END AS peer
  FROM unnest($1::int8[], $2::int4[]) q(dev, sid)
  JOIN dm_participants p ON p.device_id = q.dev AND p.session_id = q.sid
  JOIN dm_sessions s ON s.id = p.session
  ORDER BY s.id
  FOR NO KEY UPDATE OF s
)
SELECT count(pg_advisory_xact_lock(17229, h))
FROM (SELECT DISTINCT hashint8(peer) AS h FROM s ORDER BY h) x;

-- outcome: 0 new, 1 repeated, 2 CLIENT_MESSAGE_ID_REUSED, 3 SESSION_NOT_ACTIVE,
-- 4 PEER_GONE, 5 RECIPIENT_MISMATCH; no row: SESSION_NOT_FOUND.  The server's
-- time never runs backwards within a session.
-- name: dm_messages.send pg
-- args: dev:i[] sid:j[] rcpt:i[] cmid:b[] cts:i[] ver:j[] tag:b[] ct:b[] now:i
-- columns: ord:i outcome:j id:i? ts:i? cts:i? ver:j status:j sender_user:i peer_user:i peer_device:i
-- flags: write idempotent coalesce
-- key: 1 2 4
WITH q AS MATERIALIZED (
  SELECT *
  FROM unnest($1::int8[], $2::int4[], $3::int8[], $4::bytea[],
              $5::int8[], $6::int4[], $7::bytea[], $8::bytea[])
    WITH ORDINALITY AS t(dev, sid, rcpt, cmid, cts, ver, tag, ct, ord)
),
v AS MATERIALIZED (
  SELECT q.*, x.*,
    CASE
      WHEN q.rcpt <> x.peer_device THEN 5
      WHEN m.id IS NOT NULL THEN
        CASE WHEN m.auth_tag = q.tag AND m.ciphertext = q.ct THEN 1 ELSE 2 END
      WHEN d.removed_at IS NOT NULL THEN 4
      WHEN x.state = 1 OR x.role = 0 THEN 0
      ELSE 3
    END AS outcome,
    m.id AS old_id, m.server_ts AS old_ts, m.client_ts AS old_cts, m.ver AS old_ver
  FROM q
  JOIN LATERAL (
    SELECT s.id AS session, s.state, s.last_at, p.role,
      CASE p.role WHEN 0 THEN s.responder_device ELSE s.initiator_device END AS peer_device,
      CASE p.role WHEN 0 THEN s.initiator_user ELSE s.responder_user END AS my_user,
      CASE p.role WHEN 0 THEN s.responder_user ELSE s.initiator_user END AS peer_user
    FROM dm_participants p
    JOIN dm_sessions s ON s.id = p.session
    WHERE p.device_id = q.dev AND p.session_id = q.sid
  ) x ON true
  JOIN devices d ON d.device_id = x.peer_device
  LEFT JOIN LATERAL (
    SELECT *
    FROM messages m
    WHERE m.session = x.session AND m.dir = x.role AND m.cmid = q.cmid
    LIMIT 1
  ) m ON true
),
n AS MATERIALIZED (
  SELECT nextval('messages_id_seq') AS id,
    CASE WHEN y.last_at > $9 THEN y.last_at ELSE $9 END AS ts,
    y.*
  FROM (SELECT * FROM v WHERE outcome = 0 ORDER BY ord) y
),
i AS (
  INSERT INTO messages(id, session, server_ts, client_ts, ver, dir, cmid, auth_tag, ciphertext)
  SELECT id, session, ts, cts, ver, role, cmid, tag, ct
  FROM n
),
u AS (
  UPDATE dm_sessions s
  SET last_id = a.id,
      last_at = a.ts,
      unread_r = s.unread_r + a.r,
      unread_i = s.unread_i + a.i
  FROM (SELECT session, max(id) AS id, max(ts) AS ts,
          count(*) FILTER (WHERE role = 0) AS r,
          count(*) FILTER (WHERE role = 1) AS i
        FROM n
        GROUP BY session) a
  WHERE s.id = a.session
)
SELECT ord, outcome, id, ts, cts, ver, 0 AS status, my_user, peer_user, peer_device
FROM n
UNION ALL
SELECT v.ord, v.outcome, v.old_id, v.old_ts, v.old_cts, coalesce(v.old_ver, 0),
  coalesce((SELECT r.status FROM message_receipts r WHERE r.message_id = v.old_id), 0),
  v.my_user, v.peer_user, v.peer_device
FROM v
WHERE v.outcome <> 0;

-- changes() tells the second and third step whether the first stored a row.
-- name: dm_messages.send sqlite
-- args: dev:i sid:j rcpt:i? cmid:b cts:i? ver:j tag:b ct:b now:i
-- columns: outcome:j id:i? ts:i? cts:i? ver:j status:j sender_user:i peer_user:i peer_device:i
INSERT INTO messages(session, server_ts, client_ts, ver, dir, cmid, auth_tag, ciphertext)
SELECT s.id, CASE WHEN s.last_at > $9 THEN s.last_at ELSE $9 END, $5, $6, p.role, $4, $7, $8
FROM dm_participants p
JOIN dm_sessions s ON s.id = p.session
JOIN devices d
  ON d.device_id = CASE p.role WHEN 0 THEN s.responder_device ELSE s.initiator_device END
WHERE p.device_id = $1
  AND p.session_id = $2
  AND ($3 IS NULL OR $3 = d.device_id)
  AND d.removed_at IS NULL
  AND (s.state = 1 OR p.role = 0)
ON CONFLICT (session, dir, cmid) DO NOTHING;
UPDATE dm_sessions
SET last_id = last_insert_rowid(),
    last_at = CASE WHEN last_at > $9 THEN last_at ELSE $9 END,
    unread_r = unread_r + CASE WHEN initiator_device = $1 THEN 1 ELSE 0 END,
    unread_i = unread_i + CASE WHEN initiator_device = $1 THEN 0 ELSE 1 END
WHERE changes() > 0
  AND id = (SELECT session FROM dm_participants WHERE device_id = $1 AND session_id = $2);
SELECT
  CASE
    WHEN $3 <> d.device_id THEN 5
    WHEN m.id IS NOT NULL AND changes() > 0 THEN 0
    WHEN m.id IS NOT NULL THEN
      CASE WHEN m.auth_tag = $7 AND m.ciphertext = $8 THEN 1 ELSE 2 END
    WHEN d.removed_at IS NOT NULL THEN 4
    ELSE 3
  END,
  m.id, m.server_ts, m.client_ts, coalesce(m.ver, 0),
  coalesce((SELECT r.status FROM message_receipts r WHERE r.message_id = m.id), 0),
  CASE p.role WHEN 0 THEN s.initiator_user ELSE s.responder_user END,
  CASE p.role WHEN 0 THEN s.responder_user ELSE s.initiator_user END,
  d.device_id
FROM dm_participants p
JOIN dm_sessions s ON s.id = p.session
JOIN devices d
  ON d.device_id = CASE p.role WHEN 0 THEN s.responder_device ELSE s.initiator_device END
LEFT JOIN messages m ON m.session = s.id AND m.dir = p.role AND m.cmid = $4
WHERE p.device_id = $1 AND p.session_id = $2;

-- name: dm_messages.head
-- args: device:i sid:j
-- columns: session:i state:j role:j initiator_user:i responder_user:i initiator_device:i responder_device:i
SELECT s.id, s.state, p.role, s.initiator_user, s.responder_user,
  s.initiator_device, s.responder_device
FROM dm_participants p
JOIN dm_sessions s ON s.id = p.session
WHERE p.device_id = $1 AND p.session_id = $2;

-- Newest first: the module turns the page round.
-- name: dm_messages.before
-- args: device:i sid:j before:i limit:i incoming:j
-- columns: id:i ts:i cts:i? ver:j dir:j cmid:b tag:b ct:b status:j?
SELECT m.id, m.server_ts, m.client_ts, m.ver, m.dir, m.cmid, m.auth_tag, m.ciphertext,
  (SELECT r.status FROM message_receipts r WHERE r.message_id = m.id)
FROM messages m
WHERE m.session = (SELECT session FROM dm_participants WHERE device_id = $1 AND session_id = $2)
  AND m.id < $3
  AND ($5 = 0
       OR m.dir <> (SELECT role FROM dm_participants WHERE device_id = $1 AND session_id = $2))
ORDER BY m.id DESC
LIMIT $4;

-- name: dm_messages.after
-- args: device:i sid:j after:i limit:i incoming:j
-- columns: id:i ts:i cts:i? ver:j dir:j cmid:b tag:b ct:b status:j?
SELECT m.id, m.server_ts, m.client_ts, m.ver, m.dir, m.cmid, m.auth_tag, m.ciphertext,
  (SELECT r.status FROM message_receipts r WHERE r.message_id = m.id)
FROM messages m
WHERE m.session = (SELECT session FROM dm_participants WHERE device_id = $1 AND session_id = $2)
  AND m.id > $3
  AND ($5 = 0
       OR m.dir <> (SELECT role FROM dm_participants WHERE device_id = $1 AND session_id = $2))
ORDER BY m.id
LIMIT $4;

-- Everything addressed to the device above one cursor, over all its sessions.
-- name: dm_messages.catch_up pg
-- args: device:i after:i limit:i
-- columns: id:i ts:i cts:i? ver:j dir:j cmid:b tag:b ct:b status:j? sid:j initiator_user:i responder_user:i initiator_device:i responder_device:i
SELECT m.id, m.server_ts, m.client_ts, m.ver, m.dir, m.cmid, m.auth_tag, m.ciphertext,
  (SELECT r.status FROM message_receipts r WHERE r.message_id = m.id),
  s.session_id, s.initiator_user, s.responder_user, s.initiator_device, s.responder_device
FROM (SELECT k.id
      FROM dm_participants p
      JOIN dm_sessions s ON s.id = p.session AND s.last_id > $2
      CROSS JOIN LATERAL (SELECT z.id
                          FROM messages z
                          WHERE z.session = p.session AND z.id > $2 AND z.dir <> p.role
                          ORDER BY z.id
                          LIMIT $3) k
      WHERE p.device_id = $1
      ORDER BY k.id
      LIMIT $3) c
JOIN messages m ON m.id = c.id
JOIN dm_sessions s ON s.id = m.session
ORDER BY m.id;

-- name: dm_messages.catch_up sqlite
-- args: device:i after:i limit:i
-- columns: id:i ts:i cts:i? ver:j dir:j cmid:b tag:b ct:b status:j? sid:j initiator_user:i responder_user:i initiator_device:i responder_device:i
SELECT m.id, m.server_ts, m.client_ts, m.ver, m.dir, m.cmid, m.auth_tag, m.ciphertext,
  (SELECT r.status FROM message_receipts r WHERE r.message_id = m.id),
  s.session_id, s.initiator_user, s.responder_user, s.initiator_device, s.responder_device
FROM (SELECT k.id
      FROM dm_participants p
      JOIN dm_sessions s ON s.id = p.session AND s.last_id > $2
      JOIN messages k ON k.id IN (SELECT z.id
                                  FROM messages z
                                  WHERE z.session = p.session AND z.id > $2 AND z.dir <> p.role
                                  ORDER BY z.id
                                  LIMIT $3)
      WHERE p.device_id = $1
      ORDER BY k.id
      LIMIT $3) c
JOIN messages m ON m.id = c.id
JOIN dm_sessions s ON s.id = m.session
ORDER BY m.id;

-- First page: at = session = 2^63-1; the cursor is the last row's (last_at,
-- session).  An erased peer has no number to show, though it keeps it for ever.
-- name: dm_messages.conversations
-- args: device:i at:i session:i limit:i
-- columns: session:i sid:j state:j last_at:i peer_user:i peer_device:i unread:j number:t? username:t? full:t? id:i? ts:i? cts:i? ver:j? dir:j? cmid:b? tag:b? ct:b? status:j? role:j
SELECT c.id, c.session_id, c.state, c.last_at, c.peer_user, c.peer_device, c.unread,
  CASE WHEN u.erased_at IS NULL THEN u.number END, u.username, u.full_name,
  m.id, m.server_ts, m.client_ts, m.ver, m.dir, m.cmid, m.auth_tag, m.ciphertext,
  (SELECT r.status FROM message_receipts r WHERE r.message_id = m.id), c.role
FROM (SELECT s.id, s.session_id, s.state, s.last_at, s.last_id, p.role,
        CASE p.role WHEN 0 THEN s.responder_user ELSE s.initiator_user END AS peer_user,
        CASE p.role WHEN 0 THEN s.responder_device ELSE s.initiator_device END AS peer_device,
        CASE p.role WHEN 0 THEN s.unread_i ELSE s.unread_r END AS unread
      FROM dm_participants p
      JOIN dm_sessions s ON s.id = p.session
      WHERE p.device_id = $1 AND (s.last_at, s.id) < ($2, $3)
      ORDER BY s.last_at DESC, s.id DESC
      LIMIT $4) c
JOIN users u ON u.id = c.peer_user
LEFT JOIN messages m ON m.id = c.last_id
ORDER BY c.last_at DESC, c.id DESC;

-- name: dm_messages.receipt_lock pg
-- args: dev:i[] ids:i[]
-- columns: session:i
-- flags: coalesce locks
SELECT s.id
FROM dm_sessions s
WHERE s.id IN (SELECT m.session
               FROM unnest($1::int8[], $2::int8[]) q(dev, id)
               JOIN messages m ON m.id = q.id
               JOIN dm_sessions x
                 ON x.id = m.session AND q.dev IN (x.initiator_device, x.responder_device))
ORDER BY s.id
FOR NO KEY UPDATE;

-- DISTINCT ON settles doubles, within a call and over a group: the highest
-- status wins and the other requests see "nothing changed", which is what they
-- would see if they had come second.  So there is no key.
-- name: dm_messages.receipt pg
-- args: dev:i[] status:j[] ids:i[] now:i
-- columns: ord:i id:i sid:j sender_device:i
-- flags: write idempotent coalesce
WITH m AS MATERIALIZED (
  SELECT DISTINCT ON (m.id) q.ord, q.dev, q.status, m.id, m.session, m.dir, s.session_id,
    CASE m.dir WHEN 0 THEN s.initiator_device ELSE s.responder_device END AS sender
  FROM unnest($1::int8[], $2::int4[], $3::int8[]) WITH ORDINALITY q(dev, status, id, ord)
  JOIN messages m ON m.id = q.id
  JOIN dm_sessions s
    ON s.id = m.session
    AND q.dev = CASE m.dir WHEN 0 THEN s.responder_device ELSE s.initiator_device END
  ORDER BY m.id, q.status DESC, q.ord
),
r AS (
  INSERT INTO message_receipts(message_id, device_id, status, delivered_at, read_at)
  SELECT id, dev, status, $4, CASE WHEN status = 2 THEN $4 END
  FROM m
  ON CONFLICT (message_id, device_id) DO UPDATE
  SET status = excluded.status, read_at = excluded.read_at
  WHERE message_receipts.status < excluded.status
  RETURNING message_id
),
u AS (
  UPDATE dm_sessions s
  SET unread_r = s.unread_r - a.r, unread_i = s.unread_i - a.i
  FROM (SELECT m.session,
          count(*) FILTER (WHERE m.dir = 0) AS r,
          count(*) FILTER (WHERE m.dir = 1) AS i
        FROM m
        JOIN r ON r.message_id = m.id
        WHERE m.status = 2
        GROUP BY m.session) a
  WHERE s.id = a.session
)
SELECT m.ord, m.id, m.session_id, m.sender
FROM m
JOIN r ON r.message_id = m.id;

-- Both changes() > 0 and $2 = 2 are needed, or DELIVERED would lower unread.
-- name: dm_messages.receipt sqlite
-- args: dev:i status:j ids:i now:i
-- columns: id:i sid:j sender_device:i
INSERT INTO message_receipts(message_id, device_id, status, delivered_at, read_at)
SELECT m.id, $1, $2, $4, CASE WHEN $2 = 2 THEN $4 END
FROM messages m
JOIN dm_sessions s ON s.id = m.session
WHERE m.id = $3 AND $1 = CASE m.dir WHEN 0 THEN s.responder_device ELSE s.initiator_device END
ON CONFLICT (message_id, device_id) DO UPDATE
SET status = excluded.status, read_at = excluded.read_at
WHERE message_receipts.status < excluded.status;
UPDATE dm_sessions
SET unread_r = unread_r - CASE WHEN $2 = 2 AND responder_device = $1 THEN 1 ELSE 0 END,
    unread_i = unread_i - CASE WHEN $2 = 2 AND initiator_device = $1 THEN 1 ELSE 0 END
WHERE changes() > 0 AND id = (SELECT session FROM messages WHERE id = $3);
SELECT $3, session_id,
  CASE WHEN responder_device = $1 THEN initiator_device ELSE responder_device END
FROM dm_sessions
WHERE changes() > 0 AND id = (SELECT session FROM messages WHERE id = $3);

-- Why a single id changed nothing: no row 404, 0 403, 1 it was so already.
-- name: dm_messages.receipt_why
-- args: id:i device:i
-- columns: mine:j
SELECT CASE
    WHEN $2 = CASE m.dir WHEN 0 THEN s.responder_device ELSE s.initiator_device END THEN 1
    ELSE 0
  END
FROM messages m
JOIN dm_sessions s ON s.id = m.session
WHERE m.id = $1;
