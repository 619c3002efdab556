// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Containers in the shared store: a real NFS server, in this machine. Another host is another name of this one, with a
 * store of its own.
 */
#include <signal.h>

#include "host.h"
#include "nfs.h"

#define OPTIONS		"nfs_options = vers=4.2,softerr,timeo=5,retrans=1\n"
#define CONFIGURED	"nfs_server = 127.0.0.1\nnfs_export = " EXPORT "\n" OPTIONS
#define LARGE		"/run/dre-test-large"

/* This command as another host's. */
#define AS_OTHER	"unshare -u sh -c 'hostname other; DRE_CONF=/run/dre-test-other.conf exec \"$@\"' - "

static int setup(void **state)
{
	FILE *f;

	set_up_host(state);
	make_nfs_server("127.0.0.1");
	configure(CONFIGURED);
	assert_int_equal(shell("sed '/^\\[sys\\]/a store = /var/lib/dre/sys-other' " CONFIG
			       " >/run/dre-test-other.conf"), 0);
	assert_success(create("sh", "it"));
	/* Something that takes a moment to copy. */
	f = fopen(LARGE, "we");
	assert_non_null(f);
	fclose(f);
	assert_int_equal(shell("head -c 64M /dev/urandom >" LARGE), 0);
	assert_success(dre_sys_import_base("large", LARGE, NULL, NULL));
	assert_success(create("big", "large"));
	return 0;
}

/* It is whole, and in that store only; libvirt knows it there. */
static void assert_in(const char *store, const char *name)
{
	const char *other = strcmp(store, STORE) ? STORE : SHARED;

	assert_int_equal(shell("[ -e %s/containers/%s/manifest ] && [ ! -e %s/containers/%s ]", store, name, other,
			       name), 0);
	assert_int_equal(shell("virsh -q dumpxml --inactive dre-%s | grep -q '%s/layers/'", name, store), 0);
	assert_int_equal(status(name), DRE_SYS_CONTAINER_STATUS_STOP);
}

/* Nothing is there that no manifest names, or that is not complete. */
static void assert_clean(const char *store)
{
	assert_int_equal(shell("cd %s && [ -z \"$(ls -A pending; ls -A trash; find . -name '.tmp-*')\" ] && "
			       "for layer in $(ls layers); do grep -rq \" $layer$\" bases containers || exit 1; done",
			       store), 0);
}

static void arguments(void **state)
{
	dre_sys_handle h = handle("sh"), absent = handle("absent");
	dre_list_t list;

	(void)state;
	assert_fails(dre_sys_share(NULL), DRE_ERR_NULL_POINTER, "NULL");
	assert_fails(dre_sys_unshare(NULL), DRE_ERR_NULL_POINTER, "NULL");
	assert_fails(dre_sys_take_over(NULL), DRE_ERR_NULL_POINTER, "NULL");
	assert_fails(dre_sys_get_shared_list(NULL), DRE_ERR_NULL_POINTER, "NULL");
	assert_fails(dre_sys_share(&absent), DRE_ERR_CONTAINER_NONEXISTENCE, "absent");
	assert_fails(dre_sys_unshare(&absent), DRE_ERR_CONTAINER_NONEXISTENCE, "absent");
	assert_fails(dre_sys_take_over(&absent), DRE_ERR_CONTAINER_NONEXISTENCE, "absent");
	assert_fails(dre_sys_unshare(&h), DRE_ERR_CONTAINER_NONEXISTENCE, "not in the shared store");
	assert_int_equal(shell("dre-sys unshare sh 2>&1 | grep -q 'not in the shared store$'"), 0);
	assert_fails(dre_sys_take_over(&h), DRE_ERR_INVALID_ARGUMENT, "this host's");
	configure("");
	assert_fails(dre_sys_share(&h), DRE_ERR_NFS_MOUNT_FAILED, "nfs_server");
	assert_success(dre_sys_get_shared_list(&list));
	assert_null(list[0]);
	assert_success(dre_sys_release_container_list(list));
	configure("nfs_server = 127.0.0.1\n");
	assert_fails(dre_sys_share(&h), DRE_ERR_INVALID_ARGUMENT, "belong together");
	configure(CONFIGURED);
	assert_in(STORE, "sh");
}

static void export_to(const char *client, const char *options)
{
	assert_int_equal(shell("exportfs -ua && exportfs -o sync,fsid=1,%s %s:" EXPORT " && exportfs -f", options,
			       client), 0);
}

/* It answers, and is of no use. */
static void refused(void **state)
{
	dre_sys_handle h = handle("sh");

	(void)state;
	shell("umount " SHARED " 2>/dev/null");
	configure("nfs_server = 127.0.0.1\nnfs_export = /srv/other\n" OPTIONS);
	assert_fails(dre_sys_share(&h), DRE_ERR_NFS_MOUNT_FAILED, "cannot mount 127.0.0.1:/srv/other");
	/* Nobody knows whether there is one of that name. */
	assert_fails(create("new", "it"), DRE_ERR_NFS_MOUNT_FAILED, "cannot mount 127.0.0.1:/srv/other");
	assert_int_equal(access(STORE "/containers/new", F_OK), -1);
	configure(CONFIGURED);
	export_to("192.0.2.1", "rw,no_root_squash");
	assert_fails(dre_sys_share(&h), DRE_ERR_NFS_MOUNT_FAILED, "cannot mount 127.0.0.1:" EXPORT);
	export_to("127.0.0.1", "ro,no_root_squash");
	assert_fails(dre_sys_share(&h), DRE_ERR_NFS_MOUNT_FAILED, "Read-only file system");
	assert_int_equal(shell("umount " SHARED), 0);
	export_to("127.0.0.1", "rw,root_squash");
	assert_fails(dre_sys_share(&h), DRE_ERR_NFS_MOUNT_FAILED, "Permission denied");
	assert_int_equal(shell("umount " SHARED), 0);
	export_to("127.0.0.1", "rw,no_root_squash");
	assert_in(STORE, "sh");
}

/* Those that are not here are reported, once, and those that are here are dealt with. */
static void assert_all_but_shared(const char *command)
{
	assert_int_equal(shell("dre-sys %s 2>/run/dre-test-err", command), 1);
	assert_int_equal(shell("[ $(wc -l </run/dre-test-err) = 1 ] && grep -q 'cannot mount' /run/dre-test-err"), 0);
}

/* Each cause has its words, and the container is where it was; those that are here need no server. */
static void no_server(void **state)
{
	dre_sys_handle h = handle("sh");
	dre_list_t list;

	(void)state;
	stop_nfs_server();
	assert_fails(dre_sys_share(&h), DRE_ERR_NFS_MOUNT_FAILED, "cannot mount 127.0.0.1:" EXPORT);
	assert_int_equal(status("sh"), DRE_SYS_CONTAINER_STATUS_STOP);
	assert_fails(status("absent"), DRE_ERR_NFS_MOUNT_FAILED, "cannot mount");
	assert_success(dre_sys_get_container_list(&list));
	assert_string_equal(list[0], "big");
	assert_string_equal(list[1], "sh");
	assert_null(list[2]);
	assert_success(dre_sys_release_container_list(list));
	assert_fails(dre_sys_get_shared_list(&list), DRE_ERR_NFS_MOUNT_FAILED, "cannot mount");
	assert_int_equal(shell("dre-sys list >/run/dre-test-out 2>/run/dre-test-err"), 1);
	assert_int_equal(shell("grep -q '^sh *stopped' /run/dre-test-out && grep -q 'cannot mount' /run/dre-test-err"), 0);
	assert_success(create("new", "it"));
	assert_success(dre_sys_destroy_container("new"));
	assert_int_equal(shell("dre-sys set sh autostart=yes"), 0);
	assert_all_but_shared("autostart");
	assert_int_equal(status("sh"), DRE_SYS_CONTAINER_STATUS_RUNNING);
	assert_all_but_shared("stop --kill --all");
	assert_int_equal(status("sh"), DRE_SYS_CONTAINER_STATUS_STOP);
	assert_int_equal(shell("dre-sys unset sh autostart"), 0);
	start_nfs_server();
	assert_int_equal(shell("mount -t tmpfs tmpfs " SHARED), 0);
	assert_fails(dre_sys_share(&h), DRE_ERR_NFS_MOUNT_FAILED, "tmpfs is mounted");
	assert_int_equal(shell("umount " SHARED), 0);
	assert_in(STORE, "sh");
}

/* There and back, with all that it has. */
static void moves(void **state)
{
	dre_sys_handle h = handle("sh");
	dre_list_t list;

	(void)state;
	assert_success(dre_sys_save_snapshot(&h, "one"));
	assert_success(dre_sys_share(&h));
	assert_in(SHARED, "sh");
	assert_clean(SHARED);
	assert_clean(STORE);
	assert_int_equal(shell("! grep -q moving " SHARED "/containers/sh/manifest"), 0);
	assert_int_equal(shell("dre-sys list --long | grep -q \"^sh *stopped.* $(uname -n)$\""), 0);
	assert_success(dre_sys_get_shared_list(&list));
	assert_string_equal(list[0], "sh");
	assert_null(list[1]);
	assert_success(dre_sys_release_container_list(list));
	assert_fails(dre_sys_share(&h), DRE_ERR_CONTAINER_EXISTENCE, "already");
	/* As after a reboot. */
	assert_int_equal(shell("umount " SHARED), 0);
	assert_fails(create("sh", "it"), DRE_ERR_CONTAINER_EXISTENCE, "'sh' in " SHARED);
	assert_int_equal(shell("umount " SHARED), 0);
	assert_int_equal(shell("dre-sys copy big sh 2>&1 | grep -q 'in " SHARED " already'"), 0);
	assert_fails(dre_sys_commit_snapshot(&h, "one", "new"), DRE_ERR_COMMIT_SNAPSHOT_FAILED, "unshare");
	assert_success(dre_sys_save_snapshot(&h, "two"));
	assert_success(dre_sys_unshare(&h));
	assert_in(STORE, "sh");
	assert_clean(STORE);
	assert_int_equal(shell("! grep -Eq 'moving|owner' " STORE "/containers/sh/manifest"), 0);
	assert_int_equal(shell("[ -z \"$(ls -A " SHARED "/layers " SHARED "/bases | grep -v :)\" ]"), 0);
	assert_success(dre_sys_get_snapshot_list(&h, &list));
	assert_string_equal(list[0], "one");
	assert_string_equal(list[1], "two");
	assert_null(list[2]);
	assert_success(dre_sys_release_snapshot_list(list));
	assert_success(dre_sys_load_snapshot(&h, "one"));
}

/* It runs, and what it says is written where it is now. */
static void assert_ticks(const char *store)
{
	int before = count_said("sh", "guest: tick"), now = before;

	assert_int_equal(status("sh"), DRE_SYS_CONTAINER_STATUS_RUNNING);
	for (time_t end = time(NULL) + BOOT_TIME; now <= before && time(NULL) < end; usleep(200000))
		now = count_said("sh", "guest: tick");
	assert_true(now > before);
	assert_int_equal(shell("virsh -q dumpxml dre-sh | grep -q '%s/containers/sh/console.log'", store), 0);
	assert_int_equal(shell("[ -s %s/containers/sh/console.log ]", store), 0);
}

#define LOG	SHARED "/containers/sh/console.log"

/* What was saved in one store goes on in the other, and writes and tells there; and the other way round. */
static void checkpoint_moves(void **state)
{
	dre_sys_handle h = handle("sh");

	(void)state;
	assert_success(dre_sys_start(&h));
	assert_ticks(STORE);
	assert_success(dre_sys_checkpoint(&h, "here"));
	assert_success(dre_sys_stop(&h));
	assert_success(dre_sys_share(&h));
	assert_success(dre_sys_restart(&h, "here"));
	assert_ticks(SHARED);
	assert_int_equal(shell("virsh -q dumpxml dre-sh | grep -q \"error_policy='stop'.*rerror_policy='stop'\""), 0);
	assert_success(dre_sys_checkpoint(&h, "there"));
	assert_private(SHARED);
	/* Another host had it meanwhile, and has written to a part of its own. */
	assert_int_equal(shell("echo 'of another host' >" LOG "-2"), 0);
	assert_success(dre_sys_restart(&h, "there"));
	assert_int_equal(shell("virsh -q dumpxml dre-sh | grep -q '" LOG "-3'"), 0);
	assert_int_equal(shell("for i in $(seq 60); do dre-sys logs sh | sed '1,/of another host/d' | grep -q 'guest: tick' && "
			       "exit 0; sleep 1; done; exit 1"), 0);
	assert_success(dre_sys_stop(&h));
	assert_int_equal(shell("rm " LOG "-*"), 0);
	assert_success(dre_sys_unshare(&h));
	for (int i = 0; i < 2; i++) {
		assert_success(dre_sys_restart(&h, i ? "there" : "here"));
		assert_ticks(STORE);
		assert_int_equal(shell("! virsh -q dumpxml dre-sh | grep -q error_policy"), 0);
		assert_success(dre_sys_stop(&h));
	}
	assert_success(dre_sys_remove_checkpoint(&h, "here"));
	assert_success(dre_sys_remove_checkpoint(&h, "there"));
	assert_success(dre_sys_load_snapshot(&h, "one"));
	assert_clean(STORE);
}

/* No room for all of it: nothing is there of it then. */
static void full(void **state)
{
	dre_sys_handle h = handle("big");

	(void)state;
	assert_int_equal(shell("fallocate -l $(($(df --output=avail -B1 " EXPORT " | tail -n 1) - 30000000)) "
			       EXPORT "/ballast"), 0);
	assert_fails(dre_sys_share(&h), DRE_ERR_NFS_MOUNT_FAILED, "No space left");
	assert_in(STORE, "big");
	assert_clean(SHARED);
	assert_int_equal(unlink(EXPORT "/ballast"), 0);
}

struct interruption {
	int percent;
	void (*fn)(void);
	bool done;
};

static void interrupt(void *arg, unsigned long long done, unsigned long long total)
{
	struct interruption *i = arg;

	if (i->done || done * 100 < total * i->percent)
		return;
	i->done = true;
	i->fn();
}

/* Soon it answers again, and the container has been where it was all the time. */
static void gone_in_the_middle(void **state)
{
	struct interruption i = { 30, stop_nfs_server, false };
	dre_sys_handle h = handle("big");

	(void)state;
	assert_fails(dre_sys_share_with(&h, interrupt, &i), DRE_ERR_NFS_MOUNT_FAILED, "cannot copy");
	assert_true(i.done);
	assert_int_equal(status("big"), DRE_SYS_CONTAINER_STATUS_STOP);
	start_nfs_server();
	assert_success(dre_sys_share(&h));
	assert_in(SHARED, "big");
	assert_clean(SHARED);
	assert_clean(STORE);
	i.done = false;
	assert_fails(dre_sys_unshare_with(&h, interrupt, &i), DRE_ERR_NFS_MOUNT_FAILED, "");
	assert_true(i.done);
	start_nfs_server();
	assert_in(SHARED, "big");
	assert_success(dre_sys_unshare(&h));
	assert_in(STORE, "big");
	assert_clean(STORE);
}

static void kill_self(void)
{
	kill(getpid(), SIGKILL);
}

static void killed_at(dre_return_t (*fn)(const dre_sys_handle *, dre_sys_progress, void *), int percent)
{
	struct interruption i = { percent, kill_self, false };
	dre_sys_handle h = handle("big");
	pid_t pid = fork();
	int ended;

	if (!pid) {
		fn(&h, interrupt, &i);
		_exit(1);
	}
	assert_int_equal(waitpid(pid, &ended, 0), pid);
	assert_true(WIFSIGNALED(ended));
}

/* Whoever moves it is killed: it is where it was, and the next one moves it. */
static void killed(void **state)
{
	dre_sys_handle h = handle("big");

	(void)state;
	for (int percent = 0; percent < 100; percent += 45) {
		killed_at(dre_sys_share_with, percent);
		assert_int_equal(status("big"), DRE_SYS_CONTAINER_STATUS_STOP);
		assert_int_equal(shell("grep -qx 'moving yes' " STORE "/containers/big/manifest"), 0);
		/* Nobody moves what is copied of it. */
		assert_success(dre_sys_copy(&h, NULL, "big2"));
		assert_int_equal(shell("grep -qx 'moving yes' " STORE "/containers/big2/manifest"), 1);
		assert_success(dre_sys_destroy_container("big2"));
		assert_success(dre_sys_share(&h));
		assert_in(SHARED, "big");
		killed_at(dre_sys_unshare_with, percent);
		assert_int_equal(status("big"), DRE_SYS_CONTAINER_STATUS_STOP);
		assert_int_equal(shell("[ -e " SHARED "/containers/big/manifest ]"), 0);
		assert_success(dre_sys_unshare(&h));
		assert_in(STORE, "big");
		assert_clean(STORE);
		assert_clean(SHARED);
	}
	/* A base image that came with a container, whose mover had only that left to remove. */
	assert_success(dre_sys_share(&h));
	assert_int_equal(shell("cp " SHARED "/bases/large " SHARED "/bases/left"), 0);
	assert_success(dre_sys_gc());
	assert_int_equal(shell("[ -e " SHARED "/bases/large ] && [ ! -e " SHARED "/bases/left ]"), 0);
	assert_success(dre_sys_unshare(&h));
}

#define KEPT	"/run/dre-test-kept"

/* The local container as it was before it was moved, beside that; @edit: sed's for its manifest. */
static void put_back(const char *edit)
{
	assert_int_equal(shell("sed -i 's/^end$/moving yes\\nend/' " SHARED "/containers/big/manifest && "
			       "cp -a " KEPT "/layers " KEPT "/containers " STORE " && "
			       "sed -i '%s; s/^end$/moving yes\\nend/' " STORE "/containers/big/manifest", edit), 0);
}

/* Both stores have it: the moment between the two names. The local one is the container. */
static void in_both(void **state)
{
	dre_sys_handle h = handle("big"), big2 = handle("big2");

	(void)state;
	assert_int_equal(shell("mkdir -p " KEPT "/containers && cp -a " STORE "/layers " KEPT " && "
			       "cp -a " STORE "/containers/big " KEPT "/containers"), 0);
	assert_success(dre_sys_share(&h));
	/* Who takes it away here does not bring back what is left there. */
	put_back("s/^x//");
	assert_int_equal(shell("umount " SHARED), 0);
	configure("nfs_server = 127.0.0.1\nnfs_export = /srv/other\n" OPTIONS);
	assert_fails(dre_sys_destroy_container("big"), DRE_ERR_NFS_MOUNT_FAILED, "cannot mount");
	configure(CONFIGURED);
	assert_success(dre_sys_rename(&h, "big2"));
	assert_fails(status("big"), DRE_ERR_CONTAINER_NONEXISTENCE, "big");
	assert_success(dre_sys_rename(&big2, "big"));
	assert_success(dre_sys_share(&h));
	put_back("s/^x//");
	assert_int_equal(status("big"), DRE_SYS_CONTAINER_STATUS_STOP);
	assert_success(dre_sys_gc());
	assert_int_equal(shell("[ ! -e " SHARED "/containers/big ]"), 0);
	assert_clean(SHARED);
	assert_clean(STORE);
	/* Another machine's is none of this. */
	assert_success(dre_sys_share(&h));
	assert_int_equal(shell("virsh -q undefine dre-big"), 0);
	put_back("s/^uuid .*/uuid 00000000-0000-4000-8000-000000000000/");
	assert_success(dre_sys_gc());
	assert_int_equal(shell("[ -e " SHARED "/containers/big ]"), 0);
	assert_fails(dre_sys_share(&h), DRE_ERR_CONTAINER_EXISTENCE, "another container");
	assert_success(dre_sys_destroy_container("big"));
	assert_success(dre_sys_unshare(&h));
	assert_in(STORE, "big");
	assert_int_equal(shell("rm -r " KEPT), 0);
}

static char found[2048];

static void note(void *arg, const dre_sys_problem *problem)
{
	size_t len = strlen(found);

	(void)arg;
	snprintf(found + len, sizeof(found) - len, "%c%s: %s\n", problem->repaired ? '+' : '-', problem->path,
		 problem->what);
}

static void assert_found(unsigned int flags, const char *wanted)
{
	*found = '\0';
	assert_success(dre_sys_fsck(flags, note, NULL));
	assert_string_equal(found, wanted);
}

#define MANIFEST	SHARED "/containers/sh/manifest"

/* What keeps others from collecting there is told, and stays: it may be another host's. */
static void damaged(void **state)
{
	dre_sys_handle h = handle("sh");

	(void)state;
	assert_success(dre_sys_share(&h));
	assert_found(0, "");
	assert_int_equal(shell("cp " MANIFEST " /run/dre-test-manifest && echo x >" MANIFEST
			       " && touch " SHARED "/layers/aaaaaaaa"), 0);
	assert_fails(dre_sys_gc(), DRE_ERR_DEVICE_BUSY, MANIFEST);
	assert_found(DRE_SYS_FSCK_REPAIR | DRE_SYS_FSCK_SET_ASIDE,
		     "-" MANIFEST ": damaged, line 1: not a manifest of version 1\n");
	assert_int_equal(access(SHARED "/layers/aaaaaaaa", F_OK), 0);
	assert_int_equal(shell("cp /run/dre-test-manifest " MANIFEST), 0);
	assert_found(DRE_SYS_FSCK_REPAIR, "+" SHARED "/layers/aaaaaaaa: no manifest names it\n");
	assert_found(0, "");
	assert_success(dre_sys_unshare(&h));
}

/* A symbolic link, slashes at the end: it is the same place, and is mounted once. */
static void other_spelling(void **state)
{
	dre_sys_handle h = handle("sh");

	(void)state;
	assert_success(dre_sys_share(&h));
	assert_int_equal(shell("ln -s " SHARED " /run/dre-test-link"), 0);
	for (int mounted = 1; mounted >= 0; mounted--) {
		configure("nfs_server = 127.0.0.1\nnfs_export = " EXPORT "/\n"
			  "nfs_mount = /run/dre-test-link/\n" OPTIONS);
		assert_int_equal(status("sh"), DRE_SYS_CONTAINER_STATUS_STOP);
		assert_fails(dre_sys_rename(&h, "big"), DRE_ERR_CONTAINER_EXISTENCE, "'big'");
		assert_fails(create("sh", "it"), DRE_ERR_CONTAINER_EXISTENCE, "'sh'");
		assert_int_equal(shell("[ $(grep -c ' " SHARED " nfs' /proc/mounts) = 1 ]"), 0);
		configure("nfs_server = 127.0.0.1\nnfs_export = " EXPORT "/\n"
			  "nfs_mount = " SHARED "//\n" OPTIONS);
		assert_int_equal(status("sh"), DRE_SYS_CONTAINER_STATUS_STOP);
		assert_int_equal(shell("[ $(grep -c ' " SHARED " nfs' /proc/mounts) = 1 ]"), 0);
		if (mounted)
			assert_int_equal(shell("umount " SHARED), 0);
	}
	configure(CONFIGURED);
	assert_success(dre_sys_unshare(&h));
	assert_in(STORE, "sh");
	assert_int_equal(unlink("/run/dre-test-link"), 0);
}

/* It runs there, and other hosts see it and leave it alone, until one takes it over. */
static void other_host(void **state)
{
	dre_sys_handle h = handle("sh");

	(void)state;
	assert_success(dre_sys_share(&h));
	assert_success(dre_sys_start(&h));
	assert_says("sh", "guest: boot ", 1);
	assert_fails(dre_sys_unshare(&h), DRE_ERR_CONTAINER_RUNNING, "sh");
	assert_int_equal(shell(AS_OTHER "dre-sys list | grep -q '^sh *remote'"), 0);
	assert_int_equal(shell(AS_OTHER "dre-sys status sh 2>&1 | grep -q \"belongs to host '$(uname -n)'\""), 0);
	/* What its manifest says is known of it. */
	assert_int_equal(shell(AS_OTHER "dre-sys inspect sh >/run/dre-test-out 2>/run/dre-test-err"), 0);
	assert_int_equal(shell("! [ -s /run/dre-test-err ] && tr -d '[:space:]' </run/dre-test-out >/run/dre-test-json && "
			       "grep -qF '\"name\":\"sh\",\"state\":\"remote\",\"pid\":null,' /run/dre-test-json && "
			       "grep -qF '\"owner\":\"'$(uname -n)'\"' /run/dre-test-json && "
			       "grep -qF '\"autostart\":{\"value\":\"no\",\"set\":false,' /run/dre-test-json && "
			       "grep -qF '\"limits\":null,\"usage\":null,\"cgroups\":null}' /run/dre-test-json"), 0);
	assert_int_equal(shell(AS_OTHER "dre-sys stop --kill sh 2>/dev/null"), 1);
	assert_int_equal(shell(AS_OTHER "dre-sys stop --kill --all && " AS_OTHER "dre-sys start --all"), 0);
	assert_int_equal(shell(AS_OTHER "dre-sys destroy sh 2>/dev/null"), 1);
	assert_int_equal(shell(AS_OTHER "dre-sys unshare sh 2>/dev/null"), 1);
	assert_int_equal(shell(AS_OTHER "dre-sys takeover sh 2>/dev/null"), 2);
	assert_int_equal(status("sh"), DRE_SYS_CONTAINER_STATUS_RUNNING);
	assert_int_equal(shell(AS_OTHER "dre-sys start sh 2>/dev/null"), 1);
	/* As libvirt-guests does it. Who takes it over does not go on from there: others may have written to the disk. */
	assert_int_equal(shell("virsh -q managedsave dre-sh"), 0);
	assert_int_equal(shell("virsh -q list --all --with-managed-save --name | grep -qx dre-sh"), 0);
	assert_int_equal(shell(AS_OTHER "dre-sys takeover --force sh"), 0);
	assert_int_equal(shell("virsh -q list --all --with-managed-save --name | grep -qx dre-sh"), 1);
	assert_fails(status("sh"), DRE_ERR_CONTAINER_UNKNOWN_STATUS, "'other'");
	assert_fails(dre_sys_start(&h), DRE_ERR_CONTAINER_UNKNOWN_STATUS, "'other'");
	assert_int_equal(shell(AS_OTHER "dre-sys unshare sh"), 0);
	assert_fails(status("sh"), DRE_ERR_CONTAINER_NONEXISTENCE, "sh");
	assert_int_equal(shell(AS_OTHER "dre-sys destroy sh"), 0);
	assert_int_equal(shell(AS_OTHER "dre-sys base list | grep -q '^it '"), 0);
}

/* A server that stops to answer does not say that there is no such container; nobody waits for it for ever. */
static void mounted_and_gone(void **state)
{
	dre_sys_handle h = handle("sh"), big = handle("big");
	time_t begin;

	(void)state;
	assert_success(dre_sys_share(&h));
	stop_nfs_server();
	assert_fails(status("sh"), DRE_ERR_NFS_MOUNT_FAILED, "does not answer");
	assert_fails(dre_sys_share(&big), DRE_ERR_NFS_MOUNT_FAILED, "does not answer");
	assert_int_equal(status("big"), DRE_SYS_CONTAINER_STATUS_STOP);
	begin = time(NULL);
	assert_success(create("new", "it"));
	assert_success(dre_sys_destroy_container("new"));
	assert_true(time(NULL) - begin < 20);
	start_nfs_server();
	assert_int_equal(status("sh"), DRE_SYS_CONTAINER_STATUS_STOP);
	assert_success(dre_sys_unshare(&h));
	assert_in(STORE, "sh");
}

static bool is_paused(void)
{
	return !shell("virsh -q domstate dre-sh | grep -q paused");
}

/* The guest notices nothing but that it stood still: what it was writing is written. */
static void gone_under_a_machine(void **state)
{
	dre_sys_handle h = handle("sh");
	int console;

	(void)state;
	assert_success(dre_sys_share(&h));
	assert_success(dre_sys_start(&h));
	assert_says("sh", "guest: tick", 1);
	assert_success(dre_sys_open_console(&h, &console));
	stop_nfs_server();
	assert_int_equal(write(console, "write\r", 6), 6);
	for (int tries = 0; tries < 600 && !is_paused(); tries++)
		usleep(100000);
	assert_true(is_paused());
	assert_fails(dre_sys_resume(&h), DRE_ERR_NFS_MOUNT_FAILED, "does not answer");
	start_nfs_server();
	assert_int_equal(status("sh"), DRE_SYS_CONTAINER_STATUS_SUSPENDED);
	assert_success(dre_sys_resume(&h));
	assert_says("sh", "guest: wrote", 1);
	assert_int_equal(count_said("sh", "guest: cannot write"), 0);
	close(console);
	assert_success(dre_sys_stop(&h));
	assert_success(dre_sys_unshare(&h));
	assert_in(STORE, "sh");
	assert_int_equal(shell("qemu-img check -q " STORE "/layers/$(sed -n 's/^writable //p' " STORE "/containers/sh/manifest)"), 0);
}

static int teardown(void **state)
{
	(void)state;
	assert_success(dre_sys_destroy_container("big"));
	assert_success(dre_sys_remove_base("large"));
	assert_success(dre_sys_remove_base("it"));
	shell("rm -rf /var/lib/dre/sys-other");
	assert_int_equal(shell("umount " SHARED), 0);
	remove_nfs_server();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arguments),
		cmocka_unit_test(refused),
		cmocka_unit_test(no_server),
		cmocka_unit_test(moves),
		cmocka_unit_test(checkpoint_moves),
		cmocka_unit_test(full),
		cmocka_unit_test(gone_in_the_middle),
		cmocka_unit_test(mounted_and_gone),
		cmocka_unit_test(killed),
		cmocka_unit_test(in_both),
		cmocka_unit_test(damaged),
		cmocka_unit_test(other_spelling),
		cmocka_unit_test(gone_under_a_machine),
		cmocka_unit_test(other_host),
	};

	return HOST_MAIN(tests, setup, teardown);
}
