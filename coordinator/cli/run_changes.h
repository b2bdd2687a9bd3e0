/** What a run made otherwise than the one before it under the same name: gains and sound, by the two reports. */
#ifndef COORDINATOR_CLI_RUN_CHANGES_H
#define COORDINATOR_CLI_RUN_CHANGES_H

#include <jansson.h>

/** On stderr, of each deliverable that both have: what its gain was, and how many of its files have other sound. */
void run_changes_print(const json_t *before, const json_t *now);

#endif
