#include "coordinator/shell/job_json.h"

#include "coordinator/shell/farm_state.h"
#include "coordinator/shell/forecast_json.h"
#include "coordinator/shell/job_body.h"
#include "coordinator/shell/job_explain.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { RUNNING_SHOWN_MAX = 64, JOBS_SHOWN_MAX = 1000, JOB_LIST_BYTES_MAX = 32 << 20 };

static char *dump(json_t *document, size_t *out_size)
{
    char *text = json_dumps(document, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(document);
    *out_size = text == NULL ? 0 : strlen(text);
    return text;
}

json_t *job_text_json(const char *text)
{
    if (text == NULL)
        return json_null();
    json_t *value = json_string(text);
    if (value != NULL)
        return value;
    char *clean = strdup(text);
    for (char *c = clean; c != NULL && *c != '\0'; c++)
        if ((unsigned char)*c >= 0x80)
            *c = '?';
    value = json_string(clean == NULL ? "" : clean);
    free(clean);
    return value;
}

static json_t *number_json(uint64_t value)
{
    return json_integer((json_int_t)value);
}

static json_t *time_json(uint64_t unix_ms)
{
    if (unix_ms == 0)
        return json_null();
    time_t seconds = (time_t)(unix_ms / 1000);
    struct tm utc;
    char text[32];
    gmtime_r(&seconds, &utc);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
    return json_string(text);
}

void job_problems_json(json_t *list, const problem_list *problems)
{
    static const char *const severities[] = {"info", "warning", "error"};
    for (size_t i = 0; i < problems->count; i++) {
        const problem *item = &problems->items[i];
        json_t *entry = json_object();
        json_object_set_new(entry, "severity", json_string(severities[item->severity]));
        json_object_set_new(entry, "file", job_text_json(item->file));
        json_object_set_new(entry, "line", json_integer(item->line));
        json_object_set_new(entry, "column", json_integer(item->column));
        json_object_set_new(entry, "message", job_text_json(item->message));
        json_array_append_new(list, entry);
    }
}

static void add_title(json_t *object, const char *title, const char *slug, const char *version)
{
    json_object_set_new(object, "title", job_text_json(title));
    json_object_set_new(object, "slug", job_text_json(slug));
    json_object_set_new(object, "version", job_text_json(version));
}

/* ---- the plan ---- */

static json_t *plan_task_json(const plan *job_plan, uint32_t index, const char *what)
{
    const plan_task *task = &job_plan->tasks[index];
    json_t *object = json_object();
    json_object_set_new(object, "task", json_integer((json_int_t)job_plan->first_task + index));
    json_object_set_new(object, "kind", json_string(task_kind_name(task->kind)));
    json_object_set_new(object, "what", job_text_json(what));
    bool reads = task->kind == TASK_RENDER || task->kind == TASK_INSPECT;
    bool whole = task->kind == TASK_COMPOSE || task->kind == TASK_DEPOSIT;
    json_object_set_new(object, "deliverable",
                        reads || whole ? json_null() : job_text_json(job_plan->show->deliverables[task->deliverable].name));
    json_object_set_new(object, "cells", json_integer(reads ? task->cell_count : 0));
    json_object_set_new(object, "estimate_ms", json_integer(task->cost));
    json_t *waits = json_array();
    for (uint32_t i = 0; i < task->wait_count; i++)
        json_array_append_new(waits, json_integer(job_plan->waits[task->first_wait + i]));
    json_object_set_new(object, "waits", waits);
    return object;
}

static json_t *plan_object(const plan *job_plan, const farm_job *named)
{
    char digest[CONTENT_HASH_TEXT_SIZE];
    content_hash_to_text(&job_plan->digest, digest);
    json_t *object = json_object();
    json_object_set_new(object, "digest", json_string(digest));
    json_object_set_new(object, "read_bytes", number_json(job_plan->read_bytes));
    json_object_set_new(object, "write_bytes", number_json(job_plan->write_bytes));
    json_t *files = json_array();
    for (uint32_t i = 0; i < job_plan->file_count; i++) {
        const plan_file *file = &job_plan->files[i];
        json_t *entry = json_object();
        json_object_set_new(entry, "path", job_text_json(file->display));
        json_object_set_new(entry, "deliverable", job_text_json(job_plan->show->deliverables[file->deliverable].name));
        json_object_set_new(entry, "reel",
                            file->reel < 0 ? json_null() : job_text_json(job_plan->show->reels[file->reel].name));
        json_object_set_new(entry, "bytes", number_json(file->file_size));
        json_array_append_new(files, entry);
    }
    json_object_set_new(object, "files", files);
    json_t *tasks = json_array();
    for (uint32_t i = 0; i < job_plan->task_count; i++) {
        char what[PATH_MAX_BYTES];
        job_task_what(named, job_plan->first_task + i, what, sizeof what);
        json_array_append_new(tasks, plan_task_json(job_plan, i, what));
    }
    json_object_set_new(object, "tasks", tasks);
    arena memory;
    arena_init(&memory);
    json_object_set_new(object, "text", job_text_json(plan_text(job_plan, &memory)));
    arena_deinit(&memory);
    return object;
}

char *job_plan_json(const farm_job *job, size_t *out_size)
{
    return dump(plan_object(job->plan, job), out_size);
}

/* What the probe found: null where the file cannot be used. */
static void add_facts(json_t *entry, const media_facts *facts)
{
    bool usable = facts != NULL && facts->outcome == STATUS_OK;
    json_object_set_new(entry, "container", usable ? json_string(media_container_name(facts->container)) : json_null());
    json_object_set_new(entry, "encoding", usable ? json_string(sample_encoding_name(facts->encoding)) : json_null());
    json_object_set_new(entry, "sample_rate", usable ? json_integer(facts->sample_rate) : json_null());
    json_object_set_new(entry, "channels", usable ? json_integer(facts->channel_count) : json_null());
    json_object_set_new(entry, "frames", usable ? number_json(facts->frame_count) : json_null());
    bool placed = usable && facts->bext.present;
    json_object_set_new(entry, "time_reference", placed ? number_json(facts->bext.time_reference) : json_null());
}

char *job_result_json(const job_result_parts *parts, size_t *out_size)
{
    const job_source *source = parts->source;
    const media_facts *facts = parts->facts;
    const plan *job_plan = parts->plan;
    const problem_list *problems = parts->problems;
    status code = parts->code;
    json_t *object = json_object();
    json_object_set_new(object, "reelmill", json_integer(1));
    json_object_set_new(object, "kind", json_string(job_kind_name(source->document.kind)));
    json_object_set_new(object, "ok", json_boolean(code == STATUS_OK));
    json_object_set_new(object, "exit_code", json_integer(code == STATUS_OK ? 0 : 2));
    add_title(object, source->show.title, source->show.slug, source->show.version);
    json_t *list = json_array();
    job_problems_json(list, &source->problems);
    job_problems_json(list, problems);
    json_object_set_new(object, "problems", list);
    json_t *inputs = json_array();
    for (uint32_t i = 0; i < source->inputs.count; i++) {
        const plan_input *item = &source->inputs.items[i];
        json_t *entry = json_object();
        json_object_set_new(entry, "path", job_text_json(item->display));
        json_object_set_new(entry, "stem",
                            item->stem < 0 ? json_null() : job_text_json(source->show.stems[item->stem].name));
        json_object_set_new(entry, "deliverable",
                            item->deliverable < 0 ? json_null()
                                                  : job_text_json(source->show.deliverables[item->deliverable].name));
        json_object_set_new(entry, "reel",
                            item->reel < 0 ? json_null() : job_text_json(source->show.reels[item->reel].name));
        add_facts(entry, facts == NULL ? NULL : &facts[i]);
        json_array_append_new(inputs, entry);
    }
    json_object_set_new(object, "inputs", inputs);
    /* Only names are asked of the job, so a bare one serves off the loop. */
    farm_job named = {.source = (job_source *)source, .plan = (struct plan *)job_plan};
    json_object_set_new(object, "plan", job_plan == NULL ? json_null() : plan_object(job_plan, &named));
    json_object_set_new(object, "write_bytes", number_json(parts->write_bytes));
    json_object_set_new(object, "forecast",
                        parts->forecast == NULL ? json_null() : forecast_json(parts->forecast, 0, parts->learnt));
    return dump(object, out_size);
}

/* ---- how it came out ---- */

static bool task_state_of(const farm_state *farm, const farm_job *job, uint32_t task, task_state *out_state)
{
    task_view view;
    if (task == UINT32_MAX || !scheduler_task_view(farm->scheduler, job->number, task, &view))
        return false;
    *out_state = view.state;
    return true;
}

static bool task_held(const farm_job *job, uint32_t task)
{
    const plan_task *planned = job_task(job, task);
    merge_outcome outcome;
    return planned != NULL && planned->kind == TASK_PUBLISH && job->plan->deliverables[planned->deliverable].rendered &&
           job_merge_outcome(job, planned->deliverable, &outcome) && !outcome.publish;
}

static int exit_of(status code)
{
    switch (status_class_of(code)) {
    case STATUS_CLASS_OK:
        return 0;
    case STATUS_CLASS_INPUT:
    case STATUS_CLASS_LIMIT:
        return 2;
    case STATUS_CLASS_WAIT:
    case STATUS_CLASS_PEER:
    case STATUS_CLASS_STORAGE:
    case STATUS_CLASS_NODE:
    case STATUS_CLASS_DEFECT:
        break;
    }
    return 3;
}

static const char *sentence_of(const farm_job *job, uint32_t task, status code)
{
    for (uint32_t i = 0; i < job->error_count; i++)
        if (job->errors[i].task == task && job->errors[i].final)
            return job->errors[i].text;
    return status_text(code);
}

/* The worst failure: 3 before 2 before 1 (design.md, section 9); of equals the first task. */
job_outcome job_outcome_of(const farm_state *farm, const farm_job *job)
{
    job_outcome outcome = {.ended = job->ended, .code = STATUS_OK, .message = ""};
    if (job->resting || (job->plan_lost && job->rest_message != NULL))
        return (job_outcome){
            .ended = true, .exit_code = job->rest_exit_code, .code = job->rest_code, .message = job->rest_message};
    for (uint32_t task = 0; job->failed && task < job_task_count(job); task++) {
        task_view view;
        if (!scheduler_task_view(farm->scheduler, job->number, task, &view) || view.state != TASK_FAILED ||
            task_held(job, task) || exit_of(view.last_code) <= outcome.exit_code)
            continue;
        outcome.exit_code = exit_of(view.last_code);
        outcome.code = view.last_code;
        outcome.message = sentence_of(job, task, view.last_code);
    }
    if (job->unreadable)
        outcome = (job_outcome){
            .ended = job->ended, .exit_code = 3, .code = STATUS_DEFECT, .message = sentence_of(job, 0, STATUS_DEFECT)};
    if (outcome.exit_code == 0 && job->cancelled)
        outcome = (job_outcome){
            .ended = job->ended, .exit_code = 3, .code = STATUS_CANCELLED, .message = "the job was cancelled"};
    bool judged = job->has_verdict && (job->verdict == VERDICT_FAIL || job->verdict == VERDICT_INCOMPLETE);
    if (outcome.exit_code == 0 && (judged || job->held))
        outcome.exit_code = 1;
    return outcome;
}

static const char *state_word(const farm_state *farm, const farm_job *job)
{
    job_view view;
    if (job->ended || !scheduler_job_view(farm->scheduler, job->number, &view))
        return "ended";
    return view.state == JOB_CANCELLING ? "cancelling" : "running";
}

/* ---- progress ---- */

static double progress_of(const farm_state *farm, const farm_job *job)
{
    job_view view;
    if ((job->ended && !job->cancelled && !job->failed) || !scheduler_job_view(farm->scheduler, job->number, &view))
        return 1.0;
    double done = (double)view.cost_done;
    if (job->ended) /* given up or failed: as far as it came */
        return view.cost_total == 0 || (job->plan == NULL && !job->resting) ? 0.0 : done / (double)view.cost_total;
    for (size_t i = 0; i < farm->workers.count; i++) {
        const worker_node *node = farm->workers.nodes[i];
        for (uint32_t k = 0; k < node->progress_count; k++) {
            const attempt_id *tried = &node->progress[k].attempt;
            const plan_task *task = tried->job == job->number ? job_task(job, tried->task) : NULL;
            task_state state;
            if (task != NULL && task_state_of(farm, job, tried->task, &state) && state == TASK_RUNNING)
                done += (double)task->cost * node->progress[k].done_permille / 1000.0;
        }
    }
    /* Before there is a plan nobody knows how much there is to do. */
    if (job->plan == NULL || view.cost_total == 0)
        return 0.0;
    return done < (double)view.cost_total ? done / (double)view.cost_total : 1.0;
}

typedef struct cell_count {
    uint64_t done, total;
} cell_count;

/* Cells of every program: deliverables of one program are made together. */
static cell_count *count_cells(const farm_state *farm, const farm_job *job, cell_count *out_all)
{
    cell_count *counts = calloc((size_t)job->plan->program_count + 1, sizeof *counts);
    for (uint32_t i = 0; counts != NULL && i < job->plan->task_count; i++) {
        const plan_task *task = &job->plan->tasks[i];
        if (task->kind != TASK_RENDER && task->kind != TASK_INSPECT)
            continue;
        uint32_t number = job->plan->first_task + i;
        task_view view = {.state = TASK_WAITING};
        uint64_t done = 0;
        if (scheduler_task_view(farm->scheduler, job->number, number, &view) && view.state == TASK_DONE)
            done = task->cell_count;
        else if (view.state == TASK_RUNNING)
            done = (uint64_t)task->cell_count * farm_task_permille(farm, job->number, number, view.worker) / 1000;
        counts[task->program].done += done;
        counts[task->program].total += task->cell_count;
        out_all->done += done;
        out_all->total += task->cell_count;
    }
    return counts;
}

/* ---- deliverables ---- */

static const char *deliverable_state(const farm_state *farm, const farm_job *job, uint32_t index,
                                     const cell_count *cells)
{
    const plan_deliverable *deliverable = &job->plan->deliverables[index];
    task_state merge = TASK_WAITING;
    task_state publish = TASK_WAITING;
    task_state_of(farm, job, deliverable->merge_task, &merge);
    task_state_of(farm, job, deliverable->publish_task, &publish);
    if (publish == TASK_FAILED && task_held(job, deliverable->publish_task))
        return "held";
    if (publish == TASK_DONE)
        return deliverable->rendered ? "published" : "measured";
    if (publish == TASK_FAILED || publish == TASK_SKIPPED)
        return "failed";
    if (publish == TASK_CANCELLED)
        return "cancelled";
    if (merge == TASK_DONE)
        return deliverable->rendered ? "sealing" : "measured";
    return cells->done > 0 ? "rendering" : "waiting";
}

static json_t *findings_json(const merge_outcome *outcome)
{
    json_t *counts = json_object();
    for (int i = 0; i <= FINDING_FAIL; i++)
        json_object_set_new(counts, finding_severity_name((finding_severity)i), json_integer(outcome->by_severity[i]));
    return counts;
}

static json_t *worst_json(const merge_outcome *outcome)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < outcome->finding_count; i++) {
        const merged_finding *item = &outcome->findings[i];
        json_t *entry = json_object();
        json_object_set_new(entry, "severity", json_string(finding_severity_name((finding_severity)item->severity)));
        json_object_set_new(entry, "check", job_text_json(item->check));
        json_object_set_new(entry, "message", job_text_json(item->message));
        json_array_append_new(list, entry);
    }
    return list;
}

static json_t *deliverable_json(const farm_state *farm, const farm_job *job, uint32_t index, const cell_count *cells)
{
    const plan_deliverable *deliverable = &job->plan->deliverables[index];
    json_t *object = json_object();
    json_object_set_new(object, "name", job_text_json(job->source->show.deliverables[index].name));
    json_object_set_new(object, "language", job_text_json(deliverable->language));
    json_object_set_new(object, "layout", json_string(channel_layout_get(deliverable->layout)->name));
    const char *state = deliverable_state(farm, job, index, cells);
    json_object_set_new(object, "state", json_string(state));
    json_object_set_new(object, "cells_done", number_json(cells->done));
    json_object_set_new(object, "cells_total", number_json(cells->total));
    merge_outcome outcome = {0};
    bool replaced = !deliverable->rendered && strcmp(state, "failed") == 0; /* the verdict was of other files than lie there */
    bool merged = !replaced && job_merge_outcome(job, (uint16_t)index, &outcome);
    json_object_set_new(object, "verdict",
                        merged ? json_string(verdict_word_name((verdict_word)outcome.verdict)) : json_null());
    json_object_set_new(object, "findings", findings_json(&outcome));
    json_object_set_new(object, "worst", worst_json(&outcome));
    json_t *files = json_array();
    for (uint32_t i = 0; i < deliverable->file_count; i++)
        json_array_append_new(files, job_text_json(job->plan->files[deliverable->first_file + i].display));
    json_object_set_new(object, "files", files);
    return object;
}

/* ---- one job ---- */

static void add_tasks(json_t *object, const farm_state *farm, const farm_job *job)
{
    job_view view = {0};
    (void)scheduler_job_view(farm->scheduler, job->number, &view);
    json_t *tasks = json_object();
    json_object_set_new(tasks, "total", json_integer(view.task_count));
    for (int i = 0; i <= TASK_CANCELLED; i++)
        json_object_set_new(tasks, task_state_name((task_state)i), json_integer(view.by_state[i]));
    json_object_set_new(object, "tasks", tasks);
    json_object_set_new(object, "retries", json_integer(view.retries));
}

static json_t *running_json(const farm_state *farm, const farm_job *job)
{
    json_t *list = json_array();
    for (uint32_t task = 0; task < job_task_count(job) && json_array_size(list) < RUNNING_SHOWN_MAX; task++) {
        task_view view;
        if (job->ended || !scheduler_task_view(farm->scheduler, job->number, task, &view) || view.state != TASK_RUNNING)
            continue;
        char what[PATH_MAX_BYTES];
        job_task_what(job, task, what, sizeof what);
        const worker_node *node = worker_registry_by_number(&farm->workers, view.worker);
        json_t *entry = json_object();
        json_object_set_new(entry, "task", json_integer(task));
        json_object_set_new(entry, "kind", json_string(task_kind_name((task_kind)view.kind)));
        json_object_set_new(entry, "what", job_text_json(what));
        json_object_set_new(entry, "worker",
                            job_text_json(view.worker == SCHEDULER_LOCAL ? "coordinator"
                                      : node != NULL                 ? node->name
                                                                     : "?"));
        json_object_set_new(entry, "permille", json_integer(farm_task_permille(farm, job->number, task, view.worker)));
        json_array_append_new(list, entry);
    }
    return list;
}

static json_t *errors_json(const farm_job *job)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < job->error_count; i++) {
        const job_error *error = &job->errors[i];
        char what[PATH_MAX_BYTES];
        job_task_what(job, error->task, what, sizeof what);
        json_t *entry = json_object();
        json_object_set_new(entry, "task", json_integer(error->task));
        json_object_set_new(entry, "kind", json_string(task_kind_name((task_kind)job_task_kind(job, error->task))));
        json_object_set_new(entry, "what", job_text_json(what));
        json_object_set_new(entry, "final", json_boolean(error->final));
        json_object_set_new(entry, "class", json_string(status_class_name(status_class_of(error->code))));
        json_object_set_new(entry, "message", job_text_json(error->text));
        json_array_append_new(list, entry);
    }
    return list;
}

static void add_outcome(json_t *object, const farm_state *farm, const farm_job *job)
{
    job_outcome outcome = job_outcome_of(farm, job);
    json_t *told = json_null();
    if (outcome.ended)
        told = json_pack("{s:s, s:s, s:o}", "code", status_text(outcome.code), "class",
                         status_class_name(status_class_of(outcome.code)), "message", job_text_json(outcome.message));
    json_object_set_new(object, "outcome", told);
    json_object_set_new(object, "exit_code", outcome.ended ? json_integer(outcome.exit_code) : json_null());
    json_object_set_new(object, "verdict",
                        job->has_verdict ? json_string(verdict_word_name((verdict_word)job->verdict)) : json_null());
}

static void add_head(json_t *object, const farm_state *farm, const farm_job *job)
{
    json_object_set_new(object, "job", json_integer(job->number));
    json_object_set_new(object, "kind", json_string(job_kind_name(job->kind)));
    add_title(object, job->title, job->slug, job->version);
    json_object_set_new(object, "state", json_string(state_word(farm, job)));
    job_view view = {0};
    (void)scheduler_job_view(farm->scheduler, job->number, &view);
    json_object_set_new(object, "held", json_boolean(view.held));
    char reason[ERROR_MESSAGE_SIZE + 128];
    job_reason(farm, job, reason, sizeof reason);
    json_object_set_new(object, "st", json_string(job_short_state(farm, job)));
    json_object_set_new(object, "reason", job_text_json(reason));
    json_object_set_new(object, "tasks_done", json_integer(view.by_state[TASK_DONE]));
    json_object_set_new(object, "tasks_running", json_integer(view.by_state[TASK_RUNNING]));
    json_object_set_new(object, "tasks_total", json_integer(view.task_count));
    json_object_set_new(object, "priority", json_integer(job->priority));
    json_object_set_new(object, "deadline", time_json((uint64_t)view.deadline * 1000));
    json_object_set_new(object, "submitted", time_json(job->submitted_unix_ms));
    json_object_set_new(object, "submitted_by", job->owner[0] == '\0' ? json_null() : json_string(job->owner));
    json_object_set_new(object, "ended", time_json(job->ended_unix_ms));
    uint64_t until = job->ended_unix_ms != 0 ? job->ended_unix_ms : farm_unix_ms();
    json_object_set_new(
        object, "elapsed_s",
        json_real(until > job->submitted_unix_ms ? (double)(until - job->submitted_unix_ms) / 1000.0 : 0.0));
    json_object_set_new(object, "progress", json_real(progress_of(farm, job)));
}

char *job_status_json(const farm_state *farm, farm_job *job, size_t *out_size)
{
    json_t *object = json_object();
    char request[CONTENT_HASH_TEXT_SIZE];
    content_hash digest = content_hash_of(job->request, sizeof job->request);
    content_hash_to_text(&digest, request);
    json_object_set_new(object, "reelmill", json_integer(1));
    json_object_set_new(object, "request_digest", json_string(request)); /* whose submission it was can be told by it */
    add_head(object, farm, job);
    char others[160];
    job_others_first(farm, job, others, sizeof others);
    json_object_set_new(object, "first", json_string(others));
    add_tasks(object, farm, job);
    cell_count all = {0};
    json_t *deliverables = json_array();
    cell_count *cells = job->plan == NULL ? NULL : count_cells(farm, job, &all);
    for (uint32_t i = 0; cells != NULL && i < job->plan->deliverable_count; i++)
        if (job->plan->deliverables[i].timeline != UINT16_MAX)
            json_array_append_new(deliverables,
                                  deliverable_json(farm, job, i, &cells[job->plan->deliverables[i].program]));
    free(cells);
    json_object_set_new(object, "deliverables", deliverables);
    char reports[PATH_MAX_BYTES]; /* below the output folder */
    json_object_set_new(object, "report_folder", job_report_folder(job, reports) ? job_text_json(reports) : json_null());
    json_object_set_new(object, "cells",
                        json_pack("{s:I, s:I}", "done", (json_int_t)all.done, "total", (json_int_t)all.total));
    json_object_set_new(object, "read_bytes", number_json(job->plan == NULL ? 0 : job->plan->read_bytes));
    json_object_set_new(object, "write_bytes", number_json(job->plan == NULL ? 0 : job->plan->write_bytes));
    json_object_set_new(object, "running", running_json(farm, job));
    json_object_set_new(object, "errors", errors_json(job));
    json_t *problems = json_array();
    job_problems_json(problems, &job->source->problems);
    job_problems_json(problems, &job->problems);
    json_object_set_new(object, "problems", problems);
    json_object_set_new(object, "forecast", job_forecast_json(farm, job));
    add_outcome(object, farm, job);
    json_object_set_new(object, "next", job_next_json(farm, job));
    return dump(object, out_size);
}

json_t *job_row_json(const farm_state *farm, const farm_job *job)
{
    json_t *object = json_object();
    add_head(object, farm, job);
    job_view view = {0};
    (void)scheduler_job_view(farm->scheduler, job->number, &view);
    json_object_set_new(object, "retries", json_integer(view.retries));
    add_outcome(object, farm, job);
    return object;
}

/* Of a job at rest nothing changes: its row is made once. */
static void write_row(byte_writer *writer, const farm_state *farm, farm_job *job)
{
    if (job->rest_row != NULL) {
        byte_writer_bytes(writer, job->rest_row, strlen(job->rest_row));
        return;
    }
    size_t size = 0;
    char *row = dump(job_row_json(farm, job), &size);
    writer->failed = writer->failed || row == NULL;
    byte_writer_bytes(writer, row, size);
    if (job->resting)
        job->rest_row = row;
    else
        free(row);
}

char *job_list_json(const farm_state *farm, uint32_t before, size_t *out_size)
{
    static const char head[] = "{\"jobs\":[", more_follow[] = "],\"more\":true,\"reelmill\":1}",
                      these_are_all[] = "],\"more\":false,\"reelmill\":1}";
    byte_writer text;
    uint32_t count = 0;
    bool more = false;
    byte_writer_init(&text, JOB_LIST_BYTES_MAX);
    byte_writer_bytes(&text, head, strlen(head));
    for (size_t i = farm->jobs.count; i-- > 0 && !more;) {
        farm_job *job = farm->jobs.items[i];
        more = count == JOBS_SHOWN_MAX;
        if (more || (before != 0 && job->number >= before) || job_is_question(job))
            continue;
        if (count++ > 0)
            byte_writer_u8(&text, ',');
        write_row(&text, farm, job);
    }
    byte_writer_bytes(&text, more ? more_follow : these_are_all, strlen(more ? more_follow : these_are_all) + 1);
    size_t size = 0;
    char *made = (char *)byte_writer_detach(&text, &size);
    byte_writer_deinit(&text);
    *out_size = made == NULL ? 0 : size - 1; /* without its NUL */
    return made;
}
