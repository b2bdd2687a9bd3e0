#include "coordinator/plan/plan_parts.h"

#include "common/base/ensure.h"
#include "common/measure/cell_signal.h"
#include "coordinator/show/check_names.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    PLAN_TASKS_MAX = 1 << 20,
    BODY_BYTES_MAX = FRAME_BYTES_MAX - 4096 /**< what an ASSIGN has around one body is far below 4096 bytes */
};

/* Marks the deliverables of a comma-separated list; NULL or "" = all. False when a name is unknown. */
static bool plan_mark_wanted(const show *film, const char *only, bool *wanted, plan_notes *notes)
{
    bool all = only == NULL || only[0] == '\0';
    for (uint32_t i = 0; i < film->deliverable_count; i++)
        wanted[i] = all;
    if (all)
        return true;
    const char **names = arena_take_array(notes->arena, film->deliverable_count, sizeof *names);
    for (uint32_t i = 0; i < film->deliverable_count; i++)
        names[i] = film->deliverables[i].name;
    bool known = true;
    for (const char *at = only; *at != '\0';) {
        size_t length = strcspn(at, ",");
        const char *name = arena_copy_bytes(notes->arena, at, length);
        at += length + (at[length] == ',');
        uint32_t found = 0;
        while (found < film->deliverable_count && strcmp(names[found], name) != 0)
            found++;
        if (found < film->deliverable_count) {
            wanted[found] = true;
        } else if (length > 0) {
            const char *near = word_suggest(name, names, film->deliverable_count);
            problem_list_add(notes->list, notes->arena, PROBLEM_ERROR, film->file_name, 0, 0,
                             "--only names \"%s\", which is no deliverable of this show%s%s%s", name,
                             near == NULL ? "" : "; did you mean \"", near == NULL ? "" : near,
                             near == NULL ? "" : "\"?");
            known = false;
        }
    }
    return known;
}

/* The inputs that wanted deliverables read. All of them without --only: then everything the show names must be right.
 */
static const bool *plan_mark_needed(const plan_source *source, const bool *wanted, const bool *scanned, arena *memory)
{
    const show *film = source->show;
    bool all = true;
    for (uint32_t i = 0; i < film->deliverable_count; i++)
        all = all && wanted[i];
    if (all)
        return NULL;
    bool *stems = arena_take_array(memory, film->stem_count, sizeof *stems);
    for (uint32_t i = 0; i < film->stem_count; i++)
        for (uint32_t k = 0; k < film->deliverable_count; k++)
            stems[i] = stems[i] || ((wanted[k] || scanned[k]) && plan_takes_stem(film, k, i));
    bool *needed = arena_take_array(memory, source->inputs->count, sizeof *needed);
    for (uint32_t i = 0; i < source->inputs->count; i++) {
        const plan_input *input = &source->inputs->items[i];
        needed[i] = (input->stem >= 0 && stems[input->stem]) || (input->deliverable >= 0 && wanted[input->deliverable]);
    }
    return needed;
}

static void plan_index_inputs(plan *self)
{
    self->stem_inputs = arena_take_array(&self->arena, self->show->stem_count, sizeof *self->stem_inputs);
    for (uint32_t i = self->inputs.count; i-- > 0;) {
        const plan_input *input = &self->inputs.items[i];
        if (input->stem >= 0)
            self->stem_inputs[input->stem] = i;
        if (input->deliverable >= 0) {
            self->first_received = i;
            self->received_count++;
            self->deliverables[input->deliverable].first_input = i;
            self->deliverables[input->deliverable].input_count++;
        }
    }
}

static void plan_make_timelines(plan *self, const bool *wanted, const bool *scanned, plan_notes *notes)
{
    const show *film = self->show;
    const media_facts *placed = plan_facts_at_rate(film, &self->inputs, self->facts, &self->arena);
    plan_source source = {.show = film, .inputs = &self->inputs, .facts = placed};
    self->timelines = arena_take_array(&self->arena, 1 + (size_t)film->deliverable_count, sizeof *self->timelines);
    for (uint32_t i = 0; i < film->deliverable_count; i++) {
        plan_deliverable *deliverable = &self->deliverables[i];
        if (!wanted[i] && !scanned[i])
            continue;
        if (deliverable->rendered) {
            deliverable->scan_timeline = plan_timeline_rendered(self, i, notes);
            if (wanted[i])
                deliverable->timeline = deliverable->scan_timeline;
        } else {
            deliverable->timeline = (uint16_t)self->timeline_count++;
            plan_timeline_received(&self->timelines[deliverable->timeline], &source, deliverable->first_input,
                                   deliverable->input_count, &self->arena);
            self->timelines[deliverable->timeline].placed = placed;
        }
    }
}

/* Bounds that follow from lengths: pieces have some, and a job has so many tasks. */
static void plan_check_timelines(plan *self, const plan_options *options, plan_notes *notes)
{
    uint64_t tasks = 0;
    uint64_t cells_per_task = options->cells_per_task == 0 ? 64 : options->cells_per_task;
    for (uint32_t i = 0; i < self->timeline_count; i++) {
        const plan_timeline *timeline = &self->timelines[i];
        for (uint32_t k = 0; k < timeline->piece_count; k++) {
            if (timeline->pieces[k].frame_count == 0)
                problem_list_add(notes->list, notes->arena, PROBLEM_ERROR, self->show->file_name, 0, 0,
                                 "a reel of the programme has no length; state ffoa and lfoa or deliver its files");
            tasks += timeline->pieces[k].cell_count / cells_per_task + 1;
        }
    }
    if (tasks > PLAN_TASKS_MAX)
        problem_list_add(notes->list, notes->arena, PROBLEM_ERROR, self->show->file_name, 0, 0,
                         "the programmes are so long that the job would have over %d tasks; split the show",
                         PLAN_TASKS_MAX);
}

/* A task's pre-roll and nodes reach over few pieces only. */
static void plan_check_reach(const plan *self, plan_notes *notes)
{
    for (uint32_t i = 0; i < self->task_count; i++) {
        const plan_task *task = &self->tasks[i];
        if ((task->kind != TASK_RENDER && task->kind != TASK_INSPECT) || plan_task_reaches(self, task))
            continue;
        const plan_piece *piece = &self->timelines[task->timeline].pieces[task->piece];
        problem_list_add(notes->list, notes->arena, PROBLEM_ERROR, self->show->file_name, 0, 0,
                         "the reels around reel %s are so short that meters and filters of deliverable %s reach over more than "
                         "%d of them; join them",
                         self->show->reels[piece->reel].name, self->show->deliverables[task->deliverable].name,
                         PLAN_PIECES_BEFORE);
        return;
    }
}

/* Encodes the body of every kind of task once where it is largest; false when one does not fit a message. */
static bool plan_bodies_fit(const plan *self, plan_notes *notes)
{
    byte_writer writer;
    byte_writer_init(&writer, BODY_BYTES_MAX);
    bool fits = true;
    uint32_t last_program = UINT32_MAX;
    uint32_t last_piece = UINT32_MAX;
    for (uint32_t i = 0; i < self->task_count && fits; i++) {
        const plan_task *task = &self->tasks[i];
        bool renders = task->kind == TASK_RENDER || task->kind == TASK_INSPECT;
        bool whole = task->kind == TASK_PUBLISH || task->kind == TASK_DISCARD || task->kind == TASK_METER ||
                     task->kind == TASK_LISTEN ||
                     (task->kind == TASK_SEAL && self->show->deliverables[task->deliverable].recipe->keeps_leader);
        bool looks_ahead = renders && (render_program_reach_after(&self->programs[task->program]) > 0 ||
                                       self->programs[task->program].join != JOIN_BUTT);
        bool seen = task->program == last_program && task->piece == last_piece && !looks_ahead;
        if (!whole && (!renders || seen))
            continue; /* the first task of a piece is the largest: only its pre-roll reaches into pieces before */
        if (renders) {
            last_program = task->program;
            last_piece = task->piece;
        }
        plan_context context = {.farm = UINT64_MAX, .job = UINT32_MAX, .generation = UINT32_MAX};
        byte_writer_reset(&writer);
        if (plan_task_body(self, i, &context, &writer) == STATUS_OK)
            continue;
        fits = false;
        problem_list_add(
            notes->list, notes->arena, PROBLEM_ERROR, self->show->file_name, 0, 0,
            "one task of deliverable %s would need more files or terms than a message of %d bytes can name; take "
            "interleaved stems instead of mono files, shorter paths, or fewer deliverables at once (--only)",
            self->show->deliverables[task->deliverable].name, BODY_BYTES_MAX);
    }
    byte_writer_deinit(&writer);
    return fits;
}

/* What the job moves: stems as far as tasks read them, outputs written, and both read back. */
static void plan_count_bytes(plan *self)
{
    arena scratch = {0};
    uint32_t last_program = UINT32_MAX;
    uint32_t last_piece = UINT32_MAX;
    for (uint32_t i = 0; i < self->task_count; i++) {
        const plan_task *task = &self->tasks[i];
        if (task->of_input && task->kind == TASK_VERIFY)
            self->read_bytes += self->facts[task->file].identity.size;
        if ((task->kind != TASK_RENDER && task->kind != TASK_INSPECT) ||
            (task->program == last_program && task->piece == last_piece))
            continue;
        last_program = task->program;
        last_piece = task->piece;
        plan_binding binding;
        plan_task_binding(self, i, &scratch, &binding);
        for (uint32_t k = 0; k < binding.own_input_count; k++) {
            const media_facts *facts = &self->facts[binding.inputs[k]];
            const plan_timeline *timeline = &self->timelines[task->timeline];
            uint64_t frames = sample_rate_frames(timeline->pieces[task->piece].frame_count, timeline->sample_rate,
                                                 facts->sample_rate);
            uint64_t used = frames < facts->frame_count ? frames : facts->frame_count;
            self->read_bytes += used * facts->channel_count * sample_encoding_bytes(facts->encoding);
        }
    }
    for (uint32_t i = 0; i < self->file_count; i++) {
        self->write_bytes += self->files[i].file_size;
        self->read_bytes += self->files[i].file_size;
    }
    arena_deinit(&scratch);
}

static void plan_init_deliverables(plan *self)
{
    const show *film = self->show;
    self->deliverable_count = film->deliverable_count;
    self->deliverables = arena_take_array(&self->arena, film->deliverable_count, sizeof *self->deliverables);
    for (uint32_t i = 0; i < film->deliverable_count; i++)
        self->deliverables[i] = (plan_deliverable){.timeline = PLAN_TIMELINE_NONE,
                                                   .rendered = film->deliverables[i].file == NULL,
                                                   .language = "",
                                                   .gain_source = PLAN_DELIVERABLE_NONE,
                                                   .scan_timeline = PLAN_TIMELINE_NONE,
                                                   .scan_program = PLAN_PROGRAM_NONE,
                                                   .scan_speech = PLAN_OUTPUT_NONE,
                                                   .gain_task = UINT32_MAX,
                                                   .merge_task = UINT32_MAX,
                                                   .publish_task = UINT32_MAX,
                                                   .meter_task = UINT32_MAX,
                                                   .excerpt_task = UINT32_MAX};
    plan_index_inputs(self);
}

/* The voice's levels are taken where the speech detector is to hear it. */
static uint8_t speech_groups(const plan *self, const bool *wanted, const char *kinds)
{
    for (uint32_t d = 0; d < self->show->deliverable_count && (kinds == NULL || check_names_has_kind(kinds, "loudness")); d++)
        if (wanted[d] && plan_received_listens(self, d))
            return SIGNAL_GROUP_SPEECH;
    return 0;
}

/* What was received may have been through a codec; what is rendered is a sum in which no grid shows. */
static uint8_t grid_groups(const plan *self, const bool *wanted, const char *kinds)
{
    for (uint32_t d = 0; d < self->show->deliverable_count && (kinds == NULL || check_names_has_kind(kinds, "format")); d++)
        if (wanted[d] && !self->deliverables[d].rendered)
            return SIGNAL_GROUP_GRID;
    return 0;
}

/* Everything between a checked show and tasks; problems are noted. */
static void plan_fill(plan *self, const plan_options *options, const bool *wanted, const bool *scanned, plan_notes *notes)
{
    size_t errors_before = notes->list->error_count;
    plan_make_timelines(self, wanted, scanned, notes);
    if (notes->list->error_count != errors_before)
        return;
    plan_check_timelines(self, options, notes);
    plan_make_programs(self, wanted, scanned, notes);
    if (notes->list->error_count != errors_before)
        return;
    self->signal_groups |= speech_groups(self, wanted, options->checks) | grid_groups(self, wanted, options->checks);
    plan_make_files(self, options, wanted, notes);
    if (notes->list->error_count != errors_before)
        return;
    plan_make_listens(self, options, wanted);
    plan_make_tasks(self, options);
    plan_check_reach(self, notes);
    if (plan_bodies_fit(self, notes)) {
        plan_count_bytes(self);
        self->digest = plan_digest(self);
    }
}

/* Weighting for Leq(m) costs about as much as the rest of the measuring: it is taken where a spec limits it. */
static uint8_t cinema_groups(const show *film, const bool *wanted, const char *kinds)
{
    for (uint32_t d = 0; d < film->deliverable_count && (kinds == NULL || check_names_has_kind(kinds, "loudness")); d++) {
        const spec *rules = film->deliverables[d].spec;
        for (uint32_t i = 0; wanted[d] && rules != NULL && i < rules->limit_count; i++)
            if (strcmp(rules->limits[i].check, "loudness.leqm") == 0)
                return SIGNAL_GROUP_CINEMA | SIGNAL_GROUP_SOUND;
    }
    return 0;
}

status plan_create(plan **out_plan, const show *film, const input_list *inputs, const media_facts *facts,
                   const plan_options *options, uint32_t first_task, arena *problem_arena, problem_list *problems)
{
    size_t errors_before = problems->error_count;
    plan_notes notes = {.list = problems, .arena = problem_arena};
    plan_source source = {.show = film, .inputs = inputs, .facts = facts};
    ENSURE(film->reel_count > 0);
    bool *wanted = arena_take_array(problem_arena, film->deliverable_count, sizeof *wanted);
    if (film->deliverable_count == 0 || film->deliverable_count >= PLAN_TIMELINE_NONE) {
        problem_list_add(problems, problem_arena, PROBLEM_ERROR, film->file_name, 0, 0,
                         "the show names %u deliverables; name between 1 and %d", film->deliverable_count,
                         PLAN_TIMELINE_NONE - 1);
        return STATUS_INPUT_INVALID;
    }
    if (!plan_mark_wanted(film, options->only, wanted, &notes))
        return STATUS_INPUT_INVALID;
    bool *scanned = arena_take_array(problem_arena, film->deliverable_count, sizeof *scanned);
    plan_mark_scanned(film, wanted, scanned);
    plan_check_needed(&source, plan_mark_needed(&source, wanted, scanned, problem_arena), wanted, &notes);
    if (problems->error_count != errors_before)
        return STATUS_INPUT_INVALID;

    plan *made = calloc(1, sizeof *made);
    if (made == NULL)
        return STATUS_NODE_MEMORY;
    arena_init(&made->arena);
    made->show = film;
    made->inputs = *inputs;
    made->facts = facts;
    made->first_task = first_task;
    made->checks = options->checks == NULL ? NULL : arena_copy_text(&made->arena, options->checks);
    made->signal_groups = check_names_signal_groups(options->checks) | cinema_groups(film, wanted, options->checks);
    plan_init_deliverables(made);
    plan_fill(made, options, wanted, scanned, &notes);
    if (problems->error_count != errors_before) {
        plan_destroy(&made);
        return STATUS_INPUT_INVALID;
    }
    *out_plan = made;
    return STATUS_OK;
}

void plan_destroy(plan **self)
{
    if (*self == NULL)
        return;
    arena_deinit(&(*self)->arena);
    free(*self);
    *self = NULL;
}
