#include "ctl/nearest.h"

#include <string.h>

#define WORD_MOST 32
#define FAR 1000U

static unsigned int
least(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

unsigned int
nearest_distance(const char *a, const char *b)
{
	unsigned int d[WORD_MOST + 1][WORD_MOST + 1];
	size_t m = strlen(a), n = strlen(b);

	if (m > WORD_MOST || n > WORD_MOST)
		return FAR;
	for (size_t i = 0; i <= m; i++)
		d[i][0] = (unsigned int)i;
	for (size_t j = 0; j <= n; j++)
		d[0][j] = (unsigned int)j;
	for (size_t i = 1; i <= m; i++)
		for (size_t j = 1; j <= n; j++) {
			unsigned int same = a[i - 1] == b[j - 1] ? 0 : 1;

			d[i][j] = least(d[i - 1][j - 1] + same,
			    least(d[i - 1][j], d[i][j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1])
				d[i][j] = least(d[i][j], d[i - 2][j - 2] + 1);
		}
	return d[m][n];
}

void
nearest_consider(const char *word, const char *candidate, const char **best)
{
	unsigned int distance = nearest_distance(word, candidate);

	/* More than a third of the letters wrong is another word. */
	if (distance > (strlen(candidate) + 2) / 3)
		return;
	if (*best == NULL || distance < nearest_distance(word, *best))
		*best = candidate;
}
