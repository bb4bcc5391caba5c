/* Which known word was probably meant. See nearest.h. */
#include "flash/base/nearest.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { WORD_MAX = 31 };

static size_t min3(size_t a, size_t b, size_t c)
{
	size_t ab = a < b ? a : b;

	return ab < c ? ab : c;
}

/* Optimal string alignment: Levenshtein's distance, and a swap of neighbours counts as one. */
size_t nearest_distance(const char *a, const char *b)
{
	size_t n_a = strlen(a);
	size_t n_b = strlen(b);
	size_t cost[WORD_MAX + 1][WORD_MAX + 1];

	if (n_a > WORD_MAX || n_b > WORD_MAX)
		return SIZE_MAX;
	for (size_t j = 0; j <= n_b; j++)
		cost[0][j] = j;
	for (size_t i = 1; i <= n_a; i++) {
		cost[i][0] = i;
		for (size_t j = 1; j <= n_b; j++) {
			size_t changed = cost[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
			cost[i][j] = min3(changed, cost[i - 1][j] + 1, cost[i][j - 1] + 1);
			bool is_swap =
				i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
			if (is_swap && cost[i - 2][j - 2] + 1 < cost[i][j])
				cost[i][j] = cost[i - 2][j - 2] + 1;
		}
	}
	return cost[n_a][n_b];
}

const char *nearest_of(const char *word, const char *candidate, const char *best)
{
	size_t distance = nearest_distance(word, candidate);

	if (distance > (strlen(candidate) + 1) / 3)
		return best;
	return best && nearest_distance(word, best) <= distance ? best : candidate;
}
