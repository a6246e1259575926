/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The measurement and its JSON object: see measure.h.
 */
#include "measure.h"

#include "base.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void
measure_init(struct measure *measure, const struct options *options)
{
	*measure = (struct measure){ .options = options };
	measure->resident_before = processes_resident(&options->server);
}

#define CPU_UNKNOWN UINT64_MAX

/* Ends of the window are where its costs are read, so that both are of the same time. */
void
measure_begin(struct measure *measure)
{
	measure->server_cpu = processes_cpu(&measure->options->server);
	measure->database_cpu = processes_cpu(&measure->options->database);
	measure->load_cpu = own_cpu();
	measure->begin = now_ns();
}

/* A process that has ended in between takes its books along. */
static uint64_t
spent(uint64_t before, uint64_t now)
{
	return now >= before ? now - before : CPU_UNKNOWN;
}

void
measure_end(struct measure *measure)
{
	const struct options *options = measure->options;

	measure->end = now_ns();
	measure->server_cpu = spent(measure->server_cpu, processes_cpu(&options->server));
	measure->database_cpu = spent(measure->database_cpu, processes_cpu(&options->database));
	measure->load_cpu = own_cpu() - measure->load_cpu;
	measure->resident_now = processes_resident(&options->server);
}

void
measure_error(struct measure *measure, const char *format, ...)
{
	va_list args;

	if (measure->errors++ > 0)
		return;
	va_start(args, format);
	(void)vsnprintf(measure->first_error, sizeof(measure->first_error), format, args);
	va_end(args);
}

void
measure_more(struct measure *measure, const char *name, const char *format, ...)
{
	char *out = measure->more + measure->more_len;
	size_t room = sizeof(measure->more) - measure->more_len;
	int len = snprintf(out, room, ",\"%s\":", name);
	va_list args;

	if (len > 0 && (size_t)len < room) {
		va_start(args, format);
		len += vsnprintf(out + len, room - (size_t)len, format, args);
		va_end(args);
	}
	if (len < 0 || (size_t)len >= room)
		die("no room for %s in the result", name);
	measure->more_len += (size_t)len;
}

static void
print_text(const char *name, const char *text)
{
	if (*text == '\0') {
		(void)printf(",\"%s\":null", name);
		return;
	}
	(void)printf(",\"%s\":\"", name);
	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '"' || c == '\\')
			(void)printf("\\%c", c);
		else if (c < 0x20 || c >= 0x7f)
			(void)putchar('?');
		else
			(void)putchar(c);
	}
	(void)putchar('"');
}

static void
print_us(const char *name, uint64_t ns)
{
	(void)printf("\"%s\":%.1f", name, (double)ns / NS_PER_US);
}

static void
print_latency(const struct histogram *latency)
{
	(void)printf(",\"latency\":{");
	print_us("p50", histogram_quantile(latency, 0.5));
	(void)putchar(',');
	print_us("p99", histogram_quantile(latency, 0.99));
	(void)putchar(',');
	print_us("p999", histogram_quantile(latency, 0.999));
	(void)putchar(',');
	print_us("max", latency->max);
	(void)printf(",\"count\":%" PRIu64 "}", latency->count);
}

static void
print_per_operation(const struct measure *measure, const char *name, uint64_t ns, bool known)
{
	if (known && ns != CPU_UNKNOWN && measure->operations > 0)
		(void)printf(
		    ",\"%s\":%.2f", name, (double)ns / NS_PER_US / (double)measure->operations);
	else
		(void)printf(",\"%s\":null", name);
}

static void
print_kib(const char *name, uint64_t kib)
{
	if (kib > 0)
		(void)printf(",\"%s\":%" PRIu64, name, kib);
	else
		(void)printf(",\"%s\":null", name);
}

int
measure_print(const struct measure *measure)
{
	const struct options *options = measure->options;
	double seconds = (double)(measure->end - measure->begin) / NS_PER_S;

	(void)printf("{\"scenario\":\"%s\",\"operations\":%" PRIu64
		     ",\"seconds\":%.3f,\"rate\":%.1f",
	    options->scenario, measure->operations, seconds,
	    seconds > 0 ? (double)measure->operations / seconds : 0);
	(void)printf(",\"errors\":%" PRIu64, measure->errors);
	print_text("firstError", measure->first_error);
	print_latency(&measure->latency);
	print_per_operation(measure, "serverCpu", measure->server_cpu, options->server.count > 0);
	print_per_operation(
	    measure, "databaseCpu", measure->database_cpu, options->database.count > 0);
	print_kib("residentBefore", measure->resident_before);
	print_kib("residentNow", measure->resident_now);
	print_kib("residentAfter", measure->resident_after);
	(void)printf(
	    ",\"loadBusy\":%.3f", seconds > 0 ? (double)measure->load_cpu / NS_PER_S / seconds : 0);
	(void)printf("%s}\n", measure->more);
	return measure->errors > 0 || measure->operations == 0 ? 1 : 0;
}
