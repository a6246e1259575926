/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The database's files: what they keep, who may see them, one server at a time.
 */
#include "db_store.h"

#include <sys/stat.h>

static void
keeps_what_was_answered(void **state)
{
	struct store *store = *state, *again = calloc(1, sizeof(*again));
	uint8_t key[DB_KEY_LEN];
	char path[sizeof(store->path)];
	struct answer answer;

	add(store, "kept");
	assert_true(store->server.db->has_key);
	memcpy(key, store->server.db->key, sizeof(key));
	memcpy(path, store->path, sizeof(path));
	store_stop(store);

	assert_non_null(again);
	store_init(again, path);
	store_start(again);
	assert_int_equal(run(again, NOTE_GET, CONVRO_ARGS(text_val("kept")), &answer), CONVRO_OK);
	assert_int_equal(answer.rows, 1);
	assert_memory_equal(again->server.db->key, key, sizeof(key));
	store_stop(again);
	store_fini(again);
	free(again);
}

static void
is_for_its_owner_alone(void **state)
{
	static const char *const endings[] = { "", "-wal", "-shm", ".lock" };
	struct store *store = *state;

	add(store, "secret");
	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
		struct stat status;
		char path[160];

		(void)snprintf(path, sizeof(path), "%s%s", store->path, endings[i]);
		assert_int_equal(stat(path, &status), 0);
		assert_int_equal(status.st_mode & 0777, 0600);
	}
}

static void
refuses_a_second_server_on_the_same_file(void **state)
{
	struct store *store = *state, *second = calloc(1, sizeof(*second));

	assert_non_null(second);
	store_init(second, store->path);
	assert_null(db_open(&second->server));
	store_stop(store);
	second->server.db = db_open(&second->server);
	assert_non_null(second->server.db);
	db_close(second->server.db);
	store_fini(second);
	free(second);
}

static void
refuses_a_path_that_is_no_file(void **state)
{
	struct store *other = calloc(1, sizeof(*other));

	(void)state;
	assert_non_null(other);
	store_init(other, ":memory:");
	assert_null(db_open(&other->server));
	store_fini(other);
	store_init(other, "/nowhere/at/all.db");
	assert_null(db_open(&other->server));
	store_fini(other);
	free(other);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		on_a_store(keeps_what_was_answered),
		on_a_store(is_for_its_owner_alone),
		on_a_store(refuses_a_second_server_on_the_same_file),
		on_a_store(refuses_a_path_that_is_no_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
