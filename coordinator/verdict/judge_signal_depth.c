#include "coordinator/verdict/finding_places.h"
#include "coordinator/verdict/judge_signal.h"

#include <math.h>

/* A cliff in the spectrum: this much within two bands, and nothing behind it. docs/qc-checks.md, format.upsampled. */
static const double cliff_db = 30.0;
static const double cliff_level_db = -110.0; /* mean power of a band before it */
static const double cliff_hz_min = 3000.0;
static const double cliff_share_max = 0.955; /* of half the rate: behind that lies any converter's own filter */
/* Between the edges of 32 kHz and 44.1 kHz material no rate ends: what does is a codec's low-pass. */
static const double lossy_hz_min = 16350.0;
static const double lossy_hz_max = 19400.0;
static const double grid_bits_min = 0.25; /* by chance four transforms have less than 0.15 in the mean */
/* The mirrored band behind a rate converter's lax filter ends in a cliff too, but slopes down to it. */
static const double slope_db_max = 15.0;
/*
 * An image is decided against chance: the square of a mirror's sum over a reel is 1 in the mean without one, and beyond x with
 * the probability e^-x. What turns with other rates as well is periodic, and no image.
 */
static const double image_chance_min = 25.0;
static const double image_others_max = 0.25;
enum { BEFORE_BANDS = 4, EDGE_BANDS = 2, SLOPE_BANDS = 16, FINER_BITS = 33 };

/* Bits that the samples of a channel use; 0 for silence, FINER_BITS for float that no 32 bits hold. */
static uint32_t depth_of(const programme_signal *signal, uint32_t channel)
{
    uint64_t bits = 0;
    for (size_t i = 0; i < signal->cell_count; i++)
        bits |= signal->cells[i].bits[channel];
    if (bits == 0)
        return 0;
    if (bits >> 32 != 0)
        return FINER_BITS;
    uint32_t depth = 32;
    for (; (bits & 1) == 0; bits >>= 1)
        depth--;
    return depth;
}

/* What the file's form can hold, and whether it is float. */
static uint32_t stated_depth(const judgement *self, bool *out_float)
{
    const plan *made = self->facts->plan;
    sample_encoding encoding = self->deliverable->encoding;
    uint32_t bits = sample_encoding_bits(encoding);
    if (!self->deliverable->rendered && self->deliverable->input_count > 0) {
        const media_facts *facts = &made->facts[self->deliverable->first_input];
        encoding = facts->encoding;
        bits = facts->valid_bits;
    }
    *out_float = sample_encoding_is_float(encoding);
    return bits;
}

void judge_signal_depth(judgement *self, const programme_signal *signal)
{
    uint32_t channels = channel_layout_get(self->deliverable->layout)->channel_count;
    uint32_t depth = 0;
    for (uint32_t c = 0; c < channels; c++) {
        uint32_t found = depth_of(signal, c);
        depth = found > depth ? found : depth;
    }
    const spec_limit *limit = judgement_limit(self, "format.effective_bit_depth");
    if (depth == 0) {
        signal_unjudged(self, "format.effective_bit_depth", "the programme is silent");
        return;
    }
    bool is_float = false;
    uint32_t stated = stated_depth(self, &is_float);
    bool below_limit = limit != NULL && depth < limit->min;
    bool hollow = is_float ? depth <= 24 : depth < stated;
    if (!below_limit && !hollow)
        return;
    /* Rendered: the stems hold no more, and the file is what it must be. Received: somebody padded it. */
    bool padded = !self->deliverable->rendered && depth <= 16 && stated > 16;
    finding_severity severity = below_limit ? judgement_breach(limit) : padded ? FINDING_WARN : FINDING_INFO;
    finding *item = judgement_add(self, "format.effective_bit_depth", severity);
    if (limit != NULL)
        judgement_limits(item, limit);
    item->measured = depth;
    item->unit = "bit";
    item->message = arena_format(self->memory, "The %u-bit %s holds samples of %u bits: the lower bits are always 0. %s", stated,
                                 is_float ? "float file" : "file", depth,
                                 self->deliverable->rendered ? "The stems hold no more; ask for them in their full depth."
                                                             : "Export it again from the session, at full depth.");
}

static double mean_db(const double *bands, int first, int count)
{
    double sum = 0.0;
    for (int k = first; k < first + count; k++)
        sum += signal_db(fmax(bands[k], 1e-20));
    return sum / count;
}

/* The band behind which there is nothing, or 0. */
static uint32_t find_cliff(const double *bands, double *out_fall)
{
    uint32_t best = 0;
    for (int k = BEFORE_BANDS; k + EDGE_BANDS + BEFORE_BANDS < SIGNAL_BANDS; k++) {
        double before = mean_db(bands, k - BEFORE_BANDS, BEFORE_BANDS);
        double fall = before - mean_db(bands, k + EDGE_BANDS, BEFORE_BANDS);
        if (before < cliff_level_db || fall < cliff_db || (best > 0 && fall <= *out_fall))
            continue;
        double highest = 0.0;
        for (int i = k + EDGE_BANDS; i < SIGNAL_BANDS; i++)
            highest = fmax(highest, bands[i]);
        if (before - signal_db(highest) < cliff_db - 6.0)
            continue;
        best = (uint32_t)k;
        *out_fall = fall;
    }
    return best;
}

/* The source rate whose upper edge a cliff is: filters of rate converters end within 12 % below half of it. */
static double likely_rate(double hertz, double rate)
{
    static const double rates[] = {8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 88200, 96000};
    for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++)
        if (rates[i] < rate && hertz > 0.88 * rates[i] / 2 && hertz <= 1.02 * rates[i] / 2)
            return rates[i];
    return 0.0;
}

/* A rendered programme is what its stems are; a received one is not what was mixed. */
static void tell_lossy(judgement *self, double hertz, double fall)
{
    finding_severity severity = self->deliverable->rendered ? FINDING_INFO : FINDING_WARN;
    signal_rule rule = signal_rule_of(self, "format.lossy", 0.0, true, severity);
    finding *item = signal_tell(self, &rule, LAYOUT_CHANNELS_MAX, 0, self->timeline->frame_count, hertz, "Hz");
    item->details_json = arena_format(self->memory, "{\"fall_db\": %.0f}", fall);
    item->message = arena_format(self->memory, "Nothing lies above %.1f kHz (a fall of %.0f dB): no sample rate ends there, but lossy codecs do (MP3 and AAC up to some 192 kbit/s). %s.",
                                 hertz / 1000.0, fall,
                                 self->deliverable->rendered ? "Ask for the stems as they were before they were coded"
                                                             : "Ask for an export from the session, not from a coded copy");
}

/* A codec's transforms, found where they begin. One cell is enough: in others other places were looked at. */
static bool tell_grid(judgement *self, const programme_signal *signal)
{
    const signal_cell *clearest = NULL;
    size_t cells = 0;
    for (size_t i = 0; i < signal->cell_count; i++) {
        const signal_cell *cell = &signal->cells[i];
        if (!((double)cell->grid_bits > grid_bits_min))
            continue;
        cells++;
        clearest = clearest == NULL || cell->grid_bits > clearest->grid_bits ? cell : clearest;
    }
    if (clearest == NULL)
        return false;
    signal_rule rule = signal_rule_of(self, "format.lossy", 0.0, true, self->deliverable->rendered ? FINDING_INFO : FINDING_WARN);
    finding *item = signal_tell(self, &rule, LAYOUT_CHANNELS_MAX, 0, self->timeline->frame_count, (double)clearest->grid_bits, "bit");
    const char *codec = clearest->grid_window == SIGNAL_GRID_AAC ? "AAC" : "Vorbis";
    char place[PLACE_TEXT_SIZE];
    judgement_place(self, clearest->frame, place);
    item->subject = "grid";
    item->details_json = arena_format(self->memory, "{\"codec\": \"%s\", \"grid_begins_at\": %u, \"cell_count\": %zu}", codec,
                                      clearest->grid_frame, cells);
    item->message = arena_format(self->memory, "It was through a lossy codec (%s, or one with the same transform): what that rounded to nothing is nothing again where its blocks of %d samples begin, as at %s. "
                                 "Ask for an export from the session, not from a coded copy.", codec, SIGNAL_GRID_FRAMES, place);
    return true;
}

/* For a channel in a reel's cells, of each source rate and of each rate that it is compared with. */
typedef struct image_sums {
    double squares[SIGNAL_SOURCES][SIGNAL_MIRROR_TURNS];
} image_sums;

static image_sums sum_mirrors(const programme_signal *signal, size_t first, size_t last, uint32_t channel)
{
    image_sums out = {0};
    for (uint32_t s = 0; s < SIGNAL_SOURCES; s++)
        for (uint32_t t = 0; t < SIGNAL_MIRROR_TURNS; t++) {
            double sum[2] = {0.0, 0.0};
            double count = 0.0;
            for (size_t i = first; i <= last; i++) {
                const float *mirror = signal->cells[i].mirror[channel][s][t];
                sum[0] += (double)mirror[0];
                sum[1] += (double)mirror[1];
                count += mirror[0] != 0.0f || mirror[1] != 0.0f;
            }
            out.squares[s][t] = count > 0.0 ? (sum[0] * sum[0] + sum[1] * sum[1]) / count : 0.0;
        }
    return out;
}

/* True if there is an image about half of the source's rate, and about no other. */
static bool is_image(const image_sums *sums, uint32_t source)
{
    double image = sums->squares[source][0];
    double others = 0.0;
    for (uint32_t s = 0; s < SIGNAL_SOURCES; s++)
        for (uint32_t t = 0; t < SIGNAL_MIRROR_TURNS; t++)
            others = s == source && t == 0 ? others : fmax(others, sums->squares[s][t]);
    return image > image_chance_min && others < image_others_max * image;
}

/* The image of a source rate in the reel of cells first to last. */
static bool tell_image(judgement *self, signal_rule *rule, const programme_signal *signal, size_t first, size_t last,
                       uint32_t source)
{
    const channel_layout *layout = channel_layout_get(self->deliverable->layout);
    uint32_t channels = 0;
    double chance = 0.0;
    for (uint32_t c = 0; c < layout->channel_count; c++) {
        const image_sums sums = sum_mirrors(signal, first, last, c);
        if (layout->labels[c] == CHANNEL_LFE || !is_image(&sums, source))
            continue;
        channels |= 1U << c;
        chance = fmax(chance, sums.squares[source][0]);
    }
    if (channels == 0)
        return false;
    double rate = cell_signal_source_rate(source);
    finding *item = signal_tell(self, rule, LAYOUT_CHANNELS_MAX, signal->cells[first].frame,
                                signal->cells[last].frame + signal->cells[last].frame_count, rate / 2, "Hz");
    if (item == NULL)
        return true;
    finding_set_channels(item, layout, channels);
    item->subject = arena_format(self->memory, "%.1f kHz", rate / 1000.0);
    item->details_json = arena_format(self->memory, "{\"source_rate_hz\": %.0f, \"chance_log10\": %.0f}", rate, -chance / log(10.0));
    item->message = arena_format(self->memory, "What lies above %.2f kHz in %s is the mirror image of what lies below it: material at a rate of %.1f kHz was converted "
                                 "with a poor filter. Ask for it at its full rate, or convert it again with a better one.",
                                 rate / 2000.0, finding_channel_names(self->memory, item), rate / 1000.0);
    return true;
}

static bool tell_images(judgement *self, const programme_signal *signal)
{
    signal_rule rule = signal_rule_of(self, "format.upsampled", 0.0, true, FINDING_INFO);
    bool told = false;
    for (size_t first = 0, last = 0; first < signal->cell_count; first = last + 1) {
        int32_t reel = judgement_reel(self, signal->cells[first].frame);
        for (last = first; last + 1 < signal->cell_count && judgement_reel(self, signal->cells[last + 1].frame) == reel;)
            last++;
        for (uint32_t s = 0; s < SIGNAL_SOURCES; s++)
            told = tell_image(self, &rule, signal, first, last, s) || told;
    }
    signal_rule_close(self, &rule);
    return told;
}

void judge_signal_upsampled(judgement *self, const programme_signal *signal)
{
    const channel_layout *layout = channel_layout_get(self->deliverable->layout);
    double bands[SIGNAL_BANDS] = {0};
    double all = 0.0;
    for (size_t i = 0; i < signal->cell_count; i++)
        for (uint32_t c = 0; c < layout->channel_count; c++)
            for (uint32_t k = 0; k < SIGNAL_BANDS && layout->labels[c] != CHANNEL_LFE; k++) {
                bands[k] += (double)signal->cells[i].spectrum[c][k] / (double)signal->cell_count;
                all += (double)signal->cells[i].spectrum[c][k];
            }
    if (!(all > 0.0)) {
        signal_unjudged(self, "format.upsampled", "the programme is silent, or its rate too low for a spectrum");
        signal_unjudged(self, "format.lossy", "the programme is silent, or its rate too low for a spectrum");
        return;
    }
    if (tell_grid(self, signal)) /* its low-pass is what an edge would be */
        return;
    if (tell_images(self, signal)) /* so nothing ends below them */
        return;
    double rate = self->timeline->sample_rate;
    double fall = 0.0;
    int cliff = (int)find_cliff(bands, &fall);
    double hertz = cliff * rate / (2 * SIGNAL_BANDS);
    if (hertz < cliff_hz_min || hertz > cliff_share_max * rate / 2)
        return;
    double source = likely_rate(hertz, rate);
    if (source == 0.0 && hertz > lossy_hz_min && hertz < lossy_hz_max &&
        mean_db(bands, cliff - SLOPE_BANDS, BEFORE_BANDS) - mean_db(bands, cliff - BEFORE_BANDS, BEFORE_BANDS) < slope_db_max) {
        tell_lossy(self, hertz, fall);
        return;
    }
    signal_rule rule = signal_rule_of(self, "format.upsampled", 0.0, true, FINDING_INFO);
    finding *item = signal_tell(self, &rule, LAYOUT_CHANNELS_MAX, 0, self->timeline->frame_count, hertz, "Hz");
    const char *origin = source > 0.0 ? arena_format(self->memory, "as in material of %.1f kHz, or from a lossy codec", source / 1000.0)
                                      : "as a filter or a lossy codec leaves it";
    item->details_json = arena_format(self->memory, "{\"fall_db\": %.0f, \"source_rate_hz\": %s}", fall,
                                      source > 0.0 ? arena_format(self->memory, "%.0f", source) : "null");
    item->message = arena_format(self->memory, "Nothing lies above %.1f kHz (a fall of %.0f dB), %s. Ask for the material at its full rate.",
                                 hertz / 1000.0, fall, origin);
    signal_unjudged(self, "format.lossy", "its spectrum ends where material of another rate would end as well");
}
