// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Has an empty machine of KVM, and says so with a line, until it is killed. As long as there is one the
 * kernel does not switch its code for machines on and off again: see run.
 */
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

int main(void)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	if (kvm < 0 || ioctl(kvm, KVM_CREATE_VM, 0) < 0) {
		perror("/dev/kvm");
		return 1;
	}
	puts("held");
	fflush(stdout);
	for (;;)
		pause();
}
