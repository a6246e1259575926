-- SPDX-License-Identifier: Apache-2.0
-- Who else is in a session (the tables are those of dm_sessions).

-- name: dm_typing.peer
-- args: device:i sid:j
-- columns: state:j peer:i
SELECT s.state,
  CASE WHEN s.initiator_device = $1 THEN s.responder_device ELSE s.initiator_device END
FROM dm_participants p
JOIN dm_sessions s ON s.id = p.session
WHERE p.device_id = $1 AND p.session_id = $2;
