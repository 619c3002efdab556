/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tracepoints: the events that container fds tell (DRE_EVENT_*), for all
 * containers. Numbers are those of the initial pid namespace.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM dre

#if !defined(DRE_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define DRE_TRACE_H

#include <linux/tracepoint.h>

DECLARE_EVENT_CLASS(dre_event,
	TP_PROTO(const struct dre_container *c, struct pid *pid, u32 value),
	TP_ARGS(c, pid, value),
	TP_STRUCT__entry(
		__field(s32, pid)
		__field(s32, vpid)
		__field(u32, value)
		__array(char, container, DRE_NAME_SIZE)
	),
	TP_fast_assign(
		__entry->pid = pid_nr(pid);
		__entry->vpid = c ? dre_container_vpid(c, pid) : 0;
		__entry->value = value;
		strscpy_pad(__entry->container, c ? c->name : "-", DRE_NAME_SIZE);
	),
	TP_printk("pid=%d vpid=%d value=%u container=%s",
		  __entry->pid, __entry->vpid, __entry->value, __entry->container)
);

#define DRE_TRACE_EVENT(name)	\
	DEFINE_EVENT(dre_event, name, \
		TP_PROTO(const struct dre_container *c, struct pid *pid, u32 value), \
		TP_ARGS(c, pid, value))

DRE_TRACE_EVENT(dre_registered);
DRE_TRACE_EVENT(dre_unregistered);
DRE_TRACE_EVENT(dre_exited);
DRE_TRACE_EVENT(dre_refused);
DRE_TRACE_EVENT(dre_ended);
DRE_TRACE_EVENT(dre_bound);
DRE_TRACE_EVENT(dre_unbound);

#endif /* DRE_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
