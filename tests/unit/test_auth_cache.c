/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a worker remembers of tokens and devices.
 */
#include "auth_kit.h"

static const struct claims sample = { .user_id = 55, .device_id = 12, .db_epoch = 5, .epoch = 4 };

static void
remembers_per_worker(void **state)
{
	struct caches *caches = caches_new(2);
	uint8_t digest[TOKEN_DIGEST_BYTES], other[TOKEN_DIGEST_BYTES];
	struct device device = { .device_id = 12, .user_id = 1 };
	struct claims claims;

	(void)state;
	assert_non_null(caches);
	cache_digest(caches, "a", 1, digest);
	cache_digest(caches, "b", 1, other);
	cache_put_token(caches, 0, digest, 1, &sample);
	assert_true(cache_get_token(caches, 0, digest, 1, &claims));
	assert_int_equal(claims.user_id, 55);
	assert_false(cache_get_token(caches, 0, other, 1, &claims));
	assert_false(cache_get_token(caches, 1, digest, 1, &claims));
	assert_non_null(cache_put_device(caches, 1, &device, cache_generation(caches, 1)));
	assert_non_null(cache_get_device(caches, 1, 12));
	assert_null(cache_get_device(caches, 0, 12));
	cache_forget_device(caches, 1, 13);
	assert_non_null(cache_get_device(caches, 1, 12));
	assert_null(cache_put_device(caches, 1, &device, cache_generation(caches, 1) - 1));
	cache_forget_device(caches, 1, 12);
	assert_null(cache_get_device(caches, 1, 12));
	caches_free(caches);
}

/* Far more than there is room for: the newest of them are there, and none is anybody else's. */
static void
the_newest_take_the_places_of_the_oldest(void **state)
{
	enum { DEVICES = 100000, NEWEST = 1000 };
	struct caches *caches = caches_new(1);
	struct device device = { .user_id = 1 };
	const struct device *found;
	uint32_t kept = 0, newest = 0;

	(void)state;
	assert_non_null(caches);
	for (device.device_id = 1; device.device_id <= DEVICES; device.device_id++) {
		device.loaded_ms = device.device_id;
		assert_non_null(cache_put_device(caches, 0, &device, cache_generation(caches, 0)));
	}
	for (int64_t id = 1; id <= DEVICES; id++) {
		found = cache_get_device(caches, 0, id);
		assert_true(found == NULL || found->device_id == id);
		kept += found != NULL;
		newest += found != NULL && id > DEVICES - NEWEST;
	}
	assert_true(kept > 16000 && kept <= 16384);
	assert_true(newest > NEWEST - 10); /* hardly five of so few meet in one set */
	caches_free(caches);
}

static void
sweeps_what_is_of_no_more_use(void **state)
{
	struct caches *caches = caches_new(1);
	uint8_t digest[TOKEN_DIGEST_BYTES];
	struct device device = { .device_id = 12, .user_id = 1, .loaded_ms = 1000 };
	struct claims claims;

	(void)state;
	assert_non_null(caches);
	cache_digest(caches, "a", 1, digest);
	cache_put_token(caches, 0, digest, 1000, &sample);
	assert_non_null(cache_put_device(caches, 0, &device, cache_generation(caches, 0)));
	cache_sweep(caches, 0, 1000 + DEVICE_FRESH_MS - 1);
	assert_non_null(cache_get_device(caches, 0, 12));
	cache_sweep(caches, 0, 1000 + DEVICE_FRESH_MS);
	assert_null(cache_get_device(caches, 0, 12));
	assert_true(cache_get_token(caches, 0, digest, 2000, &claims));
	cache_sweep(caches, 0, 2000 + TOKEN_IDLE_MS - 1);
	assert_true(cache_get_token(caches, 0, digest, 2000, &claims));
	cache_sweep(caches, 0, 2000 + TOKEN_IDLE_MS);
	assert_false(cache_get_token(caches, 0, digest, 2000, &claims));
	caches_free(caches);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(remembers_per_worker),
		cmocka_unit_test(the_newest_take_the_places_of_the_oldest),
		cmocka_unit_test(sweeps_what_is_of_no_more_use),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
