/* The farm in Prometheus' text format. Names follow Prometheus' conventions: base units, _total for counters. */
#include "coordinator/shell/farm_state.h"

#include "common/base/byte_writer.h"
#include "common/base/engine_version.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
    uint64_t open = 0, ended = 0, failed = 0, retries = 0, waiting_ms = 0;
    for (size_t i = 0; i < self->jobs.count; i++) {
        const farm_job *job = self->jobs.items[i];
        job_view view;
        open += job->ended ? 0 : 1;
        ended += job->ended ? 1 : 0;
        failed += job->ended && job->failed ? 1 : 0;
        if (!scheduler_job_view(self->scheduler, job->number, &view))
            continue;
        retries += view.retries;
        if (job->ended)
            continue;
        waiting_ms += view.cost_total - view.cost_done;
        for (size_t state = 0; state <= TASK_CANCELLED; state++)
            by_state[state] += view.by_state[state];
    }
    put_head(writer, "jobs", "gauge", "Jobs that the coordinator knows.");
    put(writer, "reelmill_jobs{state=\"open\"} %llu\nreelmill_jobs{state=\"ended\"} %llu\nreelmill_jobs{state=\"failed\"} %llu\n",
        (unsigned long long)open, (unsigned long long)(ended - failed), (unsigned long long)failed);
    put_head(writer, "tasks", "gauge", "Tasks of open jobs.");
    for (size_t state = 0; state <= TASK_CANCELLED; state++)
        put(writer, "reelmill_tasks{state=\"%s\"} %llu\n", task_state_name((task_state)state), (unsigned long long)by_state[state]);
    put_one(writer, "task_retries", "gauge", "Failed or lost attempts of the jobs that the coordinator knows.", (double)retries);
    put_one(writer, "estimated_seconds_of_work", "gauge", "What open jobs still ask of one slot: the demand to scale workers by.",
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
            put(writer, "\"} %u\n", values[column]);
        }
    }
}

char *farm_metrics(const farm_state *self, size_t *out_size)
{
    byte_writer writer;
    byte_writer_init(&writer, METRICS_BYTES_MAX);
    put_head(&writer, "build_info", "gauge", "1; the version is the label.");
    put(&writer, "reelmill_build_info{version=\"%s\"} 1\n", ENGINE_VERSION);
    put_one(&writer, "term", "counter", "Starts of this coordinator over its journal.", self->term);
    put_one(&writer, "messages_denied_total", "counter", "Messages that a role may not send, since the start.",
            (double)self->denied_count);
    put_jobs(self, &writer);
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
