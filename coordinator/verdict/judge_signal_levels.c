#include "coordinator/verdict/judge_signal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Ours; docs/qc-checks.md says what they find and miss. Windows of 3 s, moved by 1 s: 30 and 10 blocks. */
enum { WINDOW_BLOCKS = 30, STEP_BLOCKS = 10, DC_WINDOWS = 3 };
static const double dc_dbfs_max = -42.0;
static const double dc_steady_db = 2.0;
static const double dc_power_floor = 1e-8;
static const double active_dbfs = -60.0;         /* mean square: below it a pair's correlation says little */
static const double inverted_correlation = -0.9; /* one channel is the other upside down */
static const double leaning_correlation = -0.2;  /* of a whole programme: more side than middle */
static const double phase_correlation = -0.6;    /* of a window */
static const double same_correlation = 0.999995; /* -50 dB of difference */
static const double same_share = 0.98;
enum { LATE_CELLS_MIN = 2 };
static const double noise_dbfs_max = -60.0;
enum { FLOOR_WINDOWS_MIN = 40 }; /* a second apart, of 3 s: 42 s */
static const double empty_dbfs = -90.0;          /* as stems.silent: dither of 16 bits lies below */
static const double used_dbfs = -60.0;

/* Sums of a window of blocks for one pair of channels, or one channel twice. */
typedef struct window_sums {
    uint64_t start, end;
    double frames, left, right, cross;
} window_sums;

static window_sums sum_window(const programme_signal *signal, size_t first, uint32_t left, uint32_t right, uint32_t pair)
{
    window_sums sums = {.start = signal->blocks[first].frame};
    for (size_t b = first; b < first + WINDOW_BLOCKS && b < signal->block_count; b++) {
        const signal_block *block = &signal->blocks[b];
        double frames = block->frame_count;
        sums.frames += frames;
        sums.left += frames * (double)block->energy[left];
        sums.right += frames * (double)block->energy[right];
        sums.cross += pair < SIGNAL_PAIRS_MAX ? frames * (double)block->cross[pair] : 0.0;
        sums.end = block->frame + block->frame_count;
    }
    return sums;
}

static size_t window_count(const programme_signal *signal)
{
    return signal->block_count < WINDOW_BLOCKS ? (signal->block_count > 0)
                                               : (signal->block_count - WINDOW_BLOCKS) / STEP_BLOCKS + 1;
}

/* A stretch of windows over a bound, while it grows. */
typedef struct stretch {
    bool open;
    uint64_t start, end;
    double worst;
    double mono_db; /* of a pair: what its sum is below the power of both, at worst */
} stretch;

/* How much louder (at most +3 dB) or softer two channels are as their sum than as two: 0 dB where they have nothing in common. */
static double mono_change(const window_sums *sums)
{
    return fmax(signal_db((sums->left + sums->right + 2.0 * sums->cross) / (sums->left + sums->right)), -99.0);
}

static void grow_stretch(stretch *self, const window_sums *sums, double value)
{
    if (!self->open)
        *self = (stretch){.open = true, .start = sums->start, .worst = value, .mono_db = 3.0};
    self->end = sums->end;
    self->worst = fmin(self->worst, value);
    self->mono_db = fmin(self->mono_db, mono_change(sums));
}

/* ---- direct current ---- */

/* Windows over the bound with one sign and, within dc_steady_db of their mean, one figure, while they go on. */
typedef struct offset_run {
    size_t count;
    double sum; /* of the signed figures */
    uint64_t start, end;
} offset_run;

/*
 * Direct current of a window, by two means that must agree in sign; the smaller counts. The plain mean of all samples; and
 * the mean of the blocks' means, each weighted by the inverse of its power: loud blocks of asymmetric waves have means
 * of their own, and quiet ones show what is there all the time.
 */
static double offset_of(const programme_signal *signal, size_t first, uint32_t channel)
{
    double sum = 0.0;
    double weights = 0.0;
    double plain = 0.0;
    double frames = 0.0;
    for (size_t b = first; b < first + WINDOW_BLOCKS && b < signal->block_count; b++) {
        const signal_block *block = &signal->blocks[b];
        double offset = (double)block->offset[channel];
        double weight = block->frame_count / (fmax((double)block->energy[channel] - offset * offset, 0.0) + dc_power_floor);
        sum += weight * offset;
        weights += weight;
        plain += block->frame_count * offset;
        frames += block->frame_count;
    }
    double quiet = weights > 0.0 ? sum / weights : 0.0;
    plain = frames > 0.0 ? plain / frames : 0.0;
    if (quiet * plain <= 0.0)
        return 0.0;
    return fabs(quiet) < fabs(plain) ? quiet : plain;
}

static void tell_dc(judgement *self, signal_rule *rule, uint32_t channel, offset_run *run, size_t least)
{
    offset_run found = *run;
    *run = (offset_run){0};
    if (found.count < least || found.count == 0)
        return;
    double offset = found.sum / (double)found.count;
    double level = measure_db(fabs(offset));
    finding *item = signal_tell(self, rule, channel, found.start, found.end, level, "dBFS");
    if (item == NULL)
        return;
    item->details_json = arena_format(self->memory, "{\"offset_of_full_scale\": %.6f}", offset);
    item->message = arena_format(self->memory, "%s carries direct current of %.1f dBFS %s. Put a high-pass filter of 10 to 20 Hz on it, or repair the converter it came through.",
                                 item->channels[0], level, judgement_stretch(self, found.start, found.end));
}

static void judge_dc(judgement *self, const programme_signal *signal)
{
    signal_rule rule = signal_rule_of(self, "signal.dc", dc_dbfs_max, true, FINDING_WARN);
    uint32_t channels = channel_layout_get(self->deliverable->layout)->channel_count;
    /* Within less than a window, a thump has a mean too. */
    size_t windows = signal->block_count >= WINDOW_BLOCKS ? window_count(signal) : 0;
    size_t least = windows < DC_WINDOWS ? windows : DC_WINDOWS;
    for (uint32_t c = 0; c < channels; c++) {
        offset_run run = {0};
        for (size_t w = 0; w < windows; w++) {
            double offset = offset_of(signal, w * STEP_BLOCKS, c);
            double mean = run.count == 0 ? offset : run.sum / (double)run.count;
            bool over = measure_db(fabs(offset)) > rule.bound;
            if (!over || offset * mean < 0.0 || fabs(measure_db(fabs(offset)) - measure_db(fabs(mean))) > dc_steady_db)
                tell_dc(self, &rule, c, &run, least);
            if (!over)
                continue;
            window_sums place = sum_window(signal, w * STEP_BLOCKS, c, c, SIGNAL_PAIRS_MAX);
            run.start = run.count == 0 ? place.start : run.start;
            run.end = place.end;
            run.sum += offset;
            run.count++;
        }
        tell_dc(self, &rule, c, &run, least);
    }
    signal_rule_close(self, &rule);
}

/* ---- pairs ---- */

/* What one reel's stretches of a pair have in common. */
typedef struct pair_places {
    finding_stretches all;
    double worst, mono_db;
    bool inverted, wide; /* what their windows are */
} pair_places;

typedef struct pair_judgement {
    const programme_signal *signal;
    uint32_t pair, left;
    signal_rule *polarity, *phase;
    finding_stretches turned; /* told already */
    stretch against;    /* windows below the bound of either */
    bool inverted, wide; /* what the windows of that stretch are */
    int32_t reel;
    pair_places places; /* of that reel */
    uint64_t told;      /* frames of all stretches that stand for the whole */
    size_t active, same;
    window_sums total;
    uint64_t first, last;
} pair_judgement;

static finding *tell_pair(judgement *self, signal_rule *rule, uint32_t left, uint64_t start, uint64_t end, double correlation,
                          double mono_db, const char *places)
{
    finding *item = signal_tell(self, rule, left, start, end, correlation, "");
    if (item == NULL)
        return NULL;
    item->channels[item->channel_count++] = signal_channel_name(self, left + 1);
    item->details_json = arena_format(self->memory, "{\"mono_change_db\": %.1f%s}", mono_db, places);
    return item;
}

static void tell_places(judgement *self, const pair_judgement *pair, signal_rule *rule)
{
    const pair_places *found = &pair->places;
    const finding_stretches *all = &found->all;
    finding *item = tell_pair(self, rule, pair->left, all->items[0].start, all->items[all->count - 1].end, found->worst,
                              found->mono_db, arena_format(self->memory, ", %s", finding_stretches_json(self, all)));
    if (item == NULL)
        return;
    if (all->count > 1) /* a waiver covers no others that come between the same ends */
        item->subject = arena_format(self->memory, "%zu places", all->count);
    bool mixed = found->inverted && found->wide;
    item->message = arena_format(self->memory, found->inverted ? "%s and %s are%s the same sound with opposite polarity (correlation %.2f%s) %s: in mono it loses up to %.1f dB. Turn the polarity of one of them there."
                                                               : "%s and %s are%s largely out of phase (correlation %.2f%s) %s: in mono it loses up to %.1f dB. Listen there in mono, and check the wiring, the delay and any widening.",
                                 item->channels[0], item->channels[1], mixed ? " mostly" : "", item->measured, mixed ? " at worst" : "",
                                 finding_stretches_text(self, all), -found->mono_db);
}

/* One channel upside down is one cause, though its windows lie now above and now below what makes them the same sound. */
static void tell_reel(judgement *self, pair_judgement *pair)
{
    const pair_places *found = &pair->places;
    bool any = found->all.count > 0;
    bool breaks = pair->phase->limit != NULL && found->worst < pair->phase->bound; /* what a spec limits is told by its name */
    if (any && (breaks || !found->inverted))
        tell_places(self, pair, pair->phase);
    if (any && found->inverted && (!breaks || pair->polarity->limit != NULL))
        tell_places(self, pair, pair->polarity);
    pair->places = (pair_places){0};
}

static void end_stretch(judgement *self, pair_judgement *pair)
{
    stretch *found = &pair->against;
    if (!found->open)
        return;
    found->open = false;
    int32_t reel = judgement_reel(self, found->start);
    if (reel != pair->reel)
        tell_reel(self, pair);
    pair->reel = reel;
    pair_places *places = &pair->places;
    bool first = places->all.count == 0;
    finding_stretches_add(self, &places->all, found->start, found->end);
    places->worst = first ? found->worst : fmin(places->worst, found->worst);
    places->mono_db = first ? found->mono_db : fmin(places->mono_db, found->mono_db);
    places->inverted = places->inverted || pair->inverted;
    places->wide = places->wide || pair->wide;
    if (pair->inverted || pair->polarity->limit == NULL)
        pair->told += found->end - found->start;
    pair->inverted = pair->wide = false;
}

static bool is_told(const pair_judgement *pair, const window_sums *sums)
{
    for (size_t i = 0; i < pair->turned.count; i++)
        if (pair->turned.items[i].start < sums->end && sums->start < pair->turned.items[i].end)
            return true;
    return false;
}

static void judge_window(judgement *self, pair_judgement *pair, const window_sums *sums)
{
    double floor = pow(10.0, active_dbfs / 10.0) * sums->frames;
    bool active = sums->left > floor && sums->right > floor && !is_told(pair, sums);
    double correlation = active ? sums->cross / sqrt(sums->left * sums->right) : 0.0;
    if (active) {
        pair->first = pair->active == 0 ? sums->start : pair->first;
        pair->last = sums->end;
        pair->active++;
        pair->same += correlation > same_correlation;
        pair->total.left += sums->left;
        pair->total.right += sums->right;
        pair->total.cross += sums->cross;
    }
    bool inverted = active && correlation <= inverted_correlation;
    bool wide = active && !inverted && correlation < pair->phase->bound;
    if (!inverted && !wide) {
        end_stretch(self, pair);
        return;
    }
    grow_stretch(&pair->against, sums, correlation);
    pair->inverted = pair->inverted || inverted;
    pair->wide = pair->wide || wide;
}

/*
 * More difference than sum over the whole programme: one side was turned around where the channels are not alike. What was told of
 * half of it or more says so already.
 */
static void judge_leaning(judgement *self, pair_judgement *pair)
{
    double correlation = pair->total.cross / sqrt(pair->total.left * pair->total.right);
    if (pair->active < 10 || correlation > pair->polarity->bound || correlation <= inverted_correlation ||
        pair->told * 2 >= pair->last - pair->first)
        return;
    double mono_db = mono_change(&pair->total);
    finding *item = tell_pair(self, pair->polarity, pair->left, pair->first, pair->last, correlation, mono_db, "");
    if (item != NULL)
        item->message = arena_format(self->memory, "%s and %s differ more than they agree from beginning to end (correlation %.2f; the programme is %.1f dB softer in mono). Listen in mono; one of them may have the wrong polarity.",
                                     item->channels[0], item->channels[1], correlation, -mono_db);
}

/* Samples by which right is the same as left, but later, in nearly all cells that sound; 0: it is not, or at once. */
static int lateness_of(const programme_signal *signal)
{
    size_t heard = 0, same = 0;
    int lag = 0;
    for (size_t i = 0; i < signal->cell_count; i++) {
        const signal_cell *cell = &signal->cells[i];
        if (cell->late_rest >= 1.0f)
            continue;
        lag = heard++ == 0 ? cell->late_lag : lag;
        same += cell->late_lag == lag && (double)cell->late_rest < 1.0 - same_correlation * same_correlation;
    }
    return heard >= LATE_CELLS_MIN && (double)same >= same_share * (double)heard ? lag : 0;
}

static void tell_late(judgement *self, const pair_judgement *pair, signal_rule *rule, int lag)
{
    finding *item = signal_tell(self, rule, 0, pair->first, pair->last, signal_db(pair->total.left / pair->total.right), "dB");
    item->channels[item->channel_count++] = signal_channel_name(self, 1);
    item->details_json = arena_format(self->memory, "{\"offset_samples\": %d}", lag);
    item->message = arena_format(self->memory, "%s is %s %d sample%s later: the programme is mono in two channels, and in mono it loses treble. Check that one channel was not replaced by the other.",
                                 lag > 0 ? "R" : "L", lag > 0 ? "L" : "R", abs(lag), abs(lag) == 1 ? "" : "s");
}

static void judge_same(judgement *self, const pair_judgement *pair)
{
    const spec_limit *limit = judgement_limit(self, "signal.dual_mono");
    if (self->deliverable->layout != LAYOUT_STEREO || pair->active == 0)
        return;
    const int lag = lateness_of(pair->signal);
    if (lag == 0 && (double)pair->same < same_share * (double)pair->active)
        return;
    bool meant = limit == NULL && signal_holds_one_role(self);
    signal_rule rule = signal_rule_of(self, "signal.dual_mono", 0.0, true, meant ? FINDING_INFO : FINDING_WARN);
    if (lag != 0) {
        tell_late(self, pair, &rule, lag);
        return;
    }
    double level = signal_db(pair->total.left / pair->total.right);
    finding *item = signal_tell(self, &rule, 0, pair->first, pair->last, level, "dB");
    item->channels[item->channel_count++] = signal_channel_name(self, 1);
    item->message = arena_format(self->memory, "L and R are the same sound (L is %.2f dB above R): the programme is mono in two channels. Check that the right channel was not replaced by the left.",
                                 level);
}

static void judge_pairs(judgement *self, const programme_signal *signal)
{
    signal_rule polarity = signal_rule_of(self, "signal.polarity", leaning_correlation, false, FINDING_WARN);
    signal_rule phase = signal_rule_of(self, "signal.phase", phase_correlation, false, FINDING_WARN);
    uint8_t pairs[SIGNAL_PAIRS_MAX];
    uint32_t pair_count = cell_signal_pairs((uint8_t)self->deliverable->layout, pairs);
    for (uint32_t p = 0; p < pair_count; p++) {
        pair_judgement pair = {.signal = signal, .pair = p, .left = pairs[p], .polarity = &polarity, .phase = &phase,
                                .reel = INT32_MIN};
        if (phase.limit == NULL) /* what a spec limits is told by its name */
            pair.turned = judge_signal_turns(self, &polarity, signal, pair.left, p);
        for (size_t w = 0; w < window_count(signal); w++) {
            window_sums sums = sum_window(signal, w * STEP_BLOCKS, pair.left, pair.left + 1u, p);
            judge_window(self, &pair, &sums);
        }
        end_stretch(self, &pair);
        tell_reel(self, &pair);
        judge_leaning(self, &pair);
        if (p == 0)
            judge_same(self, &pair);
    }
    signal_rule_close(self, &polarity);
    signal_rule_close(self, &phase);
}

/* ---- Lt/Rt ---- */

/* Made so, or called so: "NT_LtRt.wav", "NT Lt-Rt.wav". */
static bool is_matrix_encoded(const judgement *self)
{
    const recipe *made_by = self->show->deliverables[self->facts->deliverable].recipe;
    bool encoded = false;
    for (uint32_t i = 0; made_by != NULL && i < made_by->fold_count; i++)
        encoded = encoded || made_by->folds[i].phase_90;
    for (uint32_t i = 0; !self->deliverable->rendered && i < self->deliverable->input_count; i++) {
        const char *name = self->facts->plan->inputs.items[self->deliverable->first_input + i].display;
        const char *file = strrchr(name, '/');
        char letters[8] = "";
        for (name = file == NULL ? name : file + 1; *name != '\0' && !encoded; name++) {
            if (strchr(" _-.", *name) != NULL)
                continue;
            memmove(letters, letters + 1, 3);
            letters[3] = (char)(*name >= 'A' && *name <= 'Z' ? *name - 'A' + 'a' : *name);
            encoded = memcmp(letters, "ltrt", 4) == 0;
        }
    }
    return encoded && self->deliverable->layout == LAYOUT_STEREO;
}

void judgement_matrix_encoded(judgement *self)
{
    const programme_signal *signal = programme_measure_signal(self->facts->measure);
    if (signal == NULL || (signal->groups & SIGNAL_GROUP_SOUND) == 0)
        return;
    window_sums all = {0};
    for (size_t b = 0; b < signal->block_count; b += WINDOW_BLOCKS) {
        window_sums sums = sum_window(signal, b, 0, 1, 0);
        all.left += sums.left;
        all.right += sums.right;
        all.cross += sums.cross;
    }
    if (all.cross < leaning_correlation * sqrt(all.left * all.right))
        return; /* no surround outweighs all that is in front: one of the two is upside down */
    for (size_t i = 0; i < self->verdict->findings.count; i++) {
        finding *item = &self->verdict->findings.items[i];
        bool pair = strcmp(item->check, "signal.phase") == 0 || strcmp(item->check, "signal.polarity") == 0;
        if (!pair || item->rule != NULL || item->severity != FINDING_WARN)
            continue;
        item->severity = FINDING_INFO;
        item->message = arena_format(self->memory, "L and R go against each other (correlation %.2f) %s: in an Lt/Rt that is the surround, which lies in both with opposite polarity. Nothing to do, unless it is heard in the wrong place behind a decoder.",
                                     item->measured, judgement_stretch(self, item->start_sample, item->end_sample));
    }
}

/* ---- the floor ---- */

/*
 * The quietest 3 s that hold anything. Noise that runs through a programme makes many windows equally quiet; the floor is
 * told only where a twentieth of them lies within 1 dB of the quietest.
 */
static void judge_floor(judgement *self, const programme_signal *signal)
{
    signal_rule rule = signal_rule_of(self, "signal.noise", noise_dbfs_max, true, FINDING_INFO);
    uint32_t channels = channel_layout_get(self->deliverable->layout)->channel_count;
    size_t windows = window_count(signal);
    if (windows < FLOOR_WINDOWS_MIN)
        judgement_cannot(self, "signal.noise", "Its floor", "it is shorter than 42 s");
    for (uint32_t c = 0; c < channels && windows >= FLOOR_WINDOWS_MIN; c++) {
        double lowest = (double)INFINITY;
        window_sums place = {0};
        for (size_t w = 0; w < windows; w++) {
            window_sums sums = sum_window(signal, w * STEP_BLOCKS, c, c, SIGNAL_PAIRS_MAX);
            double level = signal_db(sums.left / sums.frames);
            if (isfinite(level) && level < lowest) {
                lowest = level;
                place = sums;
            }
        }
        size_t near_count = 0;
        for (size_t w = 0; w < windows; w++) {
            window_sums sums = sum_window(signal, w * STEP_BLOCKS, c, c, SIGNAL_PAIRS_MAX);
            near_count += signal_db(sums.left / sums.frames) < lowest + 1.0;
        }
        if (!isfinite(lowest) || !(lowest > rule.bound) || near_count * 20 < windows)
            continue;
        finding *item = signal_tell(self, &rule, c, place.start, place.end, lowest, "dBFS");
        if (item != NULL)
            item->message = arena_format(self->memory, "%s never falls below %.1f dBFS: an even floor of noise or ambience lies under it. If it is not meant, look for the noisiest source.",
                                         item->channels[0], lowest);
    }
    signal_rule_close(self, &rule);
}

/* ---- empty channels ---- */

/* Channels without a single sample, where others have sound: worth knowing, and often meant. */
static void tell_empty(judgement *self, const programme_signal *signal)
{
    const channel_layout *layout = channel_layout_get(self->deliverable->layout);
    finding *item = NULL;
    const char *names = "";
    uint32_t empty = 0;
    for (uint32_t c = 0; c < layout->channel_count; c++) {
        uint64_t bits = 0;
        for (size_t i = 0; i < signal->cell_count; i++)
            bits |= signal->cells[i].bits[c];
        if (bits != 0)
            continue;
        names = arena_format(self->memory, "%s%s%s", names, empty++ > 0 ? ", " : "", signal_channel_name(self, c));
    }
    if (empty == 0 || empty == layout->channel_count)
        return;
    bool lfe_alone = strcmp(names, "LFE") == 0;
    item = judgement_add(self, lfe_alone ? "signal.lfe" : "signal.silence", FINDING_INFO);
    item->message = arena_format(self->memory, "%s %s empty from beginning to end. If that is not meant, look for a muted track.",
                                 names, empty == 1 ? "is" : "are");
}

/* A channel without sound from one end of a reel to the other that has it in another reel. */
static void tell_empty_reel(judgement *self, uint32_t channel, uint16_t reel, uint64_t start, uint64_t end, const char *others)
{
    bool lfe = channel_layout_get(self->deliverable->layout)->labels[channel] == CHANNEL_LFE;
    signal_rule rule = {.check = lfe ? "signal.lfe" : "signal.silence", .severity = lfe ? FINDING_WARN : FINDING_INFO};
    finding *item = signal_tell(self, &rule, channel, start, end, (double)NAN, "");
    item->subject = "empty reel";
    item->message = arena_format(self->memory, "%s is empty in all of reel %s, and has sound in %s. If that is not meant, look for a muted track or a file of that reel without it.",
                                 item->channels[0], self->show->reels[reel].name, others);
}

static void judge_reels(judgement *self, const programme_signal *signal)
{
    uint32_t channels = channel_layout_get(self->deliverable->layout)->channel_count;
    uint32_t pieces = self->timeline->piece_count;
    double *loudest = arena_take_array(self->memory, (size_t)pieces * channels + 1, sizeof *loudest);
    memset(loudest, 0, ((size_t)pieces * channels + 1) * sizeof *loudest);
    for (uint32_t p = 0; p < pieces; p++) {
        const plan_piece *piece = &self->timeline->pieces[p];
        if (piece->spans_reels)
            return;
        for (size_t b = 0; b < signal->block_count; b++)
            if (signal->blocks[b].frame >= piece->programme_frame &&
                signal->blocks[b].frame < piece->programme_frame + piece->frame_count)
                for (uint32_t c = 0; c < channels; c++)
                    loudest[p * channels + c] = fmax(loudest[p * channels + c], (double)signal->blocks[b].energy[c]);
    }
    for (uint32_t c = 0; c < channels; c++) {
        const char *others = "";
        for (uint32_t p = 0; p < pieces; p++)
            if (signal_db(loudest[p * channels + c]) > used_dbfs)
                others = arena_format(self->memory, "%s%s%s", others, others[0] == '\0' ? "" : ", ",
                                      self->show->reels[self->timeline->pieces[p].reel].name);
        for (uint32_t p = 0; p < pieces && others[0] != '\0'; p++) {
            const plan_piece *piece = &self->timeline->pieces[p];
            bool plays = false; /* a reel of silence is told as that */
            for (uint32_t k = 0; k < channels; k++)
                plays = plays || signal_db(loudest[p * channels + k]) > used_dbfs;
            if (plays && signal_db(loudest[p * channels + c]) < empty_dbfs)
                tell_empty_reel(self, c, piece->reel, piece->programme_frame, piece->programme_frame + piece->frame_count, others);
        }
    }
}

void judge_signal_levels(judgement *self, const programme_signal *signal)
{
    judge_dc(self, signal);
    judge_pairs(self, signal);
    if (is_matrix_encoded(self))
        judgement_matrix_encoded(self);
    judge_floor(self, signal);
    tell_empty(self, signal);
    judge_reels(self, signal);
}
