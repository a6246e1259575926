-- SPDX-License-Identifier: Apache-2.0
-- The bench's world, into a store that Convro has migrated and that is empty:
--   psql -v users=1000 -v sessions=100 -v messages=10000 -v keyed=1000 -v pw_hash='$argon2id$...' -f postgresql.sql
-- users     people 1..users, one device each, id 0x0100000000000000 + person; an even number above 64
-- sessions  the first of them that share the messages, round robin
-- keyed     people with a signed prekey and 100 one-time keys
-- Session k is between persons 2k-1 and 2k; persons 1..64 have 19 more with one message each.
\set ON_ERROR_STOP on
SET search_path = convro;
SET synchronous_commit = off;
BEGIN;

INSERT INTO users(id, created_at, number, username, username_key, full_name, pw_hash)
SELECT k, 1767225600000000, lpad(k::text, 10, '0'), 'user' || k, 'user' || k, 'User ' || k,
  CASE WHEN k <= 64 THEN :'pw_hash' ELSE '!' END
FROM generate_series(1, :users) k;

-- Seen in the year 2100: the write of last_seen_at, once in five minutes, would
-- otherwise fall upon the first seconds of each server.
INSERT INTO devices(device_id, user_id, created_at, last_seen_at, platform)
SELECT 72057594037927936 + k, k, 1767225600000000, 4102444800000000, 1
FROM generate_series(1, :users) k;

INSERT INTO device_keys(device_id, updated_at, spk_id, ticket, alg, identity_pub)
SELECT 72057594037927936 + k, 1767225600000000, k, k, 1, sha256(int8send(k))
FROM generate_series(1::int8, :keyed) k;

INSERT INTO signed_prekeys(device_id, key_id, created_at, alg, pub, sig)
SELECT 72057594037927936 + k, k, 1767225600000000, 1, sha256(int8send(-k)), sha512(int8send(k))
FROM generate_series(1::int8, :keyed) k;

INSERT INTO one_time_prekeys(device_id, key_id, alg, pub)
SELECT 72057594037927936 + k, k * 1000 + i, 1, sha256(int8send(k * 1000 + i))
FROM generate_series(1::int8, :keyed) k, generate_series(1, 100) i;

INSERT INTO dm_sessions(id, initiator_device, responder_device, initiator_user, responder_user,
                        created_at, accepted_at, last_at, session_id, state)
SELECT k, 72057594037927936 + i, 72057594037927936 + r, i, r,
  1767225600000000, 1767225600000000, 1767225600000000, k, 1
FROM (SELECT k, 2 * k - 1 AS i, 2 * k AS r
      FROM generate_series(1, :users / 2) k
      UNION ALL
      SELECT :users / 2 + e, (e - 1) / 19 + 1, 65 + (e - 1) % (:users - 64)
      FROM generate_series(1, 64 * 19) e) s;

INSERT INTO dm_participants(device_id, session_id, session, role)
SELECT initiator_device, session_id, id, 0 FROM dm_sessions
UNION ALL
SELECT responder_device, session_id, id, 1 FROM dm_sessions;

INSERT INTO messages(id, session, server_ts, ver, dir, cmid, auth_tag, ciphertext)
SELECT i,
  CASE WHEN i <= :messages THEN (i - 1) % :sessions + 1 ELSE :users / 2 + i - :messages END,
  1767225600000000 + i * 1000, 1,
  CASE WHEN i <= :messages THEN (i - 1) / :sessions % 2 ELSE 1 END,
  '\x00'::bytea || uuid_send(gen_random_uuid()), substr(sha256(int8send(i)), 1, 16),
  decode(repeat(encode(sha256(int8send(i)), 'hex'), 8), 'hex')
FROM generate_series(1::int8, :messages + 64 * 19) i;

UPDATE dm_sessions s
SET last_id = m.last, last_at = m.at, unread_r = m.r, unread_i = m.i
FROM (SELECT session, max(id) AS last, max(server_ts) AS at,
        count(*) FILTER (WHERE dir = 0) AS r, count(*) FILTER (WHERE dir = 1) AS i
      FROM messages
      GROUP BY session) m
WHERE s.id = m.session;

SELECT setval('dm_sessions_id_seq', (SELECT max(id) FROM dm_sessions)) AS session,
  setval('messages_id_seq', (SELECT max(id) FROM messages)) AS message \gset
COMMIT;
