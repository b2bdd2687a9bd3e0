#include "common/measure/sync_measure.h"

#include "common/base/ensure.h"
#include "common/base/limits.h"

#include <math.h>
#include <stdbool.h>

static const uint64_t FRAMES_END = (uint64_t)1 << 40;
enum { POP_BYTES = 2 + 8 + 4 + 8 + 8, POINT_BYTES = 8 + 8 + 8, LOST_BYTES = 8, AFTER_POPS_BYTES = 4 + 4 + 8 + 4 + 4 };

bool sync_pop_is_plain(const sync_pop *pop, uint32_t sample_rate)
{
    double seconds = (double)pop->frame_count / (double)sample_rate;
    return seconds >= 0.008 && seconds <= 0.1 && fabs((double)pop->frequency_hz - 1000.0) <= 20.0;
}

void sync_measure_encode(const sync_measure *self, byte_writer *writer)
{
    ENSURE(self->pop_count <= SYNC_POPS_MAX);
    byte_writer_u16(writer, SYNC_MEASURE_VERSION);
    byte_writer_u32(writer, self->pop_dropped);
    byte_writer_u32(writer, self->pop_count);
    for (uint32_t i = 0; i < self->pop_count; i++) {
        const sync_pop *pop = &self->pops[i];
        byte_writer_u16(writer, pop->channel);
        byte_writer_u64(writer, pop->frame);
        byte_writer_u32(writer, pop->frame_count);
        byte_writer_f64(writer, (double)pop->power);
        byte_writer_f64(writer, (double)pop->frequency_hz);
    }
    ENSURE(self->point_count <= SYNC_POINTS_MAX && self->lost_count <= SYNC_PLACES_MAX);
    byte_writer_u32(writer, self->tried);
    byte_writer_u32(writer, self->silent);
    byte_writer_u64(writer, self->frames_read);
    byte_writer_u32(writer, self->point_count);
    byte_writer_u32(writer, self->lost_count);
    for (uint32_t i = 0; i < self->point_count; i++) {
        byte_writer_u64(writer, self->points[i].place);
        byte_writer_f64(writer, self->points[i].late);
        byte_writer_f64(writer, (double)self->points[i].score);
    }
    for (uint32_t i = 0; i < self->lost_count; i++)
        byte_writer_u64(writer, self->lost[i]);
}

static bool pop_plausible(const sync_pop *pop)
{
    return pop->channel < FILE_CHANNELS_MAX * LAYOUT_CHANNELS_MAX && pop->frame < FRAMES_END && pop->frame_count > 0 &&
           pop->frame_count <= SAMPLE_RATE_MAX && pop->power > 0.0f && pop->power < 1e20f &&
           pop->frequency_hz > 0.0f && pop->frequency_hz < (float)SAMPLE_RATE_MAX;
}

static bool decode_points(sync_measure *measure, byte_reader *reader, arena *memory)
{
    measure->tried = byte_reader_u32(reader);
    measure->silent = byte_reader_u32(reader);
    measure->frames_read = byte_reader_u64(reader);
    measure->point_count = byte_reader_u32(reader);
    measure->lost_count = byte_reader_u32(reader);
    if (reader->failed || measure->point_count > SYNC_POINTS_MAX || measure->lost_count > SYNC_PLACES_MAX ||
        byte_reader_left(reader) !=
            (size_t)measure->point_count * POINT_BYTES + (size_t)measure->lost_count * LOST_BYTES)
        return false;
    measure->points = arena_take_array(memory, measure->point_count, sizeof *measure->points);
    for (uint32_t i = 0; i < measure->point_count; i++) {
        sync_point *point = &measure->points[i];
        point->place = byte_reader_u64(reader);
        point->late = byte_reader_f64(reader);
        point->score = (float)byte_reader_f64(reader);
        if (point->place >= FRAMES_END || !(fabs(point->late) < (double)FRAMES_END) || !(point->score >= 0.0f) ||
            (i > 0 && point->place <= measure->points[i - 1].place))
            return false;
    }
    measure->lost = arena_take_array(memory, measure->lost_count, sizeof *measure->lost);
    for (uint32_t i = 0; i < measure->lost_count; i++) {
        measure->lost[i] = byte_reader_u64(reader);
        if (measure->lost[i] >= FRAMES_END || (i > 0 && measure->lost[i] <= measure->lost[i - 1]))
            return false;
    }
    return byte_reader_complete(reader);
}

status sync_measure_decode(sync_measure *out_measure, const void *bytes, size_t byte_size, arena *memory)
{
    byte_reader reader;
    byte_reader_init(&reader, bytes, byte_size);
    bool known = byte_reader_u16(&reader) == SYNC_MEASURE_VERSION;
    sync_measure measure = {0};
    measure.pop_dropped = byte_reader_u32(&reader);
    measure.pop_count = byte_reader_u32(&reader);
    if (!known || reader.failed || measure.pop_count > SYNC_POPS_MAX ||
        byte_reader_left(&reader) < (size_t)measure.pop_count * POP_BYTES + AFTER_POPS_BYTES)
        return STATUS_PEER_MALFORMED;
    measure.pops = arena_take_array(memory, measure.pop_count, sizeof *measure.pops);
    for (uint32_t i = 0; i < measure.pop_count; i++) {
        sync_pop *pop = &measure.pops[i];
        pop->channel = byte_reader_u16(&reader);
        pop->frame = byte_reader_u64(&reader);
        pop->frame_count = byte_reader_u32(&reader);
        pop->power = (float)byte_reader_f64(&reader);
        pop->frequency_hz = (float)byte_reader_f64(&reader);
        if (!pop_plausible(pop))
            return STATUS_PEER_MALFORMED;
    }
    if (!decode_points(&measure, &reader, memory))
        return STATUS_PEER_MALFORMED;
    *out_measure = measure;
    return STATUS_OK;
}
