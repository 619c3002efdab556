# SPDX-License-Identifier: LGPL-2.1-or-later

REFERENCES := $(B)/man/dre_app.3 $(B)/man/dre_sys.3
MANPAGES += $(wildcard */man/*.[1-8]) $(REFERENCES)

# The reference of a library is what its header says.
all: $(REFERENCES)
$(B)/man/dre_app.3: KIND := application
$(B)/man/dre_sys.3: KIND := system
$(REFERENCES): $(B)/man/%.3: libdre/include/%.h scripts/header-man
	@mkdir -p $(@D)
	$(Q)$(call say,MAN,$@)scripts/header-man $< $(KIND) "November 25, 2026" >$@

# A page is found by all the names that it has.
.PHONY: install-man-names
install: install-man-names
install-man-names:
	for m in $(MANPAGES); do \
		section=$${m##*.} page=$${m##*/} dir=$(DESTDIR)$(mandir)/man$${m##*.}; \
		$(INSTALL) -d $$dir || exit; \
		sed -n '/^\.Sh NAME/,/^\.Nd/s/^\.Nm \([^ ]*\).*/\1/p' $$m | while read -r name; do \
			[ $$name.$$section = $$page ] || ln -sf $$page $$dir/$$name.$$section || exit; \
		done || exit; \
	done

# The program that makes each request, built as a user builds it. What uapi.md shows is out of it.
UAPI_EXAMPLE := $(B)/tests/integration/dre-uapi
integration-tests: $(UAPI_EXAMPLE)
$(UAPI_EXAMPLE): Documentation/examples/dre-uapi.c Documentation/uapi.md uapi/linux/dre.h
	@mkdir -p $(@D)
	$(Q)sed 's/^[[:space:]]*//' $< >$@.lines
	$(Q)! awk '/^```$$/ { c = 0 } c { sub(/^[ \t]*/, ""); print } /^```c$$/ { c = 1 }' \
		Documentation/uapi.md | grep -vxFf $@.lines
	$(Q)rm $@.lines; $(call say,CC,$@)$(CC) -Iuapi $(WARNINGS) -o $@ $<

# The same for libdreapp.
APP_EXAMPLE := $(B)/tests/integration/dre-app-tour
integration-tests: $(APP_EXAMPLE)
$(APP_EXAMPLE): Documentation/examples/dre-app-tour.c libdre/include/dre_app.h $(B)/lib/libdreapp.so $(B)/lib/libdaware.so
	@mkdir -p $(@D)
	$(Q)$(call say,CC,$@)$(CC) -Ilibdre/include -Ilibdaware $(WARNINGS) -o $@ $< -L$(B)/lib -ldreapp -ldaware
