/* What one stem leaves in another, and how little of it could have been found. */
#include "coordinator/verdict/bleed_judgement.h"
#include "coordinator/verdict/finding_places.h"

#include "common/measure/stem_truth.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* More than this is no leak: the same sound was put into both stems, by intent or not. */
static const double shared_db = -15.0;
static const double known_s = 0.5; /* an end that is not known so well is told with the times between which it lies */

enum { UNKNOWN_NAMED = 4, PAIRS_NAMED = 4 };

static bool is_received(const bleed_judgement *self, uint32_t lane)
{
    return self->program->inputs[lane].stem == RENDER_STEM_RECEIVED;
}

const char *bleed_lane_stem(const bleed_judgement *self, uint32_t lane)
{
    return is_received(self, lane) ? "" : self->base->show->stems[self->program->inputs[lane].stem].name;
}

const char *bleed_lane_channel(const bleed_judgement *self, uint32_t lane)
{
    return channel_label_name((channel_label)self->program->inputs[lane].label);
}

static bool program_reads(const render_program *program, uint16_t stem)
{
    for (uint32_t i = 0; i < program->input_count; i++)
        if (program->inputs[i].stem == stem)
            return true;
    return false;
}

/* Stems are judged once: with the first programme whose tasks read all of them. */
bool judgement_is_first(const judgement *self)
{
    const plan *made = self->facts->plan;
    const render_program *program = &made->programs[self->deliverable->program];
    for (uint32_t d = 0; d < self->facts->deliverable; d++) {
        const plan_deliverable *other = &made->deliverables[d];
        if (other->timeline == UINT16_MAX || made->program_stems[other->program] == STEMS_NONE)
            continue;
        bool all = true;
        for (uint32_t i = 0; i < program->input_count; i++)
            all = all && (program->inputs[i].stem == RENDER_STEM_RECEIVED ||
                          program_reads(&made->programs[other->program], program->inputs[i].stem));
        if (all)
            return false;
    }
    return true;
}

double bleed_db(double gain)
{
    return 20.0 * log10(fmax(fabs(gain), 1e-9));
}

/*
 * Two recordings that hold the mains look like a leak of the octave that its line lies in. signal.hum tells the line in the
 * source's channel; NULL: it does not, or not there.
 */
static const finding *hum_of(const bleed_judgement *self, const stem_bleed *bleed, double low_hz, double high_hz)
{
    const finding_list *found = &self->base->verdict->findings;
    for (size_t i = 0; bleed->first_band == bleed->last_band && i < found->count; i++) {
        const finding *item = &found->items[i];
        if (item->mains_hz == 0.0 || !item->has_range || item->severity == FINDING_INFO)
            continue;
        bool there = false;
        for (uint32_t c = 0; c < item->channel_count; c++)
            there = there || strcmp(item->channels[c], bleed_lane_channel(self, bleed->source)) == 0;
        const uint64_t first = item->start_sample > bleed->start_frame ? item->start_sample : bleed->start_frame;
        const uint64_t last = item->end_sample < bleed->end_frame ? item->end_sample : bleed->end_frame;
        if (there && item->mains_hz >= low_hz && item->mains_hz < high_hz && last > first &&
            (double)(last - first) >= 0.8 * (double)(bleed->end_frame - bleed->start_frame))
            return item;
    }
    return NULL;
}

bleed_nature bleed_nature_of(const bleed_judgement *self, const stem_bleed *bleed)
{
    const uint32_t rate = self->base->timeline->sample_rate;
    const finding *hum =
        hum_of(self, bleed, stem_band_low_hz(bleed->first_band, rate), stem_band_high_hz(bleed->last_band, rate));
    return (bleed_nature){bleed_db(bleed->gain) > shared_db, hum == NULL ? 0.0 : hum->mains_hz};
}

static bool belongs(const bleed_judgement *self, const bleed_cause *cause, const stem_bleed *bleed)
{
    const stem_bleed *first = cause->pairs[0];
    const bleed_nature one = bleed_nature_of(self, first);
    const bleed_nature other = bleed_nature_of(self, bleed);
    return self->group_of[first->source] == self->group_of[bleed->source] &&
           self->group_of[first->host] == self->group_of[bleed->host] &&
           abs(first->delay_samples - bleed->delay_samples) <= STEM_DELAY_SLACK &&
           bleed->start_frame < cause->end_frame + CELL_FRAMES && one.shared == other.shared &&
           (one.mains_hz > 0.0) == (other.mains_hz > 0.0);
}

static void join_cause(bleed_cause *cause, const stem_bleed *bleed)
{
    uint32_t same = 0;
    cause->first_band = bleed->first_band < cause->first_band ? bleed->first_band : cause->first_band;
    cause->last_band = bleed->last_band > cause->last_band ? bleed->last_band : cause->last_band;
    cause->ends_with = bleed->end_frame >= cause->end_frame ? bleed : cause->ends_with;
    cause->end_frame = bleed->end_frame > cause->end_frame ? bleed->end_frame : cause->end_frame;
    while (same < cause->count &&
           (cause->pairs[same]->source != bleed->source || cause->pairs[same]->host != bleed->host))
        same++;
    if (same == cause->count)
        cause->pairs[cause->count++] = bleed;
    else if (bleed->score > cause->pairs[same]->score)
        cause->pairs[same] = bleed;
}

static int by_loudness(const void *a, const void *b)
{
    const stem_bleed *left = *(const stem_bleed *const *)a;
    const stem_bleed *right = *(const stem_bleed *const *)b;
    if (fabs(left->gain) != fabs(right->gain))
        return fabs(left->gain) > fabs(right->gain) ? -1 : 1;
    return left->source != right->source ? (int)left->source - (int)right->source : (int)left->host - (int)right->host;
}

/* All that has the cause of the leak `first` in the list, which is by time. */
void bleed_gather_cause(bleed_judgement *self, uint32_t first)
{
    bleed_cause *cause = &self->cause;
    const stem_bleed *begin = &self->bleeds.items[first];
    *cause = (bleed_cause){.count = 0, .first_band = begin->first_band, .start_frame = begin->start_frame,
                           .begins_with = begin};
    join_cause(cause, begin);
    self->taken[first] = true;
    for (uint32_t i = first + 1; i < self->bleeds.count; i++)
        if (!self->taken[i] && belongs(self, cause, &self->bleeds.items[i])) {
            join_cause(cause, &self->bleeds.items[i]);
            self->taken[i] = true;
        }
    qsort(cause->pairs, cause->count, sizeof cause->pairs[0], by_loudness);
}

static const char *turned(const stem_bleed *bleed)
{
    return bleed->gain < 0.0 ? " upside down" : "";
}

/* "MX (L) is heard in FX (R) at -40.0 dB", "MX is heard in FX: L in R at -40.0 dB, R in R at -46.0 dB". */
const char *bleed_pairs_text(const bleed_judgement *self, const bleed_cause *cause)
{
    arena *memory = self->base->memory;
    const stem_bleed *loudest = cause->pairs[0];
    const char *source = bleed_lane_stem(self, loudest->source);
    const char *host = bleed_lane_stem(self, loudest->host);
    if (cause->count == 1)
        return arena_format(memory, "%s (%s) is heard in %s (%s) at %.1f dB%s", source, bleed_lane_channel(self, loudest->source), host,
                            bleed_lane_channel(self, loudest->host), bleed_db(loudest->gain), turned(loudest));
    const char *text = arena_format(memory, "%s is heard in %s", source, host);
    for (uint32_t i = 0; i < cause->count && i < PAIRS_NAMED; i++)
        text = arena_format(memory, "%s%s %s in %s at %.1f dB%s", text, i == 0 ? ":" : ",", bleed_lane_channel(self, cause->pairs[i]->source),
                            bleed_lane_channel(self, cause->pairs[i]->host), bleed_db(cause->pairs[i]->gain),
                            turned(cause->pairs[i]));
    return cause->count <= PAIRS_NAMED
               ? text
               : arena_format(memory, "%s and in %" PRIu32 " pairs of channels more", text, cause->count - PAIRS_NAMED);
}

const char *bleed_pairs_json(const bleed_judgement *self, const bleed_cause *cause)
{
    const char *text = "";
    for (uint32_t i = 0; i < cause->count; i++)
        text = arena_format(self->base->memory,
                            "%s%s{\"source\": \"%s\", \"host\": \"%s\", \"gain_db\": %.2f, \"delay_samples\": %d, "
                            "\"upside_down\": %s}",
                            text, i == 0 ? "" : ", ", bleed_lane_channel(self, cause->pairs[i]->source),
                            bleed_lane_channel(self, cause->pairs[i]->host), bleed_db(cause->pairs[i]->gain),
                            cause->pairs[i]->delay_samples, cause->pairs[i]->gain < 0.0 ? "true" : "false");
    return text;
}

/* The channels of its sources, or of its hosts, each once and in their order. */
void bleed_name_channels(const bleed_judgement *self, const bleed_cause *cause, bool hosts, finding *item)
{
    for (uint32_t lane = 0; lane < self->program->input_count; lane++)
        for (uint32_t i = 0; i < cause->count; i++)
            if ((hosts ? cause->pairs[i]->host : cause->pairs[i]->source) == lane)
                (void)judgement_channel(item, bleed_lane_channel(self, lane));
}

/* An end that the windows which were read leave open for more than known_s. */
static bool is_open_end(const judgement *base, uint64_t first, uint64_t told, uint64_t last)
{
    const uint64_t known = (uint64_t)(known_s * base->timeline->sample_rate);
    return told - first > known || last - told > known;
}

static const char *between_json(const judgement *base, const char *which, uint64_t first, uint64_t told, uint64_t last)
{
    const double rate = (double)base->timeline->sample_rate;
    return is_open_end(base, first, told, last)
               ? arena_format(base->memory, "\"%s_between_s\": [%.3f, %.3f], ", which, (double)first / rate, (double)last / rate)
               : "";
}

static const char *between_text(const judgement *base, const char *which, uint64_t first, uint64_t told, uint64_t last)
{
    char from[PLACE_TEXT_SIZE];
    char to[PLACE_TEXT_SIZE];
    if (!is_open_end(base, first, told, last))
        return "";
    judgement_place(base, first, from);
    judgement_place(base, last, to);
    return arena_format(base->memory, "%s between %s and %s", which, from, to);
}

/* " (it begins between 01:00:04:00 and 01:00:05:12)" */
const char *bleed_further_text(const judgement *base, const bleed_cause *cause)
{
    const stem_bleed *begin = cause->begins_with;
    const stem_bleed *end = cause->ends_with;
    const char *begins = between_text(base, "begins", begin->start_first, begin->start_frame, begin->start_last);
    const char *ends = between_text(base, "ends", end->end_first, end->end_frame, end->end_last);
    if (*begins == '\0' && *ends == '\0')
        return "";
    return arena_format(base->memory, " (it %s%s%s)", begins, *begins != '\0' && *ends != '\0' ? " and " : "", ends);
}

static void tell_cause(bleed_judgement *self, const bleed_cause *cause, const spec_limit *limit)
{
    judgement *base = self->base;
    const stem_bleed *bleed = cause->pairs[0];
    double gain_db = bleed_db(bleed->gain);
    bool over = limit != NULL && gain_db > limit->max;
    const char *source = bleed_lane_stem(self, bleed->source);
    const char *host = bleed_lane_stem(self, bleed->host);
    uint32_t rate = base->timeline->sample_rate;
    double low = stem_band_low_hz(cause->first_band, rate);
    double high = stem_band_high_hz(cause->last_band, rate);
    const bleed_nature nature = bleed_nature_of(self, bleed);
    const bool shared = nature.shared;
    const bool mains = nature.mains_hz > 0.0;
    finding *item = judgement_add(base, "stems.bleed",
                                  over && mains                      ? FINDING_NOT_CHECKED
                                  : over                             ? judgement_breach(limit)
                                  : shared || limit != NULL || mains ? FINDING_INFO
                                                                     : FINDING_WARN);
    if (limit != NULL)
        judgement_limits(item, limit);
    judgement_locate(base, item, cause->start_frame, cause->end_frame);
    item->measured = gain_db;
    item->unit = "dB";
    bleed_name_channels(self, cause, true, item);
    finding sources = {.channel_count = 0};
    bleed_name_channels(self, cause, false, &sources);
    item->subject = arena_format(base->memory, "%s %s -> %s", source, finding_channel_names(base->memory, &sources), host);
    const char *delay = bleed->delay_samples == 0
                            ? ""
                            : arena_format(base->memory, ", %.2f ms %s", 1000.0 * abs(bleed->delay_samples) / (double)rate,
                                           bleed->delay_samples > 0 ? "later" : "earlier");
    bool reverb = bleed->delay_samples > BLEED_REVERB_S * rate;
    const char *advice =
        mains ? arena_format(base->memory, "All of it lies in the octave of the mains hum of %.0f Hz that signal.hum tells there: if %s holds the same "
                                   "hum, that is all it is. Listen to %s alone.", nature.mains_hz, host, host)
        : shared   ? "So much is no leak: the same sound is in both stems. See that it is meant."
        : reverb ? arena_format(base->memory, "So late may be a reverb of it: print %s again without, or see that it is meant where %s alone is used "
                                "(an M&E).", host, host)
                 : arena_format(base->memory, "Print %s again without that send.", host);
    const stem_bleed *begin = cause->begins_with;
    const stem_bleed *end = cause->ends_with;
    const char *start_between = between_json(base, "start", begin->start_first, begin->start_frame, begin->start_last);
    const char *end_between = between_json(base, "end", end->end_first, end->end_frame, end->end_last);
    item->message = arena_format(base->memory, "%s%s, %.0f to %.0f Hz, %s%s. %s", bleed_pairs_text(self, cause), delay, low, high,
                                 judgement_stretch(base, cause->start_frame, cause->end_frame), bleed_further_text(base, cause),
                                 advice);
    item->details_json = arena_format(
        base->memory,
        "{\"source\": \"%s %s\", \"gain_db\": %.2f, \"delay_samples\": %d, \"low_hz\": %.0f, \"high_hz\": %.0f, \"score\": %.1f, "
        "\"chance\": %.1f, \"confidence\": %.3f, %s%s\"pairs\": [%s]}",
        source, bleed_lane_channel(self, bleed->source), gain_db, bleed->delay_samples, low, high, bleed->score, bleed->chance,
        1.0 - bleed->chance / bleed->score, start_between, end_between, bleed_pairs_json(self, cause));
}

/* Dialogue that comes into a received programme at another time than its own; the rest of that is judge_stems'. */
static void tell_late_dialogue(bleed_judgement *self, const stem_bleed *bleed)
{
    judgement *base = self->base;
    double gain_db = bleed_db(bleed->gain);
    const spec_limit *limit = judgement_limit(base, "me.dialogue");
    bool over = limit != NULL && !(gain_db <= limit->max);
    finding *item = judgement_add(base, "me.dialogue", over ? judgement_breach(limit) : FINDING_WARN);
    if (limit != NULL)
        judgement_limits(item, limit);
    judgement_locate(base, item, bleed->start_frame, bleed->end_frame);
    item->measured = gain_db;
    item->unit = "dB";
    item->channels[item->channel_count++] = bleed_lane_channel(self, bleed->host);
    item->subject = arena_format(base->memory, "late %s", bleed_lane_stem(self, bleed->source));
    char from[PLACE_TEXT_SIZE];
    judgement_place(base, bleed->start_frame, from);
    item->message = arena_format(base->memory, "%s is in it in %s at %.1f dB and %d samples %s, from %s on. Mute it and print again.",
                                 bleed_lane_stem(self, bleed->source), bleed_lane_channel(self, bleed->host), gain_db,
                                 abs(bleed->delay_samples), bleed->delay_samples > 0 ? "late" : "early", from);
    item->details_json =
        arena_format(base->memory, "{\"fault\": \"extra\", \"source\": \"%s\", \"gain_db\": %.2f, \"delay_samples\": %d, \"confidence\": %.3f}",
                     bleed_lane_stem(self, bleed->source), gain_db, bleed->delay_samples, 1.0 - bleed->chance / bleed->score);
}

static const char *reach_json(arena *memory, double reach)
{
    return reach > 0.0 && !isinf(reach) ? arena_format(memory, "%.1f", bleed_db(reach)) : "null";
}

/* One more pair in a row of a table. */
static const char *add_reach(arena *memory, const char *row, const char *host, double reach)
{
    return arena_format(memory, "%s%s\"%s\": %s", row, row[0] == '\0' ? "" : ", ", host, reach_json(memory, reach));
}

static const char *add_row(arena *memory, const char *rows, const char *source, const char *row)
{
    return row[0] == '\0' ? rows : arena_format(memory, "%s%s\"%s\": {%s}", rows, rows[0] == '\0' ? "" : ", ", source, row);
}

void bleed_add_reach(arena *memory, bleed_reach_sum *sum, const char *source, const char *host, const stem_reach *reach)
{
    if (isinf(reach->most)) {
        const char *half =
            isinf(reach->half) ? "" : arena_format(memory, " (in half of the time from %.1f dB up)", bleed_db(reach->half));
        if (sum->unknown_count++ < UNKNOWN_NAMED)
            sum->unknown =
                arena_format(memory, "%s%s%s in %s%s", sum->unknown, sum->unknown_count > 1 ? ", " : "", source, host, half);
    } else if (reach->most > sum->worst.most || (reach->most >= sum->worst.most && reach->half > sum->worst.half)) {
        sum->worst = *reach;
        sum->source = source;
        sum->host = host;
    }
}

const char *bleed_reach_known(judgement *base, const bleed_reach_sum *sum)
{
    arena *memory = base->memory;
    const char *known = "";
    const char *unknown = "";
    if (sum->worst.most > 0.0)
        known = arena_format(memory, " Worst is %s in %s: one from %.1f dB up would have been found in nine tenths of the time.",
                             sum->source, sum->host, bleed_db(sum->worst.most));
    if (sum->unknown_count > 0)
        unknown = arena_format(memory, " In %" PRIu32 " pair%s the host is too loud: solo it.",
                               sum->unknown_count, sum->unknown_count == 1 ? "" : "s");
    return arena_format(memory, "%s%s", known, unknown);
}

static const char *reach_message(judgement *base, const bleed_reach_sum *sum)
{
    if (sum->worst.most <= 0.0 && sum->unknown_count == 0)
        return "No stem plays where another could hold a leak of it, so nothing is known of leaks between them.";
    return arena_format(base->memory, "Small leaks may be hidden.%s", bleed_reach_known(base, sum));
}

/* The pair of which least is known, and those of which nothing is in nine tenths of the time. */
const char *bleed_reach_details(judgement *base, const bleed_reach_sum *sum)
{
    arena *memory = base->memory;
    const char *worst = "";
    const char *more = sum->unknown_count <= UNKNOWN_NAMED
                           ? ""
                           : arena_format(memory, " and %" PRIu32 " pairs more", sum->unknown_count - UNKNOWN_NAMED);
    if (sum->worst.most > 0.0)
        worst = arena_format(memory,
                             "\"worst_pair\": \"%s in %s\", \"worst_place\": \"%s\", \"worst_db\": %.1f, \"worst_half_db\": %s, "
                             "\"worst_low_db\": %s, \"low_below_hz\": %.0f, ",
                             sum->source, sum->host, judgement_stretch(base, sum->worst.start_frame, sum->worst.end_frame),
                             bleed_db(sum->worst.most), reach_json(memory, sum->worst.half), reach_json(memory, sum->worst.low),
                             stem_band_high_hz(STEM_BANDS_LOW - 1, base->timeline->sample_rate));
    return arena_format(memory, "%s\"host_too_loud\": \"%s%s\"", worst, sum->unknown, more);
}

/* Never "clean": how small a leak between each two stems would have been found. */
static void tell_reach(bleed_judgement *self, const spec_limit *limit)
{
    judgement *base = self->base;
    arena *memory = base->memory;
    const char *most_rows = "";
    const char *half_rows = "";
    const char *low_rows = "";
    bleed_reach_sum sum = {.source = "", .host = "", .unknown = ""};
    for (uint32_t a = 0; a < self->group_count; a++) {
        const char *most_row = "";
        const char *half_row = "";
        const char *low_row = "";
        if (self->stem_of[a] == RENDER_STEM_RECEIVED)
            continue;
        const char *source = base->show->stems[self->stem_of[a]].name;
        for (uint32_t b = 0; b < self->group_count; b++) {
            stem_reach reach;
            if (a == b || self->stem_of[b] == RENDER_STEM_RECEIVED ||
                stem_bleed_reach(&reach, base->facts->stems, a, b) != STATUS_OK)
                continue;
            const char *host = base->show->stems[self->stem_of[b]].name;
            most_row = add_reach(memory, most_row, host, reach.most);
            half_row = add_reach(memory, half_row, host, reach.half);
            low_row = add_reach(memory, low_row, host, reach.low);
            bleed_add_reach(memory, &sum, source, host, &reach);
        }
        most_rows = add_row(memory, most_rows, source, most_row);
        half_rows = add_row(memory, half_rows, source, half_row);
        low_rows = add_row(memory, low_rows, source, low_row);
    }
    if (most_rows[0] == '\0')
        return;
    bool known = sum.worst.most > 0.0 && sum.unknown_count == 0;
    bool short_of = limit != NULL && (sum.unknown_count > 0 || (known && bleed_db(sum.worst.most) > limit->max));
    finding *item = judgement_add(base, "stems.bleed", short_of ? FINDING_NOT_CHECKED : FINDING_INFO);
    if (limit != NULL)
        judgement_limits(item, limit);
    item->subject = "reach";
    item->measured = known ? bleed_db(sum.worst.most) : (double)NAN;
    item->unit = "dB";
    item->message = reach_message(base, &sum);
    item->details_json = arena_format(memory, "{%s, \"reach_db\": {%s}, \"reach_half_db\": {%s}, \"reach_low_db\": {%s}}",
                                      bleed_reach_details(base, &sum), most_rows, half_rows, low_rows);
}

void judge_bleed(judgement *self, const stem_presence *by_stem)
{
    const plan *made = self->facts->plan;
    const stem_programme *stems = self->facts->stems;
    if (self->deliverable->timeline == UINT16_MAX || stems == NULL || stems->cell_count == 0)
        return;
    bleed_judgement *bleed = arena_take(self->memory, sizeof *bleed);
    bleed->base = self;
    bleed->program = &made->programs[self->deliverable->program];
    for (uint32_t i = 0; i < bleed->program->input_count; i++) {
        if (i == 0 || bleed->program->inputs[i].stem != bleed->program->inputs[i - 1].stem) {
            if (bleed->group_count == STEM_GROUPS_MAX)
                return;
            bleed->stem_of[bleed->group_count++] = bleed->program->inputs[i].stem;
        }
        bleed->group_of[i] = (uint8_t)(bleed->group_count - 1);
    }
    bool looked = false;
    for (size_t i = 0; i < stems->cell_count; i++)
        looked = looked || stems->bleed[i].window_count > 0;
    bool before = !judgement_is_first(self);
    const spec_limit *limit = judgement_limit(self, "stems.bleed");
    const spec_limit *dialogue = self->deliverable->rendered ? judgement_limit(self, "me.dialogue") : NULL;
    if (!looked || stem_bleed_find(&bleed->bleeds, stems, bleed->group_of) != STATUS_OK) {
        if (dialogue != NULL)
            judge_dialogue_unknown(self, dialogue, "Dialogue was not looked for in what it is made of: the programme is too short, or has too many stems or channels.");
        if (limit == NULL)
            return;
        finding *item = judgement_add(self, "stems.bleed", FINDING_NOT_CHECKED);
        judgement_limits(item, limit);
        item->message = "Leaks between stems were not looked for: the programme is too short, or has too many stems or channels.";
        return;
    }
    if (dialogue != NULL)
        judge_leaked_dialogue(bleed, dialogue);
    size_t told = 0;
    size_t left_out = bleed->bleeds.dropped;
    for (uint32_t i = 0; i < bleed->bleeds.count; i++) {
        const stem_bleed *item = &bleed->bleeds.items[i];
        if (is_received(bleed, item->host)) {
            uint16_t stem = bleed->program->inputs[item->source].stem;
            if (by_stem != NULL && by_stem[stem] == STEM_ABSENT && self->show->stems[stem].role == ROLE_DIALOGUE)
                tell_late_dialogue(bleed, item);
            continue;
        }
        if (before || bleed->taken[i])
            continue;
        bleed_gather_cause(bleed, i);
        if (told++ < VERDICT_RUNS_MAX)
            tell_cause(bleed, &bleed->cause, limit);
        else
            left_out++;
    }
    judgement_tell_rest(self, "stems.bleed", FINDING_WARN, left_out);
    if (!before)
        tell_reach(bleed, limit);
}
