/*
 * The rows of the store: their keys and their values.
 *
 * Integers in keys are big-endian, so that order is meaning; each value begins
 * with a format number, so that a row says how it is to be read: those of an
 * older schema are read as well, and written anew when they change. A row is
 * checked when it is read, although only we wrote it: a stored field is never
 * believed to be a bound, and since schema 2 a checksum of its own ends each
 * value, so that a row is what it was or is no row. A key has none: whatever
 * is found under a wrong one disagrees with the rows that it belongs to. Texts of a decoded row are lent by the octets it was
 * decoded from. Pure: no I/O.
 */
#ifndef QUEUE_STORE_ROW_H
#define QUEUE_STORE_ROW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/limits.h"
#include "common/wire.h"

/* LMDB's own bound on a key. */
#define ROW_KEY_SIZE 511
/* The longest value, content apart. */
#define ROW_VALUE_SIZE 8192
/* A chunk of content fills eight pages exactly: LMDB puts a header of 16
 * octets before it. */
#define ROW_CHUNK_SIZE (32 * 1024 - 16)

/* One message. `arrival` is in milliseconds since the epoch; `open` counts
 * the recipients that still have a row. */
struct row_message {
	uint64_t arrival;
	uint64_t size;
	const char *sender;
	const char *client_address;
	const char *helo;
	const char *user;
	uint8_t protocol; /* enum smtp_protocol */
	uint8_t body;	  /* enum smtp_body */
	uint32_t recipients;
	uint32_t open;
	uint64_t digest;   /* of the content (digest.h); 0: unknown */
	uint8_t ret;	   /* enum dsn_ret */
	const char *envid; /* in xtext, as given; "" none */
};

/* One recipient that has not got the message yet. `due` is in seconds; it is
 * in the due index exactly if the state is RECIPIENT_WAITING. */
struct row_recipient {
	const char *address;
	const char *original;
	uint8_t kind; /* enum route_kind */
	const char *name;
	const char *user;
	const char *destination;
	uint8_t state; /* enum recipient_state */
	uint32_t attempts;
	uint64_t due;
	const char *host;  /* who gave the last reply, */
	const char *reply; /* and what it was, in full */
	uint8_t notify;	   /* DSN_NOTIFY_*; 0: not given */
	const char *orcpt; /* "type;xtext", as given; "" none */
	uint8_t told;	   /* DSN_TOLD_* */
};

/* One destination that has mail. `wake` is the time in its key in the wake
 * index, 0 if it has none. `reply` is the last error of the destination as
 * a whole. */
struct row_destination {
	uint64_t waiting;
	uint64_t held;
	uint64_t failed;
	uint64_t wake;
	uint64_t backoff_until;
	uint32_t failures; /* in a row */
	const char *reply;
};

/* One thing that happened. What does not belong to its kind, or is not known,
 * is 0 or "", and costs the row nothing. For writing NULL is "". */
struct row_event {
	uint64_t time;
	uint8_t what;	     /* enum event_kind */
	uint32_t recipient;  /* its number */
	const char *address; /* of the recipient; "" for EVENT_TRIED */

	/* EVENT_ACCEPTED, of which there is one for each recipient: how it was
	 * routed, */
	const char *original;
	const char *destination; /* also of what follows */
	uint8_t route;		 /* enum route_kind + 1 */
	const char *name;	 /* the mailbox or relay */
	const char *owner;	 /* of the mailbox */
	uint32_t rule;		 /* the line in `config` */
	const char *via;	 /* aliases, see via.h */
	/* and, with the first recipient only, what the client gave. */
	const char *sender;
	const char *helo;
	const char *user; /* who had logged in */
	uint8_t protocol; /* enum smtp_protocol + 1 */
	uint64_t size;
	const char *config; /* the file */

	/* The other end: the client of EVENT_ACCEPTED, the host of an attempt.
	 * Of rows of schema 1 `host` is all of an attempt's: "name[address]:25".
	 */
	const char *host;
	const char *peer; /* its address */
	uint16_t port;
	const char *tls_version; /* both "": plain text */
	const char *tls_cipher;

	/* An attempt. */
	const char *detail; /* the reply; elsewhere what else there is to say */
	uint32_t took;	    /* milliseconds */
	uint32_t attempt;   /* the how manieth; 0 in rows of schema 1 */
	uint64_t next_try;  /* of EVENT_DEFERRED */

	uint64_t by;	  /* the administrator's uid + 1; 0: nobody */
	uint64_t report;  /* EVENT_BOUNCED, EVENT_WARNED: the id of that */
	uint32_t dropped; /* so many events were not kept before this one */
};

/* What the whole store holds. */
struct row_totals {
	uint64_t messages;
	uint64_t bytes;
	uint64_t waiting;
	uint64_t held;
	uint64_t failed;
};

/* Encoders return the length; 0 if a field is longer than it may be. `value`
 * has ROW_VALUE_SIZE octets. */
size_t row_message_encode(const struct row_message *, uint8_t *value);
size_t row_recipient_encode(const struct row_recipient *, uint8_t *value);
size_t row_destination_encode(const struct row_destination *, uint8_t *value);
size_t row_event_encode(const struct row_event *, uint8_t *value);
size_t row_totals_encode(const struct row_totals *, uint8_t *value);

/* -1 with EBADMSG if the octets are not such a row. */
int row_message_decode(struct row_message *, const void *, size_t)
    __attribute__((warn_unused_result));
int row_recipient_decode(struct row_recipient *, const void *, size_t)
    __attribute__((warn_unused_result));
int row_destination_decode(struct row_destination *, const void *, size_t)
    __attribute__((warn_unused_result));
int row_event_decode(struct row_event *, const void *, size_t)
    __attribute__((warn_unused_result));
int row_totals_decode(struct row_totals *, const void *, size_t)
    __attribute__((warn_unused_result));

/* A key under construction, or taken apart. */
struct row_key {
	size_t length;
	uint8_t octets[ROW_KEY_SIZE];
};

/* When and what is due at a destination, in the order of the due index. */
struct row_place {
	uint64_t time;
	uint64_t id;
	uint32_t number;
};

struct row_key row_key_id(uint64_t id);		      /* message */
struct row_key row_key_number(uint64_t id, uint32_t); /* recipient, event,
						       * content */
struct row_key row_key_due(const char *destination, const struct row_place *);
struct row_key row_key_report(uint64_t time, uint64_t id);
struct row_key row_key_wake(uint64_t time, const char *destination);
struct row_key row_key_text(const char *text); /* destination, meta */
/* Addresses are found in any case; a very long one by its beginning. */
struct row_key row_key_address(const char *address, uint64_t id);

int row_key_id_read(const void *, size_t, uint64_t *id)
    __attribute__((warn_unused_result));
int row_key_number_read(const void *, size_t, uint64_t *id, uint32_t *number)
    __attribute__((warn_unused_result));
/* `destination` is lent from the key and ends in NUL there. */
int row_key_due_read(const void *, size_t, const char **destination,
    struct row_place *) __attribute__((warn_unused_result));
int row_key_report_read(const void *, size_t, uint64_t *time, uint64_t *id)
    __attribute__((warn_unused_result));
/* Copies the destination: `destination` has LIMIT_DESTINATION + 1 octets. */
int row_key_wake_read(const void *, size_t, uint64_t *time, char *destination)
    __attribute__((warn_unused_result));
/* True if it lies among the keys of this address, be it one or not. */
bool row_key_address_begins(const void *, size_t, const char *address);
/* True if the key is one of this address; sets the id. */
bool row_key_address_matches(
    const void *, size_t, const char *address, uint64_t *id);

/* <0, 0, >0, as the due index orders them. */
int row_place_compare(const struct row_place *, const struct row_place *);

#endif
