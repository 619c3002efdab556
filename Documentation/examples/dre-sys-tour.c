// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * dre-sys-tour NAME BASE: makes a container from a base image, starts it, shows what it uses, stops it, and removes it.
 * Link with -ldresys -ldaware.
 */
#include <stdio.h>
#include <stdlib.h>

#include <dre_sys.h>

/* Every function that fails says which code it is, and exactly why. */
static void check(int err, const char *what)
{
	if (!err)
		return;
	fprintf(stderr, "%s: %s: %s\n", what, dre_strerror(err), dre_last_error());
	exit(EXIT_FAILURE);
}

int main(int argc, char **argv)
{
	dre_sys_resource_value_t memory = { .type = DRE_SYS_CONTAINER_RESOURCE_MEMORY_64 };
	dre_sys_data data = { .type = DRE_SYS_CONTAINER_TYPE_KVM };
	dre_sys_handle *h;

	if (argc != 3)
		return 2;
	data.udata.kvm.memory_size = 256;	/* MiB */
	data.udata.kvm.base = argv[2];
	check(dre_sys_create_container(argv[1], &data), "create");
	h = dre_sys_open(argv[1]);
	if (!h) {
		fprintf(stderr, "open: %s\n", dre_last_error());
		return EXIT_FAILURE;
	}
	check(dre_sys_start(h), "start");
	check(dre_sys_get_resource(h, 0, &memory), "usage");
	printf("%s uses %llu bytes\n", h->name, memory.udata.mem.bytes);
	check(dre_sys_stop(h), "stop");
	check(dre_sys_close(h), "close");
	check(dre_sys_destroy_container(argv[1]), "destroy");
	return EXIT_SUCCESS;
}
