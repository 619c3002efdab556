/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the files that make up the image store share. Functions return 0 or a
 * DRE_ERR_* code with the error text set, unless they say otherwise.
 */
#ifndef DRE_COMMON_STORE_PRIVATE_H
#define DRE_COMMON_STORE_PRIVATE_H

#include <limits.h>
#include <stdbool.h>

#include "manifest.h"
#include "store.h"

struct container;

/*
 * A kind of layer. All that makes, names, keeps and collects layers is the same for all of them.
 */
struct layer_kind {
	/* Directories, with what overlayfs and liblxc want beside them. */
	bool trees;
	/* Immutable layers that a container may have before it is flattened. */
	unsigned int max_layers;
	/*
	 * Makes layer @name: empty without @below, else one to be written to on top of that. 0 or
	 * a negative errno, -EEXIST if the name is taken; what it made until it failed may stay.
	 */
	int (*make)(struct store *s, const char *below, const char *name);
	/*
	 * Looks whether containers can be made of what was put into a layer, for base image @base,
	 * and adds the settings that they get from it. 0 or a DRE_ERR_* code with the error text set.
	 */
	int (*describe)(int layer_fd, const char *base, struct manifest *m);
	/*
	 * Makes one layer of all that the container is made of, the writable one included, but not
	 * layers_bottom(), within a change. The container is locked and does not run. As above.
	 */
	int (*flatten)(struct container *c, layer_name_t layer);
	/*
	 * Looks at those layers of @m that are there, whoever uses them at this moment: reports each
	 * that cannot be what the manifest says. NULL: nothing can be said.
	 */
	void (*check)(struct store *s, const struct manifest *m,
		      void (*report)(void *arg, const char *what), void *arg);
	/* See layers_verify(). NULL: layers name nothing. */
	int (*verify)(struct store *s, const char *what, const struct manifest *m, const char *bottom);
};

struct store {
	const struct layer_kind *kind;
	char *root;		/* absolute path */
	int root_fd;
	int layers_fd;		/* layers/, and so on */
	int work_fd;		/* -1 unless layers are trees */
	int bases_fd;
	int containers_fd;
	int pending_fd;
	int trash_fd;
	int lock_fd;
	const char *remover;	/* or NULL */
	/* Changes that are under way in this thread. They may nest; the outermost one counts. */
	unsigned int changes;
	bool garbage;		/* one of them has left something to collect */
	char marker[9];		/* their entry in pending/ */
};

/* Files and directories that are not complete yet have a name that begins so. */
#define STORE_TMP	".tmp-"
/* An entry in pending/ ends so when its change has ended, and has left something: that is collected sooner or later. */
#define STORE_ENDED	".ended"
/* A snapshot that is being saved, in its container's snapshots/; whoever has the lock owns it. */
#define SNAPSHOT_NEW	STORE_TMP "new"

typedef char store_tmp_t[sizeof(STORE_TMP) + 8];

/*
 * A change of the store lasts from before its first layer is made until after
 * its manifest is there. It holds LOCK_CHANGE shared, so that nothing of it is
 * collected, and has an entry in pending/, which tells the next one that there
 * is something to collect if this one is killed.
 */
int store_change_begin(struct store *s);

/*
 * @garbage: this change has left something that no manifest names. Collects if
 * it has, or if one that was killed may have. Returns @ret and leaves the
 * error text alone.
 */
int store_change_end(struct store *s, bool garbage, int ret);

/*
 * Moves an entry of a directory of the store into trash/, where its name has no
 * meaning; it is removed when the change has ended. 0 or a negative errno.
 */
int store_move_to_trash(struct store *s, int dir_fd, const char *name);

/* Of one of its directories; one that cannot be read has nothing that could be worked on. */
bool store_dir_is_empty(int dir_fd);

/* store_empty_trash() at the end of a change: what takes long is left to the remover, if the store has one. */
void store_tidy_trash(struct store *s);

/*
 * Reads the manifest at @path below the root. @damaged is the code for one that
 * should be there and is not, or that cannot be understood.
 */
int store_read_manifest(struct store *s, const char *path, int damaged, struct manifest *m);

/* Writes a new file @name in @dir_fd and brings its content, but not its name, to the disk. */
int store_write_manifest(struct store *s, int dir_fd, const char *name, const struct manifest *m);

/*
 * Gives the manifest @tmp, which is written, the name @name as well, durably, unless there is one:
 * then it is the error @exists, with @what in the text ("base image"). @tmp stays.
 * @published: it is there, also if it was to be taken back and that has failed.
 */
int store_link_manifest(int dir_fd, const char *tmp, const char *name, int exists,
			const char *what, bool *published);

/* Writes it, too. */
int store_publish_manifest(struct store *s, int dir_fd, const char *name, const struct manifest *m,
			   int exists, const char *what, bool *published);

/* The valid names in a directory below the root, sorted; none if it is not there. */
int store_list_names(struct store *s, const char *directory, char ***names);

/*
 * Calls @fn with every manifest of @kinds, or what is there of them while they
 * come and go. Ends at the first one for which it does not return 0, and returns
 * that; or at one that cannot be read, with DRE_ERR_DEVICE_BUSY if it is damaged.
 */
enum {
	MANIFESTS_BASES		= 1,
	MANIFESTS_CONTAINERS	= 2,
	MANIFESTS_SNAPSHOTS	= 4,
	MANIFESTS_CHECKPOINTS	= 8,
	MANIFESTS_ALL		= 15,
};

typedef int (*store_manifest_fn)(void *arg, const struct manifest *m);

int store_each_manifest(struct store *s, unsigned int kinds, store_manifest_fn fn, void *arg);

/*
 * The same, with the manifest's path below the root. One that cannot be read does not end it: then
 * @m is NULL, @err the code, and the error text set.
 */
typedef int (*store_path_fn)(void *arg, const char *path, const struct manifest *m, int err);

int store_each_path(struct store *s, unsigned int kinds, store_path_fn fn, void *arg);

/* The same, of container @name only. */
int store_each_of(struct store *s, unsigned int kinds, const char *name, store_path_fn fn, void *arg);

/*
 * Makes a layer, which is empty, within a change. With @below, the name of the
 * layer that it will be on, it is a writable one.
 */
int layer_create(struct store *s, const char *below, layer_name_t name);

/* An fd of it for reading, or -1 and errno. */
int layer_open(struct store *s, const char *name);

/* Brings a new writable layer to the disk; @files: a layer with all that was written to it. */
int layer_sync(struct store *s, const char *name, bool files);

/* A layer that is not written to any more: what else that needed goes, at once or some time. */
void layer_freeze(struct store *s, const char *name);

/*
 * The first layer, if that is on top of a partition, which is as large as it is and is not copied; else NULL. It stays
 * the first one as long as the container has the setting.
 */
const char *layers_bottom(const struct manifest *m);

/*
 * Does each layer of @m, which @what has, name what @m has below it, and nothing else? @bottom: below the first one;
 * NULL: nothing. A machine writes its disk's header, too, and a guest may have become its machine: whoever
 * opens what such a header names, as root or for QEMU, opens any file of the host. So before each of these, when no
 * machine writes to it. Layers that are not there are left to who opens them. DRE_ERR_DEVICE_BUSY.
 */
int layers_verify(struct store *s, const char *what, const struct manifest *m, const char *bottom);

/* The same of all that a container is made of. */
int layers_verify_container(const struct container *c);

/* Within a change: removes a layer that no manifest names. False if it is not gone. No error text. */
bool layer_discard(struct store *s, const char *name);

#endif /* DRE_COMMON_STORE_PRIVATE_H */
