/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Argon2id, in the offload pool: 64 MiB and about 55 ms at the default cost.
 */
#include "auth.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

static void
make(struct password_job *job)
{
	size_t len = job->len < PASSWORD_BYTES_MAX ? job->len : PASSWORD_BYTES_MAX;

	job->ok = crypto_pwhash_str_alg(job->hash, job->password, len, job->auth->password_passes,
		      job->auth->password_memory, crypto_pwhash_ALG_ARGON2ID13) == 0;
}

/* The context's memory is const to readers, but it is ours to wipe. */
static void
wipe(struct password_job *job)
{
	sodium_memzero((void *)(uintptr_t)job->password, job->len);
	job->len = 0;
}

void
password_make(void *arg)
{
	struct password_job *job = arg;

	make(job);
	wipe(job);
}

void
password_check(void *arg)
{
	struct password_job *job = arg;

	if (job->stored != NULL && job->len <= PASSWORD_BYTES_MAX) {
		errno = 0;
		job->ok = crypto_pwhash_str_verify(job->stored, job->password, job->len) == 0;
		job->failed = !job->ok && errno == ENOMEM;
	} else {
		/* As long as a real check takes, so that time does not tell who has an account. */
		make(job);
		job->ok = false;
	}
	wipe(job);
}
