# What two programs share. common/ knows no program.
common_src := $(wildcard common/*.c)

# The configuration's grammar, by bison.
common_gen := $(BUILD)/gen/config_grammar.c
common_gen_obj := $(BUILD)/obj/gen/config_grammar.o

$(BUILD)/gen/config_grammar.c: common/config_grammar.y
	@mkdir -p $(@D)
	$(BISON) --defines=$(BUILD)/gen/config_grammar.h -Wall -Werror -o $@ $<

$(BUILD)/obj/gen/config_grammar.o: $(BUILD)/gen/config_grammar.c
	@mkdir -p $(@D)
	$(CC) $(our_cppflags) $(CPPFLAGS) $(our_cflags) -Wno-conversion \
	    -Wno-switch-enum -Wno-null-dereference $(CFLAGS) -MMD -MP -c -o $@ $<
