/* Queries: the documents that clients ask for. Names are the contract's; `what` is listed in proto/message_types.h. */
#define _GNU_SOURCE
#include "coordinator/shell/farm_state.h"

#include "common/base/engine_version.h"
#include "coordinator/shell/farm_pages.h"
#include "coordinator/shell/job_explain.h"
#include "coordinator/shell/job_json.h"
#include "coordinator/shell/job_rest.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Of all nodes together: three for each of 10,000. The document goes through memory whole. */
enum { NODES_ROOTS_SHOWN_MAX = 32768 };

static char *dump(json_t *document, size_t *out_size)
{
    char *text = json_dumps(document, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(document);
    *out_size = text == NULL ? 0 : strlen(text);
    return text;
}

static char *roots_document(const farm_state *self, size_t *out_size)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < self->config.root_count; i++)
        json_array_append_new(
            list, json_pack("{s:s, s:s}", "name", self->config.roots[i].name, "path", self->config.roots[i].path));
    return dump(json_pack("{s:i, s:s, s:o}", "reelmill", 1, "engine", ENGINE_VERSION, "roots", list), out_size);
}

/* Why the farm trusts it less than others, as a sentence; "" = it does not. */
static void describe_distrust(const farm_state *self, const worker_view *view, char *out, size_t out_size)
{
    out[0] = '\0';
    if (view->state == WORKER_READY && !view->canary && view->rest_left_ms > 0) {
        unsigned long long seconds = (unsigned long long)(view->rest_left_ms / 1000 + 1);
        if (view->rest_job == 0)
            snprintf(out, out_size, "it rests %llu s after a failure", seconds);
        else
            snprintf(out, out_size, "it takes nothing of job %u for %llu s: storage failed", view->rest_job, seconds);
    }
    if (view->state != WORKER_QUARANTINED && !view->canary)
        return;
    char what[PATH_MAX_BYTES] = "";
    const farm_job *job = job_list_find(&self->jobs, view->strike_job);
    if (job != NULL)
        job_task_what(job, view->strike_task, what, sizeof what);
    char next[80] = "it is on trial: one task at a time until one succeeds";
    if (!view->canary)
        snprintf(next, sizeof next, "it is tried again in %llu s", (unsigned long long)(view->quarantine_left_ms / 1000 + 1));
    snprintf(out, out_size, "%u tasks failed here, %u of them were done elsewhere; last task %u of job %u%s%s: %s; %s",
             view->strikes, view->proofs, view->strike_task, view->strike_job, what[0] != '\0' ? ", " : "", what,
             status_text(view->strike_code), next);
}

/* Why it is not here, and since when by this machine's clock; "" = it is. */
static void describe_absence(const farm_state *self, const worker_node *node, const char *state, double silent_s, char *out,
                             size_t out_size)
{
    char clock[16];
    struct tm local;
    time_t heard = (time_t)((double)farm_unix_ms() / 1000.0 - silent_s);
    out[0] = '\0';
    localtime_r(&heard, &local);
    strftime(clock, sizeof clock, "%H:%M:%S", &local);
    if (!key_guard_lists(self->guard, node->owner, node->key))
        snprintf(out, out_size, "the key %s was revoked; last heard at %s", node->owner, clock);
    else if (!node->connected && node->left)
        snprintf(out, out_size, "it said goodbye at %s", clock);
    else if (strcmp(state, "lost") == 0) /* the scheduler may know it a moment before the shell */
        snprintf(out, out_size, "silent since %s", clock);
}

const char *farm_node_state(const farm_state *self, const worker_node *node, const worker_view *view)
{
    static const char *const states[] = {"ready", "draining", "quarantined", "lost"};
    if (!node->connected)
        return "lost";
    bool draining = node->draining || view->state == WORKER_DRAINING ||
                    worker_registry_drained(&self->workers, node->name) != NULL;
    if (draining && (view->state == WORKER_READY || view->state == WORKER_DRAINING))
        return view->running > 0 ? "draining" : "drained";
    return states[view->state];
}

json_t *farm_node_json(const farm_state *self, const worker_node *node)
{
    worker_view view = {.state = WORKER_LOST};
    (void)scheduler_worker_view(self->scheduler, node->number, &view);
    const char *state = farm_node_state(self, node, &view);
    uint64_t now_ms = farm_now_ms(self);
    double silent = now_ms > node->heard_ms ? (double)(now_ms - node->heard_ms) / 1000.0 : 0.0;
    const char *reason = worker_registry_drained(&self->workers, node->name);
    char distrust[PATH_MAX_BYTES + 256], absence[REASON_TEXT_BYTES + 160] = "";
    describe_distrust(self, &view, distrust, sizeof distrust);
    if (reason != NULL && reason[0] != '\0')
        snprintf(absence, sizeof absence, "%s; ", reason);
    size_t drained = strlen(absence);
    describe_absence(self, node, state, silent, absence + drained, sizeof absence - drained);
    if (absence[drained] != '\0')
        reason = absence;
    else if (reason == NULL && distrust[0] != '\0')
        reason = distrust;
    uint32_t running = view.running < node->slots ? view.running : node->slots; /* it begins what it is given in order */
    json_t *roots = json_array();
    for (uint32_t i = 0; i < node->root_count; i++)
        json_array_append_new(
            roots, json_pack("{s:s, s:b, s:b}", "name", node->roots[i].name, "writable", node->roots[i].writable ? 1 : 0, "compared",
                             content_hash_is_zero(&node->roots[i].identity) ? 0 : 1));
    return json_pack("{s:i, s:s, s:s, s:s, s:s?, s:s, s:s, s:i, s:i, s:i, s:i, s:i, s:f, s:o}", "worker", (int)node->number,
                     "name", node->name, "key", node->owner, "state", state, "reason", reason, "engine", node->engine,
                     "cpu", node->cpu, "slots", (int)node->slots, "running", (int)running, "queued",
                     (int)(view.running - running), "tasks_done", (int)view.tasks_done, "tasks_failed", (int)view.tasks_failed, "silent_s", silent, "roots", roots);
}

static char *nodes_document(const farm_state *self, size_t *out_size)
{
    json_t *nodes = json_array();
    size_t roots = 0, left_out = 0;
    worker_registry_mark_replaced(&self->workers);
    for (size_t i = 0; i < self->workers.count; i++) {
        json_t *node = self->workers.nodes[i]->replaced ? NULL : farm_node_json(self, self->workers.nodes[i]);
        if (node == NULL)
            continue;
        roots += self->workers.nodes[i]->root_count;
        if (roots > NODES_ROOTS_SHOWN_MAX) {
            json_object_set_new(node, "roots", json_array());
            left_out++;
        }
        json_array_append_new(nodes, node);
    }
    json_t *drained = json_array();
    for (size_t i = 0; i < self->workers.drained_count; i++)
        json_array_append_new(drained, json_string(self->workers.drained[i].name));
    return dump(json_pack("{s:i, s:o, s:o, s:s, s:I}", "reelmill", 1, "nodes", nodes, "drained", drained, "refused",
                          farm_refused_now(self), "without_roots", (json_int_t)left_out), out_size);
}

/* A document of the job's folder. Reports are bounded (job_compose.c), so reading one whole is. */
static char *file_document(const farm_job *job, job_document_id id, size_t *out_size, error_detail *detail)
{
    char path[PATH_MAX_BYTES];
    job_path(job, job_document_file(id), path);
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    struct stat facts;
    if (descriptor < 0 || fstat(descriptor, &facts) != 0) {
        error_detail_set(detail, STATUS_INPUT_MISSING, "job %u has no %s%s", job->number, job_document_file(id),
                         job->ended ? "" : " yet; it is made at the job's end");
        if (descriptor >= 0)
            close(descriptor);
        return NULL;
    }
    char *text = malloc((size_t)facts.st_size + 1);
    size_t size = 0;
    while (text != NULL && size < (size_t)facts.st_size) {
        ssize_t part = read(descriptor, text + size, (size_t)facts.st_size - size);
        if (part < 0 && errno == EINTR)
            continue;
        if (part <= 0)
            break;
        size += (size_t)part;
    }
    close(descriptor);
    if (text != NULL)
        text[size] = '\0';
    *out_size = size;
    return text;
}

static char *job_query(farm_state *self, const char *what, uint32_t number, size_t *out_size, error_detail *detail)
{
    farm_job *job = job_list_find(&self->jobs, number);
    if (job == NULL) {
        error_detail_set(detail, STATUS_INPUT_MISSING, "there is no job %u", number);
        return NULL;
    }
    bool whole = strcmp(what, "job") == 0 || strncmp(what, "explain", 7) == 0 || strcmp(what, "plan") == 0;
    if (whole && farm_job_wake(self, job, detail) != STATUS_OK)
        return NULL;
    if (strcmp(what, "job") == 0)
        return job_status_json(self, job, out_size);
    unsigned task = 0;
    if (strcmp(what, "explain") == 0)
        return job_explain_json(self, job, UINT32_MAX, out_size, detail);
    if (sscanf(what, "explain.%9u", &task) == 1)
        return job_explain_json(self, job, task, out_size, detail);
    if (strcmp(what, "logs") == 0)
        return job_log_read(job, out_size);
    if (strcmp(what, "report.json") == 0)
        return file_document(job, DOCUMENT_REPORT_JSON, out_size, detail);
    if (strcmp(what, "report.html") == 0)
        return file_document(job, DOCUMENT_REPORT_HTML, out_size, detail);
    if (strcmp(what, "report.pdf") == 0)
        return file_document(job, DOCUMENT_REPORT_PDF, out_size, detail);
    if (strcmp(what, "measures.bin") == 0)
        return file_document(job, DOCUMENT_MEASURES, out_size, detail);
    if (strcmp(what, "result") == 0 || (strcmp(what, "plan") == 0 && job->kind == JOB_KIND_PLAN))
        return file_document(job, DOCUMENT_RESULT, out_size, detail);
    if (strcmp(what, "plan") == 0 && job->plan != NULL)
        return job_plan_json(job, out_size);
    if (strcmp(what, "plan") == 0)
        error_detail_set(detail, STATUS_INPUT_MISSING, "job %u has no plan%s", number, job->ended ? "" : " yet");
    else
        error_detail_set(detail, STATUS_INPUT_INVALID, "'%.40s' is nothing that can be asked for", what);
    return NULL;
}

char *farm_query(farm_state *self, const char *what, uint32_t job, size_t *out_size, error_detail *detail)
{
    char *text = NULL;
    if (strcmp(what, "about") == 0)
        text = dump(json_pack("{s:i, s:s, s:i, s:I}", "reelmill", 1, "engine", ENGINE_VERSION, "protocol", PROTOCOL_VERSION,
                              "unix_ms", (json_int_t)farm_unix_ms()), out_size);
    else if (strcmp(what, "roots") == 0)
        text = roots_document(self, out_size);
    else if (strcmp(what, "jobs") == 0)
        text = job_list_json(self, job, out_size);
    else if (strcmp(what, "metrics") == 0)
        text = farm_metrics(self, out_size);
    else if (strcmp(what, "nodes") == 0)
        text = nodes_document(self, out_size);
    else
        text = job_query(self, what, job, out_size, detail);
    if (text == NULL && detail->code == STATUS_OK)
        error_detail_set(detail, STATUS_NODE_MEMORY, "out of memory");
    return text;
}
