/* SPDX-License-Identifier: Apache-2.0 */
/*
 * idle: opens sockets, holds them for a while, answering heartbeats, and lets
 * them go.  Tells what they cost in memory and in processor time, and whether
 * the memory comes back.
 */
#include "sockets.h"

#include <inttypes.h>

/* Servers give memory back some seconds after the last goodbye. */
enum { SETTLE_MS = 6000 };

static void
tell(struct load *load, const struct sockets *sockets, double open_seconds, uint64_t open_cpu)
{
	struct measure *measure = load->measure;
	double seconds = (double)(measure->end - measure->begin) / NS_PER_S;
	double kib = (double)measure->resident_now - (double)measure->resident_before;

	measure_more(measure, "sockets", "%u", sockets->count);
	measure_more(measure, "connectRate", "%.1f", sockets->count / open_seconds);
	if (load->options->server.count > 0) {
		measure_more(
		    measure, "connectCpu", "%.2f", (double)open_cpu / NS_PER_US / sockets->count);
		measure_more(measure, "bytesPerSocket", "%.0f", kib * 1024 / sockets->count);
		measure_more(
		    measure, "idleCpu", "%.1f", (double)measure->server_cpu / NS_PER_US / seconds);
	}
	measure_more(measure, "heartbeats", "%" PRIu64, sockets->all.pings);
}

void
scenario_idle(struct load *load)
{
	const struct options *options = load->options;
	struct measure *measure = load->measure;
	struct sockets sockets;
	uint64_t cpu = processes_cpu(&options->server);
	uint64_t opened;
	uint64_t start;

	sockets_init(&sockets, load, (uint32_t)options->connections, NULL);
	start = now_ns();
	if (!sockets_open(&sockets, &measure->latency)) {
		sockets_fini(&sockets);
		return;
	}
	opened = now_ns();
	cpu = processes_cpu(&options->server) - cpu;
	say("%u sockets are up", sockets.up);
	measure_begin(measure);
	(void)loop_run(load->loop, measure->begin + (uint64_t)(options->seconds * NS_PER_S));
	measure_end(measure);
	measure->operations = sockets.up;
	tell(load, &sockets, (double)(opened - start) / NS_PER_S, cpu);
	sockets_close(&sockets);
	sockets_fini(&sockets);
	(void)loop_run(load->loop, now_ns() + SETTLE_MS * (uint64_t)NS_PER_MS);
	measure->resident_after = processes_resident(&options->server);
}
