/* The stems' features, taken from the input tiles of a task while they are in cache. */
#include "worker/render/render_parts.h"

#include <math.h>
#include <string.h>

void cell_window_add(cell_windows self, uint32_t window, double *const *tiles, uint32_t lane, uint32_t frame,
                     uint32_t frame_count, double *sound)
{
    uint32_t start = cell_window_start(self, window);
    uint32_t from = frame > start ? frame : start;
    uint32_t end = frame + frame_count < start + self.size ? frame + frame_count : start + self.size;
    const double *samples = tiles[lane / TILE_LANES] + lane % TILE_LANES;
    for (uint32_t f = from; f < end; f++)
        sound[f - start] += samples[(size_t)(f - frame) * TILE_LANES];
}

status render_stems_init(render_stems *self, const task_render *task, const dsp_table *dsp, arena *memory)
{
    bool crossed = task->stems == STEMS_CROSSED;
    uint32_t lanes = task->program.input_count;
    *self = (render_stems){.dsp = dsp, .crossed = crossed, .tile_count = (lanes + TILE_LANES - 1) / TILE_LANES};
    self->block_frames = stem_block_frames(lanes, crossed);
    self->features = (stem_features){
        .sample_rate = task->program.sample_rate, .lane_count = (uint16_t)lanes, .crossed = crossed};
    uint32_t blocks = CELL_FRAMES / self->block_frames;
    self->pair_count = crossed ? self->tile_count * (self->tile_count + 1) / 2 : self->tile_count;
    self->products = arena_take_array(memory, self->pair_count, sizeof *self->products);
    self->features.sums =
        arena_take_array(memory, (size_t)blocks * stem_sum_count(lanes, crossed), sizeof *self->features.sums);
    self->bleed = render_bleed_make(&task->program, dsp, memory);
    self->gaps = render_gaps_make(&task->program, memory);
    self->shifts = crossed ? render_shifts_make(&task->program, dsp, memory) : NULL;
    byte_writer_init(&self->encoded, MEASURE_BYTES_MAX);
    return STATUS_OK;
}

void render_stems_deinit(render_stems *self)
{
    byte_writer_deinit(&self->encoded);
}

void render_stems_begin(render_stems *self, uint64_t programme_frame, uint32_t frame_count)
{
    self->features.programme_frame = programme_frame;
    self->features.frame_count = frame_count;
    self->features.block_count = stem_block_count(self->features.lane_count, self->crossed, frame_count);
    self->frame = 0;
    self->block = 0;
    self->block_left = self->block_frames;
    memset(self->products, 0, self->pair_count * sizeof *self->products);
    if (self->bleed != NULL)
        render_bleed_begin(self->bleed, frame_count);
    self->features.gap_count = 0;
    render_gaps_begin(self->gaps);
    if (self->shifts != NULL)
        render_shifts_begin(self->shifts, frame_count);
}

static bool tile_silent(const double *tile, uint32_t frame_count)
{
    for (uint32_t i = 0; i < frame_count * TILE_LANES; i++)
        if (tile[i] != 0.0)
            return false;
    return true;
}

static void add_products(const render_stems *self, const double *a, const double *b, uint32_t frame_count,
                         double products[TILE_LANES][TILE_LANES])
{
    _Alignas(64) double sums[TILE_LANES][TILE_LANES];
    if (tile_silent(a, frame_count))
        return;
    memcpy(sums, products, sizeof sums);
    self->dsp->lane_products(a, b, frame_count, sums);
    memcpy(products, sums, sizeof sums);
}

/* The block is complete: its sums go where the binary form wants them. */
static void close_block(render_stems *self)
{
    uint32_t lanes = self->features.lane_count;
    uint32_t count = stem_sum_count(lanes, self->crossed);
    double *sums = self->features.sums + (size_t)self->block * count;
    bool finite = true;
    for (uint32_t i = 0; i < lanes; i++) {
        uint32_t tile = i / TILE_LANES;
        if (!self->crossed)
            sums[i] = self->products[tile][0][i % TILE_LANES];
        for (uint32_t j = 0; self->crossed && j <= i; j++)
            sums[stem_sum_index(i, j)] =
                self->products[stem_sum_index(tile, j / TILE_LANES)][i % TILE_LANES][j % TILE_LANES];
    }
    for (uint32_t k = 0; k < count; k++)
        finite = finite && isfinite(sums[k]);
    if (!finite)
        memset(sums, 0, count * sizeof *sums);
    memset(self->products, 0, self->pair_count * sizeof *self->products);
    self->block++;
    self->block_left = self->block_frames;
}

/* Some frames of one tile: their energies, and what the search for leaks keeps of them. */
static void take_tile(render_stems *self, uint32_t tile, const double *samples, uint32_t frame_count)
{
    double squares[TILE_LANES] = {0.0};
    if (self->bleed != NULL)
        render_bleed_take(self->bleed, tile, samples, self->frame, frame_count, squares);
    else
        self->dsp->rows_of_tile(samples, frame_count, 0, NULL, squares);
    for (uint32_t lane = 0; !self->crossed && lane < TILE_LANES; lane++)
        self->products[tile][0][lane] += squares[lane];
}

void render_stems_take(render_stems *self, double *const *tiles, uint32_t frame_count)
{
    const uint32_t cell_frame = self->frame;
    for (uint32_t done = 0; done < frame_count;) {
        uint32_t count = frame_count - done < self->block_left ? frame_count - done : self->block_left;
        for (uint32_t a = 0; self->crossed && a < self->tile_count; a++)
            for (uint32_t b = 0; b <= a; b++)
                add_products(self, tiles[a] + (size_t)done * TILE_LANES, tiles[b] + (size_t)done * TILE_LANES, count,
                             self->products[stem_sum_index(a, b)]);
        for (uint32_t tile = 0; tile < self->tile_count; tile++)
            take_tile(self, tile, tiles[tile] + (size_t)done * TILE_LANES, count);
        done += count;
        self->frame += count;
        self->block_left -= count;
        if (self->block_left == 0)
            close_block(self);
    }
    if (self->shifts != NULL)
        render_shifts_take(self->shifts, tiles, cell_frame, frame_count);
    render_gaps_take(self->gaps, tiles, cell_frame, frame_count, &self->features);
}

/* A cell, for what is read beyond it. */
typedef struct cell_place {
    render_sources *sources;
    uint64_t in_piece;
    error_detail *detail;
} cell_place;

static status read_beyond(void *context, uint16_t lane, int64_t frame, uint32_t frame_count, float *row)
{
    const cell_place *place = context;
    int64_t in_piece = (int64_t)place->in_piece + frame;
    return render_sources_beside(place->sources, 0, lane, (uint64_t)in_piece, frame_count, row, place->detail);
}

/*
 * Frames of each stem that may be read again in a cell to follow its leaks: its share of what may be in its piece, half a
 * percent or, of short ones, 3 s.
 */
static uint64_t most_beyond(const task_piece *piece, const stem_features *cell)
{
    uint64_t least = 3 * (uint64_t)cell->sample_rate;
    uint64_t of_stem = piece->frame_count / 200 > least ? piece->frame_count / 200 : least;
    return of_stem * cell->frame_count / piece->frame_count;
}

status render_stems_end(render_stems *self, render_sources *sources, uint32_t cell, const click_places *clicks,
                        message_bytes *out_bytes, error_detail *detail)
{
    cell_place place = {.sources = sources, .in_piece = (uint64_t)cell * CELL_FRAMES, .detail = detail};
    const cell_beyond beyond = {
        .context = &place,
        .before = place.in_piece,
        .after = sources->task->pieces[0].frame_count - place.in_piece - self->features.frame_count,
        .most = most_beyond(&sources->task->pieces[0], &self->features),
        .frames = read_beyond};
    status code = STATUS_OK;
    if (self->block < self->features.block_count)
        close_block(self);
    if (self->bleed != NULL)
        code = render_bleed_end(self->bleed, &self->features, &beyond);
    if (code == STATUS_OK)
        code = render_clicks_find(clicks, &sources->task->program, &beyond, &self->features);
    if (code != STATUS_OK)
        return code;
    render_gaps_end(self->gaps, &self->features);
    if (self->shifts != NULL)
        render_shifts_end(self->shifts, &self->features);
    byte_writer_reset(&self->encoded);
    stem_features_encode(&self->features, &self->encoded);
    if (self->encoded.failed)
        return STATUS_NODE_MEMORY;
    *out_bytes = (message_bytes){.bytes = self->encoded.bytes, .size = (uint32_t)self->encoded.size};
    return STATUS_OK;
}
