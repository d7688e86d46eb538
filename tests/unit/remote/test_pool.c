/* The idle connections. */
#include "test.h"

#include <bsd/string.h>

#include "deliver/remote/pool.h"

static struct pool_entry entries[8];

static void
put(unsigned int i, const char *key)
{
	entries[i].connection = (struct connection *)&entries[i];
	strlcpy(entries[i].key, key, sizeof(entries[i].key));
	pool_put(&entries[i]);
}

static struct pool_entry *
find(const char *key)
{
	return (struct pool_entry *)pool_find(key);
}

static void
test_pool(void **unused)
{
	(void)unused;
	pool_init();
	assert_null(pool_find("mx:a.test"));
	assert_null(pool_oldest());
	put(0, "mx:b.test");
	put(1, "mx:a.test");
	put(2, "mx:a.test");
	put(3, "relay:a.test");
	assert_null(pool_find("mx:"));
	assert_null(pool_find("mx:aa.test"));
	assert_null(pool_find("mx:c.test"));
	assert_ptr_equal(find("mx:b.test"), &entries[0]);
	assert_ptr_equal(find("relay:a.test"), &entries[3]);
	assert_ptr_equal((struct pool_entry *)pool_oldest(), &entries[0]);
	pool_remove(&entries[0]);
	pool_remove(&entries[0]);
	assert_null(pool_find("mx:b.test"));
	assert_ptr_equal((struct pool_entry *)pool_oldest(), &entries[1]);
	for (int i = 0; i < 2; i++) {
		struct pool_entry *e = find("mx:a.test");

		assert_true(e == &entries[1] || e == &entries[2]);
		pool_remove(e);
	}
	assert_null(pool_find("mx:a.test"));
	pool_remove(&entries[3]);
	assert_null(pool_oldest());
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_pool) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
