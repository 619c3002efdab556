/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the functions of dre_sys.h are made of. Functions return 0 or a
 * DRE_ERR_* code with the error text set.
 *
 * libvirt's domain of a container holds nothing of its own: it is defined anew from the
 * manifest and dre.conf, so that a container is whole as long as its manifest is. It
 * names the writable layer, so there must be none while another layer becomes that one: whoever is
 * killed then leaves no domain, and not one that writes into a snapshot.
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
#include "common/store.h"
#include "error.h"

/* What libvirt's descriptions of machines have of ours, so that people who look at them see what they are. */
#define SYS_NAMESPACE "https://www.dependable-os.net/dre/1.0"

/* Settings of a container. */
#define SETTING_MEMORY	"memory"	/* in MiB */
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
	virDomainPtr domain;		/* NULL: libvirt has none */
	char name[DRE_NAME_MAX + 1];
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
 */
int sys_begin(struct sys *sys, const char *name, enum sys_access access);
int sys_check_handle(const dre_sys_handle *h);
int sys_begin_handle(struct sys *sys, const dre_sys_handle *h, enum sys_access access);
void sys_end(struct sys *sys);

/* For what is about no container: privilege, configuration, store. store_close() it. */
int sys_open_store(struct dre_config *config, struct store **store);

/* libvirt is asked, each time. */
enum sys_state sys_state(const struct sys *sys);

/* Fails with the state's code unless the container is in state @wanted, or @other. */
int sys_require(const struct sys *sys, enum sys_state wanted, enum sys_state other);

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

/* domain.c: finds the container's domain, defines it, removes its definition. */
int sys_find(struct sys *sys);
int sys_define(struct sys *sys);
int sys_undefine(struct sys *sys);

/* Calls @fn with each domain that was defined for a container, which need not be there any more. */
typedef void (*sys_domain_fn)(void *arg, virDomainPtr domain, const char *container);
int sys_each_domain(virConnectPtr libvirt, sys_domain_fn fn, void *arg);

/* domain.c: where a layer is. */
int sys_layer_path(const struct sys *sys, const char *layer, char path[PATH_MAX]);

/* start.c: at once, as if its power was cut. */
int sys_switch_off(const struct sys *sys);

/* DRE_ERR_NO_VT unless machines can run on this host, as dre.conf wants them to. */
int sys_check_vt(const struct sys *sys);

/*
 * machine.c: what libvirt is told of a machine. Paths and texts may be any.
 */
struct sys_machine {
	const char *type;	/* libvirt's domain type: "kvm", "qemu" */
	const char *name;
	const char *uuid;
	const char *memory;	/* in MiB */
	unsigned int cpus;
	const char *disk;	/* qcow2 */
	const char *log;	/* of its console */
	const char *kernel, *initrd, *cmdline;	/* "": none */
};

/* Its XML, which the caller frees. DRE_ERR_INVALID_ARGUMENT: a text that XML has no way to say. */
int sys_machine_xml(const struct sys_machine *machine, char **xml);

#endif /* DRE_SYS_INTERNAL_H */
