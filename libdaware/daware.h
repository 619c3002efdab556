/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The API for D-Aware applications: programs that say which signal asks them
 * to terminate in good order, and that log in a format which the operator can
 * set. D-RE API specification, section 2. Link with -ldaware.
 *
 * All functions may be called from every thread, at any time, also before
 * main() and from atexit(3) functions. None may be called from a signal
 * handler, none is a cancellation point, and none ends the process. What the
 * specification leaves open is decided here and in daware(3).
 */
#ifndef DAWARE_H
#define DAWARE_H

#include <syslog.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

/*
 * Termination
 */

/**
 * DTermination - a registered callback (section 2.5.1)
 *
 * A pointer to it is the handle that names one registration. It is a name, not
 * an address: never read what it points to. No handle is given out twice in a
 * process, so one that is stale is recognized for ever.
 */
typedef long DTermination;

/**
 * daware_termination_register_callback() - call a function when a signal asks
 *	the process to terminate (section 2.6.5)
 * @signo: the signal
 * @func: the callback
 * @arg: passed to @func as it is; the library never looks at it
 *
 * From now on, each time the process gets @signo, @func(@signo, @arg) is
 * called in a thread of the library, and D-RE knows the process, in
 * /proc/daware, as one that terminates on @signo. Where a process registers
 * several signals, the one whose oldest callback was registered first is the
 * one that D-RE sends.
 *
 * The callback returns 0 to say "I am terminating"; the process then ends when
 * its work is done, in its own way. Any other value refuses: it is logged
 * (LOG_NOTICE) and reported to D-RE.
 *
 * A signal may have several callbacks. They are all called, the last
 * registered first, one after the other, whatever each returns: after a
 * refusal the process may well be killed, and every part of it should have had
 * its chance. A callback that is registered meanwhile is not called for this
 * signal; one that is unregistered meanwhile, before its turn, neither.
 *
 * In the callback:
 *   - Everything is allowed that is in an ordinary thread: locks, memory, log,
 *     registering, unregistering this callback or others. Callbacks run one at
 *     a time, in the thread named "daware", which has all signals blocked and
 *     256 KiB of stack. It starts with the first registration and ends after
 *     the last.
 *   - It must return; no pthread_exit(3), longjmp(3) or C++ exception may
 *     leave it. A child that it forks must not return from it, but execve(2)
 *     or _exit(2); a program that it starts inherits the blocked signals unless
 *     the callback unblocks them before (sigprocmask(2)).
 *   - Signals that come while callbacks run are handled after them. As always
 *     with signals, several of one number that wait count as one; of different
 *     ones that wait, the lowest goes first.
 *
 * In the rest of the process:
 *   - The signal is caught with SA_RESTART and SA_ONSTACK, as sigaction(2)
 *     describes. Like any other signal it waits as long as all threads block it.
 *   - The disposition that @signo had before comes back when its last callback
 *     is unregistered. A handler that the program installs after registering
 *     takes the signal away from the callbacks, and then stays.
 *   - SIGSEGV, SIGBUS, SIGILL and SIGFPE can be registered, too. When they do
 *     not come from another process but from a faulting instruction, they go to
 *     the disposition that they had before, which from then on remains.
 *   - A child made by fork(2) inherits no registration: it gets the former
 *     dispositions back, its copies of the handles are stale, and it may
 *     register anew. Nothing is inherited by execve(2), either.
 *
 * Without D-RE's kernel module this works all the same, except that D-RE does
 * not know the process. After the module was loaded again, the next call of
 * this function or of daware_termination_unregister_callback(), or a refusal,
 * tells it all that is registered.
 *
 * Returns the handle, which the library owns; it is released by
 * daware_termination_unregister_callback(). errno is then 0 if D-RE knows the
 * registration, or says why it does not: ENODEV if the module is not loaded or
 * has no /dev/dre here, another value if it could not be asked.
 *
 * Returns NULL, with nothing changed, and errno
 *	EINVAL	@func is NULL, or @signo is not a signal that can be caught:
 *		SIGKILL, SIGSTOP, those that the C library keeps for itself (32
 *		and 33), and what is not from 1 to SIGRTMAX
 *	ENOMEM	no memory
 *	EAGAIN	the thread cannot be started
 *	or one of sigaction(2), where a filter of system calls forbids that
 */
DTermination *daware_termination_register_callback(int signo, int (*func)(int, void *), void *arg);

/**
 * daware_termination_unregister_callback() - take a registration back
 *	(section 2.6.6)
 * @dterm: its handle; one that is NULL or stale is ignored
 *
 * When it returns, the callback does not run and will not be called again, so
 * that what its argument points to may be freed: if it is running, its end is
 * waited for. (Do not hold a lock that the callback wants.) Only a callback
 * that unregisters itself, or another, does not wait.
 *
 * A signal that came before, and whose callbacks were not called yet, is lost
 * with the last of them.
 *
 * errno is unchanged.
 */
void daware_termination_unregister_callback(DTermination *dterm);

/*
 * Logging
 *
 * Messages go to the system's log daemon through /dev/log, as with syslog(3),
 * but independently of it: on a connection and with settings of their own. One
 * message is one datagram, which the threads of a process never mix:
 *
 *	<PRI>Mmm dd hh:mm:ss IDENT: TEXT
 *
 * where TEXT is what the format makes of the message. It has at most
 * DAWARE_LOG_MAX bytes; what does not fit is cut off, and "[...]" marks it.
 */

/** Bytes of the longest message, with its header. */
#define DAWARE_LOG_MAX	8192

/**
 * daware_log() - log a message (section 2.6.1)
 * @priority: a level (section 2.7.2), or a facility (2.7.1) and a level, ORed;
 *	without a facility, or with an unknown one, it is the one given to
 *	daware_log_open()
 * @file: __FILE__
 * @line: __LINE__
 * @func: __func__
 * @fmt: as in printf(3), and also %m as in syslog(3); followed by its arguments
 *
 * @file, @func and @fmt may be NULL. Only @fmt is a format: what the arguments
 * contain is never interpreted. Newlines at the end of the message are left
 * out.
 *
 * The first message opens the connection. When the daemon was restarted, the
 * next message connects again. A message that cannot be delivered, because
 * there is no daemon, is lost unless LOG_CONS or LOG_PERROR says otherwise.
 * While the daemon does not keep up, callers wait for it.
 *
 * No memory is allocated for a message. (The C library may: in printf(3), for
 * some @fmt; and once a second where it looks for the time zone, if TZ is not
 * set.) 20 KiB of the caller's stack are used. errno is unchanged. Programs
 * usually call it through the macros below.
 */
void daware_log(int priority, const char *file, int line, const char *func, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

/**
 * daware_log_open() - set who logs, and how (section 2.6.3; not required)
 * @ident: the program's name in the log, copied (its first 255 bytes); NULL or
 *	"" is program_invocation_short_name, as before the first call
 * @option: options (section 2.7.3), ORed:
 *	LOG_PID		add the process ID to each message's header: "IDENT[PID]: "
 *	LOG_CONS	write messages that cannot be delivered to /dev/console
 *	LOG_PERROR	write messages to standard error, too
 *	LOG_NDELAY	connect now, not with the first message
 *	LOG_ODELAY	the opposite, and the default
 *	LOG_NOWAIT	no effect: no process is forked to log
 * @facility: the facility of messages that name none (section 2.7.1); 0 or an
 *	unknown one is LOG_USER, as before the first call
 *
 * May be called again, to change any of this. errno is unchanged.
 */
void daware_log_open(const char *ident, int option, int facility);

/**
 * daware_log_close() - undo daware_log_open() (section 2.6.2; not required)
 *
 * Closes the connection (when the last thread that is sending on it has done
 * so) and forgets ident, options and facility; format and level stay. The next
 * message connects again. A program that closes descriptors it does not know
 * (closefrom(3)) should call this before. errno is unchanged.
 */
void daware_log_close(void);

/**
 * daware_log_set_format() - set how messages look (section 2.6.4)
 * @logfmt: text with tags, copied; NULL is the default, "%msg%"
 *
 *	%faci%	facility: kern user mail daemon auth syslog lpr news uucp cron
 *		authpriv ftp local0 ... local7, or its number, 12 to 15
 *	%lvl%	level: emerg alert crit err warning notice info debug
 *	%time%	local time: 2011-12-31T23:59:59+09:00
 *	%host%	host name
 *	%prog%	ident (see daware_log_open())
 *	%pid%	process ID, as the process itself sees it
 *	%msg%	the message
 *	%file%	source file, as it was given
 *	%line%	source line
 *	%func%	function; it and %file% are "?" where NULL was given
 *
 * Tags may occur any number of times, or not at all. All else, also a tag that
 * is unknown or not complete, stays as it is. A change of the time zone or of
 * the host name is seen within a second.
 *
 * Messages of other threads have either the old format or the new one. If there
 * is no memory the old one stays. errno is unchanged.
 */
void daware_log_set_format(const char *logfmt);

/**
 * daware_log_set_level() - set which messages are logged
 * @level: the least important level that is logged, LOG_EMERG to LOG_DEBUG (the
 *	default); others are ignored
 *
 * Messages below it cost next to nothing. errno is unchanged. An addition to
 * the specification.
 */
void daware_log_set_level(int level);

/* Section 2.3.1: DLOG(priority, fmt, ...) */
#define DLOG(priority, ...) \
	daware_log((priority), __FILE__, __LINE__, __func__, __VA_ARGS__)

/* Section 2.3.2: DLOG_*(fmt, ...) */
#define DLOG_EMERG(...)		DLOG(LOG_EMERG, __VA_ARGS__)
#define DLOG_ALERT(...)		DLOG(LOG_ALERT, __VA_ARGS__)
#define DLOG_CRIT(...)		DLOG(LOG_CRIT, __VA_ARGS__)
#define DLOG_ERR(...)		DLOG(LOG_ERR, __VA_ARGS__)
#define DLOG_WARNING(...)	DLOG(LOG_WARNING, __VA_ARGS__)
#define DLOG_NOTICE(...)	DLOG(LOG_NOTICE, __VA_ARGS__)
#define DLOG_INFO(...)		DLOG(LOG_INFO, __VA_ARGS__)
#define DLOG_DEBUG(...)		DLOG(LOG_DEBUG, __VA_ARGS__)

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif /* DAWARE_H */
