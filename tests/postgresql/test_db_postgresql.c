/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The PostgreSQL driver on a real server.  Simple things first (basics.c),
 * then groups that are composed by hand (groups.c, messages.c), then what must
 * hold while the server goes away and comes back (losses.c).
 */
#include "cluster.h"
#include "kit.h"

enum { SKIPPED = 77 };

static int
run_all(void)
{
	int failed = 0;

	failed += _cmocka_run_group_tests("basics", basics_tests, basics_count, NULL, NULL);
	failed += _cmocka_run_group_tests("groups", groups_tests, groups_count, NULL, NULL);
	failed += _cmocka_run_group_tests("messages", messages_tests, messages_count, NULL, NULL);
	failed += _cmocka_run_group_tests("losses", losses_tests, losses_count, NULL, NULL);
	return failed;
}

int
main(void)
{
	int failed;

#ifndef POSTGRES_BINDIR
	if (getenv("CONVRO_TEST_PG") == NULL) {
		(void)fprintf(stderr, "skipped: PostgreSQL 15 is not installed here\n");
		return SKIPPED;
	}
#endif
	kit_conninfo = cluster_start(true);
	if (kit_conninfo == NULL) {
		(void)fprintf(stderr, "could not start a PostgreSQL for the test\n");
		cluster_stop();
		return 1;
	}
	failed = run_all();
	cluster_stop();
	return failed;
}
