/* COMMANDs carried out: what people say about jobs and nodes. That they may say it was looked at before (farm_access.c). */
#define _GNU_SOURCE
#include "coordinator/shell/farm_state.h"
#include "coordinator/shell/job_rest.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static status cancel_job(farm_state *self, const message_command *command, error_detail *detail)
{
    farm_job *job = job_list_find(&self->jobs, command->job);
    if (job == NULL)
        return error_detail_set(detail, STATUS_INPUT_MISSING, "there is no job %u", command->job);
    if (job->ended)
        return error_detail_set(detail, STATUS_INPUT_CONFLICT, "job %u has ended already", command->job);
    job_log(job, LOG_INFO, "job.cancel", "reason=\"%s\"", command->reason);
    scheduler_event event = {.type = EVENT_JOB_CANCEL, .job = {.job = command->job}};
    status code = farm_step(self, &event);
    return code == STATUS_OK ? code : error_detail_set(detail, code, "job %u: %s", command->job, status_text(code));
}

static status retry_job(farm_state *self, const access_grant *who, const message_command *command, error_detail *detail)
{
    farm_job *job = job_list_find(&self->jobs, command->job);
    if (job == NULL)
        return error_detail_set(detail, STATUS_INPUT_MISSING, "there is no job %u", command->job);
    if (!job->ended)
        return error_detail_set(detail, STATUS_INPUT_CONFLICT, "job %u has not ended; retry is for ended jobs",
                                command->job);
    if (!job->failed && !job->cancelled)
        return error_detail_set(detail, STATUS_INPUT_INVALID, "nothing of job %u failed; there is nothing to retry",
                                command->job);
    status code = farm_job_wake(self, job, detail);
    if (code == STATUS_OK && job->source->code != STATUS_OK)
        return error_detail_set(detail, STATUS_INPUT_INVALID,
                                "job %u: this version of reelmill refuses its document (%.300s); mend the show and submit it again",
                                command->job, job->source->detail.message);
    if (code == STATUS_OK) /* it reads and writes anew: by what its owner may today */
        code = client_check_roots(who, &job->source->document, detail);
    if (code != STATUS_OK)
        return code;
    if (job->plan_lost)
        return error_detail_set(detail, STATUS_INPUT_INVALID, "job %u: %s", command->job, JOB_PLANNED_OTHERWISE);
    if (job->plan == NULL && !job->cancelled)
        return error_detail_set(detail, STATUS_INPUT_INVALID,
                                "job %u failed before anything was planned: mend what it names and submit it again",
                                command->job);
    uint32_t other = 0;
    const plan_file *file = NULL;
    if (job->plan != NULL && path_claims_take(&self->claims, job->number, job->plan, &other, &file) != STATUS_OK)
        return error_detail_set(detail, STATUS_INPUT_CONFLICT, "'%s' is being made by job %u; wait for it or cancel it",
                                file != NULL ? file->display : "?", other);
    scheduler_event event = {.type = EVENT_JOB_RETRY, .job = {.job = command->job}};
    code = farm_step(self, &event);
    if (code == STATUS_OK) {
        job_log(job, LOG_INFO, "job.retry", "reason=\"%s\"", command->reason);
        return STATUS_OK;
    }
    path_claims_release(&self->claims, job->number);
    return error_detail_set(detail, code, "job %u cannot be retried: %s", command->job, status_text(code));
}

static status drain_node(farm_state *self, const message_command *command, bool drained, error_detail *detail)
{
    bool known = worker_registry_drained(&self->workers, command->target) != NULL;
    for (size_t i = 0; i < self->workers.count && !known; i++)
        known = strcmp(self->workers.nodes[i]->name, command->target) == 0;
    if (!known)
        return error_detail_set(detail, STATUS_INPUT_MISSING, "there is no node '%s'; `reelmill nodes` lists them",
                                command->target);
    if (!worker_registry_set_drained(&self->workers, command->target, drained, command->reason))
        return error_detail_set(detail, STATUS_NODE_MEMORY, "out of memory");
    shell_record record = {.kind = RECORD_DRAIN, .drain = {.drained = drained}};
    memcpy(record.drain.name, command->target, sizeof record.drain.name);
    memcpy(record.drain.reason, command->reason, sizeof record.drain.reason);
    farm_record(self, &record, -1);
    log_line(LOG_INFO, drained ? "node.drain" : "node.undrain", "name=\"%s\" reason=\"%s\"", command->target,
             command->reason);
    for (size_t i = 0; i < self->workers.count; i++) {
        worker_node *node = self->workers.nodes[i];
        if (strcmp(node->name, command->target) != 0)
            continue;
        scheduler_event event = {.type = drained ? EVENT_WORKER_DRAIN : EVENT_WORKER_UNDRAIN,
                                 .worker = {.worker = node->number}};
        farm_event(self, &event); /* a node the scheduler has forgotten is told at its next HELLO */
    }
    return STATUS_OK;
}

/* Hold, release and prio: of a job that has not ended. */
static status steer_job(farm_state *self, const message_command *command, const scheduler_event *event,
                        error_detail *detail)
{
    farm_job *job = job_list_find(&self->jobs, command->job);
    if (job == NULL)
        return error_detail_set(detail, STATUS_INPUT_MISSING, "there is no job %u", command->job);
    if (job->ended)
        return error_detail_set(detail, STATUS_INPUT_CONFLICT, "job %u has ended already", command->job);
    status code = farm_step(self, event);
    if (code == STATUS_CANCELLED)
        return error_detail_set(detail, code, "job %u is being cancelled", command->job);
    if (code != STATUS_OK)
        return error_detail_set(detail, code, "job %u: %s", command->job, status_text(code));
    job_log(job, LOG_INFO, "job.steered", "verb=%s value=\"%s\" reason=\"%s\"", command->verb, command->target,
            command->reason);
    return STATUS_OK;
}

static status hold_job(farm_state *self, const message_command *command, bool held, error_detail *detail)
{
    const scheduler_event event = {.type = held ? EVENT_JOB_HOLD : EVENT_JOB_RELEASE, .job = {.job = command->job}};
    return steer_job(self, command, &event, detail);
}

static status set_priority(farm_state *self, const message_command *command, error_detail *detail)
{
    char *end = NULL;
    errno = 0;
    long priority = strtol(command->target, &end, 10);
    if (errno != 0 || end == command->target || *end != '\0' || priority < INT32_MIN || priority > INT32_MAX)
        return error_detail_set(detail, STATUS_INPUT_INVALID,
                                "'%.40s' is no priority; a whole number is, higher runs first, 0 is usual",
                                command->target);
    const scheduler_event event = {.type = EVENT_JOB_PRIORITY,
                                   .priority = {.job = command->job, .priority = (int32_t)priority}};
    return steer_job(self, command, &event, detail);
}

static status shut_down(farm_state *self, error_detail *detail)
{
    if (!self->config.private_farm)
        return error_detail_set(detail, STATUS_PEER_REFUSED,
                                "only a private farm is shut down by a command; stop this one where it was started");
    self->stopping = true;
    uv_stop(&self->loop);
    return STATUS_OK;
}

status client_command(farm_state *self, const access_grant *who, const message_command *command, error_detail *detail)
{
    if (strcmp(command->verb, "cancel") == 0)
        return cancel_job(self, command, detail);
    if (strcmp(command->verb, "retry") == 0)
        return retry_job(self, who, command, detail);
    if (strcmp(command->verb, "drain") == 0)
        return drain_node(self, command, true, detail);
    if (strcmp(command->verb, "undrain") == 0)
        return drain_node(self, command, false, detail);
    if (strcmp(command->verb, "hold") == 0)
        return hold_job(self, command, true, detail);
    if (strcmp(command->verb, "release") == 0)
        return hold_job(self, command, false, detail);
    if (strcmp(command->verb, "prio") == 0)
        return set_priority(self, command, detail);
    if (strcmp(command->verb, "root-moved") == 0)
        return farm_forget_root(self, command, detail);
    if (strcmp(command->verb, "shutdown") == 0)
        return shut_down(self, detail);
    return error_detail_set(detail, STATUS_INPUT_INVALID,
                            "'%.40s' is no command; cancel, retry, hold, release, prio, drain, undrain, root-moved and shutdown are",
                            command->verb);
}
