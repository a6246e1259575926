-- SPDX-License-Identifier: Apache-2.0
-- Opening and accepting sessions (design: storage, section 2.3).
--   open    open_lock + open; no row: open_why
--   accept  accept; no row: session

-- name: dm_sessions.open_lock pg
-- args: initiator:i responder:i
-- columns: device:i
-- flags: locks
SELECT device_id
FROM devices
WHERE device_id IN ($1, $2)
ORDER BY device_id
FOR NO KEY UPDATE;

-- name: dm_sessions.open pg
-- args: initiator:i responder:i peer_user:i sid:j now:i max_pending:i offer:t
-- columns: session:i user:i
-- flags: write
WITH s AS (
  INSERT INTO dm_sessions(initiator_device, responder_device, initiator_user, responder_user,
                          session_id, created_at, last_at)
  SELECT i.device_id, r.device_id, i.user_id, r.user_id, $4, $5, $5
  FROM devices i, devices r
  WHERE i.device_id = $1
    AND i.removed_at IS NULL
    AND r.device_id = $2
    AND r.user_id = $3
    AND r.removed_at IS NULL
    AND NOT EXISTS (SELECT 1
                    FROM dm_participants
                    WHERE device_id IN ($1, $2) AND session_id = $4)
    AND (SELECT count(*)
         FROM dm_sessions
         WHERE responder_device = $2 AND initiator_device = $1 AND state = 0) < $6
  RETURNING id, responder_user
),
p AS (
  INSERT INTO dm_participants(device_id, session_id, session, role)
  SELECT $1, $4, id, 0 FROM s
  UNION ALL
  SELECT $2, $4, id, 1 FROM s
),
o AS (
  INSERT INTO dm_offers(session, offer)
  SELECT id, $7 FROM s
)
SELECT id, responder_user
FROM s;

-- Each step runs only if the one before it stored something.
-- name: dm_sessions.open sqlite
-- args: initiator:i responder:i peer_user:i sid:j now:i max_pending:i offer:t
-- columns: session:i user:i
INSERT INTO dm_sessions(initiator_device, responder_device, initiator_user, responder_user,
                        session_id, created_at, last_at)
SELECT i.device_id, r.device_id, i.user_id, r.user_id, $4, $5, $5
FROM devices i, devices r
WHERE i.device_id = $1
  AND i.removed_at IS NULL
  AND r.device_id = $2
  AND r.user_id = $3
  AND r.removed_at IS NULL
  AND NOT EXISTS (SELECT 1
                  FROM dm_participants
                  WHERE device_id IN ($1, $2) AND session_id = $4)
  AND (SELECT count(*)
       FROM dm_sessions
       WHERE responder_device = $2 AND initiator_device = $1 AND state = 0) < $6;
INSERT INTO dm_participants(device_id, session_id, session, role)
SELECT v.d, $4, last_insert_rowid(), v.r
FROM (SELECT $1 AS d, 0 AS r UNION ALL SELECT $2, 1) v
WHERE changes() > 0;
INSERT INTO dm_offers(session, offer)
SELECT session, $7
FROM dm_participants
WHERE changes() > 0 AND device_id = $1 AND session_id = $4;
SELECT id, responder_user
FROM dm_sessions
WHERE changes() > 0 AND id = last_insert_rowid();

-- Read left to right: initiator 404, responder 404, taken 409, else
-- TOO_MANY_PENDING_SESSIONS.  same_*: the caller opened this sessionId to the
-- same device before; whether the offers are of equal value is told in C.
-- name: dm_sessions.open_why
-- args: initiator:i responder:i peer_user:i sid:j
-- columns: initiator_ok:i responder_ok:i taken:i same_session:i? same_state:j? same_offer:t?
SELECT
  (SELECT count(*) FROM devices WHERE device_id = $1 AND removed_at IS NULL),
  (SELECT count(*) FROM devices WHERE device_id = $2 AND user_id = $3 AND removed_at IS NULL),
  (SELECT count(*) FROM dm_participants WHERE device_id IN ($1, $2) AND session_id = $4),
  x.id, x.state, x.offer
FROM (SELECT 1 AS one) y
LEFT JOIN (SELECT s.id, s.state, o.offer
           FROM dm_participants p
           JOIN dm_sessions s ON s.id = p.session
           JOIN dm_offers o ON o.session = s.id
           WHERE p.device_id = $1
             AND p.session_id = $4
             AND p.role = 0
             AND s.responder_device = $2) x ON 1 = 1;

-- name: dm_sessions.incoming
-- args: device:i after:i limit:i
-- columns: session:i sid:j user:i device:i offer:t created:i
SELECT s.id, s.session_id, s.initiator_user, s.initiator_device, o.offer, s.created_at
FROM dm_sessions s
JOIN dm_offers o ON o.session = s.id
WHERE s.responder_device = $1 AND s.state = 0 AND s.id > $2
ORDER BY s.id
LIMIT $3;

-- name: dm_sessions.accept
-- args: session:i device:i now:i
-- columns: sid:j initiator_device:i initiator_user:i
-- flags: write idempotent
UPDATE dm_sessions
SET state = 1,
    accepted_at = $3,
    last_at = CASE WHEN last_id = 0 AND $3 > last_at THEN $3 ELSE last_at END
WHERE id = $1 AND responder_device = $2 AND state = 0
RETURNING session_id, initiator_device, initiator_user;

-- state 1 and mine: accepted before (200); not mine: 403; no row: 404.
-- name: dm_sessions.session
-- args: session:i device:i
-- columns: sid:j state:j mine:j
SELECT session_id, state, CASE WHEN responder_device = $2 THEN 1 ELSE 0 END
FROM dm_sessions
WHERE id = $1;
