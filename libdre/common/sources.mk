# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The code that libdreapp and libdresys have in common. It is compiled hidden
# into each of them, which also need the libraries in libdre_common_LIBS.

libdre_common_SRCS := $(addprefix libdre/common/,archive_lib.c attr.c base.c base_busybox.c base_make.c \
	cgroupfs.c child.c config.c container.c cpulist.c export.c fail.c file.c flatten.c gc.c hard_links.c import.c \
	layer.c limit.c lock.c manifest.c names.c rootfs.c snapshot.c store.c tar.c tar_pack.c tree_copy.c \
	tree_remove.c tree_writer.c usage.c userns.c checkpoint.c fsck.c live.c base_debian.c)

# libarchive is loaded when it is needed, see archive_lib.h.
libdre_common_LIBS := inih
