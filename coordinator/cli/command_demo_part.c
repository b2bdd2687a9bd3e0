/* The demo by the part that brings libsndfile: no other command writes audio. */
#include "common/base/program_part.h"
#include "coordinator/cli/cli.h"

int command_demo(const cli_arguments *arguments)
{
    int (*demo)(const cli_arguments *) = NULL;
    error_detail detail = {0};
    status code = program_part_function("reelmill-demo", "command_demo", &demo, &detail);
    return code == STATUS_OK ? demo(arguments) : cli_fail_detail(&detail);
}
