#define _GNU_SOURCE
#include "coordinator/shell/farm_pages.h"

#include "coordinator/shell/farm_state.h"
#include "coordinator/shell/job_json.h"
#include "coordinator/shell/job_rest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NODE_TASKS_SHOWN_MAX = 64, FORECASTS_SHOWN_MAX = 10 };

static char *dump(json_t *document, size_t *out_size)
{
    char *text = json_dumps(document, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(document);
    *out_size = text == NULL ? 0 : strlen(text);
    return text;
}

/* ---- the farm ---- */

/* out_taking: the slots of nodes that take work. */
static json_t *nodes_in_figures(const farm_state *self, uint64_t *out_slots, uint64_t *out_busy, uint64_t *out_taking)
{
    static const char *const words[] = {"ready", "draining", "drained", "quarantined", "lost"};
    uint64_t counts[sizeof words / sizeof words[0]] = {0};
    worker_registry_mark_replaced(&self->workers);
    for (size_t i = 0; i < self->workers.count; i++) {
        const worker_node *node = self->workers.nodes[i];
        worker_view view = {.state = WORKER_LOST};
        if (node->replaced)
            continue;
        (void)scheduler_worker_view(self->scheduler, node->number, &view);
        const char *word = farm_node_state(self, node, &view);
        for (size_t k = 0; k < sizeof words / sizeof words[0]; k++)
            counts[k] += strcmp(word, words[k]) == 0;
        if (!node->connected)
            continue;
        *out_slots += node->slots;
        *out_taking += strcmp(word, "ready") == 0 ? node->slots : 0;
        *out_busy += view.running < node->slots ? view.running : node->slots;
    }
    json_t *object = json_object();
    for (size_t k = 0; k < sizeof words / sizeof words[0]; k++)
        json_object_set_new(object, words[k], json_integer((json_int_t)counts[k]));
    return object;
}

static char *farm_document(farm_state *self, size_t *out_size)
{
    uint64_t by_state[TASK_CANCELLED + 1] = {0};
    uint64_t open = 0, ended = 0, failed = 0, held = 0, work_ms = 0, slots = 0, busy = 0, taking = 0;
    for (size_t i = 0; i < self->jobs.count; i++) {
        const farm_job *job = self->jobs.items[i];
        job_view view;
        if (job_is_question(job))
            continue;
        ended += job->ended ? 1 : 0;
        failed += job->ended && job->failed ? 1 : 0;
        if (job->ended || !scheduler_job_view(self->scheduler, job->number, &view))
            continue;
        open++;
        held += view.held ? 1 : 0;
        work_ms += farm_job_work_ms(self, job);
        for (size_t state = 0; state <= TASK_CANCELLED; state++)
            by_state[state] += view.by_state[state];
    }
    json_t *object = json_pack("{s:i, s:i, s:o}", "reelmill", 1, "term", (int)self->term, "nodes",
                               nodes_in_figures(self, &slots, &busy, &taking));
    json_object_set_new(object, "slots", json_integer((json_int_t)slots));
    json_object_set_new(object, "busy", json_integer((json_int_t)busy));
    json_object_set_new(object, "jobs", json_pack("{s:I, s:I, s:I, s:I}", "open", (json_int_t)open, "held", (json_int_t)held,
                                                  "ended", (json_int_t)ended, "failed", (json_int_t)failed));
    json_t *tasks = json_object();
    for (size_t state = 0; state <= TASK_CANCELLED; state++)
        json_object_set_new(tasks, task_state_name((task_state)state), json_integer((json_int_t)by_state[state]));
    json_object_set_new(object, "tasks", tasks);
    json_object_set_new(object, "work_s", json_real((double)work_ms / 1000.0));
    json_object_set_new(object, "ready_in_s", taking == 0 ? json_null() : json_real((double)work_ms / 1000.0 / (double)taking));
    uint64_t now_ms = farm_now_ms(self);
    json_object_set_new(object, "rate_h_per_min", json_real(farm_counters_rate(&self->counters, now_ms)));
    json_object_set_new(object, "programme_h", json_real((double)self->counters.programme_ms / 3600000.0));
    return dump(object, out_size);
}

/* ---- rows ---- */

static bool job_fits(const farm_state *self, const farm_job *job, const page_query *query)
{
    job_view view = {0};
    if (query->state[0] != '\0') {
        (void)scheduler_job_view(self->scheduler, job->number, &view);
        bool fits = strcmp(query->state, "open") == 0    ? !job->ended
                    : strcmp(query->state, "ended") == 0 ? job->ended
                    : strcmp(query->state, "failed") == 0
                        ? job->ended && (job->failed || (job->has_verdict && job->verdict == VERDICT_FAIL))
                    : strcmp(query->state, "held") == 0 ? !job->ended && view.held
                                                        : false;
        if (!fits)
            return false;
    }
    char number[16];
    snprintf(number, sizeof number, "%u", job->number);
    return query->find[0] == '\0' || strcmp(number, query->find) == 0 ||
           (job->title != NULL && strcasestr(job->title, query->find) != NULL) ||
           (job->slug != NULL && strcasestr(job->slug, query->find) != NULL) ||
           strcasestr(job->owner, query->find) != NULL;
}

/* A row, and when it will be ready for the first few that run: a forecast is work. */
static json_t *job_with_forecast(const farm_state *self, farm_job *job, uint32_t *told)
{
    json_t *row = job_row_json(self, job);
    job_view view;
    uint64_t age_ms = 0;
    if (job->ended || *told >= FORECASTS_SHOWN_MAX || !scheduler_job_view(self->scheduler, job->number, &view) ||
        view.by_state[TASK_RUNNING] == 0)
        return row;
    const ready_forecast *forecast = farm_forecast_job(self, job, &age_ms);
    ++*told;
    if (forecast != NULL && forecast->ready_ms != UINT64_MAX)
        json_object_set_new(row, "ready_in_s",
                            json_real(forecast->ready_ms > age_ms ? (double)(forecast->ready_ms - age_ms) / 1000.0 : 0.0));
    return row;
}

static char *jobs_document(farm_state *self, const page_query *query, size_t *out_size)
{
    json_t *list = json_array();
    uint32_t fitting = 0, told = 0;
    for (size_t i = self->jobs.count; i-- > 0;) { /* the newest first */
        farm_job *job = self->jobs.items[i];
        if (job_is_question(job) || !job_fits(self, job, query))
            continue;
        if (fitting >= query->from && fitting - query->from < query->rows)
            json_array_append_new(list, job_with_forecast(self, job, &told));
        fitting++;
    }
    return dump(json_pack("{s:i, s:o, s:I, s:I, s:I}", "reelmill", 1, "jobs", list, "from", (json_int_t)query->from,
                          "fitting", (json_int_t)fitting, "all", (json_int_t)self->jobs.count), out_size);
}

static char *nodes_document(const farm_state *self, const page_query *query, size_t *out_size)
{
    json_t *list = json_array();
    uint32_t fitting = 0, all = 0;
    worker_registry_mark_replaced(&self->workers);
    for (size_t i = 0; i < self->workers.count; i++) {
        const worker_node *node = self->workers.nodes[i];
        worker_view view = {.state = WORKER_LOST};
        if (node->replaced)
            continue;
        all++;
        (void)scheduler_worker_view(self->scheduler, node->number, &view);
        const char *state = farm_node_state(self, node, &view);
        bool wanted = query->state[0] == '\0' || strcmp(query->state, state) == 0 ||
                      (strcmp(query->state, "not ready") == 0 && strcmp(state, "ready") != 0);
        if (!wanted || (query->find[0] != '\0' && strcasestr(node->name, query->find) == NULL))
            continue;
        if (fitting >= query->from && fitting - query->from < query->rows)
            json_array_append_new(list, farm_node_json(self, node));
        fitting++;
    }
    return dump(json_pack("{s:i, s:o, s:I, s:I, s:I}", "reelmill", 1, "nodes", list, "from", (json_int_t)query->from,
                          "fitting", (json_int_t)fitting, "all", (json_int_t)all), out_size);
}

/* ---- one node ---- */

static json_t *node_tasks(const farm_state *self, const worker_node *node)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < node->progress_count && i < NODE_TASKS_SHOWN_MAX; i++) {
        const attempt_id *tried = &node->progress[i].attempt;
        const farm_job *job = job_list_find(&self->jobs, tried->job);
        const attempt held = {.job = tried->job, .task = tried->task, .term = tried->term, .epoch = tried->epoch};
        if (job == NULL || tried->task >= job_task_count(job) || !scheduler_worker_holds(self->scheduler, node->number, &held))
            continue; /* over since that heartbeat */
        char what[PATH_MAX_BYTES];
        job_task_what(job, tried->task, what, sizeof what);
        json_t *entry = json_pack("{s:I, s:I, s:s, s:I}", "job", (json_int_t)tried->job, "task", (json_int_t)tried->task, "kind",
                                  task_kind_name((task_kind)job_task_kind(job, tried->task)), "permille",
                                  (json_int_t)node->progress[i].done_permille);
        json_object_set_new(entry, "what", job_text_json(what));
        json_array_append_new(list, entry);
    }
    return list;
}

static char *node_document(const farm_state *self, uint32_t number, size_t *out_size, error_detail *detail)
{
    const worker_node *node = worker_registry_by_number(&self->workers, number);
    if (node == NULL) {
        error_detail_set(detail, STATUS_INPUT_MISSING, "there is no node %u (any more); nodes that are gone are forgotten after 10 minutes",
                         number);
        return NULL;
    }
    json_t *object = farm_node_json(self, node);
    worker_view view = {.state = WORKER_LOST};
    (void)scheduler_worker_view(self->scheduler, node->number, &view);
    json_object_set_new(object, "reelmill", json_integer(1));
    json_object_set_new(object, "tasks", node_tasks(self, node));
    json_object_set_new(object, "strikes", json_integer(view.strikes));
    json_object_set_new(object, "proofs", json_integer(view.proofs));
    json_object_set_new(object, "on_trial", json_boolean(view.canary));
    json_object_set_new(object, "programme_h", json_real((double)node->programme_ms / 3600000.0));
    json_object_set_new(object, "busy_s", json_real((double)node->task_ms / 1000.0));
    json_t *paces = json_object();
    for (int kind = 1; kind < TASK_KIND_REMOTE_END; kind++)
        json_object_set_new(paces, task_kind_name((task_kind)kind),
                            json_real(pace_table_pace(&self->paces, node->name, (uint8_t)kind) / (double)PACE_UNIT));
    json_object_set_new(object, "paces", paces);
    return dump(object, out_size);
}

char *farm_page_report(char *report, size_t *size)
{
    static const char mark[] = "<main>";
    static const char note[] =
        "<style>audio{display:none}</style><section><p class=\"soft\">The audio of places found lies beside the delivered report, in "
        "<code>audition/</code>: open the report there to hear it. This page asks for no key, and serves no audio.</p></section>";
    char *head = strstr(report, mark);
    if (head == NULL || strstr(report, "<audio ") == NULL)
        return report;
    size_t before = (size_t)(head - report) + strlen(mark);
    char *shown = malloc(*size + strlen(note) + 1);
    if (shown != NULL) {
        memcpy(shown, report, before);
        memcpy(shown + before, note, strlen(note));
        memcpy(shown + before + strlen(note), report + before, *size - before + 1);
        *size += strlen(note);
    }
    free(report);
    return shown;
}

char *farm_page(farm_state *self, const char *what, uint32_t number, const page_query *query, size_t *out_size,
                error_detail *detail)
{
    char *text = NULL;
    farm_job *job = NULL;
    if (strcmp(what, "farm") == 0)
        text = farm_document(self, out_size);
    else if (strcmp(what, "jobs") == 0)
        text = jobs_document(self, query, out_size);
    else if (strcmp(what, "nodes") == 0)
        text = nodes_document(self, query, out_size);
    else if (strcmp(what, "node") == 0)
        text = node_document(self, number, out_size, detail);
    else if (strcmp(what, "grid") != 0)
        error_detail_set(detail, STATUS_INPUT_INVALID, "'%.40s' is no page", what);
    else if ((job = job_list_find(&self->jobs, number)) == NULL)
        error_detail_set(detail, STATUS_INPUT_MISSING, "there is no job %u", number);
    else if (farm_job_wake(self, job, detail) == STATUS_OK)
        text = dump(job_grid_json(self, job), out_size);
    if (text == NULL && detail->code == STATUS_OK)
        error_detail_set(detail, STATUS_NODE_MEMORY, "out of memory");
    return text;
}
