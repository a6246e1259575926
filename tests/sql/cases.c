/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the statements must answer, step by step, the same on both engines.
 * People: Ala 101 with the devices 11, 12, 13; 102 with 21; Cyd 103 with 31.
 * "*" stands for serial numbers of which only one engine skips some.
 */
#include "sql.h"

#define ANY NULL

/* clang-format off */
/* Refresh of one token: a batch as in design: storage, section 2.1; grace 10. */
#define REFRESH(jti, hash, new, now, state)                                                        \
	{ "BEGIN", "", ANY },                                                                      \
	{ "auth.refresh_lock", jti, ANY },                                                         \
	{ "auth.rotate", jti "|" hash "|" new "|" now, ANY },                                      \
	{ "auth.successor", jti "|" new "|n" new "|" now "|9000", "" },                            \
	{ "auth.kill", jti "|" hash "|" new "|" now "|10", "" },                                   \
	{ "auth.kill_epoch", jti "|" hash "|" now, ANY },                                          \
	{ "auth.refresh_state", jti "|" hash "|" new "|" now, state },                             \
	{ "COMMIT", "", ANY }

/* An upload: rows are the one-time keys for SQLite, ids and pubs the same as arrays. */
#define UPLOAD(dev, now, ticket, identity, spk, max, rows, ids, algs, pubs, stored, known, state)  \
	{ "BEGIN", "", ANY },                                                                      \
	{ "prekeys.upload_lock", dev, ANY },                                                       \
	{ "prekeys.otp_in", rows, ANY },                                                           \
	{ "prekeys.upload_take", dev "|" now "|" ticket "|1|" identity "|-|" spk "|" max "|"       \
	                         ids "|" algs "|" pubs, ANY },                                     \
	{ "prekeys.upload_signed", dev "|" now "|" ticket "|-|1|" spk "|sig", "" },                \
	{ "prekeys.upload_keys", dev "|" ticket "|" ids "|" algs "|" pubs, stored },               \
	{ "prekeys.known", dev "|" ids, known },                                                   \
	{ "prekeys.upload_state", dev "|" ticket "|" identity "|" spk, state },                    \
	{ "prekeys.otp_clear", "", ANY },                                                          \
	{ "COMMIT", "", ANY }

#define OPEN(initiator, responder, args, rows)                                                     \
	{ "BEGIN", "", ANY },                                                                      \
	{ "dm_sessions.open_lock", initiator "|" responder, ANY },                                 \
	{ "dm_sessions.open", initiator "|" responder "|" args, rows },                            \
	{ "COMMIT", "", ANY }

#define SEND(lock, args, rows)                                                                     \
	{ "BEGIN", "", ANY },                                                                      \
	{ "dm_messages.send_lock", lock, ANY },                                                    \
	{ "dm_messages.send", args, rows },                                                        \
	{ "COMMIT", "", ANY }

#define RECEIPT(lock, args, rows)                                                                  \
	{ "BEGIN", "", ANY },                                                                      \
	{ "dm_messages.receipt_lock", lock, ANY },                                                 \
	{ "dm_messages.receipt", args, rows },                                                     \
	{ "COMMIT", "", ANY }

#define UNREAD(session, rows)                                                                      \
	{ "sql", "SELECT unread_i, unread_r FROM dm_sessions WHERE id = " session, rows }

#define END "9223372036854775807"
#define ALA "101|11|000001|Ala|"

const struct step steps[] = {
	/* core */
	{ "core.ping", "", "1" },
	{ "core.is_installed", "", "1" },
	{ "core.migration_lock", "", "" },
	{ "core.migration_add", "core|1|core|sum|5", "" },
	{ "core.migrations", "", "core|1|core|sum" },
	{ "core.meta_put_blob", "perm_key|K1", "" },
	{ "core.meta_put_blob", "perm_key|K2", "" },
	{ "core.meta_get", "perm_key", "0|K1" },
	{ "core.meta_get", "nothing", "" },

	/* register: new, name taken, deviceId taken, nothing left over */
	{ "auth.ordinals", "16|1000000", "16" },
	{ "auth.ordinals", "16|1000000", "32" },
	{ "auth.ordinals", "16|40", "" },
	{ "BEGIN", "", ANY },
	{ "auth.device_lock", "11|101", ANY },
	{ "auth.user_add", "101|1000|000001|Ala|ala|Ala A|phc1|11", "101" },
	{ "auth.device_first", "11|101|1000|1|phone", "1" },
	{ "auth.token_add", "j1|101|11|h1|1000|9000", "0|1" },
	{ "COMMIT", "", ANY },
	{ "BEGIN", "", ANY },
	{ "auth.user_add", "102|1001|000002|ALA|ala|-|phc2|12", "" },
	{ "auth.device_first", "12|102|1001|1|-", "" },
	{ "auth.token_add", "j2|102|12|h2|1001|9000", "" },
	{ "auth.register_why", "ala|12", "1|0" },
	{ "COMMIT", "", ANY },
	{ "auth.user_add", "102|1002|000002|Bob|bob|-|phc2|11", "" },
	{ "auth.device_first", "11|102|1002|1|-", "" },
	{ "auth.register_why", "-|11", "0|1" },
	{ "auth.user_add", "101|1003|000009|-|-|-|phc9|19", "" },
	{ "auth.device_first", "19|101|1003|1|-", "" },
	{ "sql", "SELECT (SELECT count(*) FROM users), (SELECT count(*) FROM devices), (SELECT count(*) FROM refresh_tokens)", "1|1|1" },
	{ "auth.user_add", "102|1004|000002|-|-|-|phc2|21", "102" },
	{ "auth.device_first", "21|102|1004|2|-", "*" },
	{ "auth.token_add", "b1|102|21|hb|1004|9000", "0|1" },
	{ "auth.user_add", "103|1005|000003|-|-|Cyd|phc3|31", "103" },
	{ "auth.device_first", "31|103|1005|3|-", "*" },
	{ "auth.numbers_page", "|2", "000001;000002" },
	{ "auth.numbers_page", "000002|10", "000003" },
	{ "auth.user_by_id", "101", "1000|-|000001|Ala|Ala A" },
	{ "auth.user_by_id", "999", "" },
	{ "auth.find_name", "ala", "101|000001|Ala|Ala A|phc1" },
	{ "auth.find_name", "Ala", "" },
	{ "auth.find_number", "000002", "102|000002|-|-|phc2" },
	{ "users.by_username", "ala", "101|000001|Ala|Ala A" },
	{ "users.by_number", "000003", "103|000003|-|Cyd" },
	{ "users.by_number", "3", "" },
	{ "auth.me", "11", "101|000001|Ala|0|1" },
	{ "auth.me", "99", "" },

	/* devices: new, known, foreign, over the limit, removed */
	{ "auth.device_put", "12|101|2000|3|laptop|32", "*|2000|3|laptop" },
	{ "auth.device_put", "12|101|2001|-|-|32", "*|2000|3|laptop" },
	{ "auth.device_put", "12|101|2002|4|tab|32", "*|2000|4|tab" },
	{ "auth.device_put", "21|101|2003|-|-|32", "" },
	{ "auth.device_why", "21|101", "0|0" },
	{ "auth.device_put", "13|101|2004|-|-|2", "" },
	{ "auth.device_why", "13|101", "" },
	{ "auth.device_put", "12|101|2005|-|-|2", "*|2000|4|tab" },
	{ "auth.token_add", "j12|101|12|h12|2050|9000", "0|1" },
	{ "auth.device_remove", "12|102|2100", "" },
	{ "auth.revoke_device", "12|102|2100", "" },
	{ "sql", "SELECT count(*) FROM refresh_tokens WHERE device_id = 12 AND revoked_at IS NULL", "1" },
	{ "auth.device_remove", "12|101|2100", "12|1" },
	{ "auth.revoke_device", "12|101|2100", "" },
	{ "sql", "SELECT count(*) FROM refresh_tokens WHERE device_id = 12 AND revoked_at IS NULL", "0" },
	{ "auth.device_remove", "12|101|2150", "" },
	{ "auth.device_remove", "77|101|2150", "" },
	{ "auth.device_put", "12|101|2200|-|-|32", "" },
	{ "auth.device_why", "12|101", "1|1" },
	{ "auth.token_add", "j13|101|12|h13|2200|9000", "" },
	{ "auth.me", "12", "" },
	{ "auth.device_put", "13|101|2201|-|-|2", "*|2201|0|-" },
	{ "auth.devices", "101", "11|1|phone|1000|-|-;12|4|tab|2000|-|2100;13|0|-|2201|-|-" },
	{ "auth.seen", "11|5000", "" },
	{ "auth.seen", "11|6000", "" },
	{ "auth.devices", "101", "11|1|phone|1000|5000|-;12|4|tab|2000|-|2100;13|0|-|2201|-|-" },
	{ "auth.seen", "11|300005001", "" },
	{ "sql", "SELECT last_seen_at FROM devices WHERE device_id = 11", "300005001" },

	/* refresh: rotated, wrong, unknown, within the grace, late, killed once */
	REFRESH("j1", "h1", "k1", "3000", "0|" ALA "0|1"),
	REFRESH("k1", "bad", "x0", "3001", "1|" ALA "0|1"),
	REFRESH("zz", "h1", "x0", "3002", ""),
	REFRESH("j1", "h1", "x1", "3005", "2|" ALA "0|1"),
	{ "sql", "SELECT count(*) FROM refresh_tokens WHERE device_id = 11 AND revoked_at IS NULL", "1" },
	REFRESH("j1", "bad", "x1", "3020", "1|" ALA "0|1"),
	REFRESH("j1", "h1", "x1", "3020", "4|" ALA "1|1"),
	{ "sql", "SELECT count(*) FROM refresh_tokens WHERE device_id = 11 AND revoked_at IS NULL", "0" },
	REFRESH("k1", "nk1", "x2", "3021", "2|" ALA "1|1"),
	REFRESH("j1", "h1", "x3", "3040", "2|" ALA "1|1"),
	/* the successor was used: killed within the grace too */
	{ "auth.token_add", "jA|101|11|hA|4000|9000", "1|1" },
	REFRESH("jA", "hA", "kA", "4001", "0|" ALA "1|1"),
	REFRESH("kA", "nkA", "mA", "4002", "0|" ALA "1|1"),
	REFRESH("jA", "hA", "x4", "4003", "4|" ALA "2|1"),
	REFRESH("mA", "nmA", "x5", "4004", "2|" ALA "2|1"),
	/* expired, and still so after other logins trimmed the device */
	{ "auth.token_add", "jE|101|11|hE|4000|4500", "2|1" },
	REFRESH("jE", "hE", "x6", "5000", "3|" ALA "2|1"),
	{ "auth.token_trim", "11|101|5001|8", "" },
	REFRESH("jE", "hE", "x7", "5002", "3|" ALA "2|1"),
	/* nine logins: the oldest ends */
	{ "auth.token_add", "t1|101|11|ht1|5100|9000", "2|1" },
	{ "auth.token_add", "t2|101|11|ht2|5101|9000", "2|1" },
	{ "auth.token_add", "t3|101|11|ht3|5102|9000", "2|1" },
	{ "auth.token_add", "t4|101|11|ht4|5103|9000", "2|1" },
	{ "auth.token_add", "t5|101|11|ht5|5104|9000", "2|1" },
	{ "auth.token_add", "t6|101|11|ht6|5105|9000", "2|1" },
	{ "auth.token_add", "t7|101|11|ht7|5106|9000", "2|1" },
	{ "auth.token_add", "t8|101|11|ht8|5107|9000", "2|1" },
	{ "auth.token_trim", "11|101|5107|8", "" },
	{ "sql", "SELECT count(*) FROM refresh_tokens WHERE created_at >= 5100 AND revoked_at IS NULL", "8" },
	{ "auth.token_add", "t9|101|11|ht9|5108|9000", "2|1" },
	{ "auth.token_trim", "11|102|5108|8", "" },
	{ "sql", "SELECT count(*) FROM refresh_tokens WHERE created_at >= 5100 AND revoked_at IS NULL", "9" },
	{ "auth.token_trim", "11|101|5108|8", "" },
	{ "sql", "SELECT created_at FROM refresh_tokens WHERE created_at >= 5100 AND revoked_at = 5108", "5100" },
	{ "sql", "SELECT count(*) FROM refresh_tokens WHERE created_at >= 5100 AND revoked_at IS NULL", "8" },
	/* logouts */
	{ "auth.logout_token", "t5|ht5|102|5200", "" },
	{ "auth.logout_token", "t5|bad|101|5200", "" },
	{ "auth.logout_token", "zz|ht5|101|5200", "" },
	{ "auth.logout_token", "t5|ht5|101|5200", "11" },
	{ "auth.logout_token", "t5|ht5|101|5300", "11" },
	{ "sql", "SELECT revoked_at FROM refresh_tokens WHERE created_at = 5104", "5200" },
	REFRESH("t5", "ht5", "x8", "5301", "2|" ALA "2|1"),
	{ "auth.epoch_device", "11|102", "" },
	{ "auth.epoch_device", "11|101", "11|3" },
	{ "auth.revoke_device", "11|101|5400", "" },
	{ "sql", "SELECT count(*) FROM refresh_tokens WHERE device_id = 11 AND revoked_at IS NULL", "0" },
	{ "auth.epoch_user", "101", "~11|4;12|2;13|1" },
	{ "auth.epoch_user", "102", "21|1" },
	{ "auth.revoke_user", "102|5500", "" },
	{ "sql", "SELECT count(*) FROM refresh_tokens WHERE revoked_at IS NULL", "0" },
	{ "sql", "SELECT count(*) FROM refresh_tokens WHERE expires_at < 100000", "17" },
	{ "auth.tokens_purge", "100000|3", "" },
	{ "sql", "SELECT count(*) FROM refresh_tokens", "14" },
	{ "auth.tokens_purge", "4500|100", "" },
	{ "sql", "SELECT count(*) FROM refresh_tokens WHERE expires_at = 4500", "0" },

	/* uploads: new, repeated, the three conflicts, over and exactly at the limit */
	UPLOAD("11", "6000", "71", "ID", "900|S0", "4", "1|1|p1;2|1|p2;3|1|p3", "{1,2,3}", "{1,1,1}", "{p1,p2,p3}",
	    "~1;2;3", "~1|p1|-;2|p2|-;3|p3|-", "1|0|0|3|1"),
	UPLOAD("11", "6001", "72", "ID", "900|S0", "4", "3|1|p3;1|1|p1", "{3,1}", "{1,1}", "{p3,p1}",
	    "", "~1|p1|-;3|p3|-", "1|0|0|3|1"),
	UPLOAD("11", "6002", "73", "XX", "900|S0", "4", "4|1|p4", "{4}", "{1}", "{p4}", "", "", "0|1|0|3|1"),
	UPLOAD("11", "6003", "74", "ID", "900|SX", "4", "4|1|p4", "{4}", "{1}", "{p4}", "", "", "0|0|1|3|1"),
	UPLOAD("11", "6004", "75", "ID", "900|S0", "4", "2|1|pX", "{2}", "{1}", "{pX}", "", "2|p2|-", "0|0|0|3|1"),
	UPLOAD("11", "6005", "76", "ID", "900|S0", "4", "4|1|p4;5|1|p5", "{4,5}", "{1,1}", "{p4,p5}", "", "", "0|0|0|3|1"),
	UPLOAD("11", "6006", "77", "ID", "901|S1", "4", "1|1|p1;4|1|p4", "{1,4}", "{1,1}", "{p1,p4}",
	    "4", "~1|p1|-;4|p4|-", "1|0|0|4|1"),
	UPLOAD("12", "6007", "78", "ID2", "900|S2", "4", "none", "{}", "{}", "{}", "", "", "0|0|0|0|-"),
	UPLOAD("31", "6008", "79", "ID3", "900|S3", "4", "1|1|q1", "{1}", "{1}", "{q1}", "1", "1|q1|-", "1|0|0|1|*"),

	/* bundles: oldest first, take 0, wrong user, removed, exhausted; nothing comes back */
	{ "prekeys.device_of", "101", "11" },
	{ "prekeys.device_of", "102", "" },
	{ "prekeys.bundle", "11|101|7000|1", "11|ID|901|S1|sig|1|p1" },
	{ "prekeys.bundle", "11|-|7000|1", "11|ID|901|S1|sig|2|p2" },
	{ "prekeys.bundle", "11|101|7001|0", "11|ID|901|S1|sig|-|-" },
	{ "prekeys.free", "11", "2" },
	{ "prekeys.bundle", "11|102|7002|1", "" },
	{ "prekeys.bundle_why", "11|102", "1|0" },
	{ "prekeys.bundle", "12|-|7002|1", "" },
	{ "prekeys.bundle_why", "-|999", "0|0" },
	{ "prekeys.bundle_why", "11|-", "0|1" },
	{ "prekeys.bundle", "21|102|7002|1", "" },
	{ "prekeys.bundle_why", "21|102", "1|1" },
	{ "prekeys.bundle", "11|101|7003|1", "11|ID|901|S1|sig|3|p3" },
	{ "prekeys.bundle", "11|101|7004|1", "11|ID|901|S1|sig|4|p4" },
	{ "prekeys.bundle", "11|101|7005|1", "11|ID|901|S1|sig|-|-" },
	{ "prekeys.free", "11", "0" },
	{ "prekeys.free", "21", "" },
	UPLOAD("11", "7100", "80", "ID", "900|S0", "4", "1|1|p1;2|1|p2", "{1,2}", "{1,1}", "{p1,p2}",
	    "", "~1|p1|7000;2|p2|7000", "1|0|0|0|1"),
	{ "prekeys.bundle", "11|101|7101|1", "11|ID|900|S0|sig|-|-" },
	{ "prekeys.purge", "11", "" },
	{ "sql", "SELECT count(*) FROM one_time_prekeys WHERE device_id = 11", "4" },

	/* sessions: open, identical, taken in either role, other pair, removed, pending limit */
	OPEN("11", "21", "102|500|8000|16|{\"v\":1,\"k\":\"a\"}", "1|102"),
	OPEN("11", "21", "102|500|8001|16|{\"v\":1,\"k\":\"a\"}", ""),
	{ "dm_sessions.open_why", "11|21|102|500", "1|1|2|1|0|{\"v\":1,\"k\":\"a\"}" },
	OPEN("21", "11", "101|500|8002|16|o", ""),
	{ "dm_sessions.open_why", "21|11|101|500", "1|1|2|-|-|-" },
	OPEN("31", "13", "101|500|8003|16|o2", "2|101"),
	OPEN("31", "11", "101|500|8004|16|o", ""),
	{ "dm_sessions.open_why", "31|11|101|500", "1|1|2|-|-|-" },
	OPEN("21", "12", "101|501|8005|16|o", ""),
	{ "dm_sessions.open_why", "21|12|101|501", "1|0|0|-|-|-" },
	OPEN("12", "21", "102|501|8005|16|o", ""),
	{ "dm_sessions.open_why", "12|21|102|501", "0|1|0|-|-|-" },
	OPEN("21", "11", "103|502|8006|16|o", ""),
	{ "dm_sessions.open_why", "21|11|103|502", "1|0|0|-|-|-" },
	OPEN("11", "21", "102|503|8007|1|o", ""),
	{ "dm_sessions.open_why", "11|21|102|503", "1|1|0|-|-|-" },
	{ "sql", "SELECT (SELECT count(*) FROM dm_sessions), (SELECT count(*) FROM dm_participants), (SELECT count(*) FROM dm_offers)", "2|4|2" },
	{ "dm_sessions.incoming", "21|0|10", "1|500|101|11|{\"v\":1,\"k\":\"a\"}|8000" },
	{ "dm_sessions.incoming", "21|1|10", "" },
	{ "dm_sessions.incoming", "11|0|10", "" },

	/* send: PENDING, accept, ACTIVE, mismatch, no session, clock back, repeated, reused */
	SEND("11|500", "11|500|21|c1|-|1|t1|x1|9000", "1|0|1|9000|-|1|0|101|102|21"),
	SEND("21|500", "21|500|-|c1|-|1|t1|x1|9001", "1|3|-|-|-|0|0|102|101|11"),
	{ "dm_typing.peer", "11|500", "0|21" },
	{ "dm_sessions.accept", "1|11|9100", "" },
	{ "dm_sessions.session", "1|11", "500|0|0" },
	{ "dm_sessions.accept", "1|21|9100", "500|11|101" },
	{ "dm_sessions.accept", "1|21|9101", "" },
	{ "dm_sessions.session", "1|21", "500|1|1" },
	{ "dm_typing.peer", "11|500", "1|21" },
	{ "dm_typing.peer", "21|500", "1|11" },
	{ "dm_typing.peer", "13|500", "0|31" }, /* the other pair with this number */
	{ "dm_typing.peer", "12|500", "" },
	{ "dm_typing.peer", "11|499", "" },
	{ "dm_sessions.session", "99|21", "" },
	{ "dm_sessions.incoming", "21|0|10", "" },
	{ "sql", "SELECT last_at, accepted_at FROM dm_sessions WHERE id = 1", "9000|9100" },
	SEND("21|500", "21|500|11|c1|77|2|t2|x2|9200", "1|0|2|9200|77|2|0|102|101|11"),
	SEND("11|500", "11|500|31|c9|-|1|t1|x1|9300", "1|5|-|-|-|0|0|101|102|21"),
	SEND("31|777", "31|777|-|c1|-|1|t1|x1|9300", ""),
	SEND("11|500", "11|500|21|c3|-|1|t3|x3|100", "1|0|3|9200|-|1|0|101|102|21"),
	/* One group of everything; repeats last, since SQLite draws an id for them too. */
	SEND("11|500;21|500;31|999;31|500;11|500",
	    "11|500|21|c5|-|1|t|y5|9400;21|500|11|c6|-|1|t|y6|9400;31|999|-|c|-|1|t|y|9400;"
	    "31|500|13|d1|-|1|t|z1|9400;11|500|21|c1|-|1|t1|x1|9400",
	    "~1|0|4|9400|-|1|0|101|102|21;2|0|5|9400|-|1|0|102|101|11;4|0|6|9400|-|1|0|103|101|13;"
	    "5|1|1|9000|-|1|0|101|102|21"),
	SEND("11|500", "11|500|21|c1|55|1|t1|x1|9410", "1|1|1|9000|-|1|0|101|102|21"),
	SEND("11|500", "11|500|21|c1|-|1|t1|zz|9410", "1|2|1|9000|-|1|0|101|102|21"),
	SEND("11|500", "11|500|21|c1|-|1|zz|x1|9410", "1|2|1|9000|-|1|0|101|102|21"),
	UNREAD("1", "2|3"),
	UNREAD("2", "0|1"),
	{ "sql", "SELECT last_id, last_at FROM dm_sessions WHERE id = 1", "5|9400" },

	/* history and catch-up */
	{ "dm_messages.head", "11|500", "1|1|0|101|102|11|21" },
	{ "dm_messages.head", "13|500", "2|0|1|103|101|31|13" },
	{ "dm_messages.head", "31|123", "" },
	{ "dm_messages.before", "11|500|" END "|3|0", "5|9400|-|1|1|c6|t|y6|-;4|9400|-|1|0|c5|t|y5|-;3|9200|-|1|0|c3|t3|x3|-" },
	{ "dm_messages.before", "21|500|3|10|0", "2|9200|77|2|1|c1|t2|x2|-;1|9000|-|1|0|c1|t1|x1|-" },
	{ "dm_messages.before", "21|500|4|10|1", "3|9200|-|1|0|c3|t3|x3|-;1|9000|-|1|0|c1|t1|x1|-" },
	{ "dm_messages.before", "31|123|" END "|3|0", "" },
	{ "dm_messages.after", "11|500|0|10|1", "2|9200|77|2|1|c1|t2|x2|-;5|9400|-|1|1|c6|t|y6|-" },
	{ "dm_messages.after", "11|500|3|1|0", "4|9400|-|1|0|c5|t|y5|-" },

	/* receipts: batch with doubles, own, foreign and unknown ids; no downgrade; unread exact */
	RECEIPT("21|1", "21|1|1|9500;21|1|3|9500;21|1|1|9500;21|1|2|9500;21|1|6|9500;21|1|99|9500",
	    "~1|1|500|11;2|3|500|11"),
	UNREAD("1", "2|3"),
	RECEIPT("21|1", "21|2|1|9501", "1|1|500|11"),
	UNREAD("1", "2|2"),
	RECEIPT("21|1", "21|2|1|9502", ""),
	RECEIPT("21|1", "21|1|1|9503", ""),
	UNREAD("1", "2|2"),
	RECEIPT("21|4", "21|2|4|9504", "1|4|500|11"),
	RECEIPT("21|3;11|5", "21|1|3|9505;21|2|3|9505;11|1|5|9505", "~2|3|500|11;3|5|500|21"),
	UNREAD("1", "2|0"),
	{ "sql", "SELECT message_id, device_id, status, delivered_at, read_at FROM message_receipts ORDER BY 1",
	    "1|21|2|9500|9501;3|21|2|9500|9505;4|21|2|9504|9504;5|11|1|9505|-" },
	{ "dm_messages.receipt_why", "1|21", "1" },
	{ "dm_messages.receipt_why", "1|11", "0" },
	{ "dm_messages.receipt_why", "99|21", "" },
	SEND("11|500", "11|500|21|c1|-|1|t1|x1|9510", "1|1|1|9000|-|1|2|101|102|21"),
	{ "dm_messages.catch_up", "21|0|2", "1|9000|-|1|0|c1|t1|x1|2|500|101|102|11|21;3|9200|-|1|0|c3|t3|x3|2|500|101|102|11|21" },
	{ "dm_messages.catch_up", "21|3|2", "4|9400|-|1|0|c5|t|y5|2|500|101|102|11|21" },
	{ "dm_messages.catch_up", "21|4|2", "" },
	{ "dm_messages.catch_up", "13|0|10", "6|9400|-|1|0|d1|t|z1|-|500|103|101|31|13" },

	/* conversations: with cursor, without a message; accept counts as activity then */
	OPEN("11", "31", "103|504|9450|16|o4", "3|103"),
	{ "dm_messages.conversations", "11|" END "|" END "|10",
	    "3|504|0|9450|103|31|0|000003|-|Cyd|-|-|-|-|-|-|-|-|-|0;"
	    "1|500|1|9400|102|21|2|000002|-|-|5|9400|-|1|1|c6|t|y6|1|0" },
	{ "dm_messages.conversations", "11|" END "|" END "|1", "3|504|0|9450|103|31|0|000003|-|Cyd|-|-|-|-|-|-|-|-|-|0" },
	{ "dm_messages.conversations", "11|9450|3|10", "1|500|1|9400|102|21|2|000002|-|-|5|9400|-|1|1|c6|t|y6|1|0" },
	{ "dm_messages.conversations", "21|" END "|" END "|10", "1|500|1|9400|101|11|0|000001|Ala|Ala A|5|9400|-|1|1|c6|t|y6|1|1" },
	{ "dm_messages.conversations", "99|" END "|" END "|10", "" },
	{ "dm_sessions.accept", "3|31|9600", "504|11|101" },
	{ "sql", "SELECT last_at FROM dm_sessions WHERE id = 3", "9600" },

	/* a removed peer, an erased peer; a number never comes back */
	{ "prekeys.purge_due", "-" END "|10", "" },
	{ "auth.device_remove", "31|103|9700", "31|1" },
	SEND("11|504", "11|504|-|g1|-|1|t|x|9800", "1|4|-|-|-|0|0|101|103|31"),
	{ "prekeys.purge_due", "-" END "|10", "31" },
	{ "prekeys.purge", "31", "" },
	{ "prekeys.purge_due", "-" END "|10", "" },
	{ "sql", "SELECT count(*) FROM one_time_prekeys WHERE device_id = 31", "0" },
	{ "BEGIN", "", ANY },
	{ "auth.device_lock", "103|103", ANY },
	{ "auth.user_erase", "103|9900", "103" },
	{ "auth.devices_erase", "103|9900", "31" },
	{ "auth.revoke_user", "103|9900", "" },
	{ "COMMIT", "", ANY },
	{ "auth.user_erase", "103|9901", "" },
	{ "sql", "SELECT removed_at FROM devices WHERE device_id = 31", "9700" },
	{ "auth.find_number", "000003", "" },
	{ "users.by_number", "000003", "" },
	{ "auth.user_by_id", "103", "1005|9900|000003|-|-" },
	{ "auth.device_put", "32|103|9950|-|-|32", "" },
	{ "auth.user_add", "104|9960|000003|-|-|-|phc4|41", "" },
	{ "dm_messages.conversations", "11|" END "|" END "|1", "3|504|1|9600|103|31|0|-|-|-|-|-|-|-|-|-|-|-|-|0" },
};
/* clang-format on */

const size_t step_count = sizeof(steps) / sizeof(steps[0]);
