// SPDX-License-Identifier: LGPL-2.1-or-later
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "app.h"
#include "common/cgroupfs.h"
#include "common/property.h"
#include "network.h"

/*
 * Lists of addresses.
 */

struct address {
	int family;
	char text[INET6_ADDRSTRLEN + sizeof("/128")];
};

static bool parse_prefix(const char *text, int family)
{
	size_t len = strspn(text, "0123456789");

	return len && len <= 3 && !text[len] && atoi(text) <= (family == AF_INET ? 32 : 128);
}

static bool parse_address(struct address *a, bool with_prefix)
{
	unsigned char binary[sizeof(struct in6_addr)];
	char *slash = strchr(a->text, '/');
	bool good;

	if (!with_prefix != !slash)
		return false;
	if (slash)
		*slash = '\0';
	a->family = strchr(a->text, ':') ? AF_INET6 : AF_INET;
	good = inet_pton(a->family, a->text, binary) == 1;
	if (slash)
		*slash = '/';
	return good && (!slash || parse_prefix(slash + 1, a->family));
}

/* Takes the first one from *@list, and the comma behind it. False if it is none. */
static bool take_address(const char **list, struct address *a, bool with_prefix)
{
	size_t len = strcspn(*list, ",");

	if (len >= sizeof(a->text))
		return false;
	memcpy(a->text, *list, len);
	a->text[len] = '\0';
	*list += len;
	return parse_address(a, with_prefix);
}

const char *network_check_addresses(const char *list)
{
	struct address a;

	do {
		if (!take_address(&list, &a, true))
			return "is not a list of addresses, as 192.0.2.7/24";
	} while (*list++);
	return NULL;
}

const char *network_check_gateways(const char *list)
{
	bool has_v4 = false, has_v6 = false;
	struct address a;

	do {
		bool *has;

		if (!take_address(&list, &a, false))
			return "is not an address, as 192.0.2.1";
		has = a.family == AF_INET ? &has_v4 : &has_v6;
		if (*has)
			return "has two addresses of a kind";
		*has = true;
	} while (*list++);
	return NULL;
}

/*
 * The address of its device. Where liblxc is told none it is another one at each start, and a DHCP server takes it for
 * another container.
 */

static const char *mac_of(const struct manifest *m)
{
	const char *set = manifest_get(m, SETTING_MAC);

	return set ? set : manifest_get(m, SETTING_OWN_MAC);
}

/* Random but for two bits: it is of one device, and no maker of devices has it. */
int network_choose_mac(struct manifest *m)
{
	char text[PROPERTY_MAC_SIZE];
	unsigned char b[6];
	int err = getrandom(b, sizeof(b), 0) == sizeof(b) ? 0 : -errno;

	if (!err) {
		b[0] = (b[0] & 0xfc) | 0x02;
		snprintf(text, sizeof(text), "%02x:%02x:%02x:%02x:%02x:%02x", b[0], b[1], b[2], b[3], b[4], b[5]);
		err = manifest_set(m, SETTING_OWN_MAC, text);
	}
	return err ? dre_fail_errno(-err, "the address of the container's network device") : 0;
}

int network_ensure_mac(const struct app *app)
{
	struct manifest *m = &app->container->manifest;
	int err;

	if (app->config.network != DRE_NETWORK_BRIDGE || mac_of(m))
		return 0;
	err = network_choose_mac(m);
	return err ? err : container_commit(app->container);
}

/*
 * What liblxc is told.
 */

#define HOST_LINE	"lxc.net.0.type = none\n"
#define PORT_LINE	"lxc.environment = DRE_SSH_PORT=%s\n"

int network_check(const struct app *app, const struct manifest *m)
{
	const char *address = manifest_get(m, SETTING_ADDRESS);
	const char *gateway = manifest_get(m, SETTING_GATEWAY);
	const char *mac = mac_of(m);

	if ((address && network_check_addresses(address)) ||
	    (gateway && network_check_gateways(gateway)) || (mac && property_check_mac(mac)))
		return dre_fail(DRE_ERR_CONTAINER_UNKNOWN_STATUS,
				"container '%s': its manifest has a bad address or gateway",
				app->name);
	if ((address || gateway) && app->config.network != DRE_NETWORK_BRIDGE)
		return dre_fail(DRE_ERR_INVALID_ARGUMENT,
				"container '%s' has an address, but its network is no bridge",
				app->name);
	return 0;
}

static void write_list(FILE *f, const char *list, const char *key, bool with_prefix)
{
	struct address a;

	while (list && take_address(&list, &a, with_prefix)) {
		fprintf(f, "lxc.net.0.ipv%c.%s = %s\n", a.family == AF_INET ? '4' : '6', key,
			a.text);
		list = *list ? list + 1 : NULL;
	}
}

void network_write(FILE *f, const struct app *app, const struct manifest *m)
{
	const char *port = manifest_get(m, SETTING_PORT), *mac = mac_of(m);

	switch (app->config.network) {
	case DRE_NETWORK_EMPTY:
		fputs("lxc.net.0.type = empty\nlxc.net.0.flags = up\n", f);
		break;
	case DRE_NETWORK_NONE:
		fputs("lxc.net.0.type = empty\n", f);
		break;
	case DRE_NETWORK_HOST:
		fputs(HOST_LINE, f);	/* no namespace */
		break;
	case DRE_NETWORK_BRIDGE:
		fprintf(f, "lxc.net.0.type = veth\nlxc.net.0.link = %s\nlxc.net.0.flags = up\n",
			app->config.bridge);
		if (mac && !property_check_mac(mac))
			fprintf(f, "lxc.net.0.hwaddr = %s\n", mac);
		write_list(f, manifest_get(m, SETTING_ADDRESS), "address", true);
		write_list(f, manifest_get(m, SETTING_GATEWAY), "gateway", false);
		break;
	}
	if (port)
		fprintf(f, PORT_LINE, port);
}

/*
 * Ports of the host.
 */

static int fail_port(const struct app *app, const char *port, const char *owner)
{
	if (owner)
		return dre_fail(DRE_ERR_DEVICE_BUSY,
				"container '%s': port %s of the host's network is container '%s''s",
				app->name, port, owner);
	return dre_fail(DRE_ERR_DEVICE_BUSY,
			"container '%s': port %s of the host's network is in use "
			"(\"ss -ltnp\" shows by whom)", app->name, port);
}

/* Where nobody listens a server can bind, even if connections to an earlier one are left. */
static bool is_free(int family, const char *port)
{
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(atoi(port)) };
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(atoi(port)) };
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
	bool taken;

	if (fd < 0)	/* the host does not have this family */
		return true;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
	taken = bind(fd, family == AF_INET6 ? (void *)&v6 : (void *)&v4,
		     family == AF_INET6 ? sizeof(v6) : sizeof(v4)) && errno == EADDRINUSE;
	close(fd);
	return !taken;
}

/*
 * Was it started with that port of the host? What its manifest says may hold from its next start on only; what
 * liblxc was told is in its file.
 */
static bool has_port(const struct app *app, const char *name, const char *port)
{
	char path[PATH_MAX], wanted[64], *line = NULL;
	bool on_host = false, found = false;
	size_t size = 0;
	FILE *f;

	if (app_path(app->store, name, "config", path))
		return false;
	f = fopen(path, "re");
	if (!f)
		return false;
	snprintf(wanted, sizeof(wanted), PORT_LINE, port);
	while (getline(&line, &size, f) > 0) {
		on_host |= !strcmp(line, HOST_LINE);
		found |= !strcmp(line, wanted);
	}
	free(line);
	fclose(f);
	return on_host && found;
}

static bool is_watched(const char *name)
{
	char group[APP_GROUP_SIZE];
	bool watched;

	app_group("monitor", name, group);
	return !cgroupfs_populated(group, &watched) && watched;
}

static int check_others(const struct app *app, const char *port)
{
	char **names;
	int err = store_list_containers(app->store, &names);

	if (err)
		return err;
	for (size_t i = 0; !err && names[i]; i++)
		if (strcmp(names[i], app->name) != 0 && is_watched(names[i]) &&
		    has_port(app, names[i], port))
			err = fail_port(app, port, names[i]);
	store_free_list(names);
	return err;
}

int network_claim_port(const struct app *app)
{
	const char *port = manifest_get(&app->container->manifest, SETTING_PORT);
	int err;

	if (!port || app->config.network != DRE_NETWORK_HOST)
		return 0;
	err = store_lock_ports(app->store);
	if (!err)
		err = check_others(app, port);
	if (!err && (!is_free(AF_INET, port) || !is_free(AF_INET6, port)))
		err = fail_port(app, port, NULL);
	if (err)
		network_release_port(app);
	return err;
}

void network_release_port(const struct app *app)
{
	store_unlock_ports(app->store);
}
