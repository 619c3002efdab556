// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What D-RE knows of a container's processes, and CRIU does not. CRIU cannot dump processes that are outside of the
 * payload's group, so they are there while it does.
 *
 *	record		beside the images, is for a restart, and names processes by VPID:
 *
 *		controllers cpu memory		of the container's group, for its groups
 *		group blue			a control group
 *		limit blue cpu.max 50000 100000	of it, or of "." for the whole container, for which
 *						what is configured is not here
 *		self 12 15 10			registered itself, with these signals
 *		managed 12			was registered by a manager
 *		move 12 blue			is in that group
 *		bind 12 blue			is bound to it
 *		end
 *
 *	away		in liblxc's directory of the container, is for this host, as long as the checkpoint is made:
 *			"move" and "bind", by PID, and since when the process runs. Where all who make it were
 *			killed whoever locks the container next finds it there, and nobody collects it before. An
 *			empty one says that the container may stand still, also at the end of a restart.
 *
 * Lines are in the order in which they are carried out.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app.h"
#include "common/cgroupfs.h"
#include "module.h"

#define RECORD	"record"

/* The files that limit_set() of common/limit.c writes. Memory comes before swap. */
static const char *const limits[] = {
	"cpu.max", "cpuset.cpus", "memory.max", "memory.swap.max", "pids.max",
};

#define NR_LIMITS	(sizeof(limits) / sizeof(*limits))

/*
 * What the container as a whole is configured to have is that of now at each start, and a restart is one. Memory and
 * swap belong together.
 */
static bool is_configured(const struct app *app, const char *cgroup, const char *file)
{
	const struct dre_limits *l = &app->config.limits;

	if (strcmp(cgroup, ".") != 0)
		return false;
	if (!strcmp(file, "cpu.max"))
		return l->cpu;
	if (!strcmp(file, "cpuset.cpus"))
		return *l->cores;
	if (!strcmp(file, "pids.max"))
		return l->pids;
	return l->memory;
}

/* A checkpoint that is made: the container is frozen. */
struct hold {
	const struct app *app;
	int cfd;
	FILE *record;
	FILE *away;
	struct dre_group_info *groups;
	size_t nr_groups;
};

static int fail(const struct app *app, int err, const char *what)
{
	return dre_fail_errno(-err, "container '%s': %s", app->name, what);
}

static FILE *open_at(int dir, const char *name, int flags, const char *mode)
{
	int fd = openat(dir, name, flags | O_CLOEXEC, 0600);
	FILE *f = fd < 0 ? NULL : fdopen(fd, mode);

	if (!f && fd >= 0)
		close(fd);
	return f;
}

/* When the process began to run, in clock ticks: with its number that names it for good. */
static unsigned long long start_time(int pid)
{
	unsigned long long time = 0;
	char path[32], text[1024], *field;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "re");
	if (!f)
		return 0;
	/* The 22nd field; the second is a name in parentheses, with anything in it, ends of lines, too. */
	text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
	field = strrchr(text, ')');
	for (int i = 0; field && i < 20; i++)
		field = strchr(field + 1, ' ');
	if (field)
		time = strtoull(field, NULL, 10);
	fclose(f);
	return time;
}

/*
 * Taking them out of their groups.
 */

static int record_limits(const struct hold *h, const char *cgroup)
{
	char path[APP_CGROUP_SIZE], value[4096];
	int group, err;

	app_cgroup_path(h->app, cgroup, path);
	err = cgroupfs_open_group(path, &group);
	if (err)
		return err;
	if (!strcmp(cgroup, ".") && !cgroupfs_get(group, "cgroup.subtree_control", value,
						  sizeof(value)) && *value)
		fprintf(h->record, "controllers %s\n", value);
	for (size_t i = 0; i < NR_LIMITS; i++)
		if (!is_configured(h->app, cgroup, limits[i]) &&
		    !cgroupfs_get(group, limits[i], value, sizeof(value)) && *value &&
		    strncmp(value, "max", 3))
			fprintf(h->record, "limit %s %s %s\n", cgroup, limits[i], value);
	close(group);
	return 0;
}

static int record_groups(const struct hold *h)
{
	int err = record_limits(h, ".");

	for (size_t i = 0; !err && i < h->nr_groups; i++) {
		fprintf(h->record, "group %s\n", h->groups[i].name);
		err = record_limits(h, h->groups[i].name);
	}
	return err;
}

static void record_signals(const struct hold *h, const struct dre_process_info *p, const char *how)
{
	fprintf(h->record, "%s %d", how, p->vpid);
	for (unsigned int i = 0; i < p->nr_signals; i++)
		fprintf(h->record, " %u", p->signals[i]);
	fputc('\n', h->record);
}

static int record_processes(const struct hold *h)
{
	struct dre_process_info *info = NULL;
	size_t nr = 0;
	int err = dre_module_process_list(h->cfd, &info, &nr);

	for (size_t i = 0; !err && i < nr; i++) {
		if (!info[i].vpid)
			continue;	/* of the host */
		if (info[i].flags & DRE_PROCESS_SELF)
			record_signals(h, &info[i], "self");
		else
			record_signals(h, &info[i], "managed");
		if (info[i].flags == (DRE_PROCESS_SELF | DRE_PROCESS_MANAGED))
			fprintf(h->record, "managed %d\n", info[i].vpid);
	}
	free(info);
	return err ? fail(h->app, err, "its processes") : 0;
}

static int note(const struct hold *h, const char *how, int pid, int vpid, const char *cgroup)
{
	if (vpid)
		fprintf(h->record, "%s %d %s\n", how, vpid, cgroup);
	/* It must be there before the process goes. */
	if (fprintf(h->away, "%s %d %s %llu\n", how, pid, cgroup, start_time(pid)) < 0 || fflush(h->away))
		return fail(h->app, -errno, APP_AWAY);
	return 0;
}

static const char *group_name(const struct hold *h, uint32_t id)
{
	for (size_t i = 0; i < h->nr_groups; i++)
		if (h->groups[i].id == id)
			return h->groups[i].name;
	return NULL;
}

static int release_bound(const struct hold *h, const struct dre_binding_info *bindings, size_t nr)
{
	const char *name;
	int err = 0;

	for (size_t i = 0; !err && i < nr; i++) {
		name = group_name(h, bindings[i].group);
		if (!name)
			continue;
		err = dre_module_unbind(h->cfd, name, bindings[i].pid, 0);
		if (err == -ENOENT || err == -ESRCH || err == -ESTALE)	/* has ended */
			err = 0;
	}
	return err ? fail(h->app, err, "a bound process cannot leave its control group") : 0;
}

static int move(const struct app *app, const char *cgroup, int pid)
{
	char path[APP_GROUP_SIZE + 1 + DRE_NAME_MAX], number[16];
	int group, err;

	app_cgroup_path(app, cgroup, path);
	err = cgroupfs_open_group(path, &group);
	if (err)
		return err;
	snprintf(number, sizeof(number), "%d", pid);
	err = cgroupfs_set(group, "cgroup.procs", number);
	close(group);
	return err && err != -ESRCH ? fail(app, err, "cannot move a process of it") : 0;
}

/* What processes of the container that were bound have forked. The host's stay where they are. */
static int move_forked(const struct hold *h, const char *cgroup)
{
	char path[APP_CGROUP_SIZE];
	int group, fd, pid, vpid, err;
	FILE *f;

	app_cgroup_path(h->app, cgroup, path);
	err = cgroupfs_open_group(path, &group);
	if (err)
		return err;
	f = open_at(group, "cgroup.procs", O_RDONLY, "r");
	fd = f ? 0 : -errno;
	close(group);
	if (!f)
		return fail(h->app, fd, cgroup);
	while (!err && fscanf(f, "%d", &pid) == 1) {
		vpid = dre_module_pid_to_vpid(h->cfd, pid);
		if (vpid <= 0)
			continue;
		err = note(h, "move", pid, vpid, cgroup);
		if (!err)
			err = move(h->app, "payload", pid);
	}
	fclose(f);
	return err;
}

/*
 * The origin of one that is bound may be another control group. So all who are not in the payload's
 * group go there in the end, and in the record "move" stands before "bind".
 */
static int take_out(const struct hold *h)
{
	struct dre_binding_info *bindings = NULL;
	size_t nr = 0;
	int err = dre_module_binding_list(h->cfd, &bindings, &nr);

	if (err)
		return fail(h->app, err, "its bindings");
	for (size_t i = 0; !err && i < nr; i++)
		if (group_name(h, bindings[i].group))
			err = note(h, "bind", bindings[i].pid, bindings[i].vpid,
				   group_name(h, bindings[i].group));
	if (!err)
		err = release_bound(h, bindings, nr);
	for (size_t i = 0; !err && i < h->nr_groups; i++)
		err = move_forked(h, h->groups[i].name);
	free(bindings);
	return err;
}

static int hold(struct hold *h)
{
	int err = dre_module_group_list(h->cfd, &h->groups, &h->nr_groups);

	if (err)
		return fail(h->app, err, "its control groups");
	err = record_groups(h);
	if (!err)
		err = record_processes(h);
	if (!err)
		err = take_out(h);
	free(h->groups);
	return err;
}

static FILE *open_away(const struct app *app, int flags, const char *mode)
{
	char path[PATH_MAX];

	return app_path(app->store, app->name, APP_AWAY, path) ? NULL : open_at(AT_FDCWD, path, flags, mode);
}

int app_record_begin(const struct app *app)
{
	FILE *f = open_away(app, O_WRONLY | O_CREAT | O_TRUNC, "w");

	if (!f)
		return fail(app, -errno, APP_AWAY);
	fclose(f);
	return 0;
}

int app_record_hold(const struct app *app, int dir)
{
	struct hold h = { .app = app };
	int err = app_module_container(app, &h.cfd);

	if (err)
		return err;
	h.record = open_at(dir, RECORD, O_WRONLY | O_CREAT | O_TRUNC, "w");
	h.away = open_away(app, O_WRONLY | O_CREAT | O_TRUNC, "w");
	err = h.record && h.away ? hold(&h) : fail(app, -errno, RECORD);
	/* What could not be written before is not told of again by fclose(). */
	if (h.record && (fputs("end\n", h.record) < 0 || fflush(h.record) || ferror(h.record)) && !err)
		err = fail(app, -EIO, RECORD);
	if (h.record && fclose(h.record) && !err)
		err = fail(app, -errno, RECORD);
	if (h.away && fclose(h.away) && !err)
		err = fail(app, -errno, APP_AWAY);
	close(h.cfd);
	return err;
}

bool app_record_held(const struct app *app)
{
	char path[PATH_MAX];

	return !app_path(app->store, app->name, APP_AWAY, path) && !access(path, F_OK);
}

void app_record_forget(const struct app *app)
{
	char path[PATH_MAX];

	if (!app_path(app->store, app->name, APP_AWAY, path))
		unlink(path);
}

/*
 * Putting them back.
 */

/* Carries out a line. @cfd is of the module, or -1: it is not loaded any more. */
typedef int (*line_fn)(const struct app *app, int cfd, const char *verb, char *arguments);

static bool is_one_of(const char *verb, const char *const verbs[])
{
	for (; *verbs; verbs++)
		if (!strcmp(verb, *verbs))
			return true;
	return false;
}

/*
 * The lines of the file for which @verbs has the verb, in their order. One that fails is not
 * at the expense of the others; the first error is returned.
 */
static int each_line(const struct app *app, int cfd, FILE *f, const char *const verbs[], line_fn fn)
{
	char line[4096 + 128], *space;
	struct saved_error saved;
	int ret, err = 0;

	rewind(f);
	while (fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		space = strchr(line, ' ');
		if (space)
			*space = '\0';
		ret = space && is_one_of(line, verbs) ? fn(app, cfd, line, space + 1) : 0;
		if (ret && !err) {
			err = ret;
			save_error(&saved);
		}
	}
	if (err)
		restore_error(&saved);
	return err;
}

static int bind_failed(const struct app *app, int err, int pid, const char *cgroup)
{
	if (!err || err == -ESRCH || err == -ESTALE)	/* was killed meanwhile */
		return 0;
	return dre_fail(DRE_ERR_BIND_FAILED, "container '%s': process %d, control group '%s': %s",
			app->name, pid, cgroup, strerror(-err));
}

static int put_back(const struct app *app, int cfd, const char *verb, char *arguments)
{
	char cgroup[DRE_NAME_MAX + 1], path[APP_CGROUP_SIZE];
	unsigned long long time;
	int pid, err;

	/* It has ended; the number may be another's. Without a time it had ended before; process 0 would be this one. */
	if (sscanf(arguments, "%d %63s %llu", &pid, cgroup, &time) != 3 || pid <= 0 || !time ||
	    start_time(pid) != time || app_check_cgroup(cgroup, false))
		return 0;
	/* Whoever is in a control group is bound to it for a module that is loaded later. */
	if (!strcmp(verb, "move") || cfd < 0)
		return move(app, cgroup, pid);
	err = dre_module_bind(cfd, cgroup, pid, 0);
	app_cgroup_path(app, cgroup, path);
	/* One of the host that somebody has bound for another container meanwhile is not ours any more. */
	if (err == -EBUSY && !cgroupfs_passes_on(path))
		return 0;
	return bind_failed(app, err, pid, cgroup);
}

static const char *const moves[] = { "move", NULL };
static const char *const binds[] = { "bind", NULL };

static int put_all_back(const struct app *app, int cfd, FILE *f)
{
	int ret, err = each_line(app, cfd, f, moves, put_back);
	struct saved_error saved;

	save_error(&saved);
	ret = each_line(app, cfd, f, binds, put_back);
	if (err)
		restore_error(&saved);
	return err ? err : ret;
}

/* Who finds it lets it run on, but puts nobody back once more. */
static void empty_away(const struct app *app)
{
	char path[PATH_MAX];

	if (!app_path(app->store, app->name, APP_AWAY, path))
		(void)!truncate(path, 0);
}

int app_record_release(const struct app *app)
{
	FILE *f = open_away(app, O_RDONLY, "r");
	int cfd = -1, err;

	if (!f)		/* it did not come to it */
		return 0;
	err = app_module_container(app, &cfd);
	if (!err || err == DRE_ERR_DAWARE_MOD_NONEXISTENCE)
		err = put_all_back(app, err ? -1 : cfd, f);
	if (cfd >= 0)
		close(cfd);
	fclose(f);
	empty_away(app);
	return err;
}

/*
 * After a restart.
 */

static int damaged(const struct app *app)
{
	return dre_fail(DRE_ERR_LOAD_SNAPSHOT_FAILED,
			"container '%s': the record of the checkpoint is damaged", app->name);
}

static int enable(const struct app *app, const char *controllers)
{
	char path[APP_CGROUP_SIZE];

	app_cgroup_path(app, ".", path);
	return cgroupfs_enable(path, controllers);
}

static bool is_limit(const char *file)
{
	for (size_t i = 0; i < NR_LIMITS; i++)
		if (!strcmp(limits[i], file))
			return true;
	return false;
}

static int set_limit(const struct app *app, char *arguments)
{
	char path[APP_CGROUP_SIZE], cgroup[DRE_NAME_MAX + 1], file[32];
	int group, value, err;

	if (sscanf(arguments, "%63s %31s %n", cgroup, file, &value) != 2 || !is_limit(file) ||
	    app_check_cgroup(cgroup, true))
		return damaged(app);
	if (is_configured(app, cgroup, file))
		return 0;
	app_cgroup_path(app, cgroup, path);
	err = cgroupfs_open_group(path, &group);
	if (err)
		return err;
	err = cgroupfs_set(group, file, arguments + value);
	close(group);
	return err ? dre_fail(DRE_ERR_SET_LIMIT_FAILED, "control group %s: %s: %s", path, file,
			      strerror(-err)) : 0;
}

/* CRIU has made them, but not what makes them D-RE's. */
static int make_group(const struct app *app, int cfd, const char *cgroup)
{
	char path[APP_CGROUP_SIZE];
	int err;

	if (app_check_cgroup(cgroup, false))
		return damaged(app);
	app_cgroup_path(app, cgroup, path);
	err = cgroupfs_create(path);
	return err && err != DRE_ERR_CGROUP_EXISTENCE ? err : app_cgroup_announce(app, cfd, cgroup);
}

static int apply_group(const struct app *app, int cfd, const char *verb, char *arguments)
{
	if (!strcmp(verb, "controllers"))
		return enable(app, arguments);
	if (!strcmp(verb, "limit"))
		return set_limit(app, arguments);
	return make_group(app, cfd, arguments);
}

static int apply_process(const struct app *app, int cfd, const char *verb, char *arguments)
{
	uint32_t flags = DRE_REGISTER_BY_VPID | (*verb == 's' ? DRE_REGISTER_SELF : 0);
	uint8_t signals[DRE_SIGNALS_MAX];
	char *save, *word = strtok_r(arguments, " ", &save);
	int vpid = word ? atoi(word) : 0, err;
	unsigned int nr = 0;

	while ((word = strtok_r(NULL, " ", &save)) && nr < DRE_SIGNALS_MAX)
		signals[nr++] = atoi(word);
	err = dre_module_process_register(cfd, vpid, flags, signals, nr);
	return err ? fail(app, err, "cannot register a process again") : 0;
}

static int apply_binding(const struct app *app, int cfd, const char *verb, char *arguments)
{
	char cgroup[DRE_NAME_MAX + 1];
	int vpid, pid;

	if (sscanf(arguments, "%d %63s", &vpid, cgroup) != 2 || app_check_cgroup(cgroup, false))
		return damaged(app);
	if (*verb == 'b')
		return bind_failed(app, dre_module_bind(cfd, cgroup, vpid, DRE_BIND_BY_VPID), vpid,
				   cgroup);
	pid = dre_module_vpid_to_pid(cfd, vpid);
	return pid > 0 ? move(app, cgroup, pid) : damaged(app);
}

/* A file that was cut off is found out before anything is done. */
static bool is_whole(FILE *f)
{
	char end[4] = "";

	return !fseek(f, -4, SEEK_END) && fread(end, 1, 4, f) == 4 && !memcmp(end, "end\n", 4);
}

int app_record_apply(const struct app *app, int dir)
{
	static const char *const groups[] = { "controllers", "group", "limit", NULL };
	static const char *const processes[] = { "self", "managed", NULL };
	FILE *f = open_at(dir, RECORD, O_RDONLY, "r");
	int cfd, err;

	if (!f || !is_whole(f)) {
		if (f)
			fclose(f);
		return damaged(app);
	}
	err = app_module_container(app, &cfd);
	if (!err) {
		err = each_line(app, cfd, f, groups, apply_group);
		if (!err)
			err = each_line(app, cfd, f, processes, apply_process);
		if (!err)
			err = each_line(app, cfd, f, moves, apply_binding);
		if (!err)
			err = each_line(app, cfd, f, binds, apply_binding);
		close(cfd);
	}
	fclose(f);
	return err;
}
