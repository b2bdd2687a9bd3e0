#include "coordinator/shell/job_explain.h"

#include "coordinator/shell/farm_state.h"
#include "coordinator/shell/job_json.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

enum { LISTED_MAX = 32, SENTENCE_MAX = ERROR_MESSAGE_SIZE + 128 };

static bool is_cancelling(const farm_state *farm, const farm_job *job)
{
    job_view view;
    return !job->ended && scheduler_job_view(farm->scheduler, job->number, &view) && view.state == JOB_CANCELLING;
}

const char *job_short_state(const farm_state *farm, const farm_job *job)
{
    job_view view = {0};
    if (job->ended) {
        job_outcome outcome = job_outcome_of(farm, job);
        return job->cancelled ? "CA" : outcome.exit_code >= 2 ? "F" : "CD";
    }
    if (is_cancelling(farm, job))
        return "CG";
    if (!scheduler_job_view(farm->scheduler, job->number, &view))
        return "PD";
    return view.by_state[TASK_RUNNING] > 0 ? "R" : view.held ? "H" : "PD";
}

/* What the nodes are doing instead of taking work of this job; "" = some slot is free. */
static void describe_nodes(const farm_state *farm, uint32_t job, char *out, size_t out_size)
{
    uint32_t connected = 0, drained = 0, distrusted = 0, slots = 0, busy = 0, resting = 0;
    uint64_t rest_ms = 0;
    for (size_t i = 0; i < farm->workers.count; i++) {
        const worker_node *node = farm->workers.nodes[i];
        worker_view view;
        if (!node->connected || !scheduler_worker_view(farm->scheduler, node->number, &view))
            continue;
        connected++;
        drained += view.state == WORKER_DRAINING ? 1 : 0;
        distrusted += view.state == WORKER_QUARANTINED ? 1 : 0;
        if (view.state == WORKER_READY) {
            slots += view.slots;
            uint32_t taken = view.running < view.slots ? view.running : view.slots;
            busy += taken;
            if (view.rest_left_ms > 0 && (view.rest_job == 0 || view.rest_job == job)) {
                resting += view.slots - taken;
                rest_ms = view.rest_left_ms > rest_ms ? view.rest_left_ms : rest_ms;
            }
        }
    }
    out[0] = '\0';
    if (connected == 0 && farm_refused_now(farm)[0] != '\0')
        snprintf(out, out_size, "no node is connected; %s", farm_refused_now(farm));
    else if (connected == 0)
        snprintf(out, out_size, "no node is connected; start workers");
    else if (slots == 0)
        snprintf(out, out_size, "no node takes work: of %u, %u are drained and %u in quarantine; `reelmill nodes` says why",
                 connected, drained, distrusted);
    else if (busy == slots)
        snprintf(out, out_size, "all %u slots are busy", slots);
    else if (busy + resting == slots)
        snprintf(out, out_size, "of %u slots %u are busy, the others' nodes rest up to %llu s after failures", slots, busy,
                 (unsigned long long)(rest_ms / 1000 + 1));
}

/* The limit that lets it begin nothing more; "" = none, or it has nothing to begin. */
static void describe_limit(const farm_job *job, const job_view *view, char *out, size_t out_size)
{
    const job_document *document = &job->source->document;
    out[0] = '\0';
    if (view->by_state[TASK_READY] == 0 || view->held || view->waits_for_storage)
        return;
    if (view->limit == JOB_LIMIT_OWN)
        snprintf(out, out_size, "it runs %u of %u tasks at once, as it was submitted to", view->limit_running, view->limit_most);
    else if (view->limit == JOB_LIMIT_SHOW)
        snprintf(out, out_size, "the show %s runs %u of %u tasks at once (show_limits of the coordinator)",
                 job->source->show.slug == NULL || job->source->show.slug[0] == '\0' ? "without a name" : job->source->show.slug,
                 view->limit_running, view->limit_most);
    else if (view->limit >= JOB_LIMIT_ROOT)
        snprintf(out, out_size, "the media root %s serves %u of %u tasks at once (root_limits of the coordinator)",
                 view->limit == JOB_LIMIT_ROOT ? document->media.root : document->out.root, view->limit_running, view->limit_most);
}

/* Does a job of this view go before one of that? Fair share, which goes by what was given, is not looked at. */
static bool goes_before(const job_view *this, const job_view *that)
{
    if (this->priority != that->priority)
        return this->priority > that->priority;
    return this->deadline != 0 && (that->deadline == 0 || this->deadline < that->deadline);
}

void job_others_first(const farm_state *farm, const farm_job *job, char *out, size_t out_size)
{
    job_view own = {0};
    uint32_t count = 0, first = 0;
    out[0] = '\0';
    if (job->ended || !scheduler_job_view(farm->scheduler, job->number, &own) || own.by_state[TASK_READY] == 0)
        return;
    job_view best = own;
    for (size_t i = 0; i < farm->jobs.count; i++) {
        job_view other;
        if (farm->jobs.items[i]->ended || !scheduler_job_view(farm->scheduler, farm->jobs.items[i]->number, &other) ||
            other.held || other.waits_for_storage || other.limit != JOB_LIMIT_NONE ||
            other.by_state[TASK_READY] == 0 || !goes_before(&other, &own))
            continue;
        if (count++ == 0 || goes_before(&other, &best)) {
            best = other;
            first = farm->jobs.items[i]->number;
        }
    }
    if (count > 0)
        snprintf(out, out_size, "%u job%s with work ready go%s first, the next is job %u (%s)", count, count == 1 ? "" : "s",
                 count == 1 ? "es" : "", first,
                 best.priority != own.priority ? "a higher priority" : "an earlier deadline");
}

static const char *last_error(const farm_job *job, uint32_t task)
{
    for (uint32_t i = job->error_count; i-- > 0;)
        if (task == UINT32_MAX || job->errors[i].task == task)
            return job->errors[i].text;
    return "";
}

void job_reason(const farm_state *farm, const farm_job *job, char *out, size_t out_size)
{
    job_view view = {0};
    out[0] = '\0';
    if (job->ended) {
        snprintf(out, out_size, "%s", job_outcome_of(farm, job).message);
        return;
    }
    if (is_cancelling(farm, job)) {
        snprintf(out, out_size, "what runs is being stopped");
        return;
    }
    if (!scheduler_job_view(farm->scheduler, job->number, &view))
        return;
    if (view.held) {
        snprintf(out, out_size, "held; `reelmill release %u` lets it go on", job->number);
        return;
    }
    if (view.waits_for_storage) {
        snprintf(out, out_size, "waits for storage since %llu min, tries again within a minute; last: %s",
                 (unsigned long long)(view.storage_wait_ms / 60000), last_error(job, UINT32_MAX));
        return;
    }
    describe_limit(job, &view, out, out_size);
    if (view.by_state[TASK_RUNNING] > 0 || out[0] != '\0')
        return;
    describe_nodes(farm, job->number, out, out_size);
    if (out[0] == '\0' && view.by_state[TASK_BACKOFF] > 0)
        snprintf(out, out_size, "tries again in a moment; last: %s", last_error(job, UINT32_MAX));
}

/* ---- documents ---- */

/* Texts from file names may be no UTF-8. */
static json_t *text_json(const char *text)
{
    json_t *value = json_string(text);
    return value != NULL ? value : json_string("?");
}

static json_t *task_json(const farm_state *farm, const farm_job *job, uint32_t task)
{
    char what[PATH_MAX_BYTES];
    task_view view = {.state = TASK_WAITING};
    (void)scheduler_task_view(farm->scheduler, job->number, task, &view);
    job_task_what(job, task, what, sizeof what);
    return json_pack("{s:i, s:s, s:o, s:s, s:o}", "task", (int)task, "kind",
                     task_kind_name((task_kind)job_task_kind(job, task)), "what", text_json(what), "state",
                     task_state_name(view.state), "message", text_json(last_error(job, task)));
}

/* The tasks that this one waits for and that are not done. */
static json_t *waits_json(const farm_state *farm, const farm_job *job, uint32_t task, uint32_t *out_count)
{
    json_t *list = json_array();
    const plan_task *planned = job_task(job, task);
    uint32_t first = 0, count = 0;
    if (planned != NULL)
        count = planned->wait_count;
    else if (task == job_plan_task(job))
        count = task; /* the probes */
    *out_count = 0;
    for (; first < count; first++) {
        uint32_t before = planned != NULL ? job->plan->waits[planned->first_wait + first] : first;
        task_view view;
        if (!scheduler_task_view(farm->scheduler, job->number, before, &view) || view.state == TASK_DONE)
            continue;
        (*out_count)++;
        if (json_array_size(list) < LISTED_MAX)
            json_array_append_new(list, task_json(farm, job, before));
    }
    return list;
}

static void task_reason(const farm_state *farm, const farm_job *job, uint32_t task, const task_view *view,
                        uint32_t wait_count, char *out, size_t out_size)
{
    const worker_node *node = worker_registry_by_number(&farm->workers, view->worker);
    job_view whole = {0};
    char others[160];
    (void)scheduler_job_view(farm->scheduler, job->number, &whole);
    out[0] = '\0';
    switch (view->state) {
    case TASK_WAITING:
        snprintf(out, out_size, "it waits for %u tasks of its job to be done", wait_count);
        break;
    case TASK_READY:
        job_others_first(farm, job, others, sizeof others);
        describe_limit(job, &whole, out, out_size);
        if (out[0] == '\0')
            describe_nodes(farm, job->number, out, out_size);
        if (whole.held)
            snprintf(out, out_size, "its job is held; `reelmill release %u` lets it go on", job->number);
        else if (out[0] != '\0' && others[0] != '\0')
            snprintf(out + strlen(out), out_size - strlen(out), "; %s", others);
        else if (others[0] != '\0')
            snprintf(out, out_size, "%s", others);
        else if (out[0] == '\0')
            snprintf(out, out_size, "it is ready and is given to the next free slot");
        break;
    case TASK_BACKOFF:
        snprintf(out, out_size, "it failed %u times and is tried again in a moment; last: %s", view->attempts_failed,
                 last_error(job, task));
        break;
    case TASK_RUNNING:
        snprintf(out, out_size, "it runs on %s, attempt %u", view->worker == SCHEDULER_LOCAL ? "the coordinator"
                                                             : node != NULL                  ? node->name
                                                                                             : "a node that is away",
                 view->epoch);
        break;
    case TASK_FAILED:
        snprintf(out, out_size, "%s", last_error(job, task)[0] != '\0' ? last_error(job, task) : status_text(view->last_code));
        break;
    case TASK_SKIPPED:
        snprintf(out, out_size, "a task that it needs failed; `reelmill explain %u` names it", job->number);
        break;
    case TASK_CANCELLED:
        snprintf(out, out_size, "its job was cancelled");
        break;
    case TASK_DONE:
        snprintf(out, out_size, "it is done");
        break;
    }
}

static char *dump(json_t *document, size_t *out_size)
{
    char *text = json_dumps(document, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(document);
    *out_size = text == NULL ? 0 : strlen(text);
    return text;
}

/* Whole tasks of one state, the first few. */
static json_t *tasks_in(const farm_state *farm, const farm_job *job, task_state state)
{
    json_t *list = json_array();
    for (uint32_t task = 0; task < job_task_count(job) && json_array_size(list) < LISTED_MAX; task++) {
        task_view view;
        if (scheduler_task_view(farm->scheduler, job->number, task, &view) && view.state == state)
            json_array_append_new(list, task_json(farm, job, task));
    }
    return list;
}

json_t *job_next_json(const farm_state *farm, const farm_job *job)
{
    job_outcome outcome = job_outcome_of(farm, job);
    job_view view = {0};
    (void)scheduler_job_view(farm->scheduler, job->number, &view);
    if (!job->ended)
        return view.held ? json_sprintf("reelmill release %u", job->number) : json_sprintf("reelmill logs %u -f", job->number);
    /* A retry takes the plan and the inputs that the job has: it mends nothing that a person must. */
    if (outcome.code == STATUS_INPUT_CONFLICT && job->plan != NULL)
        return json_string("reelmill submit SHOW.yaml --replace");
    if (outcome.exit_code == 2 && job->plan == NULL && outcome.code != STATUS_INPUT_CONFLICT)
        return json_string("reelmill check SHOW.yaml");
    if (outcome.exit_code == 2 || (outcome.exit_code > 2 && job->plan == NULL && !job->cancelled))
        return json_string("reelmill submit SHOW.yaml");
    if (outcome.exit_code > 2)
        return json_sprintf("reelmill retry %u", job->number);
    return json_sprintf("reelmill report %u --html", job->number);
}

static json_t *whole_json(const farm_state *farm, const farm_job *job)
{
    char reason[SENTENCE_MAX];
    job_view view = {0};
    char others[160];
    job_reason(farm, job, reason, sizeof reason);
    job_others_first(farm, job, others, sizeof others);
    if (others[0] != '\0')
        snprintf(reason + strlen(reason), sizeof reason - strlen(reason), "%s%s", reason[0] == '\0' ? "" : "; ", others);
    (void)scheduler_job_view(farm->scheduler, job->number, &view);
    return json_pack("{s:i, s:i, s:o, s:s, s:o, s:o, s:n, s:o, s:o, s:i}", "reelmill", 1, "job", (int)job->number, "title",
                     text_json(job->title == NULL ? "" : job->title), "st",
                     job_short_state(farm, job), "reason", text_json(reason), "next", job_next_json(farm, job), "task",
                     "failed", tasks_in(farm, job, TASK_FAILED), "backing_off", tasks_in(farm, job, TASK_BACKOFF), "skipped",
                     (int)view.by_state[TASK_SKIPPED]);
}

char *job_explain_json(const farm_state *farm, const farm_job *job, uint32_t task, size_t *out_size, error_detail *detail)
{
    task_view view;
    if (task == UINT32_MAX)
        return dump(whole_json(farm, job), out_size);
    if (task >= job_task_count(job) || !scheduler_task_view(farm->scheduler, job->number, task, &view)) {
        error_detail_set(detail, STATUS_INPUT_MISSING, "job %u has no task %u; its tasks are 0 to %u", job->number, task,
                         job_task_count(job) - 1);
        return NULL;
    }
    uint32_t wait_count = 0;
    char reason[SENTENCE_MAX];
    json_t *document = task_json(farm, job, task);
    json_t *waits = waits_json(farm, job, task, &wait_count);
    const worker_node *node = worker_registry_by_number(&farm->workers, view.worker);
    task_reason(farm, job, task, &view, wait_count, reason, sizeof reason);
    json_object_set_new(document, "reelmill", json_integer(1));
    json_object_set_new(document, "job", json_integer(job->number));
    json_object_set_new(document, "st", json_string(job_short_state(farm, job)));
    json_object_set_new(document, "reason", text_json(reason));
    json_object_set_new(document, "waits", waits);
    json_object_set_new(document, "attempts_failed", json_integer(view.attempts_failed));
    json_object_set_new(document, "epoch", json_integer(view.epoch));
    json_object_set_new(document, "worker", node == NULL ? json_null() : json_string(node->name));
    json_t *errors = json_array();
    for (uint32_t i = 0; i < job->error_count; i++)
        if (job->errors[i].task == task)
            json_array_append_new(errors, text_json(job->errors[i].text));
    json_object_set_new(document, "errors", errors);
    return dump(document, out_size);
}
