#include "common/measure/cell_signal.h"

#include "common/media/channel_layout.h"

#include <math.h>
#include <string.h>

uint32_t cell_signal_block_frames(uint32_t sample_rate)
{
    uint32_t frames = sample_rate / 10;
    return frames < SIGNAL_BLOCK_FRAMES_MIN ? SIGNAL_BLOCK_FRAMES_MIN : frames;
}

uint32_t cell_signal_source_rate(uint32_t source)
{
    static const uint32_t rates[SIGNAL_SOURCES] = {32000, 44100, 48000};
    return rates[source];
}

uint32_t cell_signal_hum_stride_ms(uint32_t sample_rate)
{
    uint32_t cell_ms = (uint32_t)((uint64_t)CELL_FRAMES * 1000 / sample_rate);
    uint32_t stride = (cell_ms - 10) / SIGNAL_HUM_STRETCHES / 10 * 10; /* whole slots; the cell may begin within one */
    return stride < SIGNAL_HUM_MS ? SIGNAL_HUM_MS : stride;
}

uint32_t cell_signal_pairs(uint8_t layout, uint8_t out_first[SIGNAL_PAIRS_MAX])
{
    const channel_layout *wanted = channel_layout_get((channel_layout_id)layout);
    uint32_t count = 0;
    for (uint32_t c = 0; c + 1 < wanted->channel_count && count < SIGNAL_PAIRS_MAX; c++) {
        channel_label left = wanted->labels[c];
        bool is_left = left == CHANNEL_L || left == CHANNEL_LS || left == CHANNEL_LSS || left == CHANNEL_LRS ||
                       left == CHANNEL_LTS || left == CHANNEL_LC;
        if (is_left && wanted->labels[c + 1] == left + 1) /* in the enum, right follows left */
            out_first[count++] = (uint8_t)c;
    }
    return count;
}

static void write_floats(byte_writer *writer, const float *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t word;
        memcpy(&word, &values[i], sizeof word);
        byte_writer_u32(writer, word);
    }
}

enum { PLACE_FRAME_BITS = 24, PLACE_CHANNEL_BITS = 5 };
static_assert(CELL_FRAMES + 2 * METER_PREROLL_FRAMES < 1 << PLACE_FRAME_BITS, "a frame of a cell fits its place");
static_assert(LAYOUT_CHANNELS_MAX <= 1 << PLACE_CHANNEL_BITS, "a channel fits its place");
static_assert(SIGNAL_EVENT_KINDS <= 1 << (32 - PLACE_FRAME_BITS - PLACE_CHANNEL_BITS), "a kind fits its place");

uint32_t cell_place_word(uint8_t kind, uint8_t channel, int32_t frame)
{
    uint32_t from_preroll = (uint32_t)(frame + METER_PREROLL_FRAMES);
    return ((uint32_t)kind << PLACE_CHANNEL_BITS | channel) << PLACE_FRAME_BITS | from_preroll;
}

void cell_place_read(uint32_t word, uint8_t *out_kind, uint8_t *out_channel, int32_t *out_frame)
{
    *out_kind = (uint8_t)(word >> (PLACE_FRAME_BITS + PLACE_CHANNEL_BITS));
    *out_channel = (uint8_t)(word >> PLACE_FRAME_BITS & ((1u << PLACE_CHANNEL_BITS) - 1));
    *out_frame = (int32_t)(word & ((1u << PLACE_FRAME_BITS) - 1)) - METER_PREROLL_FRAMES;
}

enum { MIRROR_FLOATS = SIGNAL_SOURCES * SIGNAL_MIRROR_TURNS * 2 };

size_t cell_signal_bytes_max(uint8_t layout, uint32_t sample_rate, uint8_t groups)
{
    size_t channels = channel_layout_get((channel_layout_id)layout)->channel_count;
    uint8_t pairs[SIGNAL_PAIRS_MAX];
    size_t figures = channels * ((groups & SIGNAL_GROUP_CINEMA) != 0 ? 3 : 2) + cell_signal_pairs(layout, pairs);
    size_t size = 3 + 2 * 4;
    if ((groups & SIGNAL_GROUP_SOUND) != 0)
        size += 1 + 4 + SIGNAL_BLOCKS_MAX * (4 + figures * 4) + SIGNAL_HUM_STRETCHES * channels * 2 * SIGNAL_HUM_LINES * 4 +
                SIGNAL_EVENTS_MAX * (4 + 3 + 2 * 4);
    if ((groups & SIGNAL_GROUP_DEPTH) != 0)
        size += channels * 8;
    if ((groups & SIGNAL_GROUP_SPECTRUM) != 0)
        size += channels * (SIGNAL_BANDS + MIRROR_FLOATS) * 4;
    if ((groups & SIGNAL_GROUP_GRID) != 0)
        size += 1 + 2 + 4;
    if ((groups & SIGNAL_GROUP_SPEECH) != 0) {
        size_t frames = CELL_FRAMES / (sample_rate / 50) + 2;
        size += 2 + (frames < SPEECH_FRAMES_MAX ? frames : SPEECH_FRAMES_MAX) * SPEECH_BANDS;
    }
    return size;
}

void cell_signal_encode(const cell_signal *self, byte_writer *writer)
{
    byte_writer_u8(writer, self->groups);
    byte_writer_u8(writer, self->block_count);
    byte_writer_u8(writer, self->hum_count);
    for (uint32_t b = 0; b < self->block_count; b++) {
        byte_writer_u32(writer, self->block_frames[b]);
        write_floats(writer, self->energy[b], self->channel_count);
        write_floats(writer, self->offset[b], self->channel_count);
        write_floats(writer, self->cross[b], self->pair_count);
        if ((self->groups & SIGNAL_GROUP_CINEMA) != 0)
            write_floats(writer, self->weighted[b], self->channel_count);
    }
    for (uint32_t c = 0; c < self->channel_count; c++) {
        if ((self->groups & SIGNAL_GROUP_DEPTH) != 0)
            byte_writer_u64(writer, self->bits[c]);
        if ((self->groups & SIGNAL_GROUP_SPECTRUM) != 0) {
            write_floats(writer, self->spectrum[c], SIGNAL_BANDS);
            write_floats(writer, &self->mirror[c][0][0][0], MIRROR_FLOATS);
        }
    }
    for (uint32_t h = 0; h < self->hum_count; h++)
        for (uint32_t c = 0; c < self->channel_count; c++)
            write_floats(writer, &self->hum[h][c][0][0], (size_t)2 * SIGNAL_HUM_LINES);
    if ((self->groups & SIGNAL_GROUP_SOUND) != 0) {
        byte_writer_u8(writer, (uint8_t)(self->late_lag + SIGNAL_LATE_MAX));
        write_floats(writer, &self->late_rest, 1);
    }
    if ((self->groups & SIGNAL_GROUP_GRID) != 0) {
        byte_writer_u8(writer, self->grid_window);
        byte_writer_u16(writer, self->grid_frame);
        write_floats(writer, &self->grid_bits, 1);
    }
    byte_writer_u32(writer, self->event_count);
    byte_writer_u32(writer, self->event_dropped);
    for (uint32_t i = 0; i < self->event_count; i++) {
        const signal_event *event = &self->events[i];
        byte_writer_u32(writer, cell_place_word(event->kind, event->channel, event->frame));
        byte_writer_u24(writer, event->frame_count);
        write_floats(writer, &event->level, 1);
        write_floats(writer, &event->figure, 1);
    }
    if ((self->groups & SIGNAL_GROUP_SPEECH) != 0) {
        byte_writer_u16(writer, self->speech_count);
        byte_writer_bytes(writer, self->speech, (size_t)self->speech_count * SPEECH_BANDS);
    }
}

/* Finite, and not negative unless `any_sign`. */
static bool read_floats(byte_reader *reader, float *out, size_t count, bool any_sign)
{
    bool good = true;
    for (size_t i = 0; i < count; i++) {
        uint32_t word = byte_reader_u32(reader);
        memcpy(&out[i], &word, sizeof word);
        good &= isfinite(out[i]) && (any_sign || out[i] >= 0.0f);
    }
    return good;
}

static bool read_events(cell_signal *self, uint32_t frame_count, byte_reader *reader)
{
    bool good = true;
    for (uint32_t i = 0; good && i < self->event_count; i++) {
        signal_event *event = &self->events[i];
        cell_place_read(byte_reader_u32(reader), &event->kind, &event->channel, &event->frame);
        event->frame_count = byte_reader_u24(reader);
        good &= read_floats(reader, &event->level, 1, false) && read_floats(reader, &event->figure, 1, false);
        good &= event->kind < SIGNAL_EVENT_KINDS && event->channel < self->channel_count &&
                event->frame >= -METER_PREROLL_FRAMES && event->frame < (int32_t)frame_count &&
                event->frame_count <= METER_PREROLL_FRAMES + frame_count &&
                (event->kind == SIGNAL_CLICK || /* its length is no stretch of the cell */
                 (int64_t)event->frame + event->frame_count <= (int64_t)frame_count);
    }
    return good;
}

static bool read_speech(cell_signal *self, byte_reader *reader)
{
    if ((self->groups & SIGNAL_GROUP_SPEECH) == 0)
        return true;
    self->speech_count = byte_reader_u16(reader);
    if (reader->failed || self->speech_count > SPEECH_FRAMES_MAX)
        return false;
    const uint8_t *bytes = byte_reader_view(reader, (size_t)self->speech_count * SPEECH_BANDS);
    if (bytes != NULL)
        memcpy(self->speech, bytes, (size_t)self->speech_count * SPEECH_BANDS);
    return bytes != NULL;
}

bool cell_signal_decode(cell_signal *out_signal, uint8_t layout, uint8_t channel_count, uint32_t frame_count,
                        byte_reader *reader)
{
    cell_signal *self = out_signal;
    uint8_t pairs[SIGNAL_PAIRS_MAX];
    self->channel_count = channel_count;
    self->pair_count = (uint8_t)cell_signal_pairs(layout, pairs);
    self->groups = byte_reader_u8(reader);
    self->block_count = byte_reader_u8(reader);
    self->hum_count = byte_reader_u8(reader);
    bool sound = (self->groups & SIGNAL_GROUP_SOUND) != 0;
    if (reader->failed || self->groups == 0 || self->groups > SIGNAL_GROUPS_MAX || sound != (self->block_count > 0) ||
        self->block_count > SIGNAL_BLOCKS_MAX || self->hum_count > (sound ? SIGNAL_HUM_STRETCHES : 0))
        return false;
    bool good = true;
    uint64_t frames = 0;
    for (uint32_t b = 0; b < self->block_count; b++) {
        self->block_frames[b] = byte_reader_u32(reader);
        frames += self->block_frames[b];
        good &= read_floats(reader, self->energy[b], channel_count, false);
        good &= read_floats(reader, self->offset[b], channel_count, true);
        good &= read_floats(reader, self->cross[b], self->pair_count, true);
        if ((self->groups & SIGNAL_GROUP_CINEMA) != 0)
            good &= read_floats(reader, self->weighted[b], channel_count, false);
    }
    for (uint32_t c = 0; c < channel_count; c++) {
        if ((self->groups & SIGNAL_GROUP_DEPTH) != 0)
            self->bits[c] = byte_reader_u64(reader);
        good &= self->bits[c] >> 33 == 0;
        if ((self->groups & SIGNAL_GROUP_SPECTRUM) != 0)
            good &= read_floats(reader, self->spectrum[c], SIGNAL_BANDS, false) &&
                    read_floats(reader, &self->mirror[c][0][0][0], MIRROR_FLOATS, true);
    }
    for (uint32_t h = 0; h < self->hum_count; h++)
        for (uint32_t c = 0; c < channel_count; c++)
            good &= read_floats(reader, &self->hum[h][c][0][0], (size_t)2 * SIGNAL_HUM_LINES, false);
    if (sound) {
        const uint8_t lag = byte_reader_u8(reader);
        self->late_lag = (int8_t)(lag - SIGNAL_LATE_MAX);
        good &= lag <= 2 * SIGNAL_LATE_MAX && read_floats(reader, &self->late_rest, 1, false) && self->late_rest <= 1.0f;
    }
    if ((self->groups & SIGNAL_GROUP_GRID) != 0) {
        self->grid_window = byte_reader_u8(reader);
        self->grid_frame = byte_reader_u16(reader);
        good &= self->grid_window < SIGNAL_GRID_WINDOWS && self->grid_frame < SIGNAL_GRID_FRAMES &&
                read_floats(reader, &self->grid_bits, 1, false);
    }
    self->event_count = byte_reader_u32(reader);
    self->event_dropped = byte_reader_u32(reader);
    return good && frames == (sound ? frame_count : 0) && self->event_count <= (sound ? SIGNAL_EVENTS_MAX : 0) &&
           read_events(self, frame_count, reader) && read_speech(self, reader) && !reader->failed;
}
