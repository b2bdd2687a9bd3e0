#include "coordinator/shell/job_body.h"

#include "proto/task_body.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NOT_SET = 0x7FFF };

static plan_context base_context(const farm_job *self, uint64_t farm, uint16_t deliverable)
{
    return (plan_context){.farm = farm,
                          .job = self->number,
                          .generation = self->generations[deliverable],
                          .replace = self->source->document.replace,
                          .loudness_value = NOT_SET,
                          .loudness_range = NOT_SET,
                          .max_true_peak = NOT_SET,
                          .max_momentary = NOT_SET,
                          .max_short_term = NOT_SET};
}

bool job_merge_outcome(const farm_job *self, uint16_t deliverable, merge_outcome *out_outcome)
{
    uint32_t task = self->plan->deliverables[deliverable].merge_task;
    const job_result *result = job_result_get(self, task);
    return result != NULL && merge_outcome_decode(out_outcome, result->payload, result->payload_size) == STATUS_OK;
}

const double *job_gains(const farm_job *self, arena *memory)
{
    double *gains = arena_take_array(memory, self->plan->deliverable_count, sizeof *gains);
    for (uint32_t i = 0; i < self->plan->deliverable_count; i++) {
        uint32_t task = self->plan->deliverables[i].gain_task;
        const job_result *result = task == UINT32_MAX ? NULL : job_result_get(self, task);
        if (result == NULL || gain_outcome_decode(&gains[i], result->payload, result->payload_size) != STATUS_OK)
            gains[i] = (double)NAN;
    }
    return gains;
}

typedef struct placed_task {
    uint64_t place; /* piece, then first cell */
    uint32_t task;
} placed_task;

static int compare_places(const void *a, const void *b)
{
    uint64_t left = ((const placed_task *)a)->place;
    uint64_t right = ((const placed_task *)b)->place;
    return left < right ? -1 : left > right;
}

uint32_t *job_program_tasks(const farm_job *self, uint16_t program, arena *memory, uint32_t *out_count)
{
    const plan *job_plan = self->plan;
    placed_task *placed = arena_take_array(memory, job_plan->task_count, sizeof *placed);
    uint32_t *tasks = arena_take_array(memory, job_plan->task_count, sizeof *tasks);
    uint32_t count = 0;
    for (uint32_t i = 0; i < job_plan->task_count; i++) {
        const plan_task *task = &job_plan->tasks[i];
        if ((task->kind == TASK_RENDER || task->kind == TASK_INSPECT) && task->program == program)
            placed[count++] = (placed_task){.place = (uint64_t)task->piece << 32 | task->first_cell,
                                            .task = job_plan->first_task + i};
    }
    if (count > 1)
        qsort(placed, count, sizeof *placed, compare_places);
    for (uint32_t i = 0; i < count; i++)
        tasks[i] = placed[i].task;
    *out_count = count;
    return tasks;
}

/* ---- the outputs of a render task ---- */

static status fill_map(const farm_job *self, const plan_task *task, output_map *map)
{
    arena memory;
    arena_init(&memory);
    plan_binding binding = {0};
    plan_task_binding(self->plan, (uint32_t)(task - self->plan->tasks), &memory, &binding);
    status code = binding.file_count <= CELL_OUTPUTS_MAX ? STATUS_OK : STATUS_LIMIT;
    if (code == STATUS_OK) {
        map->count = binding.file_count;
        if (binding.file_count > 0)
            memcpy(map->files, binding.files, binding.file_count * sizeof *map->files);
        map->known = true;
    }
    arena_deinit(&memory);
    return code;
}

static bool make_map_table(farm_job *self)
{
    if (self->maps != NULL)
        return true;
    for (uint32_t i = 0; i < self->plan->timeline_count; i++)
        if (self->plan->timelines[i].piece_count > self->map_piece_count)
            self->map_piece_count = self->plan->timelines[i].piece_count;
    self->maps = calloc((size_t)self->plan->program_count * self->map_piece_count + 1, sizeof(output_map *));
    return self->maps != NULL;
}

status job_output_map(farm_job *self, const plan_task *task, const output_map **out_map, error_detail *detail)
{
    status code = STATUS_NODE_MEMORY;
    if (make_map_table(self) && task->program < self->plan->program_count && task->piece < self->map_piece_count) {
        output_map **map = &self->maps[(size_t)task->program * self->map_piece_count + task->piece];
        if (*map == NULL)
            *map = calloc(1, sizeof **map);
        if (*map != NULL)
            code = (*map)->known ? STATUS_OK : fill_map(self, task, *map);
        if (code == STATUS_OK)
            *out_map = *map;
    }
    if (code != STATUS_OK)
        error_detail_set(detail, code, "the outputs of a render task cannot be told apart: %s", status_text(code));
    return code;
}

/* ---- VERIFY ---- */

/* Digests of one task's cells in one file. */
static status append_digests(farm_job *self, uint32_t task, uint32_t file, content_hash *digests, uint32_t *count,
                             error_detail *detail)
{
    const plan_task *planned = job_task(self, task);
    const output_map *map = NULL;
    status code = job_output_map(self, planned, &map, detail);
    if (code == STATUS_OK)
        code = job_outputs_need(self, task, detail);
    if (code != STATUS_OK)
        return code;
    uint32_t place = 0;
    while (place < map->count && map->files[place] != file)
        place++;
    if (place == map->count || self->results[task].output_count != map->count)
        return error_detail_set(detail, STATUS_DEFECT, "task %u did not say what it wrote into '%s'", task,
                                self->plan->files[file].display);
    for (uint32_t i = 0; i < planned->cell_count; i++)
        digests[(*count)++] = self->results[task].outputs[(size_t)i * map->count + place];
    return STATUS_OK;
}

/* Digests of every cell of one file, in the file's order: piece by piece, cell by cell. */
static status collect_digests(farm_job *self, uint32_t file, arena *memory, const content_hash **out_digests,
                              uint32_t *out_count, error_detail *detail)
{
    const plan *job_plan = self->plan;
    const plan_file *wanted = &job_plan->files[file];
    const plan_deliverable *deliverable = &job_plan->deliverables[wanted->deliverable];
    const plan_timeline *timeline = &job_plan->timelines[deliverable->timeline];
    uint32_t expected = 0;
    for (uint32_t p = 0; p < timeline->piece_count; p++)
        if (wanted->reel < 0 || timeline->pieces[p].reel == (uint32_t)wanted->reel)
            expected += timeline->pieces[p].cell_count;
    content_hash *digests = arena_take_array(memory, expected, sizeof *digests);
    uint32_t task_count = 0;
    const uint32_t *tasks = job_program_tasks(self, deliverable->program, memory, &task_count);
    uint32_t count = 0;
    status code = STATUS_OK;
    for (uint32_t i = 0; code == STATUS_OK && i < task_count; i++) {
        const plan_task *planned = job_task(self, tasks[i]);
        bool inside = wanted->reel < 0 || timeline->pieces[planned->piece].reel == (uint32_t)wanted->reel;
        if (inside && planned->cell_count > expected - count)
            code = STATUS_DEFECT;
        else if (inside)
            code = append_digests(self, tasks[i], file, digests, &count, detail);
    }
    if (code == STATUS_DEFECT || (code == STATUS_OK && count != expected))
        return error_detail_set(detail, STATUS_DEFECT, "the tasks of '%s' do not make each of its cells once",
                                wanted->display);
    *out_digests = digests;
    *out_count = count;
    return code;
}

/*
 * Has all that was written for a deliverable been read back by who wrote it? Not if a task was begun twice: the attempt
 * that did not count may have written after the other had read.
 */
static bool was_read_back(const farm_job *self, const scheduler *scheduled, uint16_t deliverable, arena *memory)
{
    uint32_t count = 0;
    const uint32_t *tasks = job_program_tasks(self, self->plan->deliverables[deliverable].program, memory, &count);
    for (uint32_t i = 0; i < count; i++) {
        const job_result *result = job_result_get(self, tasks[i]);
        task_view view;
        if (result == NULL || result->payload_size != 1 || result->payload[0] != 1 ||
            !scheduler_task_view(scheduled, self->number, tasks[i], &view) || view.begun != 1)
            return false;
    }
    return count > 0;
}

static status verify_context(farm_job *self, const scheduler *scheduled, const plan_task *task, plan_context *context,
                             arena *memory, error_detail *detail)
{
    const job_result *sealed = job_result_get(self, self->plan->files[task->file].seal_task);
    if (sealed == NULL || sealed->payload_size != 2 * CONTENT_HASH_BYTES)
        return error_detail_set(detail, STATUS_DEFECT, "'%s' is to be verified but was not sealed",
                                self->plan->files[task->file].display);
    memcpy(context->header_digest.bytes, sealed->payload, CONTENT_HASH_BYTES);
    memcpy(context->trailer_digest.bytes, sealed->payload + CONTENT_HASH_BYTES, CONTENT_HASH_BYTES);
    context->read_back = was_read_back(self, scheduled, self->plan->files[task->file].deliverable, memory);
    return collect_digests(self, task->file, memory, &context->cell_digests, &context->cell_count, detail);
}

/* ---- PUBLISH ---- */

static status publish_context(farm_job *self, const plan_task *task, plan_context *context, arena *memory,
                              error_detail *detail)
{
    const plan_deliverable *deliverable = &self->plan->deliverables[task->deliverable];
    task_verify_result *verified = arena_take_array(memory, deliverable->file_count, sizeof *verified);
    for (uint32_t i = 0; i < deliverable->file_count; i++) {
        const plan_file *file = &self->plan->files[deliverable->first_file + i];
        const job_result *result = job_result_get(self, file->verify_task);
        if (result == NULL || task_verify_result_decode(&verified[i], result->payload, result->payload_size) != STATUS_OK)
            return error_detail_set(detail, STATUS_DEFECT, "'%s' is to be published but was not verified", file->display);
    }
    context->files_verified = verified;
    return STATUS_OK;
}

/* ---- EXCERPT ---- */

/* "<out>/<slug>/<version>/report/NAME"; of a qc, whose reports are had by asking, "<out>/NAME". False: too long. */
static bool report_path(const farm_job *self, const char *name, task_path *out_path)
{
    const job_document *document = &self->source->document;
    const show *job_show = &self->source->show;
    const char *slash = document->out.prefix[0] != '\0' ? "/" : "";
    memcpy(out_path->root, document->out.root, sizeof out_path->root);
    int size = document->kind == JOB_KIND_QC
                   ? snprintf(out_path->path, sizeof out_path->path, "%s%s%s", document->out.prefix, slash, name)
                   : snprintf(out_path->path, sizeof out_path->path, "%s%s%s/%s/report/%s", document->out.prefix, slash,
                              job_show->slug, job_show->version, name);
    return size >= 0 && (size_t)size < sizeof out_path->path;
}

static void excerpt_context(const farm_job *self, const merge_outcome *outcome, task_path *folder, plan_context *context)
{
    context->place_count = outcome->place_count;
    context->places = outcome->places;
    if (self->source->document.audition && report_path(self, "audition", folder))
        context->audition = folder;
}

/* ---- the bodies ---- */

static void seal_context(const farm_job *self, const plan_task *task, plan_context *context)
{
    merge_outcome outcome;
    if (!job_merge_outcome(self, self->plan->files[task->file].deliverable, &outcome))
        return;
    context->loudness_value = outcome.loudness_value;
    context->loudness_range = outcome.loudness_range;
    context->max_true_peak = outcome.max_true_peak;
    context->max_momentary = outcome.max_momentary;
    context->max_short_term = outcome.max_short_term;
}

static status planned_body(farm_job *self, uint64_t farm, const scheduler *scheduled, uint32_t index, byte_writer *writer,
                           error_detail *detail)
{
    const plan_task *task = &self->plan->tasks[index];
    plan_context context = base_context(self, farm, task->deliverable);
    arena memory;
    arena_init(&memory);
    status code = STATUS_OK;
    merge_outcome outcome;
    if (task->kind == TASK_RENDER || task->kind == TASK_SEAL)
        context.gains_db = job_gains(self, &memory);
    if (task->kind == TASK_SEAL)
        seal_context(self, task, &context);
    if (task->kind == TASK_VERIFY && !task->of_input)
        code = verify_context(self, scheduled, task, &context, &memory, detail);
    if (task->kind == TASK_PUBLISH)
        code = publish_context(self, task, &context, &memory, detail);
    task_path folder;
    bool excerpt = task->kind == TASK_EXCERPT && job_merge_outcome(self, task->deliverable, &outcome);
    if (excerpt)
        excerpt_context(self, &outcome, &folder, &context);
    if (task->kind == TASK_PUBLISH && self->plan->deliverables[task->deliverable].rendered &&
        job_merge_outcome(self, task->deliverable, &outcome) && !outcome.publish) {
        self->held = true;
        code = error_detail_set(detail, STATUS_INPUT_INVALID,
                                "%s is held: it fails its spec '%s', which says on_fail: hold, so nothing of it gets a "
                                "final name; mend what the report names and run again",
                                self->source->show.deliverables[task->deliverable].name,
                                self->source->show.deliverables[task->deliverable].spec_name);
    }
    if (code == STATUS_OK) {
        size_t size = writer->size;
        code = plan_task_body(self->plan, index, &context, writer);
        if (excerpt && code == STATUS_LIMIT) { /* more files than a message holds: then there are no pictures */
            byte_writer_reset(writer);
            context.place_count = 0;
            code = size == 0 ? plan_task_body(self->plan, index, &context, writer) : code;
        }
        if (code != STATUS_OK)
            error_detail_set(detail, code, "what task %u has to do does not fit a message: %s",
                             self->plan->first_task + index, status_text(code));
    }
    arena_deinit(&memory);
    return code;
}

static void probe_body(const farm_job *self, uint32_t input, byte_writer *writer)
{
    task_body *body = calloc(1, sizeof *body);
    if (body == NULL) {
        writer->failed = true;
        return;
    }
    body->kind = TASK_PROBE;
    body->probe.file = self->source->inputs.items[input].path;
    task_body_encode(body, writer);
    free(body);
}

/*
 * The hash lists of what this run has not published: where one is there, a deliverable of an earlier run stands complete. With
 * `replace` the report goes to its place whatever happened, for what the earlier one says may be true no more.
 */
static status deposit_standing(const farm_job *self, task_deposit *deposit, error_detail *detail)
{
    if (self->source->document.replace)
        return STATUS_OK;
    deposit->standing = calloc(self->plan->deliverable_count + 1u, sizeof *deposit->standing);
    if (deposit->standing == NULL)
        return STATUS_NODE_MEMORY;
    for (uint32_t i = 0; i < self->plan->deliverable_count; i++) {
        const plan_deliverable *planned = &self->plan->deliverables[i];
        if (planned->file_count == 0 ||
            job_result_get(self, planned->publish_task) != NULL)
            continue;
        task_path *chain = &deposit->standing[deposit->standing_count++];
        *chain = self->plan->files[planned->first_file].final;
        char *slash = strrchr(chain->path, '/');
        size_t folder = slash == NULL ? 0 : (size_t)(slash - chain->path) + 1;
        int size = snprintf(chain->path + folder, sizeof chain->path - folder, "%s", "ascmhl/ascmhl_chain.xml");
        if (size < 0 || (size_t)size >= sizeof chain->path - folder)
            return error_detail_set(detail, STATUS_LIMIT, "the path of a hash list is longer than %d bytes", PATH_MAX_BYTES - 1);
    }
    return STATUS_OK;
}

bool job_report_folder(const farm_job *self, char out[PATH_MAX_BYTES])
{
    const show *job_show = &self->source->show;
    const job_result *deposited = NULL;
    if (self->source->document.kind != JOB_KIND_RUN || !self->source->document.has_out)
        return false;
    for (uint32_t i = 0; self->plan != NULL && i < self->plan->task_count && deposited == NULL; i++)
        if (self->plan->tasks[i].kind == TASK_DEPOSIT)
            deposited = job_result_get(self, self->plan->first_task + i);
    bool aside = deposited != NULL && deposited->payload_size == 1 && deposited->payload[0] == 1;
    int size = snprintf(out, PATH_MAX_BYTES, "%s/%s/report%s", job_show->slug, job_show->version,
                        aside ? "/" TASK_DEPOSIT_ASIDE : "");
    return deposited != NULL && size > 0 && size < PATH_MAX_BYTES;
}

static status deposit_body(const farm_job *self, byte_writer *writer, error_detail *detail)
{
    const job_result *composed = NULL;
    for (uint32_t i = 0; i < self->plan->task_count && composed == NULL; i++)
        if (self->plan->tasks[i].kind == TASK_COMPOSE)
            composed = job_result_get(self, self->plan->first_task + i);
    compose_outcome outcome;
    if (composed == NULL || compose_outcome_decode(&outcome, composed->payload, composed->payload_size) != STATUS_OK)
        return error_detail_set(detail, STATUS_DEFECT, "the reports are to be written but were not made");
    task_body *body = calloc(1, sizeof *body);
    if (body == NULL)
        return STATUS_NODE_MEMORY;
    body->kind = TASK_DEPOSIT;
    status code = deposit_standing(self, &body->deposit, detail);
    for (uint32_t i = 0; i < DOCUMENTS_COMPOSED; i++) {
        if (outcome.documents[i].size == 0)
            continue;
        task_document *item = &body->deposit.documents[body->deposit.document_count++];
        if (!report_path(self, job_document_file((job_document_id)i), &item->final))
            code = error_detail_set(detail, STATUS_LIMIT, "the path of the report is longer than %d bytes",
                                    PATH_MAX_BYTES - 1);
        item->document = i;
        item->size = outcome.documents[i].size;
        item->digest = outcome.documents[i].digest;
    }
    if (code == STATUS_OK)
        task_body_encode(body, writer);
    free(body->deposit.standing);
    free(body);
    return code;
}

status job_task_body(farm_job *self, uint64_t farm, const scheduler *scheduled, uint32_t task, byte_writer *writer,
                     error_detail *detail)
{
    status code = STATUS_OK;
    const plan_task *planned = job_task(self, task);
    if (task < job_plan_task(self))
        probe_body(self, task, writer);
    else if (planned == NULL)
        code = error_detail_set(detail, STATUS_DEFECT, "task %u is in no plan", task);
    else if (planned->kind == TASK_DEPOSIT)
        code = deposit_body(self, writer, detail);
    else
        code = planned_body(self, farm, scheduled, task - self->plan->first_task, writer, detail);
    if (code == STATUS_OK && (writer->failed || writer->size > FRAME_BYTES_MAX - 1024))
        code = error_detail_set(detail, STATUS_LIMIT, "what task %u has to do does not fit a message of %d bytes", task,
                                FRAME_BYTES_MAX);
    return code;
}
