#include "common/measure/programme_signal.h"

#include "common/media/channel_layout.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void programme_signal_init(programme_signal *self, uint64_t programme_frames)
{
    *self = (programme_signal){.cells_expected = (size_t)(programme_frames / CELL_FRAMES + 1)};
}

/* Room for `more` elements of an array that begins with as many as are expected. */
static bool grow(void **items, size_t count, size_t more, size_t expected, size_t *capacity, size_t element_size)
{
    size_t larger = *capacity == 0 ? expected : *capacity;
    while (larger < count + more)
        larger += larger / 4 + 1; /* not twice: a long programme's are many */
    if (larger == *capacity)
        return true;
    void *moved = realloc(*items, larger * element_size);
    if (moved == NULL)
        return false;
    *items = moved;
    *capacity = larger;
    return true;
}

/* A tone that goes on behind a cell's edge, of whose last half a slot nothing may be told, is one: the same channel, the same
 * frequency. */
static bool joins_tone(programme_signal *self, const programme_event *event, uint32_t sample_rate)
{
    for (size_t i = self->event_count; event->kind == SIGNAL_TONE && i > 0 && i + SIGNAL_EVENTS_MAX > self->event_count; i--) {
        programme_event *last = &self->events[i - 1];
        if (last->kind != SIGNAL_TONE || last->channel != event->channel)
            continue;
        double change = event->figure / last->figure;
        uint64_t end = last->frame + last->frame_count;
        if (end > event->frame || (event->frame - end) * 200 > sample_rate || change < 0.99 || change > 1.01)
            return false;
        last->frame_count = event->frame + event->frame_count - last->frame;
        last->level = last->level > event->level ? last->level : event->level;
        return true;
    }
    return false;
}

static bool add_event(programme_signal *self, const signal_event *event, uint64_t cell_frame, uint32_t sample_rate)
{
    if (event->frame < 0 && cell_frame < (uint64_t)-(int64_t)event->frame)
        return true; /* before the programme: no such place */
    programme_event item = {.kind = event->kind,
                            .channel = event->channel,
                            .frame = cell_frame + (uint64_t)(int64_t)event->frame,
                            .frame_count = event->frame_count,
                            .level = (double)event->level,
                            .figure = (double)event->figure};
    if (joins_tone(self, &item, sample_rate))
        return true;
    if (!grow((void **)&self->events, self->event_count, 1, 64, &self->event_capacity, sizeof *self->events))
        return false;
    self->events[self->event_count++] = item;
    return true;
}

bool programme_signal_add(programme_signal *self, const cell_signal *signal, uint64_t cell_frame, uint32_t frame_count,
                          uint32_t sample_rate)
{
    if (signal == NULL) {
        self->missing = true;
        return true;
    }
    const size_t cells = self->cells_expected;
    if (!grow((void **)&self->blocks, self->block_count, signal->block_count, cells * SIGNAL_BLOCKS_MAX, &self->block_capacity,
              sizeof *self->blocks) ||
        !grow((void **)&self->hums, self->hum_count, signal->hum_count, cells * SIGNAL_HUM_STRETCHES, &self->hum_capacity,
              sizeof *self->hums) ||
        !grow((void **)&self->cells, self->cell_count, 1, cells, &self->cell_capacity, sizeof *self->cells))
        return false;
    self->groups = self->cell_count == 0 ? signal->groups : self->groups & signal->groups;
    uint64_t frame = cell_frame;
    for (uint32_t b = 0; b < signal->block_count; b++) {
        signal_block *block = &self->blocks[self->block_count++];
        block->frame = frame;
        block->frame_count = signal->block_frames[b];
        memcpy(block->energy, signal->energy[b], sizeof block->energy);
        memcpy(block->offset, signal->offset[b], sizeof block->offset);
        memcpy(block->cross, signal->cross[b], sizeof block->cross);
        memcpy(block->weighted, signal->weighted[b], sizeof block->weighted);
        frame += signal->block_frames[b];
    }
    for (uint32_t h = 0; h < signal->hum_count; h++) {
        signal_hum *hum = &self->hums[self->hum_count++];
        uint32_t stride = cell_signal_hum_stride_ms(sample_rate);
        hum->frame = cell_frame + (uint64_t)h * stride * sample_rate / 1000;
        hum->frame_count = (uint32_t)((uint64_t)SIGNAL_HUM_MS * sample_rate / 1000);
        memcpy(hum->power, signal->hum[h], sizeof hum->power);
    }
    signal_cell *cell = &self->cells[self->cell_count++];
    cell->frame = cell_frame;
    cell->frame_count = frame_count;
    memcpy(cell->bits, signal->bits, sizeof cell->bits);
    memcpy(cell->spectrum, signal->spectrum, sizeof cell->spectrum);
    memcpy(cell->mirror, signal->mirror, sizeof cell->mirror);
    cell->late_lag = signal->late_lag;
    cell->late_rest = signal->late_rest;
    cell->grid_window = signal->grid_window;
    cell->grid_frame = signal->grid_frame;
    cell->grid_bits = signal->grid_bits;
    self->event_dropped += signal->event_dropped;
    for (uint32_t i = 0; i < signal->event_count; i++)
        if (!add_event(self, &signal->events[i], cell_frame, sample_rate))
            return false;
    return true;
}

/* Screen and low-frequency channels count in full, surrounds 3 dB less: they are set to 82 dB each (SMPTE RP 200). */
static double cinema_weight(const channel_layout *layout, uint32_t channel)
{
    static const double surround = 0.5011872336272722; /* -3 dB */
    channel_label label = layout->labels[channel];
    if (label == CHANNEL_HI || label == CHANNEL_VIN)
        return 0.0; /* for headphones */
    bool front = label == CHANNEL_M || label == CHANNEL_L || label == CHANNEL_R || label == CHANNEL_C || label == CHANNEL_LC ||
                 label == CHANNEL_RC || label == CHANNEL_LFE;
    return front ? 1.0 : surround;
}

double programme_signal_leqm(const programme_signal *self, uint8_t layout)
{
    /* 85 dB of a sine of -20 dBFS, whose mean square is 20 log10(0.1 / sqrt 2) dB. */
    static const double full_scale_db = 85.0 + 20.0 + 3.010299956639812;
    static const double silent_power = 1e-7;
    const channel_layout *channels = channel_layout_get((channel_layout_id)layout);
    double sum = 0.0;
    double frames = 0.0;
    if ((self->groups & SIGNAL_GROUP_CINEMA) == 0)
        return (double)NAN;
    for (size_t b = 0; b < self->block_count; b++) {
        const signal_block *block = &self->blocks[b];
        double weighted = 0.0;
        bool sounds = false;
        for (uint32_t c = 0; c < channels->channel_count; c++) {
            double weight = cinema_weight(channels, c);
            weighted += weight * (double)block->weighted[c];
            sounds = sounds || (weight > 0.0 && (double)block->energy[c] > silent_power);
        }
        if (!sounds)
            continue;
        sum += weighted * block->frame_count;
        frames += block->frame_count;
    }
    return frames > 0.0 && sum > 0.0 ? full_scale_db + 10.0 * log10(sum / frames) : (double)NAN;
}

void programme_signal_deinit(programme_signal *self)
{
    free(self->blocks);
    free(self->hums);
    free(self->cells);
    free(self->events);
    *self = (programme_signal){0};
}
