/* A backup of the running farm: the journal's copy first, then the files that it points into, off the loop. */
#define _GNU_SOURCE
#include "coordinator/shell/farm_state.h"

#include "coordinator/backup/state_copy.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct farm_backup {
    uv_work_t request;
    farm_state *farm;
    routing_id from;
    access_grant who;
    message_command command; /* its reason is the folder */
    char state[STATE_MAX_BYTES];
    status code;
    error_detail detail;
};

/* It would hold itself, each next one all before it, and its name could be that of a job's folder to come. */
static bool lies_in_state(const char *folder, const char *state)
{
    char *place = realpath(folder, NULL);
    char *home = realpath(state, NULL);
    size_t length = home == NULL ? 0 : strlen(home);
    bool inside = place != NULL && home != NULL && strncmp(place, home, length) == 0 &&
                  (place[length] == '/' || place[length] == '\0');
    free(place);
    free(home);
    return inside;
}

static status make_backup(struct farm_backup *work)
{
    const char *target = work->command.reason;
    error_detail *detail = &work->detail;
    char part[REASON_TEXT_BYTES + 8];
    char journal[REASON_TEXT_BYTES + 24];
    char parent[REASON_TEXT_BYTES];
    snprintf(part, sizeof part, "%s.part", target);
    snprintf(journal, sizeof journal, "%s/journal.db", part);
    snprintf(parent, sizeof parent, "%s", target);
    *strrchr(parent, '/') = '\0'; /* there is one: the path is whole */
    if (lies_in_state(parent[0] == '\0' ? "/" : parent, work->state))
        return error_detail_set(detail, STATUS_INPUT_INVALID, "'%s' lies in the coordinator's state folder; give a folder elsewhere",
                                target);
    if (access(target, F_OK) == 0)
        return error_detail_set(detail, STATUS_INPUT_CONFLICT, "'%s' is there already; a backup makes a new folder", target);
    if (mkdir(part, 0700) != 0)
        return error_detail_set(detail, errno == EEXIST ? STATUS_INPUT_CONFLICT : STATUS_STORAGE_DENIED,
                                "the folder '%s' cannot be made on the coordinator's machine: %s", part,
                                errno == EEXIST ? "an earlier backup left it unfinished; remove it" : strerror(errno));
    status code = journal_store_copy(work->farm->journal, journal, detail);
    if (code == STATUS_OK)
        code = state_copy_files(work->state, part, detail);
    if (code == STATUS_OK && rename(part, target) != 0)
        code = error_detail_set(detail, STATUS_INPUT_CONFLICT, "the backup '%s' is whole but cannot be called '%s': %s", part, target,
                                strerror(errno));
    return code == STATUS_OK ? state_sync_folder(parent[0] == '\0' ? "/" : parent, detail) : code;
}

static void run_backup(uv_work_t *request)
{
    struct farm_backup *work = request->data;
    work->code = make_backup(work);
}

static void after_backup(uv_work_t *request, int result)
{
    struct farm_backup *work = request->data;
    farm_state *self = work->farm;
    self->work_count--;
    self->backup = NULL;
    if (result != 0)
        work->code = error_detail_set(&work->detail, STATUS_CANCELLED, "the backup was not made");
    log_line(work->code == STATUS_OK ? LOG_INFO : LOG_ERROR, "farm.backup", "folder=\"%s\" code=\"%s\"", work->command.reason,
             status_text(work->code));
    client_answer_command(self, &work->from, &work->who, &work->command, work->code, work->detail.message);
    free(work);
}

void farm_backup(farm_state *self, const routing_id *from, const access_grant *who, const message_command *command)
{
    struct farm_backup *work = self->backup;
    const char *refusal = NULL;
    if (work != NULL && memcmp(work->command.request, command->request, REQUEST_BYTES) == 0) {
        work->from = *from; /* asked again while it is being made */
        return;
    }
    if (work != NULL)
        refusal = "another backup is being made; try again when it is done";
    else if (command->reason[0] != '/' || strlen(command->reason) == 1 || strlen(command->reason) == REASON_TEXT_BYTES - 1)
        refusal = "a backup goes to a folder of the coordinator's machine: give its whole path, below 255 bytes";
    work = refusal == NULL ? calloc(1, sizeof *work) : NULL;
    if (work == NULL) {
        client_answer_command(self, from, who, command, refusal == NULL ? STATUS_NODE_MEMORY : STATUS_INPUT_INVALID,
                              refusal == NULL ? "" : refusal);
        return;
    }
    work->request.data = work;
    work->farm = self;
    work->from = *from;
    work->who = *who;
    work->who.roots = "";
    work->command = *command;
    while (strlen(work->command.reason) > 1 && work->command.reason[strlen(work->command.reason) - 1] == '/')
        work->command.reason[strlen(work->command.reason) - 1] = '\0';
    memcpy(work->state, self->config.state, sizeof work->state);
    self->backup = work;
    self->work_count++;
    if (uv_queue_work(&self->loop, &work->request, run_backup, after_backup) != 0) {
        self->work_count--;
        self->backup = NULL;
        client_answer_command(self, from, who, command, STATUS_NODE_SYSTEM, "");
        free(work);
    }
}
