-- SPDX-License-Identifier: Apache-2.0
-- GET /v1/users/resolve.  The table belongs to auth; no password hash leaves it here.

-- name: users.by_number
-- args: number:t
-- columns: id:i number:t username:t? full:t?
SELECT id, number, username, full_name
FROM users
WHERE number = $1 AND erased_at IS NULL;

-- name: users.by_username
-- args: key:t
-- columns: id:i number:t username:t? full:t?
SELECT id, number, username, full_name
FROM users
WHERE username_key = $1 AND erased_at IS NULL;
