// SPDX-License-Identifier: LGPL-2.1-or-later
/* The headers as C++ programs use them. */
#include <cerrno>
#include <csignal>
#include <string>
#include <daware.h>
#include <dre.h>

static int terminate(int, void *name)
{
	DLOG_NOTICE("%s terminates", static_cast<std::string *>(name)->c_str());
	return 0;
}

int main()
{
	std::string name = "service";
	dre_err_t code = DRE_ERR_NO_VT;

	daware_log_open(name.c_str(), LOG_PID, LOG_DAEMON);
	daware_log_set_format("%lvl% %msg%");
	DTermination *handle = daware_termination_register_callback(SIGTERM, terminate, &name);
	if (!handle)
		return 1;
	DLOG(LOG_USER | LOG_INFO, "%s, %d", dre_strerror(code), errno);
	DLOG_DEBUG("without arguments");
	daware_termination_unregister_callback(handle);
	daware_log_close();
	return *dre_last_error() != '\0';
}
