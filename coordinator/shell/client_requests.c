/* What clients ask: submissions in parts, queries, commands (client_commands.c). Every request may come twice and is
 * answered the same. */
#define _GNU_SOURCE
#include "coordinator/shell/farm_state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
    QUERY_CACHE_IDLE_MS = 30000,
    QUERY_DEAR_US = 5000,      /* what took longer is kept for ten times as long, and given to whoever asks until then */
    QUERY_FRESH_FACTOR = 10,
    QUERY_FRESH_MAX_MS = 5000,
    SUBMISSIONS_OF_ONE_MAX = SUBMISSIONS_MAX / 2,
    JOBS_OF_ONE_MAX = JOBS_MAX / 2,
    JOB_END_WAIT_MS = 150      /* `job.end` is answered then; a bar of progress wants to be told */
};

/* ---- answers ---- */

static void answer_now(farm_state *self, const routing_id *to, const message_answer *answer)
{
    message *told = calloc(1, sizeof *told);
    if (told == NULL)
        return;
    told->type = MESSAGE_ANSWER;
    told->answer = *answer;
    (void)farm_send(self, to, told);
    free(told);
}

static message_answer make_answer(const uint8_t request[REQUEST_BYTES], status code, const char *detail, uint32_t job)
{
    message_answer answer = {.code = (uint32_t)code, .job = job};
    memcpy(answer.request, request, REQUEST_BYTES);
    if (code != STATUS_OK)
        snprintf(answer.detail, sizeof answer.detail, "%s", detail[0] != '\0' ? detail : status_text(code));
    return answer;
}

static void answer_code(farm_state *self, const routing_id *to, const uint8_t request[REQUEST_BYTES], status code,
                        const char *detail, uint32_t job)
{
    message_answer answer = make_answer(request, code, detail, job);
    answer_now(self, to, &answer);
}

/* ---- submissions ---- */

/* Of the same name: a request id of somebody else's means nothing. */
static submission *find_submission(farm_state *self, const access_grant *who, const uint8_t request[REQUEST_BYTES])
{
    for (size_t i = 0; i < SUBMISSIONS_MAX; i++)
        if (self->submissions[i].state != SUBMISSION_FREE &&
            memcmp(self->submissions[i].request, request, REQUEST_BYTES) == 0 &&
            strcmp(self->submissions[i].owner.name, who->name) == 0)
            return &self->submissions[i];
    return NULL;
}

/* A free place; NULL when there is none, or when one name has as many as one may. */
static submission *free_place(farm_state *self, const access_grant *who)
{
    submission *place = NULL;
    uint32_t theirs = 0;
    for (size_t i = 0; i < SUBMISSIONS_MAX; i++) {
        if (self->submissions[i].state == SUBMISSION_FREE)
            place = &self->submissions[i];
        else if (strcmp(self->submissions[i].owner.name, who->name) == 0)
            theirs++;
    }
    return who->role != ACCESS_LOCAL && theirs >= SUBMISSIONS_OF_ONE_MAX ? NULL : place;
}

/* The grant as it is now: what it allows may have changed since the part before. */
static void take_owner(submission *entry, const access_grant *who)
{
    entry->owner = *who;
    snprintf(entry->roots, sizeof entry->roots, "%s", who->roots);
    entry->owner.roots = entry->roots;
}

static void free_submission(submission *entry)
{
    free(entry->document);
    *entry = (submission){0};
}

/* True (and answered) when the request already made a job. */
static bool answered_before(farm_state *self, const routing_id *from, const access_grant *who,
                            const uint8_t request[REQUEST_BYTES])
{
    const farm_job *job = job_list_by_request(&self->jobs, request);
    if (job == NULL || strcmp(job->owner, who->name) != 0)
        return false;
    /* The job may be there and its facts not yet on disk: this answer waits for them too. */
    message_answer answer = make_answer(request, STATUS_OK, "", job->number);
    farm_answer_durable(self, from, &answer);
    return true;
}

/* How much of the document is here: where the client goes on. */
static void answer_received(farm_state *self, const routing_id *from, submission *entry)
{
    entry->from = *from;
    entry->touched_ms = farm_now_ms(self);
    message_answer answer = make_answer(entry->request, STATUS_OK, "", 0);
    answer.total_size = entry->size;
    answer.offset = entry->received;
    answer_now(self, from, &answer);
}

static void on_begin(farm_state *self, const routing_id *from, const access_grant *who,
                     const message_submit_begin *begin)
{
    if (answered_before(self, from, who, begin->request))
        return;
    if (begin->document_size == 0 || begin->document_size > JOB_DOCUMENT_MAX) {
        char text[160];
        snprintf(text, sizeof text, "the job document has %llu bytes; 1 to %d are allowed",
                 (unsigned long long)begin->document_size, JOB_DOCUMENT_MAX);
        answer_code(self, from, begin->request, STATUS_LIMIT, text, 0);
        return;
    }
    submission *entry = find_submission(self, who, begin->request);
    if (entry != NULL &&
        (entry->size != begin->document_size || !content_hash_equal(&entry->digest, &begin->document_digest))) {
        answer_code(self, from, begin->request, STATUS_PEER_IMPOSSIBLE, "this request was begun with another document",
                    0);
        return;
    }
    if (entry == NULL)
        entry = free_place(self, who);
    char *document = entry != NULL && entry->document == NULL ? malloc(begin->document_size) : NULL;
    if (entry == NULL || (entry->document == NULL && document == NULL)) {
        answer_code(self, from, begin->request, STATUS_AGAIN, "too many submissions at once; try again in a minute", 0);
        return;
    }
    if (document != NULL) {
        *entry = (submission){.state = SUBMISSION_OPEN,
                              .priority = begin->priority,
                              .digest = begin->document_digest,
                              .document = document,
                              .size = begin->document_size};
        memcpy(entry->request, begin->request, REQUEST_BYTES);
    }
    take_owner(entry, who);
    answer_received(self, from, entry);
}

static void on_append(farm_state *self, const routing_id *from, const access_grant *who,
                      const message_submit_append *append)
{
    submission *entry = find_submission(self, who, append->request);
    if (entry == NULL) {
        if (!answered_before(self, from, who, append->request))
            answer_code(self, from, append->request, STATUS_INPUT_MISSING,
                        "this submission is not known (any more); submit again from the beginning", 0);
        return;
    }
    if (append->bytes.size > entry->size - entry->received && append->offset == entry->received) {
        answer_code(self, from, append->request, STATUS_PEER_IMPOSSIBLE, "more comes than was announced", 0);
        return;
    }
    /* A part from another place changes nothing: the answer says where to go on. */
    if (entry->state == SUBMISSION_OPEN && append->offset == entry->received && append->bytes.size > 0) {
        memcpy(entry->document + append->offset, append->bytes.bytes, append->bytes.size);
        entry->received += append->bytes.size;
    }
    answer_received(self, from, entry);
}

static void audit(farm_state *self, const access_grant *who, const char *what, uint32_t job, const char *target,
                  status outcome, const char *detail)
{
    audit_entry entry = {
        .who = who, .what = what, .job = job, .target = target, .outcome = outcome, .detail = detail};
    audit_log_add(self->audit, &entry);
}

/* Reading a document can take long: it is done off the loop. */
typedef struct reading_work {
    uv_work_t request;
    farm_state *farm;
    submission *entry;
    job_source *source;
} reading_work;

static void run_reading(uv_work_t *request)
{
    reading_work *work = request->data;
    work->source = job_source_create(work->entry->document, work->entry->size);
}

status client_check_roots(const access_grant *owner, const job_document *document, error_detail *detail)
{
    if (owner->role != ACCESS_SUBMITTER)
        return STATUS_OK;
    const char *root = document->media.root;
    bool to_write = false;
    if (access_grant_has_root(owner, root, false)) {
        root = document->out.root;
        to_write = true;
        if (!document->has_out || access_grant_has_root(owner, root, true))
            return STATUS_OK;
    }
    return error_detail_set(detail, STATUS_INPUT_DENIED,
                            "%s's jobs may not %s the media root '%s'; the farm's operator can change that", owner->name,
                            to_write ? "write to" : "read", root);
}

/* Of the places for jobs one submitter has half: a flood of them locks nobody else out. */
static status check_count(const farm_state *self, const access_grant *owner, error_detail *detail)
{
    uint32_t theirs = 0;
    for (size_t i = 0; i < self->jobs.count; i++)
        theirs += strcmp(self->jobs.items[i]->owner, owner->name) == 0 ? 1 : 0;
    if (owner->role != ACCESS_SUBMITTER || theirs < JOBS_OF_ONE_MAX)
        return STATUS_OK;
    return error_detail_set(detail, STATUS_LIMIT,
                            "this farm remembers %u jobs of %s, and of one submitter %d at most; keep_jobs_days of the "
                            "coordinator says when they are forgotten", theirs, owner->name, JOBS_OF_ONE_MAX);
}

/* The job's folder, the job, the document's record, then the facts. */
static status accept_job(farm_state *self, submission *entry, job_source **source, error_detail *detail)
{
    status allowed = client_check_roots(&entry->owner, &(*source)->document, detail);
    if (allowed == STATUS_OK)
        allowed = check_count(self, &entry->owner, detail);
    if (allowed != STATUS_OK)
        return allowed;
    farm_job *job = self->jobs.last_number == UINT32_MAX ? NULL : job_create(self->jobs.last_number + 1);
    if (job == NULL || !job_results_resize(job, (*source)->inputs.count + 1)) {
        job_destroy(&job);
        return error_detail_set(detail, STATUS_NODE_MEMORY, "out of memory");
    }
    snprintf(job->folder, sizeof job->folder, "%s/job-%u", self->config.state, job->number);
    if (mkdir(job->folder, 0700) != 0 && errno != EEXIST) {
        status code = error_detail_set(detail, STATUS_STORAGE_DENIED,
                                       "the coordinator cannot make '%s' on its own machine: %s; its operator has to look at that disk "
                                       "and its rights, then submit again",
                                       job->folder, strerror(errno));
        log_line(LOG_ERROR, "state.refused", "reason=\"%s\"", detail->message);
        job_destroy(&job);
        return code;
    }
    job->keep = farm_keep(self);
    job->logs = &self->logs;
    folder_sync(self->config.state, job->keep);
    memcpy(job->request, entry->request, REQUEST_BYTES);
    snprintf(job->owner, sizeof job->owner, "%s", entry->owner.name);
    job->priority = entry->priority;
    job->submitted_unix_ms = farm_unix_ms();
    bool taken = job_take_source(job, *source);
    *source = NULL;
    if (!taken || !job_list_add(&self->jobs, job)) {
        job_destroy(&job);
        return error_detail_set(detail, STATUS_NODE_MEMORY, "out of memory");
    }
    shell_record record = {
        .kind = RECORD_DOCUMENT,
        .document = {.job = job->number,
                     .priority = job->priority,
                     .submitted_unix_ms = job->submitted_unix_ms,
                     .document = {.bytes = (const uint8_t *)entry->document, .size = (uint32_t)entry->size}}};
    memcpy(record.document.request, entry->request, REQUEST_BYTES);
    snprintf(record.document.owner, sizeof record.document.owner, "%s", entry->owner.name);
    farm_record(self, &record, -1);
    scheduler_event submitted = {
        .type = EVENT_JOB_SUBMITTED,
        .submitted = {.job = job->number,
                      .priority = job->priority,
                      .share = job_share_of(job->source->show.slug),
                      .terms = job_terms_of(job)}};
    entry->job = job->number;
    entry->state = SUBMISSION_STORED;
    status code = farm_step(self, &submitted);
    arena memory;
    arena_init(&memory);
    scheduler_event extended = {.type = EVENT_JOB_EXTENDED, .extended = {.job = job->number}};
    extended.extended.tasks = job_first_specs(job, &memory, &extended.extended.task_count);
    if (code == STATUS_OK)
        code = farm_step(self, &extended);
    arena_deinit(&memory);
    if (code != STATUS_OK) {
        /* Its number is used up; the request may make another job. */
        memset(job->request, 0, sizeof job->request);
        job->ended = job->failed = true;
        return error_detail_set(detail, code, "the farm takes no more jobs: %s", status_text(code));
    }
    job_log(job, LOG_INFO, "job.submitted", "kind=%s inputs=%u owner=\"%s\"", job_kind_name(job->source->document.kind),
            job->source->inputs.count, job->owner);
    return STATUS_OK;
}

static void after_reading(uv_work_t *request, int result)
{
    reading_work *work = request->data;
    farm_state *self = work->farm;
    submission *entry = work->entry;
    error_detail detail = {0};
    status code = STATUS_OK;
    self->work_count--;
    if (result != 0 || work->source == NULL)
        code = error_detail_set(&detail, STATUS_NODE_MEMORY, "out of memory");
    else if (work->source->code != STATUS_OK)
        code = error_detail_set(&detail, work->source->code, "%s", work->source->detail.message);
    else if (self->stopping)
        code = error_detail_set(&detail, STATUS_AGAIN, "the coordinator is stopping");
    else
        code = accept_job(self, entry, &work->source, &detail);
    if (code == STATUS_INPUT_DENIED)
        farm_deny(self, &entry->owner, "submit", 0, NULL, detail.message);
    else
        audit(self, &entry->owner, "submit", entry->job, NULL, code, detail.message);
    if (code != STATUS_OK) {
        answer_code(self, &entry->from, entry->request, code, detail.message, 0);
        free_submission(entry);
    }
    job_source_destroy(&work->source);
    free(work);
}

static void on_commit(farm_state *self, const routing_id *from, const access_grant *who,
                      const message_submit_commit *commit)
{
    submission *entry = find_submission(self, who, commit->request);
    if (entry == NULL) {
        if (!answered_before(self, from, who, commit->request))
            answer_code(self, from, commit->request, STATUS_INPUT_MISSING,
                        "this submission is not known (any more); submit again from the beginning", 0);
        return;
    }
    entry->from = *from;
    entry->touched_ms = farm_now_ms(self);
    take_owner(entry, who);
    if (entry->state != SUBMISSION_OPEN)
        return; /* it is on its way; the answer comes once it is on disk */
    content_hash digest = content_hash_of(entry->document, entry->received);
    if (entry->received != entry->size || !content_hash_equal(&digest, &entry->digest)) {
        answer_code(self, from, commit->request, STATUS_PEER_IMPOSSIBLE,
                    "the document that arrived is not the one that was announced; submit again", 0);
        free_submission(entry);
        return;
    }
    reading_work *work = calloc(1, sizeof *work);
    if (work == NULL) {
        answer_code(self, from, commit->request, STATUS_NODE_MEMORY, "", 0);
        return;
    }
    work->request.data = work;
    work->farm = self;
    work->entry = entry;
    entry->state = SUBMISSION_READING;
    self->work_count++;
    if (uv_queue_work(&self->loop, &work->request, run_reading, after_reading) != 0) {
        self->work_count--;
        entry->state = SUBMISSION_OPEN;
        free(work);
        answer_code(self, from, commit->request, STATUS_NODE_SYSTEM, "", 0);
    }
}

/* The facts of the submission are on disk. */
void client_job_accepted(farm_state *self, uint32_t number)
{
    for (size_t i = 0; i < SUBMISSIONS_MAX; i++) {
        submission *entry = &self->submissions[i];
        if (entry->state != SUBMISSION_STORED || entry->job != number)
            continue;
        answer_code(self, &entry->from, entry->request, STATUS_OK, "", number);
        free_submission(entry);
    }
}

/* ---- queries ---- */

static cached_query *find_cached(farm_state *self, const char *what, uint32_t job)
{
    for (size_t i = 0; i < QUERY_CACHE_MAX; i++)
        if (self->cache[i].used && self->cache[i].job == job && strcmp(self->cache[i].what, what) == 0)
            return &self->cache[i];
    return NULL;
}

/* Keeps a document of several parts, so that all of them are of one moment. The text is taken. */
static void keep_cached(farm_state *self, const char *what, uint32_t job, char *text, size_t size, uint64_t took_us)
{
    cached_query *entry = find_cached(self, what, job);
    for (size_t i = 0; entry == NULL && i < QUERY_CACHE_MAX; i++)
        if (!self->cache[i].used)
            entry = &self->cache[i];
    for (size_t i = 0, oldest = 0; entry == NULL && i < QUERY_CACHE_MAX; i++) {
        if (self->cache[i].used_ms < self->cache[oldest].used_ms)
            oldest = i;
        if (i == QUERY_CACHE_MAX - 1)
            entry = &self->cache[oldest];
    }
    free(entry->text);
    *entry = (cached_query){.used = true, .job = job, .used_ms = farm_now_ms(self), .text = text, .size = size};
    snprintf(entry->what, sizeof entry->what, "%s", what);
    uint64_t fresh_ms = took_us < QUERY_DEAR_US ? 0 : took_us * QUERY_FRESH_FACTOR / 1000;
    entry->fresh_until_ms = entry->used_ms + (fresh_ms < QUERY_FRESH_MAX_MS ? fresh_ms : QUERY_FRESH_MAX_MS);
}

bool client_may_ask(farm_state *self, const char *asker)
{
    return asker[0] == '\0' || ask_shares_may(&self->asked, asker, farm_now_ms(self));
}

void client_asked(farm_state *self, const char *asker, uint64_t took_us)
{
    if (asker[0] != '\0')
        ask_shares_spent(&self->asked, asker, took_us);
}

static void send_part(farm_state *self, const routing_id *to, const message_query *query, const char *text, size_t size)
{
    message_answer answer = make_answer(query->request, STATUS_OK, "", query->job);
    size_t left = query->offset < size ? size - query->offset : 0;
    answer.total_size = size;
    answer.offset = query->offset;
    answer.bytes.bytes = (const uint8_t *)text + (left > 0 ? query->offset : 0);
    answer.bytes.size = (uint32_t)(left < DOCUMENT_CHUNK_MAX ? left : DOCUMENT_CHUNK_MAX);
    /* What a job came to is told only when no crash can take it back; how the machines are is told at once. */
    if (strcmp(query->what, "nodes") == 0 || strcmp(query->what, "roots") == 0 || strcmp(query->what, "logs") == 0 ||
        strcmp(query->what, "about") == 0)
        answer_now(self, to, &answer);
    else if (self->effects.frame_bytes < ANSWERS_WAITING_MAX)
        farm_answer_durable(self, to, &answer);
    else
        answer_code(self, to, query->request, STATUS_AGAIN, "the coordinator waits for its disk; ask again in a second",
                    query->job);
}

static void answer_query(farm_state *self, const routing_id *from, const char *asker, const message_query *query)
{
    bool grows = strcmp(query->what, "logs") == 0; /* at its end only: any part is good at any time */
    error_detail detail = {0};
    size_t size = 0;
    uint64_t begun_ns = uv_hrtime();
    char *text = farm_query(self, query->what, query->job, &size, &detail);
    uint64_t took_us = (uv_hrtime() - begun_ns) / 1000;
    client_asked(self, asker, took_us);
    if (text == NULL) {
        answer_code(self, from, query->request, detail.code, detail.message, query->job);
        return;
    }
    send_part(self, from, query, text, size);
    if ((size > DOCUMENT_CHUNK_MAX || took_us >= QUERY_DEAR_US) && !grows)
        keep_cached(self, query->what, query->job, text, size, took_us);
    else
        free(text);
}

static bool job_is_open(const farm_state *self, uint32_t number)
{
    const farm_job *job = job_list_find(&self->jobs, number);
    return job != NULL && !job->ended;
}

/* False where it is to be answered now: the job has ended or never was, or too many wait. */
static bool keep_waiting(farm_state *self, const routing_id *from, const char *asker, const message_query *query)
{
    for (size_t i = 0; query->offset == 0 && job_is_open(self, query->job) && i < WAITING_QUERIES_MAX; i++) {
        if (self->waiting[i].used)
            continue;
        self->waiting[i] = (waiting_query){
            .used = true, .from = *from, .query = *query, .due_ms = farm_now_ms(self) + JOB_END_WAIT_MS};
        snprintf(self->waiting[i].asker, sizeof self->waiting[i].asker, "%s", asker);
        farm_arm(self);
        return true;
    }
    return false;
}

uint64_t client_answer_waiting(farm_state *self)
{
    uint64_t next_ms = UINT64_MAX;
    for (size_t i = 0; i < WAITING_QUERIES_MAX; i++) {
        waiting_query *entry = &self->waiting[i];
        if (entry->used && (entry->due_ms <= farm_now_ms(self) || !job_is_open(self, entry->query.job))) {
            entry->used = false; /* first: the answer may come by here again */
            waiting_query answered = *entry;
            answer_query(self, &answered.from, answered.asker, &answered.query);
        } else if (entry->used && entry->due_ms < next_ms) {
            next_ms = entry->due_ms;
        }
    }
    return next_ms;
}

static void on_query(farm_state *self, const routing_id *from, const access_grant *who, const message_query *asked)
{
    message_query plain = *asked;
    const message_query *query = &plain;
    bool at_end = strcmp(plain.what, "job.end") == 0;
    if (at_end)
        snprintf(plain.what, sizeof plain.what, "job");
    cached_query *cached = strcmp(query->what, "logs") == 0 ? NULL : find_cached(self, query->what, query->job);
    if (cached != NULL && (query->offset > 0 || cached->fresh_until_ms > farm_now_ms(self))) {
        cached->used_ms = farm_now_ms(self);
        send_part(self, from, query, cached->text, cached->size);
        return;
    }
    const char *asker = who->role == ACCESS_VIEWER || who->role == ACCESS_SUBMITTER ? who->name : "";
    if (!client_may_ask(self, asker)) {
        answer_code(self, from, query->request, STATUS_AGAIN, "the coordinator answers others; ask again in a second",
                    query->job);
        return;
    }
    if (!at_end || !keep_waiting(self, from, asker, query))
        answer_query(self, from, asker, query);
}

/* ---- commands ---- */

void client_answer_command(farm_state *self, const routing_id *to, const access_grant *who, const message_command *command,
                           status code, const char *detail)
{
    audit(self, who, command->verb, command->job, command->target, code, code == STATUS_OK ? command->reason : detail);
    remembered_command *kept = &self->remembered[self->remembered_next++ % REMEMBERED_COMMANDS_MAX];
    memcpy(kept->request, command->request, REQUEST_BYTES);
    kept->answer = make_answer(command->request, code, detail, command->job);
    if (self->stopping)
        answer_now(self, to, &kept->answer);
    else
        farm_answer_durable(self, to, &kept->answer);
}

static void on_command(farm_state *self, const routing_id *from, const access_grant *who,
                       const message_command *command)
{
    for (size_t i = 0; i < REMEMBERED_COMMANDS_MAX; i++)
        if (self->remembered[i].answer.code < STATUS_COUNT && self->remembered_next > i &&
            memcmp(self->remembered[i].request, command->request, REQUEST_BYTES) == 0) {
            farm_answer_durable(self, from, &self->remembered[i].answer);
            return;
        }
    if (!farm_may_command(self, who)) {
        self->put_off_lately++;
        answer_code(self, from, command->request, STATUS_AGAIN, "that is too much at once; ask again in a second", command->job);
        return;
    }
    if (strcmp(command->verb, "backup") == 0) {
        farm_backup(self, from, who, command);
        return;
    }
    error_detail detail = {0};
    status code = client_command(self, who, command, &detail);
    for (size_t i = 0; i < QUERY_CACHE_MAX && code == STATUS_OK; i++)
        self->cache[i].fresh_until_ms = 0; /* what was so before it is not told any more */
    client_answer_command(self, from, who, command, code, detail.message);
}

bool client_message(farm_state *self, const routing_id *from, const access_grant *who, const message *said)
{
    if (said->type == MESSAGE_SUBMIT_BEGIN)
        on_begin(self, from, who, &said->submit_begin);
    else if (said->type == MESSAGE_SUBMIT_APPEND)
        on_append(self, from, who, &said->submit_append);
    else if (said->type == MESSAGE_SUBMIT_COMMIT)
        on_commit(self, from, who, &said->submit_commit);
    else if (said->type == MESSAGE_QUERY)
        on_query(self, from, who, &said->query);
    else if (said->type == MESSAGE_COMMAND)
        on_command(self, from, who, &said->command);
    else
        return false;
    return true;
}

void client_tend(farm_state *self)
{
    uint64_t now_ms = farm_now_ms(self);
    for (size_t i = 0; i < SUBMISSIONS_MAX; i++)
        if (self->submissions[i].state == SUBMISSION_OPEN &&
            now_ms - self->submissions[i].touched_ms > SUBMISSION_IDLE_MS)
            free_submission(&self->submissions[i]);
    for (size_t i = 0; i < QUERY_CACHE_MAX; i++)
        if (self->cache[i].used && now_ms - self->cache[i].used_ms > QUERY_CACHE_IDLE_MS) {
            free(self->cache[i].text);
            self->cache[i] = (cached_query){0};
        }
}

void client_requests_deinit(farm_state *self)
{
    for (size_t i = 0; i < SUBMISSIONS_MAX; i++)
        free_submission(&self->submissions[i]);
    for (size_t i = 0; i < QUERY_CACHE_MAX; i++)
        free(self->cache[i].text);
}
