// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Every function that is about one container, or about all that there is, in every state of a container: what must fail
 * fails with the code that dre_sys.h says, and changes nothing; what must succeed does, and leaves the container in the
 * state that it says. (What else that changes is looked at here only where that takes one line.)
 */
#include <sys/mman.h>
#include <sys/wait.h>

#include "host.h"
#include "integration/caller.h"

enum { ABSENT, STOPPED, RUNNING, SUSPENDED, BUSY, NR_STATES };

/* Instead of a code: it works, and changes the container. */
#define WORKS	1

/* Each function in one form; all but the container is as it should be. */

/* The snapshot, checkpoint, control group or base image. */
#define TAG	"thing"

#define CALL(function)						\
	static int call_##function(const dre_sys_handle *h)	\
	{							\
		return dre_sys_##function(h);			\
	}
#define CALL_TAG(function)					\
	static int call_##function(const dre_sys_handle *h)	\
	{							\
		return dre_sys_##function(h, TAG);		\
	}
#define CALL_LIST(function, release)				\
	static int call_##function(const dre_sys_handle *h)	\
	{							\
		dre_list_t list;				\
		int err = dre_sys_##function(h, &list);		\
								\
		return err ? err : dre_sys_##release(list);	\
	}
#define CALL_LIST_OF_ALL(function, release)			\
	static int call_##function(const dre_sys_handle *h)	\
	{							\
		dre_list_t list;				\
		int err = dre_sys_##function(&list);		\
								\
		(void)h;					\
		return err ? err : dre_sys_##release(list);	\
	}

CALL(start)
CALL(stop)
CALL(suspend)
CALL(resume)
CALL(status)
CALL(share)
CALL(unshare)
CALL(take_over)
CALL_TAG(save_snapshot)
CALL_TAG(load_snapshot)
CALL_TAG(remove_snapshot)
CALL_TAG(checkpoint)
CALL_TAG(restart)
CALL_TAG(remove_checkpoint)
CALL_TAG(create_cgroup)
CALL_TAG(destroy_cgroup)
CALL_LIST(get_snapshot_list, release_snapshot_list)
CALL_LIST(get_checkpoint_list, release_checkpoint_list)
CALL_LIST(get_cgroup_list, release_cgroup_list)
CALL_LIST(get_info, release_info)
CALL_LIST_OF_ALL(get_container_list, release_container_list)
CALL_LIST_OF_ALL(get_base_list, release_base_list)

static int call_create(const dre_sys_handle *h)
{
	return create(h->name, "it");
}

static int call_destroy(const dre_sys_handle *h)
{
	return dre_sys_destroy_container(h->name);
}

static int call_open(const dre_sys_handle *h)
{
	dre_sys_handle *opened = dre_sys_open(h->name);

	return opened ? dre_sys_close(opened) : DRE_ERR_CONTAINER_NONEXISTENCE;
}

static int call_get_pid(const dre_sys_handle *h)
{
	int pid;

	return dre_sys_get_pid(h, &pid);
}

static int call_commit(const dre_sys_handle *h)
{
	return dre_sys_commit_snapshot(h, TAG, TAG);
}

static int call_remove_base(const dre_sys_handle *h)
{
	(void)h;
	return dre_sys_remove_base(TAG);
}

static int call_bind(const dre_sys_handle *h)
{
	return dre_sys_bind_pid(h, TAG, getpid());
}

static int call_unbind(const dre_sys_handle *h)
{
	return dre_sys_unbind_pid(h, TAG, getpid());
}

static int call_set_resource(const dre_sys_handle *h)
{
	dre_sys_resource_value_t r = { .type = DRE_SYS_CONTAINER_RESOURCE_CPU, .udata.cpu.percent = 50 };

	return dre_sys_set_resource(h, TAG, &r);
}

static int call_unset_resource(const dre_sys_handle *h)
{
	dre_sys_resource_value_t r = { .type = DRE_SYS_CONTAINER_RESOURCE_CPU };

	return dre_sys_unset_resource(h, TAG, &r);
}

static int call_get_resource(const dre_sys_handle *h)
{
	dre_sys_resource_value_t r = { .type = DRE_SYS_CONTAINER_RESOURCE_MEMORY };

	return dre_sys_get_resource(h, 0, &r);
}

static int call_get_limit(const dre_sys_handle *h)
{
	dre_sys_resource_value_t r = { .type = DRE_SYS_CONTAINER_RESOURCE_CPU };

	return dre_sys_get_limit(h, ".", &r);
}

static int call_get_usage(const dre_sys_handle *h)
{
	dre_usage u = { .size = sizeof(u) };
	int err = dre_sys_get_usage(h, ".", &u);

	assert_true(err ? !u.memory && !u.tasks : u.cpu_time && u.memory && u.tasks);
	return err;
}

static int call_bound(const dre_sys_handle *h)
{
	int *list, err = dre_sys_get_bound_pid_list(h, TAG, &list);

	return err ? err : dre_sys_release_bound_pid_list(list);
}

static int call_reboot(const dre_sys_handle *h)
{
	const dre_sys_stop_options options = { .size = sizeof(options), .kill = 1 };

	return dre_sys_reboot(h, &options);
}

static int call_set_property(const dre_sys_handle *h)
{
	return dre_sys_set_property(h, "cpus", "2");
}

static int call_get_property(const dre_sys_handle *h)
{
	char *value;
	int err = dre_sys_get_property(h, "memory", &value);

	if (!err && value)
		dre_sys_release_property(value);
	return err;
}

static int call_property_list(const dre_sys_handle *h)
{
	dre_sys_property *list;
	int err = dre_sys_get_property_list(h, &list);

	return err ? err : dre_sys_release_property_list(list);
}

static int call_console(const dre_sys_handle *h)
{
	int fd, err = dre_sys_open_console(h, &fd);

	return err ? err : close(fd);
}

static int call_log(const dre_sys_handle *h)
{
	dre_sys_log *log;
	int err = dre_sys_log_open(h, 0, &log);

	return err ? err : dre_sys_log_close(log);
}

static int call_export(const dre_sys_handle *h)
{
	int fd = open("/run/dre-test-image", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	int err;

	if (fd < 0)	/* a user */
		fd = memfd_create("image", MFD_CLOEXEC);
	err = dre_sys_export(h, fd, NULL, NULL, NULL);
	close(fd);
	unlink("/run/dre-test-image");
	return err;
}

static int call_copy(const dre_sys_handle *h)
{
	return dre_sys_copy(h, NULL, "copy");
}

static int call_rename(const dre_sys_handle *h)
{
	return dre_sys_rename(h, "other");
}

static int call_migration_start(const dre_sys_handle *h)
{
	return dre_sys_migration_start(h, "127.0.0.1", 24300);
}

static int call_immigration_start(const dre_sys_handle *h)
{
	return dre_sys_immigration_start(h->name, 24300);
}

/*
 * What is about a snapshot, a checkpoint, ... has the code for that there is none where it would work. For works() it
 * is there: what makes it comes first, what removes it last. dre_sys_close() and dre_sys_release_*(), which free what
 * the caller has, are called with each dre_sys_open() and each list that succeeds, so in all states.
 */
static const struct function {
	const char *name;
	int (*call)(const dre_sys_handle *h);
	bool module;		/* is it needed where there is a machine? */
	int expected[NR_STATES];
} functions[] = {
#define ROW(function, module, absent, ...) \
	{ #function, call_##function, module, { DRE_ERR_CONTAINER_##absent, __VA_ARGS__ } }
#define E_STOPPED	DRE_ERR_CONTAINER_STOPPED
#define E_RUNNING	DRE_ERR_CONTAINER_RUNNING
#define E_SUSPENDED	DRE_ERR_CONTAINER_SUSPENDED
#define E_BUSY		DRE_ERR_CONTAINER_BUSY
#define E_EXISTENCE	DRE_ERR_CONTAINER_EXISTENCE
#define E_ABSENT	DRE_ERR_CONTAINER_NONEXISTENCE
#define E_SNAPSHOT	DRE_ERR_SNAPSHOT_NONEXISTENCE
#define E_CGROUP	DRE_ERR_CGROUP_NONEXISTENCE
#define E_BASE		DRE_ERR_BASE_NONEXISTENCE
#define E_NFS		DRE_ERR_NFS_MOUNT_FAILED
#define STATE(state)	DRE_SYS_CONTAINER_STATUS_##state
	{ "create", call_create, false, { WORKS, E_EXISTENCE, E_EXISTENCE, E_EXISTENCE, E_EXISTENCE } },
	ROW(open,		 false, NONEXISTENCE, 0, 0, 0, 0),
	ROW(start,		 true,	NONEXISTENCE, WORKS, E_RUNNING, E_SUSPENDED, E_BUSY),
	ROW(stop,		 false, NONEXISTENCE, E_STOPPED, WORKS, WORKS, E_BUSY),
	ROW(reboot,		 true,	NONEXISTENCE, E_STOPPED, WORKS, WORKS, E_BUSY),
	ROW(suspend,		 false, NONEXISTENCE, E_STOPPED, WORKS, E_SUSPENDED, E_BUSY),
	ROW(resume,		 false, NONEXISTENCE, E_STOPPED, E_RUNNING, WORKS, E_BUSY),
	ROW(status,		 false, NONEXISTENCE, STATE(STOP), STATE(RUNNING), STATE(SUSPENDED), STATE(BUSY)),
	ROW(get_pid,		 false, NONEXISTENCE, E_STOPPED, 0, E_SUSPENDED, E_BUSY),
	ROW(get_info,		 false, NONEXISTENCE, 0, 0, 0, 0),
	ROW(set_property,	 false, NONEXISTENCE, WORKS, WORKS, WORKS, E_BUSY),
	ROW(get_property,	 false, NONEXISTENCE, 0, 0, 0, 0),
	ROW(property_list,	 false, NONEXISTENCE, 0, 0, 0, 0),
	ROW(console,		 false, NONEXISTENCE, E_STOPPED, 0, E_SUSPENDED, E_BUSY),
	ROW(log,		 false, NONEXISTENCE, 0, 0, 0, 0),
	ROW(save_snapshot,	 false, NONEXISTENCE, WORKS, E_RUNNING, E_SUSPENDED, E_BUSY),
	ROW(load_snapshot,	 false, NONEXISTENCE, E_SNAPSHOT, E_RUNNING, E_SUSPENDED, E_BUSY),
	ROW(commit,		 false, NONEXISTENCE, E_SNAPSHOT, E_RUNNING, E_SUSPENDED, E_BUSY),
	{ "remove_base", call_remove_base, false, { E_BASE, E_BASE, E_BASE, E_BASE, E_BASE } },
	ROW(remove_snapshot,	 false, NONEXISTENCE, E_SNAPSHOT, E_RUNNING, E_SUSPENDED, E_BUSY),
	ROW(get_snapshot_list,	 false, NONEXISTENCE, 0, 0, 0, 0),
	ROW(checkpoint,		 false, NONEXISTENCE, E_STOPPED, WORKS, E_SUSPENDED, E_BUSY),
	ROW(restart,		 true,	NONEXISTENCE, E_SNAPSHOT, E_SNAPSHOT, E_SUSPENDED, E_BUSY),
	ROW(remove_checkpoint,	 false, NONEXISTENCE, E_SNAPSHOT, E_SNAPSHOT, E_SNAPSHOT, E_BUSY),
	ROW(get_checkpoint_list, false, NONEXISTENCE, 0, 0, 0, 0),
	ROW(create_cgroup,	 true,	NONEXISTENCE, WORKS, WORKS, WORKS, E_BUSY),
	ROW(get_cgroup_list,	 false, NONEXISTENCE, 0, 0, 0, 0),
	ROW(set_resource,	 false, NONEXISTENCE, E_CGROUP, E_CGROUP, E_CGROUP, E_BUSY),
	ROW(unset_resource,	 false, NONEXISTENCE, E_CGROUP, E_CGROUP, E_CGROUP, E_BUSY),
	ROW(bind,		 true,	NONEXISTENCE, E_STOPPED, E_CGROUP, E_SUSPENDED, E_BUSY),
	ROW(bound,		 true,	NONEXISTENCE, E_CGROUP, E_CGROUP, E_CGROUP, E_CGROUP),
	ROW(unbind,		 true,	NONEXISTENCE, E_STOPPED, E_CGROUP, E_SUSPENDED, E_BUSY),
	ROW(destroy_cgroup,	 true,	NONEXISTENCE, E_CGROUP, E_CGROUP, E_CGROUP, E_BUSY),
	ROW(get_limit,		 false, NONEXISTENCE, 0, 0, 0, 0),
	ROW(get_usage,		 false, NONEXISTENCE, E_STOPPED, 0, 0, E_BUSY),
	ROW(get_resource,	 false, NONEXISTENCE, E_STOPPED, 0, E_SUSPENDED, E_BUSY),
	ROW(export,		 false, NONEXISTENCE, 0, E_RUNNING, E_SUSPENDED, E_BUSY),
	ROW(copy,		 false, NONEXISTENCE, WORKS, E_RUNNING, E_SUSPENDED, E_BUSY),
	ROW(share,		 false, NONEXISTENCE, E_NFS, E_RUNNING, E_SUSPENDED, E_BUSY),
	ROW(unshare,		 false, NONEXISTENCE, E_ABSENT, E_RUNNING, E_SUSPENDED, E_BUSY),
	ROW(migration_start,	 false, NONEXISTENCE, E_STOPPED, E_ABSENT, E_SUSPENDED, E_BUSY),
	{ "immigration_start", call_immigration_start, false,
	  { E_NFS, E_EXISTENCE, E_EXISTENCE, E_EXISTENCE, E_EXISTENCE } },
	{ "get_container_list", call_get_container_list, false, { 0, 0, 0, 0, 0 } },
	{ "get_base_list", call_get_base_list, false, { 0, 0, 0, 0, 0 } },
	ROW(take_over,		 false, NONEXISTENCE, DRE_ERR_INVALID_ARGUMENT, DRE_ERR_INVALID_ARGUMENT,
	    DRE_ERR_INVALID_ARGUMENT, E_BUSY),
	ROW(rename,		 false, NONEXISTENCE, WORKS, E_RUNNING, E_SUSPENDED, E_BUSY),
	ROW(destroy,		 false, NONEXISTENCE, WORKS, E_RUNNING, E_SUSPENDED, E_BUSY),
};

/* All that a function could have changed: the store, libvirt's domains and their states, the control groups. */
static void look(char *text, size_t size)
{
	FILE *p = popen("cd " STORE " && find . ! -name '*.log*' ! -name '*.previous*' -type f -exec cksum {} + | sort; "
			"virsh -q list --all; find /sys/fs/cgroup/dre.partition -type d | sort", "re");
	size_t len;

	assert_non_null(p);
	len = fread(text, 1, size - 1, p);
	text[len] = '\0';
	assert_int_equal(pclose(p), 0);
}

static void check_all(const char *name, int state)
{
	static char before[16384], after[16384];
	dre_sys_handle h = handle(name);
	int wrong = 0, ret, expected;

	look(before, sizeof(before));
	for (size_t i = 0; i < sizeof(functions) / sizeof(*functions); i++) {
		expected = functions[i].expected[state];
		if (expected == WORKS)
			continue;
		ret = functions[i].call(&h);
		if (ret != expected)
			print_error("%s in state %d: %d (%s), not %d\n", functions[i].name, state, ret,
				    dre_last_error(), expected);
		wrong += ret != expected || (ret < 0 && (!*dre_last_error() || strchr(dre_last_error(), '\n')));
	}
	assert_int_equal(wrong, 0);
	look(after, sizeof(after));
	assert_string_equal(before, after);
}

static void absent(void **state)
{
	(void)state;
	check_all("absent", ABSENT);
}

static void stopped(void **state)
{
	(void)state;
	check_all("st", STOPPED);
}

/* Who changes a container has its lock. */
static void check_all_busy(int state)
{
	struct flock lock = { .l_type = F_WRLCK, .l_len = 1 };
	int fd = open(STORE "/containers/st/lock", O_RDWR | O_CLOEXEC);

	assert_int_equal(fcntl(fd, F_OFD_SETLK, &lock), 0);
	check_all("st", BUSY);
	close(fd);
	assert_int_equal(status("st"), state);
}

static void busy(void **state)
{
	(void)state;
	check_all_busy(STATE(STOP));
}

/* The state comes first. Only what needs the module is called: the rest does not know of it. */
static void without_module(int state)
{
	dre_sys_handle h = handle("st");

	assert_int_equal(shell("rmmod dre"), 0);
	for (size_t i = 0; i < sizeof(functions) / sizeof(*functions); i++) {
		int expected = functions[i].expected[state];

		if (!functions[i].module)
			continue;
		if (state == STOPPED && functions[i].call != call_start && functions[i].call != call_restart)
			continue;
		if (expected != E_STOPPED && expected != E_RUNNING && expected != E_SUSPENDED)
			expected = DRE_ERR_DAWARE_MOD_NONEXISTENCE;
		assert_fails(functions[i].call(&h), expected, "");
	}
	assert_int_equal(shell("modprobe dre"), 0);
}

/* What waits for somebody on the network. */
#define LISTENERS	"sed -nE 's/^ *[0-9]+: ([0-9A-F]+:[0-9A-F]+) [0-9A-F]+:[0-9A-F]+ (0A|07) .*/\\1/p' " \
			"/proc/net/tcp /proc/net/tcp6 /proc/net/udp /proc/net/udp6 | sort"

static void running_and_suspended(void **state)
{
	const dre_sys_stop_options options = { .size = sizeof(options), .kill = 1 };
	dre_sys_handle h = handle("st");

	(void)state;
	without_module(STOPPED);
	assert_int_equal(shell(LISTENERS " >/run/dre-test-listeners"), 0);
	assert_success(dre_sys_start(&h));
	assert_int_equal(shell(LISTENERS " | cmp - /run/dre-test-listeners"), 0);
	check_all("st", RUNNING);
	without_module(RUNNING);
	check_all_busy(STATE(RUNNING));
	assert_success(dre_sys_suspend(&h));
	check_all("st", SUSPENDED);
	without_module(SUSPENDED);
	check_all_busy(STATE(SUSPENDED));
	assert_success(dre_sys_stop_with(&h, &options));
}

static void switch_off(const dre_sys_handle *h)
{
	const dre_sys_stop_options options = { .size = sizeof(options), .kill = 1 };

	dre_sys_stop_with(h, &options);
}

static void remove_all(const dre_sys_handle *h)
{
	switch_off(h);
	dre_sys_destroy_container(h->name);
	dre_sys_destroy_container("copy");
	dre_sys_destroy_container("other");
}

/* From whatever state the last function has left it in. */
static void put_in(int state, const dre_sys_handle *h)
{
	if (state == ABSENT)
		remove_all(h);
	else if (status(h->name) == E_ABSENT)
		assert_success(create(h->name, "it"));
	if (state == STOPPED)
		switch_off(h);
	if (state >= RUNNING && status(h->name) == STATE(STOP))
		assert_success(dre_sys_start(h));
	if (state == RUNNING && status(h->name) == STATE(SUSPENDED))
		assert_success(dre_sys_resume(h));
	if (state == SUSPENDED && status(h->name) == STATE(RUNNING))
		assert_success(dre_sys_suspend(h));
}

/* One checkpoint is all: to take it takes its time. What is removed has another name. */
static void keep_checkpoint(void)
{
	assert_int_equal(shell("cd " STORE "/containers/works/checkpoints && "
			       "{ [ -e kept ] || cp -al " TAG " kept; } && { [ -e " TAG " ] || cp -al kept " TAG "; }"), 0);
}

static void prepare(const struct function *f, int state, const dre_sys_handle *h)
{
	put_in(state, h);
	/* It is to hear of a power button. */
	if (f->call == call_stop && state == RUNNING)
		assert_says(h->name, "guest: tick", 1);
	if (f->call == call_restart || f->call == call_remove_checkpoint)
		keep_checkpoint();
	/* libvirt's memory image has the name in it. */
	if (f->call == call_rename)
		assert_success(dre_sys_remove_checkpoint(h, "kept"));
}

/* What a function that works makes of @state. */
static int status_after(int (*call)(const dre_sys_handle *h), int state)
{
	static const int statuses[] = { E_ABSENT, STATE(STOP), STATE(RUNNING), STATE(SUSPENDED) };

	if (call == call_destroy || call == call_rename)
		return E_ABSENT;
	if (call == call_create || call == call_stop)
		return STATE(STOP);
	if (call == call_start || call == call_reboot || call == call_resume || call == call_restart)
		return STATE(RUNNING);
	return call == call_suspend ? STATE(SUSPENDED) : statuses[state];
}

/* The shell's view of what it does beside that. */
#define CONTAINER	STORE "/containers/works/"
#define PROCS		"/sys/fs/cgroup/dre.partition/sys.partition/dre-works.partition/" TAG "/cgroup.procs"
#define LIMIT		"dre-sys inspect works | tr -d ' \\n'"
static const struct {
	int (*call)(const dre_sys_handle *h);
	const char *command;
} effects[] = {
	{ call_set_property,	  "[ \"$(dre-sys get works cpus)\" = 2 ]" },
	{ call_save_snapshot,	  "[ -e " CONTAINER "snapshots/" TAG " ]" },
	{ call_commit,		  "[ -e " STORE "/bases/" TAG " ]" },
	{ call_remove_base,	  "[ ! -e " STORE "/bases/" TAG " ]" },
	{ call_remove_snapshot,	  "[ ! -e " CONTAINER "snapshots/" TAG " ]" },
	{ call_checkpoint,	  "[ -d " CONTAINER "checkpoints/" TAG " ]" },
	{ call_remove_checkpoint, "[ ! -d " CONTAINER "checkpoints/" TAG " ]" },
	{ call_create_cgroup,	  "dre-sys cgroup list works | grep -q '^" TAG " '" },
	{ call_set_resource,	  LIMIT " | grep -q 'limits\":{\"cpu\":50'" },
	{ call_unset_resource,	  "! " LIMIT " | grep -q 'limits\":{\"cpu\":50'" },
	{ call_bind,		  "grep -qx $PPID " PROCS },
	{ call_unbind,		  "! grep -q . " PROCS },
	{ call_destroy_cgroup,	  "! dre-sys cgroup list works | grep -q '^" TAG " '" },
	{ call_copy,		  "[ -d " STORE "/containers/copy ]" },
	{ call_rename,		  "[ -d " STORE "/containers/other ]" },
};

static bool is_seen(const struct function *f, int state)
{
	for (size_t i = 0; i < sizeof(effects) / sizeof(*effects); i++) {
		if (effects[i].call != f->call || shell("%s", effects[i].command) == 0)
			continue;
		print_error("%s in state %d: not so: %s\n", f->name, state, effects[i].command);
		return false;
	}
	return true;
}

/* What has no code of its own works if it is there; a base image knows nothing of containers. */
static bool is_to_work(const struct function *f, int state)
{
	int code = f->expected[state];

	if (f->call == call_remove_base)
		return state == STOPPED;
	return code == WORKS || code == E_SNAPSHOT || code == E_CGROUP;
}

static bool works_in(const struct function *f, int state, const dre_sys_handle *h)
{
	int ret, now;

	prepare(f, state, h);
	ret = f->call(h);
	if (ret)
		print_error("%s in state %d: %d (%s)\n", f->name, state, ret, dre_last_error());
	now = status(h->name);
	if (now != status_after(f->call, state))
		print_error("%s in state %d: status is %d\n", f->name, state, now);
	return is_seen(f, state) && !ret && now == status_after(f->call, state);
}

/* A container that they may change. It has a checkpoint from when it ran first until it is destroyed. */
static void works(void **unused)
{
	static const int states[] = { RUNNING, SUSPENDED, STOPPED, ABSENT };
	static char before[16384], after[16384];
	const size_t nr = sizeof(functions) / sizeof(*functions);
	dre_sys_handle h = handle("works");
	int wrong = 0;

	(void)unused;
	look(before, sizeof(before));
	for (size_t cell = 0; cell < nr * 4; cell++) {
		const struct function *f = &functions[cell % nr];
		int state = states[cell / nr];

		if (is_to_work(f, state))
			wrong += !works_in(f, state, &h);
	}
	assert_int_equal(wrong, 0);
	remove_all(&h);
	look(after, sizeof(after));
	assert_string_equal(before, after);
}

/* It is there, but nobody can say what it is. It can be removed. */
static void damaged(void **state)
{
	dre_sys_handle h = handle("st");
	int wrong = 0, ret;

	(void)state;
	assert_int_equal(shell("sed -i '$d' " STORE "/containers/st/manifest"), 0);
	for (size_t i = 0; i < sizeof(functions) / sizeof(*functions); i++) {
		/* A new one, and all that there is, say what they say; the other two work. */
		if (functions[i].expected[ABSENT] != E_ABSENT || functions[i].call == call_destroy ||
		    functions[i].call == call_open)
			continue;
		ret = functions[i].call(&h);
		if (ret != DRE_ERR_CONTAINER_UNKNOWN_STATUS)
			print_error("%s: %d (%s)\n", functions[i].name, ret, dre_last_error());
		wrong += ret != DRE_ERR_CONTAINER_UNKNOWN_STATUS;
	}
	assert_int_equal(wrong, 0);
	assert_success(dre_sys_destroy_container("st"));
	assert_success(dre_sys_remove_base("it"));
}

/* Returns the number of functions that did not say that it may not. */
static int call_all_as(bool (*become)(void))
{
	dre_sys_handle h = handle("st");
	int wrong = 0;

	if (!become())
		return 99;
	for (size_t i = 0; i < sizeof(functions) / sizeof(*functions); i++) {
		int expected = functions[i].call == call_open ? E_ABSENT : DRE_ERR_PERMISSION_DENIED;
		int ret = functions[i].call(&h);

		if (ret != expected)
			print_error("%s: %d (%s)\n", functions[i].name, ret, dre_last_error());
		wrong += ret != expected;
	}
	return wrong;
}

static void check_all_as(bool (*become)(void))
{
	static char before[16384], after[16384];
	int ended;
	pid_t pid;

	look(before, sizeof(before));
	fflush(stdout);
	pid = fork();
	if (!pid)
		_exit(call_all_as(become));
	assert_int_equal(waitpid(pid, &ended, 0), pid);
	assert_int_equal(ended, 0);
	look(after, sizeof(after));
	assert_string_equal(before, after);
}

static void caller_is_not_root(void **state)
{
	(void)state;
	check_all_as(become_user);
}

static void caller_is_root_of_a_user_namespace(void **state)
{
	(void)state;
	check_all_as(become_root_of_nothing);
}

static int setup(void **state)
{
	set_up_host(state);
	assert_success(create("st", "it"));
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(absent),
		cmocka_unit_test(stopped),
		cmocka_unit_test(busy),
		cmocka_unit_test(caller_is_not_root),
		cmocka_unit_test(caller_is_root_of_a_user_namespace),
		cmocka_unit_test(running_and_suspended),
		cmocka_unit_test(works),
		cmocka_unit_test(damaged),
	};

	return HOST_MAIN(tests, setup, NULL);
}
