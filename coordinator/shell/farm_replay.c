/* The journal read back: jobs, plans and results as they were, the scheduler by its own facts. Nothing is decided anew.
 */
#include "coordinator/shell/farm_state.h"

#include "coordinator/core/fact_record.h"
#include "coordinator/shell/job_body.h"
#include "coordinator/shell/job_rest.h"
#include "coordinator/verdict/verdict.h"

#include <jansson.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { REPORT_BYTES_MAX = 256 << 20 };

typedef struct replay {
    farm_state *farm;
    attempt_id failed; /**< attempt of the last result that was no success */
    char failed_text[ERROR_MESSAGE_SIZE];
    plan_record planned; /**< the last one */
    uint32_t worker_max;
} replay;

/* A job whose facts cannot be believed is set aside; the farm goes on with the others. */
static void set_aside(farm_job *job, const char *why)
{
    job->unreadable = true;
    job_error_add(job, 0, STATUS_DEFECT, true, why);
    log_line(LOG_ERROR, "job.set_aside", "job=%u reason=\"%s\"", job->number, why);
}

/* A record of before version 3 has no verdict; the report, which was whole before the job ended, has. */
static void verdict_of_report(farm_job *job)
{
    char path[PATH_MAX_BYTES];
    struct stat facts;
    job_path(job, job_document_file(DOCUMENT_REPORT_JSON), path);
    bool bounded = lstat(path, &facts) == 0 && S_ISREG(facts.st_mode) && facts.st_size <= REPORT_BYTES_MAX;
    json_t *report = bounded ? json_load_file(path, 0, NULL) : NULL;
    const char *name = json_string_value(json_object_get(report, "verdict"));
    for (uint8_t word = VERDICT_PASS; name != NULL && word <= VERDICT_FAIL; word++) {
        if (strcmp(name, verdict_word_name((verdict_word)word)) == 0) {
            job->has_verdict = true;
            job->verdict = word;
        }
    }
    json_decref(report);
}

/* What such a record leaves open: never told better than the facts and the report say. */
static void complete_end(farm_job *job, ended_record *record)
{
    const char *told = "";
    if (job->failed) {
        record->code = STATUS_DEFECT;
        told = "an earlier version knew why";
    } else if (job->cancelled) {
        record->code = STATUS_CANCELLED;
        told = "the job was cancelled";
    } else if (!job_is_question(job)) {
        verdict_of_report(job);
        record->code = job->has_verdict ? STATUS_OK : STATUS_DEFECT;
        told = job->has_verdict ? "" : "its report, which alone has its verdict, cannot be read; submit it again";
    }
    record->exit_code = record->code != STATUS_OK ? 3 : job->has_verdict && job->verdict >= VERDICT_INCOMPLETE ? 1 : 0;
    snprintf(record->message, sizeof record->message, "%s", told);
}

/* The end of a job that this version plans otherwise or takes no longer: what came of it is as true as it was. */
static void keep_end(const farm_state *self, farm_job *job, ended_record *record)
{
    job->held = record->held;
    job->has_verdict = record->has_verdict;
    job->verdict = record->verdict;
    if (!record->has_outcome)
        complete_end(job, record);
    char *told = strdup(record->message);
    if (told == NULL)
        return;
    free(job->rest_message);
    job->rest_message = told;
    job->rest_exit_code = record->exit_code;
    job->rest_code = record->code;
    (void)farm_job_rest(self, job);
}

/* ---- the shell's records ---- */

static status replay_document(farm_state *self, const document_record *record)
{
    if (record->job <= self->jobs.last_number)
        return STATUS_STORAGE_MISMATCH;
    farm_job *job = job_create(record->job);
    job_source *source =
        job == NULL ? NULL : job_source_create((const char *)record->document.bytes, record->document.size);
    if (source == NULL) {
        job_destroy(&job);
        return STATUS_NODE_MEMORY;
    }
    bool taken = job_take_source(job, source);
    job->priority = record->priority;
    job->submitted_unix_ms = record->submitted_unix_ms;
    memcpy(job->request, record->request, REQUEST_BYTES);
    snprintf(job->owner, sizeof job->owner, "%s", record->owner);
    snprintf(job->folder, sizeof job->folder, "%s/job-%u", self->config.state, job->number);
    job->keep = farm_keep(self);
    job->logs = &self->logs;
    if (mkdir(job->folder, 0700) == 0)
        folder_sync(self->config.state, job->keep); /* it was lost with the machine's power */
    if (!taken || !job_results_resize(job, source->inputs.count + 1) || !job_list_add(&self->jobs, job)) {
        job_destroy(&job);
        return STATUS_NODE_MEMORY;
    }
    if (source->code != STATUS_OK)
        set_aside(job,
                  "this version of reelmill refuses the job's document, which an earlier one took; submit it again");
    return STATUS_OK;
}

static void replay_result(replay *self, const result_record *record)
{
    farm_job *job = job_list_find(&self->farm->jobs, record->attempt.job);
    if (job == NULL || job->unreadable || record->attempt.task >= job->result_count)
        return;
    if (record->attempt.task == job_plan_task(job)) {
        arena_deinit(&job->problem_arena);
        arena_init(&job->problem_arena);
        job->problems = (problem_list){0};
        if (problems_decode(&job->problems, record->payload.bytes, record->payload.size, &job->problem_arena) !=
            STATUS_OK)
            job->problems = (problem_list){0};
        job->plan_code = (status)record->code;
    }
    if (record->code == STATUS_OK) {
        if (!job_result_keep(job, record->attempt.task, &record->payload, &record->cells))
            set_aside(job, "out of memory");
        return;
    }
    self->failed = record->attempt;
    memcpy(self->failed_text, record->detail, sizeof self->failed_text);
}

static status replay_shell_record(replay *self, const journal_record *record)
{
    shell_record read;
    status code = shell_record_decode(&read, record->kind, record->bytes, record->byte_size);
    if (code != STATUS_OK)
        return code;
    farm_job *job = NULL;
    switch (read.kind) {
    case RECORD_DOCUMENT:
        return replay_document(self->farm, &read.document);
    case RECORD_RESULT:
        replay_result(self, &read.result);
        break;
    case RECORD_PLAN:
        self->planned = read.plan;
        break;
    case RECORD_DRAIN:
        if (!worker_registry_set_drained(&self->farm->workers, read.drain.name, read.drain.drained,
                                         read.drain.reason))
            return STATUS_NODE_MEMORY;
        break;
    case RECORD_ENDED:
        job = job_list_find(&self->farm->jobs, read.ended.job);
        if (job != NULL)
            job->ended_unix_ms = read.ended.ended_unix_ms;
        if (job != NULL && job->plan_lost && job->ended)
            keep_end(self->farm, job, &read.ended);
        break;
    case RECORD_FORECAST:
        job = job_list_find(&self->farm->jobs, read.forecast.job);
        if (job != NULL) {
            job->predicted_unix_ms = read.forecast.made_unix_ms;
            job->predicted_ms = read.forecast.ready_ms;
        }
        break;
    case RECORD_ROOT:
        known_roots_set(&self->farm->roots, &read.root);
        break;
    case RECORD_FACT:
        break;
    }
    return STATUS_OK;
}

/* ---- the scheduler's facts ---- */

/* It must be the plan that was journaled. */
static bool plan_again(farm_job *job, const plan_record *planned)
{
    return planned->job == job->number &&
           job_plan_again(job, planned->slot_count, planned->cells_per_task, &planned->digest) &&
           job->plan->task_count == planned->task_count;
}

static status replay_extended(replay *self, farm_job *job, const scheduler_fact *fact)
{
    arena memory;
    arena_init(&memory);
    uint32_t count = 0;
    task_spec *specs = NULL;
    status code = STATUS_OK;
    if (!job->extended) {
        specs = job_first_specs(job, &memory, &count);
        job->extended = true;
    } else if (plan_again(job, &self->planned)) {
        specs = job_plan_specs(job, self->farm->config.private_farm, &memory);
        count = job->plan->task_count;
    } else {
        /* Of what came after only the end is believed; without one its PLAN task runs again and says so (job_runner.c). */
        job->plan_lost = true;
        log_line(LOG_INFO, "job.plan_lost", "job=%u", job->number);
    }
    if (!job->plan_lost)
        code = scheduler_apply(self->farm->scheduler, fact, count, specs);
    arena_deinit(&memory);
    return code;
}

static void drop_undone(const farm_state *self, farm_job *job)
{
    for (uint32_t task = 0; task < job->result_count; task++) {
        task_view view;
        if (!scheduler_task_view(self->scheduler, job->number, task, &view) || view.state != TASK_DONE)
            job_result_drop(job, task);
    }
}

/* What the results say about the job as a whole. */
static void restore_outcome(const farm_state *self, farm_job *job)
{
    for (uint32_t i = 0; job->plan != NULL && i < job->plan->task_count; i++) {
        const plan_task *task = &job->plan->tasks[i];
        const job_result *result = job_result_get(job, job->plan->first_task + i);
        compose_outcome composed;
        if (task->kind == TASK_COMPOSE && result != NULL &&
            compose_outcome_decode(&composed, result->payload, result->payload_size) == STATUS_OK) {
            job->has_verdict = true;
            job->verdict = composed.verdict;
        }
        merge_outcome merged;
        task_view view;
        if (task->kind == TASK_PUBLISH && job_merge_outcome(job, task->deliverable, &merged) && !merged.publish &&
            scheduler_task_view(self->scheduler, job->number, job->plan->first_task + i, &view) &&
            view.state == TASK_FAILED)
            job->held = true;
    }
}

static void note_fact(replay *self, farm_job *job, const scheduler_fact *fact)
{
    attempt_id over = {.job = fact->job, .task = fact->task, .term = fact->term, .epoch = fact->epoch};
    if (fact->type == FACT_JOB_SUBMITTED) {
        job->submitted = true;
    } else if (fact->type == FACT_JOB_CANCELLED) {
        job->cancelled = true;
    } else if (fact->type == FACT_JOB_PRIORITY) {
        job->priority = fact->priority;
    } else if (fact->type == FACT_JOB_ENDED) {
        job->ended = true;
        job->failed = fact->value != 0;
        drop_undone(self->farm, job);
        restore_outcome(self->farm, job);
        (void)farm_job_rest(self->farm, job);
    } else if (fact->type == FACT_JOB_RETRIED) {
        error_detail detail = {0};
        if (farm_job_wake(self->farm, job, &detail) != STATUS_OK) {
            set_aside(job, detail.message);
            return;
        }
        job->ended = job->failed = job->cancelled = job->held = job->has_verdict = false;
        job->ended_unix_ms = job->predicted_unix_ms = job->predicted_ms = 0;
        job->error_count = job->error_dropped = 0;
        drop_undone(self->farm, job);
        job_generations_raise(job, self->farm->scheduler);
    } else if (fact->type == FACT_TASK_ENDED && fact->code != STATUS_OK && fact->code != STATUS_CANCELLED &&
               fact->value != TASK_CANCELLED && fact->value != TASK_DONE) {
        job_error_add(job, fact->task, fact->code, fact->value == TASK_FAILED,
                      attempt_id_equal(&over, &self->failed) ? self->failed_text : status_text(fact->code));
    }
}

/* The end of a job whose plan is lost: its PLAN task ended as it did, or with the job's cancellation, for which it has no fact. */
static status replay_planless_end(replay *self, farm_job *job, const scheduler_fact *fact)
{
    scheduler *core = self->farm->scheduler;
    status code = STATUS_OK;
    if (job->plan_end.type == FACT_TASK_ENDED) {
        code = scheduler_apply(core, &job->plan_end, 0, NULL);
    } else if (job->cancelled) {
        const scheduler_fact cancelled = {.type = FACT_JOB_CANCELLED, .job = job->number};
        code = scheduler_apply(core, &cancelled, 0, NULL);
    }
    return code == STATUS_OK ? scheduler_apply(core, fact, 0, NULL) : code;
}

/*
 * A fact of a job whose plan is lost: its tasks are not there, but its PLAN task is, and stays open until the job's own end
 * is known. So the scheduler sees a job that ended (once, though it may have been retried since), or one whose PLAN task has to
 * run again.
 */
static status replay_planless(replay *self, farm_job *job, const scheduler_fact *fact)
{
    scheduler *core = self->farm->scheduler;
    bool of_plan = (fact->type == FACT_TASK_ASSIGNED || fact->type == FACT_TASK_ENDED) && fact->task == job_plan_task(job);
    bool planned = job->plan_end.type == FACT_TASK_ENDED;
    job_view view;
    bool over = scheduler_job_view(core, job->number, &view) && view.state == JOB_ENDED;
    if (of_plan && !planned && !over) {
        if (fact->type == FACT_TASK_ASSIGNED || (fact->value != TASK_DONE && fact->value != TASK_FAILED))
            return scheduler_apply(core, fact, 0, NULL);
        job->plan_end = *fact;
    } else if (fact->type == FACT_JOB_CANCELLED) {
        job->cancelled = true;
    } else if (fact->type == FACT_JOB_PRIORITY) {
        job->priority = fact->priority;
    } else if (fact->type == FACT_JOB_RETRIED) {
        job->ended = job->failed = job->cancelled = job->held = job->has_verdict = false;
    } else if (fact->type == FACT_JOB_ENDED) {
        job->ended = true;
        job->failed = fact->value != 0;
        return over ? STATUS_OK : replay_planless_end(self, job, fact);
    }
    return STATUS_OK;
}

/* Nothing is left of it but its number. */
static void forget(farm_state *self, uint32_t number)
{
    farm_job *gone = job_list_take(&self->jobs, number);
    char rest[PATH_MAX_BYTES];
    job_path(gone, JOB_REST_FILE, rest);
    (void)unlink(rest);
    (void)rmdir(gone->folder); /* its document and its end made both anew a moment ago */
    job_destroy(&gone);
}

/* This version takes its document no longer: the scheduler has nothing of it, and only how it ended is believed. */
static bool is_refused(const farm_job *job)
{
    return job->unreadable && !job->submitted && job->source != NULL && job->source->code != STATUS_OK;
}

static void replay_refused(replay *self, farm_job *job, const scheduler_fact *fact)
{
    if (fact->type == FACT_JOB_FORGOTTEN) {
        forget(self->farm, job->number);
    } else if (fact->type == FACT_JOB_CANCELLED) {
        job->cancelled = true;
    } else if (fact->type == FACT_JOB_RETRIED) {
        job->ended = job->plan_lost = job->failed = job->cancelled = job->held = job->has_verdict = false;
        free(job->rest_message);
        job->rest_message = NULL;
    } else if (fact->type == FACT_JOB_ENDED) {
        job->ended = job->plan_lost = true; /* the record of its end follows */
        job->failed = fact->value != 0;
    }
}

static status replay_fact(replay *self, const journal_record *record)
{
    scheduler_fact fact;
    status code = fact_record_decode(&fact, record->bytes, record->byte_size);
    if (code != STATUS_OK)
        return code;
    if (fact.worker > self->worker_max)
        self->worker_max = fact.worker;
    if (fact.type == FACT_WORKER_STATE)
        return scheduler_apply(self->farm->scheduler, &fact, 0, NULL);
    farm_job *job = job_list_find(&self->farm->jobs, fact.job);
    if (job == NULL) /* of a job that was forgotten the journal may have the last record still */
        return fact.type == FACT_JOB_FORGOTTEN ? STATUS_OK : STATUS_STORAGE_MISMATCH;
    if (is_refused(job)) {
        replay_refused(self, job, &fact);
        return STATUS_OK;
    }
    if (job->unreadable)
        return STATUS_OK;
    if (job->plan_lost && fact.type != FACT_JOB_FORGOTTEN) {
        if (replay_planless(self, job, &fact) != STATUS_OK)
            set_aside(job, "the journal's facts about this job contradict each other; submit it again");
        return STATUS_OK;
    }
    if (fact.type == FACT_JOB_EXTENDED)
        code = replay_extended(self, job, &fact);
    else
        code = scheduler_apply(self->farm->scheduler, &fact, 0, NULL);
    if (code == STATUS_OK && fact.type == FACT_JOB_SUBMITTED) {
        const job_terms terms = job_terms_of(job);
        scheduler_job_terms(self->farm->scheduler, fact.job, &terms);
    }
    if (code == STATUS_OK && fact.type == FACT_JOB_FORGOTTEN)
        forget(self->farm, fact.job);
    else if (code == STATUS_OK)
        note_fact(self, job, &fact);
    else
        set_aside(job, "the journal's facts about this job contradict each other; submit it again");
    return STATUS_OK;
}

static status replay_record(void *context, const journal_record *record)
{
    replay *self = context;
    return record->kind == RECORD_FACT ? replay_fact(self, record) : replay_shell_record(self, record);
}

/* ---- afterwards ---- */

/* A job of which the journal has the document, but not all facts that followed on it. */
static status complete_job(farm_state *self, farm_job *job)
{
    status code = STATUS_OK;
    job_view view;
    bool reopened = job->plan_lost && !job->ended && scheduler_job_view(self->scheduler, job->number, &view) &&
                    view.state == JOB_ENDED;
    if (reopened) { /* a retry that an earlier version had not finished */
        ended_record end = {.has_outcome = true, .exit_code = 3, .code = STATUS_DEFECT, .message = JOB_PLANNED_OTHERWISE};
        job->ended = job->failed = true;
        keep_end(self, job, &end);
    } else if (job->unreadable) {
        scheduler_event cancel = {.type = EVENT_JOB_CANCEL, .job = {.job = job->number}};
        code = job->submitted ? farm_step(self, &cancel) : STATUS_OK;
        if (!is_refused(job) || !job->ended || job->rest_message == NULL) /* else it keeps its end */
            job->ended = job->failed = true;
    } else if (!job->extended) {
        arena memory;
        arena_init(&memory);
        scheduler_event event = {.type = EVENT_JOB_EXTENDED, .extended = {.job = job->number}};
        event.extended.tasks = job_first_specs(job, &memory, &event.extended.task_count);
        code = farm_step(self, &event);
        arena_deinit(&memory);
    }
    return code;
}

/* A document without JOB_SUBMITTED was never acknowledged: the submitter's request makes another job. */
static void forget_unborn(job_list *jobs)
{
    size_t kept = 0;
    for (size_t i = 0; i < jobs->count; i++) {
        if (jobs->items[i]->submitted || jobs->items[i]->unreadable)
            jobs->items[kept++] = jobs->items[i];
        else
            job_destroy(&jobs->items[i]);
    }
    jobs->count = kept;
}

status farm_replay(farm_state *self, error_detail *detail)
{
    replay *state = calloc(1, sizeof *state);
    if (state == NULL)
        return error_detail_set(detail, STATUS_NODE_MEMORY, "out of memory");
    state->farm = self;
    status code = journal_store_load(self->journal, replay_record, state, detail);
    self->workers.last_number = state->worker_max;
    free(state);
    if (code != STATUS_OK)
        return code;
    self->appended_sequence = self->durable_sequence = journal_store_last_sequence(self->journal);
    code = farm_purge_journal(self, detail);
    if (code != STATUS_OK)
        return code;
    scheduler_resume(self->scheduler, farm_now_ms(self));
    forget_unborn(&self->jobs);
    uint32_t open = 0;
    for (size_t i = 0; i < self->jobs.count; i++) {
        farm_job *job = self->jobs.items[i];
        uint32_t other = 0;
        const plan_file *file = NULL;
        open += job->submitted && !job->ended ? 1 : 0;
        if (job->ended)
            continue;
        drop_undone(self, job);
        restore_outcome(self, job);
        if (job->plan != NULL && path_claims_take(&self->claims, job->number, job->plan, &other, &file) != STATUS_OK)
            log_line(LOG_ERROR, "claim.lost", "job=%u other=%u", job->number, other);
    }
    for (size_t i = 0; i < self->jobs.count && code == STATUS_OK; i++)
        code = complete_job(self, self->jobs.items[i]);
    if (code != STATUS_OK)
        return error_detail_set(detail, code, "a job of the journal cannot be taken up again: %s", status_text(code));
    malloc_trim(0); /* jobs that were open at once in the journal have been put to rest since */
    log_line(LOG_INFO, "journal.loaded", "records=%llu jobs=%zu open=%u", (unsigned long long)self->appended_sequence,
             self->jobs.count, open);
    return STATUS_OK;
}
