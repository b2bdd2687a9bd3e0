#include "coordinator/shell/job.h"

#include "common/base/ensure.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

farm_job *job_create(uint32_t number)
{
    farm_job *self = calloc(1, sizeof *self);
    if (self == NULL)
        return NULL;
    self->number = number;
    self->cells.descriptor = -1;
    arena_init(&self->problem_arena);
    return self;
}

static void drop_results(farm_job *self)
{
    for (uint32_t i = 0; i < self->result_count; i++)
        job_result_drop(self, i);
    free(self->results);
    self->results = NULL;
    self->result_count = 0;
}

static void drop_maps(farm_job *self)
{
    if (self->maps == NULL)
        return;
    size_t count = (size_t)self->plan->program_count * self->map_piece_count;
    for (size_t i = 0; i < count; i++)
        free(self->maps[i]);
    free(self->maps);
    self->maps = NULL;
}

void job_drop_contents(farm_job *self)
{
    drop_maps(self);
    drop_results(self);
    if (self->plan != NULL)
        plan_destroy(&self->plan);
    free(self->facts);
    free(self->errors);
    free(self->generations);
    free(self->forecast);
    self->facts = NULL;
    self->errors = NULL;
    self->generations = NULL;
    self->forecast = NULL;
    self->error_count = self->error_room = 0;
    arena_deinit(&self->problem_arena);
    arena_init(&self->problem_arena);
    self->problems = (problem_list){0};
    job_source_destroy(&self->source);
}

static char *copy_text(const char *text, bool *copied)
{
    char *copy = text == NULL ? NULL : strdup(text);
    *copied = *copied && (copy != NULL) == (text != NULL);
    return copy;
}

bool job_take_source(farm_job *self, job_source *source)
{
    bool copied = true;
    self->source = source;
    self->kind = source->document.kind;
    self->input_count = source->inputs.count;
    self->title = copy_text(source->show.title, &copied);
    self->slug = copy_text(source->show.slug, &copied);
    self->version = copy_text(source->show.version, &copied);
    return copied;
}

bool job_is_question(const farm_job *self)
{
    return self->kind == JOB_KIND_CHECK || self->kind == JOB_KIND_PLAN;
}

void job_destroy(farm_job **self)
{
    farm_job *gone = *self;
    if (gone == NULL)
        return;
    job_drop_contents(gone);
    arena_deinit(&gone->problem_arena);
    cell_file_close(&gone->cells);
    free(gone->title);
    free(gone->slug);
    free(gone->version);
    free(gone->rest_message);
    free(gone->rest_row);
    free(gone);
    *self = NULL;
}

static uint64_t key_of(const char *text)
{
    content_hash digest = content_hash_of(text, strlen(text));
    uint64_t key = 0;
    memcpy(&key, digest.bytes, sizeof key);
    return key;
}

uint64_t job_share_of(const char *slug)
{
    return key_of(slug != NULL ? slug : "");
}

uint64_t job_root_key(const char *root)
{
    char text[NAME_MAX_BYTES + 8];
    snprintf(text, sizeof text, "root/%s", root); /* no slug has a '/' */
    return key_of(text);
}

job_terms job_terms_of(const farm_job *self)
{
    const job_document *document = &self->source->document;
    uint32_t deadline = document->deadline != 0 ? document->deadline : self->source->show.deadline;
    /* One that had passed already counts as the hour of submission: nobody gets before those who wait by a date of 1970. */
    uint64_t submitted = self->submitted_unix_ms / 1000;
    if (deadline != 0 && deadline < submitted)
        deadline = submitted < UINT32_MAX ? (uint32_t)submitted : UINT32_MAX - 1;
    return (job_terms){.deadline = deadline,
                       .at_once = document->at_once,
                       .roots = {job_root_key(document->media.root), document->has_out ? job_root_key(document->out.root) : 0}};
}

uint32_t job_plan_task(const farm_job *self)
{
    return self->input_count;
}

const plan_task *job_task(const farm_job *self, uint32_t task)
{
    if (self->plan == NULL || task < self->plan->first_task || task - self->plan->first_task >= self->plan->task_count)
        return NULL;
    return &self->plan->tasks[task - self->plan->first_task];
}

uint32_t job_task_count(const farm_job *self)
{
    if (self->resting)
        return self->rest_task_count;
    return job_plan_task(self) + 1 + (self->plan != NULL ? self->plan->task_count : 0);
}

uint8_t job_task_kind(const farm_job *self, uint32_t task)
{
    if (task < job_plan_task(self))
        return TASK_PROBE;
    const plan_task *planned = job_task(self, task);
    return planned != NULL ? (uint8_t)planned->kind : TASK_PLAN;
}

static void cells_what(const farm_job *self, const plan_task *task, char *out, size_t out_size)
{
    const plan_timeline *timeline = &self->plan->timelines[task->timeline];
    const char *reel = "";
    if (task->piece < timeline->piece_count && timeline->pieces[task->piece].reel < self->source->show.reel_count)
        reel = self->source->show.reels[timeline->pieces[task->piece].reel].name;
    snprintf(out, out_size, "%s%scells %u-%u", reel, reel[0] != '\0' ? " " : "", task->first_cell,
             task->first_cell + task->cell_count - 1);
}

void job_task_what(const farm_job *self, uint32_t task, char *out, size_t out_size)
{
    out[0] = '\0';
    const plan_task *planned = job_task(self, task);
    if (self->source == NULL)
        return;
    if (task < job_plan_task(self)) {
        snprintf(out, out_size, "%s", self->source->inputs.items[task].display);
        return;
    }
    if (planned == NULL)
        return;
    switch (planned->kind) {
    case TASK_RENDER:
    case TASK_INSPECT:
        cells_what(self, planned, out, out_size);
        break;
    case TASK_ALLOCATE:
    case TASK_SEAL:
    case TASK_VERIFY:
        if (planned->of_input)
            snprintf(out, out_size, "%s", self->source->inputs.items[planned->file].display);
        else
            snprintf(out, out_size, "%s", self->plan->files[planned->file].display);
        break;
    case TASK_LISTEN:
        snprintf(out, out_size, "%s",
                 self->source->inputs.items[self->plan->listens[planned->file].first_input].display);
        break;
    case TASK_GAIN:
    case TASK_MERGE:
    case TASK_PUBLISH:
    case TASK_METER:
    case TASK_EXCERPT:
        snprintf(out, out_size, "%s", self->source->show.deliverables[planned->deliverable].name);
        break;
    case TASK_PROBE:
    case TASK_DISCARD:
    case TASK_DEPOSIT:
    case TASK_KIND_REMOTE_END:
    case TASK_PLAN:
    case TASK_COMPOSE:
        break;
    }
}

task_spec *job_first_specs(const farm_job *self, arena *memory, uint32_t *out_count)
{
    const input_list *inputs = &self->source->inputs;
    task_spec *specs = arena_take_array(memory, (size_t)inputs->count + 1, sizeof *specs);
    uint32_t *waits = arena_take_array(memory, inputs->count, sizeof *waits);
    for (uint32_t i = 0; i < inputs->count; i++) {
        uint16_t reel = inputs->items[i].reel < 0 ? UINT16_MAX : (uint16_t)inputs->items[i].reel;
        specs[i] = (task_spec){.kind = TASK_PROBE, .affinity = reel, .cost = 20};
        waits[i] = i;
    }
    specs[inputs->count] = (task_spec){.kind = TASK_PLAN,
                                       .local = true,
                                       .even_if_failed = true,
                                       .affinity = UINT16_MAX,
                                       .cost = 20,
                                       .wait_count = inputs->count,
                                       .waits = waits};
    *out_count = inputs->count + 1;
    return specs;
}

/*
 * Does a second execution beside a late one help? Of a RENDER not on the same machine: it is late because of what that does
 * else, and as both write, VERIFY could not believe what the first has read back and would read all from the medium again.
 */
static bool task_may_spare(const plan_task *task, bool one_machine)
{
    return task->kind == TASK_INSPECT || (task->kind == TASK_RENDER && !one_machine);
}

task_spec *job_plan_specs(const farm_job *self, bool one_machine, arena *memory)
{
    const plan *job_plan = self->plan;
    task_spec *specs = arena_take_array(memory, job_plan->task_count, sizeof *specs);
    for (uint32_t i = 0; i < job_plan->task_count; i++) {
        const plan_task *task = &job_plan->tasks[i];
        specs[i] = (task_spec){
            .kind = (uint8_t)task->kind,
            .local = task->local,
            .even_if_failed = task->even_if_failed,
            .even_if_cancelled = task->kind == TASK_DISCARD,
            .spare = task_may_spare(task, one_machine),
            .affinity = task->affinity,
            .cost = task->cost,
            .wait_count = task->wait_count,
            .waits = job_plan->waits + task->first_wait,
        };
    }
    return specs;
}

/* ---- results ---- */

bool job_results_resize(farm_job *self, uint32_t task_count)
{
    if (task_count <= self->result_count)
        return true;
    job_result *results = realloc(self->results, task_count * sizeof *results);
    if (results == NULL)
        return false;
    memset(results + self->result_count, 0, (task_count - self->result_count) * sizeof *results);
    self->results = results;
    self->result_count = task_count;
    return true;
}

bool job_generations_begin(farm_job *self)
{
    free(self->generations);
    self->generations = calloc((size_t)self->plan->deliverable_count + 1, sizeof *self->generations);
    for (uint32_t i = 0; self->generations != NULL && i < self->plan->deliverable_count; i++)
        self->generations[i] = 1;
    return self->generations != NULL;
}

/* From the states of the tasks alone, so that a replay comes to the same names. */
void job_generations_raise(farm_job *self, const scheduler *farm)
{
    for (uint32_t i = 0; self->plan != NULL && i < self->plan->deliverable_count; i++) {
        const plan_deliverable *deliverable = &self->plan->deliverables[i];
        task_view view;
        if (deliverable->file_count > 0 &&
            scheduler_task_view(farm, self->number, self->plan->files[deliverable->first_file].allocate_task, &view) &&
            view.state != TASK_DONE)
            self->generations[i]++;
    }
}

void job_result_drop(farm_job *self, uint32_t task)
{
    if (task >= self->result_count)
        return;
    free(self->results[task].payload);
    free(self->results[task].outputs);
    self->results[task] = (job_result){0};
}

void job_leader_settle(farm_job *self, uint32_t deliverable)
{
    const plan_deliverable *wanted = &self->plan->deliverables[deliverable];
    arena memory;
    arena_init(&memory);
    const sync_measure **heard = arena_take_array(&memory, wanted->seek_count, sizeof *heard);
    for (uint32_t i = 0; i < wanted->seek_count; i++) {
        const job_result *result = job_result_get(self, self->plan->listens[wanted->first_seek + i].task);
        sync_measure *measure = arena_take(&memory, sizeof *measure);
        if (result != NULL && sync_measure_decode(measure, result->payload, result->payload_size, &memory) == STATUS_OK)
            heard[i] = measure;
    }
    plan_leader_settle(self->plan, deliverable, heard);
    arena_deinit(&memory);
}

bool job_result_keep(farm_job *self, uint32_t task, const message_bytes *payload, const cell_stretch *cells)
{
    if (task >= self->result_count)
        return false;
    uint8_t *copy = NULL;
    if (payload->size > 0) {
        copy = malloc(payload->size);
        if (copy == NULL)
            return false;
        memcpy(copy, payload->bytes, payload->size);
    }
    job_result_drop(self, task);
    self->results[task] = (job_result){.done = true, .payload = copy, .payload_size = payload->size, .cells = *cells};
    const plan_task *planned = job_task(self, task);
    if (planned != NULL && planned->kind == TASK_LISTEN && self->plan->listens[planned->file].seeks)
        job_leader_settle(self, planned->deliverable);
    return true;
}

const job_result *job_result_get(const farm_job *self, uint32_t task)
{
    return task < self->result_count && self->results[task].done ? &self->results[task] : NULL;
}

status job_outputs_keep(farm_job *self, uint32_t task, const uint8_t *records, size_t byte_size)
{
    const plan_task *planned = job_task(self, task);
    ENSURE(planned != NULL && task < self->result_count);
    job_result *result = &self->results[task];
    content_hash *outputs = NULL;
    uint32_t output_count = 0;
    uint32_t seen = 0;
    status code = STATUS_OK;
    for (size_t offset = 0; code == STATUS_OK && offset < byte_size;) {
        cell_record record;
        code = cell_record_decode(&record, records, byte_size, &offset);
        if (code != STATUS_OK)
            break;
        if (outputs == NULL) {
            output_count = record.output_count;
            outputs = calloc((size_t)planned->cell_count * output_count + 1, sizeof *outputs);
        }
        uint32_t place = record.cell - planned->first_cell;
        if (outputs == NULL)
            code = STATUS_NODE_MEMORY;
        else if (place >= planned->cell_count || record.output_count != output_count || record.task != task)
            code = STATUS_STORAGE_MISMATCH;
        else if (output_count > 0)
            memcpy(outputs + (size_t)place * output_count, record.outputs, output_count * sizeof *outputs);
        seen++;
    }
    if (code == STATUS_OK && seen != planned->cell_count)
        code = STATUS_STORAGE_MISMATCH;
    if (code != STATUS_OK) {
        free(outputs);
        return code;
    }
    free(result->outputs);
    result->outputs = outputs;
    result->output_count = output_count;
    return STATUS_OK;
}

status job_outputs_need(farm_job *self, uint32_t task, error_detail *detail)
{
    if (job_result_get(self, task) == NULL)
        return error_detail_set(detail, STATUS_DEFECT, "task %u of job %u has left no cells", task, self->number);
    if (self->results[task].outputs != NULL)
        return STATUS_OK;
    char path[PATH_MAX_BYTES];
    job_path(self, "cells", path);
    cell_bytes cells = {0};
    status code = cell_file_read(path, &self->results[task].cells, &cells, detail);
    if (code == STATUS_OK) {
        code = job_outputs_keep(self, task, cells.bytes, self->results[task].cells.byte_size);
        if (code != STATUS_OK)
            error_detail_set(detail, code, "the measures in '%s' are damaged (task %u); run the job again", path, task);
    }
    cell_bytes_deinit(&cells);
    return code;
}

/* ---- what people see ---- */

static bool make_error_room(farm_job *self)
{
    if (self->error_count < self->error_room || self->error_room == JOB_ERRORS_MAX)
        return true;
    uint32_t room = self->error_room == 0 ? 4 : 2 * self->error_room;
    room = room > JOB_ERRORS_MAX ? JOB_ERRORS_MAX : room;
    job_error *larger = realloc(self->errors, room * sizeof *larger);
    if (larger == NULL)
        return false;
    self->errors = larger;
    self->error_room = room;
    return true;
}

/* A task that waits for storage says the same every minute of a night. */
static bool error_known(farm_job *self, const job_error *said)
{
    for (uint32_t i = 0; i < self->error_count; i++) {
        job_error *known = &self->errors[i];
        if (known->task != said->task || known->code != said->code || strcmp(known->text, said->text) != 0)
            continue;
        known->final = known->final || said->final;
        return true;
    }
    return false;
}

void job_error_add(farm_job *self, uint32_t task, status code, bool final, const char *text)
{
    job_error said = {.task = task, .code = code, .final = final};
    snprintf(said.text, sizeof said.text, "%s", text[0] != '\0' ? text : status_text(code));
    if (error_known(self, &said))
        return;
    if (!make_error_room(self)) {
        self->error_dropped++;
        return;
    }
    /* A failure for good pushes out one that was only an attempt: it is what a person has to read. */
    uint32_t at = self->error_count;
    if (at == JOB_ERRORS_MAX) {
        self->error_dropped++;
        for (at = 0; final && at < JOB_ERRORS_MAX && self->errors[at].final; at++) {
        }
        if (!final || at == JOB_ERRORS_MAX)
            return;
    } else {
        self->error_count++;
    }
    self->errors[at] = said;
}

void job_path(const farm_job *self, const char *name, char out[PATH_MAX_BYTES])
{
    int size = snprintf(out, PATH_MAX_BYTES, "%s/%s", self->folder, name);
    ENSURE(size > 0 && size < PATH_MAX_BYTES); /* the state folder's length is checked at the start */
}

/* ---- all jobs ---- */

void job_list_deinit(job_list *self)
{
    for (size_t i = 0; i < self->count; i++)
        job_destroy(&self->items[i]);
    free(self->items);
    *self = (job_list){0};
}

bool job_list_add(job_list *self, farm_job *job)
{
    ENSURE(job->number > self->last_number);
    if (self->count == self->capacity) {
        size_t capacity = self->capacity == 0 ? 16 : 2 * self->capacity;
        struct farm_job **items = realloc(self->items, capacity * sizeof(struct farm_job *));
        if (items == NULL)
            return false;
        self->items = items;
        self->capacity = capacity;
    }
    self->items[self->count++] = job;
    self->last_number = job->number;
    return true;
}

farm_job *job_list_take(job_list *self, uint32_t number)
{
    for (size_t i = 0; i < self->count; i++) {
        farm_job *job = self->items[i];
        if (job->number != number)
            continue;
        self->count--;
        memmove(self->items + i, self->items + i + 1, (self->count - i) * sizeof(struct farm_job *));
        return job;
    }
    return NULL;
}

farm_job *job_list_find(const job_list *self, uint32_t number)
{
    size_t low = 0;
    size_t high = self->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (self->items[middle]->number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low < self->count && self->items[low]->number == number ? self->items[low] : NULL;
}

farm_job *job_list_by_request(const job_list *self, const uint8_t request[REQUEST_BYTES])
{
    for (size_t i = self->count; i-- > 0;)
        if (memcmp(self->items[i]->request, request, REQUEST_BYTES) == 0)
            return self->items[i];
    return NULL;
}
