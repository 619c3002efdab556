/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libarchive, loaded when it is needed. It brings a dozen libraries with it: linked to it, every
 * command would take twice as long to begin, and so would each of the hooks that liblxc runs.
 *
 * The functions have their own names for whoever includes this.
 */
#ifndef DRE_COMMON_ARCHIVE_LIB_H
#define DRE_COMMON_ARCHIVE_LIB_H

#include <archive.h>
#include <archive_entry.h>

#include "lazy_lib.h"

#define ARCHIVE_FUNCTIONS(X)	\
	X(archive_entry_acl_add_entry) \
	X(archive_entry_acl_next) \
	X(archive_entry_acl_reset) \
	X(archive_entry_atime) \
	X(archive_entry_atime_is_set) \
	X(archive_entry_atime_nsec) \
	X(archive_entry_filetype) \
	X(archive_entry_free) \
	X(archive_entry_gid) \
	X(archive_entry_hardlink) \
	X(archive_entry_mode) \
	X(archive_entry_mtime) \
	X(archive_entry_mtime_is_set) \
	X(archive_entry_mtime_nsec) \
	X(archive_entry_new) \
	X(archive_entry_pathname) \
	X(archive_entry_rdev) \
	X(archive_entry_set_gid) \
	X(archive_entry_set_hardlink) \
	X(archive_entry_set_mode) \
	X(archive_entry_set_mtime) \
	X(archive_entry_set_pathname) \
	X(archive_entry_set_rdev) \
	X(archive_entry_set_size) \
	X(archive_entry_set_symlink) \
	X(archive_entry_set_uid) \
	X(archive_entry_size) \
	X(archive_entry_sparse_add_entry) \
	X(archive_entry_sparse_next) \
	X(archive_entry_sparse_reset) \
	X(archive_entry_symlink) \
	X(archive_entry_uid) \
	X(archive_entry_xattr_add_entry) \
	X(archive_entry_xattr_next) \
	X(archive_entry_xattr_reset) \
	X(archive_error_string) \
	X(archive_filter_count) \
	X(archive_read_data_block) \
	X(archive_read_free) \
	X(archive_read_new) \
	X(archive_read_next_header) \
	X(archive_read_open) \
	X(archive_read_support_filter_gzip) \
	X(archive_read_support_filter_zstd) \
	X(archive_read_support_format_raw) \
	X(archive_read_support_format_tar) \
	X(archive_set_error) \
	X(archive_write_add_filter_gzip) \
	X(archive_write_add_filter_none) \
	X(archive_write_add_filter_xz) \
	X(archive_write_add_filter_zstd) \
	X(archive_write_close) \
	X(archive_write_data) \
	X(archive_write_free) \
	X(archive_write_header) \
	X(archive_write_new) \
	X(archive_write_open) \
	X(archive_write_set_bytes_in_last_block) \
	X(archive_write_set_bytes_per_block) \
	X(archive_write_set_format_option) \
	X(archive_write_set_format_pax)

struct archive_lib {
	ARCHIVE_FUNCTIONS(LAZY_POINTER)
};

extern struct archive_lib archive_lib;

/* Loads it, once. 0, or a DRE_ERR_* code with the error text set. */
int archive_lib_load(void);

#ifndef ARCHIVE_LIB_ITSELF
#define archive_entry_acl_add_entry archive_lib.archive_entry_acl_add_entry
#define archive_entry_acl_next archive_lib.archive_entry_acl_next
#define archive_entry_acl_reset archive_lib.archive_entry_acl_reset
#define archive_entry_atime archive_lib.archive_entry_atime
#define archive_entry_atime_is_set archive_lib.archive_entry_atime_is_set
#define archive_entry_atime_nsec archive_lib.archive_entry_atime_nsec
#define archive_entry_filetype archive_lib.archive_entry_filetype
#define archive_entry_free archive_lib.archive_entry_free
#define archive_entry_gid archive_lib.archive_entry_gid
#define archive_entry_hardlink archive_lib.archive_entry_hardlink
#define archive_entry_mode archive_lib.archive_entry_mode
#define archive_entry_mtime archive_lib.archive_entry_mtime
#define archive_entry_mtime_is_set archive_lib.archive_entry_mtime_is_set
#define archive_entry_mtime_nsec archive_lib.archive_entry_mtime_nsec
#define archive_entry_new archive_lib.archive_entry_new
#define archive_entry_pathname archive_lib.archive_entry_pathname
#define archive_entry_rdev archive_lib.archive_entry_rdev
#define archive_entry_set_gid archive_lib.archive_entry_set_gid
#define archive_entry_set_hardlink archive_lib.archive_entry_set_hardlink
#define archive_entry_set_mode archive_lib.archive_entry_set_mode
#define archive_entry_set_mtime archive_lib.archive_entry_set_mtime
#define archive_entry_set_pathname archive_lib.archive_entry_set_pathname
#define archive_entry_set_rdev archive_lib.archive_entry_set_rdev
#define archive_entry_set_size archive_lib.archive_entry_set_size
#define archive_entry_set_symlink archive_lib.archive_entry_set_symlink
#define archive_entry_set_uid archive_lib.archive_entry_set_uid
#define archive_entry_size archive_lib.archive_entry_size
#define archive_entry_sparse_add_entry archive_lib.archive_entry_sparse_add_entry
#define archive_entry_sparse_next archive_lib.archive_entry_sparse_next
#define archive_entry_sparse_reset archive_lib.archive_entry_sparse_reset
#define archive_entry_symlink archive_lib.archive_entry_symlink
#define archive_entry_uid archive_lib.archive_entry_uid
#define archive_entry_xattr_add_entry archive_lib.archive_entry_xattr_add_entry
#define archive_entry_xattr_next archive_lib.archive_entry_xattr_next
#define archive_entry_xattr_reset archive_lib.archive_entry_xattr_reset
#define archive_error_string archive_lib.archive_error_string
#define archive_filter_count archive_lib.archive_filter_count
#define archive_read_data_block archive_lib.archive_read_data_block
#define archive_read_free archive_lib.archive_read_free
#define archive_read_new archive_lib.archive_read_new
#define archive_read_next_header archive_lib.archive_read_next_header
#define archive_read_open archive_lib.archive_read_open
#define archive_read_support_filter_gzip archive_lib.archive_read_support_filter_gzip
#define archive_read_support_filter_zstd archive_lib.archive_read_support_filter_zstd
#define archive_read_support_format_raw archive_lib.archive_read_support_format_raw
#define archive_read_support_format_tar archive_lib.archive_read_support_format_tar
#define archive_set_error archive_lib.archive_set_error
#define archive_write_add_filter_gzip archive_lib.archive_write_add_filter_gzip
#define archive_write_add_filter_none archive_lib.archive_write_add_filter_none
#define archive_write_add_filter_xz archive_lib.archive_write_add_filter_xz
#define archive_write_add_filter_zstd archive_lib.archive_write_add_filter_zstd
#define archive_write_close archive_lib.archive_write_close
#define archive_write_data archive_lib.archive_write_data
#define archive_write_free archive_lib.archive_write_free
#define archive_write_header archive_lib.archive_write_header
#define archive_write_new archive_lib.archive_write_new
#define archive_write_open archive_lib.archive_write_open
#define archive_write_set_bytes_in_last_block archive_lib.archive_write_set_bytes_in_last_block
#define archive_write_set_bytes_per_block archive_lib.archive_write_set_bytes_per_block
#define archive_write_set_format_option archive_lib.archive_write_set_format_option
#define archive_write_set_format_pax archive_lib.archive_write_set_format_pax
#endif

#endif /* DRE_COMMON_ARCHIVE_LIB_H */
