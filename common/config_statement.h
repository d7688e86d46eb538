/*
 * What the grammar does for each statement, or each part of one: it checks the
 * words by themselves, reports what is wrong at its place, and adds to the
 * configuration.
 */
#ifndef COMMON_CONFIG_STATEMENT_H
#define COMMON_CONFIG_STATEMENT_H

#include "common/config_build.h"

#define TOKEN const struct config_token *
/* Tables, listeners, mailboxes, relays: config_thing.c. */
void build_values_start(struct config_build *);
void build_value(struct config_build *, TOKEN value);
void build_table_list(struct config_build *, TOKEN name);
void build_table_file(struct config_build *, TOKEN name, TOKEN path);
void build_listen(struct config_build *, TOKEN where, TOKEN port);
void build_mailbox(
    struct config_build *, TOKEN name, TOKEN users, TOKEN aliases, TOKEN path);
void build_relay(struct config_build *, TOKEN name, TOKEN via, TOKEN port);

/* Settings: config_setting.c. */
void build_hostname(struct config_build *, TOKEN at, TOKEN name);
void build_spool(struct config_build *, TOKEN at, TOKEN path);
void build_run(struct config_build *, TOKEN at, TOKEN path);
void build_admin(struct config_build *, TOKEN at, TOKEN address);
void build_forward(struct config_build *, TOKEN server);
void build_stub(struct config_build *, TOKEN domain, TOKEN server);
void build_message_size(struct config_build *, TOKEN at, TOKEN size);
void build_store_size(struct config_build *, TOKEN at, TOKEN size);
void build_recipients(struct config_build *, TOKEN at, TOKEN count);
void build_connections(struct config_build *, TOKEN at, TOKEN count);
void build_connections_all(struct config_build *, TOKEN at, TOKEN count);
void build_workers(struct config_build *, TOKEN at, TOKEN count);
void build_retry(
    struct config_build *, TOKEN at, TOKEN from, TOKEN to, TOKEN period);
void build_warn(struct config_build *, TOKEN at, TOKEN period);
void build_history(struct config_build *, TOKEN at, TOKEN period);

/* Rules: config_rule.c. */
void build_rule_start(struct config_build *, TOKEN at);
void build_from_any(struct config_build *, TOKEN at);
void build_from_local(struct config_build *, TOKEN at);
void build_from_authenticated(struct config_build *, TOKEN at);
void build_from_address(struct config_build *, TOKEN at);
void build_from_network(struct config_build *, TOKEN network);
void build_sender(struct config_build *, TOKEN at, TOKEN address);
void build_sender_domain(struct config_build *, TOKEN at, TOKEN domain);
void build_sender_domain_table(struct config_build *, TOKEN at, TOKEN table);
void build_to_any(struct config_build *, TOKEN at);
void build_to(struct config_build *, TOKEN at, TOKEN address);
void build_to_domain(struct config_build *, TOKEN at, TOKEN domain);
void build_to_domain_table(struct config_build *, TOKEN at, TOKEN table);
void build_rule_mailbox(struct config_build *, TOKEN name);
void build_rule_relay(struct config_build *, TOKEN name);
void build_rule_reject(struct config_build *, TOKEN reply);
void build_rule_end(struct config_build *);
#undef TOKEN

#endif
