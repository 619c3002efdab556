/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the functions of dre_sys.h are made of. Functions return 0 or a
 * DRE_ERR_* code with the error text set.
 *
 * libvirt's domain of a container holds nothing of its own: it is defined anew from the
 * manifest and dre.conf, so that a container is whole as long as its manifest is. It
 * names the writable layer, so there must be none while another layer becomes that one: whoever is
 * killed then leaves no domain, and not one that writes into a snapshot. Neither is there one that stays, and that
 * libvirt's other users could start, as long as it is not settled what the disk is: see common/former.h, common/pull.h.
 */
#ifndef DRE_SYS_INTERNAL_H
#define DRE_SYS_INTERNAL_H

#include <libvirt/libvirt.h>
#include <limits.h>

#include <dre_sys.h>

#include "common/config.h"
#include "common/container.h"
#include "common/fail.h"
#include "common/names.h"
#include "common/property.h"
#include "common/store.h"
#include "error.h"
#include "sigpipe.h"

/* What libvirt's descriptions of machines have of ours, so that people who look at them see what they are. */
#define SYS_NAMESPACE "https://www.dependable-os.net/dre/1.0"

/* Settings of a container; those of property.c are others. */
#define SETTING_MEMORY	"memory"	/* in MiB, or with M, G or T */
#define SETTING_DISK	"disk"		/* how large it is at least */
#define SETTING_MAC	"mac"		/* of its network device; else it comes from the uuid */
#define SETTING_UUID	"uuid"		/* of its machine, as the guest sees it too */

/* All that libvirt keeps of a domain beside its definition would not fit to what the disk becomes. */
#define SYS_UNDEFINE_ALL	(VIR_DOMAIN_UNDEFINE_MANAGED_SAVE | \
				 VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA | \
				 VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA)

/* The machine's name of its disk. */
#define SYS_DISK	"vda"

enum sys_state {
	SYS_STOPPED,
	SYS_RUNNING,
	SYS_SUSPENDED,
	SYS_CHANGING,	/* on the way between them */
	SYS_UNKNOWN,
};

/* An operation on one container, from sys_begin() to sys_end(). */
struct sys {
	struct dre_config config;
	struct store *store;
	struct container *container;	/* if it is locked */
	struct manifest manifest;	/* if it is not */
	virConnectPtr libvirt;
	struct sigpipe sigpipe;		/* as long as there is a connection, and to other hosts' */
	virDomainPtr domain;		/* NULL: libvirt has none */
	char name[DRE_NAME_MAX + 1];
	bool shared;		/* the store is the shared one, see shared.h */
	bool autostart;		/* virsh's, of a definition that was removed */
};

/* How much an operation has to do with those of others. */
enum sys_access {
	SYS_LOOK,	/* whatever they do */
	SYS_USE,	/* not while it is busy */
	SYS_CHANGE,	/* makes it busy */
	SYS_REMOVE,	/* the same, also if its manifest is damaged: then that is empty */
};

/*
 * Checks, in the order of dre_sys.h, up to "unknown status". sys_end() is needed only if
 * it succeeds.
 *
 * libvirt's other users start and stop machines, too, and machines end by themselves: whoever looks at one
 * tells the module of it, and cleans up after it, see group.h.
 */
int sys_begin(struct sys *sys, const char *name, enum sys_access access);
int sys_check_handle(const dre_sys_handle *h);
int sys_begin_handle(struct sys *sys, const dre_sys_handle *h, enum sys_access access);
/* Only its manifest, whatever libvirt says, which is not asked. */
int sys_begin_reading(struct sys *sys, const dre_sys_handle *h);
/* To do something with a snapshot or a checkpoint, its @kind, which makes the container busy. */
int sys_begin_tag(struct sys *sys, const dre_sys_handle *h, const char *kind, const char *tag);
void sys_end(struct sys *sys);

/* Before that, of a container which is not this host's, or not yet: what is here of it is not cleaned up then. */
void sys_disconnect(struct sys *sys);

/*
 * For who only looks, and has seen that there is something to be settled: takes the lock, and looks again, at what
 * whoever had it before has left. Without a container afterwards: somebody else has it, and settles it; or an error.
 */
int sys_lock_to_settle(struct sys *sys);

/* Of one that was locked to be settled: the lock is given back, and the manifest kept as it is now. */
void sys_keep_manifest(struct sys *sys);

/* As it is, or was when the operation began. */
const struct manifest *sys_manifest(const struct sys *sys);

/* For what is about no container: privilege, configuration, store. store_close() it. */
int sys_open_store(struct dre_config *config, struct store **store);

/* libvirt is asked, each time. */
enum sys_state sys_state(const struct sys *sys);

/* Fails with the state's code unless the container is in state @wanted, or @other. */
int sys_require(const struct sys *sys, enum sys_state wanted, enum sys_state other);

/* list.c: what a container has of something, whatever others do. */
int sys_list_of(const dre_sys_handle *h, int (*get)(struct store *store, const char *container, char ***names),
		dre_list_t *list);

/* state.c: the machine's process, running or suspended. */
int sys_find_pid(const struct sys *sys, int *pid);

/* Has it this layer's file open? If that cannot be told it may have. */
bool sys_has_open(const struct sys *sys, const char *layer);

/* Who is told how far something is. */
struct sys_progress {
	dre_sys_progress fn;	/* may be NULL */
	void *arg;
};

/* base.c: tells the struct sys_progress; it is an import_progress_fn. */
void sys_report(void *progress, uint64_t done, uint64_t total);

/* libvirt.c: fails with @code, or with DRE_ERR_PERMISSION_DENIED, and with libvirt's own words. */
int sys_fail(int code, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int sys_connect(struct sys *sys);

/* create.c: a random UUID, which stays the machine's whatever happens to its domain. 0 or a negative errno. */
int sys_choose_uuid(char text[VIR_UUID_STRING_BUFLEN]);

/* snapshot.c: changes the layer that is written to, while there is no domain; there is one again then. */
int sys_change_layer(struct sys *sys, int (*fn)(struct sys *sys, void *arg), void *arg);

/*
 * checkpoint.c: a container that somebody was about to bring back to a checkpoint, who was killed: it has that one's
 * disk, if the machine has run, or its own again, and is stopped. Whoever only looks does it, too, unless somebody else
 * has the container.
 */
int sys_settle_restart(struct sys *sys);

/*
 * domain.c: connects to libvirt, and finds the container's domain. DRE_ERR_CONTAINER_UNKNOWN_STATUS: libvirt does not
 * answer, or that is somebody else's.
 */
int sys_look_up(struct sys *sys);

/*
 * domain.c: defines it, removes its definition. There is none any more if that succeeds, and nobody can start it; what
 * runs nevertheless, because somebody else has just started it, fails with its state's code, and stays defined. Nothing
 * is defined as long as it is not settled what its disk is, nor while libvirt is at something with its machine: it goes on
 * with a part of the definition that it had, and crashes.
 */
int sys_define(struct sys *sys);
int sys_undefine(struct sys *sys);

/*
 * domain.c: the same, of a machine that may run: it runs on, and if it ends nobody starts it but a manager. Of neither a
 * power cut leaves a definition. If libvirt was to start it with the host, it is again when it is defined again.
 */
int sys_remove_definition(struct sys *sys);

/*
 * Where libvirt has no definition (any more) of a container that nobody is changing: whoever did has been killed, or a user
 * of virsh has removed it. libvirt gets one again, where the container is now, or a start gives it one.
 */
void sys_define_again(struct sys *sys);

/* Calls @fn with each domain that was defined for a container, which need not be there any more. */
typedef void (*sys_domain_fn)(void *arg, virDomainPtr domain, const char *container);
int sys_each_domain(virConnectPtr libvirt, sys_domain_fn fn, void *arg);

/* DRE_ERR_NO_VT unless machines can run on this host, as dre.conf wants them to. */
int sys_check_vt(const struct sys *sys);

/* domain.c: its name. */
#define SYS_DOMAIN_PREFIX	"dre-"

typedef char sys_domain_t[sizeof(SYS_DOMAIN_PREFIX) + DRE_NAME_MAX];

void sys_domain_name(const struct sys *sys, sys_domain_t name);

/* paths.c: STORE/containers/NAME/@file, STORE/layers/@layer. An error if it is too long. */
int sys_path(const struct sys *sys, const char *file, char path[PATH_MAX]);
int sys_layer_path(const struct sys *sys, const char *layer, char path[PATH_MAX]);

/* property.c: the container's properties instead of what dre.conf says; sys_begin(SYS_CHANGE) has done it. */
int sys_configure(struct sys *sys, const struct manifest *m);

/* Are these, ended by a key that is NULL, properties? And then, into a manifest. */
int sys_check_properties(const dre_sys_property *list);
int sys_put_properties(struct manifest *m, const dre_sys_property *list);
bool sys_has_property(const dre_sys_property *list, const char *key);

/* network.c: is what the machine's network device is to be connected to there? Connected to libvirt. */
int sys_check_network(const struct sys *sys);

const char *sys_mac(const struct manifest *m, char text[PROPERTY_MAC_SIZE]);

/*
 * disk.c: how large the disk is, and that it is as large as its property, or dre.conf, wants it; in any
 * state. DRE_ERR_INVALID_ARGUMENT if it is larger than its property already, and @exact.
 */
int sys_disk_size(const struct sys *sys, unsigned long long *size);
int sys_fit_disk(const struct sys *sys, bool exact);

/* pull.c: a disk that has as many layers as it may gets half as many. The machine runs; it stands still for a moment. */
int sys_shorten(struct sys *sys);

/*
 * rootfs.c: a container whose disk is a partition, the name of which is among the @settings; as
 * container_create(). And, if it is one of these, that the partition can be used.
 */
int sys_create_on_partition(struct sys *sys, const char *path, const struct manifest *settings);
int sys_check_rootfs(const struct sys *sys);

/*
 * start.c: of a container that is stopped. It runs then, with its cgroups, and the module knows it; or it is
 * stopped, and its guest has not run. What is checked before can be checked before it is stopped, too.
 */
int sys_check_start(const struct sys *sys);
int sys_start(struct sys *sys);

/*
 * The same in parts, for who makes the machine in another way: all that it needs before there is one; and then,
 * with its processors standing still: it runs, or it is gone.
 */
int sys_prepare(struct sys *sys);
int sys_let_run(struct sys *sys);

/* stop.c: of a container that is running or suspended. Its cgroups end, too. */
int sys_stop(const struct sys *sys, const dre_sys_stop_options *options);

/* The same at once, as if its power was cut. */
int sys_switch_off(const struct sys *sys);

/*
 * machine.c: what libvirt is told of a machine. Paths and texts may be any.
 */
struct sys_machine {
	const char *type;	/* libvirt's domain type: "kvm", "qemu" */
	const char *name;
	const char *uuid;
	const char *partition;
	unsigned int memory;	/* in MiB */
	unsigned int cpus;
	const char *disk;	/* qcow2 */
	bool remote_disk;	/* its server may not answer: the machine is suspended until it does */
	const char *network, *bridge;	/* where its network device is, one at most; "": none */
	const char *mac;
	const char *log;	/* of its console */
	const char *kernel, *initrd, *cmdline;	/* "": none */
};

/* Its XML, which the caller frees. DRE_ERR_INVALID_ARGUMENT: a text that XML has no way to say. */
int sys_machine_xml(const struct sys_machine *machine, char **xml);

#endif /* DRE_SYS_INTERNAL_H */
