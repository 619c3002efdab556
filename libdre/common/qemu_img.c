// SPDX-License-Identifier: LGPL-2.1-or-later
#include <dre.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "fail.h"
#include "qemu_img.h"
#include "tool.h"

#define TARGET	"/proc/self/fd/3"

/*
 * What it may have to read an image that somebody else has made: that can ask for any amount of either. A full image of
 * the largest size needs half a GiB, and some hours. A chain of ours may need more memory, a cache for each layer.
 */
#define FOREIGN_MEMORY	(2048ULL * 1024 * 1024)
#define FOREIGN_TIME	(12 * 3600)

/* What "qemu-img check" says of space that is lost, but of no data. */
#define CHECK_LEAKS	3

/* On the way there it shows its progress: "    (12.34/100%)\r". */
static void show(void *arg, const char *line)
{
	const struct qemu_img_convert *convert = arg;
	unsigned int percent, hundredths;

	if (convert->progress && sscanf(line, " (%u.%u/100%%)", &percent, &hundredths) == 2)
		convert->progress(convert->arg, percent * 100 + hundredths, 10000);
}

/* What it said, without its name. */
static int fail(const struct qemu_img_convert *convert, int status, const char *line)
{
	static const char name[] = "qemu-img: ";
	struct printable text;
	int code = DRE_ERR_INVALID_ARGUMENT;

	if (status == TOOL_NOT_RUN)
		return dre_fail(DRE_ERR_DEVICE_BUSY, "%s: qemu-img cannot be run; is it installed?",
				convert->what);
	if (!strncmp(line, name, strlen(name)))
		line += strlen(name);
	if (strstr(line, strerror(ENOSPC)) || strstr(line, strerror(EIO)) ||
	    strstr(line, strerror(ENOMEM)))
		code = DRE_ERR_DEVICE_BUSY;
	return dre_fail(code, "%s: qemu-img: %s", convert->what, dre_printable(&text, line));
}

/* Returns its status, with its last line in @line, or a DRE_ERR_* code. */
static int run_tool(const struct qemu_img_convert *convert, const char *const argv[], char *line,
		    size_t size)
{
	const struct tool tool = {
		.argv = argv,
		.dir_fd = convert->dir_fd,
		.fds = { convert->fd, convert->source_fd },
		.memory = convert->source_fd < 0 ? 0 : FOREIGN_MEMORY,
		.time = convert->source_fd < 0 ? 0 : FOREIGN_TIME,
		.line = show,
		.arg = (void *)convert,
		.what = convert->what,
	};

	return tool_run(&tool, line, size);
}

int qemu_img_convert(const struct qemu_img_convert *convert)
{
	const char *argv[16] = { "qemu-img", "convert", "-p", "-O", "qcow2" };
	char line[256], option[32];
	size_t nr = 5;
	int ret;

	if (convert->format) {
		argv[nr++] = "-f";
		argv[nr++] = convert->format;
	}
	if (convert->compression) {
		snprintf(option, sizeof(option), "compression_type=%s", convert->compression);
		argv[nr++] = "-c";
		argv[nr++] = "-o";
		argv[nr++] = option;
	}
	argv[nr++] = convert->source;
	argv[nr++] = TARGET;
	ret = run_tool(convert, argv, line, sizeof(line));
	return ret > 0 ? fail(convert, ret, line) : ret;
}

int qemu_img_check(const struct qemu_img_convert *convert)
{
	const char *const argv[] = { "qemu-img", "check", "-q", convert->source, NULL };
	char line[256];
	int ret = run_tool(convert, argv, line, sizeof(line));

	if (ret == CHECK_LEAKS)
		return 0;
	return ret > 0 ? fail(convert, ret, line) : ret;
}

/* Changes an image where it is. */
static int change(int dir_fd, const char *const argv[], const char *what)
{
	const struct qemu_img_convert run = { .dir_fd = dir_fd, .source_fd = -1, .fd = -1, .what = what };
	char line[256];
	int ret = run_tool(&run, argv, line, sizeof(line));

	return ret > 0 ? fail(&run, ret, line) : ret;
}

int qemu_img_grow(int dir_fd, const char *name, uint64_t size, const char *what)
{
	char bytes[24];
	const char *const argv[] = { "qemu-img", "resize", "-q", "-f", "qcow2", name, bytes, NULL };

	snprintf(bytes, sizeof(bytes), "%" PRIu64, size);
	return change(dir_fd, argv, what);
}

int qemu_img_rebase(int dir_fd, const char *name, const char *below, const char *what)
{
	const char *const argv[] = {
		"qemu-img", "rebase", "-q", "-f", "qcow2", "-F", "qcow2", "-b", below, name, NULL
	};

	return change(dir_fd, argv, what);
}
