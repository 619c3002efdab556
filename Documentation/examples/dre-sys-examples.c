// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * This program makes a container from the image of a disk, does with it what libdresys can on one host, and
 * removes it:
 *
 *	# cc -o dre-sys-examples dre-sys-examples.c -ldresys -ldaware
 *	# ./dre-sys-examples test disk.qcow2
 *
 * What it writes goes to the current directory, and is removed, too.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <dre_sys.h>

/**
 * Errors and lists
 *
 * A function returns the code of its error. dre_last_error() says what exactly has failed, until the
 * thread calls the next function. A list that a function has given is released by the one that belongs to it.
 */
static int say(int err, const char *what)
{
	if (err)
		fprintf(stderr, "%s: %s: %s\n", what, dre_strerror(err), dre_last_error());
	return err;
}

/* What has failed at first is what counts. */
static int first(int err, int next)
{
	return err ? err : next;
}

static void print_names(const char *what, char *const *names)
{
	printf("%s:", what);
	for (size_t i = 0; names[i]; i++)
		printf(" %s", names[i]);
	printf("\n");
}

static int look(const dre_sys_handle *h)
{
	dre_list_t list;
	int err = dre_sys_get_container_list(&list);

	if (!err) {
		print_names("containers", list);
		dre_sys_release_container_list(list);
		err = dre_sys_get_info(h, &list);
	}
	if (!err) {
		print_names("made of", list);
		dre_sys_release_info(list);
	}
	return say(err, "look");
}

/**
 * The life of a container
 *
 * It is stopped before and after. A guest that does not power off in ten seconds is switched off.
 */
static int live(const dre_sys_handle *h)
{
	const dre_sys_stop_options soon = { .size = sizeof(soon), .timeout = 10 };
	int pid, err = dre_sys_start(h);

	if (!err)
		err = dre_sys_get_pid(h, &pid);
	if (!err)
		printf("the machine is process %d\n", pid);
	if (!err)
		err = dre_sys_suspend(h);
	if (!err && dre_sys_status(h) == DRE_SYS_CONTAINER_STATUS_SUSPENDED)
		err = dre_sys_resume(h);
	if (!err)
		err = dre_sys_reboot(h, &soon);
	if (!err)
		err = dre_sys_stop_with(h, &soon);
	return say(err, "life");
}

/**
 * Console and log
 *
 * Somebody at the console sees what is printed there from now on, the log has what was printed before, too.
 */
static int print_console(const dre_sys_handle *h)
{
	struct pollfd p = { .events = POLLIN };
	char text[4096];
	int err = dre_sys_open_console(h, &p.fd);

	if (err)
		return say(err, "console");
	if (write(p.fd, "\n", 1) == 1 && poll(&p, 1, 10000) > 0) {
		ssize_t len = read(p.fd, text, sizeof(text));

		if (len > 0)
			printf("on the console: %.*s\n", (int)len, text);
	}
	close(p.fd);
	return 0;
}

static int print_log(const dre_sys_handle *h)
{
	struct pollfd p = { .events = POLLIN };
	dre_sys_log *log;
	char text[4096];
	size_t len;
	int err = dre_sys_log_open(h, 0, &log);

	if (err)
		return say(err, "log");
	p.fd = dre_sys_log_fd(log);
	do
		err = dre_sys_log_read(log, text, sizeof(text), &len);
	while (!err && !len && poll(&p, 1, 10000) > 0);
	if (!err)
		printf("in the log: %.*s\n", (int)len, text);
	say(err, "log");
	dre_sys_log_close(log);
	return err;
}

/**
 * Snapshots and copies
 *
 * The container is stopped. Base images and other containers may be made of a snapshot; they do not need it any
 * more then.
 */
static int save(const dre_sys_handle *h)
{
	dre_list_t list;
	int err = dre_sys_save_snapshot(h, "fresh");

	if (!err)
		err = dre_sys_get_snapshot_list(h, &list);
	if (!err) {
		print_names("snapshots", list);
		dre_sys_release_snapshot_list(list);
		err = dre_sys_load_snapshot(h, "fresh");
	}
	if (!err)
		err = dre_sys_commit_snapshot(h, "fresh", "example-committed");
	if (!err)
		err = dre_sys_remove_base("example-committed");
	if (!err)
		err = dre_sys_remove_snapshot(h, "fresh");
	return say(err, "snapshots");
}

static int copy(const dre_sys_handle *h)
{
	const dre_sys_property other_ones[] = { { "memory", "256", NULL, 0 }, { NULL, NULL, NULL, 0 } };
	const dre_sys_copy_options options = { .size = sizeof(options), .properties = other_ones };
	dre_sys_handle *other;
	int err = dre_sys_copy(h, NULL, "example-copy");

	if (!err)
		err = dre_sys_destroy_container("example-copy");
	if (!err)
		err = dre_sys_copy_with(h, NULL, "example-copy", &options);
	if (err)
		return say(err, "copy");
	other = dre_sys_open("example-copy");
	err = say(other ? dre_sys_rename(other, "example-renamed") : DRE_ERR_CONTAINER_NONEXISTENCE, "rename");
	if (other)
		dre_sys_close(other);
	return first(err, say(dre_sys_destroy_container(err ? "example-copy" : "example-renamed"), "destroy"));
}

/**
 * Checkpoints
 *
 * The container runs before and after. Where somebody looks, what takes long shows how far it is.
 */
static int is_watched(void)
{
	return isatty(STDERR_FILENO);
}

static void print_progress(void *arg, unsigned long long done, unsigned long long total)
{
	if (is_watched())
		fprintf(stderr, "%s: %llu of %llu\r", (const char *)arg, done, total);
}

static int go_back(const dre_sys_handle *h)
{
	dre_list_t list;
	int err;

	err = is_watched() ? dre_sys_checkpoint_with(h, "now", print_progress, "checkpoint")
			   : dre_sys_checkpoint(h, "now");
	if (!err)
		err = dre_sys_get_checkpoint_list(h, &list);
	if (!err) {
		print_names("checkpoints", list);
		dre_sys_release_checkpoint_list(list);
		err = dre_sys_restart(h, "now");
	}
	if (!err)
		err = dre_sys_remove_checkpoint(h, "now");
	return say(err, "checkpoints");
}

/**
 * Control groups, limits and events
 *
 * Control groups and limits are kept with the container, which runs here. This process, which is one of the host, is
 * bound to a control group; the module tells of that.
 */
static int limit(const dre_sys_handle *h, const char *group)
{
	dre_sys_resource_value_t half = { DRE_SYS_CONTAINER_RESOURCE_CPU, { .cpu.percent = 50 } };
	dre_sys_resource_value_t cores = { .type = DRE_SYS_CONTAINER_RESOURCE_CPU_CORE };
	dre_usage usage = { .size = sizeof(usage) };
	int err = dre_sys_set_resource(h, group, &half);

	if (!err)
		err = dre_sys_get_limit(h, group, &half);
	if (!err)
		err = dre_sys_get_usage(h, group, &usage);
	if (!err)
		printf("%s: %d%% of a CPU at most, %llu tasks\n", group, half.udata.cpu.percent, usage.tasks);
	if (!err)
		err = dre_sys_get_resource(h, 0, &cores);
	if (!err) {
		printf("CPUs: %s\n", cores.udata.cpu.cores);
		dre_sys_release_resource(&cores);
		err = dre_sys_unset_resource(h, group, &half);
	}
	return say(err, "limits");
}

static int unbind_all(const dre_sys_handle *h, const char *group)
{
	int *list, err = dre_sys_get_bound_pid_list(h, group, &list);

	if (err)
		return say(err, "bound processes");
	for (size_t i = 0; !err && list[i]; i++)
		err = dre_sys_unbind_pid(h, group, list[i]);
	say(err, "unbind");
	dre_sys_release_bound_pid_list(list);
	return err;
}

static int use_group(const dre_sys_handle *h)
{
	dre_list_t list;
	int err = dre_sys_create_cgroup(h, "backup");

	if (!err)
		err = dre_sys_get_cgroup_list(h, &list);
	if (say(err, "control groups"))
		return err;
	print_names("control groups", list);
	dre_sys_release_cgroup_list(list);
	err = say(dre_sys_bind_pid(h, "backup", getpid()), "bind");
	if (!err)
		err = limit(h, "backup");
	err = first(err, unbind_all(h, "backup"));
	return first(err, say(dre_sys_destroy_cgroup(h, "backup"), "destroy"));
}

static int follow(const dre_sys_handle *h)
{
	char *const names[] = { h->name, NULL };
	struct pollfd p = { .events = POLLIN };
	const dre_sys_event *event;
	dre_sys_events *events;
	int err = dre_sys_events_open(names, &events);

	if (err)
		return say(err, "events");
	p.fd = dre_sys_events_fd(events);
	err = use_group(h);
	while (!err && poll(&p, 1, 1000) > 0) {
		while (!(err = dre_sys_events_next(events, &event)) && event)
			printf("%s: event %d of process %d\n", event->container, event->type, event->pid);
		say(err, "events");
	}
	dre_sys_events_close(events);
	return err;
}

/**
 * Properties
 *
 * In any state. All of those that are set at once are set, or none.
 */
static int configure(const dre_sys_handle *h)
{
	const dre_sys_property both[] = { { .key = "cpus", .value = "2" }, { .key = "halt_timeout", .value = "10" },
					  { .key = NULL } };
	dre_sys_property *list;
	char *value;
	int err = dre_sys_set_properties(h, both);

	if (!err)
		err = dre_sys_get_property(h, "cpus", &value);
	if (!err) {
		printf("cpus: %s\n", value ? value : "as dre.conf has it");
		dre_sys_release_property(value);
		err = dre_sys_set_property(h, "cpus", NULL);
	}
	if (!err)
		err = dre_sys_get_property_list(h, &list);
	if (!err) {
		for (size_t i = 0; list[i].key; i++)
			if (list[i].value)
				printf("%s is set to %s\n", list[i].key, list[i].value);
		dre_sys_release_property_list(list);
	}
	return say(err, "properties");
}

/**
 * Base images
 *
 * Of what is on the disk of a stopped container, or of a base image, an image is written that stands alone, and of
 * such a one a base image is made.
 */
static int write_image(const dre_sys_handle *h, const char *base, const char *file)
{
	int err, fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0) {
		perror(file);
		return DRE_ERR_DEVICE_BUSY;
	}
	err = base ? dre_sys_export_base(base, fd, "zlib", print_progress, "export")
		   : dre_sys_export(h, fd, "zlib", print_progress, "export");
	say(err, file);
	if (close(fd) && !err) {
		perror(file);
		err = DRE_ERR_DEVICE_BUSY;
	}
	if (err)
		unlink(file);
	return err;
}

static int make_base(const dre_sys_handle *h)
{
	dre_list_t list;
	int err = write_image(h, NULL, "disk.qcow2.new");

	if (err)
		return err;
	err = say(dre_sys_import_base("example-disk", "disk.qcow2.new", print_progress, "import"), "import");
	unlink("disk.qcow2.new");
	if (err)
		return err;
	err = dre_sys_get_base_list(&list);
	if (!say(err, "base images")) {
		print_names("base images", list);
		dre_sys_release_base_list(list);
		err = say(dre_sys_get_base_info("example-disk", &list), "example-disk");
	}
	if (!err) {
		print_names("it is made of", list);
		dre_sys_release_info(list);
		err = write_image(h, "example-disk", "base.qcow2.new");
		unlink("base.qcow2.new");
	}
	return first(err, say(dre_sys_remove_base("example-disk"), "remove"));
}

/* Takes some minutes, and packages from a mirror of Debian: "dre-sys-examples --build" does it. */
static int build_debian(void)
{
	const dre_sys_build_options options = { .size = sizeof(options), .suite = "bookworm" };

	return say(dre_sys_build_base("bookworm", &options, print_progress, "build"), "build");
}

/**
 * The shared store and migration
 *
 * A stopped container goes to the shared store and back. While it is there, and runs, it can go to another host,
 * which waits for it. When its owner is gone for good another host takes it over.
 *
 *	# ./dre-sys-examples --share web
 *	# ./dre-sys-examples --send web 192.0.2.2 24300
 *
 * after, on the other host,
 *
 *	# ./dre-sys-examples --receive web 24300
 */
static int share(const dre_sys_handle *h)
{
	dre_list_t list;
	int err = is_watched() ? dre_sys_share_with(h, print_progress, "share") : dre_sys_share(h);

	if (!err)
		err = dre_sys_get_shared_list(&list);
	if (!err) {
		print_names("shared", list);
		dre_sys_release_container_list(list);
	}
	return say(err, "share");
}

static int unshare(const dre_sys_handle *h)
{
	return say(is_watched() ? dre_sys_unshare_with(h, print_progress, "unshare") : dre_sys_unshare(h), "unshare");
}

static int take_over(const dre_sys_handle *h)
{
	int err = dre_sys_take_over(h);

	if (!err)
		err = dre_sys_start(h);
	return say(err, "take over");
}

/* On the host that it is to come to. */
static int receive(const dre_sys_handle *h, int port)
{
	int err = dre_sys_immigration_start(h->name, port);

	if (err)
		return say(err, "immigration");
	for (int seconds = 0; seconds < 60; seconds++) {
		if (dre_sys_status(h) == DRE_SYS_CONTAINER_STATUS_RUNNING)
			return 0;
		sleep(1);
	}
	fprintf(stderr, "%s has not come\n", h->name);
	return first(DRE_ERR_DEVICE_BUSY, say(dre_sys_immigration_cancel(h->name), "cancel"));
}

/* On the host that it runs on. */
static volatile sig_atomic_t interrupted;

static void interrupt(int signo)
{
	(void)signo;
	interrupted = 1;
}

static void watch(void *arg, unsigned long long done, unsigned long long total)
{
	print_progress("migration", done, total);
	if (interrupted)
		dre_sys_migration_cancel(arg);
}

static int send_to(dre_sys_handle *h, const char *host, int port)
{
	dre_sys_migration_result result = { .size = sizeof(result) };
	int err;

	if (!is_watched())
		return say(dre_sys_migration_start(h, host, port), "migration");
	signal(SIGINT, interrupt);
	err = dre_sys_migration_start_with(h, host, port, watch, h, &result);
	if (!err)
		printf("\nthe guest stood still for %llu ms\n", result.downtime);
	return say(err, "migration");
}

/**
 * The store
 *
 * After a crash nothing has to be done. This only looks, and frees space.
 */
static void print_problem(void *arg, const dre_sys_problem *problem)
{
	(void)arg;
	printf("%s: %s\n", problem->path, problem->what);
}

static int look_after_store(void)
{
	int err = dre_sys_gc();

	if (!err)
		err = dre_sys_fsck(0, print_problem, NULL);
	return say(err, "store");
}

/**
 * All of it
 */
static int use_stopped(const dre_sys_handle *h)
{
	int err = look(h);

	if (!err)
		err = configure(h);
	if (!err)
		err = save(h);
	if (!err)
		err = copy(h);
	if (!err)
		err = make_base(h);
	return err;
}

static int use_running(const dre_sys_handle *h)
{
	int err = say(dre_sys_start(h), "start");

	if (!err)
		err = print_console(h);
	if (!err)
		err = print_log(h);
	if (!err)
		err = follow(h);
	if (!err)
		err = go_back(h);
	return err;
}

static int use(const dre_sys_handle *h)
{
	int err = use_stopped(h);

	if (!err)
		err = live(h);
	if (!err)
		err = use_running(h);
	if (dre_sys_status(h) != DRE_SYS_CONTAINER_STATUS_STOP)
		err = first(err, say(dre_sys_stop(h), "stop"));
	return err;
}

static int create(const char *name, const char *disk)
{
	const dre_sys_property properties[] = { { .key = "network", .value = "none" }, { .key = NULL } };
	const dre_sys_create_options options = { .size = sizeof(options), .properties = properties };
	dre_sys_data data = { .type = DRE_SYS_CONTAINER_TYPE_KVM };
	char base[] = "example";
	int err = say(dre_sys_import_base(base, disk, print_progress, "import"), "import");

	if (err)
		return err;
	data.udata.kvm.memory_size = 256;
	data.udata.kvm.base = base;
	err = say(dre_sys_create_container_with(name, &data, &options), "create");
	if (err)
		dre_sys_remove_base(base);
	return err;
}

static int destroy(const char *name)
{
	int err = say(dre_sys_destroy_container(name), "destroy");

	if (!err)
		err = say(dre_sys_remove_base("example"), "remove");
	return err;
}

static int run(char **words, int nr, dre_sys_handle *h)
{
	if (!strcmp(words[0], "--share"))
		return share(h);
	if (!strcmp(words[0], "--unshare"))
		return unshare(h);
	if (!strcmp(words[0], "--takeover"))
		return take_over(h);
	if (nr == 3 && !strcmp(words[0], "--receive"))
		return receive(h, atoi(words[2]));
	if (nr == 4 && !strcmp(words[0], "--send"))
		return send_to(h, words[2], atoi(words[3]));
	fprintf(stderr, "%s: what is that?\n", words[0]);
	return DRE_ERR_INVALID_ARGUMENT;
}

int main(int argc, char **argv)
{
	dre_sys_handle *h;
	int err, made;

	if (argc == 2 && !strcmp(argv[1], "--build"))
		return build_debian() != 0;
	if (argc < 3)
		return 2;
	made = strncmp(argv[1], "--", 2);
	if (made && create(argv[1], argv[2]))
		return 1;
	h = dre_sys_open(argv[made ? 1 : 2]);
	if (!h)
		err = say(DRE_ERR_CONTAINER_NONEXISTENCE, "open");
	else
		err = made ? use(h) : run(argv + 1, argc - 1, h);
	if (h)
		dre_sys_close(h);
	if (made) {
		err = first(err, destroy(argv[1]));
		err = first(err, look_after_store());
	}
	return err != 0;
}
