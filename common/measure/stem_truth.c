#include "common/measure/stem_truth.h"

#include "common/measure/stem_solve.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/*
 * Reasons for the numbers. COLOUR: audio's samples are not independent; this many of them count as one in the error of a gain
 * (measured over speech, music and effects: 10 to 30). LEAST: a stem that is to 99.99 % a copy of others is not told apart.
 * A residual of 4 x the floor is rounding; a fit that leaves a quarter of a residual does not explain it (a shifted stem
 * leaves at least half, since r1/r0 = (1 + rho)/2).
 */
enum { COLOUR = 30, HIDDEN_BLOCKS = 8 };
static const double least_own = 1e-4;
static const double floor_factor = 4.0;
static const double explained = 0.25;
static const double same_gain = 0.006;     /* 0.05 dB */
static const double missing_gain = 0.1;    /* -20 dB: below, a stem is missing */
static const double silence_power = 1e-10; /* -100 dBFS: below, a stem says nothing */
static const double audible_power = 1e-6;  /* -60 dBFS: an unexplained residual below is not told one by one */
static const double spoken_power = 1e-5;   /* -50 dBFS: where a stem is softer, what is left says nothing of it */

typedef struct block_fit {
    double own;      /* energy of the programme */
    double residual; /* energy of programme - nominal */
    double fitted;   /* of programme - best gains of the stems */
    double floor;    /* what rounding alone may leave */
} block_fit;

typedef struct block_gain {
    double gain;  /* of a stem against nominal */
    double sigma; /* its error; HUGE_VAL where the stem is silent or a copy */
} block_gain;

typedef struct finder {
    const stem_model *model;
    const stem_programme *programme;
    stem_truth *truth;
    double nominal[LAYOUT_CHANNELS_MAX][STEM_CROSSED_LANES_MAX];
    block_fit *fits;   /* [block][output] */
    block_gain *gains; /* [block][output][element] */
    double *total;     /* a Gram matrix */
} finder;

static double product(const double *sums, uint32_t i, uint32_t j)
{
    return sums[stem_sum_index(i, j)];
}

/* Energies of what each element gives an output: a[e][f] = <z_e, z_f>, b[e] = <z_e, p>. */
static void element_system(const finder *self, const double *sums, uint32_t output, double *a, double *b)
{
    const stem_model *model = self->model;
    uint32_t count = model->element_count;
    const double *gains = self->nominal[output];
    memset(a, 0, (size_t)count * count * sizeof *a);
    memset(b, 0, count * sizeof *b);
    for (uint32_t i = model->output_count; i < model->lane_count; i++) {
        if (gains[i] == 0.0)
            continue;
        uint32_t e = model->element_of[i];
        b[e] += gains[i] * product(sums, i, output);
        for (uint32_t j = model->output_count; j < model->lane_count; j++)
            if (gains[j] != 0.0)
                a[e * count + model->element_of[j]] += gains[i] * gains[j] * product(sums, i, j);
    }
}

/* |p - sum x z|^2 */
static double residual_of(uint32_t count, const double *a, const double *b, double own, const double *x)
{
    double residual = own;
    for (uint32_t i = 0; i < count; i++) {
        residual -= 2.0 * x[i] * b[i];
        for (uint32_t j = 0; j < count; j++)
            residual += x[i] * x[j] * a[i * count + j];
    }
    return fmax(residual, 0.0);
}

static double floor_of(const finder *self, double own, uint32_t count, const double *a, uint32_t frame_count)
{
    /* Two roundings with dither of a quarter step squared each, and what double loses in sums of this size. */
    double energy = own;
    for (uint32_t i = 0; i < count; i++)
        energy += a[i * count + i];
    double step = self->model->step;
    return (double)frame_count * step * step / 2.0 + energy * 1e-12;
}

static void fit_block(finder *self, size_t block, uint32_t output)
{
    const stem_block *at = &self->programme->blocks[block];
    uint32_t count = self->model->element_count;
    double a[STEM_ELEMENTS_MAX * STEM_ELEMENTS_MAX];
    double b[STEM_ELEMENTS_MAX];
    double x[STEM_ELEMENTS_MAX];
    double partial[STEM_ELEMENTS_MAX];
    double wanted[STEM_ELEMENTS_MAX] = {0.0};
    size_t index = block * self->model->output_count + output;
    block_fit *fit = &self->fits[index];
    block_gain *gains = &self->gains[index * count];
    element_system(self, at->sums, output, a, b);
    double own = product(at->sums, output, output);
    stem_solve(count, a, b, least_own, x, partial);
    for (uint32_t e = 0; e < count; e++)
        wanted[e] = self->truth->presence[e] == STEM_PRESENT ? 1.0 : 0.0;
    fit->own = own;
    fit->floor = floor_of(self, own, count, a, at->frame_count);
    fit->residual = residual_of(count, a, b, own, wanted);
    fit->fitted = residual_of(count, a, b, own, x);
    for (uint32_t e = 0; e < count; e++) {
        bool plays = partial[e] > 0.0 && a[e * count + e] > silence_power * (double)at->frame_count;
        double noise = fmax(fit->fitted, fit->floor) * COLOUR / (double)at->frame_count;
        gains[e] = (block_gain){.gain = x[e], .sigma = plays ? sqrt(noise / partial[e]) : HUGE_VAL};
    }
}

static void fit_all(finder *self)
{
    for (size_t block = 0; block < self->programme->block_count; block++)
        for (uint32_t output = 0; output < self->model->output_count; output++)
            fit_block(self, block, output);
}

/*
 * A stem is in the programme if it is there, at whatever gain, in most of the places where that can be told; one that belongs there
 * already if it is at -20 dB or more in a twentieth of them, and nothing strange beside it.
 */
static void find_presence(finder *self)
{
    uint32_t count = self->model->element_count;
    size_t places = self->programme->block_count * self->model->output_count;
    for (uint32_t e = 0; e < count; e++) {
        size_t present = 0;
        size_t absent = 0;
        size_t sure = 0;
        for (size_t i = 0; i < places; i++) {
            const block_gain *gain = &self->gains[i * count + e];
            if (!(gain->sigma < 0.1))
                continue;
            const block_fit *fit = &self->fits[i];
            bool clear = fit->fitted <= 0.1 * fit->own || fit->fitted <= fit->floor;
            sure += clear && fabs(gain->gain) >= missing_gain && fabs(gain->gain) > 5.0 * gain->sigma;
            if (fabs(gain->gain) > 0.3)
                present++;
            else if (clear)
                absent++; /* where much is unexplained, the stem may lie at another time */
        }
        stem_belonging belongs = self->model->belongs[e];
        bool in_it = belongs == STEM_BELONGS ? present >= absent || (sure > 0 && sure * 20 >= present + absent)
                                             : belongs == STEM_BY_MAJORITY && present >= absent;
        self->truth->presence[e] = present + absent == 0 ? STEM_UNKNOWN : in_it ? STEM_PRESENT : STEM_ABSENT;
    }
}

static int by_value(const void *a, const void *b)
{
    double left = *(const double *)a;
    double right = *(const double *)b;
    return left < right ? -1 : left > right;
}

/* A gain that nine of ten places have in common is the programme's. */
static bool find_programme_gain(finder *self)
{
    uint32_t count = self->model->element_count;
    size_t places = self->programme->block_count * self->model->output_count * count;
    double *values = malloc((places + 1) * sizeof *values);
    if (values == NULL)
        return false;
    size_t known = 0;
    for (size_t i = 0; i < places; i++)
        if (self->truth->presence[i % count] == STEM_PRESENT && self->gains[i].sigma < 0.01 && self->gains[i].gain > 0.25 &&
            self->fits[i / count].fitted < 1e-3 * self->fits[i / count].own)
            values[known++] = self->gains[i].gain;
    self->truth->programme_gain = 1.0;
    if (known > 0) {
        qsort(values, known, sizeof *values, by_value);
        double middle = values[known / 2];
        size_t near = 0;
        for (size_t i = 0; i < known; i++)
            near += fabs(values[i] / middle - 1.0) < 0.01;
        if (near * 10 >= known * 9 && fabs(middle - 1.0) > 0.003)
            self->truth->programme_gain = middle;
    }
    free(values);
    for (uint32_t o = 0; o < self->model->output_count; o++)
        for (uint32_t i = 0; i < self->model->lane_count; i++)
            self->nominal[o][i] *= self->truth->programme_gain;
    return true;
}

/* ---- the matrix ---- */

static void add_up(finder *self)
{
    uint32_t count = stem_sum_count(self->model->lane_count, true);
    memset(self->total, 0, count * sizeof *self->total);
    for (size_t b = 0; b < self->programme->block_count; b++)
        for (uint32_t i = 0; i < count; i++)
            self->total[i] += self->programme->blocks[b].sums[i];
}

/* The stems that are in the programme, summed channel by channel: a[c][d] = <X_c, X_d>, b[c] = <X_c, p>. */
static void bed_system(const finder *self, uint32_t output, double *a, double *b, double *nominal)
{
    const stem_model *model = self->model;
    uint32_t count = model->bed_count;
    memset(a, 0, (size_t)count * count * sizeof *a);
    memset(b, 0, count * sizeof *b);
    memset(nominal, 0, count * sizeof *nominal);
    for (uint32_t i = model->output_count; i < model->lane_count; i++) {
        if (self->truth->presence[model->element_of[i]] != STEM_PRESENT)
            continue;
        uint32_t c = model->bed_of[i];
        nominal[c] = model->nominal[output][i];
        b[c] += product(self->total, i, output);
        for (uint32_t j = model->output_count; j < model->lane_count; j++)
            if (self->truth->presence[model->element_of[j]] == STEM_PRESENT)
                a[c * count + model->bed_of[j]] += product(self->total, i, j);
    }
}

/* Solves the difference to the nominal matrix, so that what cannot be told apart counts as nominal. */
static void find_matrix_row(finder *self, uint32_t output, uint64_t frame_count)
{
    const stem_model *model = self->model;
    stem_truth *truth = self->truth;
    uint32_t count = model->bed_count;
    double a[STEM_BED_MAX * STEM_BED_MAX];
    double b[STEM_BED_MAX];
    double from[STEM_BED_MAX];
    double x[STEM_BED_MAX];
    double partial[STEM_BED_MAX];
    bed_system(self, output, a, b, truth->matrix_nominal[output]);
    double own = product(self->total, output, output);
    double residual = 0.0;
    double fitted_by_stems = 0.0;
    double floor = floor_of(self, own, count, a, 0);
    for (uint32_t c = 0; c < count; c++) {
        from[c] = b[c];
        for (uint32_t d = 0; d < count; d++)
            from[c] -= a[c * count + d] * truth->matrix_nominal[output][d] * truth->programme_gain;
    }
    stem_solve(count, a, from, least_own, x, partial);
    for (uint32_t c = 0; c < count; c++)
        x[c] += truth->matrix_nominal[output][c] * truth->programme_gain;
    double fitted = residual_of(count, a, b, own, x);
    for (size_t block = 0; block < self->programme->block_count; block++) {
        const block_fit *fit = &self->fits[block * model->output_count + output];
        residual += fit->residual;
        fitted_by_stems += fit->fitted;
        floor += fit->floor;
    }
    bool better = residual > floor_factor * floor && fitted < 0.01 * residual &&
                  fitted_by_stems > 10.0 * fmax(fitted, floor);
    for (uint32_t c = 0; c < count; c++) {
        double sigma = partial[c] > 0.0 ? sqrt(fmax(fitted, floor) * COLOUR / (double)frame_count / partial[c]) : HUGE_VAL;
        truth->matrix[output][c] = x[c] / truth->programme_gain;
        truth->matrix_known[output][c] = sigma < 0.005 && a[c * count + c] > silence_power * (double)frame_count;
        if (better && truth->matrix_known[output][c] &&
            fabs(truth->matrix[output][c] - truth->matrix_nominal[output][c]) > 2.0 * same_gain)
            truth->matrix_wrong = true;
    }
    for (uint32_t i = model->output_count; better && i < model->lane_count; i++)
        if (truth->presence[model->element_of[i]] == STEM_PRESENT)
            self->nominal[output][i] = x[model->bed_of[i]];
}

/* The gain of a channel in an output against its nominal one; 0: it has none, or is not known. */
static double matrix_ratio(const stem_truth *truth, uint32_t output, uint32_t channel)
{
    double nominal = truth->matrix_nominal[output][channel];
    return nominal == 0.0 || !truth->matrix_known[output][channel] ? 0.0 : truth->matrix[output][channel] / nominal;
}

static bool ratios_alike(double a, double b)
{
    return fabs(a - b) <= 2.0 * same_gain * fabs(b);
}

/*
 * Level and matrix are told apart: the ratio that most gains of the matrix have in common is the level of the whole. Of ratios that
 * as many have it is none, else that of the channel which is folded in the loudest, which no fold-down lowers.
 */
static void part_level_and_matrix(finder *self)
{
    stem_truth *truth = self->truth;
    uint32_t outputs = self->model->output_count;
    uint32_t beds = self->model->bed_count;
    double level = 1.0;
    double loudest = 0.0;
    uint32_t most = 0;
    for (uint32_t i = 0; i < outputs * beds; i++) {
        double ratio = matrix_ratio(truth, i / beds, i % beds);
        double nominal = truth->matrix_nominal[i / beds][i % beds];
        uint32_t alike = 0;
        for (uint32_t k = 0; k < outputs * beds; k++)
            alike += ratios_alike(matrix_ratio(truth, k / beds, k % beds), ratio);
        bool none = ratios_alike(ratio * truth->programme_gain, 1.0);
        if (ratio < missing_gain || alike < most || (alike == most && !none && nominal <= loudest))
            continue;
        most = alike;
        loudest = none ? HUGE_VAL : nominal;
        level = none ? 1.0 / truth->programme_gain : ratio;
    }
    truth->programme_gain *= level;
    truth->matrix_wrong = false;
    for (uint32_t o = 0; o < outputs; o++)
        for (uint32_t c = 0; c < beds; c++) {
            truth->matrix[o][c] /= level;
            truth->matrix_wrong = truth->matrix_wrong || (truth->matrix_known[o][c] &&
                                  fabs(truth->matrix[o][c] - truth->matrix_nominal[o][c]) > 2.0 * same_gain);
        }
}

/* ---- runs ---- */

typedef struct place_state {
    bool known;
    bool faulty, heard;
    stem_fault fault;
    double gain_db;
} place_state;

static double gain_to_db(double gain)
{
    return 20.0 * log10(fmax(fabs(gain), 1e-9));
}

static place_state element_state(const finder *self, size_t place, uint32_t element)
{
    const block_fit *fit = &self->fits[place];
    const block_gain *found = &self->gains[place * self->model->element_count + element];
    stem_presence presence = self->truth->presence[element];
    if (fit->residual <= floor_factor * fit->floor)
        return (place_state){.known = found->sigma < HUGE_VAL && presence != STEM_UNKNOWN};
    if (fit->fitted > explained * fit->residual || !(found->sigma < 0.1) || presence == STEM_UNKNOWN)
        return (place_state){.known = false};
    double magnitude = fabs(found->gain);
    place_state state = {.known = true, .gain_db = gain_to_db(found->gain)};
    if (presence == STEM_ABSENT) {
        state.faulty = magnitude > 1e-4 && magnitude > 8.0 * found->sigma;
        state.fault = STEM_FAULT_EXTRA;
        return state;
    }
    state.faulty = fabs(found->gain - 1.0) > same_gain && fabs(found->gain - 1.0) > 5.0 * found->sigma;
    state.fault = magnitude < missing_gain ? STEM_FAULT_MISSING : found->gain < 0.0 ? STEM_FAULT_POLARITY : STEM_FAULT_GAIN;
    state.heard = state.fault != STEM_FAULT_MISSING || magnitude > 8.0 * found->sigma;
    if (!state.heard)
        state.gain_db = gain_to_db(magnitude + 3.0 * found->sigma);
    return state;
}

static place_state rest_state(const finder *self, size_t place, uint32_t frame_count)
{
    const block_fit *fit = &self->fits[place];
    bool faulty = fit->residual > floor_factor * fit->floor && fit->fitted > explained * fit->residual &&
                  fit->residual > audible_power * (double)frame_count;
    return (place_state){.known = true, .faulty = faulty, .fault = STEM_FAULT_UNEXPLAINED};
}

static bool runs_alike(const stem_run *a, const stem_run *b)
{
    return a->fault == b->fault && a->element == b->element &&
           (a->fault == STEM_FAULT_UNEXPLAINED || a->fault == STEM_FAULT_MISSING || fabs(a->gain_db - b->gain_db) < 0.3);
}

static uint64_t apart(uint64_t a, uint64_t b)
{
    return a > b ? a - b : b - a;
}

/* A run of one output joins the same one of another output. */
static void keep_run(finder *self, const stem_run *run)
{
    stem_truth *truth = self->truth;
    uint64_t near = 2 * (uint64_t)stem_block_frames(self->model->lane_count, true);
    for (uint32_t i = 0; i < truth->run_count; i++) {
        stem_run *other = &truth->runs[i];
        if (!runs_alike(run, other) || apart(run->start_frame, other->start_frame) > near ||
            apart(run->end_frame, other->end_frame) > near)
            continue;
        other->outputs |= run->outputs;
        other->start_frame = run->start_frame < other->start_frame ? run->start_frame : other->start_frame;
        other->end_frame = run->end_frame > other->end_frame ? run->end_frame : other->end_frame;
        other->residual_dbfs = fmax(other->residual_dbfs, run->residual_dbfs);
        return;
    }
    if (truth->run_count == STEM_RUNS_MAX)
        truth->run_dropped++;
    else
        truth->runs[truth->run_count++] = *run;
}

static double power_db(double energy, double frame_count)
{
    return energy > 0.0 ? 10.0 * log10(energy / frame_count) : -HUGE_VAL;
}

/* Blocks with the same fault, with nothing but untold ones between them, are one run. */
static void find_runs(finder *self, uint32_t output, uint8_t element)
{
    stem_run run = {0};
    bool open = false;
    size_t members = 0;
    size_t heard = 0;
    double energy = 0.0;
    uint64_t frames = 0;
    for (size_t block = 0; block <= self->programme->block_count; block++) {
        bool last = block == self->programme->block_count;
        const stem_block *at = last ? NULL : &self->programme->blocks[block];
        size_t place = block * self->model->output_count + output;
        place_state state = last                   ? (place_state){.known = true}
                            : element == UINT8_MAX ? rest_state(self, place, at->frame_count)
                                                   : element_state(self, place, element);
        if (!state.known)
            continue;
        stem_run next = {.fault = state.fault, .element = element, .gain_db = state.gain_db};
        if (open && !(state.faulty && runs_alike(&run, &next))) {
            run.residual_dbfs = power_db(energy, (double)frames);
            run.heard = heard * 2 > members;
            keep_run(self, &run);
            open = false;
        }
        if (!state.faulty || last)
            continue;
        if (!open) {
            run = next;
            run.outputs = 1u << output;
            run.start_frame = at->frame;
            members = heard = 0;
            energy = 0.0;
            frames = 0;
        }
        open = true;
        members++;
        heard += state.heard;
        run.gain_db += (state.gain_db - run.gain_db) / (double)members;
        run.end_frame = at->frame + at->frame_count;
        energy += self->fits[place].residual;
        frames += at->frame_count;
    }
}

static int by_time(const void *a, const void *b)
{
    const stem_run *left = a;
    const stem_run *right = b;
    if (left->start_frame != right->start_frame)
        return left->start_frame < right->start_frame ? -1 : 1;
    if (left->element != right->element)
        return left->element < right->element ? -1 : 1;
    if (left->outputs != right->outputs)
        return left->outputs < right->outputs ? -1 : 1;
    return (int)left->fault - (int)right->fault;
}

/* The block in which another fault begins or ends is explained by no gain; half of it goes to that fault. */
static bool run_edge_of(const finder *self, const stem_run *edge, stem_run *run)
{
    uint64_t block = stem_block_frames(self->model->lane_count, true);
    if (run->fault == STEM_FAULT_UNEXPLAINED || (run->outputs & edge->outputs) == 0)
        return false;
    if (apart(edge->end_frame, run->start_frame) <= block / 2)
        run->start_frame = edge->start_frame + (edge->end_frame - edge->start_frame) / 2;
    else if (apart(edge->start_frame, run->end_frame) <= block / 2)
        run->end_frame = edge->start_frame + (edge->end_frame - edge->start_frame) / 2;
    else
        return false;
    return true;
}

static void drop_edges(finder *self)
{
    stem_truth *truth = self->truth;
    uint64_t block = stem_block_frames(self->model->lane_count, true);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < truth->run_count; i++) {
        bool edge = false;
        const stem_run run = truth->runs[i];
        if (run.fault == STEM_FAULT_UNEXPLAINED && run.end_frame - run.start_frame <= block)
            for (uint32_t k = 0; k < truth->run_count; k++)
                edge = (k < kept || k > i) && run_edge_of(self, &run, &truth->runs[k]) ? true : edge;
        if (!edge)
            truth->runs[kept++] = run;
    }
    truth->run_count = kept;
}

/* ---- figures ---- */

static void find_null(finder *self)
{
    stem_truth *truth = self->truth;
    truth->null_dbfs = -HUGE_VAL;
    truth->worst_dbfs = -HUGE_VAL;
    truth->nulls = true;
    for (uint32_t output = 0; output < self->model->output_count; output++) {
        double energy = 0.0;
        for (size_t block = 0; block < self->programme->block_count; block++) {
            const block_fit *fit = &self->fits[block * self->model->output_count + output];
            const stem_block *at = &self->programme->blocks[block];
            double level = power_db(fit->residual, (double)at->frame_count);
            energy += fit->residual;
            truth->nulls = truth->nulls && fit->residual <= floor_factor * fit->floor;
            if (level > truth->worst_dbfs) {
                truth->worst_dbfs = level;
                truth->worst_frame = at->frame;
            }
        }
        truth->null_dbfs = fmax(truth->null_dbfs, power_db(energy, (double)self->programme->frame_count));
    }
}

/* A FOREIGN stem may lie there at another time, filtered or in a room: no louder than what no gain explains, beyond rounding. */
static void find_hidden(finder *self, size_t first, uint32_t element)
{
    const stem_model *model = self->model;
    double left = 0.0;
    double own = -1e-20;
    for (size_t b = first; b < self->programme->block_count && b < first + HIDDEN_BLOCKS; b++) {
        const stem_block *at = &self->programme->blocks[b];
        for (uint32_t i = model->output_count; i < model->lane_count; i++)
            own += model->element_of[i] == element ? product(at->sums, i, i) : 0.0;
        own -= spoken_power * (double)at->frame_count;
        for (uint32_t output = 0; output < model->output_count; output++) {
            const block_fit *fit = &self->fits[b * model->output_count + output];
            const double rest = fmin(fit->residual, fit->fitted);
            left += rest > floor_factor * fit->floor ? rest : 0.0;
        }
    }
    if (own <= 0.0 || !(sqrt(left / own) > self->truth->hidden[element]))
        return;
    self->truth->hidden[element] = sqrt(left / own);
    self->truth->hidden_frame[element] = self->programme->blocks[first].frame;
}

static void find(finder *self)
{
    stem_truth *truth = self->truth;
    fit_all(self);
    find_presence(self);
    if (!find_programme_gain(self))
        return;
    fit_all(self);
    add_up(self);
    for (uint32_t output = 0; output < self->model->output_count; output++)
        find_matrix_row(self, output, self->programme->frame_count);
    if (truth->matrix_wrong) {
        fit_all(self);
        part_level_and_matrix(self);
    }
    find_null(self);
    for (uint32_t e = 0; e < self->model->element_count; e++)
        for (size_t b = 0; self->model->belongs[e] == STEM_FOREIGN && b < self->programme->block_count; b += HIDDEN_BLOCKS / 2)
            find_hidden(self, b, e);
    for (uint32_t output = 0; output < self->model->output_count; output++) {
        for (uint32_t e = 0; e < self->model->element_count; e++)
            find_runs(self, output, (uint8_t)e);
        find_runs(self, output, UINT8_MAX);
    }
    drop_edges(self);
    if (truth->run_count > 1)
        qsort(truth->runs, truth->run_count, sizeof truth->runs[0], by_time);
}

status stem_truth_find(stem_truth *out_truth, const stem_model *model, const stem_programme *programme)
{
    *out_truth = (stem_truth){.programme_gain = 1.0};
    finder *self = calloc(1, sizeof *self);
    if (self == NULL)
        return STATUS_NODE_MEMORY;
    size_t places = programme->block_count * model->output_count;
    self->model = model;
    self->programme = programme;
    self->truth = out_truth;
    memcpy(self->nominal, model->nominal, sizeof self->nominal);
    self->fits = calloc(places + 1, sizeof *self->fits);
    self->gains = calloc(places * model->element_count + 1, sizeof *self->gains);
    self->total = calloc(stem_sum_count(model->lane_count, true), sizeof *self->total);
    bool room = self->fits != NULL && self->gains != NULL && self->total != NULL;
    if (room)
        find(self);
    free(self->fits);
    free(self->gains);
    free(self->total);
    free(self);
    return room ? STATUS_OK : STATUS_NODE_MEMORY;
}
