/*
 * Makes a table and serves it as a broker would, without a broker's work: for
 * benchmarks of the library. keeper NAME CAPACITY
 * Prints "ready"; when its standard input ends it removes the table and ends.
 */
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "api/broker.h"
#include "measure.h"

int main(int argc, char **argv)
{
	struct broker_create create = {
	        .capacity = (uint32_t)measure_argument(argc, argv, 2, "NAME CAPACITY")};
	char object[INV_TABLE_NAME_BYTES + 1], byte;
	inv_table *table;
	bool created;

	create.name = argv[1];
	measure_require(broker_open(&create, &table, &created), "the table");
	measure_require(broker_serve(table, INT64_C(300000000000)), "serving it");
	puts("ready");
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		continue;
	broker_unserve(table);
	snprintf(object, sizeof(object), "/%s", create.name);
	shm_unlink(object);
	inv_close(table);
	return 0;
}
