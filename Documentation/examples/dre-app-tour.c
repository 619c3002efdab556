// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * dre-app-tour NAME: makes a container, runs a command in it, shows what that printed on the console, and removes it.
 * Link with -ldreapp -ldaware.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include <dre_app.h>

/* Every function that fails says which code it is, and exactly why. */
static void check(int err, const char *what)
{
	if (!err)
		return;
	fprintf(stderr, "%s: %s: %s\n", what, dre_strerror(err), dre_last_error());
	exit(EXIT_FAILURE);
}

/* Until there is a line. */
static void show_log(const dre_app_handle *h)
{
	struct pollfd fd = { .events = POLLIN };
	char text[4096];
	dre_app_log *log;
	size_t len = 0;

	check(dre_app_log_open(h, 0, &log), "log");
	fd.fd = dre_app_log_fd(log);
	for (;;) {
		check(dre_app_log_read(log, text, sizeof(text), &len), "log");
		if (len)
			break;
		poll(&fd, 1, -1);
	}
	printf("its console: %.*s", (int)len, text);
	dre_app_log_close(log);
}

int main(int argc, char **argv)
{
	const dre_app_data data = { .type = DRE_APP_CONTAINER_TYPE_LXC };
	char *const command[] = { "sh", "-c", "echo hello >/dev/console", NULL };
	dre_app_resource_value_t memory = { .type = DRE_APP_CONTAINER_RESOURCE_MEMORY_64 };
	dre_app_handle *h;
	int status;

	if (argc != 2)
		return 2;
	check(dre_app_create_container(argv[1], &data), "create");
	h = dre_app_open(argv[1]);
	if (!h) {
		fprintf(stderr, "open: %s\n", dre_last_error());
		return EXIT_FAILURE;
	}
	check(dre_app_start(h), "start");
	memory.udata.mem.bytes = 64 << 20;
	check(dre_app_set_resource(h, ".", &memory), "limit");
	check(dre_app_exec(h, command, &status), "exec");
	check(dre_app_get_resource(h, 0, &memory), "usage");
	show_log(h);
	printf("%s uses memory: %s\n", h->name, memory.udata.mem.bytes ? "yes" : "no");
	check(dre_app_stop(h), "stop");
	check(dre_app_close(h), "close");
	check(dre_app_destroy_container(argv[1]), "destroy");
	return status ? EXIT_FAILURE : EXIT_SUCCESS;
}
