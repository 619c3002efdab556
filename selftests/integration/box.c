// SPDX-License-Identifier: LGPL-2.1-or-later
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <linux/dre.h>

#include "box.h"

#define CONF	"/run/dre-selftest.conf"

void use_conf(const char *text)
{
	FILE *f = fopen(CONF, "we");

	assert_non_null(f);
	fprintf(f, "[app]\nbase = " BASE "\n%s", text);
	fclose(f);
	setenv("DRE_CONF", CONF, 1);
}

dre_app_handle *box_create_with(const char *name, const char *base, int privileged)
{
	dre_app_create_options options = { .size = sizeof(options), .privileged = privileged };
	dre_app_data data = { .type = DRE_APP_CONTAINER_TYPE_LXC };
	dre_app_handle *h;

	data.udata.lxc.base = (char *)base;
	assert_done(dre_app_create_container_with(name, &data, &options));
	h = dre_app_open(name);
	assert_non_null(h);
	return h;
}

dre_app_handle *box_create(const char *name)
{
	return box_create_with(name, NULL, 0);
}

dre_app_handle *box_start(const char *name)
{
	dre_app_handle *h = box_create(name);

	assert_done(dre_app_start(h));
	return h;
}

/* By liblxc's way, because dre_app_get_pid() gives none for a suspended container. */
static pid_t find_init(const char *name)
{
	char path[PATH_MAX];
	char *procs;
	pid_t pid;

	snprintf(path, sizeof(path), CGROUPS "/dre/app/%s/payload/cgroup.procs", name);
	procs = read_file(path);
	pid = procs ? atoi(procs) : 0;
	free(procs);
	return pid;
}

static pid_t parent_of(pid_t pid)
{
	char path[64], *text, *line;
	int parent = 0;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	text = read_file(path);
	line = text ? strstr(text, "\nPPid:") : NULL;
	if (line)
		sscanf(line, "\nPPid: %d", &parent);
	free(text);
	return parent;
}

bool is_gone(pid_t pid)
{
	char path[64], *text, *end, state = 'Z';

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	text = read_file(path);
	end = text ? strrchr(text, ')') : NULL;
	if (end)
		sscanf(end, ") %c", &state);
	free(text);
	return state == 'Z' || state == 'X';
}

pid_t box_init(const dre_app_handle *h)
{
	int pid;

	assert_done(dre_app_get_pid(h, &pid));
	return pid;
}

void box_kill(dre_app_handle *h)
{
	pid_t init = find_init(h->name);
	pid_t monitor = init ? parent_of(init) : 0;

	if (init)
		kill(init, SIGKILL);
	assert_true(eventually(monitor <= 1 || is_gone(monitor)));
	assert_true(eventually(dre_app_status(h) == DRE_APP_CONTAINER_STATUS_STOP));
}

void box_destroy(dre_app_handle *h)
{
	if (!h)
		return;
	box_kill(h);
	assert_done(dre_app_destroy_container(h->name));
	dre_app_close(h);
}

int box_destroy_all(void **state)
{
	dre_list_t list;

	(void)state;
	use_conf("");
	assert_done(dre_app_get_container_list(&list));
	for (dre_list_t name = list; *name; name++)
		box_destroy(dre_app_open(*name));
	dre_app_release_container_list(list);
	return 0;
}

/* dre_app_exec() in a child, whose standard output is a file that is read afterwards. */
int box_ask(const dre_app_handle *h, const char **output, const char *script)
{
	char *const argv[] = { "sh", "-c", (char *)script, NULL };
	static char text[16 * 1024];
	int fd = memfd_create("output", MFD_CLOEXEC);
	int status, result;
	ssize_t len;
	pid_t pid;

	assert_true(fd >= 0);
	fflush(stdout);
	pid = fork();
	if (!pid) {
		dup2(fd, STDOUT_FILENO);
		result = dre_app_exec(h, argv, &status);
		if (result)
			fprintf(stderr, "# exec: %s\n", dre_last_error());
		_exit(result ? 255 : WIFEXITED(status) ? WEXITSTATUS(status) : 254);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	len = pread(fd, text, sizeof(text) - 1, 0);
	close(fd);
	assert_in_range(len, 0, sizeof(text) - 1);
	while (len && text[len - 1] == '\n')
		len--;
	text[len] = '\0';
	if (output)
		*output = text;
	return WEXITSTATUS(status);
}

int box_run(const dre_app_handle *h, const char *script)
{
	return box_ask(h, NULL, script);
}

/* The name of its writable layer is in the manifest. */
const char *box_layer_path(const dre_app_handle *h, const char *path)
{
	static char result[PATH_MAX];
	char manifest[PATH_MAX], layer[16], *text, *line;

	snprintf(manifest, sizeof(manifest), STORE "/containers/%s/manifest", h->name);
	text = read_file(manifest);
	assert_non_null(text);
	line = strstr(text, "\nwritable ");
	assert_non_null(line);
	assert_int_equal(sscanf(line, "\nwritable %15s", layer), 1);
	free(text);
	snprintf(result, sizeof(result), STORE "/layers/%s%s", layer, path);
	return result;
}

char *box_read(const dre_app_handle *h, const char *path)
{
	return read_file(box_layer_path(h, path));
}

bool box_says(const dre_app_handle *h, const char *text)
{
	char *journal = box_read(h, JOURNAL);
	bool says = journal && strstr(journal, text);

	free(journal);
	return says;
}

/* Has process @pid number @vpid in the pid namespace that is called @ns? */
static bool is_numbered(pid_t pid, const char *ns, pid_t vpid)
{
	char path[64], target[64] = "", *text, *line;
	int number = 0, n;

	snprintf(path, sizeof(path), "/proc/%d/ns/pid", pid);
	if (readlink(path, target, sizeof(target) - 1) < 0 || strcmp(target, ns))
		return false;
	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	text = read_file(path);
	line = text ? strstr(text, "\nNSpid:") : NULL;
	/* The last number of the line is the one in the process' own namespace. */
	for (line += line ? strlen("\nNSpid:") : 0; line && sscanf(line, "%d%n", &number, &n) == 1;)
		line = line[n] == '\n' ? NULL : line + n;
	free(text);
	return number == vpid;
}

pid_t host_pid(pid_t init, pid_t vpid)
{
	char path[64], ns[64] = "";
	struct dirent *entry;
	pid_t found = 0;
	DIR *dir = opendir("/proc");

	snprintf(path, sizeof(path), "/proc/%d/ns/pid", init);
	assert_true(readlink(path, ns, sizeof(ns) - 1) > 0);
	while (!found && (entry = readdir(dir)))
		if (isdigit((unsigned char)*entry->d_name) &&
		    is_numbered(atoi(entry->d_name), ns, vpid))
			found = atoi(entry->d_name);
	closedir(dir);
	return found;
}

void box_agent(const dre_app_handle *h, struct agent *agent, const char *arguments)
{
	char script[256];
	const char *report;

	snprintf(script, sizeof(script), "exec agent -d %s", arguments);
	assert_int_equal(box_ask(h, &report, script), 0);
	assert_int_equal(sscanf(report, "%d %d %d", &agent->vpid, &agent->thread, &agent->zombie),
			 3);
	agent->pid = host_pid(box_init(h), agent->vpid);
	assert_true(agent->pid > 0);
}

void host_agent(struct agent *agent, const char *arguments)
{
	char command[256];
	FILE *f;

	snprintf(command, sizeof(command), "/tests/integration/agent -d -l /run/journal %s",
		 arguments);
	f = popen(command, "re");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%d %d %d", &agent->vpid, &agent->thread, &agent->zombie), 3);
	assert_int_equal(pclose(f), 0);
	agent->pid = agent->vpid;
}

char *read_daware(pid_t pid)
{
	char path[64], *text;

	snprintf(path, sizeof(path), "/proc/%d/root/proc/daware", pid);
	text = read_file(path);
	assert_non_null(text);
	return text;
}

bool nothing_registered(void)
{
	char *text = read_file("/proc/daware");
	bool nothing = text && !strcmp(text, DAWARE_HEADER);

	free(text);
	return nothing;
}

void make_read_only(const char *directory)
{
	assert_int_equal(mount(directory, directory, NULL, MS_BIND, NULL), 0);
	assert_int_equal(mount(NULL, directory, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL), 0);
}

const char *cgroup_of(pid_t pid)
{
	static char line[PATH_MAX];
	char path[64], *text, *found;

	snprintf(path, sizeof(path), "/proc/%d/cgroup", pid);
	text = read_file(path);
	assert_non_null(text);
	found = strstr(text, "0::");
	assert_non_null(found);
	snprintf(line, sizeof(line), "%s", found + 3);
	line[strcspn(line, "\n")] = '\0';
	free(text);
	return line;
}

void load_module(void)
{
	assert_int_equal(system("modprobe dre"), 0);
}

void unload_module(void)
{
	assert_int_equal(system("rmmod dre"), 0);
}

bool module_knows(const char *name)
{
	struct dre_container_open request = { .size = sizeof(request), .type = DRE_CONTAINER_APP };
	int dre = open("/dev/dre", O_RDWR | O_CLOEXEC);
	int ret;

	assert_true(dre >= 0);
	strcpy(request.name, name);
	ret = ioctl(dre, DRE_IOC_CONTAINER_OPEN, &request);
	if (ret == 0)
		close(request.fd);
	close(dre);
	return ret == 0;
}

int box_main(const struct CMUnitTest *tests, size_t nr, CMFixtureFunction setup)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	use_conf("");
	if (getenv("DRE_TESTS"))
		cmocka_set_test_filter(getenv("DRE_TESTS"));
	return _cmocka_run_group_tests("", tests, nr, setup, box_destroy_all);
}
