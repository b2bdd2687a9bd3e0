#include "coordinator/verdict/judge_signal.h"

#include <math.h>
#include <string.h>

/* Ours; docs/qc-checks.md says what they find and miss. */
static const double lfe_above_hz = 500.0;      /* two octaves over its band: a filter of 24 dB per octave left nothing there */
static const double lfe_share_db_max = -15.0;  /* of its energy */
static const double lfe_level_dbfs = -60.0;    /* of what lies above */
static const double lfe_high_db_max = -12.0;   /* of its energy, from 150 to 210 Hz; 24 dB per octave from 120 Hz on leave -17 */
static const double lfe_high_lines = 56.0;     /* that a window of a mains stretch would need for these 60 Hz */
enum { LFE_STRETCHES_MIN = 6 };                /* about 10 s */
static const double full_share_db = -6.0;      /* a channel of ordinary sound has at least this share above */
static const double low_share_db = -30.0;      /* a low-frequency channel at most this */

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

static void tell_lfe(judgement *self, signal_rule *rule, uint32_t lfe, const finding_stretches *all, double worst)
{
    if (all->count == 0)
        return;
    finding *item = signal_tell(self, rule, lfe, all->items[0].start, all->items[all->count - 1].end, worst, "dB");
    if (item == NULL)
        return;
    item->details_json = arena_format(self->memory, "{%s}", finding_stretches_json(self, all));
    item->message = arena_format(self->memory, "The LFE holds sound above %.0f Hz (up to %.1f dB of its energy) %s. Low-pass it at 120 Hz, 24 dB per octave, and check that it is the LFE.",
                                 lfe_above_hz, worst, finding_stretches_text(self, all));
}

/* The cells that break the bound, as one finding for each reel. */
static void judge_lfe(judgement *self, const programme_signal *signal, uint32_t lfe, double width_hz)
{
    signal_rule rule = signal_rule_of(self, "signal.lfe", lfe_share_db_max, true, FINDING_WARN);
    double level = pow(10.0, lfe_level_dbfs / 10.0);
    finding_stretches all = {0};
    double worst = -(double)INFINITY;
    for (size_t i = 0; i < signal->cell_count; i++) {
        const signal_cell *cell = &signal->cells[i];
        share now = share_of(cell, lfe, width_hz);
        double over = now.above > level ? signal_db(now.above / now.all) : -(double)INFINITY;
        if (!(over > rule.bound))
            continue;
        if (all.count > 0 && judgement_reel(self, cell->frame) != judgement_reel(self, all.items[0].start)) {
            tell_lfe(self, &rule, lfe, &all, worst);
            all.count = 0;
            worst = -(double)INFINITY;
        }
        worst = fmax(worst, over);
        finding_stretches_add(self, &all, cell->frame, cell->frame + cell->frame_count);
    }
    tell_lfe(self, &rule, lfe, &all, worst);
    signal_rule_close(self, &rule);
}

/* What lies just above the band of the LFE in a reel, by what is beside 150 and 180 Hz: a tone stands beside one alone. */
static void tell_open_lfe(judgement *self, signal_rule *rule, uint32_t lfe, const programme_signal *signal, size_t first,
                          size_t last)
{
    const uint64_t start = signal->hums[first].frame, end = signal->hums[last].frame + signal->hums[last].frame_count;
    double beside_150 = 0.0, beside_180 = 0.0, all = 0.0, frames = 0.0;
    for (size_t i = first; i <= last; i++) {
        const float *beside = signal->hums[i].power[lfe][1];
        beside_150 += (double)beside[2];
        beside_180 += (double)beside[5];
    }
    for (size_t b = 0; b < signal->block_count; b++)
        if (signal->blocks[b].frame >= start && signal->blocks[b].frame < end) {
            all += (double)signal->blocks[b].energy[lfe] * signal->blocks[b].frame_count;
            frames += signal->blocks[b].frame_count;
        }
    const size_t count = last - first + 1;
    const double high = lfe_high_lines * fmin(beside_150, beside_180) / (double)count;
    const double share_db = signal_db(high * frames / all);
    if (count < LFE_STRETCHES_MIN || !(signal_db(high) > lfe_level_dbfs && share_db > lfe_high_db_max))
        return;
    finding *item = signal_tell(self, rule, lfe, start, end, share_db, "dB");
    if (item == NULL)
        return;
    item->subject = "low-pass";
    item->message = arena_format(self->memory, "The LFE holds sound above its band %s: about %.0f dB of its energy lies between 150 and 210 Hz, where a low-pass at 120 Hz leaves some -17 dB. Low-pass it at 120 Hz, 24 dB per octave.",
                                 judgement_stretch(self, start, end), share_db);
}

/* An LFE that was never low-passed may hold no ordinary sound. Reel by reel; what is told already of a reel says more. */
static void judge_open_lfe(judgement *self, const programme_signal *signal, uint32_t lfe)
{
    signal_rule rule = {.check = "signal.lfe", .severity = FINDING_WARN}; /* a spec limits the share above 500 Hz */
    const size_t told = self->verdict->findings.count;
    for (size_t first = 0, last = 0; first < signal->hum_count; first = last + 1) {
        const int32_t reel = judgement_reel(self, signal->hums[first].frame);
        for (last = first; last + 1 < signal->hum_count && judgement_reel(self, signal->hums[last + 1].frame) == reel;)
            last++;
        bool known = false;
        for (size_t i = 0; i < told; i++)
            known = known || (strcmp(self->verdict->findings.items[i].check, "signal.lfe") == 0 &&
                              self->verdict->findings.items[i].has_range && self->verdict->findings.items[i].reel == reel);
        if (!known)
            tell_open_lfe(self, &rule, lfe, signal, first, last);
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
    judge_open_lfe(self, signal, (uint32_t)lfe);
    judge_swap(self, signal, (uint32_t)lfe, width_hz);
}
