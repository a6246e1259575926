-- SPDX-License-Identifier: Apache-2.0
-- Key bundles (design: storage, section 2.2).
--   upload  upload_lock + otp_in for each key + upload_take + upload_signed + upload_keys
--           + known + upload_state + otp_clear
--   bundle  bundle + free; no row: device_of once more, then bundle_why
-- upload_take makes every check and, if all hold, writes the call's random
-- ticket; the later statements do nothing without it.  One-time keys travel as
-- arrays on PostgreSQL and through the temporary table otp_in of the writer
-- connection on SQLite; each statement exists where it is needed.

-- name: prekeys.upload_lock pg
-- args: device:i
-- columns: device:i
-- flags: locks
SELECT device_id
FROM devices
WHERE device_id = $1
FOR NO KEY UPDATE;

-- name: prekeys.otp_in sqlite
-- args: key:i alg:j pub:b
-- columns:
-- flags: write idempotent
INSERT INTO temp.otp_in
VALUES ($1, $2, $3);

-- name: prekeys.upload_take
-- args: device:i now:i ticket:i alg:j identity:b finger:t? spk:i spkpub:b max:i otp_ids:i[] otp_algs:s[] otp_pubs:b[]
-- columns: device:i
-- flags: write idempotent
@OTP@
INSERT INTO device_keys(device_id, updated_at, spk_id, ticket, alg, identity_pub, fingerprint)
SELECT d.device_id, $2, $7, $3, $4, $5, $6
FROM devices d
WHERE d.device_id = $1
  AND d.removed_at IS NULL
  AND NOT EXISTS (SELECT 1
                  FROM signed_prekeys s
                  WHERE s.device_id = $1 AND s.key_id = $7 AND s.pub <> $8)
  AND NOT EXISTS (SELECT 1
                  FROM otp_in q
                  JOIN one_time_prekeys o ON o.device_id = $1 AND o.key_id = q.key_id
                  WHERE o.pub <> q.pub)
  AND (SELECT count(*) FROM one_time_prekeys WHERE device_id = $1 AND consumed_at IS NULL)
      + (SELECT count(*)
         FROM otp_in q
         WHERE NOT EXISTS (SELECT 1
                           FROM one_time_prekeys o
                           WHERE o.device_id = $1 AND o.key_id = q.key_id)) <= $9
ON CONFLICT (device_id) DO UPDATE
SET updated_at = excluded.updated_at,
    spk_id = excluded.spk_id,
    ticket = excluded.ticket,
    fingerprint = coalesce(excluded.fingerprint, device_keys.fingerprint)
WHERE device_keys.identity_pub = excluded.identity_pub AND device_keys.alg = excluded.alg
RETURNING device_id;

-- name: prekeys.upload_signed
-- args: device:i now:i ticket:i expires:i? alg:j spk:i spkpub:b sig:b
-- columns:
-- flags: write idempotent
INSERT INTO signed_prekeys(device_id, key_id, created_at, expires_at, alg, pub, sig)
SELECT $1, $6, $2, $4, $5, $7, $8
FROM device_keys
WHERE device_id = $1 AND ticket = $3
ON CONFLICT (device_id, key_id) DO NOTHING;

-- The rows are the keys stored by this call.
-- name: prekeys.upload_keys pg
-- args: device:i ticket:i otp_ids:i[] otp_algs:s[] otp_pubs:b[]
-- columns: key:i
-- flags: write idempotent
INSERT INTO one_time_prekeys(device_id, key_id, alg, pub)
SELECT $1, q.key_id, q.alg, q.pub
FROM unnest($3::int8[], $4::int2[], $5::bytea[]) WITH ORDINALITY AS q(key_id, alg, pub, ord),
     device_keys k
WHERE k.device_id = $1 AND k.ticket = $2
ORDER BY q.ord
ON CONFLICT (device_id, key_id) DO NOTHING
RETURNING key_id;

-- name: prekeys.upload_keys sqlite
-- args: device:i ticket:i otp_ids:i[] otp_algs:s[] otp_pubs:b[]
-- columns: key:i
INSERT INTO one_time_prekeys(device_id, key_id, alg, pub)
SELECT $1, q.key_id, q.alg, q.pub
FROM otp_in q, device_keys k
WHERE k.device_id = $1 AND k.ticket = $2
ORDER BY q.rowid
ON CONFLICT (device_id, key_id) DO NOTHING
RETURNING key_id;

-- done = 1 stored; else identity_differs: IDENTITY_KEY_MISMATCH; spk_conflict, or
-- a `known` row with another pub: KEY_ID_CONFLICT; no `row`: the device was
-- removed; else TOO_MANY_PREKEYS.
-- name: prekeys.upload_state
-- args: device:i ticket:i identity:b spk:i spkpub:b
-- columns: done:i identity_differs:i spk_conflict:i free:i row:i?
SELECT
  (SELECT count(*) FROM device_keys WHERE device_id = $1 AND ticket = $2),
  (SELECT count(*) FROM device_keys WHERE device_id = $1 AND identity_pub <> $3),
  (SELECT count(*) FROM signed_prekeys WHERE device_id = $1 AND key_id = $4 AND pub <> $5),
  (SELECT count(*) FROM one_time_prekeys WHERE device_id = $1 AND consumed_at IS NULL),
  (SELECT id FROM devices WHERE device_id = $1 AND removed_at IS NULL);

-- A part of the upload, so it is flagged as a write: SQLite's readers have no otp_in.
-- name: prekeys.known pg
-- args: device:i otp_ids:i[]
-- columns: key:i pub:b consumed:i?
-- flags: write idempotent
SELECT key_id, pub, consumed_at
FROM one_time_prekeys
WHERE device_id = $1 AND key_id = ANY($2);

-- name: prekeys.known sqlite
-- args: device:i otp_ids:i[]
-- columns: key:i pub:b consumed:i?
SELECT o.key_id, o.pub, o.consumed_at
FROM otp_in q
JOIN one_time_prekeys o ON o.device_id = $1 AND o.key_id = q.key_id;

-- name: prekeys.otp_clear sqlite
-- args:
-- columns:
-- flags: write idempotent
DELETE FROM temp.otp_in;

-- The first active device that has uploaded keys.
-- name: prekeys.device_of
-- args: user:i
-- columns: device:i
SELECT d.device_id
FROM devices d
JOIN device_keys k ON k.device_id = d.device_id
WHERE d.user_id = $1 AND d.removed_at IS NULL
ORDER BY d.created_at, d.device_id
LIMIT 1;

-- SKIP LOCKED: two callers at once get two keys, neither waits.  take = 0: the
-- pair's bucket is empty, the bundle goes out without a one-time key.
-- name: prekeys.bundle pg
-- args: device:i user:i? now:i take:j
-- columns: device:i identity:b spk:i spkpub:b sig:b otp:i? otppub:b?
-- flags: write
WITH dv AS MATERIALIZED (
  SELECT d.device_id, k.identity_pub, s.key_id, s.pub, s.sig
  FROM devices d
  JOIN device_keys k ON k.device_id = d.device_id
  JOIN signed_prekeys s ON s.device_id = k.device_id AND s.key_id = k.spk_id
  WHERE d.device_id = $1 AND ($2 IS NULL OR d.user_id = $2) AND d.removed_at IS NULL
),
o AS (
  UPDATE one_time_prekeys p
  SET consumed_at = $3
  FROM (SELECT seq
        FROM one_time_prekeys
        WHERE device_id = (SELECT device_id FROM dv) AND consumed_at IS NULL AND $4 = 1
        ORDER BY seq
        LIMIT 1
        FOR UPDATE SKIP LOCKED) c
  WHERE p.seq = c.seq
  RETURNING p.key_id, p.pub
)
SELECT dv.*, o.key_id, o.pub
FROM dv
LEFT JOIN o ON true;

-- The key consumed just now is the highest of this call's time: they go by seq.
-- name: prekeys.bundle sqlite
-- args: device:i user:i? now:i take:j
-- columns: device:i identity:b spk:i spkpub:b sig:b otp:i? otppub:b?
UPDATE one_time_prekeys
SET consumed_at = $3
WHERE $4 = 1
  AND seq = (SELECT o.seq
             FROM devices d
             JOIN device_keys k ON k.device_id = d.device_id
             JOIN one_time_prekeys o ON o.device_id = d.device_id
             WHERE d.device_id = $1
               AND ($2 IS NULL OR d.user_id = $2)
               AND d.removed_at IS NULL
               AND o.consumed_at IS NULL
             ORDER BY o.seq
             LIMIT 1);
SELECT d.device_id, k.identity_pub, s.key_id, s.pub, s.sig, o.key_id, o.pub
FROM devices d
JOIN device_keys k ON k.device_id = d.device_id
JOIN signed_prekeys s ON s.device_id = k.device_id AND s.key_id = k.spk_id
LEFT JOIN one_time_prekeys o
  ON o.device_id = d.device_id
  AND $4 = 1
  AND changes() > 0
  AND o.seq = (SELECT max(seq)
               FROM one_time_prekeys x
               WHERE x.device_id = $1 AND x.consumed_at = $3)
WHERE d.device_id = $1 AND ($2 IS NULL OR d.user_id = $2) AND d.removed_at IS NULL;

-- The user was named and is unknown: USER_NOT_FOUND; the device was named and is
-- not there: DEVICE_NOT_FOUND; else PREKEYS_NOT_FOUND.
-- name: prekeys.bundle_why
-- args: device:i? user:i?
-- columns: user_known:i device_known:i
SELECT
  (SELECT count(*) FROM users WHERE id = $2 AND erased_at IS NULL),
  (SELECT count(*)
   FROM devices
   WHERE device_id = $1 AND ($2 IS NULL OR user_id = $2) AND removed_at IS NULL);

-- No row for a device that never uploaded: it is not told that keys are low.
-- name: prekeys.free
-- args: device:i
-- columns: free:i
SELECT (SELECT count(*)
        FROM one_time_prekeys o
        WHERE o.device_id = k.device_id AND o.consumed_at IS NULL)
FROM device_keys k
WHERE k.device_id = $1;

-- Removed devices that still have keys, in pages, for the start: a fact that
-- was lost in a crash left them.
-- name: prekeys.purge_due
-- args: after:i limit:i
-- columns: device:i
SELECT d.device_id
FROM devices d
WHERE d.removed_at IS NOT NULL
  AND d.device_id > $1
  AND EXISTS (SELECT 1 FROM one_time_prekeys o WHERE o.device_id = d.device_id)
ORDER BY d.device_id
LIMIT $2;

-- name: prekeys.purge
-- args: device:i
-- columns:
-- flags: write idempotent
DELETE FROM one_time_prekeys
WHERE device_id = $1
  AND EXISTS (SELECT 1 FROM devices WHERE device_id = $1 AND removed_at IS NOT NULL);
