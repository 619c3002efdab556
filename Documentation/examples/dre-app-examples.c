// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * This program makes a container, does with it all that libdreapp can, and removes it:
 *
 *	# cc -o dre-app-examples dre-app-examples.c -ldreapp -ldaware
 *	# ./dre-app-examples test
 *
 * What it writes goes to the current directory, and is removed, too.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <dre_app.h>

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

static int look(const dre_app_handle *h)
{
	dre_list_t list;
	int err = dre_app_get_container_list(&list);

	if (!err) {
		print_names("containers", list);
		dre_app_release_container_list(list);
		err = dre_app_get_info(h, &list);
	}
	if (!err) {
		print_names("made of", list);
		dre_app_release_info(list);
	}
	return say(err, "look");
}

/**
 * The life of a container
 *
 * It is stopped before and after.
 */
static int live(const dre_app_handle *h)
{
	const dre_app_stop_options soon = { .size = sizeof(soon), .timeout = 10 };
	int pid, err = dre_app_start(h);

	if (!err)
		err = dre_app_get_pid(h, &pid);
	if (!err)
		printf("init is process %d\n", pid);
	if (!err)
		err = dre_app_suspend(h);
	if (!err && dre_app_status(h) == DRE_APP_CONTAINER_STATUS_SUSPENDED)
		err = dre_app_resume(h);
	if (!err)
		err = dre_app_reboot(h, &soon);
	if (!err)
		err = dre_app_stop_with(h, &soon);
	return say(err, "life");
}

/**
 * Commands, console and log
 *
 * Somebody at the console sees what is printed there from now on, the log has what was printed before, too.
 */
static int print_console(const dre_app_handle *h)
{
	char *const command[] = { "sh", "-c", "echo $GREETING >/dev/console", NULL };
	char *const env[] = { "GREETING=hello", NULL };
	const dre_app_exec_options options = { .size = sizeof(options), .env = env };
	struct pollfd p = { .events = POLLIN };
	char text[4096];
	int status, err = dre_app_open_console(h, &p.fd);

	if (err)
		return say(err, "console");
	err = dre_app_resize_console(h, 25, 80);
	if (!err)
		err = dre_app_exec_with(h, command, &options, &status);
	if (!err && !status && poll(&p, 1, 10000) > 0) {
		ssize_t len = read(p.fd, text, sizeof(text));

		if (len > 0)
			printf("on the console: %.*s", (int)len, text);
	}
	say(err, "console");
	close(p.fd);
	return err;
}

static int print_log(const dre_app_handle *h)
{
	struct pollfd p = { .events = POLLIN };
	dre_app_log *log;
	char text[4096];
	size_t len;
	int err = dre_app_log_open(h, 0, &log);

	if (err)
		return say(err, "log");
	p.fd = dre_app_log_fd(log);
	do
		err = dre_app_log_read(log, text, sizeof(text), &len);
	while (!err && !len && poll(&p, 1, 10000) > 0);
	if (!err)
		printf("in the log: %.*s", (int)len, text);
	say(err, "log");
	dre_app_log_close(log);
	return err;
}

/**
 * Files
 *
 * A container may be in any state for that.
 */
static int copy_files(const dre_app_handle *h)
{
	int err = dre_app_copy_in(h, "/etc/passwd", "/tmp/of-the-host", NULL, NULL);

	if (!err)
		err = dre_app_copy_out(h, "/tmp/of-the-host", "there-and-back", NULL, NULL);
	unlink("there-and-back");
	return say(err, "files");
}

/**
 * Snapshots and copies
 *
 * The container is stopped. Base images and other containers may be made of a snapshot; they do not need it any
 * more then.
 */
static int save(const dre_app_handle *h)
{
	dre_list_t list;
	int err = dre_app_save_snapshot(h, "fresh");

	if (!err)
		err = dre_app_get_snapshot_list(h, &list);
	if (!err) {
		print_names("snapshots", list);
		dre_app_release_snapshot_list(list);
		err = dre_app_load_snapshot(h, "fresh");
	}
	if (!err)
		err = dre_app_commit_snapshot(h, "fresh", "example-committed");
	if (!err)
		err = dre_app_remove_base("example-committed");
	if (!err)
		err = dre_app_remove_snapshot(h, "fresh");
	return say(err, "snapshots");
}

static int copy(const dre_app_handle *h)
{
	const dre_app_property other_ones[] = { { "port", "2222", NULL, 0 }, { NULL, NULL, NULL, 0 } };
	const dre_app_copy_options options = { .size = sizeof(options), .properties = other_ones };
	dre_app_handle *other;
	int err = dre_app_copy(h, NULL, "example-copy");

	if (!err)
		err = dre_app_destroy_container("example-copy");
	if (!err)
		err = dre_app_copy_with(h, NULL, "example-copy", &options);
	if (err)
		return say(err, "copy");
	other = dre_app_open("example-copy");
	err = say(other ? dre_app_rename(other, "example-renamed") : DRE_ERR_CONTAINER_NONEXISTENCE, "rename");
	if (other)
		dre_app_close(other);
	return first(err, say(dre_app_destroy_container(err ? "example-copy" : "example-renamed"), "destroy"));
}

/**
 * Checkpoints
 *
 * The container runs before and after.
 */
static int go_back(const dre_app_handle *h)
{
	dre_list_t list;
	int err = dre_app_checkpoint(h, "now");

	if (!err)
		err = dre_app_get_checkpoint_list(h, &list);
	if (!err) {
		print_names("checkpoints", list);
		dre_app_release_checkpoint_list(list);
		err = dre_app_restart(h, "now");
	}
	if (!err)
		err = dre_app_remove_checkpoint(h, "now");
	return say(err, "checkpoints");
}

/**
 * Control groups and limits
 *
 * The container runs. This process, which is one of the host, is bound to a control group, and so are the
 * processes of the container that have registered themselves.
 */
static int limit(const dre_app_handle *h, const char *group)
{
	dre_app_resource_value_t half = { DRE_APP_CONTAINER_RESOURCE_CPU, { .cpu.percent = 50 } };
	dre_app_resource_value_t cores = { .type = DRE_APP_CONTAINER_RESOURCE_CPU_CORE };
	dre_usage usage = { .size = sizeof(usage) };
	int err = dre_app_set_resource(h, group, &half);

	if (!err)
		err = dre_app_get_limit(h, group, &half);
	if (!err)
		err = dre_app_get_usage(h, group, &usage);
	if (!err)
		printf("%s: %d%% of a CPU at most, %llu tasks\n", group, half.udata.cpu.percent, usage.tasks);
	if (!err)
		err = dre_app_get_resource(h, 0, &cores);
	if (!err) {
		printf("CPUs: %s\n", cores.udata.cpu.cores);
		dre_app_release_resource(&cores);
		err = dre_app_unset_resource(h, group, &half);
	}
	return say(err, "limits");
}

static int bind_all(const dre_app_handle *h, const char *group)
{
	dre_app_pid_list_t list;
	int err = dre_app_get_registered_pid_list(h, &list);

	if (err)
		return say(err, "registered processes");
	for (size_t i = 0; !err && list[i]; i++)
		err = list[i]->vpid ? dre_app_bind_vpid(h, group, list[i]->vpid)
				    : dre_app_bind_pid(h, group, list[i]->pid);
	say(err, "bind");
	dre_app_release_registered_pid_list(list);
	return err;
}

static int unbind_all(const dre_app_handle *h, const char *group)
{
	dre_app_pid_list_t list;
	int err = dre_app_get_bound_pid_list(h, group, &list);

	if (err)
		return say(err, "bound processes");
	for (size_t i = 0; !err && list[i]; i++)
		err = list[i]->vpid ? dre_app_unbind_vpid(h, group, list[i]->vpid)
				    : dre_app_unbind_pid(h, group, list[i]->pid);
	say(err, "unbind");
	dre_app_release_registered_pid_list(list);
	return err;
}

static int use_group(const dre_app_handle *h)
{
	dre_list_t list;
	int err = dre_app_register_pid(h, getpid());

	if (!err)
		err = dre_app_create_cgroup(h, "workers");
	if (!err)
		err = dre_app_get_cgroup_list(h, &list);
	if (say(err, "control groups"))
		return err;
	print_names("control groups", list);
	dre_app_release_cgroup_list(list);
	err = bind_all(h, "workers");
	if (!err)
		err = limit(h, "workers");
	err = first(err, unbind_all(h, "workers"));
	if (!err)
		err = say(dre_app_destroy_cgroup(h, "workers"), "destroy");
	return first(err, say(dre_app_unregister_pid(h, getpid()), "unregister"));
}

/**
 * Registrations and events
 *
 * The container runs. Its init is registered, by its number there, and taken out again; the module tells of both.
 */
static int follow(const dre_app_handle *h)
{
	char *const names[] = { h->name, NULL };
	struct pollfd p = { .events = POLLIN };
	const dre_app_event *event;
	dre_app_events *events;
	int err = dre_app_events_open(names, &events);

	if (err)
		return say(err, "events");
	p.fd = dre_app_events_fd(events);
	err = dre_app_register_vpid(h, 1);
	if (!err)
		err = dre_app_unregister_vpid(h, 1);
	while (!err && poll(&p, 1, 1000) > 0)
		while (!(err = dre_app_events_next(events, &event)) && event)
			printf("%s: event %d of process %d\n", event->container, event->type, event->pid);
	say(err, "events");
	dre_app_events_close(events);
	return err;
}

/**
 * Properties
 *
 * In any state. All of those that are set at once are set, or none.
 */
static int configure(const dre_app_handle *h)
{
	const dre_app_property both[] = { { .key = "memory", .value = "64M" }, { .key = "halt_timeout", .value = "10" },
					  { .key = NULL } };
	dre_app_property *list;
	char *value;
	int err = dre_app_set_properties(h, both);

	if (!err)
		err = dre_app_get_property(h, "memory", &value);
	if (!err) {
		printf("memory: %s\n", value ? value : "as dre.conf has it");
		dre_app_release_property(value);
		err = dre_app_set_property(h, "memory", NULL);
	}
	if (!err)
		err = dre_app_get_property_list(h, &list);
	if (!err) {
		for (size_t i = 0; list[i].key; i++)
			if (list[i].value)
				printf("%s is set to %s\n", list[i].key, list[i].value);
		dre_app_release_property_list(list);
	}
	return say(err, "properties");
}

/**
 * Base images
 *
 * What is in the container, which is stopped, becomes a base image by way of an archive.
 * An archive of that has the same in it.
 */
static void print_progress(void *arg, unsigned long long done, unsigned long long total)
{
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "%s: %llu of %llu bytes\r", (const char *)arg, done, total);
}

/* Of a base image, or of what is in the container. */
static int write_archive(const dre_app_handle *h, const char *base, const char *file)
{
	int err, fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0) {
		perror(file);
		return DRE_ERR_DEVICE_BUSY;
	}
	err = base ? dre_app_export_base(base, fd, "gzip", print_progress, "export")
		   : dre_app_export(h, fd, "gzip", print_progress, "export");
	say(err, file);
	if (close(fd) && !err) {
		perror(file);
		err = DRE_ERR_DEVICE_BUSY;
	}
	if (err)
		unlink(file);
	return err;
}

static int make_base(const dre_app_handle *h)
{
	dre_list_t list;
	int err = write_archive(h, NULL, "files.tar.gz");

	if (err)
		return err;
	err = say(dre_app_import_base("example", "files.tar.gz", print_progress, "import"), "import");
	unlink("files.tar.gz");
	if (err)
		return err;
	err = dre_app_get_base_list(&list);
	if (!say(err, "base images")) {
		print_names("base images", list);
		dre_app_release_base_list(list);
		err = say(dre_app_get_base_info("example", &list), "example");
	}
	if (!err) {
		print_names("it is made of", list);
		dre_app_release_info(list);
		err = write_archive(h, "example", "base.tar.gz");
		unlink("base.tar.gz");
	}
	return first(err, say(dre_app_remove_base("example"), "remove"));
}

/* Takes a minute, and packages from a mirror of Debian: "dre-app-examples --build" does it. */
static int build_debian(void)
{
	const dre_app_build_options options = { .size = sizeof(options), .suite = "bookworm" };

	return say(dre_app_build_base("bookworm", &options, print_progress, "build"), "build");
}

/**
 * The store
 *
 * After a crash nothing has to be done. This only looks, and frees space.
 */
static void print_problem(void *arg, const dre_app_problem *problem)
{
	(void)arg;
	printf("%s: %s\n", problem->path, problem->what);
}

static int look_after_store(void)
{
	int err = dre_app_gc();

	if (!err)
		err = dre_app_fsck(0, print_problem, NULL);
	return say(err, "store");
}

/**
 * All of it
 */
static int use_stopped(const dre_app_handle *h)
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
	if (!err)
		err = copy_files(h);
	return err;
}

static int use_running(const dre_app_handle *h)
{
	int err = say(dre_app_start(h), "start");

	if (!err)
		err = print_console(h);
	if (!err)
		err = print_log(h);
	if (!err)
		err = use_group(h);
	if (!err)
		err = follow(h);
	if (!err)
		err = go_back(h);
	return err;
}

static int use(const char *name)
{
	dre_app_handle *h = dre_app_open(name);
	int err;

	if (!h)
		return say(DRE_ERR_CONTAINER_NONEXISTENCE, "open");
	err = use_stopped(h);
	if (!err)
		err = live(h);
	if (!err)
		err = use_running(h);
	if (dre_app_status(h) != DRE_APP_CONTAINER_STATUS_STOP)
		err = first(err, say(dre_app_stop(h), "stop"));
	dre_app_close(h);
	return err;
}

int main(int argc, char **argv)
{
	const dre_app_property properties[] = { { .key = "network", .value = "empty" }, { .key = NULL } };
	const dre_app_create_options options = { .size = sizeof(options), .properties = properties };
	const dre_app_data data = { .type = DRE_APP_CONTAINER_TYPE_LXC };
	int err;

	if (argc != 2)
		return 2;
	if (!strcmp(argv[1], "--build"))
		return build_debian() != 0;
	if (say(dre_app_create_container_with(argv[1], &data, &options), "create"))
		return 1;
	err = use(argv[1]);
	err = first(err, say(dre_app_destroy_container(argv[1]), "destroy"));
	err = first(err, look_after_store());
	return err != 0;
}
