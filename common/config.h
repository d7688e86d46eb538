/*
 * The configuration, as all programs have it in memory. How it is read is in
 * config_load.h.
 *
 * Nothing here is a secret. Strings belong to the configuration.
 */
#ifndef COMMON_CONFIG_H
#define COMMON_CONFIG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "common/limits.h"
#include "common/network.h"

enum table_kind {
	TABLE_LIST, /* written in the configuration: { "a" "b" } */
	TABLE_FILE, /* a text file of "key: value" lines, as aliases(5) */
};

struct table_config {
	char *name;
	enum table_kind kind;
	char *path;    /* TABLE_FILE */
	char **values; /* TABLE_LIST, ends in NULL */
};

/* listen on * port 25 */
struct listen_config {
	char *address; /* "*" or the text of an address */
	uint16_t port;
};

enum mailbox_users {
	MAILBOX_USERS_SYSTEM, /* every login name but root's */
	MAILBOX_USERS_TABLE,  /* key: local part; value: login, else the key */
};

enum mailbox_format {
	MAILBOX_MAILDIR,
};

/* mailbox "people" users system aliases "aliases" deliver maildir "~/Maildir" */
struct mailbox_config {
	char *name;
	enum mailbox_users users;
	char *users_table; /* MAILBOX_USERS_TABLE */
	char *aliases;	   /* a table's name, or NULL */
	enum mailbox_format format;
	char *path; /* absolute, or "~/" and a path below the home */
};

/* relay "inside" via "192.0.2.9" port 2525 */
struct relay_config {
	char *name;
	char *via; /* a host name or the text of an address */
	uint16_t port;
};

enum rule_action {
	RULE_MAILBOX,
	RULE_RELAY, /* to `relay`, or by MX if that is NULL */
	RULE_REJECT,
};

/* accept from ... sender ... to ... action; reject ... */
struct rule_config {
	unsigned int line; /* in the file, for the log and `explain` */
	/* What must match; absent conditions match all. */
	bool from_local; /* loopback, or the host's own submission socket */
	bool from_authenticated;
	struct network *from; /* `from_count` of them; any one matches */
	unsigned int from_count;
	char *sender_domain; /* lower case */
	char *sender_domain_table;
	char *sender; /* a whole address, canonical */
	char *to_domain;
	char *to_domain_table;
	char *to; /* a whole address */
	enum rule_action action;
	char *mailbox;
	char *relay;
	uint16_t reject_code; /* 4xx or 5xx */
	char *reject_reply;   /* enhanced code and text */
};

struct stub_config {
	char *domain;
	char *server; /* "192.0.2.1" or "192.0.2.1@5353" */
};

/* Durations are in seconds, sizes in octets. */
struct config {
	char *path; /* the file, for messages */
	char *hostname;
	char *spool;
	char *run;
	char *admin;	 /* NULL: postmaster@hostname */
	char **forwards; /* DNS servers to ask; ends in NULL, may be empty */
	struct stub_config *stubs;
	unsigned int stub_count;
	struct table_config *tables;
	unsigned int table_count;
	struct listen_config *listens;
	unsigned int listen_count;
	struct mailbox_config *mailboxes;
	unsigned int mailbox_count;
	struct relay_config *relays;
	unsigned int relay_count;
	struct rule_config *rules;
	unsigned int rule_count;
	uint64_t limit_message_size;
	uint64_t limit_store_size;	    /* the LMDB map, on disk at most */
	unsigned int limit_recipients;	    /* a transaction */
	unsigned int limit_connections;	    /* from one address */
	unsigned int limit_connections_all; /* of all clients */
	unsigned int limit_workers;	    /* smtpd processes; 0: one a core */
	unsigned int retry_from;
	unsigned int retry_to;
	unsigned int retry_for;
	unsigned int warn_after; /* seconds; 0: nobody is warned */
	unsigned int history;
};

/* Accepts none. */
void config_free(struct config **);
/* Frees what a rule holds, and leaves an empty one. */
void rule_config_clear(struct rule_config *);

/* The whole effective configuration, with defaults, in its own language. */
void config_print(const struct config *, FILE *);

/* NULL if there is none of that name. */
const struct table_config *config_table(const struct config *, const char *);
const struct mailbox_config *config_mailbox(
    const struct config *, const char *);
const struct relay_config *config_relay(const struct config *, const char *);

#endif
