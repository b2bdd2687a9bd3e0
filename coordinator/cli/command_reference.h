/** What people and shells are told of the commands: help, completions, manual page, all made from command_table. */
#ifndef COORDINATOR_CLI_COMMAND_REFERENCE_H
#define COORDINATOR_CLI_COMMAND_REFERENCE_H

#include "coordinator/cli/cli.h"

#include <stdio.h>

/** Every command in a line. */
void command_reference_help(FILE *out);
/** One command with its options. */
void command_reference_of(FILE *out, const cli_command *command);

#endif
