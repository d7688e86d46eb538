# postern. `make help` lists what there is to make.
#
# One Makefile and a short module.mk in each folder; objects and programs go
# to build/ (build/san with SAN=1). CFLAGS, CPPFLAGS, LDFLAGS and CC are the
# user's; what postern itself needs is kept apart from them.

.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules

PREFIX ?= /usr/local
SYSCONFDIR ?= /etc
sbindir = $(PREFIX)/sbin
bindir = $(PREFIX)/bin
libexecdir = $(PREFIX)/libexec/postern
mandir = $(PREFIX)/share/man
completiondir = $(PREFIX)/share/bash-completion/completions
sysconfdir = $(SYSCONFDIR)/postern

ifeq ($(origin CC),default)
CC = cc
endif
BISON ?= bison
CFLAGS ?= -O2 -g

BUILD = build
ifeq ($(SAN),1)
BUILD = build/san
san_flags = -fsanitize=address,undefined -fno-sanitize-recover=all \
	-fno-omit-frame-pointer
endif

warnings = -Wall -Wextra -Wpedantic -Wformat=2 -Wshadow -Wstrict-prototypes \
	-Wmissing-prototypes -Wpointer-arith -Wcast-qual -Wwrite-strings \
	-Wvla -Wundef -Wconversion -Wnull-dereference -Wimplicit-fallthrough \
	-Wswitch-enum
ifeq ($(CI),true)
warnings += -Werror
endif

hardening = -fstack-protector-strong -fstack-clash-protection -fPIE
ifneq ($(SAN),1)
hardening += -D_FORTIFY_SOURCE=3
endif
hardening_ld = -pie -Wl,-z,relro,-z,now,-z,noexecstack
ifneq ($(SAN),1)
hardening_ld += -Wl,-z,defs
endif

our_cppflags = -D_GNU_SOURCE -I. -I$(BUILD)/gen \
	-DLIBEXECDIR='"$(libexecdir)"' -DCONFIG_FILE='"$(sysconfdir)/postern.conf"'
our_cflags = -std=c11 $(warnings) $(hardening) $(san_flags)
our_ldflags = $(hardening_ld) $(san_flags)

# Each module.mk adds to these: a program's name to `programs`, its sources as
# NAME_src and its libraries as NAME_libs.
programs :=
common_src :=

# Used by tests/module.mk while it is read.
object = $(addprefix $(BUILD)/obj/,$(patsubst %.c,%.o,$(1)))

all: programs
include common/module.mk supervisor/module.mk smtpd/module.mk \
	router/module.mk queue/module.mk resolver/module.mk \
	deliver/module.mk ctl/module.mk
include tests/module.mk bench/module.mk

$(BUILD)/libcommon.a: $(call object,$(common_src)) $(common_gen_obj)
	@rm -f $@
	$(AR) rcs $@ $^

define program_rule
$(BUILD)/$(1): $(call object,$($(1)_src)) $(BUILD)/libcommon.a
	$$(CC) $$(CFLAGS) $$(our_ldflags) $$(LDFLAGS) -o $$@ $$^ -Wl,--as-needed \
	    $($(1)_libs) -lbsd $$(LDLIBS)
endef
$(foreach p,$(programs),$(eval $(call program_rule,$(p))))

programs: $(addprefix $(BUILD)/,$(programs))

$(BUILD)/obj/%.o: %.c | generated
	@mkdir -p $(@D)
	$(CC) $(our_cppflags) $(CPPFLAGS) $(our_cflags) $(CFLAGS) -MMD -MP \
	    -c -o $@ $<

generated: $(common_gen)

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)

# -- Installing ----------------------------------------------------------

sbin_programs = postern posternctl postern-store
libexec_programs = $(filter-out $(sbin_programs),$(programs))

install: programs
	install -d $(DESTDIR)$(sbindir) $(DESTDIR)$(bindir) $(DESTDIR)$(libexecdir) \
	    $(DESTDIR)$(sysconfdir) $(DESTDIR)$(mandir)/man5 \
	    $(DESTDIR)$(mandir)/man8 $(DESTDIR)$(completiondir)
	install -m 755 $(addprefix $(BUILD)/,$(sbin_programs)) \
	    $(DESTDIR)$(sbindir)
	ln -sf ../sbin/posternctl $(DESTDIR)$(bindir)/mailq
	install -m 755 $(addprefix $(BUILD)/,$(libexec_programs)) \
	    $(DESTDIR)$(libexecdir)
	install -m 644 man/*.5 $(DESTDIR)$(mandir)/man5
	install -m 644 man/*.8 $(DESTDIR)$(mandir)/man8
	install -m 644 etc/completion/posternctl $(DESTDIR)$(completiondir)
	test -e $(DESTDIR)$(sysconfdir)/postern.conf || install -m 644 \
	    etc/postern.conf $(DESTDIR)$(sysconfdir)/postern.conf

users:
	tools/make-users

deps:
	tools/install-deps build

# -- Showing and proving --------------------------------------------------

demo:
	tools/install-deps build demo
	$(MAKE) programs
	tools/make-users
	tools/demo $(BUILD)

check:
	tools/install-deps build test
	$(MAKE) programs units replays tools
	tools/make-users
	tests/check $(BUILD)

# The test that kills the queue, more often than `make check` has time for.
KILLS ?= 250
kills:
	tools/install-deps build test
	$(MAKE) programs tools
	tools/make-users
	POSTERN_KILLS=$(KILLS) tests/check $(BUILD) kills

lint:
	tools/install-deps build lint
	$(MAKE) generated
	tools/lint $(our_cppflags)

help:
	@echo 'make             build everything into build/ (SAN=1: sanitizers)'
	@echo 'make check       all tests; as root; installs what it needs'
	@echo 'make demo        a live instance on 127.0.0.1; as root'
	@echo 'make install     DESTDIR= PREFIX=$(PREFIX) SYSCONFDIR=$(SYSCONFDIR)'
	@echo 'make users       create the system users that postern runs as'
	@echo 'make kills       kill -9 of the queue under load, KILLS=$(KILLS) times'
	@echo 'make fuzz        each fuzz target for FUZZ_SECONDS=$(FUZZ_SECONDS)'
	@echo 'make benches     parts of postern measured alone, see doc/performance.md'
	@echo 'make bench-queue a million messages at rest; as root, see there too'
	@echo 'make lint        formatting and static analysis'
	@echo 'make clean       remove build/'

clean:
	rm -rf build

.PHONY: all programs generated install users deps demo check kills lint help clean
