/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Every function of dre_app.h that is about one container, or about all that there is, in one form. dre_app_close() and
 * dre_app_release_*() are called with what the others gave.
 */
#ifndef SELFTESTS_INTEGRATION_CALLS_H
#define SELFTESTS_INTEGRATION_CALLS_H

#include <dre_app.h>

enum { START, STOP, SUSPEND, RESUME, DESTROY, CREATE, STATUS, OPEN, LIST, GET_PID, EXEC,
       COPY, RENAME, COPY_IN, COPY_OUT,
       EXPORT, SAVE, LOAD, REMOVE_SNAPSHOT, COMMIT, SNAPSHOT_LIST, CREATE_CGROUP, SET_RESOURCE,
       UNSET_RESOURCE, GET_RESOURCE, CGROUP_LIST, REMOVE_CHECKPOINT, CHECKPOINT_LIST,
       STOP_WITH, SET_PROPERTY, GET_PROPERTY, PROPERTY_LIST, OPEN_CONSOLE, RESIZE_CONSOLE,
       OPEN_LOG, GET_INFO, GET_LIMIT, GET_USAGE,
       /* From here on the module is needed. */
       REGISTER_PID, REGISTER_VPID, UNREGISTER_PID, UNREGISTER_VPID, DESTROY_CGROUP, BIND_PID,
       BIND_VPID, UNBIND_PID, UNBIND_VPID, CHECKPOINT, RESTART, REBOOT, NR_CALLS,
       /* About no container: they are called with any name. */
       CONTAINER_LIST = NR_CALLS, BASE_LIST, REMOVE_BASE, NR_ALL_CALLS };

/* The snapshot, checkpoint, control group or base image that is asked for. It is there if the caller has made it. */
#define THING	"thing"

/* Calls it with this name, or with a handle that has it. All else is as it should be; what is made is named "new". */
int call_function(int function, const char *name);

/* Calls it with NULL for the handle, or for the name if that is what it takes. */
int call_with_null(int function);

extern const char *const call_names[NR_ALL_CALLS];

/* Names that no container can have, and what they are refused with. */
struct bad_name {
	const char *name;
	int code;
};

extern const struct bad_name bad_names[];	/* ended by one without a code */

#endif /* SELFTESTS_INTEGRATION_CALLS_H */
