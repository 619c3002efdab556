// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <unistd.h>

#include "lock.h"

static int set(int fd, int cmd, enum lock_byte byte, short type)
{
	struct flock lock = {
		.l_type = type,
		.l_whence = SEEK_SET,
		.l_start = byte,
		.l_len = 1,
	};

	while (fcntl(fd, cmd, &lock) < 0) {
		if (errno == EACCES)	/* what POSIX allows for EAGAIN */
			return -EAGAIN;
		if (errno != EINTR)
			return -errno;
	}
	return 0;
}

int lock_try(int fd, enum lock_byte byte, short type)
{
	return set(fd, F_OFD_SETLK, byte, type);
}

int lock_wait(int fd, enum lock_byte byte, short type)
{
	return set(fd, F_OFD_SETLKW, byte, type);
}

void lock_release(int fd, enum lock_byte byte)
{
	set(fd, F_OFD_SETLK, byte, F_UNLCK);
}

int lock_test(int fd, enum lock_byte byte, bool *held)
{
	struct flock lock = {
		.l_type = F_WRLCK,
		.l_whence = SEEK_SET,
		.l_start = byte,
		.l_len = 1,
	};

	if (fcntl(fd, F_OFD_GETLK, &lock) < 0)
		return -errno;
	*held = lock.l_type != F_UNLCK;
	return 0;
}
