/* Run a fuzz target over its corpus, one TAP line a file: what the fuzzer found once stays found.
 * Run from the root of the tree; the corpus is tests/fuzz/corpus/<what follows replay_>. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flash/base/cleanup.h"
#include "flash/base/fdio.h"

enum { CORPUS_FILE_MAX_BYTES = 1 << 22 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int is_file(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static int replay(const char *folder, const char *name, int number)
{
	CLEANUP(freep) char *path = NULL;
	CLEANUP(freep) uint8_t *bytes = NULL;
	size_t n_bytes = 0;
	struct err e;

	if (asprintf(&path, "%s/%s", folder, name) < 0)
		return -1;
	if (fdio_load(path, CORPUS_FILE_MAX_BYTES, &bytes, &n_bytes, &e) < 0) {
		printf("not ok %d - %s: %s\n", number, name, e.text);
		return -1;
	}
	/* An exact copy, so that the sanitizer sees one byte too far. */
	CLEANUP(freep) uint8_t *exact = malloc(n_bytes ? n_bytes : 1);
	if (!exact)
		return -1;
	memcpy(exact, bytes, n_bytes);
	(void)LLVMFuzzerTestOneInput(exact, n_bytes);
	printf("ok %d - %s\n", number, name);
	return 0;
}

int main(int argc, char **argv)
{
	CLEANUP(freep) char *folder = NULL;
	struct dirent **entries = NULL;
	const char *name = strstr(argv[0], "replay_");

	if (argc != 1 || !name ||
	    asprintf(&folder, "tests/fuzz/corpus/%s", name + strlen("replay_")) < 0)
		return 2;
	int n_entries = scandir(folder, &entries, is_file, alphasort);
	int n_failed = n_entries > 0 ? 0 : 1;
	for (int i = 0; i < n_entries; i++) {
		n_failed += replay(folder, entries[i]->d_name, i + 1) < 0;
		free(entries[i]);
	}
	free(entries);
	printf("1..%d\n", n_entries > 0 ? n_entries : 1);
	return n_failed ? 1 : 0;
}
