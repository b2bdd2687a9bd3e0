#include "worker/dsp/dsp_unroll.h"
#include "worker/render/render_signal.h"

#include <string.h>

/* cos and sin of 2 pi / n, to the last bit that a double holds. No libm: its last bit differs between machines. */
static const double turn_256[2] = {0x1.ffd886084cd0dp-1, 0x1.92155f7a3667ep-6};
static const double turn_200[2] = {0x1.ffbf52e9d1086p-1, 0x1.015122df75860p-5};
static const double turn_1400[2] = {0x1.fffeae12b3367p-1, 0x1.261fb770c28e2p-8};

/* out[k] = cos and -sin of k turns: a recurrence, within 1e-13 after 1,400 steps. */
static void rotate(const double turn[2], uint32_t count, double (*out)[2])
{
    double c = 1.0;
    double s = 0.0;
    for (uint32_t k = 0; k < count; k++) {
        out[k][0] = c;
        out[k][1] = -s;
        const double next = c * turn[0] - s * turn[1];
        s = s * turn[0] + c * turn[1];
        c = next;
    }
}

void signal_tables_init(signal_tables *self, uint32_t sample_rate)
{
    self->m_tap_count = sample_rate == 0 ? 0 : fir_design_m_weighting(sample_rate, self->m_taps);
    double wide[SIGNAL_HUM_MS][2];
    rotate(turn_256, SPECTRUM_FRAMES, wide);
    for (uint32_t i = 0; i < SPECTRUM_FRAMES; i++)
        self->window[i] = 0.5 - 0.5 * wide[i][0];
    memcpy(self->turn, wide, sizeof self->turn);
    rotate(turn_1400, SIGNAL_HUM_MS, wide);
    for (uint32_t i = 0; i < SIGNAL_HUM_MS; i++)
        self->hum_window[i] = 0.5 - 0.5 * wide[i][0];
    rotate(turn_200, HUM_PERIOD_MS, self->hum_turn);
}

enum { HALVES = 2, PAIRS = TILE_LANES / 2 / HALVES, SIDES = 3 }; /* 5 Hz below the line, the line, 5 Hz above */

/* Half the lanes of a tile. */
typedef struct half_lanes {
    lane_pair pairs[PAIRS];
} half_lanes;

/* Powers beside and at a line. Sums of sides and lanes go abreast, in registers: each waits for the one before. */
static void line_powers(const signal_tables *tables, const half_lanes *folded, uint32_t hz, half_lanes out[SIDES])
{
    lane_pair re[SIDES * PAIRS] = {{0.0}}, im[SIDES * PAIRS] = {{0.0}};
    uint32_t at[SIDES] = {0};
    for (uint32_t i = 0; i < HUM_PERIOD_MS; i++) {
        DSP_UNROLL(6)
        for (uint32_t k = 0; k < SIDES * PAIRS; k++) {
            const double *turn = tables->hum_turn[at[k / PAIRS]];
            re[k] += folded[i].pairs[k % PAIRS] * turn[0];
            im[k] += folded[i].pairs[k % PAIRS] * turn[1];
        }
        DSP_UNROLL(3)
        for (uint32_t side = 0; side < SIDES; side++) {
            at[side] += hz / 5 + side - 1;
            at[side] -= at[side] < HUM_PERIOD_MS ? 0 : HUM_PERIOD_MS;
        }
    }
    for (uint32_t k = 0; k < SIDES * PAIRS; k++) /* as above: the window adds up to half its length */
        out[k / PAIRS].pairs[k % PAIRS] = (re[k] * re[k] + im[k] * im[k]) * (2.0 / (0.25 * SIGNAL_HUM_MS * SIGNAL_HUM_MS));
}

void signal_hum_powers(const signal_tables *tables, const double (*means)[TILE_LANES], mains_powers *out)
{
    /* Multiples of 5 Hz repeat after 200 ms: the stretch is folded to that length first. */
    static const uint32_t lines[SIGNAL_HUM_LINES] = {50, 100, 150, 60, 120, 180};
    static_assert(SIGNAL_HUM_MS % HUM_PERIOD_MS == 0, "whole periods");
    for (uint32_t half = 0; half < HALVES; half++) {
        half_lanes folded[HUM_PERIOD_MS] = {{{{0.0}}}};
        for (uint32_t i = 0; i < SIGNAL_HUM_MS; i++)
            for (uint32_t pair = 0; pair < PAIRS; pair++)
                folded[i % HUM_PERIOD_MS].pairs[pair] +=
                    *(const lane_pair *)(const void *)(means[i] + 2 * (half * PAIRS + pair)) * tables->hum_window[i];
        for (uint32_t line = 0; line < SIGNAL_HUM_LINES; line++) {
            half_lanes power[SIDES];
            line_powers(tables, folded, lines[line], power);
            for (uint32_t pair = 0; pair < PAIRS; pair++) {
                const uint32_t lane = 2 * (half * PAIRS + pair);
                *(lane_pair *)(void *)(out->line[line] + lane) = power[1].pairs[pair];
                *(lane_pair *)(void *)(out->beside[line] + lane) = 0.5 * (power[0].pairs[pair] + power[2].pairs[pair]);
            }
        }
    }
}
