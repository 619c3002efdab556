// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * libarchive puts no limit to what xz takes, decompresses what is compressed many times over, and keeps the
 * map of a sparse file however long it is. So what reads the tar format gets it decompressed: by liblzma, or
 * by libarchive reading it as a single file. There the bytes can be counted that it asks for before it has
 * a member or a block of data: those are what it keeps.
 */
#include <errno.h>
#include <lzma.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "archive_lib.h"
#include "tar_stream.h"

#define BLOCK_SIZE	(128 * 1024)
/* A dictionary of 128 MiB, which is the limit that zstd has by itself. */
#define XZ_MEMORY	(160 << 20)
/* The shortest entries of a map, 4 bytes each, take twelve times as much. Those of real files are about 20 bytes. */
#define KEPT		(8 << 20)

#define LZMA_FUNCTIONS(X)	X(lzma_code) X(lzma_end) X(lzma_stream_decoder)

struct lzma_lib {
	LZMA_FUNCTIONS(LAZY_POINTER)
};

struct tar_stream {
	int fd;
	la_ssize_t (*next)(struct tar_stream *s, const void **block);	/* NULL before the first */
	uint64_t bytes;
	size_t kept;
	size_t first;		/* bytes in @in that were looked at, and not used yet */
	bool ended;
	struct archive *filter;	/* gzip, zstd */
	lzma_stream xz;
	char error[256];
	char in[BLOCK_SIZE];
	uint8_t out[BLOCK_SIZE];
};

static struct lzma_lib lzma_lib;
static bool lzma_loaded;

static void load_lzma(void)
{
#define ENTRY(name) { #name, offsetof(struct lzma_lib, name) },
	static const struct lazy_function functions[] = { LZMA_FUNCTIONS(ENTRY) };

	lzma_loaded = lazy_lib_load("liblzma.so.5", functions, sizeof(functions) / sizeof(*functions), &lzma_lib);
}

static la_ssize_t fail(struct tar_stream *s, const char *why)
{
	snprintf(s->error, sizeof(s->error), "%s", why ? why : "it cannot be read");
	return -1;
}

static la_ssize_t read_fd(struct tar_stream *s, size_t from)
{
	ssize_t n = TEMP_FAILURE_RETRY(read(s->fd, s->in + from, sizeof(s->in) - from));

	if (n < 0)
		return fail(s, strerrordesc_np(errno));
	s->bytes += n;
	return n;
}

/* As it is in the file. */
static la_ssize_t next_plain(struct tar_stream *s, const void **block)
{
	size_t first = s->first;

	*block = s->in;
	s->first = 0;
	return first ? (la_ssize_t)first : read_fd(s, 0);
}

static la_ssize_t fail_xz(struct tar_stream *s, lzma_ret ret)
{
	switch (ret) {
	case LZMA_MEMLIMIT_ERROR:
		return fail(s, "it takes too much memory to decompress it");
	case LZMA_MEM_ERROR:
		return fail(s, strerrordesc_np(ENOMEM));
	case LZMA_BUF_ERROR:
		return fail(s, "truncated xz input");
	default:
		return fail(s, "damaged xz input");
	}
}

static la_ssize_t next_xz(struct tar_stream *s, const void **block)
{
	lzma_ret ret = s->ended ? LZMA_STREAM_END : LZMA_OK;
	const void *in;
	la_ssize_t n;

	s->xz.next_out = s->out;
	s->xz.avail_out = sizeof(s->out);
	while (ret == LZMA_OK && s->xz.avail_out) {
		n = 1;
		if (!s->xz.avail_in) {
			n = next_plain(s, &in);
			if (n < 0)
				return n;
			s->xz.next_in = in;
			s->xz.avail_in = n;
		}
		ret = lzma_lib.lzma_code(&s->xz, n ? LZMA_RUN : LZMA_FINISH);
	}
	if (ret != LZMA_OK && ret != LZMA_STREAM_END)
		return fail_xz(s, ret);
	s->ended = ret == LZMA_STREAM_END;
	*block = s->out;
	return sizeof(s->out) - s->xz.avail_out;
}

static la_ssize_t start_xz(struct tar_stream *s)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	lzma_ret ret;

	pthread_once(&once, load_lzma);
	if (!lzma_loaded)
		return fail(s, "the library liblzma.so.5 cannot be used");
	ret = lzma_lib.lzma_stream_decoder(&s->xz, XZ_MEMORY, LZMA_CONCATENATED);
	if (ret != LZMA_OK)
		return fail_xz(s, ret);
	s->next = next_xz;
	return 0;
}

static la_ssize_t next_filtered(struct tar_stream *s, const void **block)
{
	int64_t offset;
	size_t size;
	int ret = archive_read_data_block(s->filter, block, &size, &offset);

	if (ret == ARCHIVE_EOF)
		return 0;
	return ret == ARCHIVE_OK ? (la_ssize_t)size : fail(s, archive_error_string(s->filter));
}

static la_ssize_t read_compressed(struct archive *filter, void *arg, const void **block)
{
	struct tar_stream *s = arg;

	(void)filter;
	return next_plain(s, block);
}

static la_ssize_t start_filter(struct tar_stream *s, int (*support)(struct archive *))
{
	struct archive_entry *entry;

	s->filter = archive_read_new();
	if (!s->filter || support(s->filter) != ARCHIVE_OK || archive_read_support_format_raw(s->filter) != ARCHIVE_OK)
		return fail(s, strerrordesc_np(ENOMEM));
	if (archive_read_open(s->filter, s, NULL, read_compressed, NULL) != ARCHIVE_OK ||
	    archive_read_next_header(s->filter, &entry) != ARCHIVE_OK)
		return s->error[0] ? -1 : fail(s, archive_error_string(s->filter));
	/* Itself and the file. Each can have all the memory that it takes. */
	if (archive_filter_count(s->filter) > 2)
		return fail(s, "it is compressed more than once");
	s->next = next_filtered;
	return 0;
}

static bool begins_with(const struct tar_stream *s, const char *magic, size_t len)
{
	return s->first >= len && !memcmp(s->in, magic, len);
}

static la_ssize_t start(struct tar_stream *s)
{
	la_ssize_t n;

	/* A pipe may have less at first. */
	for (; s->first < 6; s->first += n) {
		n = read_fd(s, s->first);
		if (n < 0)
			return n;
		if (!n)
			break;
	}
	if (begins_with(s, "\xfd" "7zXZ", 6))
		return start_xz(s);
	if (begins_with(s, "\x1f\x8b", 2))
		return start_filter(s, archive_read_support_filter_gzip);
	if (begins_with(s, "\x28\xb5\x2f\xfd", 4))
		return start_filter(s, archive_read_support_filter_zstd);
	s->next = next_plain;
	return 0;
}

static la_ssize_t read_block(struct archive *archive, void *arg, const void **block)
{
	struct tar_stream *s = arg;
	la_ssize_t n;

	(void)archive;
	if (!s->next && start(s) < 0)
		return -1;
	if (s->kept > KEPT)
		return fail(s, "there is too much to be remembered of a member, such as the map of a sparse file");
	n = s->next(s, block);
	s->kept += n > 0 ? n : 0;
	return n;
}

int tar_stream_open(struct tar_stream *s, struct archive *archive)
{
	return archive_read_open(archive, s, NULL, read_block, NULL);
}

void tar_stream_go_on(struct tar_stream *s)
{
	s->kept = 0;
}

const char *tar_stream_error(const struct tar_stream *s)
{
	return s->error[0] ? s->error : NULL;
}

uint64_t tar_stream_bytes(const struct tar_stream *s)
{
	return s->bytes;
}

struct tar_stream *tar_stream_new(int fd)
{
	struct tar_stream *s = calloc(1, sizeof(*s));

	if (s) {
		s->fd = fd;
		s->xz = (lzma_stream)LZMA_STREAM_INIT;
	}
	return s;
}

void tar_stream_free(struct tar_stream *s)
{
	if (!s)
		return;
	archive_read_free(s->filter);
	if (s->next == next_xz)
		lzma_lib.lzma_end(&s->xz);
	free(s);
}
