#include "coordinator/verdict/verdict_parts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAMED_OBJECTS = 8 };

finding *judgement_add(judgement *self, const char *check, finding_severity severity)
{
    finding_list *list = &self->verdict->findings;
    list->items = arena_grow_array(self->memory, list->items, list->count, &list->capacity, sizeof *list->items);
    finding *item = &list->items[list->count++];
    *item = (finding){.check = check,
                      .severity = severity,
                      .measured = (double)NAN,
                      .min = (double)NAN,
                      .max = (double)NAN,
                      .target = (double)NAN,
                      .unit = "",
                      .reel = -1,
                      .message = "",
                      .clause = ""};
    finding_code(item);
    return item;
}

finding_severity judgement_breach(const spec_limit *limit)
{
    if (limit->severity == SPEC_INFO)
        return FINDING_INFO;
    return limit->severity == SPEC_FAIL && limit->evidence != EVIDENCE_UNVERIFIED ? FINDING_FAIL : FINDING_WARN;
}

void judgement_place(const judgement *self, uint64_t frame, char out[PLACE_TEXT_SIZE])
{
    const plan_timeline *timeline = self->timeline;
    const frame_rate *rate = &self->show->rate;
    char text[TIMECODE_TEXT_SIZE];
    if (rate->num == 0 || !timeline->has_start)
        timecode_elapsed(frame, timeline->sample_rate, text);
    else
        timecode_format(timeline->start_frame + timecode_frame_of_sample(frame, rate, timeline->sample_rate), rate, text);
    snprintf(out, PLACE_TEXT_SIZE, "%s", text);
}

const char *judgement_stretch(const judgement *self, uint64_t start, uint64_t end)
{
    char from[PLACE_TEXT_SIZE], to[PLACE_TEXT_SIZE];
    judgement_place(self, start, from);
    judgement_place(self, end, to);
    return arena_format(self->memory, "from %s to %s", from, to);
}

int32_t judgement_reel(const judgement *self, uint64_t frame)
{
    for (uint32_t i = 0; i < self->timeline->piece_count; i++) {
        const plan_piece *piece = &self->timeline->pieces[i];
        if (frame >= piece->programme_frame && frame < piece->programme_frame + piece->frame_count)
            return piece->spans_reels ? -1 : piece->reel;
    }
    return -1;
}

void judgement_locate(const judgement *self, finding *item, uint64_t start, uint64_t end)
{
    item->has_range = true;
    item->start_sample = start;
    item->end_sample = end;
    item->reel = judgement_reel(self, start);
}

bool judgement_channel(finding *item, const char *name)
{
    for (uint32_t i = 0; i < item->channel_count; i++)
        if (strcmp(item->channels[i], name) == 0)
            return false;
    if (item->channel_count == LAYOUT_CHANNELS_MAX)
        return false;
    item->channels[item->channel_count++] = name;
    return true;
}

void judgement_allowed(const spec_limit *limit, int decimals, char out[LIMIT_TEXT_SIZE])
{
    if (!isnan(limit->min) && !isnan(limit->max) && limit->min != limit->max)
        snprintf(out, LIMIT_TEXT_SIZE, "%.*f to %.*f %s", decimals, limit->min, decimals, limit->max, limit->unit);
    else if (!isnan(limit->min) && !isnan(limit->max))
        snprintf(out, LIMIT_TEXT_SIZE, "%.*f %s", decimals, limit->max, limit->unit);
    else if (!isnan(limit->max))
        snprintf(out, LIMIT_TEXT_SIZE, "at most %.*f %s", decimals, limit->max, limit->unit);
    else
        snprintf(out, LIMIT_TEXT_SIZE, "at least %.*f %s", decimals, limit->min, limit->unit);
}

void judgement_limits(finding *item, const spec_limit *limit)
{
    item->rule = limit;
    item->min = limit->min;
    item->max = limit->max;
    item->target = limit->target;
    item->unit = limit->unit;
    item->clause = limit->clause;
}

/* Of the limits that depend on the share of speech. */
static limit_force force_of(const programme_verdict *verdict, const spec_limit *limit)
{
    double share = verdict->dialogue.speech_share;
    if (limit->speech_at_least == 0.0 && limit->speech_below == 0.0)
        return LIMIT_IN_FORCE;
    if (isnan(share))
        return LIMIT_FORCE_UNKNOWN;
    double error = verdict->dialogue.share_error;
    bool too_much = limit->speech_below > 0.0 && share - error >= limit->speech_below;
    if (share + error < limit->speech_at_least || too_much)
        return LIMIT_OUT_OF_FORCE;
    bool enough = limit->speech_at_least == 0.0 || share - error >= limit->speech_at_least;
    enough = enough && (limit->speech_below == 0.0 || share + error < limit->speech_below);
    return enough || error == 0.0 ? LIMIT_IN_FORCE : LIMIT_FORCE_UNKNOWN;
}

limit_force judgement_force(const judgement *self, const spec_limit *limit)
{
    return force_of(self->verdict, limit);
}

bool verdict_in_force(const programme_verdict *verdict, const spec_limit *limit)
{
    return force_of(verdict, limit) != LIMIT_OUT_OF_FORCE;
}

const spec_limit *judgement_limit(const judgement *self, const char *check)
{
    for (uint32_t i = 0; self->rules != NULL && i < self->rules->limit_count; i++)
        if (strcmp(self->rules->limits[i].check, check) == 0)
            return &self->rules->limits[i];
    return NULL;
}

void judgement_cannot(judgement *self, const char *check, const char *what, const char *why)
{
    const spec_limit *limit = judgement_limit(self, check);
    if (limit == NULL)
        return;
    finding *item = judgement_add(self, check, FINDING_NOT_CHECKED);
    judgement_limits(item, limit);
    item->message = arena_format(self->memory, "%s cannot be judged: %s.", what, why);
}

/* What a finding makes of a verdict. */
static const verdict_word words[] = {[FINDING_INFO] = VERDICT_PASS,
                                     [FINDING_NOT_CHECKED] = VERDICT_INCOMPLETE,
                                     [FINDING_WARN] = VERDICT_WARN,
                                     [FINDING_FAIL] = VERDICT_FAIL};

static int worst_first(const void *a, const void *b)
{
    const finding *left = a;
    const finding *right = b;
    if (left->severity != right->severity)
        return words[left->severity] > words[right->severity] ? -1 : 1;
    if (left->start_sample != right->start_sample)
        return left->start_sample < right->start_sample ? -1 : 1;
    int names = strcmp(left->check, right->check);
    return names != 0 ? names : strcmp(left->message, right->message);
}

bool verdict_measures(const char *check)
{
    static const char *const known[] = {
        "loudness.integrated", "loudness.range",     "loudness.max_momentary", "loudness.max_short_term",
        "loudness.dialogue",   "loudness.dialogue_range", "loudness.speech_share", "loudness.leqm",
        "loudness.plr",        "peak.true",          "peak.sample",            "peak.clipping",
        "format.container",    "format.encoding",    "format.sample_rate",     "format.bit_depth",
        "format.channels",     "format.length",      "format.start_timecode",  "render.overload", "render.limited",
        "signal.silence",      "signal.dropout",      "signal.click",           "signal.dc",
        "signal.polarity",     "signal.dual_mono",    "signal.phase",           "signal.lfe",
        "signal.hum",          "signal.noise",        "signal.tone",            "signal.channel_swap",
        "format.effective_bit_depth", "format.upsampled", "format.lossy",           "join.gap",
        "join.level",         "join.peak",            "join.tail",              "join.overlap",              "stems.null",             "folddown.matrix",
        "stems.bleed",         "stems.silent",        "stems.dropout",       "me.fill",                "me.optional",
        "ad.overlap",          "ad.depth",
        "me.dialogue",         "sync.pop",            "sync.offset",            "sync.drift",
        "sync.step",           "sync.length"};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strcmp(known[i], check) == 0)
            return true;
    return false;
}

/* Limits whose check no code of this version measures must not look like passes. */
static void name_unchecked(judgement *self)
{
    for (uint32_t i = 0; self->rules != NULL && i < self->rules->limit_count; i++) {
        const spec_limit *limit = &self->rules->limits[i];
        if (verdict_measures(limit->check))
            continue;
        finding *item = judgement_add(self, limit->check, FINDING_NOT_CHECKED);
        judgement_limits(item, limit);
        item->message = arena_format(self->memory, "The spec limits %s, which this version cannot measure; judge it by other means.",
                                     limit->check);
    }
}

void finding_figure(const finding *item, char out[FINDING_FIGURE_SIZE])
{
    bool share = item->unit == NULL || item->unit[0] == '\0'; /* or a correlation: 0.1 is a wide span of it */
    if (item->measured_word != NULL)
        snprintf(out, FINDING_FIGURE_SIZE, "%s", item->measured_word);
    else if (isfinite(item->measured))
        snprintf(out, FINDING_FIGURE_SIZE, "%.*f", share ? 3 : 1, share ? item->measured : verdict_displayed(item->measured));
    else
        snprintf(out, FINDING_FIGURE_SIZE, "-");
}

static void waive(finding *item, const show *title)
{
    char figure[FINDING_FIGURE_SIZE];
    finding_figure(item, figure);
    for (uint32_t i = 0; item->severity != FINDING_INFO && i < title->waiver_count; i++) {
        const show_waiver *waiver = &title->waivers[i];
        if (strcmp(waiver->finding, item->id) != 0)
            continue;
        if (strcmp(waiver->measured, figure) == 0)
            item->waiver = waiver;
        else
            item->stale = waiver;
    }
    if (item->waiver != NULL)
        item->stale = NULL;
}

void judgement_conclude(judgement *self, const char *owner)
{
    programme_verdict *verdict = self->verdict;
    if (verdict->findings.count > 1)
        qsort(verdict->findings.items, verdict->findings.count, sizeof(finding), worst_first);
    finding_list_identify(&verdict->findings, owner, self->show, self->timeline, self->memory);
    verdict->word = VERDICT_PASS;
    for (size_t i = 0; i < verdict->findings.count; i++)
        waive(&verdict->findings.items[i], self->show);
    for (size_t i = 0; i < verdict->findings.count; i++)
        if (verdict->findings.items[i].waiver == NULL)
            verdict->word = verdict_worst(verdict->word, words[verdict->findings.items[i].severity]);
    verdict->publish = self->rules == NULL || !self->rules->hold_on_fail || verdict->word != VERDICT_FAIL;
}

static bool levels_asked(const judgement *self)
{
    for (uint32_t i = 0; self->rules != NULL && i < self->rules->limit_count; i++)
        if (strncmp(self->rules->limits[i].check, "loudness.", 9) == 0 || strncmp(self->rules->limits[i].check, "peak.", 5) == 0)
            return true;
    return false;
}

/* What a listener hears is bed and objects, rendered to his room. */
static void tell_objects(judgement *self)
{
    finding *item = judgement_add(self, "loudness.integrated", levels_asked(self) ? FINDING_NOT_CHECKED : FINDING_INFO);
    const plan_deliverable *deliverable = self->deliverable;
    const char *names = "";
    for (uint32_t i = 0; !deliverable->rendered && i < deliverable->object_count && i < NAMED_OBJECTS; i++)
        names = arena_format(self->memory, "%s%s\"%s\"", names, i == 0 ? "" : ", ",
                             media_adm_object_name(&self->facts->plan->facts[deliverable->first_input].adm, i));
    item->message = arena_format(self->memory,
                                 "The file carries %u objects%s%s%s%s, which were not rendered, so loudness and peaks of what is heard are "
                                 "not known, and the figures are those of the bed alone; measure a re-render.",
                                 deliverable->object_count, names[0] == '\0' ? "" : " (", names,
                                 deliverable->object_count > NAMED_OBJECTS && names[0] != '\0' ? " ..." : "",
                                 names[0] == '\0' ? "" : ")");
}

status verdict_judge(programme_verdict *out_verdict, const programme_facts *facts, arena *memory)
{
    const plan *plan_made = facts->plan;
    const double none = (double)NAN;
    programme_verdict verdict = {.loudness = {.integrated_lufs = none,
                                              .range_lu = none,
                                              .max_momentary_lufs = none,
                                              .max_short_term_lufs = none,
                                              .ungated_lufs = none,
                                              .relative_gate_lufs = none},
                                 .dialogue = {.lufs = none, .gated_lufs = none, .range_lu = none, .speech_share = none},
                                 .peaks = {.true_peak = none, .sample_peak = none},
                                 .leqm_db = none};
    const plan_deliverable *deliverable = &plan_made->deliverables[facts->deliverable];
    judgement self = {.facts = facts,
                      .show = plan_timeline_show(plan_made->show, &plan_made->timelines[deliverable->timeline]),
                      .rules = plan_made->show->deliverables[facts->deliverable].spec,
                      .deliverable = deliverable,
                      .timeline = &plan_made->timelines[deliverable->timeline],
                      .verdict = &verdict,
                      .memory = memory};
    if (deliverable->rendered && plan_made->checks != NULL) {
        finding *item = judgement_add(&self, "render.checks", FINDING_NOT_CHECKED);
        item->message = arena_format(memory, "Only %s was asked for (--checks); what else could be wrong is not known. Run it without --checks before it is delivered.",
                                     plan_made->checks);
    }
    if (facts->measure == NULL || !programme_measure_complete(facts->measure)) {
        finding *item = judgement_add(&self, "loudness.integrated", FINDING_NOT_CHECKED);
        item->message = arena_format(memory, "The programme could not be measured%s%s; nothing about its level is known.",
                                     facts->failure == NULL ? "" : ": ", facts->failure == NULL ? "" : facts->failure);
    } else {
        verdict.loudness = programme_measure_loudness(facts->measure, 0, self.timeline->frame_count);
        verdict.dialogue = speech_measure_dialogue(facts->measure, facts->speech, 0, self.timeline->frame_count);
        verdict.peaks = programme_measure_peaks(facts->measure);
        const programme_signal *signal = programme_measure_signal(facts->measure);
        verdict.leqm_db = signal == NULL ? none : programme_signal_leqm(signal, (uint8_t)deliverable->layout);
        if (deliverable->object_count > 0)
            tell_objects(&self);
        else
            judge_levels(&self);
        judge_runs(&self);
        judge_silence(&self);
        judge_joins(&self);
        judge_signal(&self);
    }
    judge_format(&self);
    judge_adm(&self);
    judge_pops(&self);
    judge_stems(&self);
    judge_sync(&self);
    name_unchecked(&self);
    judge_groups(&self);
    if (facts->measure != NULL && programme_measure_complete(facts->measure))
        judge_explain(&self);
    judgement_conclude(&self, plan_made->show->deliverables[facts->deliverable].name);
    *out_verdict = verdict;
    return STATUS_OK;
}
