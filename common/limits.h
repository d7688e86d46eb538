/*
 * Everything that grows has its bound here, with the reason for the number.
 * Sizes are in octets and exclude a terminating NUL unless said otherwise.
 */
#ifndef COMMON_LIMITS_H
#define COMMON_LIMITS_H

/* RFC 5321 4.5.3.1: local part 64, domain 255, path 256 with its brackets.
 * Longer local parts exist in the wild (VERP), so the path is the bound. */
#define LIMIT_LOCAL_PART 255
#define LIMIT_DOMAIN 255
#define LIMIT_PATH 512

/* RFC 5321 4.5.3.1.4 says 512; room for the parameters of extensions. */
#define LIMIT_COMMAND_LINE 2048
/* RFC 5321 4.5.3.1.6 says 998 + CRLF; common software sends longer ones, and
 * a line is never held in memory, so only a broken client meets this. */
#define LIMIT_TEXT_LINE 65536

#define LIMIT_ADDRESS_TEXT 45 /* INET6_ADDRSTRLEN - 1 */
#define LIMIT_HELO 255
#define LIMIT_USER 64	 /* a login name or an authenticated user */
#define LIMIT_ENVID 100	 /* RFC 3461 4.4, in xtext */
#define LIMIT_ORCPT 500	 /* RFC 3461 4.2, with its type */
#define LIMIT_NAME 64	 /* a table, mailbox, relay or listener */
#define LIMIT_REPLY 2048 /* a whole multi-line reply, kept for `why` */
#define LIMIT_DESTINATION (LIMIT_DOMAIN + 16) /* "mx:" and the domain */

/* RFC 5321 4.5.3.1.8 demands at least 100 recipients. */
#define LIMIT_RECIPIENTS_DEFAULT 1000
#define LIMIT_EXPANSION 10000 /* recipients after aliases, a message */
#define LIMIT_ALIAS_DEPTH 32
#define LIMIT_HOPS 50 /* Received fields, RFC 5321 6.3 */

#define LIMIT_MESSAGE_SIZE_DEFAULT (50ULL * 1024 * 1024)
#define LIMIT_MESSAGE_SIZE_MOST (1024ULL * 1024 * 1024)
/* The trace header that smtpd puts before what the client sent, with an empty
 * line behind it where the client sent no header. A message may be as large as
 * was announced to the client: this comes on top. */
#define LIMIT_TRACE \
	(LIMIT_HELO + LIMIT_PATH + 2 * LIMIT_DOMAIN + LIMIT_ADDRESS_TEXT + 256)
#define LIMIT_CONTENT_SIZE_MOST (LIMIT_MESSAGE_SIZE_MOST + LIMIT_TRACE)
/* What all messages hold in memory that one smtpd worker is receiving or waits
 * to hear the outcome of, since a memfd is memory; beyond it clients are asked
 * to come back. Never less than one message of the greatest size. */
#define LIMIT_CONTENT_IN_HAND (LIMIT_MESSAGE_SIZE_MOST + 64ULL * 1024 * 1024)

/* One SMTP reply that a remote server may send, all lines. */
#define LIMIT_REMOTE_REPLY 8192

#define LIMIT_DNS_RECORDS 8192 /* encoded records of one answer */
#define LIMIT_MX 20	       /* hosts tried for one domain */
#define LIMIT_MX_ADDRESSES 40  /* addresses tried for one domain */

/* One SEQPACKET datagram. The largest message type is below this; checked at
 * compile time in message.c. */
#define LIMIT_RECORD 16384
/* Records waiting for one peer to read. Every request is answered before the
 * next one of the same handle, so only a peer that stopped reading fills it. */
#define LIMIT_CHANNEL_QUEUE 16384
/* Records read from one peer before the others have a turn. */
#define LIMIT_CHANNEL_TURN 64

#define LIMIT_WORKERS 16	  /* processes of one program */
#define LIMIT_PEERS 64		  /* links of one process, all generations */
#define LIMIT_LISTENERS 64	  /* listening sockets of one configuration */
#define LIMIT_SESSIONS 1024	  /* SMTP sessions of one smtpd worker */
#define LIMIT_CONFIG_SIZE 1048576 /* a configuration file */
/* Tables, mailboxes, relays, rules, networks, values of one list: rules are
 * compared in pairs. Longer lists belong into files. */
#define LIMIT_CONFIG_ITEMS 4096
#define LIMIT_LOG_LINE 1024

/* A table's file. It is held in memory whole; a million aliases fit. */
#define LIMIT_TABLE_SIZE (64L * 1024 * 1024)
/* Messages that one router has given to the queue and that are not yet
 * committed. More wait in the router, whose clients wait with them. */
#define LIMIT_STORING 4096
/* What those hold, since nobody in front counts it once its client has gone:
 * several times what the queue writes at once. One alone may be larger. */
#define LIMIT_STORING_OCTETS (256ULL * 1024 * 1024)
/* How long the queue may take to commit one; then the client is told to come
 * again. Below the ten minutes that RFC 5321 4.5.3.2.6 gives a client. */
#define LIMIT_STORING_SECONDS 300

/* Questions of one link that the resolver holds at a time: more than its
 * askers have sessions and deliveries for. */
#define LIMIT_QUESTIONS 8192
/* Then the answer is "timeout". Below what an SMTP client waits for a reply
 * (RFC 5321 4.5.3.2), above what a slow name server needs. */
#define LIMIT_QUESTION_SECONDS 20
/* A socket for each query on its way, and the links. */
#define LIMIT_RESOLVER_FILES 4096

/* Deliveries that one queue may have with one remote process. */
#define LIMIT_DELIVERIES 8192
/* A descriptor for each delivery and each connection, and some. */
#define LIMIT_REMOTE_FILES 16384
/* SMTP connections of one remote process: as many as the queue has deliveries
 * there, so that none waits for one behind hosts that hang. */
#define LIMIT_CONNECTIONS 1024
/* How long a connection is kept for the next message, for how many, and how old
 * it may be to begin one: hosts part their load by new connections, and what
 * DNS says of them may change. */
#define LIMIT_IDLE_SECONDS 5
#define LIMIT_MESSAGES_A_CONNECTION 100
#define LIMIT_CONNECTION_SECONDS 300
/* Addresses remembered because they did not answer, and for how long. */
#define LIMIT_BAD_ADDRESSES 512
#define LIMIT_BAD_ADDRESS_SECONDS 300
/* How long one delivery goes from address to address. */
#define LIMIT_ROUTE_SECONDS 300
/* How long one message may take on one connection, up to the end of its
 * content, however often the host shows that it lives. With the route before
 * it and the last reply behind it, below the hour after which the queue gives
 * the whole process up. */
#define LIMIT_MESSAGE_SECONDS 2400

#endif
