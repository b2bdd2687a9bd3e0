#define _GNU_SOURCE
/* The farm in Prometheus' text format. Names follow Prometheus' conventions: base units, _total for counters. */
#include "coordinator/shell/farm_state.h"

#include "common/base/byte_writer.h"
#include "common/base/engine_version.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

enum { METRICS_BYTES_MAX = 16 << 20 };

static void put(byte_writer *writer, const char *format, ...) PRINTF_LIKE(2, 3);
static void put(byte_writer *writer, const char *format, ...)
{
    char line[NAME_MAX_BYTES + 256];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (size > 0 && (size_t)size < sizeof line)
        byte_writer_bytes(writer, line, (size_t)size);
}

static void put_head(byte_writer *writer, const char *name, const char *type, const char *help)
{
    put(writer, "# HELP reelmill_%s %s\n# TYPE reelmill_%s %s\n", name, help, name, type);
}

static void put_one(byte_writer *writer, const char *name, const char *type, const char *help, double value)
{
    put_head(writer, name, type, help);
    put(writer, "reelmill_%s %.17g\n", name, value);
}

static void put_jobs(const farm_state *self, byte_writer *writer)
{
    uint64_t by_state[TASK_CANCELLED + 1] = {0};
    uint64_t open = 0, ended = 0, failed = 0, held = 0, stored = 0, retries = 0, waiting_ms = 0;
    for (size_t i = 0; i < self->jobs.count; i++) {
        const farm_job *job = self->jobs.items[i];
        job_view view;
        if (job_is_question(job))
            continue;
        open += job->ended ? 0 : 1;
        ended += job->ended ? 1 : 0;
        failed += job->ended && job->failed ? 1 : 0;
        if (!scheduler_job_view(self->scheduler, job->number, &view))
            continue;
        retries += view.retries;
        if (job->ended)
            continue;
        held += view.held ? 1 : 0;
        stored += view.storage_wait_ms > 0 ? 1 : 0;
        waiting_ms += farm_job_work_ms(self, job);
        for (size_t state = 0; state <= TASK_CANCELLED; state++)
            by_state[state] += view.by_state[state];
    }
    put_head(writer, "jobs", "gauge", "Jobs that the coordinator knows.");
    put(writer, "reelmill_jobs{state=\"open\"} %llu\nreelmill_jobs{state=\"ended\"} %llu\nreelmill_jobs{state=\"failed\"} %llu\n",
        (unsigned long long)open, (unsigned long long)(ended - failed), (unsigned long long)failed);
    put_one(writer, "jobs_held", "gauge", "Open jobs that are held: nothing of them begins.", (double)held);
    put_one(writer, "jobs_waiting_for_storage", "gauge", "Open jobs that wait for storage that is full or away.", (double)stored);
    put_head(writer, "tasks", "gauge", "Tasks of open jobs.");
    for (size_t state = 0; state <= TASK_CANCELLED; state++)
        put(writer, "reelmill_tasks{state=\"%s\"} %llu\n", task_state_name((task_state)state), (unsigned long long)by_state[state]);
    put_one(writer, "task_retries", "gauge", "Failed or lost attempts of the jobs that the coordinator knows.", (double)retries);
    put_one(writer, "estimated_seconds_of_work", "gauge", "What open jobs still ask of one slot, at the pace that nodes have shown: the demand to scale workers by.",
            (double)waiting_ms / 1000.0);
}

/* Names of nodes come from outside; in a label \, " and line ends are written as escapes. */
static void put_label(byte_writer *writer, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '\\' || *text == '"')
            byte_writer_bytes(writer, "\\", 1);
        byte_writer_bytes(writer, *text == '\n' ? " " : text, 1);
    }
}

static void put_node_states(const farm_state *self, byte_writer *writer)
{
    static const char *const states[] = {"ready", "draining", "drained", "quarantined", "lost"};
    uint32_t counts[sizeof states / sizeof states[0]] = {0};
    for (size_t i = 0; i < self->workers.count; i++) {
        worker_view view = {.state = WORKER_LOST};
        (void)scheduler_worker_view(self->scheduler, self->workers.nodes[i]->number, &view);
        const char *state = farm_node_state(self, self->workers.nodes[i], &view);
        for (size_t k = 0; k < sizeof states / sizeof states[0]; k++)
            counts[k] += strcmp(state, states[k]) == 0 ? 1 : 0;
    }
    put_head(writer, "nodes", "gauge", "Nodes by state; a lost one is forgotten after ten minutes.");
    for (size_t k = 0; k < sizeof states / sizeof states[0]; k++)
        put(writer, "reelmill_nodes{state=\"%s\"} %u\n", states[k], counts[k]);
}

/* A worker that came back stands beside the one that it was, for ten minutes: the number keeps their series apart. */
static void put_nodes(const farm_state *self, byte_writer *writer)
{
    static const struct {
        const char *name, *type, *help;
    } columns[] = {{"node_up", "gauge", "1 while a node is connected."},
                   {"node_slots", "gauge", "Slots of a node."},
                   {"node_running", "gauge", "Tasks that a node executes."},
                   {"node_quarantined", "gauge", "1 while a node is in quarantine."},
                   {"node_tasks_done_total", "counter", "Tasks that a node has done since it joined."},
                   {"node_tasks_failed_total", "counter", "Attempts that failed on a node since it joined."}};
    static const struct {
        const char *name, *help;
    } times[] = {{"node_programme_seconds_total", "Programme time that a node has made or inspected since it joined."},
                 {"node_task_seconds_total", "Time that a node's tasks took since it joined."}};
    for (size_t column = 0; column < sizeof columns / sizeof columns[0]; column++) {
        put_head(writer, columns[column].name, columns[column].type, columns[column].help);
        for (size_t i = 0; i < self->workers.count; i++) {
            const worker_node *node = self->workers.nodes[i];
            worker_view view = {.state = WORKER_LOST};
            (void)scheduler_worker_view(self->scheduler, node->number, &view);
            const uint32_t values[] = {node->connected,
                                       node->slots,
                                       view.running,
                                       node->connected && view.state == WORKER_QUARANTINED,
                                       view.tasks_done,
                                       view.tasks_failed};
            put(writer, "reelmill_%s{node=\"", columns[column].name);
            put_label(writer, node->name);
            put(writer, "\",worker=\"%u\"} %u\n", node->number, values[column]);
        }
    }
    for (size_t column = 0; column < sizeof times / sizeof times[0]; column++) {
        put_head(writer, times[column].name, "counter", times[column].help);
        for (size_t i = 0; i < self->workers.count; i++) {
            const worker_node *node = self->workers.nodes[i];
            put(writer, "reelmill_%s{node=\"", times[column].name);
            put_label(writer, node->name);
            put(writer, "\",worker=\"%u\"} %.17g\n", node->number,
                (double)(column == 0 ? node->programme_ms : node->task_ms) / 1000.0);
        }
    }
}

/* Programme time of what a RENDER or INSPECT task made. */
static uint64_t programme_ms_of(const farm_job *job, const plan_task *task)
{
    if (task->kind != TASK_RENDER && task->kind != TASK_INSPECT)
        return 0;
    const render_program *program = &job->plan->programs[task->program];
    const plan_piece *piece = &job->plan->timelines[task->timeline].pieces[task->piece];
    uint64_t first = (uint64_t)task->first_cell * CELL_FRAMES;
    uint64_t frames = (uint64_t)task->cell_count * CELL_FRAMES;
    uint64_t outputs = 0;
    for (uint32_t i = 0; i < program->output_count; i++)
        outputs += program->outputs[i].deliverable != PLAN_DELIVERABLE_NONE;
    if (frames > piece->frame_count - first)
        frames = piece->frame_count - first;
    return frames * outputs * 1000 / program->sample_rate;
}

void farm_count_result(farm_state *self, const attempt_end *end)
{
    const farm_job *job = job_list_find(&self->jobs, end->attempt.job);
    const plan_task *task = job == NULL ? NULL : job_task(job, end->attempt.task);
    if (job == NULL)
        return;
    uint64_t programme_ms = task == NULL ? 0 : programme_ms_of(job, task);
    farm_counters_task(&self->counters, farm_now_ms(self), job_task_kind(job, end->attempt.task), end->elapsed_ms, programme_ms);
    worker_node *node = worker_registry_by_number(&self->workers, end->worker);
    if (node != NULL) {
        node->programme_ms += programme_ms;
        node->task_ms += end->elapsed_ms;
    }
}

/* What was counted since the start: work, failures, the journal. */
static void put_counters(const farm_state *self, byte_writer *writer)
{
    const farm_counters *counters = &self->counters;
    put_one(writer, "programme_seconds_total", "counter", "Programme time made or inspected, all deliverables, since the start.",
            (double)counters->programme_ms / 1000.0);
    static const struct {
        const char *name, *type, *help;
    } kinds[] = {{"tasks_done_total", "counter", "Tasks done since the start, by kind."},
                 {"task_seconds_total", "counter", "Time that they took, by kind."}};
    for (int column = 0; column < 2; column++) {
        put_head(writer, kinds[column].name, kinds[column].type, kinds[column].help);
        for (int kind = 0; kind < COUNTED_KINDS_MAX; kind++)
            if (counters->task_count[kind] > 0)
                put(writer, "reelmill_%s{kind=\"%s\"} %.17g\n", kinds[column].name, task_kind_name((task_kind)kind),
                    column == 0 ? (double)counters->task_count[kind] : (double)counters->task_ms[kind] / 1000.0);
    }
    put_head(writer, "task_failures_total", "counter", "Attempts that failed since the start, by class: storage, node, input, ...");
    for (int class = STATUS_CLASS_PEER; class < COUNTED_CLASSES_MAX; class++)
        put(writer, "reelmill_task_failures_total{class=\"%s\"} %llu\n", status_class_name((status_class)class),
            (unsigned long long)counters->failures[class]);
    put_head(writer, "journal_commit_seconds", "histogram", "From a record's being written to its being on disk, sampled.");
    uint64_t sum = 0;
    for (int step = 0; step < COMMIT_STEPS; step++) {
        sum += counters->commits[step];
        put(writer, "reelmill_journal_commit_seconds_bucket{le=\"%g\"} %llu\n", farm_commit_step_ms(step) / 1000.0,
            (unsigned long long)sum);
    }
    sum += counters->commits[COMMIT_STEPS];
    put(writer, "reelmill_journal_commit_seconds_bucket{le=\"+Inf\"} %llu\nreelmill_journal_commit_seconds_sum %.17g\n",
        (unsigned long long)sum, (double)counters->commit_us / 1e6);
    put(writer, "reelmill_journal_commit_seconds_count %llu\n", (unsigned long long)sum);
}

char *farm_metrics(const farm_state *self, size_t *out_size)
{
    byte_writer writer;
    byte_writer_init(&writer, METRICS_BYTES_MAX);
    put_head(&writer, "build_info", "gauge", "1; the version is the label.");
    put(&writer, "reelmill_build_info{version=\"%s\"} 1\n", ENGINE_VERSION);
    put_one(&writer, "term", "gauge", "Starts of this coordinator over its journal.", self->term);
    put_one(&writer, "messages_denied_total", "counter", "Messages that a role may not send, since the start.",
            (double)self->denied_count);
    put_one(&writer, "end_hooks_dropped_total", "counter", "Ends of jobs that on_end was not told of, since the start.",
            (double)end_hook_dropped(self->hook));
    struct statvfs disk;
    if (statvfs(self->config.state, &disk) == 0) /* a local disk: it answers at once */
        put_one(&writer, "state_free_bytes", "gauge", "Free space where the coordinator's state lies.",
                (double)disk.f_bavail * (double)disk.f_frsize);
    put_counters(self, &writer);
    put_jobs(self, &writer);
    put_node_states(self, &writer);
    put_nodes(self, &writer);
    char *text = writer.failed ? NULL : malloc(writer.size + 1);
    if (text != NULL) {
        memcpy(text, writer.bytes, writer.size);
        text[writer.size] = '\0';
        *out_size = writer.size;
    }
    byte_writer_deinit(&writer);
    return text;
}
