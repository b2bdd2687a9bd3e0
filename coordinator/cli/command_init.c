#include "coordinator/cli/cli.h"

int command_init(const cli_arguments *arguments)
{
    return cli_fail(STATUS_INPUT_UNSUPPORTED,
                    "init is not there yet, so no show.yaml was written for '%s'; start from `reelmill demo DIR`",
                    arguments->words[0]);
}
