// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * report [--json] FILE...
 *
 * Makes a table of what benches printed, and a summary. Bounds are order
 * statistics: those of the samples between which the median lies with at least
 * 95 % probability, whatever the samples' distribution.
 */
#include <getopt.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json.h>
#include <libsmartcols.h>

/* Median, and the bounds; NAN: too few samples to tell. */
struct estimate {
	double median, lower, upper;
};

/* One comparison. Texts are the line's. */
struct row {
	struct json_object *line;
	const char *what, *unit, *reason;
	bool has_other, wants_upper, met;
	double goal, ours, other;
	struct estimate estimate;	/* of the ratio, or of ours where there is no other */
	size_t pairs;
};

struct report {
	struct row *rows;
	size_t count, met, missed;
};

static void *check(void *p)
{
	if (!p) {
		perror("report");
		exit(EXIT_FAILURE);
	}
	return p;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/*
 * How many of @n samples at each end are beyond the bounds: the most for which
 * the chance that so few or fewer lie on one side of the median, as of @n throws of a
 * coin, is at most 2.5 %. -1: @n is too small.
 */
static long beyond(size_t n)
{
	double chance = exp2(-(double)n), sum = chance;
	long k = -1;

	while (sum <= 0.025) {
		k++;
		chance *= (double)(n - k) / (k + 1);
		sum += chance;
	}
	return k;
}

/* Sorts @values. */
static struct estimate estimate(double *values, size_t n)
{
	struct estimate e = { .lower = NAN, .upper = NAN };
	long k = beyond(n);

	qsort(values, n, sizeof(*values), compare);
	e.median = (values[(n - 1) / 2] + values[n / 2]) / 2;
	if (k >= 0) {
		e.lower = values[k];
		e.upper = values[n - 1 - k];
	}
	return e;
}

static double sample(struct json_object *samples, size_t i, size_t side)
{
	return json_object_get_double(json_object_array_get_idx(
			json_object_array_get_idx(samples, i), side));
}

static void evaluate(struct row *r, struct json_object *samples)
{
	double *ours = check(calloc(r->pairs, sizeof(*ours)));
	double *other = check(calloc(r->pairs, sizeof(*other)));
	double *ratio = check(calloc(r->pairs, sizeof(*ratio)));

	for (size_t i = 0; i < r->pairs; i++) {
		ours[i] = sample(samples, i, 0);
		other[i] = sample(samples, i, 1);
		ratio[i] = r->has_other ? ours[i] / other[i] : ours[i];
	}
	r->estimate = estimate(ratio, r->pairs);
	r->ours = estimate(ours, r->pairs).median;
	r->other = estimate(other, r->pairs).median;
	r->met = (r->wants_upper ? r->estimate.upper : r->estimate.median) <= r->goal;
	free(ours);
	free(other);
	free(ratio);
}

static const char *text(struct json_object *line, const char *key)
{
	return json_object_get_string(json_object_object_get(line, key));
}

static void add_row(struct report *report, const char *json)
{
	struct json_object *line = json_tokener_parse(json);
	struct json_object *samples = json_object_object_get(line, "samples");
	struct row *r;

	if (!samples || json_object_array_length(samples) == 0) {
		fprintf(stderr, "report: no samples: %s", json);
		exit(EXIT_FAILURE);
	}
	report->rows = check(reallocarray(report->rows, report->count + 1, sizeof(*r)));
	r = &report->rows[report->count++];
	*r = (struct row){
		.line = line,
		.what = text(line, "what"),
		.unit = text(line, "unit"),
		.reason = text(line, "reason"),
		.has_other = text(line, "other"),
		.wants_upper = json_object_get_boolean(json_object_object_get(line, "upper")),
		.goal = json_object_get_double(json_object_object_get(line, "goal")),
		.pairs = json_object_array_length(samples),
	};
	evaluate(r, samples);
	if (r->goal > 0) {
		report->met += r->met;
		report->missed += !r->met;
	}
}

static void read_file(struct report *report, const char *name)
{
	FILE *in = check(fopen(name, "re"));
	char *line = NULL;
	size_t size = 0;

	while (getline(&line, &size, in) > 0)
		add_row(report, line);
	free(line);
	fclose(in);
}

/* JSON */

static void add_number(struct json_object *row, const char *key, double value)
{
	json_object_object_add(row, key, isnan(value) ? NULL : check(json_object_new_double(value)));
}

/* What the bench said of it, and the figures. */
static struct json_object *row_json(struct row *r)
{
	struct json_object *row = r->line;

	json_object_object_del(row, "samples");
	json_object_object_add(row, "pairs", check(json_object_new_int64(r->pairs)));
	add_number(row, "ours_median", r->ours);
	add_number(row, "other_median", r->has_other ? r->other : NAN);
	add_number(row, "median", r->estimate.median);
	add_number(row, "lower", r->estimate.lower);
	add_number(row, "upper_bound", r->estimate.upper);
	json_object_object_add(row, "met", r->goal > 0 ?
			       check(json_object_new_boolean(r->met)) : NULL);
	return row;
}

static void print_json(struct report *report)
{
	struct json_object *top = check(json_object_new_object());
	struct json_object *rows = check(json_object_new_array());

	for (size_t i = 0; i < report->count; i++)
		json_object_array_add(rows, row_json(&report->rows[i]));
	json_object_object_add(top, "comparisons", rows);
	puts(check((void *)json_object_to_json_string_ext(top, JSON_C_TO_STRING_PRETTY |
							       JSON_C_TO_STRING_NOSLASHESCAPE)));
	json_object_put(top);
}

/* For people */

enum { WHAT, OURS, OTHER, RATIO, BOUNDS, GOAL, RESULT };

static const struct {
	const char *name;
	int flags;
} columns[] = {
	[WHAT]	 = { "WHAT", 0 },
	[OURS]	 = { "OURS", SCOLS_FL_RIGHT },
	[OTHER]	 = { "OTHER", SCOLS_FL_RIGHT },
	[RATIO]	 = { "RATIO", SCOLS_FL_RIGHT },
	[BOUNDS] = { "95 %", 0 },
	[GOAL]	 = { "GOAL", 0 },
	[RESULT] = { "RESULT", 0 },
};

static void set_cell(struct libscols_line *line, int column, const char *text)
{
	if (scols_line_set_data(line, column, text))
		check(NULL);
}

/* Three digits that count. */
static const char *number(char *buf, size_t size, double value)
{
	if (isnan(value))
		snprintf(buf, size, "?");
	else if (value < 1)
		snprintf(buf, size, "%.3g", value);
	else
		snprintf(buf, size, "%.*f", value < 10 ? 2 : value < 100 ? 1 : 0, value);
	return buf;
}

static const char *amount(char *buf, size_t size, double value, const char *unit)
{
	static const char *const times[] = { "ns", "us", "ms", "s" };
	char n[32];

	if (!strcmp(unit, "ns")) {
		size_t i;

		for (i = 0; value >= 1000 && i < 3; i++)
			value /= 1000;
		unit = times[i];
	}
	snprintf(buf, size, "%s %s", number(n, sizeof(n), value), unit);
	return buf;
}

static void set_goal(struct libscols_line *line, const struct row *r)
{
	char n[32], buf[64];

	snprintf(buf, sizeof(buf), "%s<= %s%s%s", r->wants_upper ? "upper " : "",
		 number(n, sizeof(n), r->goal), r->has_other ? "" : " ", r->has_other ? "" : r->unit);
	set_cell(line, GOAL, buf);
}

static void set_bounds(struct libscols_line *line, const struct row *r)
{
	char low[32], high[32], buf[80];

	snprintf(buf, sizeof(buf), "%s to %s", number(low, sizeof(low), r->estimate.lower),
		 number(high, sizeof(high), r->estimate.upper));
	set_cell(line, BOUNDS, buf);
}

/* @note: how many goals were missed so far; the reason stands below, with that number. */
static void add_line(struct libscols_table *t, const struct row *r, size_t *note)
{
	struct libscols_line *line = check(scols_table_new_line(t, NULL));
	char buf[64];

	set_cell(line, WHAT, r->what);
	set_cell(line, OURS, amount(buf, sizeof(buf), r->ours, r->unit));
	if (r->has_other) {
		set_cell(line, OTHER, amount(buf, sizeof(buf), r->other, r->unit));
		set_cell(line, RATIO, number(buf, sizeof(buf), r->estimate.median));
	}
	set_bounds(line, r);
	if (r->goal <= 0)
		return;
	set_goal(line, r);
	if (r->met) {
		set_cell(line, RESULT, "met");
		return;
	}
	snprintf(buf, sizeof(buf), "missed (%zu)", ++*note);
	set_cell(line, RESULT, buf);
}

static void print_table(const struct report *report)
{
	struct libscols_table *t = check(scols_new_table());
	size_t note = 0;

	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
		check(scols_table_new_column(t, columns[i].name, 0, columns[i].flags));
	for (size_t i = 0; i < report->count; i++)
		add_line(t, &report->rows[i], &note);
	scols_print_table(t);
	scols_unref_table(t);
	note = 0;
	for (size_t i = 0; i < report->count; i++) {
		const struct row *r = &report->rows[i];

		if (r->goal <= 0 || r->met)
			continue;
		note++;
		printf("%s(%zu) %s: %s\n", note == 1 ? "\n" : "", note, r->what,
		       r->reason ?: "nobody has looked into it yet");
	}
	printf("\n%zu comparisons: %zu goals met, %zu missed\n", report->count, report->met,
	       report->missed);
}

int main(int argc, char **argv)
{
	static const struct option options[] = { { "json", no_argument, NULL, 'j' }, {} };
	struct report report = {};
	bool json = false;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c != 'j')
			return 2;
		json = true;
	}
	for (; optind < argc; optind++)
		read_file(&report, argv[optind]);
	if (json)
		print_json(&report);
	else
		print_table(&report);
	return 0;
}
