#include "common/measure/cell_measure.h"

#include "common/base/ensure.h"
#include "common/media/channel_layout.h"

#include <math.h>
#include <stdlib.h>

enum { SLOTS_PER_SECOND = 100, SLOTS_PER_DECISLOT = 10 };

uint64_t cell_measure_slot_frame(uint64_t slot, uint32_t sample_rate)
{
    return slot * sample_rate / SLOTS_PER_SECOND;
}

uint64_t cell_measure_slot_of(uint64_t frame, uint32_t sample_rate)
{
    /* The slot below may still hold the frame, because slot edges are rounded down. */
    uint64_t slot = frame * SLOTS_PER_SECOND / sample_rate;
    while (cell_measure_slot_frame(slot + 1, sample_rate) <= frame)
        slot++;
    return slot;
}

void cell_measure_encode(const cell_measure *self, byte_writer *writer)
{
    size_t start = writer->size;
    byte_writer_u16(writer, CELL_MEASURE_VERSION);
    byte_writer_u8(writer, self->layout);
    byte_writer_u8(writer, self->channel_count);
    byte_writer_u32(writer, self->sample_rate);
    byte_writer_u64(writer, self->programme_frame);
    byte_writer_u32(writer, self->frame_count);
    byte_writer_u64(writer, self->first_slot);
    byte_writer_u32(writer, self->slot_count);
    for (uint32_t i = 0; i < self->slot_count; i++)
        byte_writer_f64(writer, self->slot_energy[i]);
    byte_writer_u64(writer, self->first_decislot);
    byte_writer_u32(writer, self->decislot_count);
    for (uint32_t i = 0; i < self->decislot_count * self->channel_count; i++)
        byte_writer_f64(writer, self->channel_energy[i]);
    for (uint32_t i = 0; i < self->channel_count; i++) {
        const channel_measure *channel = &self->channels[i];
        byte_writer_f64(writer, channel->sample_peak);
        byte_writer_f64(writer, channel->true_peak);
        byte_writer_f64(writer, channel->mix_peak);
        byte_writer_u64(writer, channel->overload_count);
        byte_writer_u64(writer, channel->nonfinite_count);
    }
    byte_writer_u32(writer, self->run_count);
    byte_writer_u32(writer, self->run_dropped);
    for (uint32_t i = 0; i < self->run_count; i++) {
        const peak_run *run = &self->runs[i];
        byte_writer_u32(writer, cell_place_word(run->kind, run->channel, (int32_t)run->frame));
        byte_writer_u24(writer, run->frame_count);
        byte_writer_u24(writer, run->sample_count);
        byte_writer_f64(writer, run->peak);
    }
    byte_writer_u8(writer, self->signal != NULL);
    if (self->signal != NULL)
        cell_signal_encode(self->signal, writer);
    ENSURE(writer->failed || writer->size - start <= MEASURE_BYTES_MAX);
}

size_t cell_measure_bytes_max(uint8_t layout, uint32_t sample_rate, uint8_t signal_groups)
{
    size_t channels = channel_layout_get((channel_layout_id)layout)->channel_count;
    size_t slots = (size_t)CELL_FRAMES * SLOTS_PER_SECOND / sample_rate + 2;
    size_t decislots = slots / SLOTS_PER_DECISLOT + 2;
    size_t head = 2 + 1 + 1 + 4 + 8 + 4 + 8 + 4 + 8 + 4 + 4 + 4 + 1;
    size_t signal = signal_groups == 0 ? 0 : cell_signal_bytes_max(layout, sample_rate, signal_groups);
    return head + slots * 8 + channels * (decislots * 8 + 5 * 8) + (size_t)PEAK_RUNS_MAX * (4 + 3 + 3 + 8) + signal;
}

/* A sum of squares or an absolute peak: finite and not negative. */
static bool read_magnitude(byte_reader *reader, double *out)
{
    *out = byte_reader_f64(reader);
    return isfinite(*out) && *out >= 0.0;
}

/* The counts follow from where the cell lies; a sender that says otherwise is refused before memory is taken. */
static bool shape_holds(const cell_measure *self)
{
    if (self->layout == LAYOUT_NONE || self->layout >= LAYOUT_COUNT ||
        self->channel_count != channel_layout_get((channel_layout_id)self->layout)->channel_count)
        return false;
    if (self->sample_rate < SAMPLE_RATE_MIN || self->sample_rate > SAMPLE_RATE_MAX || self->frame_count == 0 ||
        self->frame_count > CELL_FRAMES || self->programme_frame > UINT64_C(1) << 50)
        return false;
    uint64_t last_slot = cell_measure_slot_of(self->programme_frame + self->frame_count - 1, self->sample_rate);
    return self->first_slot == cell_measure_slot_of(self->programme_frame, self->sample_rate) &&
           self->slot_count == last_slot - self->first_slot + 1;
}

static bool read_channels(cell_measure *self, byte_reader *reader)
{
    bool good = true;
    for (uint32_t i = 0; i < self->channel_count; i++) {
        channel_measure *channel = &self->channels[i];
        good &= read_magnitude(reader, &channel->sample_peak);
        good &= read_magnitude(reader, &channel->true_peak);
        good &= read_magnitude(reader, &channel->mix_peak);
        channel->overload_count = byte_reader_u64(reader);
        channel->nonfinite_count = byte_reader_u64(reader);
        good &= channel->overload_count <= self->frame_count && channel->nonfinite_count <= self->frame_count;
    }
    return good;
}

static bool read_runs(cell_measure *self, byte_reader *reader)
{
    bool good = true;
    for (uint32_t i = 0; i < self->run_count; i++) {
        peak_run *run = &self->runs[i];
        int32_t frame = 0;
        cell_place_read(byte_reader_u32(reader), &run->kind, &run->channel, &frame);
        run->frame = (uint32_t)frame; /* beyond every cell where it is before this one */
        run->frame_count = byte_reader_u24(reader);
        run->sample_count = byte_reader_u24(reader);
        good &= read_magnitude(reader, &run->peak);
        good &= run->kind <= PEAK_RUN_LIMITED && run->channel < self->channel_count && run->frame < self->frame_count &&
                run->frame_count > 0 && run->frame_count <= self->frame_count - run->frame &&
                run->sample_count <= run->frame_count &&
                (i == 0 || run->frame >= self->runs[i - 1].frame);
    }
    return good;
}

status cell_measure_decode(cell_measure *out_measure, const void *bytes, size_t byte_size)
{
    cell_measure self = {0};
    byte_reader reader;
    if (byte_size > MEASURE_BYTES_MAX)
        return STATUS_PEER_MALFORMED;
    byte_reader_init(&reader, bytes, byte_size);
    if (byte_reader_u16(&reader) != CELL_MEASURE_VERSION)
        return STATUS_PEER_MALFORMED;
    self.layout = byte_reader_u8(&reader);
    self.channel_count = byte_reader_u8(&reader);
    self.sample_rate = byte_reader_u32(&reader);
    self.programme_frame = byte_reader_u64(&reader);
    self.frame_count = byte_reader_u32(&reader);
    self.first_slot = byte_reader_u64(&reader);
    self.slot_count = byte_reader_u32(&reader);
    if (reader.failed || !shape_holds(&self) || (uint64_t)self.slot_count * 8 > byte_reader_left(&reader))
        return STATUS_PEER_MALFORMED;
    self.first_decislot = self.first_slot / SLOTS_PER_DECISLOT;
    self.decislot_count =
        (uint32_t)((self.first_slot + self.slot_count - 1) / SLOTS_PER_DECISLOT - self.first_decislot + 1);
    size_t energy_count = self.slot_count + (size_t)self.decislot_count * self.channel_count;
    unsigned char *block = calloc(1, energy_count * sizeof(double) + PEAK_RUNS_MAX * sizeof(peak_run));
    if (block == NULL)
        return STATUS_NODE_MEMORY;
    self.slot_energy = (double *)(void *)block;
    self.channel_energy = self.slot_energy + self.slot_count;
    self.runs = (peak_run *)(void *)(block + energy_count * sizeof(double));
    bool good = true;
    for (uint32_t i = 0; i < self.slot_count; i++)
        good &= read_magnitude(&reader, &self.slot_energy[i]);
    good &= byte_reader_u64(&reader) == self.first_decislot && byte_reader_u32(&reader) == self.decislot_count;
    for (uint32_t i = 0; good && i < self.decislot_count * self.channel_count; i++)
        good &= read_magnitude(&reader, &self.channel_energy[i]);
    good = good && read_channels(&self, &reader);
    self.run_count = byte_reader_u32(&reader);
    self.run_dropped = byte_reader_u32(&reader);
    good = good && self.run_count <= PEAK_RUNS_MAX && read_runs(&self, &reader);
    uint8_t has_signal = byte_reader_u8(&reader);
    good = good && has_signal <= 1 && !reader.failed;
    if (good && has_signal == 1) {
        self.signal = calloc(1, sizeof *self.signal);
        if (self.signal == NULL) {
            free(block);
            return STATUS_NODE_MEMORY;
        }
        good = cell_signal_decode(self.signal, self.layout, self.channel_count, self.frame_count, &reader);
    }
    if (!good || !byte_reader_complete(&reader)) {
        cell_measure_deinit(&self);
        return STATUS_PEER_MALFORMED;
    }
    *out_measure = self;
    return STATUS_OK;
}

void cell_measure_deinit(cell_measure *self)
{
    free(self->slot_energy); /* one block holds all three arrays */
    free(self->signal);
    *self = (cell_measure){0};
}
