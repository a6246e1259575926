/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Migrations on a SQLite file: run once, in order, whole or not at all, and a
 * refusal for a database that another server made.
 */
#include "db_store.h"

struct site {
	char dir[64], path[128];
	struct store *store;
	struct module notes; /* as the next server has it */
};

/* A server with `site->notes`, on the file that may be there from before; how db_migrate went. */
static int
migrate(struct site *site)
{
	struct store *store = calloc(1, sizeof(*store));

	assert_non_null(store);
	store_init(store, site->path);
	store->notes = site->notes;
	store->notes.server = &store->server;
	store->server.db = db_open(&store->server);
	assert_non_null(store->server.db);
	site->store = store;
	return db_migrate(store->server.db);
}

static void
leave(struct site *site)
{
	store_stop(site->store);
	store_fini(site->store);
	free(site->store);
	site->store = NULL;
}

static int
set_up(void **state)
{
	struct site *site = calloc(1, sizeof(*site));
	char dir[] = "/tmp/convro-db-XXXXXX";

	assert_non_null(site);
	assert_non_null(mkdtemp(dir));
	memcpy(site->dir, dir, sizeof(dir));
	(void)snprintf(site->path, sizeof(site->path), "%s/store.db", dir);
	site->notes = (struct module){
		.name = "notes",
		.statements = note_statements,
		.statement_count = AT(NOTE_END),
		.migrations = note_migrations,
		.migration_count = 1,
	};
	*state = site;
	return 0;
}

static int
tear_down(void **state)
{
	struct site *site = *state;

	store_remove(site->path, site->dir);
	free(site);
	return 0;
}

/* How many rows convro_migration has for the module, and the newest version. */
static uint32_t
versions(struct site *site, const char *module, int64_t *newest)
{
	struct arena *arena = arena_new(1024);
	struct convro_db_result rows;
	uint32_t count = 0;

	assert_int_equal(
	    db_run(site->store->server.db, CORE_MIGRATIONS, CONVRO_NO_ARGS, arena, &rows), 0);
	for (uint32_t i = 0; i < rows.nrows; i++) {
		if (strcmp(convro_at(&rows, i, 0)->u.text, module) != 0)
			continue;
		count++;
		*newest = convro_at(&rows, i, 1)->u.i;
	}
	arena_free(arena);
	return count;
}

static void
brings_an_empty_database_up_to_date(void **state)
{
	struct site *site = *state;
	int64_t newest = 0;

	assert_int_equal(migrate(site), 0);
	assert_int_equal(versions(site, "core", &newest), CORE_MIGRATION_COUNT);
	assert_int_equal(versions(site, "notes", &newest), 1);
	assert_int_equal(newest, 1);
	leave(site);
}

static void
runs_each_migration_once(void **state)
{
	struct site *site = *state;
	int64_t newest = 0;

	assert_int_equal(migrate(site), 0);
	leave(site);
	site->notes.migration_count = 2;
	assert_int_equal(migrate(site), 0);
	assert_int_equal(versions(site, "notes", &newest), 2);
	assert_int_equal(newest, 2);
	leave(site);
	assert_int_equal(migrate(site), 0); /* a second column "colour" would fail */
	assert_int_equal(versions(site, "notes", &newest), 2);
	leave(site);
}

static void
refuses_a_migration_that_was_changed_after_it_ran(void **state)
{
	struct site *site = *state;
	struct convro_migration changed = note_migrations[0];

	assert_int_equal(migrate(site), 0);
	leave(site);
	changed.checksum = "ff01010101010101010101010101010101010101010101010101010101010101";
	site->notes.migrations = &changed;
	assert_int_equal(migrate(site), -1);
	leave(site);
	site->notes.migrations = note_migrations;
	assert_int_equal(migrate(site), 0);
	leave(site);
}

static void
refuses_a_database_that_is_newer(void **state)
{
	struct site *site = *state;

	site->notes.migration_count = 2;
	assert_int_equal(migrate(site), 0);
	leave(site);
	site->notes.migration_count = 1;
	assert_int_equal(migrate(site), -1);
	leave(site);
}

static void
leaves_nothing_of_a_migration_that_fails(void **state)
{
	struct site *site = *state;
	struct convro_migration broken = note_migrations[0];
	int64_t newest = 0;

	broken.sql_sqlite = "CREATE TABLE notes(id INTEGER PRIMARY KEY) STRICT; CREATE TABLE (;";
	site->notes.migrations = &broken;
	assert_int_equal(migrate(site), -1);
	assert_int_equal(versions(site, "notes", &newest), 0);
	leave(site);
	site->notes.migrations = note_migrations; /* "notes" is not there yet */
	assert_int_equal(migrate(site), 0);
	leave(site);
}

static void
refuses_a_migration_without_a_valid_checksum(void **state)
{
	struct site *site = *state;
	struct convro_migration bad = note_migrations[0];

	bad.checksum = "0101";
	site->notes.migrations = &bad;
	assert_int_equal(migrate(site), -1);
	leave(site);
}

static void
keeps_the_key_of_the_first_start(void **state)
{
	struct site *site = *state;
	uint8_t key[DB_KEY_LEN], none[DB_KEY_LEN] = { 0 };

	assert_int_equal(migrate(site), 0);
	assert_int_equal(db_start(site->store->server.db), 0);
	memcpy(key, site->store->server.db->key, sizeof(key));
	assert_memory_not_equal(key, none, sizeof(key));
	leave(site);
	assert_int_equal(migrate(site), 0);
	assert_int_equal(db_start(site->store->server.db), 0);
	assert_memory_equal(key, site->store->server.db->key, sizeof(key));
	leave(site);
}

static void
refuses_to_start_with(
    struct site *site, const char *args, const char *columns, const char *sql, uint32_t flags)
{
	struct convro_statement wrong = note_statements[AT(NOTE_GET)];

	wrong.args_sqlite = args;
	wrong.columns_sqlite = columns;
	wrong.sql_sqlite = sql;
	wrong.flags = flags;
	site->notes.statements = &wrong;
	site->notes.statement_count = 1;
	if (migrate(site) == 0)
		assert_int_equal(db_start(site->store->server.db), -1);
	leave(site);
}

static void
refuses_a_statement_that_does_not_fit_its_header(void **state)
{
	struct site *site = *state;

	refuses_to_start_with(site, "name:t", "id:i", "SELECT id FROM nowhere", 0);
	refuses_to_start_with(site, "", "id:i", "SELECT id, name FROM notes", 0);
	refuses_to_start_with(site, "", "id:i", "SELECT id FROM notes WHERE name = $1", 0);
	refuses_to_start_with(site, "", "id:i", "SELECT id FROM notes WHERE name = ?", 0);
	refuses_to_start_with(site, "", "", "DELETE FROM notes", 0);
	refuses_to_start_with(site, "name:x", "", "SELECT 1", 0);
	refuses_to_start_with(site, "", "", "", 0);
}

#define on_a_site(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		on_a_site(brings_an_empty_database_up_to_date),
		on_a_site(runs_each_migration_once),
		on_a_site(refuses_a_migration_that_was_changed_after_it_ran),
		on_a_site(refuses_a_database_that_is_newer),
		on_a_site(leaves_nothing_of_a_migration_that_fails),
		on_a_site(refuses_a_migration_without_a_valid_checksum),
		on_a_site(keeps_the_key_of_the_first_start),
		on_a_site(refuses_a_statement_that_does_not_fit_its_header),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
