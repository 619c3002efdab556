// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Several managers want the same at once: one gets it, the others are told why
 * not, and the container is whole.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "box.h"

#define RIVALS	6

static dre_app_handle *box;

typedef int (*call_fn)(void);

struct rivals {
	pthread_barrier_t barrier;
	int results[RIVALS];
	call_fn call;
};

static struct rivals *rivals;

static int setup(void **state)
{
	pthread_barrierattr_t attr;

	(void)state;
	rivals = mmap(NULL, sizeof(*rivals), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	assert_ptr_not_equal(rivals, MAP_FAILED);
	pthread_barrierattr_init(&attr);
	pthread_barrierattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_barrier_init(&rivals->barrier, &attr, RIVALS);
	box = box_create("box");
	return 0;
}

static void *run(void *result)
{
	pthread_barrier_wait(&rivals->barrier);
	*(int *)result = rivals->call();
	return NULL;
}

static void run_processes(void)
{
	pid_t pids[RIVALS];
	int status;

	fflush(stdout);
	for (int i = 0; i < RIVALS; i++) {
		pids[i] = fork();
		if (!pids[i]) {
			run(&rivals->results[i]);
			_exit(0);
		}
	}
	for (int i = 0; i < RIVALS; i++) {
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
}

static void run_threads(void)
{
	pthread_t threads[RIVALS];

	for (int i = 0; i < RIVALS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, run, &rivals->results[i]), 0);
	for (int i = 0; i < RIVALS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
}

/* Exactly one of them succeeds. The others find it busy, or come too late. */
static void compete(call_fn call, int too_late)
{
	int winners = 0;
	static bool threads;

	threads = !threads;
	rivals->call = call;
	memset(rivals->results, 0xff, sizeof(rivals->results));
	if (threads)
		run_threads();
	else
		run_processes();
	for (int i = 0; i < RIVALS; i++) {
		int result = rivals->results[i];

		winners += result == 0;
		if (result && result != too_late && result != DRE_ERR_CONTAINER_BUSY)
			printf("# result %d (%s)\n", result, dre_strerror(result));
		assert_true(result == 0 || result == too_late || result == DRE_ERR_CONTAINER_BUSY);
	}
	assert_int_equal(winners, 1);
}

static int do_create(void)
{
	const dre_app_data data = { .type = DRE_APP_CONTAINER_TYPE_LXC };

	return dre_app_create_container("wanted", &data);
}

static int do_destroy(void)
{
	return dre_app_destroy_container("wanted");
}

static int do_start(void)
{
	return dre_app_start(box);
}

static int do_stop(void)
{
	return dre_app_stop(box);
}

static int do_suspend(void)
{
	return dre_app_suspend(box);
}

static int do_resume(void)
{
	return dre_app_resume(box);
}

static char base[32];

static int do_import(void)
{
	return dre_app_import_base(base, "/run/base", NULL, NULL);
}

/* Each of them twice: by threads, and by processes. */
static void create_and_destroy(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		compete(do_create, DRE_ERR_CONTAINER_EXISTENCE);
		compete(do_destroy, DRE_ERR_CONTAINER_NONEXISTENCE);
		do_create();
		compete(do_destroy, DRE_ERR_CONTAINER_NONEXISTENCE);
	}
}

static void start_and_stop(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		compete(do_start, DRE_ERR_CONTAINER_RUNNING);
		assert_int_equal(box_run(box, "true"), 0);
		compete(do_suspend, DRE_ERR_CONTAINER_SUSPENDED);
		compete(do_resume, DRE_ERR_CONTAINER_RUNNING);
		assert_int_equal(box_run(box, "true"), 0);
		compete(do_suspend, DRE_ERR_CONTAINER_SUSPENDED);
		compete(do_stop, DRE_ERR_CONTAINER_STOPPED);
		/* An odd number: the next round is for the other kind. */
	}
	assert_int_equal(dre_app_status(box), DRE_APP_CONTAINER_STATUS_STOP);
}

static void import(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		snprintf(base, sizeof(base), "rivals-%d-%d", getpid(), i);
		compete(do_import, DRE_ERR_BASE_EXISTENCE);
	}
}

/* The default base is made by the first who needs it, and the others wait for nothing. */
static void different_containers(void **state)
{
	dre_app_handle *handles[3];
	pid_t pids[3];
	int status;
	char name[8];

	(void)state;
	fflush(stdout);
	for (int i = 0; i < 3; i++) {
		snprintf(name, sizeof(name), "d%d", i);
		pids[i] = fork();
		if (!pids[i])
			_exit(box_run(box_start(name), "true"));
	}
	for (int i = 0; i < 3; i++) {
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
		snprintf(name, sizeof(name), "d%d", i);
		handles[i] = dre_app_open(name);
		assert_int_equal(dre_app_status(handles[i]), DRE_APP_CONTAINER_STATUS_RUNNING);
		box_destroy(handles[i]);
	}
}

/*
 * Who copies files into a container that is running does not make it busy: others go on, and it is his copy that ends.
 */

#define FILES	"/run/dre-test-files"
#define COPIERS	CGROUPS "/dre/files/box/cgroup.procs"

static int begun[2], go[2];

static void wait_once(void *waited, unsigned long long done, unsigned long long total)
{
	char c = 0;

	(void)total;
	if (!done || *(bool *)waited)
		return;
	*(bool *)waited = true;
	if (write(begun[1], &c, 1) == 1 && read(go[0], &c, 1) < 0)
		_exit(100);
}

/* In the middle of it. */
static pid_t begin_copy(void)
{
	bool waited = false;
	int result;
	pid_t pid;
	char c;

	assert_int_equal(pipe2(begun, O_CLOEXEC), 0);
	assert_int_equal(pipe2(go, O_CLOEXEC), 0);
	fflush(stdout);
	pid = fork();
	if (!pid) {
		close(go[1]);
		result = dre_app_copy_in(box, FILES, "/", wait_once, &waited);
		_exit(result ? result == DRE_ERR_CONTAINER_STOPPED ? 1 : 2 : 0);
	}
	close(begun[1]);
	close(go[0]);
	assert_int_equal(read(begun[0], &c, 1), 1);
	close(begun[0]);
	return pid;
}

/* 0: it was copied; 1: the container is stopped. */
static int end_copy(pid_t pid)
{
	int status;

	close(go[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static pid_t find_copier(void)
{
	char *procs = read_file(COPIERS);
	pid_t pid = procs ? atoi(procs) : 0;

	free(procs);
	return pid;
}

static int make_files(void **state)
{
	(void)state;
	return system("head -c 8000000 /dev/urandom >" FILES) || dre_app_start(box);
}

static int remove_files(void **state)
{
	(void)state;
	unlink(FILES);
	return dre_app_status(box) == DRE_APP_CONTAINER_STATUS_RUNNING ? dre_app_stop(box) : 0;
}

static void files_and_stop(void **state)
{
	pid_t pid = begin_copy();

	(void)state;
	assert_true(find_copier() > 0);
	assert_done(dre_app_stop(box));
	assert_int_equal(access(COPIERS, F_OK), -1);
	assert_done(dre_app_save_snapshot(box, "s"));
	assert_int_equal(end_copy(pid), 1);
	assert_done(dre_app_remove_snapshot(box, "s"));
}

static void files_and_checkpoint(void **state)
{
	pid_t pid = begin_copy();

	(void)state;
	assert_int_equal(dre_app_checkpoint(box, "c"), DRE_ERR_CONTAINER_BUSY);
	assert_non_null(strstr(dre_last_error(), "files are copied"));
	assert_int_equal(end_copy(pid), 0);
	assert_int_equal(box_run(box, "[ $(stat -c %s /dre-test-files) = 8000000 ]"), 0);
}

/* It does not hear that nobody is there any more. */
static void files_of_a_dead_manager(void **state)
{
	pid_t pid = begin_copy(), copier = find_copier();

	(void)state;
	assert_true(copier > 0);
	assert_int_equal(kill(copier, SIGSTOP), 0);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	close(go[1]);
	assert_int_equal(kill(copier, 0), 0);
	assert_done(dre_app_stop(box));
	assert_int_equal(access(COPIERS, F_OK), -1);
	assert_true(eventually(kill(copier, 0)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(create_and_destroy),
		cmocka_unit_test(start_and_stop),
		cmocka_unit_test(import),
		cmocka_unit_test(different_containers),
		cmocka_unit_test_setup_teardown(files_and_stop, make_files, remove_files),
		cmocka_unit_test_setup_teardown(files_and_checkpoint, make_files, remove_files),
		cmocka_unit_test_setup_teardown(files_of_a_dead_manager, make_files, remove_files),
	};

	return BOX_MAIN(tests, setup);
}
