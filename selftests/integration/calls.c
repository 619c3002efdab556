// SPDX-License-Identifier: LGPL-2.1-or-later
#include <fcntl.h>

#include "box.h"
#include "calls.h"

const char *const call_names[NR_ALL_CALLS] = {
	[START] = "start", [STOP] = "stop", [SUSPEND] = "suspend", [RESUME] = "resume",
	[DESTROY] = "destroy", [CREATE] = "create", [STATUS] = "status", [OPEN] = "open",
	[LIST] = "list", [GET_PID] = "get_pid", [EXEC] = "exec", [REGISTER_PID] = "register_pid",
	[REGISTER_VPID] = "register_vpid", [UNREGISTER_PID] = "unregister_pid",
	[UNREGISTER_VPID] = "unregister_vpid", [SAVE] = "save_snapshot", [LOAD] = "load_snapshot",
	[REMOVE_SNAPSHOT] = "remove_snapshot", [COMMIT] = "commit_snapshot",
	[SNAPSHOT_LIST] = "get_snapshot_list", [CREATE_CGROUP] = "create_cgroup",
	[DESTROY_CGROUP] = "destroy_cgroup", [CGROUP_LIST] = "get_cgroup_list",
	[BIND_PID] = "bind_pid", [BIND_VPID] = "bind_vpid", [UNBIND_PID] = "unbind_pid",
	[UNBIND_VPID] = "unbind_vpid", [SET_RESOURCE] = "set_resource",
	[CHECKPOINT] = "checkpoint", [RESTART] = "restart",
	[REMOVE_CHECKPOINT] = "remove_checkpoint", [CHECKPOINT_LIST] = "get_checkpoint_list",
	[COPY] = "copy", [COPY_IN] = "copy_in", [COPY_OUT] = "copy_out", [RENAME] = "rename",
	[OPEN_CONSOLE] = "open_console", [RESIZE_CONSOLE] = "resize_console",
	[OPEN_LOG] = "log_open", [GET_INFO] = "get_info", [GET_LIMIT] = "get_limit",
	[GET_USAGE] = "get_usage",
	[EXPORT] = "export", [UNSET_RESOURCE] = "unset_resource", [GET_RESOURCE] = "get_resource",
	[STOP_WITH] = "stop_with", [REBOOT] = "reboot", [SET_PROPERTY] = "set_property",
	[GET_PROPERTY] = "get_property", [PROPERTY_LIST] = "get_property_list",
	[CONTAINER_LIST] = "get_container_list", [BASE_LIST] = "get_base_list", [REMOVE_BASE] = "remove_base",
};

#define X10	"xxxxxxxxxx"
#define X60	X10 X10 X10 X10 X10 X10
#define X100	X60 X10 X10 X10 X10
#define X1000	X100 X100 X100 X100 X100 X100 X100 X100 X100 X100

const struct bad_name bad_names[] = {
	{ NULL, DRE_ERR_NULL_POINTER },
	{ X60 "xxxx", DRE_ERR_REQUEST_TOO_LONG },
	{ X1000 X1000 X1000 X1000 X1000 X1000 X1000 X1000 X1000 X1000, DRE_ERR_REQUEST_TOO_LONG },
	{ "//////////" X60, DRE_ERR_REQUEST_TOO_LONG },
	{ "", DRE_ERR_INVALID_ARGUMENT },
	{ ".", DRE_ERR_INVALID_ARGUMENT },
	{ "..", DRE_ERR_INVALID_ARGUMENT },
	{ "../c", DRE_ERR_INVALID_ARGUMENT },
	{ "c/d", DRE_ERR_INVALID_ARGUMENT },
	{ "-c", DRE_ERR_INVALID_ARGUMENT },
	{ "_c", DRE_ERR_INVALID_ARGUMENT },
	{ "c d", DRE_ERR_INVALID_ARGUMENT },
	{ "c\n", DRE_ERR_INVALID_ARGUMENT },
	{ "%s%n", DRE_ERR_INVALID_ARGUMENT },
	{ "\xc3\xbc", DRE_ERR_INVALID_ARGUMENT },
	{ }
};

static int call_list(const dre_app_handle *h)
{
	dre_app_pid_list_t list = NULL;
	int ret = dre_app_get_registered_pid_list(h, &list);

	assert_true(ret ? !list : !!list);
	if (list)
		assert_done(dre_app_release_registered_pid_list(list));
	return ret;
}

/* What is in the list is tested elsewhere. */
static int release_list(int ret, dre_list_t list, dre_return_t (*release)(dre_list_t))
{
	assert_true(ret ? !list : !!list);
	if (list)
		assert_done(release(list));
	return ret;
}

static int call_names_list(const dre_app_handle *h, dre_return_t (*get)(const dre_app_handle *, dre_list_t *),
			   dre_return_t (*release)(dre_list_t))
{
	dre_list_t list = NULL;
	int ret = get(h, &list);

	return release_list(ret, list, release);
}

static int call_list_of_all(dre_return_t (*get)(dre_list_t *), dre_return_t (*release)(dre_list_t))
{
	dre_list_t list = NULL;
	int ret = get(&list);

	return release_list(ret, list, release);
}

static int call_resource(int function, const dre_app_handle *h)
{
	dre_app_resource_value_t r = { .type = DRE_APP_CONTAINER_RESOURCE_CPU,
				       .udata.cpu.percent = -42 };
	int ret;

	if (function == GET_RESOURCE) {
		ret = dre_app_get_resource(h, 0, &r);
		assert_true(ret ? r.udata.cpu.percent == -42 : r.udata.cpu.percent >= 0);
		return ret;
	}
	r.udata.cpu.percent = 50;
	return function == SET_RESOURCE ? dre_app_set_resource(h, THING, &r) :
					  dre_app_unset_resource(h, THING, &r);
}

static int call_get_property(const dre_app_handle *h)
{
	char *value = (char *)"untouched";
	int ret = dre_app_get_property(h, "port", &value);

	assert_true(ret ? !strcmp(value, "untouched") : !value);
	return ret;
}

static int call_property_list(const dre_app_handle *h)
{
	dre_app_property *list = NULL;
	int ret = dre_app_get_property_list(h, &list);

	assert_true(ret ? !list : !!list);
	if (list)
		dre_app_release_property_list(list);
	return ret;
}

static int call_get_pid(const dre_app_handle *h)
{
	int pid = -42;
	int ret = dre_app_get_pid(h, &pid);

	assert_true(ret ? pid == -42 : pid > 1);
	return ret;
}

static int call_exec(const dre_app_handle *h)
{
	char *const argv[] = { "sh", "-c", "exit 7", NULL };
	int status = -42;
	int ret = dre_app_exec(h, argv, &status);

	assert_int_equal(status, ret ? -42 : 7 << 8);
	return ret;
}

static int call_export(const dre_app_handle *h)
{
	int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	int ret = dre_app_export(h, fd, NULL, NULL, NULL);

	close(fd);
	return ret;
}

static int call_open_console(const dre_app_handle *h)
{
	int fd = -42;
	int ret = dre_app_open_console(h, &fd);

	assert_true(ret ? fd == -42 : fd >= 0);
	if (!ret)
		close(fd);
	return ret;
}

static int call_open_log(const dre_app_handle *h)
{
	dre_app_log *log = NULL;
	int ret = dre_app_log_open(h, 0, &log);

	assert_true(ret ? !log : !!log);
	if (log)
		dre_app_log_close(log);
	return ret;
}

static int call_get_limit(const dre_app_handle *h)
{
	dre_app_resource_value_t r = { .type = DRE_APP_CONTAINER_RESOURCE_CPU,
				       .udata.cpu.percent = -42 };
	int ret = dre_app_get_limit(h, ".", &r);

	assert_int_equal(r.udata.cpu.percent, ret ? -42 : 0);
	return ret;
}

static int call_get_usage(const dre_app_handle *h)
{
	dre_usage u = { .size = sizeof(u) };
	int ret = dre_app_get_usage(h, ".", &u);

	assert_int_equal(u.size, sizeof(u));
	assert_true(ret ? !u.cpu_time && !u.memory && !u.memsw && !u.tasks :
		    u.cpu_time && u.memory && u.memsw >= u.memory && u.tasks);
	return ret;
}

/* What dre_app_open() fails with is known by its text alone. Here that it fails is enough. */
static int call_open(const char *name)
{
	dre_app_handle *h = dre_app_open(name);

	if (!h)
		return -1;
	assert_done(dre_app_close(h));
	return 0;
}

static int call_by_handle(int function, const dre_app_handle *h)
{
	const dre_app_stop_options stop = { .size = sizeof(stop), .kill = 1 };

	switch (function) {
	case START:
		return dre_app_start(h);
	case STOP:
		return dre_app_stop(h);
	case STOP_WITH:
		return dre_app_stop_with(h, &stop);
	case REBOOT:
		return dre_app_reboot(h, &stop);
	case SET_PROPERTY:
		return dre_app_set_property(h, "port", "22");
	case GET_PROPERTY:
		return call_get_property(h);
	case PROPERTY_LIST:
		return call_property_list(h);
	case OPEN_CONSOLE:
		return call_open_console(h);
	case RESIZE_CONSOLE:
		return dre_app_resize_console(h, 24, 80);
	case OPEN_LOG:
		return call_open_log(h);
	case GET_INFO:
		return call_names_list(h, dre_app_get_info, dre_app_release_info);
	case GET_LIMIT:
		return call_get_limit(h);
	case GET_USAGE:
		return call_get_usage(h);
	case SUSPEND:
		return dre_app_suspend(h);
	case RESUME:
		return dre_app_resume(h);
	case STATUS:
		return dre_app_status(h);
	case LIST:
		return call_list(h);
	case GET_PID:
		return call_get_pid(h);
	case EXEC:
		return call_exec(h);
	case REGISTER_PID:
		return dre_app_register_pid(h, getpid());
	case REGISTER_VPID:
		return dre_app_register_vpid(h, 1);
	case UNREGISTER_PID:
		return dre_app_unregister_pid(h, getpid());
	case UNREGISTER_VPID:
		return dre_app_unregister_vpid(h, 1);
	case COPY:
		return dre_app_copy(h, NULL, "new");
	case COPY_IN:
		return dre_app_copy_in(h, "/none", "/", NULL, NULL);
	case COPY_OUT:
		return dre_app_copy_out(h, "/none", "/tmp", NULL, NULL);
	case RENAME:
		return dre_app_rename(h, "new");
	case EXPORT:
		return call_export(h);
	case SAVE:
		return dre_app_save_snapshot(h, "new");
	case LOAD:
		return dre_app_load_snapshot(h, THING);
	case REMOVE_SNAPSHOT:
		return dre_app_remove_snapshot(h, THING);
	case COMMIT:
		return dre_app_commit_snapshot(h, THING, "new");
	case SNAPSHOT_LIST:
		return call_names_list(h, dre_app_get_snapshot_list, dre_app_release_snapshot_list);
	case CHECKPOINT:
		return dre_app_checkpoint(h, "new");
	case RESTART:
		return dre_app_restart(h, THING);
	case REMOVE_CHECKPOINT:
		return dre_app_remove_checkpoint(h, THING);
	case CHECKPOINT_LIST:
		return call_names_list(h, dre_app_get_checkpoint_list, dre_app_release_checkpoint_list);
	case CREATE_CGROUP:
		return dre_app_create_cgroup(h, "new");
	case DESTROY_CGROUP:
		return dre_app_destroy_cgroup(h, THING);
	case CGROUP_LIST:
		return call_names_list(h, dre_app_get_cgroup_list, dre_app_release_cgroup_list);
	case BIND_PID:
		return dre_app_bind_pid(h, THING, getpid());
	case BIND_VPID:
		return dre_app_bind_vpid(h, THING, 1);
	case UNBIND_PID:
		return dre_app_unbind_pid(h, THING, getpid());
	case UNBIND_VPID:
		return dre_app_unbind_vpid(h, THING, 1);
	case SET_RESOURCE:
	case UNSET_RESOURCE:
	case GET_RESOURCE:
		return call_resource(function, h);
	}
	fail();
	return 0;
}

int call_function(int function, const char *name)
{
	const dre_app_data data = { .type = DRE_APP_CONTAINER_TYPE_LXC };
	const dre_app_handle h = { DRE_APP_CONTAINER_TYPE_LXC, (char *)name };

	switch (function) {
	case CREATE:
		return dre_app_create_container(name, &data);
	case DESTROY:
		return dre_app_destroy_container(name);
	case OPEN:
		return call_open(name);
	case CONTAINER_LIST:
		return call_list_of_all(dre_app_get_container_list, dre_app_release_container_list);
	case BASE_LIST:
		return call_list_of_all(dre_app_get_base_list, dre_app_release_base_list);
	case REMOVE_BASE:
		return dre_app_remove_base(THING);
	}
	return call_by_handle(function, &h);
}

int call_with_null(int function)
{
	if (function == CREATE || function == DESTROY || function == OPEN)
		return call_function(function, NULL);
	return call_by_handle(function, NULL);
}
