// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A program of a user, linked once to the shared libraries and once to the
 * static ones: both are whole, with all that they need, and work.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <daware.h>
#include <dre_app.h>

static int number, failed;

static void result(int passed, const char *what)
{
	printf("%sok %d - %s\n", passed ? "" : "not ", ++number, what);
	if (!passed) {
		failed++;
		printf("# %s\n", dre_last_error());
	}
}

static int terminate(int signo, void *arg)
{
	(void)signo;
	(void)arg;
	return 0;
}

int main(void)
{
	dre_app_data data = { .type = DRE_APP_CONTAINER_TYPE_LXC };
	char *const argv[] = { "true", NULL };
	dre_app_pid_list_t pids;
	DTermination *handle;
	dre_app_handle *h;
	dre_list_t list;
	int status;

	result(!strcmp(dre_strerror(DRE_ERR_CONTAINER_RUNNING), "the container is running"),
	       "dre_strerror");
	result(dre_app_open("a/b") == NULL && *dre_last_error(), "dre_last_error");

	data.udata.lxc.base = "it";
	result(dre_app_create_container("linked", &data) == 0, "create");
	h = dre_app_open("linked");
	result(h != NULL, "open");
	result(dre_app_start(h) == 0, "start");
	result(dre_app_exec(h, argv, &status) == 0 && status == 0, "exec");

	/* libdaware and libdreapp have one error state and one view of the module. */
	handle = daware_termination_register_callback(10, terminate, NULL);
	result(handle != NULL, "register a callback");
	result(dre_app_register_pid(h, getpid()) == 0, "register itself");
	result(dre_app_get_registered_pid_list(h, &pids) == 0 && pids[0] &&
	       pids[0]->pid == getpid() && !pids[1], "the list");
	dre_app_release_registered_pid_list(pids);
	result(dre_app_unregister_pid(h, getpid()) == 0, "unregister itself");
	daware_termination_unregister_callback(handle);

	result(dre_app_stop(h) == 0, "stop");
	result(dre_app_destroy_container("linked") == 0, "destroy");
	result(dre_app_close(h) == 0, "close");
	result(dre_app_get_container_list(&list) == 0 && !list[0], "no container is left");
	dre_app_release_container_list(list);
	printf("1..%d\n", number);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
