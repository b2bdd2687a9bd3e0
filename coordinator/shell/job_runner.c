/* The coordinator's own tasks: PLAN, GAIN, MERGE and COMPOSE. What they need is copied on the loop, done off it, and told on
 * it. */
#define _GNU_SOURCE
#include "coordinator/shell/farm_state.h"

#include "coordinator/shell/document_file.h"
#include "coordinator/shell/job_body.h"
#include "coordinator/shell/job_compose.h"
#include "coordinator/shell/job_json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct local_work {
    uv_work_t request;
    farm_state *farm;
    farm_job *job;
    attempt_id attempt;
    task_kind kind;
    uint64_t begun_ms;
    arena arena;
    char cells_path[PATH_MAX_BYTES];
    /* PLAN */
    media_facts *facts;
    plan_options options;
    plan *plan;
    arena problem_arena;
    problem_list problems;
    uint64_t write_bytes;
    forecast_farm *basis; /* of a `plan`: the farm as it was when it was asked */
    bool learnt;
    /* GAIN, MERGE */
    programme_input merge;
    /* COMPOSE */
    compose_input compose;
    /* out */
    status code;
    error_detail detail;
    byte_writer payload;
} local_work;

static void free_work(local_work *work)
{
    arena_deinit(&work->arena);
    arena_deinit(&work->problem_arena);
    byte_writer_deinit(&work->payload);
    free(work->facts);
    if (work->plan != NULL)
        plan_destroy(&work->plan);
    free(work);
}

static void finish(local_work *work)
{
    attempt_end end = {.worker = SCHEDULER_LOCAL,
                       .attempt = work->attempt,
                       .code = work->code,
                       .detail = work->detail.message,
                       .elapsed_ms = farm_now_ms(work->farm) - work->begun_ms,
                       .payload = {.bytes = work->payload.bytes, .size = (uint32_t)work->payload.size}};
    farm_state *farm = work->farm;
    farm->work_count--;
    work->job->work_count--;
    farm_step_result(farm, &end);
    free_work(work);
}

/* ---- PLAN ---- */

/* What the probes found. A probe that failed for good is a fact too: this file cannot be used. */
static bool collect_facts(local_work *work)
{
    const farm_job *job = work->job;
    uint32_t count = job->source->inputs.count;
    work->facts = calloc((size_t)count + 1, sizeof *work->facts);
    if (work->facts == NULL)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        const job_result *result = job_result_get(job, i);
        media_facts *facts = &work->facts[i];
        if (result != NULL) {
            byte_reader reader;
            byte_reader_init(&reader, result->payload, result->payload_size);
            media_facts_decode(facts, &reader);
            if (byte_reader_complete(&reader))
                continue;
        }
        task_view view;
        status code = STATUS_NODE_CRASHED;
        if (scheduler_task_view(work->farm->scheduler, job->number, i, &view) && view.last_code != STATUS_OK)
            code = view.last_code;
        *facts = (media_facts){.outcome = code};
        snprintf(facts->message, sizeof facts->message, "it could not be looked at: %s", status_text(code));
        for (uint32_t e = 0; e < job->error_count; e++)
            if (job->errors[e].task == i)
                snprintf(facts->message, sizeof facts->message, "it could not be looked at: %.900s",
                         job->errors[e].text);
    }
    return true;
}

/* The report of a job that could not be planned: its problems, nothing else. */
static void compose_problems(local_work *work)
{
    const farm_job *job = work->job;
    char id[16];
    snprintf(id, sizeof id, "%u", job->number);
    compose_input input = {.show = &job->source->show,
                           .inputs = &job->source->inputs,
                           .facts = work->facts,
                           .problems = &work->problems,
                           .cells_path = work->cells_path,
                           .folder = job->folder,
                           .keep = job->keep,
                           .job_id = id,
                           .finished_text = ""};
    compose_outcome ignored;
    error_detail detail = {0};
    if (job_compose(&input, &ignored, &detail) != STATUS_OK)
        log_line(LOG_WARN, "report.failed", "job=%u text=\"%s\"", job->number, detail.message);
}

static void tell_plan_problem(local_work *work)
{
    for (size_t i = 0; i < work->problems.count; i++) {
        const problem *item = &work->problems.items[i];
        if (item->severity != PROBLEM_ERROR)
            continue;
        error_detail_set(&work->detail, work->code, "%.200s%s%.700s", item->file, item->file[0] != '\0' ? ": " : "",
                         item->message);
        return;
    }
    error_detail_set(&work->detail, work->code, "the job cannot be planned: %s", status_text(work->code));
}

static void write_result_document(local_work *work)
{
    size_t size = 0;
    ready_forecast forecast;
    job_result_parts parts = {.source = work->job->source,
                              .facts = work->facts,
                              .plan = work->plan,
                              .problems = &work->problems,
                              .code = work->code,
                              .write_bytes = work->write_bytes,
                              .learnt = work->learnt};
    if (work->code == STATUS_OK && work->plan != NULL && work->basis != NULL &&
        ready_forecast_make(&forecast, work->basis, farm_forecast_tasks(work->plan, &work->arena), work->plan->task_count,
                            work->plan->first_task) == STATUS_OK)
        parts.forecast = &forecast;
    char *text = job_result_json(&parts, &size);
    if (text == NULL) {
        work->code = error_detail_set(&work->detail, STATUS_NODE_MEMORY, "out of memory");
        return;
    }
    status code = job_document_write(work->job->folder, work->job->keep, DOCUMENT_RESULT, text, size, &work->detail);
    if (code != STATUS_OK)
        work->code = code;
    free(text);
}

static void run_plan(uv_work_t *request)
{
    local_work *work = request->data;
    const farm_job *job = work->job;
    const job_source *source = job->source;
    job_kind kind = source->document.kind;
    /* What is to be delivered must be possible too: that only planning it shows. */
    if (kind == JOB_KIND_CHECK && (source->show.deliverable_count == 0 || source->unresolved))
        work->code = plan_check(&source->show, &source->inputs, work->facts, &work->problem_arena, &work->problems);
    else
        work->code = plan_create(&work->plan, &source->show, &source->inputs, work->facts, &work->options,
                                 job_plan_task(job) + 1, &work->problem_arena, &work->problems);
    if (work->code == STATUS_OK && (work->problems.error_count > 0 || source->unresolved))
        work->code = STATUS_INPUT_INVALID;
    if (work->code != STATUS_OK)
        tell_plan_problem(work);
    if (work->code != STATUS_OK && (kind == JOB_KIND_RUN || kind == JOB_KIND_QC))
        compose_problems(work);
    if (work->plan != NULL)
        work->write_bytes = work->plan->write_bytes;
    if (kind == JOB_KIND_CHECK)
        plan_destroy(&work->plan);
    if (kind == JOB_KIND_CHECK || kind == JOB_KIND_PLAN)
        write_result_document(work);
}

/* Nothing is planned twice under one path: the second job is told which one has it. */
static void claim_outputs(local_work *work)
{
    uint32_t other = 0;
    const plan_file *file = NULL;
    status code = path_claims_take(&work->farm->claims, work->job->number, work->plan, &other, &file);
    if (code == STATUS_OK)
        return;
    work->code = code;
    if (file == NULL) {
        error_detail_set(&work->detail, code, "out of memory");
        return;
    }
    error_detail_set(&work->detail, code,
                     "'%s' is being made by job %u, which has not ended; wait for it or cancel it, then submit again",
                     file->display, other);
    problem_list_add(&work->problems, &work->problem_arena, PROBLEM_ERROR, "", 0, 0, "%s", work->detail.message);
}

/* The journal first learns what was planned with, then that the job has grown. */
static void extend_job(local_work *work)
{
    farm_state *farm = work->farm;
    farm_job *job = work->job;
    if (!job_results_resize(job, job_plan_task(job) + 1 + work->plan->task_count)) {
        work->code = error_detail_set(&work->detail, STATUS_NODE_MEMORY, "out of memory");
        return;
    }
    job->facts = work->facts;
    job->plan = work->plan;
    if (!job_generations_begin(job))
        farm_fail(farm, STATUS_NODE_MEMORY, "out of memory");
    job->plan_slot_count = work->options.slot_count;
    job->plan_cells_per_task = work->options.cells_per_task;
    work->facts = NULL;
    work->plan = NULL;
    shell_record record = {.kind = RECORD_PLAN,
                           .plan = {.job = job->number,
                                    .digest = job->plan->digest,
                                    .slot_count = job->plan_slot_count,
                                    .cells_per_task = job->plan_cells_per_task,
                                    .task_count = job->plan->task_count}};
    farm_record(farm, &record, -1);
    arena memory;
    arena_init(&memory);
    scheduler_event event = {
        .type = EVENT_JOB_EXTENDED,
        .extended = {.job = job->number,
                     .task_count = job->plan->task_count,
                     .tasks = job_plan_specs(job, farm->config.private_farm, &memory)}};
    work->code = farm_step(farm, &event);
    arena_deinit(&memory);
    if (work->code != STATUS_OK) { /* cancelled meanwhile: a retry plans anew */
        error_detail_set(&work->detail, work->code, "the plan's tasks are refused: %s", status_text(work->code));
        path_claims_release(&farm->claims, job->number);
        plan_destroy(&job->plan);
        free(job->facts);
        job->facts = NULL;
        return;
    }
    job_log(job, LOG_INFO, "job.planned", "tasks=%u read_bytes=%llu write_bytes=%llu", job->plan->task_count,
            (unsigned long long)job->plan->read_bytes, (unsigned long long)job->plan->write_bytes);
    farm_forecast_predict(farm, job);
}

static void after_plan(uv_work_t *request, int result)
{
    local_work *work = request->data;
    farm_job *job = work->job;
    if (result != 0)
        work->code = STATUS_CANCELLED;
    bool runs = job->source->document.kind == JOB_KIND_RUN || job->source->document.kind == JOB_KIND_QC;
    if (work->code == STATUS_OK && runs)
        claim_outputs(work);
    problems_encode(&work->problems, &work->payload);
    /* The job keeps the problems, and the arena they lie in. */
    arena_deinit(&job->problem_arena);
    job->problem_arena = work->problem_arena;
    job->problems = work->problems;
    arena_init(&work->problem_arena);
    if (work->code == STATUS_OK && runs)
        extend_job(work);
    if (work->code == STATUS_NODE_SYSTEM || work->code == STATUS_NODE_MEMORY)
        job_log(job, LOG_WARN, "plan.failed", "text=\"%s\"", work->detail.message);
    job->plan_code = work->code;
    finish(work);
}

static bool prepare_plan(local_work *work)
{
    farm_state *farm = work->farm;
    const job_document *document = &work->job->source->document;
    uint32_t cells = document->cells_per_task > 0 ? document->cells_per_task : farm->config.cells_per_task;
    work->options = job_source_options(work->job->source, worker_registry_slots(&farm->workers), cells);
    if (work->job->source->document.kind == JOB_KIND_PLAN && !farm->config.private_farm) {
        work->basis = farm_forecast_basis(farm, &work->arena);
        work->learnt = pace_table_known(&farm->paces);
        for (size_t i = 0; i < farm->jobs.count; i++) /* all that there is goes first, or takes its share */
            work->basis->ahead_ms += farm_job_work_ms(farm, farm->jobs.items[i]);
    }
    return collect_facts(work);
}

/* ---- MERGE and COMPOSE ---- */

/* Where the cells of a deliverable lie; copied, because results may still come in. */
static void collect_programme(const farm_job *job, uint16_t deliverable, bool scan, programme_input *out, arena *memory)
{
    uint32_t count = 0;
    const plan_deliverable *planned = &job->plan->deliverables[deliverable];
    const uint32_t *tasks = job_program_tasks(job, scan ? planned->scan_program : planned->program, memory, &count);
    *out = (programme_input){.deliverable = deliverable,
                             .scan = scan,
                             .gain_db = planned->rendered ? plan_gain_db(job->plan, deliverable, job_gains(job, memory))
                                                          : (double)NAN,
                             .complete = true,
                             .stretches = arena_take_array(memory, count, sizeof *out->stretches)};
    for (uint32_t i = 0; i < count; i++) {
        const job_result *result = job_result_get(job, tasks[i]);
        if (result == NULL) {
            out->complete = false;
            return;
        }
        out->stretches[out->stretch_count++] = result->cells;
    }
}

/* What the plan's tracks were heard to hold; copied, because results may still come in. Of received programmes that of one alone,
 * which a catalogue has thousands of; -1: of all. */
static const sync_measure *const *collect_heard(const farm_job *job, int32_t deliverable, arena *memory)
{
    const sync_measure **heard = arena_take_array(memory, job->plan->listen_count, sizeof *heard);
    for (uint32_t i = 0; i < job->plan->listen_count; i++) {
        const plan_listen *listen = &job->plan->listens[i];
        if (deliverable >= 0 && listen->deliverable >= 0 && listen->deliverable != deliverable)
            continue;
        const job_result *result = job_result_get(job, listen->task);
        sync_measure *measure = arena_take(memory, sizeof *measure);
        if (result != NULL && sync_measure_decode(measure, result->payload, result->payload_size, memory) == STATUS_OK)
            heard[i] = measure;
    }
    return heard;
}

/* NULL: nothing was looked at, or it could not be. */
static const task_excerpt_result *collect_excerpts(const farm_job *job, uint16_t deliverable, arena *memory)
{
    uint32_t task = job->plan->deliverables[deliverable].excerpt_task;
    const job_result *result = task == UINT32_MAX ? NULL : job_result_get(job, task);
    task_excerpt_result *excerpts = result == NULL ? NULL : arena_take(memory, sizeof *excerpts);
    if (excerpts == NULL ||
        task_excerpt_result_decode(excerpts, result->payload, result->payload_size, memory) != STATUS_OK)
        return NULL;
    return excerpts;
}

static void run_merge(uv_work_t *request)
{
    local_work *work = request->data;
    merge_outcome outcome;
    work->code = job_merge(work->job->plan, &work->merge, work->compose.heard, work->cells_path, &outcome, &work->detail);
    if (work->code == STATUS_OK)
        merge_outcome_encode(&outcome, &work->payload);
}

static void run_gain(uv_work_t *request)
{
    local_work *work = request->data;
    double gain_db = 0.0;
    work->code = job_find_gain(work->job->plan, &work->merge, work->cells_path, &gain_db, &work->detail);
    if (work->code == STATUS_OK)
        gain_outcome_encode(gain_db, &work->payload);
}

static void run_compose(uv_work_t *request)
{
    local_work *work = request->data;
    compose_outcome outcome;
    work->code = job_compose(&work->compose, &outcome, &work->detail);
    if (work->code == STATUS_OK)
        compose_outcome_encode(&outcome, &work->payload);
}

static void after_local(uv_work_t *request, int result)
{
    local_work *work = request->data;
    if (result != 0)
        work->code = STATUS_CANCELLED;
    compose_outcome outcome;
    if (work->code == STATUS_OK && work->kind == TASK_COMPOSE &&
        compose_outcome_decode(&outcome, work->payload.bytes, work->payload.size) == STATUS_OK) {
        work->job->has_verdict = true;
        work->job->verdict = outcome.verdict;
    }
    finish(work);
}

static bool task_done(const local_work *work, uint32_t task)
{
    task_view view;
    return task != UINT32_MAX && scheduler_task_view(work->farm->scheduler, work->job->number, task, &view) &&
           view.state == TASK_DONE;
}

/* The first failure for good that has to do with a deliverable, else of the whole job, else NULL. */
static const char *failure_of(local_work *work, uint16_t deliverable)
{
    const farm_job *job = work->job;
    const char *any = NULL;
    for (uint32_t i = 0; i < job->error_count; i++) {
        const job_error *error = &job->errors[i];
        const plan_task *task = job_task(job, error->task);
        if (!error->final || task == NULL)
            continue;
        bool shared = task->kind == TASK_RENDER || task->kind == TASK_INSPECT;
        const plan_deliverable *planned = &job->plan->deliverables[deliverable];
        bool near = task->kind == TASK_GAIN ? planned->gain_scanned && task->deliverable == planned->gain_source
                    : shared               ? task->program == planned->program
                                           : task->deliverable == deliverable;
        if (near)
            return arena_copy_text(&work->arena, error->text);
        if (any == NULL)
            any = error->text;
    }
    return any == NULL ? NULL : arena_copy_text(&work->arena, any);
}

static void take_digests(const local_work *work, uint32_t task, file_outcome *outcome)
{
    const job_result *result = job_result_get(work->job, task);
    outcome->verified = result != NULL && task_verify_result_decode(&outcome->digests, result->payload,
                                                                    result->payload_size) == STATUS_OK;
    outcome->digests.identity = (media_identity){.size = outcome->digests.identity.size}; /* the rest is of one run alone */
}

static void collect_files(local_work *work)
{
    const farm_job *job = work->job;
    const plan *job_plan = job->plan;
    compose_input *input = &work->compose;
    input->files = arena_take_array(&work->arena, job_plan->file_count, sizeof *input->files);
    input->received = arena_take_array(&work->arena, job->source->inputs.count, sizeof *input->received);
    for (uint32_t i = 0; i < job_plan->file_count; i++) {
        uint16_t deliverable = job_plan->files[i].deliverable;
        file_outcome *outcome = &input->files[i];
        take_digests(work, job_plan->files[i].verify_task, outcome);
        outcome->published = task_done(work, job_plan->deliverables[deliverable].publish_task);
        if (!outcome->published) {
            outcome->failure = failure_of(work, deliverable);
            if (outcome->failure == NULL)
                outcome->failure = "it was not made";
        }
    }
    for (uint32_t i = 0; i < job_plan->task_count; i++)
        if (job_plan->tasks[i].of_input)
            take_digests(work, job_plan->first_task + i, &input->received[job_plan->tasks[i].file]);
}

static void prepare_compose(local_work *work)
{
    const farm_state *farm = work->farm;
    const farm_job *job = work->job;
    const plan *job_plan = job->plan;
    compose_input *input = &work->compose;
    *input = (compose_input){.show = &job->source->show,
                             .plan = job_plan,
                             .inputs = &job->source->inputs,
                             .facts = job->facts,
                             .problems = &job->problems,
                             .cells_path = work->cells_path,
                             .folder = job->folder,
                             .keep = job->keep,
                             .heard = collect_heard(job, -1, &work->arena),
                             .source = job->source,
                             .slot_count = job->plan_slot_count,
                             .cells_per_task = job->plan_cells_per_task,
                             .meter = job->source->document.meter,
                             .task_count = job_task_count(job),
                             .job_id = arena_format(&work->arena, "%u", job->number)};
    input->programmes = arena_take_array(&work->arena, job_plan->deliverable_count, sizeof *input->programmes);
    for (uint32_t i = 0; i < job_plan->deliverable_count; i++) {
        if (job_plan->deliverables[i].timeline == UINT16_MAX)
            continue;
        programme_input *programme = &input->programmes[input->programme_count++];
        collect_programme(job, (uint16_t)i, false, programme, &work->arena);
        bool made = task_done(work, job_plan->deliverables[i].publish_task);
        bool held = job->held && job_plan->deliverables[i].rendered;
        programme->complete = programme->complete && (made || job_plan->deliverables[i].rendered);
        if (!made && !held)
            programme->failure = failure_of(work, (uint16_t)i);
        const job_result *metered = job_plan->deliverables[i].meter_task == UINT32_MAX
                                        ? NULL
                                        : job_result_get(job, job_plan->deliverables[i].meter_task);
        programme->metered = metered != NULL && task_meter_result_decode(&programme->second, metered->payload,
                                                                         metered->payload_size) == STATUS_OK;
        programme->excerpts = collect_excerpts(job, (uint16_t)i, &work->arena);
    }
    collect_files(work);
    job_view view;
    if (scheduler_job_view(farm->scheduler, job->number, &view))
        input->retry_count = view.retries;
    for (size_t i = 0; i < farm->workers.count; i++)
        input->worker_count += farm->workers.nodes[i]->connected ? 1 : 0;
    uint64_t now_ms = farm_unix_ms();
    input->wall_seconds = now_ms > job->submitted_unix_ms ? (double)(now_ms - job->submitted_unix_ms) / 1000.0 : 0.0;
    /* A private farm has learnt nothing: its forecast is the planner's guess, which is nobody's concern afterwards. */
    if (!farm->config.private_farm && job->predicted_unix_ms != 0 && now_ms >= job->predicted_unix_ms) {
        input->predicted_seconds = (double)job->predicted_ms / 1000.0;
        input->planned_seconds = (double)(now_ms - job->predicted_unix_ms) / 1000.0;
    }
    char *text = arena_take(&work->arena, 64);
    time_t seconds = (time_t)(now_ms / 1000);
    struct tm utc;
    gmtime_r(&seconds, &utc);
    strftime(text, 64, "%Y-%m-%d %H:%M UTC", &utc);
    input->finished_text = text;
}

/* ---- starting ---- */

static void finish_at_once(local_work *work, status code, const char *text)
{
    work->code = error_detail_set(&work->detail, code, "%s", text);
    finish(work);
}

static bool start_plan(local_work *work)
{
    farm_job *job = work->job;
    if (job->plan_lost) {
        finish_at_once(work, STATUS_DEFECT, JOB_PLANNED_OTHERWISE);
        return true;
    }
    if (job->plan != NULL) { /* the plan was journaled, then the coordinator died before the task's end was */
        work->code = STATUS_OK;
        problems_encode(&job->problems, &work->payload);
        finish(work);
        return true;
    }
    if (!prepare_plan(work))
        return false;
    return uv_queue_work(&work->farm->loop, &work->request, run_plan, after_plan) == 0;
}

void job_runner_start(farm_state *self, const attempt_id *tried)
{
    farm_job *job = job_list_find(&self->jobs, tried->job);
    local_work *work = calloc(1, sizeof *work);
    if (job == NULL || work == NULL) {
        farm_fail(self, STATUS_NODE_MEMORY, "out of memory while starting task %u of job %u", tried->task, tried->job);
        free(work);
        return;
    }
    work->request.data = work;
    work->farm = self;
    work->job = job;
    work->attempt = *tried;
    work->kind = (task_kind)job_task_kind(job, tried->task);
    work->begun_ms = farm_now_ms(self);
    arena_init(&work->arena);
    arena_init(&work->problem_arena);
    byte_writer_init(&work->payload, JOB_DOCUMENT_MAX);
    job_path(job, "cells", work->cells_path);
    self->work_count++;
    job->work_count++;
    bool started = false;
    if (work->kind == TASK_PLAN) {
        started = start_plan(work);
    } else if (work->kind == TASK_MERGE) {
        collect_programme(job, job_task(job, tried->task)->deliverable, false, &work->merge, &work->arena);
        work->compose.heard = collect_heard(job, job_task(job, tried->task)->deliverable, &work->arena);
        started = uv_queue_work(&self->loop, &work->request, run_merge, after_local) == 0;
    } else if (work->kind == TASK_GAIN) {
        collect_programme(job, job_task(job, tried->task)->deliverable, true, &work->merge, &work->arena);
        started = uv_queue_work(&self->loop, &work->request, run_gain, after_local) == 0;
    } else if (work->kind == TASK_COMPOSE) {
        prepare_compose(work);
        started = uv_queue_work(&self->loop, &work->request, run_compose, after_local) == 0;
    }
    if (!started)
        finish_at_once(work, STATUS_DEFECT, "the coordinator cannot run this task itself");
}
