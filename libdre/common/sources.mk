# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The code that libdreapp and libdresys have in common, and that of the kind of layer that each of
# them has: directories for libdreapp (tree), qcow2 images for libdresys (disk). It is compiled hidden
# into them, which also need the libraries in libdre_*_LIBS.

libdre_common_SRCS := $(addprefix libdre/common/,base.c base_make.c cgroupfs.c checkpoint.c child.c config.c \
	container.c cpulist.c debian.c events.c fail.c file.c former.c fsck.c gc.c groups.c info.c kmod.c layer.c limit.c live.c lock.c \
	log_reader.c manifest.c names.c property.c resource.c snapshot.c store.c tool.c trash.c tree_remove.c \
	usage.c utf8.c)
libdre_common_LIBS := inih

libdre_tree_SRCS := $(addprefix libdre/common/,archive_lib.c attr.c base_busybox.c base_debian.c base_init.c \
	checkpoint_files.c export.c flatten.c hard_links.c import.c layer_tree.c lazy_lib.c rootfs.c tar.c tar_pack.c \
	tar_stream.c tree_copy.c tree_writer.c userns.c)
# libarchive (and liblzma, which it brings) is loaded when it is needed, see archive_lib.h.
libdre_tree_LIBS :=

libdre_disk_SRCS := $(addprefix libdre/common/,base_debian_disk.c export_disk.c import_disk.c layer_disk.c move.c \
	pull.c qcow2.c qemu_img.c)
