/* What results teach about the nodes, and when a job will be ready: the shell's side of coordinator/forecast. */
#include "coordinator/shell/farm_state.h"

#include "coordinator/shell/pace_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LOCAL_SLOTS = 2, FORECAST_FRESH_MS = 1000, FORECAST_SHARE = 50, PACES_KEPT_MS = 10000 };

static void paces_path(const farm_state *self, char out[PATH_MAX_BYTES])
{
    snprintf(out, PATH_MAX_BYTES, "%s/paces", self->config.state);
}

void farm_forecast_load(farm_state *self)
{
    char path[PATH_MAX_BYTES];
    error_detail detail = {0};
    paces_path(self, path);
    if (pace_file_read(&self->paces, path, &detail) != STATUS_OK)
        log_line(LOG_WARN, "forecast.unread", "reason=\"%s\"", detail.message);
}

void farm_forecast_keep(farm_state *self, bool at_once)
{
    uint64_t now_ms = farm_now_ms(self);
    if (self->config.private_farm || !pace_table_known(&self->paces) ||
        (!at_once && now_ms - self->paces_kept_ms < PACES_KEPT_MS))
        return;
    char path[PATH_MAX_BYTES];
    error_detail detail = {0};
    self->paces_kept_ms = now_ms;
    paces_path(self, path);
    if (pace_file_write(&self->paces, path, &detail) != STATUS_OK)
        log_line(LOG_WARN, "forecast.unkept", "reason=\"%s\"", detail.message);
}

void farm_forecast_learn(farm_state *self, const attempt_end *end)
{
    const farm_job *job = job_list_find(&self->jobs, end->attempt.job);
    const plan_task *task = job == NULL ? NULL : job_task(job, end->attempt.task);
    const worker_node *node = worker_registry_by_number(&self->workers, end->worker);
    if (task != NULL && (node != NULL || end->worker == SCHEDULER_LOCAL))
        pace_table_learn(&self->paces, node == NULL ? "" : node->name, (uint8_t)task->kind, task->cost, end->elapsed_ms);
}

/* ---- the farm as it is ---- */

uint64_t farm_job_work_ms(const farm_state *self, const farm_job *job)
{
    job_view view;
    if (job->ended || !scheduler_job_view(self->scheduler, job->number, &view) || view.held)
        return 0;
    uint64_t pace = job->work_pace != 0 ? job->work_pace : pace_table_pace(&self->paces, NULL, TASK_RENDER);
    return (view.cost_total - view.cost_done) * pace / PACE_UNIT;
}

/* Others' work that is done first, or beside it at an equal share (placement is by priority, deadline, share of a show). */
static uint64_t work_ahead_ms(const farm_state *self, const farm_job *job, uint64_t own_ms)
{
    uint64_t ahead_ms = 0;
    const char *slug = job->slug == NULL ? "" : job->slug;
    uint32_t deadline = job_terms_of(job).deadline != 0 ? job_terms_of(job).deadline : UINT32_MAX;
    for (size_t i = 0; i < self->jobs.count; i++) {
        const farm_job *other = self->jobs.items[i];
        if (other == job || other->ended || other->priority < job->priority)
            continue;
        uint64_t left_ms = farm_job_work_ms(self, other);
        const char *other_slug = other->slug == NULL ? "" : other->slug;
        bool first = other->priority > job->priority || (strcmp(slug, other_slug) == 0 && other->number < job->number);
        first = first || (job_terms_of(other).deadline != 0 && job_terms_of(other).deadline < deadline);
        ahead_ms += first || left_ms < own_ms ? left_ms : own_ms;
    }
    return ahead_ms;
}

static void take_paces(const farm_state *self, const char *name, forecast_node *node)
{
    for (int kind = 0; kind < PACE_KINDS_MAX; kind++)
        node->paces[kind] = pace_table_pace(&self->paces, name, (uint8_t)kind);
}

forecast_farm *farm_forecast_basis(const farm_state *self, arena *memory)
{
    forecast_farm *farm = arena_take(memory, sizeof *farm);
    forecast_node *nodes = arena_take_array(memory, self->workers.count + 1, sizeof *nodes);
    *farm = (forecast_farm){.nodes = nodes};
    for (size_t i = 0; i < self->workers.count; i++) {
        const worker_node *node = self->workers.nodes[i];
        worker_view view;
        if (!node->connected || node->draining || worker_registry_drained(&self->workers, node->name) != NULL ||
            !scheduler_worker_view(self->scheduler, node->number, &view) || view.state != WORKER_READY)
            continue;
        nodes[farm->node_count].slots = node->slots;
        take_paces(self, node->name, &nodes[farm->node_count++]);
    }
    pace_table_jobs(&self->paces, farm->job_paces);
    take_paces(self, NULL, &farm->average);
    farm->local.slots = LOCAL_SLOTS;
    take_paces(self, "", &farm->local);
    return farm;
}

forecast_task *farm_forecast_tasks(const plan *made, arena *memory)
{
    forecast_task *tasks = arena_take_array(memory, (size_t)made->task_count + 1, sizeof *tasks);
    for (uint32_t i = 0; i < made->task_count; i++)
        tasks[i] = (forecast_task){.kind = (uint8_t)made->tasks[i].kind,
                                   .local = made->tasks[i].local,
                                   .cost_ms = made->tasks[i].cost,
                                   .wait_count = made->tasks[i].wait_count,
                                   .waits = made->waits + made->tasks[i].first_wait};
    return tasks;
}

/* ---- one job ---- */

static status forecast_now(const farm_state *self, farm_job *job, ready_forecast *out)
{
    arena memory;
    arena_init(&memory);
    forecast_farm *farm = farm_forecast_basis(self, &memory);
    forecast_task *tasks = farm_forecast_tasks(job->plan, &memory);
    uint64_t left_ms = 0;
    for (uint32_t i = 0; i < job->plan->task_count; i++) {
        task_view view;
        if (!scheduler_task_view(self->scheduler, job->number, job->plan->first_task + i, &view))
            continue;
        tasks[i].done = view.state >= TASK_DONE;
        if (view.state == TASK_RUNNING)
            tasks[i].cost_ms -= (uint32_t)((uint64_t)tasks[i].cost_ms *
                                           farm_task_permille(self, job->number, job->plan->first_task + i, view.worker) / 1000);
        left_ms += tasks[i].done ? 0 : tasks[i].cost_ms;
    }
    farm->ahead_ms = work_ahead_ms(self, job, farm_job_work_ms(self, job));
    status code = ready_forecast_make(out, farm, tasks, job->plan->task_count, job->plan->first_task);
    if (code == STATUS_OK && left_ms > 0)
        job->work_pace = (uint32_t)(out->work_ms * PACE_UNIT / left_ms);
    arena_deinit(&memory);
    return code;
}

const ready_forecast *farm_forecast_job(const farm_state *self, farm_job *job, uint64_t *out_age_ms)
{
    uint64_t begun_ms = farm_now_ms(self);
    if (job->plan == NULL || job->ended)
        return NULL;
    if (job->forecast == NULL || begun_ms >= job->forecast_stale_ms) {
        ready_forecast *made = job->forecast != NULL ? job->forecast : malloc(sizeof *made);
        if (made == NULL)
            return NULL;
        job->forecast = made;
        if (forecast_now(self, job, made) != STATUS_OK) {
            free(made);
            job->forecast = NULL;
            return NULL;
        }
        uint64_t spent_ms = farm_now_ms(self) - begun_ms;
        job->forecast_made_ms = begun_ms;
        job->forecast_stale_ms = begun_ms + FORECAST_FRESH_MS + FORECAST_SHARE * spent_ms;
    }
    *out_age_ms = begun_ms - job->forecast_made_ms;
    return job->forecast;
}

void farm_forecast_predict(farm_state *self, farm_job *job)
{
    uint64_t age_ms = 0;
    job->forecast_stale_ms = 0;
    const ready_forecast *forecast = farm_forecast_job(self, job, &age_ms);
    if (forecast == NULL || forecast->ready_ms == UINT64_MAX)
        return;
    job->predicted_ms = forecast->ready_ms;
    bool alone = true;
    for (size_t i = 0; i < self->jobs.count; i++)
        alone = alone && (self->jobs.items[i] == job || self->jobs.items[i]->ended);
    job->began_alone = alone;
    job->predicted_unix_ms = farm_unix_ms();
    shell_record record = {.kind = RECORD_FORECAST,
                           .forecast = {.job = job->number,
                                        .made_unix_ms = job->predicted_unix_ms,
                                        .ready_ms = job->predicted_ms}};
    farm_record(self, &record, -1);
    log_line(LOG_INFO, "job.forecast", "job=%u ready_s=%.1f work_s=%.1f slots=%u", job->number,
             (double)forecast->ready_ms / 1000.0, (double)forecast->work_ms / 1000.0, forecast->slots);
}

/* What its tasks really took, placed on the slots that there are; 0 = not known. Measured against the forecast instead, what
 * the paces got wrong then would count as passing between the tasks, for ever after. */
static uint64_t spent_placed_ms(const farm_state *self, const farm_job *job)
{
    arena memory;
    arena_init(&memory);
    const forecast_farm *farm = farm_forecast_basis(self, &memory);
    forecast_task *tasks = farm_forecast_tasks(job->plan, &memory);
    uint32_t slots = 0;
    for (uint32_t i = 0; i < farm->node_count; i++)
        slots += farm->nodes[i].slots;
    bool known = true;
    for (uint32_t i = 0; i < job->plan->task_count; i++) {
        const job_result *result = job_result_get(job, job->plan->first_task + i);
        known = known && result != NULL;
        tasks[i].cost_ms = result == NULL ? 0 : result->spent_ms;
    }
    uint64_t placed_ms = 0;
    known = known && ready_forecast_spent(&placed_ms, slots, LOCAL_SLOTS, tasks, job->plan->task_count,
                                          job->plan->first_task) == STATUS_OK && placed_ms != UINT64_MAX;
    arena_deinit(&memory);
    return known ? placed_ms : 0;
}

/* Only of a job that nothing went beside or wrong with: the others say nothing about jobs as such. */
void farm_forecast_learn_job(farm_state *self, const farm_job *job)
{
    job_view view;
    if (!job->began_alone || job->plan == NULL || job->failed || job->cancelled || job->number != self->jobs.last_number ||
        job->ended_unix_ms < job->predicted_unix_ms || !scheduler_job_view(self->scheduler, job->number, &view) ||
        view.retries > 0)
        return;
    pace_table_learn_job(&self->paces, spent_placed_ms(self, job), job->ended_unix_ms - job->predicted_unix_ms);
}

uint32_t farm_task_permille(const farm_state *self, uint32_t job, uint32_t task, uint32_t worker)
{
    const worker_node *node = worker_registry_by_number(&self->workers, worker);
    for (uint32_t i = 0; node != NULL && i < node->progress_count; i++)
        if (node->progress[i].attempt.job == job && node->progress[i].attempt.task == task)
            return node->progress[i].done_permille > 1000 ? 1000 : node->progress[i].done_permille;
    return 0;
}
