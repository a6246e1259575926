-- SPDX-License-Identifier: Apache-2.0
-- Accounts, devices and refresh tokens (design: storage, section 2.1).
--   register         device_lock + user_add + device_first + token_add
--   login            device_lock + device_put + token_add + token_trim
--   devices/register device_lock + device_put
--   refresh          refresh_lock + rotate + successor + kill + kill_epoch + refresh_state
--   logout           logout_token | epoch_device + revoke_device | epoch_user + revoke_user
--   remove           device_remove + revoke_device
--   erase            device_lock + user_erase + devices_erase + revoke_user

-- name: auth.ordinals
-- args: count:i limit:i
-- columns: next:i
-- flags: write
UPDATE convro_meta
SET i = i + $1
WHERE name = 'ordinal' AND i + $1 <= $2
RETURNING i;

-- For the search of gaps once the counter is at its end: start with ''.
-- name: auth.numbers_page
-- args: after:t limit:i
-- columns: number:t
SELECT number
FROM users
WHERE number > $1
ORDER BY number
LIMIT $2;

-- Both hashes in one order, so that two registrations never wait in a ring.
-- name: auth.device_lock pg
-- args: device:i user:i
-- columns: n:i
-- flags: locks
SELECT count(pg_advisory_xact_lock(17230, h))
FROM (SELECT DISTINCT h
      FROM (VALUES (hashint8($1)), (hashint8($2))) v(h)
      ORDER BY h) x;

-- name: auth.user_add
-- args: id:i now:i number:t username:t? key:t? full:t? pw:t device:i
-- columns: id:i
-- flags: write
INSERT INTO users(id, created_at, number, username, username_key, full_name, pw_hash)
SELECT $1, $2, $3, $4, $5, $6, $7
WHERE NOT EXISTS (SELECT 1 FROM devices WHERE device_id = $8)
ON CONFLICT DO NOTHING
RETURNING id;

-- created_at tells this registration's user from one that was there before.
-- name: auth.device_first
-- args: device:i user:i now:i platform:j label:t?
-- columns: id:i
-- flags: write
INSERT INTO devices(device_id, user_id, created_at, platform, label)
SELECT $1, id, $3, $4, $5
FROM users
WHERE id = $2 AND created_at = $3
ON CONFLICT DO NOTHING
RETURNING id;

-- name: auth.token_add
-- args: jti:b user:i device:i hash:b now:i expires:i
-- columns: epoch:j db:i
-- flags: write
INSERT INTO refresh_tokens(jti, user_id, device_id, family, secret_hash, created_at, expires_at)
SELECT $1, user_id, device_id, $1, $4, $5, $6
FROM devices
WHERE device_id = $3 AND user_id = $2 AND removed_at IS NULL
RETURNING
  (SELECT token_epoch FROM devices d WHERE d.device_id = refresh_tokens.device_id),
  (SELECT i FROM convro_meta WHERE name = 'db_epoch');

-- Neither: the id or the number was taken, draw another ordinal.
-- name: auth.register_why
-- args: key:t? device:i
-- columns: name_taken:i device_taken:i
SELECT
  (SELECT count(*) FROM users WHERE username_key = $1),
  (SELECT count(*) FROM devices WHERE device_id = $2);

-- The columns of the finds, whatever became of the user: decides a
-- registration whose commit was not seen.
-- name: auth.user_by_id
-- args: id:i
-- columns: created:i erased:i? number:t username:t? full:t?
SELECT created_at, erased_at, number, username, full_name
FROM users
WHERE id = $1;

-- name: auth.device_put
-- args: device:i user:i now:i platform:j? label:t? limit:i
-- columns: id:i created:i platform:j label:t?
-- flags: write
INSERT INTO devices(device_id, user_id, created_at, platform, label)
SELECT $1, u.id, $3, coalesce($4, 0), $5
FROM users u
WHERE u.id = $2
  AND u.erased_at IS NULL
  AND (EXISTS (SELECT 1 FROM devices WHERE device_id = $1)
       OR (SELECT count(*) FROM devices WHERE user_id = $2 AND removed_at IS NULL) < $6)
ON CONFLICT (device_id) DO UPDATE
SET platform = coalesce($4, devices.platform),
    label = coalesce($5, devices.label)
WHERE devices.user_id = excluded.user_id AND devices.removed_at IS NULL
RETURNING id, created_at, platform, label;

-- No row: DEVICE_LIMIT_REACHED, or the user was erased meanwhile.
-- name: auth.device_why
-- args: device:i user:i
-- columns: mine:j removed:j
SELECT
  CASE WHEN user_id = $2 THEN 1 ELSE 0 END,
  CASE WHEN removed_at IS NULL THEN 0 ELSE 1 END
FROM devices
WHERE device_id = $1;

-- Guarded by the user: the batch runs on when device_put refused a foreign
-- device.  Expired tokens stay as they are, else they would answer REVOKED.
-- name: auth.token_trim
-- args: device:i user:i now:i keep:i
-- columns:
-- flags: write idempotent
UPDATE refresh_tokens
SET revoked_at = $3
WHERE device_id = $1
  AND user_id = $2
  AND revoked_at IS NULL
  AND expires_at > $3
  AND jti NOT IN (SELECT jti
                  FROM refresh_tokens
                  WHERE device_id = $1 AND revoked_at IS NULL AND expires_at > $3
                  ORDER BY created_at DESC, jti
                  LIMIT $4);

-- name: auth.find_name
-- args: key:t
-- columns: id:i number:t username:t? full:t? pw:t
SELECT id, number, username, full_name, pw_hash
FROM users
WHERE username_key = $1 AND erased_at IS NULL;

-- name: auth.find_number
-- args: number:t
-- columns: id:i number:t username:t? full:t? pw:t
SELECT id, number, username, full_name, pw_hash
FROM users
WHERE number = $1 AND erased_at IS NULL;

-- name: auth.me
-- args: device:i
-- columns: user:i number:t username:t? epoch:j db:i
SELECT u.id, u.number, u.username, d.token_epoch,
  (SELECT i FROM convro_meta WHERE name = 'db_epoch')
FROM devices d
JOIN users u ON u.id = d.user_id
WHERE d.device_id = $1 AND d.removed_at IS NULL AND u.erased_at IS NULL;

-- name: auth.devices
-- args: user:i
-- columns: device:i platform:j label:t? created:i seen:i? removed:i?
SELECT device_id, platform, label, created_at, last_seen_at, removed_at
FROM devices
WHERE user_id = $1
ORDER BY created_at, device_id;

-- At most every five minutes, so that reading costs no writes.
-- name: auth.seen
-- args: device:i now:i
-- columns:
-- flags: write idempotent
UPDATE devices
SET last_seen_at = $2
WHERE device_id = $1 AND (last_seen_at IS NULL OR last_seen_at < $2 - 300000000);

-- The device row, so that no successor slips past a logout or removal.
-- name: auth.refresh_lock pg
-- args: jti:b
-- columns: device:i
-- flags: locks
SELECT d.device_id
FROM refresh_tokens t
JOIN devices d ON d.device_id = t.device_id
WHERE t.jti = $1
FOR NO KEY UPDATE OF d;

-- name: auth.rotate
-- args: jti:b hash:b new:b now:i
-- columns: device:i
-- flags: write
UPDATE refresh_tokens
SET revoked_at = $4, replaced_by = $3
WHERE jti = $1 AND secret_hash = $2 AND revoked_at IS NULL AND expires_at > $4
RETURNING device_id;

-- name: auth.successor
-- args: jti:b new:b newhash:b now:i expires:i
-- columns:
-- flags: write
INSERT INTO refresh_tokens(jti, user_id, device_id, family, secret_hash, created_at, expires_at)
SELECT $2, user_id, device_id, family, $3, $4, $5
FROM refresh_tokens
WHERE jti = $1 AND replaced_by = $2;

-- A rotated token came back: late, or after its successor was used.
-- killed_at lets a family be killed once only.
-- name: auth.kill
-- args: jti:b hash:b new:b now:i grace:i
-- columns:
-- flags: write
UPDATE refresh_tokens
SET killed_at = $4, revoked_at = coalesce(revoked_at, $4)
WHERE killed_at IS NULL
  AND family = (SELECT t.family
                FROM refresh_tokens t
                LEFT JOIN refresh_tokens n ON n.jti = t.replaced_by
                WHERE t.jti = $1
                  AND t.secret_hash = $2
                  AND t.replaced_by IS NOT NULL
                  AND t.replaced_by <> $3
                  AND (t.revoked_at <= $4 - $5 OR n.replaced_by IS NOT NULL));

-- name: auth.kill_epoch
-- args: jti:b hash:b now:i
-- columns: device:i epoch:j
-- flags: write
UPDATE devices
SET token_epoch = token_epoch + 1
WHERE device_id = (SELECT device_id
                   FROM refresh_tokens
                   WHERE jti = $1 AND secret_hash = $2 AND killed_at = $3)
RETURNING device_id, token_epoch;

-- 0 rotated, 1 REFRESH_INVALID, 2 REFRESH_REVOKED, 3 REFRESH_EXPIRED,
-- 4 REFRESH_REVOKED and the family was killed just now; no row: REFRESH_NOT_FOUND.
-- name: auth.refresh_state
-- args: jti:b hash:b new:b now:i
-- columns: outcome:j user:i device:i number:t username:t? epoch:j db:i
SELECT
  CASE
    WHEN t.replaced_by = $3 THEN 0
    WHEN t.secret_hash <> $2 THEN 1
    WHEN t.killed_at = $4 THEN 4
    WHEN t.revoked_at IS NOT NULL THEN 2
    ELSE 3
  END,
  u.id, t.device_id, u.number, u.username, d.token_epoch,
  (SELECT i FROM convro_meta WHERE name = 'db_epoch')
FROM refresh_tokens t
JOIN devices d ON d.device_id = t.device_id
JOIN users u ON u.id = t.user_id
WHERE t.jti = $1;

-- A row also when it was revoked already (200); none: unknown, wrong secret or
-- another user's (404).
-- name: auth.logout_token
-- args: jti:b hash:b user:i now:i
-- columns: device:i
-- flags: write idempotent
UPDATE refresh_tokens
SET revoked_at = coalesce(revoked_at, $4)
WHERE jti = $1 AND secret_hash = $2 AND user_id = $3
RETURNING device_id;

-- name: auth.epoch_device
-- args: device:i user:i
-- columns: device:i epoch:j
-- flags: write
UPDATE devices
SET token_epoch = token_epoch + 1
WHERE device_id = $1 AND user_id = $2
RETURNING device_id, token_epoch;

-- name: auth.epoch_user
-- args: user:i
-- columns: device:i epoch:j
-- flags: write
UPDATE devices
SET token_epoch = token_epoch + 1
WHERE user_id = $1
RETURNING device_id, token_epoch;

-- Guarded by the user: it runs in the batch of a removal that matched nothing,
-- and must not end a stranger's logins there.
-- name: auth.revoke_device
-- args: device:i user:i now:i
-- columns:
-- flags: write idempotent
UPDATE refresh_tokens
SET revoked_at = $3
WHERE device_id = $1 AND user_id = $2 AND revoked_at IS NULL;

-- name: auth.revoke_user
-- args: user:i now:i
-- columns:
-- flags: write idempotent
UPDATE refresh_tokens
SET revoked_at = $2
WHERE user_id = $1 AND revoked_at IS NULL;

-- No row: not the caller's, or removed already.
-- name: auth.device_remove
-- args: device:i user:i now:i
-- columns: device:i epoch:j
-- flags: write
UPDATE devices
SET removed_at = $3, token_epoch = token_epoch + 1
WHERE device_id = $1 AND user_id = $2 AND removed_at IS NULL
RETURNING device_id, token_epoch;

-- The row and its number stay for ever.
-- name: auth.user_erase
-- args: user:i now:i
-- columns: id:i
-- flags: write
UPDATE users
SET erased_at = $2, username = NULL, username_key = NULL, full_name = NULL, pw_hash = NULL
WHERE id = $1 AND erased_at IS NULL
RETURNING id;

-- name: auth.devices_erase
-- args: user:i now:i
-- columns: device:i
-- flags: write
UPDATE devices
SET removed_at = coalesce(removed_at, $2), label = NULL, token_epoch = token_epoch + 1
WHERE user_id = $1
RETURNING device_id;

-- In pieces, so that no writer waits long: repeat until fewer than limit went.
-- name: auth.tokens_purge
-- args: before:i limit:i
-- columns:
-- flags: write idempotent
DELETE FROM refresh_tokens
WHERE jti IN (SELECT jti
              FROM refresh_tokens
              WHERE expires_at < $1
              ORDER BY expires_at
              LIMIT $2);
