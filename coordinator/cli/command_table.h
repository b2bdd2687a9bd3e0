/** The commands of reelmill with their options: what is parsed, and what help, completions and the manual are made of. */
#ifndef COORDINATOR_CLI_COMMAND_TABLE_H
#define COORDINATOR_CLI_COMMAND_TABLE_H

#include "coordinator/cli/cli.h"

#include <stddef.h>

const cli_command *command_table(size_t *out_count);
/** NULL if there is none of that name. */
const cli_command *command_table_find(const char *name);
/** The command that a misspelt word may mean, or NULL. */
const char *command_table_suggest(const char *name);

#endif
