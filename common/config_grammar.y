/*
 * The grammar of the configuration language, postern.conf(5).
 *
 * A statement ends where the next one begins; line ends are only space. What
 * the statements mean is behind config_statement.h, what they must fulfil
 * together in config_check.c. After an error the parser goes on with the next
 * statement, so that one run tells everything that is wrong.
 */
%code requires {
#include "common/config_build.h"
}

%code {
#include "common/config_statement.h"
#include "common/config_unexpected.h"
#include "common/config_words.h"

static int yylex(struct config_token *, struct config_build *);
static void yyerror(struct config_build *, const char *);
}

%define api.pure full
%define api.token.prefix {T_}
%define api.value.type {struct config_token}
%define parse.error custom
%define parse.lac full
%param {struct config_build *b}
%expect 0

%token ACCEPT "accept" ADDRESS "address" ADMIN "admin" AFTER "after"
%token ALIASES "aliases" WARN "warn"
%token ANY "any" AUTHENTICATED "authenticated" CONNECTIONS "connections"
%token DELIVER "deliver" DOMAIN "domain" FILE "file" FOR "for"
%token FORWARD "forward" FROM "from" HISTORY "history" HOSTNAME "hostname"
%token LIMIT "limit" LISTEN "listen" LOCAL "local" MAILBOX "mailbox"
%token MAILDIR "maildir" MESSAGE "message" ON "on" PER "per" PORT "port"
%token RECIPIENTS "recipients" REJECT "reject" RELAY "relay"
%token RESOLVER "resolver" RETRY "retry" RUN "run" SENDER "sender"
%token SIZE "size" SPOOL "spool" STORE "store" STUB "stub" SYSTEM "system"
%token TABLE "table" TO "to" USERS "users" VIA "via" WITH "with"
%token WORKERS "workers"
%token OPEN "{" CLOSE "}" STAR "*"
%token STRING "a text in quotes" NUMBER "a number" NETWORK "an address"
%token WORD "a word" YYEOF 0 "the end of the file"

%%

statements:
	  %empty
	| statements statement
	| statements error {
		yyerrok;
		if (!build_recover(b))
			yyclearin;
	}
	;

statement:
	  "hostname" STRING		{ build_hostname(b, &$1, &$2); }
	| "spool" STRING		{ build_spool(b, &$1, &$2); }
	| "run" STRING			{ build_run(b, &$1, &$2); }
	| "admin" STRING		{ build_admin(b, &$1, &$2); }
	| "resolver" "forward" forwards
	| "resolver" "stub" STRING address { build_stub(b, &$3, &$4); }
	| "table" STRING "file" STRING	{ build_table_file(b, &$2, &$4); }
	| "table" STRING "{" values "}"	{ build_table_list(b, &$2); }
	| "listen" "on" where "port" NUMBER { build_listen(b, &$3, &$5); }
	| "mailbox" STRING "users" users aliases "deliver" "maildir" STRING {
		build_mailbox(b, &$2, &$4, &$5, &$8);
	}
	| "relay" STRING "via" address	{ build_relay(b, &$2, &$4, NULL); }
	| "relay" STRING "via" address "port" NUMBER {
		build_relay(b, &$2, &$4, &$6);
	}
	| accept conditions action	{ build_rule_end(b); }
	| reject conditions with	{ build_rule_end(b); }
	| "limit" limit
	| "retry" "from" NUMBER "to" NUMBER "for" NUMBER {
		build_retry(b, &$1, &$3, &$5, &$7);
	}
	| "warn" "after" NUMBER		{ build_warn(b, &$1, &$3); }
	| "history" NUMBER		{ build_history(b, &$1, &$2); }
	;

forwards:
	  address			{ build_forward(b, &$1); }
	| forwards address		{ build_forward(b, &$2); }
	;

address:
	  STRING
	| NETWORK
	;

where:
	  "*"
	| address
	;

values:
	  %empty			{ build_values_start(b); }
	| values STRING			{ build_value(b, &$2); }
	;

users:
	  "system"			{ $$ = (struct config_token){ 0 }; }
	| "table" STRING		{ $$ = $2; }
	;

aliases:
	  %empty			{ $$ = (struct config_token){ 0 }; }
	| "aliases" STRING		{ $$ = $2; }
	;

accept:
	  "accept"			{ build_rule_start(b, &$1); }
	;

reject:
	  "reject"			{ build_rule_start(b, &$1); }
	;

conditions:
	  %empty
	| conditions condition
	;

condition:
	  "from" "any"			{ build_from_any(b, &$1); }
	| "from" "local"		{ build_from_local(b, &$1); }
	| "from" "authenticated"	{ build_from_authenticated(b, &$1); }
	| from_address networks
	| "sender" STRING		{ build_sender(b, &$1, &$2); }
	| "sender" "domain" STRING	{ build_sender_domain(b, &$1, &$3); }
	| "sender" "domain" "table" STRING {
		build_sender_domain_table(b, &$1, &$4);
	}
	| "to" "any"			{ build_to_any(b, &$1); }
	| "to" STRING			{ build_to(b, &$1, &$2); }
	| "to" "domain" STRING		{ build_to_domain(b, &$1, &$3); }
	| "to" "domain" "table" STRING	{ build_to_domain_table(b, &$1, &$4); }
	;

from_address:
	  "from" "address"		{ build_from_address(b, &$1); }
	;

networks:
	  address			{ build_from_network(b, &$1); }
	| networks address		{ build_from_network(b, &$2); }
	;

action:
	  "mailbox" STRING		{ build_rule_mailbox(b, &$2); }
	| "relay"			{ build_rule_relay(b, NULL); }
	| "relay" STRING		{ build_rule_relay(b, &$2); }
	;

with:
	  %empty			{ build_rule_reject(b, NULL); }
	| "with" STRING			{ build_rule_reject(b, &$2); }
	;

limit:
	  "message" "size" NUMBER	{ build_message_size(b, &$1, &$3); }
	| "store" "size" NUMBER		{ build_store_size(b, &$1, &$3); }
	| "recipients" NUMBER		{ build_recipients(b, &$1, &$2); }
	| "connections" NUMBER		{ build_connections_all(b, &$1, &$2); }
	| "connections" "per" "address" NUMBER {
		build_connections(b, &$1, &$4);
	}
	| "workers" NUMBER		{ build_workers(b, &$1, &$2); }
	;

%%

static int
yylex(struct config_token *token, struct config_build *b)
{
	return lexer_next(&b->lexer, token);
}

/* Only for what is not a syntax error: the parser's own lack of memory. */
static void
yyerror(struct config_build *b, const char *message)
{
	source_error_whole(b->lexer.source, "%s", message);
}

static int
yyreport_syntax_error(const yypcontext_t *context, struct config_build *b)
{
	yysymbol_kind_t kinds[YYNTOKENS];
	const char *names[YYNTOKENS + 1] = { NULL };
	int count = yypcontext_expected_tokens(context, kinds, YYNTOKENS);

	for (int i = 0; i < count; i++)
		names[i] = yysymbol_name(kinds[i]);
	build_unexpected(b, names);
	return 0;
}
