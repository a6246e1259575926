-- SPDX-License-Identifier: Apache-2.0
-- The bench's world for SQLite; what the parameters mean stands in postgresql.sql:
--   sqlite3 -cmd '.parameter set :users 1000' ... convro.db <sqlite.sql
.bail on
PRAGMA synchronous = OFF;
PRAGMA cache_size = -500000;
BEGIN;

WITH RECURSIVE n(k) AS (SELECT 1 UNION ALL SELECT k + 1 FROM n WHERE k < :users)
INSERT INTO users(id, created_at, number, username, username_key, full_name, pw_hash)
SELECT k, 1767225600000000, printf('%010d', k), 'user' || k, 'user' || k, 'User ' || k,
  CASE WHEN k <= 64 THEN :pw_hash ELSE '!' END
FROM n;

-- Seen in the year 2100: the write of last_seen_at, once in five minutes, would
-- otherwise fall upon the first seconds of each server.
INSERT INTO devices(device_id, user_id, created_at, last_seen_at, platform)
SELECT 72057594037927936 + id, id, 1767225600000000, 4102444800000000, 1
FROM users
ORDER BY id;

INSERT INTO device_keys(device_id, updated_at, spk_id, ticket, alg, identity_pub)
SELECT 72057594037927936 + id, 1767225600000000, id, id, 1, randomblob(32)
FROM users
WHERE id <= :keyed
ORDER BY id;

INSERT INTO signed_prekeys(device_id, key_id, created_at, alg, pub, sig)
SELECT device_id, spk_id, 1767225600000000, 1, randomblob(32), randomblob(64)
FROM device_keys
ORDER BY device_id;

WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100)
INSERT INTO one_time_prekeys(device_id, key_id, alg, pub)
SELECT device_id, spk_id * 1000 + i, 1, randomblob(32)
FROM device_keys, n
ORDER BY device_id, i;

WITH RECURSIVE n(k) AS (SELECT 1 UNION ALL SELECT k + 1 FROM n WHERE k < :users / 2),
e(k) AS (SELECT 1 UNION ALL SELECT k + 1 FROM e WHERE k < 64 * 19),
s(k, i, r) AS (
  SELECT k, 2 * k - 1, 2 * k FROM n
  UNION ALL
  SELECT :users / 2 + k, (k - 1) / 19 + 1, 65 + (k - 1) % (:users - 64) FROM e
)
INSERT INTO dm_sessions(id, initiator_device, responder_device, initiator_user, responder_user,
                        created_at, accepted_at, last_at, session_id, state)
SELECT k, 72057594037927936 + i, 72057594037927936 + r, i, r,
  1767225600000000, 1767225600000000, 1767225600000000, k, 1
FROM s
ORDER BY k;

INSERT INTO dm_participants(device_id, session_id, session, role)
SELECT initiator_device, session_id, id, 0 FROM dm_sessions
UNION ALL
SELECT responder_device, session_id, id, 1 FROM dm_sessions;

WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :messages + 64 * 19)
INSERT INTO messages(id, session, server_ts, ver, dir, cmid, auth_tag, ciphertext)
SELECT i,
  CASE WHEN i <= :messages THEN (i - 1) % :sessions + 1 ELSE :users / 2 + i - :messages END,
  1767225600000000 + i * 1000, 1,
  CASE WHEN i <= :messages THEN (i - 1) / :sessions % 2 ELSE 1 END,
  CAST(x'00' || randomblob(16) AS BLOB), randomblob(16), randomblob(256)
FROM n;

UPDATE dm_sessions
SET last_id = m.last, last_at = m.at, unread_r = m.r, unread_i = m.i
FROM (SELECT session, max(id) AS last, max(server_ts) AS at,
        sum(dir = 0) AS r, sum(dir = 1) AS i
      FROM messages
      GROUP BY session) m
WHERE dm_sessions.id = m.session;

COMMIT;
PRAGMA wal_checkpoint(TRUNCATE);
