#include "worker/render/codec_grid.h"
#include "worker/render/render_dither.h"
#include "worker/render/render_limit.h"
#include "worker/render/render_parts.h"
#include "worker/render/render_stage.h"
#include "worker/render/speech_bands.h"

#include <float.h>
#include <math.h>
#include <string.h>

typedef struct render_run_state {
    const task_render *task;
    const dsp_table *dsp;
    const render_observer *observer;
    render_sources sources;
    render_objects objects;
    render_lanes lanes;
    bool straight;                    /* the mix is none: sources are read into the output tiles */
    bool pcm;                         /* straight, and every sample is an integer's: it is finite and within full scale */
    uint32_t mix_term_count;
    mix_term *mix_terms;
    bool staged;                      /* the program has nodes */
    render_stage stage;
    render_limit limit;               /* if the program has limiters */
    k_weighting_coefficients coefficients;
    k_weighting_state *k_states;      /* [output tile] */
    render_metering metering;         /* of them, where pcm */
    double **histories;               /* [output tile] TRUE_PEAK_HISTORY frames, then the tile itself */
    double **tiles;                   /* [output tile] histories + TRUE_PEAK_HISTORY frames */
    quantise_result *peaks;           /* [output tile] of the cell */
    double (*true_peaks)[TILE_LANES]; /* [output tile] of the cell so far */
    double (*tops)[TILE_LANES];       /* [output tile] largest sample of the tile in hand */
    render_meter *meters;             /* [output] */
    signal_tables tables;
    signal_tile *signal_tiles;        /* [output tile] */
    render_stems stems;               /* if the task takes them */
    uint32_t sink_count;
    render_sink *sinks;
    render_readback *readback;        /* NULL: what is written is not read back here */
    content_hash *output_digests;
    message_bytes measures[CELL_MEASURES_MAX];
    double locate_peak;               /* PEAK_LOCATE_DBTP, linear */
    double *located;                  /* true peaks frame by frame, of a tile that passes it */
} render_run_state;

/* 10^(-3.5/20), the double nearest to it: no libm on a worker decides what is located. */
static const double locate_linear = 0x1.56312c88e01ccp-1;

/* A received programme is measured as it is: each lane gets itself, at gain 1, and nothing is rounded. */
static bool mixes_nothing(const render_run_state *self)
{
    const render_program *program = &self->task->program;
    bool straight = !self->staged && self->lanes.tile_count == self->sources.tile_count &&
                    program->term_count == program->input_count && program->input_count == program->output_lane_count;
    for (uint32_t i = 0; straight && i < self->lanes.tile_count; i++)
        straight = self->lanes.bits[i] == QUANTISE_MEASURE_ONLY;
    for (uint32_t i = 0; straight && i < program->term_count; i++) {
        const mix_term *term = &self->mix_terms[i];
        const render_term *named = &program->terms[i];
        straight = named->gain == 1.0 && named->input == i && named->output == i &&
                   term->input_tile == term->output_tile && term->input_lane == term->output_lane;
    }
    return straight;
}

/* The most bits that a file of a straight programme has. */
static uint32_t straight_bits(const render_run_state *self)
{
    uint32_t bits = 0;
    for (uint32_t i = 0; i < self->task->input_count; i++)
        if (sample_encoding_bits(self->sources.files[i].encoding) > bits)
            bits = sample_encoding_bits(self->sources.files[i].encoding);
    return bits;
}

static status state_open(render_run_state *self, const storage_roots *roots, arena *memory, error_detail *detail)
{
    const task_render *task = self->task;
    const render_program *program = &task->program;
    status code = render_sources_open(&self->sources, task, roots, self->dsp, memory, detail);
    if (code != STATUS_OK)
        return code;
    render_objects_open(&self->objects, task, &self->sources, memory);
    render_lanes_make(&self->lanes, program);
    self->mix_terms = arena_take_array(memory, program->term_count, sizeof *self->mix_terms);
    self->mix_term_count = render_lanes_terms(&self->lanes, program, self->mix_terms);
    self->staged = program->node_count > 0;
    if (self->staged) {
        code = render_stage_open(&self->stage, task, &self->sources, &self->lanes, self->mix_terms, self->mix_term_count, roots,
                                 self->dsp, memory, detail);
        if (code != STATUS_OK)
            return code;
    }
    if (program->limit_count > 0) {
        code = render_limit_open(&self->limit, task, &self->lanes, self->mix_terms, self->mix_term_count, roots, self->dsp, memory,
                                 detail);
        if (code != STATUS_OK)
            return code;
    }
    k_weighting_design(program->sample_rate, &self->coefficients);
    uint32_t tiles = self->lanes.tile_count;
    self->k_states = arena_take_lines(memory, tiles, sizeof *self->k_states);
    self->peaks = arena_take_lines(memory, tiles, sizeof *self->peaks);
    self->true_peaks = arena_take_array(memory, tiles, sizeof *self->true_peaks);
    self->tops = arena_take_array(memory, tiles, sizeof *self->tops);
    self->histories = arena_take_array(memory, tiles, sizeof *self->histories);
    self->tiles = arena_take_array(memory, tiles, sizeof *self->tiles);
    for (uint32_t i = 0; i < tiles; i++) {
        self->histories[i] =
            arena_take_lines(memory, TILE_LANES * (TILE_FRAMES_MAX + TRUE_PEAK_HISTORY), sizeof(double));
        self->tiles[i] = self->histories[i] + TRUE_PEAK_HISTORY * TILE_LANES;
    }
    self->straight = mixes_nothing(self);
    for (uint32_t i = 0; self->straight && i < tiles; i++)
        self->sources.tiles[i] = self->tiles[i];
    self->located = arena_take_lines(memory, TILE_LANES * TILE_FRAMES_MAX, sizeof(double));
    self->signal_tiles = arena_take_lines(memory, tiles, sizeof *self->signal_tiles);
    self->metering = (render_metering){&self->coefficients, self->k_states, arena_take_lines(memory, tiles, sizeof(tile_meter)),
                                       arena_take_array(memory, tiles, sizeof(bool))};
    self->pcm = self->straight;
    for (uint32_t i = 0; self->pcm && i < task->input_count; i++)
        self->pcm = !sample_encoding_is_float(self->sources.files[i].encoding) && self->sources.files[i].resampler == NULL;
    self->sources.metering = self->pcm && program->join == JOIN_BUTT ? &self->metering : NULL;
    for (uint32_t i = 0; i < tiles; i++) {
        self->signal_tiles[i].samples = self->tiles[i];
        bool written = self->lanes.bits[i] >= 8 && self->lanes.bits[i] <= 32;
        self->signal_tiles[i].pcm_bits = self->pcm ? straight_bits(self) : written ? self->lanes.bits[i] : 0;
    }
    bool cinema = (task->signal_groups & SIGNAL_GROUP_CINEMA) != 0;
    signal_tables_init(&self->tables, cinema ? program->sample_rate : 0);
    self->meters = arena_take_array(memory, program->output_count, sizeof *self->meters);
    for (uint32_t i = 0; i < program->output_count; i++) {
        code = render_meter_init(&self->meters[i], task, i, memory);
        if (code != STATUS_OK)
            return code;
        const uint8_t groups = render_output_signal_groups(&program->outputs[i], task->signal_groups);
        for (uint32_t c = 0; c < self->meters[i].layout->channel_count; c++)
            signal_tile_take(&self->signal_tiles[self->lanes.tile_of[program->outputs[i].first_lane + c]], groups, &self->tables,
                             memory);
        if ((groups & SIGNAL_GROUP_GRID) != 0)
            self->meters[i].signal.grid = codec_grid_make(self->dsp, &self->meters[i].signal.cell, memory);
        if ((groups & SIGNAL_GROUP_SPEECH) != 0)
            self->meters[i].signal.speech = speech_bands_make(self->dsp, &self->tables,
                                                              (uint8_t)self->meters[i].layout->id, program->sample_rate,
                                                              &self->meters[i].signal.cell, memory);
    }
    if (task->stems != STEMS_NONE) {
        code = render_stems_init(&self->stems, task, self->dsp, memory);
        if (code != STATUS_OK)
            return code;
        self->sources.stems = &self->stems;
    }
    self->output_digests = arena_take_array(memory, task->file_count, sizeof *self->output_digests);
    self->sinks = arena_take_lines(memory, task->file_count, sizeof *self->sinks);
    for (uint32_t i = 0; i < task->file_count; i++)
        self->sinks[i].descriptor = -1;
    for (uint32_t i = 0; code == STATUS_OK && i < task->file_count; i++) {
        const task_output_file *file = &task->files[i];
        uint64_t first = file->file_frame + (uint64_t)task->first_cell * CELL_FRAMES;
        self->sink_count = i + 1;
        code = render_sink_open(&self->sinks[i], file, (sample_encoding)program->outputs[file->output].encoding, first,
                                roots, memory, detail);
    }
    if (code == STATUS_OK && self->sink_count > 0 && self->observer->read_back != NULL)
        self->readback = render_readback_start(task, roots, memory);
    for (uint32_t i = 0; i < self->sink_count; i++) {
        self->sinks[i].readback = self->readback;
        self->sinks[i].number = i;
    }
    return code;
}

static void state_close(render_run_state *self)
{
    render_sources_close(&self->sources);
    render_stage_close(&self->stage);
    if (self->limit.task != NULL)
        render_limit_close(&self->limit);
    for (uint32_t i = 0; i < self->sink_count; i++)
        render_sink_close(&self->sinks[i]);
    for (uint32_t i = 0; self->meters != NULL && i < self->task->program.output_count; i++)
        render_meter_deinit(&self->meters[i]);
    render_stems_deinit(&self->stems);
    if (self->readback != NULL)
        render_readback_stop(self->readback);
}

/* Overload is rare: only then the tile is mixed again to see where it was. */
static void locate_overload(render_run_state *self, uint32_t output, uint32_t channel, const double *mixed, uint32_t lane,
                            uint32_t bits, uint32_t frame_count, uint32_t cell_frame)
{
    double scale = ldexp(1.0, (int)bits - 1); /* what is not written as PCM never overloads */
    for (uint32_t i = 0; i < frame_count; i++) {
        double value = mixed[(size_t)i * TILE_LANES + lane];
        double rounded = nearbyint(value * scale);
        if (fabs(value) <= (double)FLT_MAX && (rounded > scale - 1.0 || rounded < -scale))
            render_meter_run(&self->meters[output], PEAK_RUN_OVERLOAD, channel, cell_frame + i, fabs(value));
    }
}

/* reel_frame: of the tile's first frame in its piece */
static void dither_tiles(render_run_state *self, const task_piece *piece, uint64_t reel_frame, uint32_t frame_count)
{
    const render_program *program = &self->task->program;
    for (uint32_t o = 0; o < program->output_count; o++) {
        const render_output *output = &program->outputs[o];
        const channel_layout *layout = channel_layout_get((channel_layout_id)output->layout);
        if (output->dither_seed == 0)
            continue;
        double step = ldexp(1.0, 1 - (int)sample_encoding_bits((sample_encoding)output->encoding));
        for (uint32_t c = 0; c < layout->channel_count; c++) {
            uint32_t lane = output->first_lane + c;
            render_dither_add(self->tiles[self->lanes.tile_of[lane]] + self->lanes.lane_of[lane], TILE_LANES, frame_count,
                              render_dither_key(output->dither_seed, layout->labels[c], piece->reel), reel_frame, step);
        }
    }
}

/* meters: told what a limiter did, from cell_frame on; NULL: nobody is. */
static void mix_tiles(render_run_state *self, const task_piece *piece, uint64_t reel_frame, uint32_t frame_count,
                      render_meter *meters, uint32_t cell_frame)
{
    if (self->straight)
        return;
    if (self->staged)
        render_stage_compose(&self->stage, piece->programme_frame + reel_frame, frame_count, self->tiles);
    else
        self->dsp->mix((const double *const *)self->sources.tiles, self->tiles, self->lanes.tile_count, self->mix_terms,
                       self->mix_term_count, frame_count);
    render_limit_apply(&self->limit, piece->programme_frame + reel_frame, frame_count, self->tiles, meters, cell_frame);
    dither_tiles(self, piece, reel_frame, frame_count);
}

static void quantise_tiles(render_run_state *self, const task_piece *piece, uint64_t reel_frame, uint32_t frame_count,
                           bool measuring, uint32_t cell_frame)
{
    const render_program *program = &self->task->program;
    if (self->pcm)
        return; /* true_peaks() finds the sample peaks, and there is nothing else to find */
    bool over[OUTPUT_TILES_MAX] = {false};
    bool any = false;
    for (uint32_t t = 0; t < self->lanes.tile_count; t++) {
        quantise_result passing;
        memset(&passing, 0, sizeof passing);
        quantise_result *result = measuring ? &self->peaks[t] : &passing;
        uint64_t before = 0;
        uint64_t after = 0;
        for (uint32_t l = 0; l < TILE_LANES; l++)
            before += result->overload_count[l];
        self->dsp->quantise(self->tiles[t], frame_count, self->lanes.bits[t], result);
        for (uint32_t l = 0; l < TILE_LANES; l++)
            after += result->overload_count[l];
        over[t] = measuring && after > before;
        any = any || over[t];
    }
    if (!any)
        return;
    mix_tiles(self, piece, reel_frame, frame_count, NULL, 0);
    for (uint32_t o = 0; o < program->output_count; o++)
        for (uint32_t c = 0; c < self->meters[o].layout->channel_count; c++) {
            uint32_t lane = program->outputs[o].first_lane + c;
            uint32_t t = self->lanes.tile_of[lane];
            if (over[t])
                locate_overload(self, o, c, self->tiles[t], self->lanes.lane_of[lane], self->lanes.bits[t], frame_count,
                                cell_frame);
        }
    for (uint32_t t = 0; t < self->lanes.tile_count; t++) {
        quantise_result passing;
        memset(&passing, 0, sizeof passing);
        self->dsp->quantise(self->tiles[t], frame_count, self->lanes.bits[t], &passing);
    }
}

/* Of two that are no NaN: without a call of libm, of which a tile has many. */
static double larger(double a, double b)
{
    return a > b ? a : b;
}

/*
 * The FIR is skipped where no inter-sample peak can matter: neither raise a lane's maximum in this cell, which is never below
 * its sample peak, nor pass the bound above which every exceedance is located. The maxima are exact all the same.
 */
static void true_peaks(render_run_state *self, uint32_t tile, uint32_t frame_count, uint32_t cell_frame, bool flush)
{
    double peak[TILE_LANES];
    double *sample_peak = self->tops[tile];
    quantise_result *peaks = &self->peaks[tile];
    double *true_peak = self->true_peaks[tile];
    bool located = false;
    for (uint32_t l = 0; l < TILE_LANES; l++) {
        double reached = larger(true_peak[l], peaks->sample_peak[l]);
        peak[l] = reached < self->locate_peak ? reached : self->locate_peak;
    }
    const tile_meter *metered = self->metering.done[tile] && !flush ? &self->metering.meters[tile] : NULL;
    self->dsp->true_peak_over(self->tiles[tile], frame_count, peak, metered == NULL ? NULL : metered->peaks, peak, sample_peak);
    for (uint32_t l = 0; self->pcm && l < TILE_LANES; l++)
        peaks->mix_peak[l] = peaks->sample_peak[l] = larger(sample_peak[l], peaks->sample_peak[l]);
    for (uint32_t l = 0; l < TILE_LANES; l++) {
        true_peak[l] = larger(peak[l], true_peak[l]);
        located = located || peak[l] > self->locate_peak;
    }
    if (!located)
        return;
    self->dsp->true_peak_frames(self->tiles[tile], frame_count, self->located);
    for (uint32_t i = 0; i < frame_count; i++)
        for (uint32_t l = 0; l < TILE_LANES; l++) {
            double now = self->located[(size_t)i * TILE_LANES + l];
            if (!(now > self->locate_peak) || !self->lanes.owners[tile][l].used)
                continue;
            uint32_t frame = cell_frame + i;
            for (const render_owner *owner = &self->lanes.owners[tile][l]; owner != NULL; owner = owner->also) {
                render_meter *meter = &self->meters[owner->output];
                uint32_t last = meter->measure.frame_count - 1;
                render_meter_run(meter, PEAK_RUN_TRUE, owner->channel, flush || frame > last ? last : frame, now);
            }
        }
}

/* The newest frames of every tile become its history. */
static void keep_history(render_run_state *self, uint32_t frame_count)
{
    for (uint32_t t = 0; t < self->lanes.tile_count; t++)
        memmove(self->histories[t], self->histories[t] + (size_t)frame_count * TILE_LANES,
                sizeof(double) * TRUE_PEAK_HISTORY * TILE_LANES);
}

/* The features of the signal checks, of every channel of an output. */
static void take_signal(render_run_state *self, uint32_t output)
{
    const render_lanes *lanes = &self->lanes;
    render_signal *signal = &self->meters[output].signal;
    uint32_t first = self->task->program.outputs[output].first_lane;
    const signal_tile *any = &self->signal_tiles[lanes->tile_of[first]];
    for (uint32_t c = 0, pair = 0; c < signal->cell.channel_count; c++) {
        bool is_left = pair < signal->cell.pair_count && signal->pairs[pair] == c;
        pair += is_left;
        render_signal_channel(signal, c, &self->signal_tiles[lanes->tile_of[first + c]], lanes->lane_of[first + c],
                              is_left ? &self->signal_tiles[lanes->tile_of[first + c + 1]] : NULL,
                              is_left ? lanes->lane_of[first + c + 1] : 0);
    }
    render_signal_tile_end(signal, any);
}

/* The voice of an output, for the speech detector. */
static void take_speech(render_run_state *self, uint32_t output, uint64_t frame, uint32_t frame_count)
{
    speech_bands *speech = self->meters[output].signal.speech;
    uint32_t first = self->task->program.outputs[output].first_lane;
    int channels[2];
    const double *samples[2] = {NULL, NULL};
    speech_bands_channels(speech, channels);
    for (uint32_t i = 0; i < 2 && channels[i] >= 0; i++) {
        uint32_t lane = first + (uint32_t)channels[i];
        samples[i] = self->tiles[self->lanes.tile_of[lane]] + self->lanes.lane_of[lane];
    }
    speech_bands_take(speech, samples[0], samples[1], frame, frame_count);
}

/* Of the pre-roll only these last frames can belong to a run of clipped samples that the cell counts. */
enum { CLIP_REACH_FRAMES = 64 };

static void measure_tiles(render_run_state *self, uint32_t frame_count, bool measuring, uint64_t frame, int64_t cell_frame)
{
    uint64_t slot = cell_measure_slot_of(frame, self->task->program.sample_rate);
    const render_program *program = &self->task->program;
    double energy[OUTPUT_TILES_MAX][TILE_LANES];
    for (uint32_t t = 0; t < self->lanes.tile_count; t++) {
        memset(energy[t], 0, sizeof energy[t]);
        if (self->metering.done[t])
            memcpy(energy[t], self->metering.meters[t].energy, sizeof energy[t]);
        else
            self->dsp->k_energy(self->tiles[t], frame_count, &self->coefficients, &self->k_states[t], energy[t]);
        if (measuring)
            true_peaks(self, t, frame_count, (uint32_t)cell_frame, false);
        signal_tile_measure(&self->signal_tiles[t], self->dsp, &self->tables, self->peaks[t].sample_peak, frame,
                            self->task->program.sample_rate, frame_count, cell_frame);
    }
    for (uint32_t o = 0; o < program->output_count; o++)
        for (uint32_t c = 0; c < self->meters[o].layout->channel_count; c++) {
            uint32_t t = self->lanes.tile_of[program->outputs[o].first_lane + c];
            uint32_t l = self->lanes.lane_of[program->outputs[o].first_lane + c];
            if (measuring)
                render_meter_energy(&self->meters[o], slot, c, self->coefficients.energy_gain * energy[t][l]);
            double top = measuring ? self->peaks[t].sample_peak[l] : 1.0;
            double least = fmin(fmax(top - CLIP_LEVEL_STEP, CLIP_LEAST), self->meters[o].full_scale);
            bool near = !measuring && cell_frame + (int64_t)frame_count + CLIP_REACH_FRAMES > 0;
            if (near || (measuring && self->tops[t][l] >= least))
                render_meter_clips(&self->meters[o], c, self->tiles[t], l, frame_count, cell_frame, top);
            else
                render_meter_no_clips(&self->meters[o], c, self->tiles[t][(size_t)(frame_count - 1) * TILE_LANES + l]);
        }
    if (self->task->signal_groups == 0)
        return;
    bool spectra = false; /* of all outputs at once: their cells and tiles are the same */
    for (uint32_t o = 0; o < program->output_count; o++)
        if (self->meters[o].measure.signal != NULL)
            spectra = render_signal_tile_begin(&self->meters[o].signal, &self->signal_tiles[0]);
    for (uint32_t t = 0; spectra && t < self->lanes.tile_count; t++)
        if ((self->signal_tiles[t].groups & SIGNAL_GROUP_SPECTRUM) != 0)
            signal_tile_spectrum(&self->signal_tiles[t], self->dsp, &self->tables, frame, self->task->program.sample_rate);
    for (uint32_t o = 0; o < program->output_count; o++) {
        if (self->meters[o].measure.signal != NULL)
            take_signal(self, o);
        if (self->meters[o].signal.speech != NULL)
            take_speech(self, o, frame, frame_count);
    }
}

static uint32_t piece_at(const task_render *task, uint64_t frame)
{
    int32_t piece = render_piece_of(task, frame);
    return piece < 0 ? 0 : (uint32_t)piece;
}

/* The cell that a task is in. */
typedef struct cell_range {
    uint64_t first, end;
} cell_range;

/* One tile that begins at a programme frame. cell_frame is negative in the pre-roll. */
static status run_tile(render_run_state *self, uint64_t frame, uint32_t frame_count, cell_range cell, bool writing,
                       error_detail *detail)
{
    const task_render *task = self->task;
    uint32_t piece = piece_at(task, frame);
    int64_t cell_frame = (int64_t)frame - (int64_t)cell.first;
    bool measuring = cell_frame >= 0;
    uint64_t reel_frame = frame - task->pieces[piece].programme_frame;
    status code = self->staged ? render_stage_fill(&self->stage, frame, frame_count, cell.first, cell.end, detail)
                               : render_sources_fill(&self->sources, piece, reel_frame, frame_count, measuring, detail);
    if (code != STATUS_OK)
        return code;
    mix_tiles(self, &task->pieces[piece], reel_frame, frame_count, measuring ? self->meters : NULL,
              measuring ? (uint32_t)cell_frame : 0);
    quantise_tiles(self, &task->pieces[piece], reel_frame, frame_count, measuring, measuring ? (uint32_t)cell_frame : 0);
    measure_tiles(self, frame_count, measuring, frame, cell_frame);
    if (writing)
        code = render_objects_fill(&self->objects, piece, reel_frame, frame_count, detail);
    for (uint32_t i = 0; writing && code == STATUS_OK && i < self->sink_count; i++) {
        const task_output_file *file = self->sinks[i].file;
        int64_t file_frame = (int64_t)frame - (int64_t)task->pieces[0].programme_frame + (int64_t)file->file_frame;
        code = render_sink_take(&self->sinks[i], &self->lanes, &task->program.outputs[file->output], self->tiles,
                                &self->objects, self->dsp, file_frame, frame_count, measuring, detail);
    }
    keep_history(self, frame_count);
    return code;
}

/*
 * Where tiles are cut follows from the position alone: at the edges of slots and pieces, at the cell, and at most
 * TILE_FRAMES_MAX apart.
 */
static uint32_t tile_length(const render_run_state *self, uint64_t frame, uint64_t end)
{
    const task_render *task = self->task;
    uint32_t rate = task->program.sample_rate;
    const task_piece *piece = &task->pieces[piece_at(task, frame)];
    uint64_t stop = cell_measure_slot_frame(cell_measure_slot_of(frame, rate) + 1, rate);
    if (stop > end)
        stop = end;
    if (stop > piece->programme_frame + piece->frame_count)
        stop = piece->programme_frame + piece->frame_count;
    return stop - frame > TILE_FRAMES_MAX ? TILE_FRAMES_MAX : (uint32_t)(stop - frame);
}

static void begin_cell(render_run_state *self, uint64_t start, uint32_t frame_count)
{
    uint32_t tiles = self->lanes.tile_count;
    memset(self->k_states, 0, tiles * sizeof *self->k_states);
    memset(self->peaks, 0, tiles * sizeof *self->peaks);
    memset(self->true_peaks, 0, tiles * sizeof *self->true_peaks);
    for (uint32_t t = 0; t < tiles; t++) {
        memset(self->histories[t], 0, sizeof(double) * TRUE_PEAK_HISTORY * TILE_LANES);
        signal_tile_begin(&self->signal_tiles[t], &self->tables);
    }
    for (uint32_t o = 0; o < self->task->program.output_count; o++) {
        render_meter_begin(&self->meters[o], start, frame_count);
        if (self->meters[o].signal.speech != NULL)
            speech_bands_begin(self->meters[o].signal.speech, start);
    }
    if (self->task->stems != STEMS_NONE)
        render_stems_begin(&self->stems, start, frame_count);
    for (uint32_t i = 0; i < self->sink_count; i++)
        content_hash_stream_init(&self->sinks[i].digest);
}

static status end_cell(render_run_state *self, uint32_t cell, bool programme_end, error_detail *detail)
{
    const render_program *program = &self->task->program;
    for (uint32_t o = 0; o < program->output_count; o++) {
        render_meter *meter = &self->meters[o];
        for (uint32_t c = 0; c < meter->layout->channel_count; c++) {
            uint32_t t = self->lanes.tile_of[program->outputs[o].first_lane + c];
            uint32_t l = self->lanes.lane_of[program->outputs[o].first_lane + c];
            meter->measure.channels[c] = (channel_measure){.sample_peak = self->peaks[t].sample_peak[l],
                                                           .true_peak = self->true_peaks[t][l],
                                                           .mix_peak = self->peaks[t].mix_peak[l],
                                                           .overload_count = self->peaks[t].overload_count[l],
                                                           .nonfinite_count = self->peaks[t].nonfinite_count[l]};
        }
        if (meter->signal.speech != NULL)
            speech_bands_end(meter->signal.speech);
        status code = render_meter_end(meter, programme_end, &self->measures[o]);
        if (code != STATUS_OK)
            return code;
    }
    uint32_t measure_count = program->output_count;
    if (self->task->stems != STEMS_NONE) {
        const click_places clicks = click_places_of(self->meters, program->output_count);
        status code = render_stems_end(&self->stems, &self->sources, cell, &clicks, &self->measures[measure_count++], detail);
        if (code != STATUS_OK)
            return code;
    }
    for (uint32_t i = 0; i < self->sink_count; i++)
        self->output_digests[i] = content_hash_stream_digest(&self->sinks[i].digest);
    return self->observer->cell(self->observer->context, cell, self->sink_count, self->output_digests, measure_count,
                                self->measures);
}

/* After the programme's last frame the filters ring out over silence. */
static void flush_true_peaks(render_run_state *self, uint32_t cell_frames)
{
    for (uint32_t t = 0; t < self->lanes.tile_count; t++) {
        memset(self->tiles[t], 0, sizeof(double) * TRUE_PEAK_HISTORY * TILE_LANES);
        true_peaks(self, t, TRUE_PEAK_HISTORY, cell_frames - 1, true);
    }
}

static status run_cell(render_run_state *self, uint32_t cell, error_detail *detail)
{
    const task_render *task = self->task;
    const task_piece *own = &task->pieces[0];
    uint64_t in_piece = (uint64_t)cell * CELL_FRAMES;
    if (in_piece >= own->frame_count)
        return error_detail_set(detail, STATUS_PEER_MALFORMED, "cell %u lies beyond its piece", cell);
    uint64_t left = own->frame_count - in_piece;
    uint32_t frame_count = left < CELL_FRAMES ? (uint32_t)left : CELL_FRAMES;
    uint64_t start = own->programme_frame + in_piece;
    uint64_t first = start < METER_PREROLL_FRAMES ? 0 : start - METER_PREROLL_FRAMES;
    uint64_t known = own->programme_frame;
    for (uint32_t i = 1; i < task->piece_count; i++)
        known = task->pieces[i].programme_frame < known ? task->pieces[i].programme_frame : known;
    if (first < known)
        first = known;
    begin_cell(self, start, frame_count);
    cell_range range = {.first = start, .end = start + frame_count};
    status code = self->staged ? render_stage_begin(&self->stage, first, range.end, detail) : STATUS_OK;
    if (code == STATUS_OK && task->program.limit_count > 0)
        code = render_limit_begin(&self->limit, first, range.end, detail);
    for (uint64_t frame = first; code == STATUS_OK && frame < start + frame_count;) {
        uint32_t count = tile_length(self, frame, frame < start ? start : start + frame_count);
        bool writing = frame >= start || cell == task->first_cell;
        code = run_tile(self, frame, count, range, writing, detail);
        frame += count;
    }
    if (code == STATUS_OK && cell + 1 == task->first_cell + task->cell_count)
        code = render_sinks_finish(self->sinks, self->sink_count, self->readback, detail);
    if (code != STATUS_OK)
        return code;
    bool programme_end = task->programme_end && in_piece + frame_count == own->frame_count;
    if (programme_end)
        flush_true_peaks(self, frame_count);
    return end_cell(self, cell, programme_end, detail);
}

status render_run(const task_render *task, const storage_roots *roots, const dsp_table *dsp,
                  const render_observer *observer, error_detail *detail)
{
    arena memory;
    arena_init(&memory);
    render_run_state *self = arena_take(&memory, sizeof *self);
    *self = (render_run_state){.task = task, .dsp = dsp, .observer = observer, .locate_peak = locate_linear};
    status code = state_open(self, roots, &memory, detail);
    if (code == STATUS_OK && task->digests_file)
        code = render_sources_digest_begin(&self->sources, detail);
    for (uint32_t i = 0; code == STATUS_OK && i < task->cell_count; i++) {
        code = run_cell(self, task->first_cell + i, detail);
        if (code == STATUS_OK && observer->progress != NULL)
            observer->progress(observer->context, (uint32_t)((i + 1) * UINT64_C(1000) / task->cell_count));
    }
    if (code == STATUS_OK && self->readback != NULL)
        code = render_readback_finish(self->readback, observer, detail);
    task_verify_result digests;
    if (code == STATUS_OK && task->digests_file)
        code = render_sources_digest_end(&self->sources, &digests, detail);
    if (code == STATUS_OK)
        code = render_sources_unchanged(&self->sources, detail);
    if (code == STATUS_OK && task->digests_file)
        observer->digested(observer->context, &digests);
    if (code == STATUS_OK && self->readback != NULL)
        observer->read_back(observer->context);
    state_close(self);
    arena_deinit(&memory);
    return code;
}
