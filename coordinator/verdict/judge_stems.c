/* A received programme against the stems: what is in it, what is missing, and the matrix that was used. */
#include "coordinator/verdict/finding_places.h"
#include "coordinator/verdict/judge_order.h"
#include "coordinator/verdict/stem_judgement.h"

#include "common/measure/stem_bleed.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static double step_of(sample_encoding encoding)
{
    return sample_encoding_is_float(encoding) ? 0.0 : ldexp(1.0, 1 - (int)sample_encoding_bits(encoding));
}

static uint8_t bed_index(stem_judgement *self, channel_label label)
{
    uint32_t at = 0;
    while (at < self->model.bed_count && self->bed[at] != label)
        at++;
    if (at == self->model.bed_count)
        self->bed[self->model.bed_count++] = label;
    return (uint8_t)at;
}

/* The nominal gains of one stem: those of the full mix of this layout. A stem that it has no rule for has none. */
static void add_element(stem_judgement *self, uint32_t first_lane, uint16_t stem)
{
    const show *film = self->judgement->show;
    channel_layout_id layout = self->judgement->deliverable->layout;
    fold_term terms[FOLD_TERMS_MAX];
    uint32_t count = 0;
    error_detail detail = {0};
    uint32_t element = self->model.element_count++;
    self->stems[element] = stem;
    const channel_layout *channels = channel_layout_get(film->stems[stem].layout);
    for (uint32_t c = 0; c < channels->channel_count; c++) {
        self->model.element_of[first_lane + c] = (uint8_t)element;
        self->model.bed_of[first_lane + c] = bed_index(self, channels->labels[c]);
    }
    if (recipe_matrix(film->print_masters[layout], film->stems[stem].role_name, film->stems[stem].layout, terms, &count,
                      &detail) != STATUS_OK)
        return;
    for (uint32_t i = 0; i < count; i++) {
        int from = channel_layout_index(film->stems[stem].layout, terms[i].from);
        int to = channel_layout_index(layout, terms[i].to);
        if (from >= 0 && to >= 0)
            self->model.nominal[to][first_lane + (uint32_t)from] = terms[i].gain;
    }
}

/* The lanes of a stem stand side by side, in the order of the plan. */
static void make_model(stem_judgement *self)
{
    const plan *made = self->judgement->facts->plan;
    const plan_deliverable *deliverable = self->judgement->deliverable;
    const render_program *program = &made->programs[deliverable->program];
    self->model.output_count = channel_layout_get(deliverable->layout)->channel_count;
    self->model.lane_count = program->input_count;
    self->model.step = step_of(deliverable->encoding);
    for (uint32_t i = self->model.output_count; i < program->input_count;) {
        uint16_t stem = program->inputs[i].stem;
        add_element(self, i, stem);
        i += channel_layout_get(self->judgement->show->stems[stem].layout)->channel_count;
    }
}

/* ---- words ---- */

static const char *stem_name(const stem_judgement *self, uint32_t element)
{
    return self->judgement->show->stems[self->stems[element]].name;
}

static stem_role stem_role_of(const stem_judgement *self, uint32_t element)
{
    return self->judgement->show->stems[self->stems[element]].role;
}

static const char *list_names(const stem_judgement *self, stem_presence presence)
{
    const char *list = "";
    for (uint32_t e = 0; e < self->model.element_count; e++)
        if (self->truth.presence[e] == presence)
            list = list[0] == '\0' ? stem_name(self, e)
                                   : arena_format(self->judgement->memory, "%s, %s", list, stem_name(self, e));
    return list;
}

/* True where the spec asks of a music-and-effects mix what it asks of no other. */
static bool is_music_and_effects(const stem_judgement *self)
{
    return judgement_limit(self->judgement, "me.dialogue") != NULL || judgement_limit(self->judgement, "me.fill") != NULL;
}

static bool is_optional(const stem_judgement *self, uint32_t element)
{
    return strcmp(self->judgement->show->stems[self->stems[element]].role_name, "optional") == 0;
}

static const show_deliverable *wanted_of(const stem_judgement *self)
{
    return &self->judgement->show->deliverables[self->judgement->facts->deliverable];
}

static bool is_listed(const show_deliverable *wanted, const char *stem)
{
    bool listed = false;
    for (uint32_t i = 0; i < wanted->stem_name_count; i++)
        listed = listed || strcmp(wanted->stem_names[i], stem) == 0;
    return listed;
}

/*
 * What the show says of the deliverable, if it does. Else music and effects belong in every mix. Dialogue does where the spec asks
 * for its loudness and in a description, and does not where the spec is that of an M&E; of others, and of all else, what most of
 * the programme holds says so.
 */
static void set_belonging(stem_judgement *self, bool description)
{
    const show_deliverable *wanted = wanted_of(self);
    bool spoken = description || judgement_limit(self->judgement, "loudness.dialogue") != NULL;
    for (uint32_t e = 0; e < self->model.element_count; e++) {
        stem_role role = stem_role_of(self, e);
        if (wanted->stem_name_count > 0) {
            self->model.belongs[e] = is_listed(wanted, stem_name(self, e)) ? STEM_BELONGS : STEM_FOREIGN;
            continue;
        }
        bool always = (role == ROLE_MUSIC || role == ROLE_EFFECTS) && !is_optional(self, e);
        self->model.belongs[e] = always                                           ? STEM_BELONGS
                                 : role != ROLE_DIALOGUE                          ? STEM_BY_MAJORITY
                                 : is_music_and_effects(self)                     ? STEM_FOREIGN
                                 : spoken                                         ? STEM_BELONGS
                                                                                  : STEM_BY_MAJORITY;
    }
}

/* A figure for JSON; it has no infinities. */
static const char *json_db(const stem_judgement *self, double value)
{
    return isfinite(value) ? arena_format(self->judgement->memory, "%.2f", value) : "null";
}

/* ---- findings ---- */

finding *stem_judgement_fault(stem_judgement *self, const char *check, double measured, const char *unit)
{
    const spec_limit *limit = judgement_limit(self->judgement, check);
    bool over = limit != NULL && !(measured <= limit->max);
    finding *item = judgement_add(self->judgement, check, over ? judgement_breach(limit) : FINDING_WARN);
    if (limit != NULL)
        judgement_limits(item, limit);
    item->measured = measured;
    item->unit = unit;
    return item;
}

void stem_judgement_channels(stem_judgement *self, finding *item, uint32_t outputs)
{
    const channel_layout *layout = channel_layout_get(self->judgement->deliverable->layout);
    if (outputs == (1u << layout->channel_count) - 1)
        return; /* all of them: none in particular */
    finding_set_channels(item, layout, outputs);
}

const char *stem_judgement_channel_words(stem_judgement *self, const finding *item)
{
    return item->channel_count == 0 ? "" : arena_format(self->judgement->memory, " in %s", finding_channel_names(self->judgement->memory, item));
}

/* Energy of a stem's channels in a stretch, by channel of the bed. */
static void stretch_energy(const stem_judgement *self, uint32_t element, const stem_run *run, double out_energy[STEM_BED_MAX])
{
    const stem_programme *programme = self->judgement->facts->stems;
    memset(out_energy, 0, STEM_BED_MAX * sizeof *out_energy);
    for (size_t b = stem_judgement_block(self, run->start_frame);
         b < programme->block_count && programme->blocks[b].frame < run->end_frame; b++) {
        const stem_block *block = &programme->blocks[b];
        for (uint32_t i = self->model.output_count; i < self->model.lane_count; i++)
            if (self->model.element_of[i] == element)
                out_energy[self->model.bed_of[i]] += block->sums[stem_sum_index(i, i)];
    }
}

/* In a fold-down a stem that plays in one channel cannot tell its fader from that channel's gain in the matrix. */
static const char *coefficient_words(stem_judgement *self, const stem_run *run)
{
    const channel_layout *layout = channel_layout_get(self->judgement->deliverable->layout);
    double energy[STEM_BED_MAX];
    uint32_t loudest = 0;
    double sum = 0.0;
    stretch_energy(self, run->element, run, energy);
    for (uint32_t c = 0; c < self->model.bed_count; c++) {
        sum += energy[c];
        loudest = energy[c] > energy[loudest] ? c : loudest;
    }
    if (!stem_judgement_folds(self) || channel_layout_index(layout->id, self->bed[loudest]) >= 0 || energy[loudest] < 0.999 * sum)
        return "";
    double nominal = 0.0;
    for (uint32_t i = self->model.output_count; i < self->model.lane_count; i++)
        if (self->model.element_of[i] == run->element && self->model.bed_of[i] == loudest)
            for (uint32_t o = 0; o < self->model.output_count; o++)
                nominal = fmax(nominal, fabs(self->model.nominal[o][i]));
    const char *name = channel_label_name(self->bed[loudest]);
    return nominal == 0.0 ? ""
                          : arena_format(self->judgement->memory, " It plays in %s alone: a fold-down with %s at %.1f dB instead of %.1f dB gives the same.",
                                         name, name, 20.0 * log10(nominal) + run->gain_db, 20.0 * log10(nominal));
}

static const char *run_sentence(stem_judgement *self, const stem_run *run, const char *where)
{
    arena *memory = self->judgement->memory;
    const char *name = run->element == UINT8_MAX ? "" : stem_name(self, run->element);
    switch (run->fault) {
    case STEM_FAULT_MISSING:
        if (run->heard)
            return arena_format(memory, "%s is at %+.1f dB%s instead of unity: as good as missing. Print again with it, or, where the stem itself is as much too loud, export that again.",
                                name, run->gain_db, where);
        return arena_format(memory, "%s is missing%s (it is at %.0f dB or below). Print again with it.", name, where, run->gain_db);
    case STEM_FAULT_GAIN:
        if (run->element == UINT8_MAX)
            return arena_format(memory, "The %sprogramme is at %+.1f dB%s: every stem that plays there is, so no fader of a stem but the level of the print is wrong. Print it again at unity, or %s it by %.1f dB there.",
                                strncmp(where, " in ", 4) == 0 ? "" : "whole ", run->gain_db, where, run->gain_db < 0.0 ? "raise" : "lower", fabs(run->gain_db));
        if (stem_judgement_right_elsewhere(self, run, STEM_HEARD_POWER))
            return arena_format(memory, "%s is at %+.1f dB%s, and at unity in its other channels: its fader is right, and something was done there alone, in the print or in the stem. Undo it and print again.",
                                name, run->gain_db, where);
        return arena_format(memory, "%s is at %+.1f dB%s instead of unity. Set its fader back to unity and print again.%s", name,
                            run->gain_db, where, coefficient_words(self, run));
    case STEM_FAULT_POLARITY:
        if (run->element == UINT8_MAX)
            return arena_format(memory, "The programme is upside down%s: every stem that plays there is. Undo the polarity and print again.", where);
        return arena_format(memory, "%s is upside down%s, at %+.1f dB. Undo the polarity and print again.", name, where,
                            run->gain_db);
    case STEM_FAULT_EXTRA:
        return arena_format(memory, "%s is in it%s at %+.1f dB, though it is not part of this programme. Mute it and print again.",
                            name, where, run->gain_db);
    case STEM_FAULT_UNEXPLAINED:
    default:
        return arena_format(memory, "It differs%s from the sum of its stems by %.1f dBFS, which no gain of a stem explains: %s.", where, run->residual_dbfs,
                            stem_judgement_cause(self, run));
    }
}

void stem_judgement_reject(const stem_judgement *self, finding *item)
{
    if (judgement_limit(self->judgement, "stems.null") == NULL)
        item->severity = FINDING_FAIL;
}

/* For longer than an edit or a fade, and as loud as what is told of a residual. */
static bool lacks_for_long(const stem_judgement *self, const stem_run *run)
{
    enum { LONG_SECONDS = 2, AUDIBLE_DBFS = -60 };
    return run->fault == STEM_FAULT_MISSING && run->residual_dbfs > AUDIBLE_DBFS &&
           run->end_frame - run->start_frame >= LONG_SECONDS * (uint64_t)self->judgement->timeline->sample_rate;
}

static void tell_run(stem_judgement *self, const stem_run *found)
{
    stem_run joined = *found;
    const stem_run *run = &joined;
    if (judge_dropout(self, &joined))
        return;
    static const char *const words[] = {"missing", "gain", "polarity", "extra", "unexplained"};
    judgement *base = self->judgement;
    bool extra = run->fault == STEM_FAULT_EXTRA;
    bool dialogue = extra && stem_role_of(self, run->element) == ROLE_DIALOGUE;
    bool optional = extra && is_optional(self, run->element);
    finding *item = optional ? stem_judgement_fault(self, "me.optional", run->gain_db, "dB")
                    : dialogue ? stem_judgement_fault(self, "me.dialogue", run->gain_db, "dB")
                             : stem_judgement_fault(self, "stems.null", run->residual_dbfs, "dBFS");
    if (lacks_for_long(self, run))
        stem_judgement_reject(self, item);
    judgement_locate(base, item, run->start_frame, run->end_frame);
    stem_judgement_channels(self, item, run->outputs);
    const char *name = run->element == UINT8_MAX ? "" : stem_name(self, run->element);
    item->subject = arena_format(base->memory, "%s%s%s", words[run->fault], name[0] == '\0' ? "" : " ", name);
    const char *where = arena_format(base->memory, "%s %s", stem_judgement_channel_words(self, item),
                                     judgement_stretch(base, run->start_frame, run->end_frame));
    item->message = run_sentence(self, run, where);
    item->details_json =
        arena_format(base->memory, "{\"fault\": \"%s\", \"source\": \"%s\", \"gain_db\": %s, \"residual_dbfs\": %s}",
                     words[run->fault], name, run->fault == STEM_FAULT_UNEXPLAINED ? "null" : json_db(self, run->gain_db),
                     json_db(self, run->residual_dbfs));
}

static void judge_null(stem_judgement *self)
{
    judgement *base = self->judgement;
    const stem_truth *truth = &self->truth;
    const spec_limit *limit = judgement_limit(base, "stems.null");
    double level = truth->worst_dbfs;
    bool over = limit != NULL && level > limit->max;
    finding *item = judgement_add(base, "stems.null", over ? judgement_breach(limit) : FINDING_INFO);
    if (limit != NULL)
        judgement_limits(item, limit);
    item->measured = isfinite(level) ? level : (double)NAN;
    item->unit = "dBFS";
    const char *present = list_names(self, STEM_PRESENT);
    const char *unknown = list_names(self, STEM_UNKNOWN);
    char place[PLACE_TEXT_SIZE];
    judgement_place(base, truth->worst_frame, place);
    if (present[0] == '\0')
        item->message = "None of the show's stems was found in it, so there is no sum to compare it with.";
    else if (truth->nulls)
        item->message = arena_format(base->memory, "It is the sum of %s: %s.", present,
                                     isfinite(level) ? arena_format(base->memory, "what remains is rounding (%.1f dBFS at most)", level)
                                                     : "nothing remains");
    else
        item->message = arena_format(base->memory,
                                     "Against the sum of %s there remain %s dBFS over all, and %s dBFS at the worst, at %s.",
                                     present, json_db(self, truth->null_dbfs), json_db(self, level), place);
    if (unknown[0] != '\0')
        item->message = arena_format(base->memory, "%s Nothing can be said of %s, which %s silent or a copy of the others.",
                                     item->message, unknown, stem_judgement_count(self, STEM_UNKNOWN) > 1 ? "are" : "is");
    item->details_json = arena_format(base->memory, "{\"residual_dbfs\": %s, \"worst_dbfs\": %s, \"programme_gain_db\": %s}",
                                      json_db(self, truth->null_dbfs), json_db(self, level),
                                      json_db(self, 20.0 * log10(truth->programme_gain)));
}

/* A stem of music or effects that a mix of several stems lacks from end to end, or any that the show says it is the sum of. */
static void judge_absent(stem_judgement *self)
{
    judgement *base = self->judgement;
    bool listed = wanted_of(self)->stem_name_count > 0;
    bool mix = listed || stem_judgement_count(self, STEM_PRESENT) > 1 || is_music_and_effects(self);
    for (uint32_t e = 0; mix && e < self->model.element_count; e++) {
        stem_role role = stem_role_of(self, e);
        bool elsewhere = self->another[e];
        for (uint32_t i = 0; i < self->shifts.count; i++)
            elsewhere = elsewhere || (!self->shifts.items[i].shift.whole && self->shifts.items[i].shift.element == e);
        bool belongs = listed ? self->model.belongs[e] == STEM_BELONGS : role == ROLE_MUSIC || role == ROLE_EFFECTS;
        if (self->truth.presence[e] != STEM_ABSENT || elsewhere || !belongs)
            continue;
        finding *item = stem_judgement_fault(self, "stems.null", HUGE_VAL, "dBFS");
        stem_judgement_reject(self, item);
        item->measured = (double)NAN;
        judgement_locate(base, item, 0, base->timeline->frame_count);
        item->subject = arena_format(base->memory, "missing %s", stem_name(self, e));
        item->message = arena_format(base->memory, "%s is missing from end to end. Print again with it%s.", stem_name(self, e),
                                     listed ? "" : ", or say in the show what it is the sum of (`stems` of the deliverable)");
        item->details_json = arena_format(base->memory, "{\"fault\": \"missing\", \"source\": \"%s\"}", stem_name(self, e));
    }
}

static void judge_programme_gain(stem_judgement *self)
{
    double gain_db = 20.0 * log10(self->truth.programme_gain);
    if (fabs(gain_db) < STEM_LEVEL_TOLD_DB || self->truth.matrix_wrong) /* told with the matrix */
        return;
    judgement *base = self->judgement;
    finding *item = judgement_add(base, "stems.null", FINDING_WARN);
    item->measured = gain_db;
    item->unit = "dB";
    item->subject = "programme gain";
    item->message = arena_format(base->memory,
                                 "The whole programme is at %+.2f dB against the sum of its stems. If it is to sum with other "
                                 "deliverables, print it at unity.",
                                 gain_db);
    item->details_json = arena_format(base->memory, "{\"fault\": \"programme gain\", \"gain_db\": %.3f}", gain_db);
}

/*
 * Dialogue that lies in an M&E at another time, filtered or in a room is explained by no gain of its stem: it is no louder than
 * what is left. Where that is more than the limit allows, and nothing was told to be it, it is not known.
 */
static void judge_hidden_dialogue(stem_judgement *self)
{
    judgement *base = self->judgement;
    const spec_limit *limit = judgement_limit(base, "me.dialogue");
    for (size_t i = 0; limit != NULL && i < base->verdict->findings.count; i++) {
        const finding *told = &base->verdict->findings.items[i];
        if (told->rule == limit && told->measured > limit->max)
            return;
    }
    for (uint32_t e = 0; limit != NULL && e < self->model.element_count; e++) {
        const double most_db = 20.0 * log10(fmax(self->truth.hidden[e], 1e-9));
        if (stem_role_of(self, e) != ROLE_DIALOGUE || self->model.belongs[e] != STEM_FOREIGN || most_db <= limit->max)
            continue;
        finding *item = judgement_add(base, "me.dialogue", FINDING_NOT_CHECKED);
        judgement_limits(item, limit);
        item->measured = most_db;
        item->unit = "dB";
        item->subject = arena_format(base->memory, "hidden %s", stem_name(self, e));
        char place[PLACE_TEXT_SIZE];
        judgement_place(base, self->truth.hidden_frame[e], place);
        item->message = arena_format(base->memory, "It holds something that is no gain of its stems and as loud as %s at %.1f dB (worst from %s on). That may be dialogue at another time, filtered or in a room: take the stems' sum from it and listen to what remains.",
                                     stem_name(self, e), most_db, place);
    }
}

/* ---- one cause, one finding ---- */

static void drop_explained(stem_judgement *self, const stem_order *orders)
{
    stem_truth *truth = &self->truth;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < truth->run_count; i++)
        if (!judge_order_explains(self->judgement, orders, &truth->runs[i]))
            truth->runs[kept++] = truth->runs[i];
    truth->run_count = kept;
}

/* ---- all of it ---- */

/* A dialogue stem plays, and is not in it. */
static bool lacks_dialogue(const stem_judgement *self)
{
    bool absent = false;
    for (uint32_t e = 0; e < self->model.element_count; e++)
        if (stem_role_of(self, e) == ROLE_DIALOGUE) {
            if (self->truth.presence[e] == STEM_PRESENT)
                return false;
            absent = absent || self->truth.presence[e] == STEM_ABSENT;
        }
    return absent;
}

static void say_uncompared(judgement *self, const char *why)
{
    static const char *const checks[] = {"stems.null",   "folddown.matrix", "me.dialogue",   "me.fill",  "me.optional",
                                         "stems.bleed", "stems.silent",    "stems.dropout", "ad.depth", "ad.overlap"};
    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
        const spec_limit *limit = judgement_limit(self, checks[i]);
        if (limit == NULL && (i > 0 || self->show->stem_count == 0))
            continue;
        finding *item = judgement_add(self, checks[i], FINDING_NOT_CHECKED);
        if (limit != NULL)
            judgement_limits(item, limit);
        item->message = arena_format(self->memory, "It was not compared with the stems: %s.", why);
    }
}

void judge_stems(judgement *self)
{
    const plan_deliverable *deliverable = self->deliverable;
    if (deliverable->rendered) {
        judge_bleed(self, NULL);
        judge_ad(self, NULL, NULL);
        if (self->facts->stems != NULL && self->facts->stems->block_count > 0)
            judge_stem_levels(self, judgement_is_first(self), STEM_LEVELS_ANY);
        if (self->facts->stems != NULL && judgement_is_first(self))
            judge_stem_gaps(self, NULL);
        return; /* it is the sum of its stems by the way it was made; render.overload tells what was clamped */
    }
    if (plan_leader_unknown(self->timeline)) {
        say_uncompared(self, "neither its timecode, nor a 2-pop, nor its sound says where in it the reels begin");
        return;
    }
    if (deliverable->uncompared != NULL || self->facts->stems == NULL || self->facts->stems->block_count == 0) {
        say_uncompared(self, deliverable->uncompared == NULL ? "it was not measured to its end" : deliverable->uncompared);
        return;
    }
    stem_judgement *stems = arena_take(self->memory, sizeof *stems);
    stems->judgement = self;
    make_model(stems);
    const stem_order *orders = NULL;
    bool room = judge_order(self, &stems->model, &orders) == STATUS_OK;
    ad_judgement *description = room ? judgement_description(self, &stems->model) : NULL;
    set_belonging(stems, description != NULL);
    if (!room || stem_truth_find(&stems->truth, &stems->model, self->facts->stems) != STATUS_OK ||
        stem_judgement_find_phase(stems) != STATUS_OK) {
        say_uncompared(self, "there was not enough memory");
        return;
    }
    judge_ad(self, description, &stems->truth);
    drop_explained(stems, orders);
    bool drifts = judge_drift(stems);
    judge_stem_pops(stems);
    judge_stem_holes(stems);
    judge_channel_shift(stems);
    stem_judgement_find_shifts(stems);
    judge_versions(stems);
    if (!drifts) {
        judge_null(stems);
        judge_absent(stems);
        judge_programme_gain(stems);
        judge_matrix(stems);
    }
    judge_stem_causes(stems);
    stem_judgement_tell_shifts(stems);
    for (uint32_t i = 0; i < stems->truth.run_count && i < VERDICT_RUNS_MAX; i++)
        tell_run(stems, &stems->truth.runs[i]);
    bool mix = stem_judgement_count(stems, STEM_PRESENT) > 1;
    stem_presence *by_stem = arena_take_array(self->memory, self->show->stem_count, sizeof *by_stem);
    for (uint32_t e = 0; e < stems->model.element_count; e++)
        by_stem[stems->stems[e]] = stems->truth.presence[e];
    judge_bleed(self, by_stem);
    if (!drifts)
        judge_hidden_dialogue(stems);
    if (judgement_is_first(self)) {
        judge_stem_copies(stems);
        judge_stem_gaps(self, &stems->truth);
    }
    bool me = lacks_dialogue(stems) && (mix || is_music_and_effects(stems));
    judge_stem_levels(self, judgement_is_first(self),
                      description != NULL ? STEM_LEVELS_DESCRIPTION : me ? STEM_LEVELS_MUSIC_AND_EFFECTS : STEM_LEVELS_ANY);
    uint32_t told = stems->truth.run_count < VERDICT_RUNS_MAX ? stems->truth.run_count : VERDICT_RUNS_MAX;
    judgement_tell_rest(self, "stems.null", FINDING_WARN, stems->truth.run_count - told + stems->truth.run_dropped);
}
