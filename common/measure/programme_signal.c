#include "common/measure/programme_signal.h"

#include <stdlib.h>
#include <string.h>

/* Room for `more` elements of an array that doubles. */
static bool grow(void **items, size_t count, size_t more, size_t *capacity, size_t element_size)
{
    size_t larger = *capacity == 0 ? 64 : *capacity;
    while (larger < count + more)
        larger += larger / 4; /* not twice: a long programme's are many */
    if (larger == *capacity)
        return true;
    void *moved = realloc(*items, larger * element_size);
    if (moved == NULL)
        return false;
    *items = moved;
    *capacity = larger;
    return true;
}

/* A tone that goes on behind a cell's edge is one tone: the same channel, place and frequency. */
static bool joins_tone(programme_signal *self, const programme_event *event)
{
    for (size_t i = self->event_count; event->kind == SIGNAL_TONE && i > 0 && i + SIGNAL_EVENTS_MAX > self->event_count; i--) {
        programme_event *last = &self->events[i - 1];
        if (last->kind != SIGNAL_TONE || last->channel != event->channel)
            continue;
        double change = event->figure / last->figure;
        if (last->frame + last->frame_count != event->frame || change < 0.99 || change > 1.01)
            return false;
        last->frame_count += event->frame_count;
        last->level = last->level > event->level ? last->level : event->level;
        return true;
    }
    return false;
}

static bool add_event(programme_signal *self, const signal_event *event, uint64_t cell_frame)
{
    if (event->frame < 0 && cell_frame < (uint64_t)-(int64_t)event->frame)
        return true; /* before the programme: no such place */
    programme_event item = {.kind = event->kind,
                            .channel = event->channel,
                            .frame = cell_frame + (uint64_t)(int64_t)event->frame,
                            .frame_count = event->frame_count,
                            .level = (double)event->level,
                            .figure = (double)event->figure};
    if (joins_tone(self, &item))
        return true;
    if (!grow((void **)&self->events, self->event_count, 1, &self->event_capacity, sizeof *self->events))
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
    if (!grow((void **)&self->blocks, self->block_count, signal->block_count, &self->block_capacity, sizeof *self->blocks) ||
        !grow((void **)&self->hums, self->hum_count, signal->hum_count, &self->hum_capacity, sizeof *self->hums) ||
        !grow((void **)&self->cells, self->cell_count, 1, &self->cell_capacity, sizeof *self->cells))
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
    self->event_dropped += signal->event_dropped;
    for (uint32_t i = 0; i < signal->event_count; i++)
        if (!add_event(self, &signal->events[i], cell_frame))
            return false;
    return true;
}

void programme_signal_deinit(programme_signal *self)
{
    free(self->blocks);
    free(self->hums);
    free(self->cells);
    free(self->events);
    *self = (programme_signal){0};
}
