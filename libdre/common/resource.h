/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Resources as dre_app.h and dre_sys.h have them, which differ in the names of their types only. Functions
 * return 0 or a DRE_ERR_* code with the error text set.
 */
#ifndef DRE_COMMON_RESOURCE_H
#define DRE_COMMON_RESOURCE_H

#include <dre.h>
#include <stdbool.h>

#include "limit.h"

/* The numbers of DRE_APP_CONTAINER_RESOURCE_* and of DRE_SYS_CONTAINER_RESOURCE_*. */
enum {
	RESOURCE_CPU = 1,
	RESOURCE_CPU_CORE,
	RESOURCE_MEMORY,
	RESOURCE_MEMSW,
	RESOURCE_MEMORY_64 = 101,
	RESOURCE_MEMSW_64,
	RESOURCE_PIDS,		/* of application containers only */
};

union resource_value {
	int number;	/* percent, how many, or bytes as far as an int goes */
	char *cores;
	unsigned long long bytes;	/* of the types with 64 bits */
};

/* What is limited, and by what, as limit.h has it; @with_value: else only the type counts. */
int resource_to_limit(int type, const union resource_value *value, bool with_value,
		      struct limit *limit);

/* The opposite. */
void resource_from_limit(const struct limit *limit, int type, union resource_value *value);

/*
 * What process @pid uses, or 0: the group at @path below the root. DRE_ERR_PID_NONEXISTENCE: it is not
 * in that group or below. @name is the container's. Cores are the caller's to free.
 */
int resource_get(const char *name, const char *path, int pid, int type, union resource_value *value);

/* The size is one that we know. */
int resource_check_usage(const dre_usage *usage);

/* What the group at @path below the root has used. @name is the container's. */
int resource_get_usage(const char *name, const char *path, dre_usage *usage);

#endif /* DRE_COMMON_RESOURCE_H */
