# SPDX-License-Identifier: LGPL-2.1-or-later
#
# dre.ko: for the kernel that runs where its headers are installed, else for
# those of the virtual machine; KERNELS names others. The kernel's build system
# writes beside the sources, so each kernel gets a directory of links.

KERNELS ?= $(if $(wildcard /lib/modules/$(shell uname -r)/build),$(shell uname -r),$(VM_KERNELS))
VM_KERNELS = $(shell scripts/kernels | cut -d' ' -f2)
KERNEL_FILES := $(notdir $(wildcard kernel/*.c kernel/*.h)) Kbuild

.PHONY: modules vm-modules
all: modules
modules:
	$(Q)for k in $(KERNELS); do $(MAKE) -s --no-print-directory $(B)/module/$$k/dre.ko || exit; done
# After the others, which may be the same: two would build in one directory at once.
vm-modules: modules
	$(Q)$(MAKE) -s --no-print-directory modules KERNELS="$(VM_KERNELS)"

$(B)/module/%/dre.ko: $(addprefix kernel/,$(KERNEL_FILES)) uapi/linux/dre.h
	@mkdir -p $(@D)
	$(Q)ln -sf $(addprefix $(CURDIR)/kernel/,$(KERNEL_FILES)) $(@D)/
	$(Q)dir=/lib/modules/$*/build; \
	[ -e $$dir ] || dir=$$(scripts/kernels headers $*) || exit; \
	$(call say,KBUILD,$@)$(MAKE) -s -C $$dir M=$(CURDIR)/$(@D) DRE_UAPI=$(CURDIR)/uapi \
		CONFIG_DEBUG_INFO_BTF_MODULES= KCFLAGS=-Werror modules
