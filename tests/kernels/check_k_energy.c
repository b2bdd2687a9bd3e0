#include "tests/kernels/kernel_check.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const uint32_t rates[] = {8000, 44100, 48000, 96000, 192000};
enum { RATE_COUNT = sizeof rates / sizeof rates[0] };

static void check_states(kernel_check *self, const k_weighting_state *expected, const k_weighting_state *actual,
                         const char *what)
{
    for (int i = 0; i < 4; i++)
        check_doubles(self, expected->z[i], actual->z[i], TILE_LANES, what);
}

static void k_energy_once(kernel_check *self, uint32_t frame_count, uint32_t rate, hostility kind, placement where)
{
    const size_t values = (size_t)frame_count * TILE_LANES;
    double *tile = (double *)(void *)guarded_place(&self->memory[0], values * sizeof(double), where, 0);
    k_weighting_coefficients coefficients;
    k_weighting_design(rate, &coefficients);
    k_weighting_state expected_state = {0};
    k_weighting_state actual_state = {0};
    double *expected = (double *)(void *)guarded_place(&self->memory[1], TILE_LANES * sizeof(double), where, 8);
    double *actual = (double *)(void *)guarded_place(&self->memory[2], TILE_LANES * sizeof(double), where, 8);
    for (uint32_t lane = 0; lane < TILE_LANES; lane++)
        expected[lane] = actual[lane] = fabs(check_uniform(self));
    char what[96];
    (void)snprintf(what, sizeof what, "%s, %u Hz, %u frames", hostility_name(kind), rate, frame_count);
    for (int call = 0; call < 3; call++) {
        check_fill(self, tile, values, call == 2 ? DATA_SILENCE : kind);
        self->reference->k_energy(tile, frame_count, &coefficients, &expected_state, expected);
        self->variant->k_energy(tile, frame_count, &coefficients, &actual_state, actual);
        check_doubles(self, expected, actual, TILE_LANES, what);
        check_states(self, &expected_state, &actual_state, what);
    }
    check_that(self, guarded_intact(&self->memory[2], (const uint8_t *)actual, TILE_LANES * sizeof(double)),
               "%s: margin written", what);
}

/* After sound, silence: the state falls below the threshold and becomes 0 in every variant at the same call. */
static void settle_once(kernel_check *self, const dsp_table *table)
{
    enum { FRAMES = 480, CALLS_MAX = 80 };
    _Alignas(64) static double tile[FRAMES * TILE_LANES];
    k_weighting_coefficients coefficients;
    k_weighting_design(48000, &coefficients);
    k_weighting_state state = {0};
    k_weighting_state reference_state = {0};
    double energy[TILE_LANES] = {0};
    double reference_energy[TILE_LANES] = {0};
    check_fill(self, tile, FRAMES * TILE_LANES, DATA_NOISE);
    int call = 0;
    bool settled = false;
    for (; call < CALLS_MAX && !settled; call++) {
        table->k_energy(tile, FRAMES, &coefficients, &state, energy);
        self->reference->k_energy(tile, FRAMES, &coefficients, &reference_state, reference_energy);
        memset(tile, 0, sizeof tile);
        check_states(self, &reference_state, &state, "settling");
        settled = true;
        for (uint32_t i = 0; i < 4 * TILE_LANES; i++) {
            const double z = state.z[i / TILE_LANES][i % TILE_LANES];
            settled = settled && z == 0.0;
            check_that(self, z == 0.0 || fabs(z) >= K_WEIGHTING_STATE_MIN, "state %a was left below the threshold",
                       z);
        }
    }
    /* |z| <= 1e5 falls by |pole| = sqrt(0.99007225) per frame: under 1e-30 after 16,200 frames = 34 calls. */
    check_that(self, settled && call <= 36, "the state was not zero after %d calls of silence", call);
    check_doubles(self, reference_energy, energy, TILE_LANES, "settling energy");
}

/* The threshold itself is kept, the number below it is not; a call of no frames settles too. */
static void settle_edges(kernel_check *self, const dsp_table *table)
{
    const double edges[TILE_LANES] = {K_WEIGHTING_STATE_MIN, nextafter(K_WEIGHTING_STATE_MIN, 0.0), 0x1p-1074,
                                      -0.0,                  -K_WEIGHTING_STATE_MIN,               -0x1p-1040,
                                      (double)NAN,           (double)INFINITY};
    const double expected[TILE_LANES] = {K_WEIGHTING_STATE_MIN,  0.0, 0.0,         0.0,
                                         -K_WEIGHTING_STATE_MIN, 0.0, (double)NAN, (double)INFINITY};
    k_weighting_coefficients coefficients;
    k_weighting_design(48000, &coefficients);
    k_weighting_state state;
    for (int i = 0; i < 4; i++)
        memcpy(state.z[i], edges, sizeof edges);
    _Alignas(64) const double tile[TILE_LANES] = {0};
    double energy[TILE_LANES] = {0};
    table->k_energy(tile, 0, &coefficients, &state, energy);
    for (int i = 0; i < 4; i++)
        check_doubles(self, expected, state.z[i], TILE_LANES, "state at the threshold");
}

void check_k_energy(kernel_check *self)
{
    uint32_t frame_count;
    for (uint32_t index = 0; check_frame_count(index, &frame_count); index++)
        for (uint32_t kind = 0; kind < DATA_KIND_COUNT; kind++)
            if (check_below(self, 100) < self->effort)
                k_energy_once(self, frame_count, rates[check_below(self, RATE_COUNT)], (hostility)kind,
                              (placement)(index % PLACEMENT_COUNT));
    settle_once(self, self->variant);
    settle_edges(self, self->variant);
}

typedef long double wide;

/** One lane of both stages in transposed direct form II, in long double: another structure and more digits. */
typedef struct wide_filter {
    wide z[2][2];
} wide_filter;

static wide wide_step(wide_filter *self, const k_weighting_coefficients *coefficients, wide x, uint32_t first_stage)
{
    for (uint32_t stage = first_stage; stage < 2; stage++) {
        const double *c = coefficients->stage[stage];
        const wide y = (wide)c[0] * x + self->z[stage][0];
        self->z[stage][0] = (wide)c[1] * x - (wide)c[3] * y + self->z[stage][1];
        self->z[stage][1] = (wide)c[2] * x - (wide)c[4] * y;
        x = y;
    }
    return x;
}

/* Sum of |impulse response| from a stage on: what a bounded disturbance entering there can do to the output. */
static wide gain_bound(const k_weighting_coefficients *coefficients, uint32_t first_stage, uint32_t rate)
{
    wide_filter filter = {0};
    wide sum = fabsl(wide_step(&filter, coefficients, 1.0L, first_stage));
    for (uint32_t frame = 1; frame < rate; frame++) /* one second: decayed below 1e-50 */
        sum += fabsl(wide_step(&filter, coefficients, 0.0L, first_stage));
    return sum;
}

/*
 * The direct form II of the kernel rounds twice into u (first stage) and v (second), each by at most 2^-53 of a
 * number of at most 4 max|u| or 4 max|v|: the same as noise at the input of that stage. y rounds twice, and its two
 * coefficients over b0 once each (15 max|u| in all, multiplied by b0 again); k is a difference of two differences of at
 * most 2 max|v|, each rounded, and rounds itself (8 max|v| in all). So |k - true k| <= e = 2^-53 (8 g1 max|u| + (15 max|u| +
 * 8 max|v|) g2 + 8 max|v|) with g1, g2 the gain bounds above, and the energy differs by at most the sum of 2|k|e + e^2,
 * and N roundings of itself; b0^2 and its product are two more.
 */
static void judge_energy(kernel_check *self, uint32_t rate, hostility kind)
{
    enum { FRAMES = 512 };
    _Alignas(64) static double tile[FRAMES * TILE_LANES];
    k_weighting_coefficients c;
    k_weighting_design(rate, &c);
    k_weighting_state state = {0};
    double energy[TILE_LANES] = {0};
    wide_filter filters[TILE_LANES] = {0};
    wide truth[TILE_LANES] = {0};
    wide amplitude[TILE_LANES] = {0};
    wide u[TILE_LANES][3] = {0};
    wide v[TILE_LANES][3] = {0};
    wide u_max = 0.0L;
    wide v_max = 0.0L;
    uint32_t frames = 0;
    for (uint32_t call = 0; call < check_rounds(self, 10); call++, frames += FRAMES) {
        check_fill(self, tile, FRAMES * TILE_LANES, kind);
        for (uint32_t i = 0; i < FRAMES * TILE_LANES; i++) {
            const uint32_t lane = i % TILE_LANES;
            tile[i] = lane == 7 ? 1.0 : tile[i]; /* direct current: the worst for the high pass */
            const wide x = (wide)tile[i];
            u[lane][0] = x - (wide)c.stage[0][3] * u[lane][1] - (wide)c.stage[0][4] * u[lane][2];
            const wide y = (wide)c.stage[0][0] * u[lane][0] + (wide)c.stage[0][1] * u[lane][1] +
                           (wide)c.stage[0][2] * u[lane][2];
            v[lane][0] = y - (wide)c.stage[1][3] * v[lane][1] - (wide)c.stage[1][4] * v[lane][2];
            u_max = fmaxl(u_max, fabsl(u[lane][0]));
            v_max = fmaxl(v_max, fabsl(v[lane][0]));
            memmove(&u[lane][1], &u[lane][0], 2 * sizeof(wide));
            memmove(&v[lane][1], &v[lane][0], 2 * sizeof(wide));
            const wide k = wide_step(&filters[lane], &c, x, 0);
            truth[lane] += k * k;
            amplitude[lane] += fabsl(k);
        }
        self->reference->k_energy(tile, FRAMES, &c, &state, energy);
    }
    const wide g1 = gain_bound(&c, 0, rate);
    const wide g2 = gain_bound(&c, 1, rate);
    const wide e = 0x1p-53L * (8 * g1 * u_max + (15 * u_max + 8 * v_max) * g2 + 8 * v_max);
    for (uint32_t lane = 0; lane < TILE_LANES; lane++) {
        const wide bound = 2 * e * amplitude[lane] + frames * e * e + (frames + 2) * 0x1p-53L * truth[lane];
        const wide error = fabsl((wide)(c.energy_gain * energy[lane]) - truth[lane]);
        check_that(self, error <= bound, "%s at %u Hz, lane %u: energy %.17Lg is off by %Lg, bound %Lg",
                   hostility_name(kind), rate, lane, truth[lane], error, bound);
        /* And the bound means something: far below 0.001 LU (2.3e-4) wherever there is sound. */
        check_that(self, lane == 7 || kind == DATA_SILENCE || bound < 1e-6L * truth[lane],
                   "%s at %u Hz: empty bound %Lg", hostility_name(kind), rate, bound / truth[lane]);
    }
}

/* Cutting a loud block elsewhere changes nothing: the sums run in frame order and no state is near the threshold. */
static void judge_cuts(kernel_check *self)
{
    enum { FRAMES = 480 };
    _Alignas(64) static double tile[FRAMES * TILE_LANES];
    k_weighting_coefficients coefficients;
    k_weighting_design(48000, &coefficients);
    k_weighting_state whole_state = {0};
    k_weighting_state cut_state = {0};
    double whole[TILE_LANES] = {0};
    double cut[TILE_LANES] = {0};
    check_fill(self, tile, FRAMES * TILE_LANES, DATA_NOISE);
    self->reference->k_energy(tile, FRAMES, &coefficients, &whole_state, whole);
    for (uint32_t at = 0; at < FRAMES;) {
        uint32_t some = 1 + check_below(self, 70);
        some = some < FRAMES - at ? some : FRAMES - at;
        self->reference->k_energy(tile + (size_t)at * TILE_LANES, some, &coefficients, &cut_state, cut);
        at += some;
    }
    check_doubles(self, whole, cut, TILE_LANES, "cut into calls");
    check_states(self, &whole_state, &cut_state, "cut into calls");
}

void judge_k_energy(kernel_check *self)
{
    for (uint32_t i = 0; i < RATE_COUNT; i++) {
        judge_energy(self, rates[i], DATA_NOISE);
        judge_energy(self, rates[i], DATA_ALTERNATING);
        judge_energy(self, rates[i], DATA_FULL_SCALE);
        judge_energy(self, rates[i], DATA_SILENCE);
    }
    judge_cuts(self);
    settle_once(self, self->reference);
    settle_edges(self, self->reference);
}

/* tan by long double libm, the formulas of the bilinear transform: ebur128_init_filter of libebur128 1.2.6. */
static void design_wide(uint32_t rate, wide out[2][5])
{
    const wide pi = acosl(-1.0L);
    const wide gain = powl(10.0L, 3.999843853973347L / 20.0L);
    const wide band = powl(gain, 0.4996667741545416L);
    wide k = tanl(pi * 1681.974450955533L / rate);
    wide q = 0.7071752369554196L;
    wide a0 = 1.0L + k / q + k * k;
    out[0][0] = (gain + band * k / q + k * k) / a0;
    out[0][1] = 2.0L * (k * k - gain) / a0;
    out[0][2] = (gain - band * k / q + k * k) / a0;
    out[0][3] = 2.0L * (k * k - 1.0L) / a0;
    out[0][4] = (1.0L - k / q + k * k) / a0;
    k = tanl(pi * 38.13547087602444L / rate);
    q = 0.5003270373238773L;
    a0 = 1.0L + k / q + k * k;
    out[1][0] = 1.0L;
    out[1][1] = -2.0L;
    out[1][2] = 1.0L;
    out[1][3] = 2.0L * (k * k - 1.0L) / a0;
    out[1][4] = (1.0L - k / q + k * k) / a0;
}

void judge_k_weighting_design(kernel_check *self)
{
    static const uint32_t all_rates[] = {8000,  11025, 16000, 22050,  24000,  32000,  44100,  47952,
                                         48000, 48048, 88200, 96000, 176400, 192000, 384000, 768000};
    for (uint32_t i = 0; i < sizeof all_rates / sizeof all_rates[0]; i++) {
        k_weighting_coefficients actual;
        wide expected[2][5];
        k_weighting_design(all_rates[i], &actual);
        design_wide(all_rates[i], expected);
        /*
         * 48 kHz is BS.1770-5's table of 14 decimals, which the prototype gives back to 1e-13. Elsewhere: an error of
         * 1e-15 in tan and under ten roundings of 2^-53, none of them behind a cancellation worse than 1 : 4 except
         * b1 and b2, whose parts are up to 2 gain = 3.2: 2e-15 in all.
         */
        const wide bound = all_rates[i] == 48000 ? 1e-13L : 2e-15L;
        for (uint32_t at = 0; at < 10; at++) {
            const wide error = fabsl((wide)actual.stage[at / 5][at % 5] - expected[at / 5][at % 5]);
            check_that(self, error <= bound, "%u Hz, coefficient %u: off by %Lg", all_rates[i], at, error);
        }
        check_that(self, actual.stage[1][0] == 1.0 && actual.stage[1][1] == -2.0 && actual.stage[1][2] == 1.0,
                   "%u Hz: b of stage 2 is not 1, -2, 1", all_rates[i]);
        const double *const shelf = actual.stage[0];
        check_that(self, actual.shelf[0] == shelf[1] / shelf[0] && actual.shelf[1] == shelf[2] / shelf[0] &&
                             actual.energy_gain == shelf[0] * shelf[0],
                   "%u Hz: stage 1 over its b0 is not that", all_rates[i]);
    }
    /* BS.1770-5, Annex 1, tables 1 and 2. */
    static const double tabled[2][5] = {
        {1.53512485958697, -2.69169618940638, 1.19839281085285, -1.69065929318241, 0.73248077421585},
        {1.0, -2.0, 1.0, -1.99004745483398, 0.99007225036621}};
    k_weighting_coefficients at_48;
    k_weighting_design(48000, &at_48);
    check_doubles(self, tabled[0], at_48.stage[0], 5, "table 1 of BS.1770-5");
    check_doubles(self, tabled[1], at_48.stage[1], 5, "table 2 of BS.1770-5");
}
