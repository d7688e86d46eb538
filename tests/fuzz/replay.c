/*
 * Runs a fuzz target over files and folders of files, so that every input
 * that was ever interesting is tried in `make check` too.
 */
#include <sys/stat.h>

#include <fts.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
replay(const char *path, size_t size)
{
	uint8_t *data = malloc(size + 1);
	FILE *file = fopen(path, "rb");
	int result = -1;

	if (data != NULL && file != NULL &&
	    fread(data, 1, size, file) == size) {
		LLVMFuzzerTestOneInput(data, size);
		result = 0;
	} else
		perror(path);
	if (file != NULL)
		fclose(file);
	free(data);
	return result;
}

int
main(int argc, char **argv)
{
	FTS *tree;
	FTSENT *entry;
	unsigned int inputs = 0;
	int result = 0;

	if (argc < 2) {
		fprintf(stderr, "usage: %s FILE...\n", argv[0]);
		return 2;
	}
	tree = fts_open(argv + 1, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	if (tree == NULL) {
		perror(argv[1]);
		return 1;
	}
	while ((entry = fts_read(tree)) != NULL) {
		if (entry->fts_info != FTS_F)
			continue;
		if (replay(entry->fts_path,
			(size_t)entry->fts_statp->st_size) == -1)
			result = 1;
		inputs++;
	}
	fts_close(tree);
	printf("%s: %u inputs\n", argv[0], inputs);
	return inputs == 0 ? 1 : result;
}
