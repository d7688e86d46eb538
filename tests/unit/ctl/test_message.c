/* posternctl why, show and trace: one message, and its life. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <sysexits.h>

#include "tests/unit/ctl/false_queue.h"

static void
says_why(void **state)
{
	(void)state;
	assert_int_equal(run(why_run, 0, id_text(0)), EX_OK);
	assert_non_null(strstr(run_out,
	    "waits for its next try, in 5 minutes (2026-02-01 00:04:59)"));
	assert_non_null(strstr(run_out,
	    "last reply, from mx.other.test:\n    450-4.2.0 not\n"
	    "    450 4.2.0 \\x1b[2Jnow\n"));
	assert_non_null(strstr(run_out, "(sent to robert@here.test)"));
	assert_non_null(strstr(run_out, "carol@here.test\n"));
	assert_non_null(
	    strstr(run_out, "is held, until \"posternctl release "));
	assert_int_equal(run(why_run, 0, id_text(MANY + 99)), EX_NOINPUT);
	assert_non_null(strstr(run_err, "is not in the queue"));
	assert_non_null(strstr(run_err, "posternctl trace"));
	assert_int_equal(run(why_run, 0, "12"), EX_DATAERR);
	assert_int_equal(run(why_run, 0, ""), EX_USAGE);
}

static void
shows(void **state)
{
	char words[64];

	(void)state;
	assert_int_equal(run(show_run, 0, id_text(0)), EX_OK);
	assert_non_null(strstr(run_out, "sender     alice@here.test\n"));
	assert_non_null(strstr(run_out, "client     192.0.2.7\n"));
	assert_non_null(strstr(run_out, "ret        HDRS\n"));
	assert_non_null(strstr(run_out, "envid      QQ+20x\n"));
	assert_non_null(strstr(run_out, "  notify   SUCCESS,DELAY\n"));
	assert_non_null(
	    strstr(run_out, "  orcpt    rfc822;robert+2Bx@here.test\n"));
	/* Of who said nothing, nothing is shown. */
	assert_null(strstr(strstr(run_out, "  orcpt ") + 1, "  notify"));
	assert_non_null(strstr(
	    run_out, "recipient  carol@here.test (local:carol), held\n"));
	assert_non_null(strstr(run_out,
	    "bob@other.test (mx:other.test), waiting, tried 3 times, next try "
	    "in 5m\n"));
	assert_non_null(strstr(run_out, "\n\nA: b\r\n\r\nhi\a"));
	run_ctl.terminal = true;
	assert_int_equal(run(show_run, 0, id_text(0)), EX_OK);
	run_ctl.terminal = false;
	assert_non_null(strstr(run_out, "\n\nA: b\n\nhi\\x07"));
	snprintf(words, sizeof(words), "--content %s", id_text(0));
	assert_int_equal(run(show_run, 0, words), EX_OK);
	assert_string_equal(run_out, false_queue_content);
	snprintf(words, sizeof(words), "--json %s", id_text(0));
	assert_int_equal(run(show_run, 0, words), EX_OK);
	assert_non_null(strstr(run_out,
	    "\"sender\":\"alice@here.test\",\"ret\":\"HDRS\","
	    "\"envid\":\"QQ+20x\",\"content_base64\":\"QTogYg0K"));
	assert_non_null(strstr(run_out,
	    "\"notify\":\"SUCCESS,DELAY\","
	    "\"orcpt\":\"rfc822;robert+2Bx@here.test\",\"paused\":false}\n"));
	assert_non_null(strstr(
	    run_out, "\"notify\":\"\",\"orcpt\":\"\",\"paused\":false}\n"));
	snprintf(words, sizeof(words), "--json --content %s", id_text(0));
	assert_int_equal(run(show_run, 0, words), EX_USAGE);
	assert_string_equal(run_out, "");
	assert_non_null(strstr(run_err, "not both"));
	assert_int_equal(run(show_run, 0, id_text(9)), EX_NOINPUT);
	assert_int_equal(run(show_run, 0, id_text(2)), EX_IOERR);
	assert_non_null(strstr(run_err, "cannot be read from the store"));
}

/* No line is longer than 80 columns, whatever has to stand in it. */
static void
is_narrow(const char *text)
{
	while (*text != '\0') {
		size_t length = strcspn(text, "\n");

		assert_true(length <= 80);
		text += length + (text[length] == '\n');
	}
}

static void
traces(void **state)
{
	char expected[2048];
	const char *id = id_text(0);

	(void)state;
	assert_int_equal(run(trace_run, 0, id), EX_OK);
	snprintf(expected, sizeof(expected),
	    "2026-01-31 23:58:59 %s accepted from <> to bob@other.test\n"
	    "    by client.test [192.0.2.9], TLSv1.3 "
	    "TLS_AES_256_GCM_SHA384, HELO client,\n"
	    "    logged in as sue, ESMTPSA, 1234 octets\n"
	    "    by the rule in line 31 of /etc/postern/postern.conf\n"
	    "    given as robert@here.test\n"
	    "    by the alias robert of the table aliases of the mailbox "
	    "people in\n    /etc/aliases:7\n"
	    "    by the alias bob of the table aliases of the mailbox "
	    "people in\n    /etc/aliases:9\n"
	    "    to the mail hosts of its domain, in line for mx:other.test\n"
	    "2026-01-31 23:59:09 %s deferred bob@other.test\n"
	    "    (3 events before this one were too many to be kept)\n"
	    "    mx.other.test [2001:db8::1]:25, plain text, attempt 2, in "
	    "1500 ms, next\n    2026-02-01 00:04:59\n"
	    "    450-4.2.0 later\\x07\n"
	    "    450 4.2.0 on another day, when this line will be no "
	    "shorter than now\n"
	    "2026-01-31 23:59:19 %s removed bob@other.test\n"
	    "    by uid 4294967294\n"
	    "2026-01-31 23:59:29 %s bounced bob@other.test\n"
	    "    its sender is told in %s\n"
	    "2026-01-31 23:59:39 %s deferred bob@other.test\n"
	    "    mx.other.test[192.0.2.1]:25\n"
	    "    450 later\n",
	    id, id, id, id, id, id);
	assert_string_equal(run_out, expected);
	is_narrow(run_out);
}

static void
traces_in_json(void **state)
{
	char words[64];

	(void)state;
	snprintf(words, sizeof(words), "--json %s", id_text(0));
	assert_int_equal(run(trace_run, 0, words), EX_OK);
	assert_non_null(strstr(run_out,
	    "\"event\":\"accepted\",\"address\":\"bob@other.test\","
	    "\"sender\":\"\",\"original\":\"robert@here.test\","
	    "\"destination\":\"mx:other.test\",\"host\":\"client.test\","
	    "\"detail\":\"\",\"recipient\":0,\"helo\":\"client\","
	    "\"user\":\"sue\",\"protocol\":\"ESMTPSA\",\"size\":1234,"
	    "\"config\":\"/etc/postern/postern.conf\",\"rule\":31,"
	    "\"aliases\":["
	    "{\"key\":\"robert\",\"mailbox\":\"people\","
	    "\"table\":\"aliases\",\"file\":\"/etc/aliases\",\"line\":7},"
	    "{\"key\":\"bob\",\"mailbox\":\"people\","
	    "\"table\":\"aliases\",\"file\":\"/etc/aliases\",\"line\":9}],"
	    "\"aliases_cut\":false,\"route\":\"mx\",\"name\":\"\","
	    "\"owner\":\"\",\"host_address\":\"192.0.2.9\",\"port\":0,"
	    "\"tls_version\":\"TLSv1.3\","
	    "\"tls_cipher\":\"TLS_AES_256_GCM_SHA384\",\"took_ms\":0,"
	    "\"attempt\":0,\"next_try\":null,\"by_uid\":null,"
	    "\"report\":\"\",\"dropped\":0}\n"));
	assert_non_null(strstr(
	    run_out, "\"detail\":\"450-4.2.0 later\\u0007\\r\\n450 4.2.0"));
	assert_non_null(strstr(run_out,
	    "\"host_address\":\"2001:db8::1\",\"port\":25,"
	    "\"tls_version\":\"\",\"tls_cipher\":\"\",\"took_ms\":1500,"
	    "\"attempt\":2,\"next_try\":\"2026-02-01T00:04:59Z\","
	    "\"by_uid\":null,\"report\":\"\",\"dropped\":3}\n"));
	assert_non_null(strstr(run_out, "\"by_uid\":4294967294,"));
	assert_non_null(strstr(run_out, "\"event\":\"bounced\""));
}

static void
traces_an_address(void **state)
{
	size_t heads = 0;

	(void)state;
	assert_int_equal(run(trace_run, 0, "bob@OTHER.test"), EX_OK);
	for (const char *p = run_out; (p = strstr(p, "\n2026-01-31 ")) != NULL;
	     p++)
		heads++;
	assert_int_equal(heads + 1, 200);
	assert_non_null(strstr(
	    run_err, "these are the newest 100 messages: there are older"));
	/* Oldest of the newest first, the newest last. */
	assert_memory_equal(run_out + 20, id_text(100 + 1134), 13);
	assert_non_null(
	    strstr(run_out + strlen(run_out) - 500, id_text(100 + 1233)));
	assert_int_equal(run(trace_run, 0, "x@y.test"), EX_NOINPUT);
	assert_int_equal(run(trace_run, 0, id_text(9)), EX_NOINPUT);
	assert_int_equal(run(trace_run, 0, "x@@y"), EX_DATAERR);
	assert_int_equal(run(trace_run, 0, "nonsense"), EX_DATAERR);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_why),
		cmocka_unit_test(shows),
		cmocka_unit_test(traces),
		cmocka_unit_test(traces_in_json),
		cmocka_unit_test(traces_an_address),
	};

	return cmocka_run_group_tests(
	    tests, false_queue_start, false_queue_stop);
}
