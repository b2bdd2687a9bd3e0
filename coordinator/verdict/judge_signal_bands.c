#include "coordinator/verdict/judge_signal.h"

#include <math.h>

/* Ours; docs/qc-checks.md says what they find and miss. */
static const double lfe_above_hz = 500.0;      /* two octaves over its band: a filter of 24 dB per octave left nothing there */
static const double lfe_share_db_max = -15.0;  /* of its energy */
static const double lfe_level_dbfs = -60.0;    /* of what lies above */
static const double full_share_db = -6.0;      /* a channel of ordinary sound has at least this share above */
static const double low_share_db = -30.0;      /* a low-frequency channel at most this */
static const double hum_level_dbfs = -65.0;
static const double hum_over_neighbours_db = 10.0;
static const double hum_steady_db = 2.0;
enum { HUM_STRETCHES_MIN = 6 };                /* about 10 s */

/* Width of a band in Hz, or 0 where no spectrum was taken. */
static double band_hz(const judgement *self, const programme_signal *signal)
{
    double sum = 0.0;
    uint32_t channels = channel_layout_get(self->deliverable->layout)->channel_count;
    for (size_t i = 0; i < signal->cell_count; i++)
        for (uint32_t c = 0; c < channels; c++)
            for (uint32_t k = 0; k < SIGNAL_BANDS; k++)
                sum += (double)signal->cells[i].spectrum[c][k];
    return sum > 0.0 ? (double)self->timeline->sample_rate / (2 * SIGNAL_BANDS) : 0.0;
}

/* Power above a frequency and in all. */
typedef struct share {
    double above, all;
} share;

static share share_of(const signal_cell *cell, uint32_t channel, double width_hz)
{
    share out = {0};
    for (uint32_t k = 0; k < SIGNAL_BANDS; k++) {
        out.all += (double)cell->spectrum[channel][k];
        if (k * width_hz >= lfe_above_hz)
            out.above += (double)cell->spectrum[channel][k];
    }
    return out;
}

/* ---- the LFE ---- */

static void tell_lfe(judgement *self, signal_rule *rule, uint32_t lfe, uint64_t start, uint64_t end, double worst)
{
    finding *item = signal_tell(self, rule, lfe, start, end, worst, "dB");
    char place[PLACE_TEXT_SIZE];
    judgement_place(self, start, place);
    if (item != NULL)
        item->message = arena_format(self->memory, "The LFE holds sound above %.0f Hz from %s on (%.1f dB of its energy). Low-pass it at 120 Hz, 24 dB per octave, and check that it is the LFE.",
                                     lfe_above_hz, place, worst);
}

static void judge_lfe(judgement *self, const programme_signal *signal, uint32_t lfe, double width_hz)
{
    signal_rule rule = signal_rule_of(self, "signal.lfe", lfe_share_db_max, true, FINDING_WARN);
    double level = pow(10.0, lfe_level_dbfs / 10.0);
    size_t first = 0; /* + 1: of a stretch of cells that break the bound */
    double worst = 0.0;
    for (size_t i = 0; i <= signal->cell_count; i++) {
        share now = i < signal->cell_count ? share_of(&signal->cells[i], lfe, width_hz) : (share){0};
        double over = now.above > level ? signal_db(now.above / now.all) : -(double)INFINITY;
        if (over > rule.bound) {
            worst = first == 0 ? over : fmax(worst, over);
            first = first == 0 ? i + 1 : first;
        } else if (first > 0) {
            const signal_cell *last = &signal->cells[i - 1];
            tell_lfe(self, &rule, lfe, signal->cells[first - 1].frame, last->frame + last->frame_count, worst);
            first = 0;
        }
    }
    signal_rule_close(self, &rule);
}

/* Ordinary sound where the LFE belongs, and only low frequencies somewhere else: the order of the channels is wrong. */
static void judge_swap(judgement *self, const programme_signal *signal, uint32_t lfe, double width_hz)
{
    const channel_layout *layout = channel_layout_get(self->deliverable->layout);
    signal_rule rule = signal_rule_of(self, "signal.channel_swap", 0.0, true, FINDING_WARN);
    share shares[LAYOUT_CHANNELS_MAX] = {0};
    for (size_t i = 0; i < signal->cell_count; i++)
        for (uint32_t c = 0; c < layout->channel_count; c++) {
            share now = share_of(&signal->cells[i], c, width_hz);
            shares[c].above += now.above;
            shares[c].all += now.all;
        }
    double floor = pow(10.0, lfe_level_dbfs / 10.0) * (double)signal->cell_count;
    if (!(shares[lfe].all > floor) || signal_db(shares[lfe].above / shares[lfe].all) < full_share_db)
        return;
    for (uint32_t c = 0; c < layout->channel_count; c++) {
        if (c == lfe || !(shares[c].all > floor) || signal_db(shares[c].above / shares[c].all) > low_share_db)
            continue;
        finding *item = signal_tell(self, &rule, lfe, 0, self->timeline->frame_count,
                                    signal_db(shares[lfe].above / shares[lfe].all), "dB");
        if (item == NULL)
            return;
        const char *name = signal_channel_name(self, c);
        item->channels[item->channel_count++] = name;
        item->details_json = arena_format(self->memory, "{\"source\": \"%s\"}", name);
        item->message = arena_format(self->memory, "The LFE holds ordinary sound, and %s holds only low frequencies: the channels are in another order than stated (film order has the LFE last). Give the right order, or export again.",
                                     name);
        return;
    }
}

/* ---- hum ---- */

typedef struct hum_run {
    size_t first, count;
    double sum_db;
} hum_run;

static void tell_hum(judgement *self, signal_rule *rule, const programme_signal *signal, uint32_t channel, double hertz,
                     const hum_run *run)
{
    double level = run->count > 0 ? run->sum_db / (double)run->count : -(double)INFINITY;
    if (run->count < HUM_STRETCHES_MIN || !(level > rule->bound))
        return;
    const signal_hum *first = &signal->hums[run->first];
    const signal_hum *last = &signal->hums[run->first + run->count - 1];
    finding *item = signal_tell(self, rule, channel, first->frame, last->frame + last->frame_count, level, "dBFS");
    if (item == NULL)
        return;
    char place[PLACE_TEXT_SIZE];
    judgement_place(self, first->frame, place);
    item->details_json = arena_format(self->memory, "{\"frequency_hz\": %.0f}", hertz);
    item->message = arena_format(self->memory, "Hum of %.0f Hz at %.1f dBFS in %s from %s on, for %.0f s: a steady line of the mains. Notch it out, or find the ground loop.",
                                 hertz, level, item->channels[0], place,
                                 (double)(item->end_sample - item->start_sample) / self->timeline->sample_rate);
}

static void judge_line(judgement *self, signal_rule *rule, const programme_signal *signal, uint32_t channel, uint32_t line)
{
    static const double hertz[SIGNAL_HUM_LINES] = {50.0, 100.0, 150.0, 60.0, 120.0, 180.0};
    double ratio = pow(10.0, hum_over_neighbours_db / 10.0);
    hum_run run = {0};
    for (size_t i = 0; i < signal->hum_count; i++) {
        const signal_hum *hum = &signal->hums[i];
        double power = (double)hum->power[channel][0][line];
        double level = signal_db(2.0 * power); /* of a full-scale sine */
        bool stands = power > ratio * (double)hum->power[channel][1][line];
        bool steady = stands && (run.count == 0 || fabs(level - run.sum_db / (double)run.count) <= hum_steady_db);
        if (!steady) {
            tell_hum(self, rule, signal, channel, hertz[line], &run);
            run = (hum_run){.first = i};
        }
        if (stands) {
            run.count++;
            run.sum_db += level;
        } else {
            run.first = i + 1;
        }
    }
    tell_hum(self, rule, signal, channel, hertz[line], &run);
}

void judge_signal_hum(judgement *self, const programme_signal *signal)
{
    uint32_t channels = channel_layout_get(self->deliverable->layout)->channel_count;
    signal_rule hum = signal_rule_of(self, "signal.hum", hum_level_dbfs, true, FINDING_WARN);
    for (uint32_t c = 0; c < channels; c++)
        for (uint32_t line = 0; line < SIGNAL_HUM_LINES; line++)
            judge_line(self, &hum, signal, c, line);
    signal_rule_close(self, &hum);
    if (signal->hum_count < HUM_STRETCHES_MIN)
        signal_unjudged(self, "signal.hum", "the programme is too short to tell a steady line");
}

void judge_signal_bands(judgement *self, const programme_signal *signal)
{
    int lfe = channel_layout_index(self->deliverable->layout, CHANNEL_LFE);
    if (lfe < 0)
        return;
    double width_hz = band_hz(self, signal);
    if (width_hz == 0.0) {
        signal_unjudged(self, "signal.lfe", "the programme is silent, or its rate too low for a spectrum");
        signal_unjudged(self, "signal.channel_swap", "the programme is silent, or its rate too low for a spectrum");
        return;
    }
    judge_lfe(self, signal, (uint32_t)lfe, width_hz);
    judge_swap(self, signal, (uint32_t)lfe, width_hz);
}
