/* From recipes to render programs: which stems a deliverable takes, at which gain, and who is rendered together. */
#include "coordinator/plan/plan_parts.h"

#include "common/base/ensure.h"
#include "common/measure/cell_measure.h"
#include "common/measure/speech_measure.h"
#include "common/measure/stem_features.h"
#include "coordinator/show/check_names.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- what a deliverable takes ---- */

const char *plan_language(const show *film, uint32_t deliverable)
{
    const char *own = film->deliverables[deliverable].language;
    if (own[0] != '\0')
        return own;
    for (uint32_t i = 0; i < film->stem_count; i++)
        if (film->stems[i].role == ROLE_DIALOGUE)
            return film->stems[i].language;
    return "";
}

bool plan_takes_stem(const show *film, uint32_t deliverable_index, uint32_t stem_index)
{
    const show_deliverable *deliverable = &film->deliverables[deliverable_index];
    const show_stem *stem = &film->stems[stem_index];
    const recipe *rule = deliverable->recipe;
    if (rule == NULL)
        return false;
    if (rule->takes_stem)
        return deliverable->stem != NULL && strcmp(deliverable->stem, stem->name) == 0;
    if (!plan_recipe_has_role(rule, stem->role_name))
        return false;
    return stem->language[0] == '\0' || strcasecmp(stem->language, plan_language(film, deliverable_index)) == 0;
}

bool plan_stem_present(const plan_source *source, uint32_t stem)
{
    for (uint32_t i = 0; i < source->inputs->count; i++)
        if (source->inputs->items[i].stem == (int32_t)stem && source->facts[i].outcome == STATUS_OK)
            return true;
    return false;
}

/* ---- one deliverable's mix ---- */

/* How a term comes into its output: straight, through a node, or ducked and then shifted. In this order they stand in a mix. */
typedef enum mix_way { WAY_STRAIGHT, WAY_PHASE_90, WAY_DUCK, WAY_DUCK_PHASE_90 } mix_way;

typedef struct mix_term {
    uint16_t stem;
    uint8_t input_channel;
    uint8_t output_channel;
    uint8_t by; /* mix_way */
    double gain;
} mix_term;

typedef struct mix {
    uint32_t deliverable;
    bool scan; /* measured for its gain, written nowhere */
    uint16_t timeline;
    uint32_t term_count;
    uint32_t straight_count;
    mix_term *terms; /* by (way, output, stem, input) */
    bool stems[SHOW_STEMS_MAX];
    uint32_t file_count; /* written for one piece */
    bool objects;        /* they stand behind its bed */
} mix;

static int mix_term_compare(const void *left, const void *right)
{
    const mix_term *a = left;
    const mix_term *b = right;
    if (a->by != b->by)
        return a->by < b->by ? -1 : 1;
    if (a->output_channel != b->output_channel)
        return a->output_channel < b->output_channel ? -1 : 1;
    if (a->stem != b->stem)
        return a->stem < b->stem ? -1 : 1;
    return a->input_channel < b->input_channel ? -1 : a->input_channel > b->input_channel;
}

static uint32_t mix_stem_identity(channel_layout_id layout, fold_term out_terms[FOLD_TERMS_MAX])
{
    const channel_layout *channels = channel_layout_get(layout);
    for (uint32_t i = 0; i < channels->channel_count; i++)
        out_terms[i] = (fold_term){.from = channels->labels[i], .to = channels->labels[i], .gain = 1.0};
    return channels->channel_count;
}

static void mix_add_stem(mix *self, const show *film, uint32_t stem_index, channel_layout_id layout, double gain,
                         plan_notes *notes)
{
    const show_deliverable *deliverable = &film->deliverables[self->deliverable];
    const show_stem *stem = &film->stems[stem_index];
    fold_term folds[FOLD_TERMS_MAX];
    uint32_t fold_count = 0;
    error_detail detail = {0};
    if (deliverable->recipe->takes_stem && layout == stem->layout) {
        fold_count = mix_stem_identity(layout, folds);
    } else if (recipe_matrix(deliverable->recipe, stem->role_name, stem->layout, folds, &fold_count, &detail) !=
               STATUS_OK) {
        problem_list_add(notes->list, notes->arena, PROBLEM_ERROR, film->file_name, deliverable->line,
                         deliverable->column, "deliverable %s cannot take stem %s: %s", deliverable->name, stem->name,
                         detail.message);
        return;
    }
    self->stems[stem_index] = true;
    const char *duck_role = deliverable->recipe->duck_role;
    bool ducked = duck_role != NULL && strcmp(stem->role_name, duck_role) != 0;
    for (uint32_t i = 0; i < fold_count; i++) {
        int from = channel_layout_index(stem->layout, folds[i].from);
        int to = channel_layout_index(layout, folds[i].to);
        ENSURE(from >= 0 && to >= 0); /* recipe_matrix speaks of channels of both layouts only */
        if (folds[i].gain == 0.0)
            continue;
        self->terms[self->term_count++] = (mix_term){.stem = (uint16_t)stem_index,
                                                     .input_channel = (uint8_t)from,
                                                     .output_channel = (uint8_t)to,
                                                     .by = (uint8_t)((ducked ? WAY_DUCK : WAY_STRAIGHT) +
                                                                     (folds[i].phase_90 ? WAY_PHASE_90 : WAY_STRAIGHT)),
                                                     .gain = folds[i].gain * gain};
    }
}

/* Stems that the mix ducks under. */
static uint32_t mix_duck_keys(const mix *self, const show *film)
{
    const char *role = film->deliverables[self->deliverable].recipe->duck_role;
    uint32_t count = 0;
    for (uint32_t i = 0; role != NULL && i < film->stem_count; i++)
        count += self->stems[i] && strcmp(film->stems[i].role_name, role) == 0;
    return count;
}

/* Side lanes that the mix needs: one for each way and output that has terms, two where that way has two nodes. */
static uint32_t mix_side_count(const mix *self)
{
    uint32_t count = 0;
    for (uint32_t i = self->straight_count; i < self->term_count; i++)
        if (i == self->straight_count || self->terms[i].by != self->terms[i - 1].by ||
            self->terms[i].output_channel != self->terms[i - 1].output_channel)
            count += self->terms[i].by == WAY_DUCK_PHASE_90 ? 2 : 1;
    return count;
}

static bool mix_ducks(const mix *self)
{
    return self->term_count > self->straight_count && self->terms[self->term_count - 1].by >= WAY_DUCK;
}

/* Makes the mix of one rendered deliverable; false when problems were noted. */
static bool mix_init(mix *self, plan *target, uint32_t index, bool scan, plan_notes *notes)
{
    const show *film = target->show;
    const show_deliverable *deliverable = &film->deliverables[index];
    const recipe *rule = deliverable->recipe;
    plan_source source = {.show = film, .inputs = &target->inputs, .facts = target->facts};
    plan_deliverable *planned = &target->deliverables[index];
    size_t errors_before = notes->list->error_count;
    *self = (mix){.deliverable = index, .scan = scan, .timeline = scan ? planned->scan_timeline : planned->timeline};

    planned->layout = plan_deliverable_layout(film, index);
    channel_order_of(planned->layout, rule->order, &planned->order);
    planned->encoding = rule->encoding == ENCODING_NONE ? ENCODING_PCM_24 : rule->encoding;
    planned->sample_rate = target->timelines[self->timeline].sample_rate;
    plan_gain_find(film, index, planned);
    double gain = plan_gain_factor(planned->gain_db);
    plan_find_objects(target, index, notes);
    self->objects = planned->object_count > 0;

    uint32_t taken = 0;
    bool takes[SHOW_STEMS_MAX] = {false};
    for (uint32_t i = 0; i < film->stem_count; i++) {
        takes[i] = plan_takes_stem(film, index, i) && plan_stem_present(&source, i);
        taken += takes[i];
    }
    self->terms = arena_take_array(&target->arena, (size_t)taken * FOLD_TERMS_MAX, sizeof *self->terms);
    for (uint32_t i = 0; i < film->stem_count; i++)
        if (takes[i] && film->stems[i].objects)
            self->stems[i] = true;
        else if (takes[i])
            mix_add_stem(self, film, i, planned->layout, gain, notes);
    qsort(self->terms, self->term_count, sizeof *self->terms, mix_term_compare);
    while (self->straight_count < self->term_count && self->terms[self->straight_count].by == WAY_STRAIGHT)
        self->straight_count++;
    if (taken > 0 && rule->duck_role != NULL && mix_duck_keys(self, film) == 0)
        problem_list_add(notes->list, notes->arena, PROBLEM_ERROR, film->file_name, deliverable->line, deliverable->column,
                         "deliverable %s ducks under %s, of which there is no stem in language \"%s\"; add it, or leave the "
                         "deliverable out with --only",
                         deliverable->name, rule->duck_role, plan_language(film, index));
    if (taken == 0)
        problem_list_add(
            notes->list, notes->arena, PROBLEM_ERROR, film->file_name, deliverable->line, deliverable->column,
            "deliverable %s finds no stem to take: recipe %s, language \"%s\"; correct the roles or languages of the "
            "stems, or leave it out with --only",
            deliverable->name, rule->name, plan_language(film, index));
    else if (self->term_count == 0 && !self->objects && notes->list->error_count == errors_before)
        problem_list_add(notes->list, notes->arena, PROBLEM_ERROR, film->file_name, deliverable->line,
                         deliverable->column,
                         "deliverable %s would be silent: recipe %s gives no stem a way into it; choose another recipe",
                         deliverable->name, rule->name);
    uint32_t channels = rule->multi_mono ? channel_layout_get(planned->layout)->channel_count : 1;
    self->file_count = scan ? 0 : channels * ((plan_is_joined(film, index) ? 1U : 0U) + (plan_is_by_reel(film, index) ? 1U : 0U));
    return notes->list->error_count == errors_before;
}

/* ---- programs ---- */

/* A program while it is filled: sizes only, so that bounds are tested before anything is made. */
typedef struct program_draft {
    bool lanes[SHOW_STEMS_MAX][LAYOUT_CHANNELS_MAX];
    uint32_t lane_count;
    uint32_t output_lanes;
    uint32_t term_count;
    uint32_t file_count;
    uint32_t side_count;
    uint32_t duck_count;
    bool objects;
    size_t measure_bytes;                    /* of one cell, at most */
    uint32_t mix_count;
    uint32_t mixes[PROGRAM_OUTPUTS_MAX];
    uint32_t speech_count;                   /* outputs that are measured for dialogue loudness */
    uint32_t speech_of[PROGRAM_OUTPUTS_MAX]; /* mix that takes the dialogue of each */
} program_draft;

/* A mix that dialogue is part of; a dialogue stem by itself needs no gate. */
static bool mix_has_speech(const mix *self, const show *film)
{
    for (uint32_t stem = 0; stem < film->stem_count; stem++)
        if (self->stems[stem] && film->stems[stem].role == ROLE_DIALOGUE)
            return !film->deliverables[self->deliverable].recipe->takes_stem;
    return false;
}

/* Which of the draft's speech outputs is made of the same dialogue stems; speech_count if none is. */
static uint32_t program_draft_speech(const program_draft *self, const show *film, const mix *mixes, const mix *wanted)
{
    for (uint32_t i = 0; i < self->speech_count; i++) {
        const bool *stems = mixes[self->speech_of[i]].stems;
        bool same = true;
        for (uint32_t stem = 0; stem < film->stem_count; stem++)
            if (film->stems[stem].role == ROLE_DIALOGUE)
                same = same && stems[stem] == wanted->stems[stem];
        if (same)
            return i;
    }
    return self->speech_count;
}

/* What a CELL message has around its digests and measures is far below this. */
enum { CELL_FRAME_BYTES_AROUND = 1024 };

/* Whether the largest message of a cell fits its frame: a digest of each file, measures, the stems' features. */
static bool program_draft_fits(const program_draft *self)
{
    uint32_t stems = 0;
    for (uint32_t stem = 0; stem < SHOW_STEMS_MAX; stem++)
        stems += memchr(self->lanes[stem], true, LAYOUT_CHANNELS_MAX) != NULL;
    size_t digests = (size_t)(self->lane_count + self->file_count) * sizeof(content_hash); /* a file a lane at most */
    return CELL_FRAME_BYTES_AROUND + digests + self->measure_bytes + stem_features_bytes_max(self->lane_count, stems) <=
           FRAME_BYTES_MAX;
}

/* signal_groups: of the job, or more of them. */
static bool program_draft_add(program_draft *self, const plan *target, const mix *mixes, uint32_t index, uint8_t signal_groups)
{
    const show *film = target->show;
    uint8_t layout = (uint8_t)target->deliverables[mixes[index].deliverable].layout;
    uint32_t channel_count = channel_layout_get((channel_layout_id)layout)->channel_count;
    uint32_t sample_rate = target->timelines[mixes[index].timeline].sample_rate;
    program_draft tried = *self;
    bool adds_speech = mix_has_speech(&mixes[index], film) &&
                       program_draft_speech(self, film, mixes, &mixes[index]) == self->speech_count;
    if (tried.mix_count + tried.speech_count + (adds_speech ? 2 : 1) > PROGRAM_OUTPUTS_MAX)
        return false;
    if (adds_speech)
        tried.speech_of[tried.speech_count++] = index;
    for (uint32_t i = 0; i < mixes[index].term_count; i++) {
        bool *lane = &tried.lanes[mixes[index].terms[i].stem][mixes[index].terms[i].input_channel];
        tried.lane_count += !*lane;
        *lane = true;
    }
    tried.mixes[tried.mix_count++] = index;
    tried.output_lanes += channel_count;
    tried.term_count += mixes[index].term_count;
    tried.file_count += mixes[index].file_count;
    tried.measure_bytes += cell_measure_bytes_max(layout, sample_rate, signal_groups) +
                           (adds_speech ? cell_measure_bytes_max(LAYOUT_MONO, sample_rate, 0) : 0);
    if (!program_draft_fits(&tried) && tried.mix_count > 1)
        return false;
    if (tried.objects && mixes[index].objects) /* a task takes the objects of one file */
        return false;
    tried.objects = tried.objects || mixes[index].objects;
    tried.side_count += mix_side_count(&mixes[index]);
    tried.duck_count += mix_ducks(&mixes[index]);
    if (tried.side_count > PROGRAM_SIDE_LANES_MAX || tried.duck_count > PROGRAM_DUCKS_MAX)
        return false;
    if (tried.lane_count > PROGRAM_INPUT_LANES_MAX ||
        tried.output_lanes + tried.speech_count > PROGRAM_OUTPUT_LANES_MAX ||
        tried.term_count + tried.speech_count * tried.lane_count > PROGRAM_TERMS_MAX || tried.file_count > CELL_OUTPUTS_MAX)
        return false;
    *self = tried;
    return true;
}

/* By the deliverable's name, so that the noises of stems do not add up in step when the stems are summed. */
static uint32_t dither_seed(const show_deliverable *deliverable)
{
    if (!deliverable->recipe->dither)
        return 0;
    content_hash digest = content_hash_of(deliverable->name, strlen(deliverable->name));
    uint32_t seed = 0;
    for (int i = 0; i < 4; i++)
        seed = seed << 8 | digest.bytes[i];
    return seed == 0 ? 1 : seed;
}

/* Frames that the phase shifter sees to either side: 2047 up to 48 kHz, and the same time at higher rates. */
static uint32_t phase_reach(uint32_t sample_rate)
{
    uint32_t reach = 2047;
    for (uint32_t rate = 48000; rate < sample_rate && reach < PHASE_REACH_MAX / 2; rate *= 2)
        reach = 2 * reach + 1;
    return reach;
}

/* The narration's lanes, which are those of the stems of its role that the mix takes. */
static void program_add_duck(plan *target, render_program *program, const mix *part)
{
    const show *film = target->show;
    const recipe *rule = film->deliverables[part->deliverable].recipe;
    render_duck *duck = &program->ducks[program->duck_count++];
    duck->shape = rule->duck;
    for (uint16_t i = 0; i < program->input_count; i++) {
        const render_lane *lane = &program->inputs[i];
        if (part->stems[lane->stem] && strcmp(film->stems[lane->stem].role_name, rule->duck_role) == 0 &&
            duck->key_count < DUCK_KEYS_MAX)
            duck->keys[duck->key_count++] = i;
    }
}

/* The nodes of a way into an output lane; returns the side lane that its terms are summed in. */
static uint16_t program_add_way(render_program *program, uint8_t way, uint16_t output)
{
    uint16_t side = program->side_lane_count++;
    if (way != WAY_DUCK)
        program->phase_reach = phase_reach(program->sample_rate);
    if (way == WAY_PHASE_90) {
        program->nodes[program->node_count++] = (render_node){.kind = NODE_PHASE_90, .side = side, .output = output};
        return side;
    }
    render_node duck = {.kind = NODE_DUCK, .duck = (uint8_t)(program->duck_count - 1), .side = side, .output = output};
    if (way == WAY_DUCK_PHASE_90)
        duck.output = (uint16_t)(program->output_lane_count + program->side_lane_count);
    program->nodes[program->node_count++] = duck;
    if (way == WAY_DUCK_PHASE_90)
        program->nodes[program->node_count++] =
            (render_node){.kind = NODE_PHASE_90, .side = program->side_lane_count++, .output = output};
    return side;
}

/* Side lanes and nodes of all mixes, behind every output lane: so the terms stay sorted by (output, input). */
static void program_add_nodes(plan *target, render_program *program, const program_draft *draft, const mix *mixes,
                              uint16_t (*lane_of)[LAYOUT_CHANNELS_MAX])
{
    for (uint32_t i = 0; i < draft->mix_count; i++) {
        const mix *part = &mixes[draft->mixes[i]];
        const render_output *output = &program->outputs[i];
        uint16_t side = 0;
        if (mix_ducks(part))
            program_add_duck(target, program, part);
        for (uint32_t k = part->straight_count; k < part->term_count; k++) {
            const mix_term *term = &part->terms[k];
            bool begins = k == part->straight_count || term->by != part->terms[k - 1].by ||
                          term->output_channel != part->terms[k - 1].output_channel;
            if (begins)
                side = program_add_way(program, term->by, (uint16_t)(output->first_lane + term->output_channel));
            program->terms[program->term_count++] =
                (render_term){.input = lane_of[term->stem][term->input_channel],
                              .output = (uint16_t)(program->output_lane_count + side),
                              .gain = term->gain};
        }
    }
}

/*
 * The mono sum of the dialogue stems of a mix, without LFE: what says where speech is. Written nowhere; of the last mix's
 * encoding, so that its lane shares a tile with that mix.
 */
static void program_add_speech(plan *target, render_program *program, const mix *part, uint16_t lane)
{
    const show *film = target->show;
    program->outputs[program->output_count] = (render_output){.deliverable = PLAN_DELIVERABLE_NONE,
                                                              .layout = LAYOUT_MONO,
                                                              .encoding = program->outputs[program->output_count - 1].encoding,
                                                              .overload = OVERLOAD_CLIP,
                                                              .first_lane = lane};
    program->output_count++;
    program->output_lane_count++;
    for (uint16_t i = 0; i < program->input_count; i++) {
        const render_lane *from = &program->inputs[i];
        if (part->stems[from->stem] && film->stems[from->stem].role == ROLE_DIALOGUE && from->label != CHANNEL_LFE)
            program->terms[program->term_count++] = (render_term){.input = i, .output = lane, .gain = SPEECH_SUM_GAIN};
    }
}

static void program_from_draft(plan *target, const program_draft *draft, const mix *mixes)
{
    const show *film = target->show;
    uint16_t number = (uint16_t)target->program_count++;
    render_program *program = &target->programs[number];
    uint16_t lane_of[SHOW_STEMS_MAX][LAYOUT_CHANNELS_MAX] = {{0}};
    bool scan = mixes[draft->mixes[0]].scan;
    bool held = target->checks == NULL || check_names_has_kind(target->checks, "stems") || check_names_has_kind(target->checks, "ad");
    target->program_stems[number] = scan || draft->lane_count == 0 || !held ? STEMS_NONE : STEMS_ENERGY;
    target->program_scans[number] = scan;
    target->program_timelines[number] = mixes[draft->mixes[0]].timeline;
    const plan_timeline *timeline = &target->timelines[mixes[draft->mixes[0]].timeline];
    *program = (render_program){.sample_rate = timeline->sample_rate,
                                .speed_num = timeline->speed_num,
                                .speed_den = timeline->speed_den,
                                .join = (uint8_t)plan_timeline_join(target, timeline),
                                .output_count = (uint16_t)draft->mix_count,
                                .output_lane_count = (uint16_t)draft->output_lanes};
    for (uint32_t stem = 0; stem < film->stem_count; stem++)
        for (uint32_t channel = 0; channel < LAYOUT_CHANNELS_MAX; channel++)
            if (draft->lanes[stem][channel]) {
                lane_of[stem][channel] = program->input_count;
                channel_label label = channel_layout_get(film->stems[stem].layout)->labels[channel];
                program->inputs[program->input_count++] =
                    (render_lane){.stem = (uint16_t)stem, .label = (uint8_t)label};
            }
    program->terms =
        arena_take_array(&target->arena, draft->term_count + (size_t)draft->speech_count * draft->lane_count,
                         sizeof *program->terms);
    uint16_t first_lane = 0;
    for (uint32_t i = 0; i < draft->mix_count; i++) {
        const mix *part = &mixes[draft->mixes[i]];
        plan_deliverable *planned = &target->deliverables[part->deliverable];
        uint16_t speech = PLAN_OUTPUT_NONE;
        if (mix_has_speech(part, film))
            speech = (uint16_t)(draft->mix_count + program_draft_speech(draft, film, mixes, part));
        *(scan ? &planned->scan_program : &planned->program) = number;
        *(scan ? &planned->scan_output : &planned->program_output) = (uint16_t)i;
        *(scan ? &planned->scan_speech : &planned->speech_output) = speech;
        program->outputs[i] =
            (render_output){.deliverable = (uint16_t)part->deliverable,
                            .layout = (uint8_t)planned->layout,
                            .encoding = scan ? ENCODING_NONE : (uint8_t)planned->encoding,
                            .overload = (uint8_t)film->deliverables[part->deliverable].recipe->overload,
                            .first_lane = first_lane,
                            .dither_seed = scan ? 0 : dither_seed(&film->deliverables[part->deliverable])};
        const recipe *rule = film->deliverables[part->deliverable].recipe;
        if (rule->limits && !scan)
            program->limits[program->limit_count++] = (render_limiter){.output = (uint8_t)i, .shape = rule->limiter};
        /* Lanes rise with (stem, channel), so the terms stay sorted by (output, input). */
        for (uint32_t k = 0; k < part->straight_count; k++)
            program->terms[program->term_count++] =
                (render_term){.input = lane_of[part->terms[k].stem][part->terms[k].input_channel],
                              .output = (uint16_t)(first_lane + part->terms[k].output_channel),
                              .gain = part->terms[k].gain};
        first_lane = (uint16_t)(first_lane + channel_layout_get(planned->layout)->channel_count);
    }
    for (uint32_t i = 0; i < draft->speech_count; i++)
        program_add_speech(target, program, &mixes[draft->speech_of[i]], first_lane++);
    program_add_nodes(target, program, draft, mixes, lane_of);
}

/* The group of a stem: stems that some deliverable takes together are one group, named by the lowest of them. */
static uint32_t stem_group(uint32_t *groups, uint32_t stem)
{
    while (groups[stem] != stem)
        stem = groups[stem];
    return stem;
}

static void stem_groups_make(uint32_t *groups, uint32_t stem_count, const mix *mixes, uint32_t mix_count)
{
    for (uint32_t i = 0; i < stem_count; i++)
        groups[i] = i;
    for (uint32_t i = 0; i < mix_count; i++) {
        uint32_t first = UINT32_MAX;
        for (uint32_t stem = 0; stem < stem_count; stem++) {
            if (!mixes[i].stems[stem])
                continue;
            uint32_t group = stem_group(groups, stem);
            if (first == UINT32_MAX)
                first = group;
            uint32_t low = group < first ? group : first;
            groups[group] = low;
            groups[first] = low;
            first = low;
        }
    }
}

static uint32_t mix_group(const mix *self, uint32_t *groups, uint32_t stem_count)
{
    for (uint32_t stem = 0; stem < stem_count; stem++)
        if (self->stems[stem])
            return stem_group(groups, stem);
    return UINT32_MAX;
}

/*
 * All deliverables of one timeline that share stems go into one program, up to its bounds; so every stem is read once.
 * signal_groups: features that measures may hold.
 */
static void plan_group_mixes(plan *target, const mix *mixes, uint32_t mix_count, uint8_t signal_groups, plan_notes *notes)
{
    const show *film = target->show;
    uint32_t groups[SHOW_STEMS_MAX];
    bool placed[2 * SHOW_DELIVERABLES_MAX] = {false};
    stem_groups_make(groups, film->stem_count, mixes, mix_count);
    for (uint32_t i = 0; i < mix_count; i++) {
        if (placed[i])
            continue;
        program_draft draft = {.mix_count = 0};
        uint32_t group = mix_group(&mixes[i], groups, film->stem_count);
        for (uint32_t k = i; k < mix_count; k++)
            if (!placed[k] && mixes[k].scan == mixes[i].scan && mixes[k].timeline == mixes[i].timeline &&
                mix_group(&mixes[k], groups, film->stem_count) == group)
                placed[k] = program_draft_add(&draft, target, mixes, k, signal_groups);
        if (!placed[i]) {
            const show_deliverable *deliverable = &film->deliverables[mixes[i].deliverable];
            placed[i] = true;
            problem_list_add(
                notes->list, notes->arena, PROBLEM_ERROR, film->file_name, deliverable->line, deliverable->column,
                "deliverable %s needs more channels or files than one task may handle (%d inputs, %d files); take "
                "fewer stems",
                deliverable->name, PROGRAM_INPUT_LANES_MAX, CELL_OUTPUTS_MAX);
        }
        if (draft.mix_count > 0)
            program_from_draft(target, &draft, mixes);
    }
}

/* An M&E has none, whatever the show's first dialogue is; a received programme is taken for that of the show. */
static const char *heard_language(const show *film, uint32_t deliverable)
{
    const show_deliverable *wanted = &film->deliverables[deliverable];
    if (wanted->recipe == NULL)
        return plan_language(film, deliverable);
    for (uint32_t i = 0; i < film->stem_count; i++)
        if (plan_takes_stem(film, deliverable, i) && film->stems[i].language[0] != '\0')
            return wanted->language[0] != '\0' ? wanted->language : film->stems[i].language;
    return "";
}

void plan_make_programs(plan *self, const bool *wanted, const bool *scanned, plan_notes *notes)
{
    const show *film = self->show;
    size_t errors_before = notes->list->error_count;
    size_t capacity = 2 * (size_t)film->deliverable_count; /* a scan and a render each */
    self->programs = arena_take_array(&self->arena, capacity, sizeof *self->programs);
    self->program_stems = arena_take_array(&self->arena, capacity, sizeof *self->program_stems);
    self->program_timelines = arena_take_array(&self->arena, capacity, sizeof *self->program_timelines);
    self->program_scans = arena_take_array(&self->arena, capacity, sizeof *self->program_scans);
    mix *mixes = arena_take_array(&self->arena, capacity, sizeof *mixes);
    uint32_t mix_count = 0;
    uint8_t signal_groups = self->signal_groups;
    for (uint32_t i = 0; i < film->deliverable_count; i++) {
        if (wanted[i] && !self->deliverables[i].rendered)
            signal_groups |= SIGNAL_GROUP_SPEECH | SIGNAL_GROUP_GRID; /* as the job may come to ask, of all outputs alike */
        self->deliverables[i].language = heard_language(film, i);
        self->deliverables[i].speech_output = PLAN_OUTPUT_NONE;
        bool good = true;
        if (wanted[i] && self->deliverables[i].rendered)
            good = mix_init(&mixes[mix_count++], self, i, false, notes);
        if (scanned[i] && good)
            mix_init(&mixes[mix_count++], self, i, true, notes);
    }
    if (notes->list->error_count != errors_before)
        return;
    plan_group_mixes(self, mixes, mix_count, signal_groups, notes);
    for (uint32_t i = 0; i < film->deliverable_count; i++)
        if (wanted[i] && !self->deliverables[i].rendered)
            plan_received_program(self, i);
}
