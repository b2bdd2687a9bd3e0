/* Jobs that ended long ago are forgotten: their facts, measures, log and reports. What was delivered stays. A `check` or
 * `plan` is forgotten when it was answered an hour ago. */
#define _GNU_SOURCE
#include "coordinator/core/fact_record.h"
#include "coordinator/shell/farm_state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { LOOK_EVERY_MS = 60000, HOUR_MS = 3600000, DAY_MS = 86400000, FORGET_AT_ONCE = 16 };

/* A job's folder has files only. */
static void remove_folder(const char *path)
{
    DIR *folder = opendir(path);
    if (folder == NULL)
        return;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            (void)unlinkat(dirfd(folder), entry->d_name, 0);
    closedir(folder);
    if (rmdir(path) != 0)
        log_line(LOG_WARN, "job.folder_kept", "folder=\"%s\" reason=\"%s\"", path, strerror(errno));
}

static bool is_old(const farm_state *self, const farm_job *job)
{
    uint64_t age_ms = (uint64_t)self->config.keep_jobs_days * DAY_MS;
    if (job_is_question(job))
        age_ms = HOUR_MS; /* it was answered */
    else if (age_ms == 0)
        return false;
    uint64_t now_ms = farm_unix_ms();
    return job->ended && job->ended_unix_ms != 0 && now_ms > age_ms && job->ended_unix_ms < now_ms - age_ms;
}

/* True when it is gone; the journal says so from now on. */
static bool forget_job(farm_state *self, uint32_t number)
{
    scheduler_event event = {.type = EVENT_JOB_FORGET, .job = {.job = number}};
    job_view view;
    if (!scheduler_job_view(self->scheduler, number, &view))
        farm_record_forgotten(self, number); /* its document is refused: only the journal has it */
    else if (farm_step(self, &event) != STATUS_OK)
        return false;
    farm_job *job = job_list_take(&self->jobs, number);
    log_line(LOG_INFO, "job.forgotten", "job=%u", number);
    remove_folder(job->folder);
    job_destroy(&job);
    return true;
}

void farm_forget_old(farm_state *self)
{
    uint64_t now_ms = farm_now_ms(self);
    if (now_ms < self->retention_due_ms || self->work_count > 0)
        return; /* work off the loop reads jobs */
    uint32_t forgotten = 0;
    /* Not the last one: the next job's number follows from it. */
    for (size_t i = 0; i + 1 < self->jobs.count && forgotten < FORGET_AT_ONCE;) {
        const farm_job *job = self->jobs.items[i];
        if (is_old(self, job) && forget_job(self, job->number))
            forgotten++;
        else
            i++;
    }
    if (forgotten < FORGET_AT_ONCE)
        self->retention_due_ms = now_ms + LOOK_EVERY_MS;
}

/* ---- the journal ---- */

/* The job that a record is about; 0: none. */
static uint32_t job_of_record(const journal_record *record)
{
    shell_record read;
    scheduler_fact fact;
    if (record->kind == RECORD_FACT)
        return fact_record_decode(&fact, record->bytes, record->byte_size) == STATUS_OK ? fact.job : 0;
    if (shell_record_decode(&read, record->kind, record->bytes, record->byte_size) != STATUS_OK)
        return 0;
    switch (read.kind) {
    case RECORD_DOCUMENT:
        return read.document.job;
    case RECORD_RESULT:
        return read.result.attempt.job;
    case RECORD_PLAN:
        return read.plan.job;
    case RECORD_ENDED:
        return read.ended.job;
    case RECORD_FORECAST:
        return read.forecast.job;
    case RECORD_FACT:
    case RECORD_DRAIN:
    case RECORD_ROOT:
    default:
        return 0;
    }
}

/* Every job up to the last one either is in the list or was forgotten (or never accepted: nothing rests on it either). */
static bool is_forgotten(void *context, const journal_record *record)
{
    const farm_state *self = context;
    uint32_t job = job_of_record(record);
    return job != 0 && job < self->jobs.last_number && job_list_find(&self->jobs, job) == NULL;
}

status farm_purge_journal(farm_state *self, error_detail *detail)
{
    return journal_store_purge(self->journal, is_forgotten, self, detail);
}
