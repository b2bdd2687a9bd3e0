/* The coordinator's state saved while it runs, and brought back where it is lost. */
#include "coordinator/cli/cli.h"

#include "coordinator/backup/state_copy.h"
#include "coordinator/cli/farm_job.h"

#include <stdio.h>

enum { BACKUP_MS = 3600000 };

int command_backup(const cli_arguments *arguments)
{
    error_detail detail = {0};
    farm_client *client = NULL;
    status code = farm_job_connect(arguments, &client, &detail);
    if (code == STATUS_OK)
        code = farm_client_command(client, "backup", 0, NULL, arguments->words[0], BACKUP_MS, &detail);
    farm_client_destroy(&client);
    return code == STATUS_OK ? EXIT_PASS : cli_fail_detail(&detail);
}

int command_restore(const cli_arguments *arguments)
{
    error_detail detail = {0};
    uint32_t jobs = 0;
    const char *state = cli_text(arguments, "state");
    if (state == NULL)
        return cli_fail(STATUS_INPUT_MISSING, "where to? give --state DIR, what `state` in coordinator.yaml names");
    status code = state_restore(arguments->words[0], state, &jobs, &detail);
    if (code != STATUS_OK)
        return cli_fail_detail(&detail);
    fprintf(stderr, "reelmill: %u jobs are back in '%s'; start the coordinator, workers come back by themselves\n", jobs, state);
    return EXIT_PASS;
}
