/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reconnect: many clients are connected when the server restarts, or when
 * SIGUSR1 tells them to drop their connections; all come back with the client
 * library's back-off (min(5 s, 1 s x 2^n), more or less by half).  An operation
 * is a client that is back; its latency counts from the loss of its connection.
 *
 * With --rate messages go on being sent to them (stream.c), and they ask for
 * what they have missed; client i is the responder of session i + 1 then.
 */
#include "client.h"
#include "scenario.h"
#include "stream.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define DELAY_FIRST (1.0 * NS_PER_S)
#define DELAY_MAX   (5.0 * NS_PER_S)

struct back_off {
	struct timer timer;
	struct client *client;
	uint64_t lost; /* when its connection went */
	unsigned failures;
};

struct run {
	struct load *load;
	struct clients all;
	struct client *list;
	struct back_off *back_offs;
	struct watch signal;
	struct stream *stream; /* NULL without messages */
	uint32_t count, up, next;
	uint64_t attempts, refused; /* since the first loss */
	uint64_t first_lost, last_lost;
	bool opening;
};

static void
try_again(struct timer *timer)
{
	struct back_off *back_off = timer->arg;
	struct run *run = back_off->client->all->arg;

	run->attempts++;
	if (run->stream != NULL) {
		back_off->client->catches_up = true;
		back_off->client->after_id = stream_last_id(run->stream, back_off->client->number);
	}
	client_connect(back_off->client);
}

/* As Backoff of socket.io-client: the exponent grows with each attempt, the jitter is 0.5. */
static void
back_off_start(struct run *run, struct back_off *back_off)
{
	unsigned doubled = back_off->failures < 8 ? back_off->failures : 8;
	double delay = DELAY_FIRST * (double)(1u << doubled);
	double random = (double)(random_next() >> 11) / (double)(UINT64_C(1) << 53);

	delay *= 0.5 + random;
	back_off->failures++;
	loop_at(run->load->loop, &back_off->timer,
	    now_ns() + (uint64_t)(delay < DELAY_MAX ? delay : DELAY_MAX));
}

static void
open_next(struct run *run)
{
	if (run->next < run->count)
		client_connect(&run->list[run->next++]);
}

static void
connected(struct client *client)
{
	struct run *run = client->all->arg;
	struct back_off *back_off = &run->back_offs[client->number];

	run->up++;
	if (back_off->lost != 0) {
		histogram_record(&run->load->measure->latency, now_ns() - back_off->lost);
		run->load->measure->operations++;
		back_off->lost = 0;
		back_off->failures = 0;
	}
	if (run->up == run->count)
		loop_stop(run->load->loop);
	else if (run->opening)
		open_next(run);
}

static void
lost(struct run *run, struct client *client)
{
	struct back_off *back_off = &run->back_offs[client->number];

	run->up--;
	back_off->lost = run->last_lost = now_ns();
	if (run->first_lost == 0) {
		run->first_lost = run->last_lost;
		measure_begin(run->load->measure);
	}
	back_off_start(run, back_off);
}

static void
closed(struct client *client, const char *why)
{
	struct run *run = client->all->arg;

	if (run->opening) {
		measure_error(run->load->measure, "socket %u: %s", client->number, why);
		open_next(run);
	} else if (run->back_offs[client->number].lost == 0) {
		lost(run, client);
	} else {
		/* The library gives up after a CONNECT_ERROR. */
		if (strncmp(why, "unexpected packet: 4", 20) == 0)
			measure_error(
			    run->load->measure, "socket %u was refused: %s", client->number, why);
		run->refused++;
		back_off_start(run, &run->back_offs[client->number]);
	}
}

static void
event(struct client *client, const char *array, size_t len)
{
	const struct run *run = client->all->arg;

	if (run->stream != NULL)
		stream_arrived(run->stream, client->number, array, len);
}

static const struct client_events events = {
	.connected = connected, .closed = closed, .event = event
};

static void
drop_all(struct watch *watch, uint32_t ready)
{
	struct run *run = watch->arg;
	struct signalfd_siginfo info;

	(void)ready;
	if (read(watch->fd, &info, sizeof(info)) < 0)
		return;
	for (uint32_t i = 0; i < run->count; i++) {
		if (run->list[i].state == CLIENT_UP) {
			client_drop(&run->list[i]);
			lost(run, &run->list[i]);
		}
	}
}

static void
listen_for_signal(struct run *run)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGUSR1);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	run->signal = (struct watch){
		.fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC), .ready = drop_all, .arg = run
	};
	if (run->signal.fd < 0)
		die("could not listen for SIGUSR1: %s", strerror(errno));
	loop_watch(run->load->loop, &run->signal, EPOLLIN);
}

static void
prepare(struct run *run)
{
	const struct options *options = run->load->options;

	clients_init(&run->all, options->socketio_path);
	run->list = allocate(run->count, sizeof(*run->list));
	run->back_offs = allocate(run->count, sizeof(*run->back_offs));
	for (uint32_t i = 0; i < run->count; i++) {
		run->list[i].all = &run->all;
		run->list[i].number = i;
		run->list[i].user = run->stream != NULL ? RESPONDER_OF(i + 1)
							: options->first_user + i % options->users;
		(void)tokens_get(run->load->tokens, run->list[i].user);
		run->back_offs[i].client = &run->list[i];
		run->back_offs[i].timer =
		    (struct timer){ .fire = try_again, .arg = &run->back_offs[i] };
	}
}

/* How long messages are sent after the return of all. */
enum { GO_ON_S = 1 };

/* Waits for the loss, then for the return of all. */
static void
measure_return(struct run *run)
{
	const struct options *options = run->load->options;
	struct measure *measure = run->load->measure;

	say("%u sockets are up: restart the server, or send SIGUSR1 to %d", run->up, (int)getpid());
	if (run->stream != NULL)
		stream_start(run->stream);
	(void)loop_run(run->load->loop,
	    now_ns() + (uint64_t)((options->seconds + options->timeout) * NS_PER_S));
	if (run->first_lost == 0) {
		measure_error(measure, "no connection was lost");
		return;
	}
	measure_end(measure);
	if (run->up < run->count)
		measure_error(
		    measure, "%u of %u sockets are not back", run->count - run->up, run->count);
	measure_more(measure, "sockets", "%u", run->count);
	measure_more(
	    measure, "lossSeconds", "%.3f", (double)(run->last_lost - run->first_lost) / NS_PER_S);
	measure_more(
	    measure, "allBackSeconds", "%.3f", (double)(measure->end - run->first_lost) / NS_PER_S);
	measure_more(measure, "attempts", "%" PRIu64, run->attempts);
	measure_more(measure, "failedAttempts", "%" PRIu64, run->refused);
	if (run->stream == NULL)
		return;
	(void)loop_run(run->load->loop, now_ns() + GO_ON_S * (uint64_t)NS_PER_S);
	stream_end(run->stream);
}

void
scenario_reconnect(struct load *load)
{
	const struct options *options = load->options;
	struct run run = { .load = load,
		.all = { .loop = load->loop,
		    .endpoint = load->endpoint,
		    .tokens = load->tokens,
		    .events = &events,
		    .arg = &run },
		.count = (uint32_t)options->connections,
		.opening = true };
	struct stream stream;

	if (options->rate > 0) {
		run.stream = &stream;
		stream_init(&stream, load, run.count);
	}
	prepare(&run);
	listen_for_signal(&run);
	for (uint64_t i = 0; i < options->handshakes; i++)
		open_next(&run);
	if (loop_run(load->loop, now_ns() + (uint64_t)(options->timeout * NS_PER_S))) {
		run.opening = false;
		measure_return(&run);
	} else {
		measure_error(load->measure, "%u of %u sockets were not up after %.1f s",
		    run.count - run.up, run.count, options->timeout);
	}
	for (uint32_t i = 0; i < run.count; i++) {
		loop_cancel(load->loop, &run.back_offs[i].timer);
		client_drop(&run.list[i]);
	}
	if (run.stream != NULL)
		stream_fini(run.stream);
	(void)close(run.signal.fd);
	free(run.list);
	free(run.back_offs);
	clients_fini(&run.all);
}
