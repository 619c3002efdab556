# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Tests of libdaware. Most are linked with the library's own objects, compiled for the address and
# undefined behaviour sanitizers; those with threads once more for the thread sanitizer.

DAWARE_TESTS := error format module log log-memory termination
DAWARE_TSAN_TESTS := log termination

# Programs that use the shared library, as others do. Those that need dre.ko, or daemons, are built
# here and run in the virtual machine.
DAWARE_VM_TESTS := log-daemon termination-module
DAWARE_PLAIN_TESTS := daware-run loading log-fork log-million termination-fork $(DAWARE_VM_TESTS)

# The specification and its check are not of this repository.
SHARED ?= ../shared

ASAN := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -O1
TSAN := -fsanitize=thread -fno-omit-frame-pointer -O1

$(B)/obj/asan/%.o: %.c Makefile | $(B)/include/dre_paths.h
	@mkdir -p $(@D)
	$(Q)$(call say,ASAN,$<)$(CC) $(ALL_CPPFLAGS) $(PKG_CFLAGS) $(ALL_CFLAGS) $(ASAN) -MMD -MP -c -o $@ $<

$(B)/obj/tsan/%.o: %.c Makefile | $(B)/include/dre_paths.h
	@mkdir -p $(@D)
	$(Q)$(call say,TSAN,$<)$(CC) $(ALL_CPPFLAGS) $(PKG_CFLAGS) $(ALL_CFLAGS) $(TSAN) -MMD -MP -c -o $@ $<

DAWARE_TEST_SOURCES := $(wildcard libdaware/*.c) \
	$(addprefix selftests/libdaware/,callbacks.c sandbox.c wrap.c)
DAWARE_TEST_LDFLAGS := -Wl,--wrap=malloc -Wl,--wrap=pthread_create -Wl,--wrap=sigaction
DAWARE_TEST_LIBS := -lcmocka -pthread

DAWARE_ASAN_PROGRAMS := $(DAWARE_TESTS:%=$(B)/tests/libdaware/%)
DAWARE_TSAN_PROGRAMS := $(DAWARE_TSAN_TESTS:%=$(B)/tests/libdaware/%-tsan)
DAWARE_PLAIN_PROGRAMS := $(DAWARE_PLAIN_TESTS:%=$(B)/tests/libdaware/%)

$(DAWARE_ASAN_PROGRAMS): $(B)/tests/libdaware/%: $(B)/obj/asan/selftests/libdaware/%.o \
		$(DAWARE_TEST_SOURCES:%.c=$(B)/obj/asan/%.o)
	@mkdir -p $(@D)
	$(Q)$(call say,LD,$@)$(CC) $(ASAN) $(DAWARE_TEST_LDFLAGS) -o $@ $^ $(DAWARE_TEST_LIBS)

$(DAWARE_TSAN_PROGRAMS): $(B)/tests/libdaware/%-tsan: $(B)/obj/tsan/selftests/libdaware/%.o \
		$(DAWARE_TEST_SOURCES:%.c=$(B)/obj/tsan/%.o)
	@mkdir -p $(@D)
	$(Q)$(call say,LD,$@)$(CC) $(TSAN) $(DAWARE_TEST_LDFLAGS) -o $@ $^ $(DAWARE_TEST_LIBS)

# loading finds the library at run time.
$(filter-out %/loading,$(DAWARE_PLAIN_PROGRAMS)): DAWARE_TEST_LIBS += -ldaware
$(filter %/termination-fork %/termination-module,$(DAWARE_PLAIN_PROGRAMS)): \
	$(B)/obj/selftests/libdaware/callbacks.o

$(DAWARE_PLAIN_PROGRAMS): $(B)/tests/libdaware/%: $(B)/obj/selftests/libdaware/%.o \
		$(B)/obj/selftests/libdaware/sandbox.o $(B)/lib/libdaware.so
	@mkdir -p $(@D)
	$(Q)$(call say,LD,$@)$(CC) -Wl,-rpath,'$$ORIGIN/../../lib' -o $@ $(filter %.o,$^) -L$(B)/lib \
		$(DAWARE_TEST_LIBS)

# libFuzzer comes with clang. It finds what is wrong with memory by the sanitizers.
DAWARE_FUZZ := $(B)/tests/libdaware/format-fuzz
$(DAWARE_FUZZ): selftests/libdaware/format-fuzz.c libdaware/format.c libdaware/format.h Makefile
	@mkdir -p $(@D)
	$(Q)$(call say,FUZZ,$@)clang-14 $(ALL_CPPFLAGS) -std=gnu11 $(WARNINGS) -O1 -g \
		-fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -o $@ $(filter %.c,$^)

.PHONY: tests daware-tests check-libdaware check-conformance-daware
tests: daware-tests
daware-tests: $(DAWARE_ASAN_PROGRAMS) $(DAWARE_TSAN_PROGRAMS) $(DAWARE_PLAIN_PROGRAMS) \
	$(DAWARE_EXAMPLES) $(DAWARE_FUZZ) $(B)/bin/daware-run

check-libdaware: daware-tests
	$(Q)selftests/libdaware/run $(B)/tap $(DAWARE_ASAN_PROGRAMS) $(DAWARE_TSAN_PROGRAMS) \
		$(filter-out $(DAWARE_VM_TESTS:%=$(B)/tests/libdaware/%),$(DAWARE_PLAIN_PROGRAMS)) \
		$(addprefix selftests/libdaware/,examples fuzz leaks)

check-conformance-daware: $(B)/lib/libdaware.so $(B)/lib/libdaware.a
	$(Q)selftests/libdaware/conformance $(SHARED) $(B)
