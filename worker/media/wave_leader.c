#include "worker/media/wave_leader.h"

#include "common/base/ensure.h"
#include "common/base/plain_math.h"

#include <math.h>
#include <string.h>

enum { POP_HZ = 1000 };

static const double pop_peak = 0.1; /* -20 dBFS */

/* sin(2 pi 1000 i / rate), brought to a quarter turn in whole numbers. */
static double pop_sine(uint64_t i, uint32_t rate)
{
    uint64_t turn = i * POP_HZ % rate;
    bool below = 2 * turn >= rate;
    uint64_t half = below ? 2 * turn - rate : 2 * turn; /* in halves of a frame's turn */
    if (2 * half > rate)
        half = rate - half;
    double sine = sine_of_half_turns((double)half / (double)rate);
    return below ? -sine : sine;
}

static void put_sample(sample_encoding encoding, double value, byte_writer *writer)
{
    uint8_t bytes[8] = {0};
    uint32_t size = sample_encoding_bytes(encoding);
    if (sample_encoding_is_float(encoding)) {
        float single = (float)value;
        memcpy(bytes, encoding == ENCODING_FLOAT_32 ? (const void *)&single : (const void *)&value, size);
    } else {
        int64_t step = llrint(ldexp(value, (int)sample_encoding_bits(encoding) - 1)); /* both exact: no library's own rounding */
        for (uint32_t i = 0; i < size; i++)
            bytes[i] = (uint8_t)((uint64_t)step >> (8 * i));
    }
    byte_writer_bytes(writer, bytes, size);
}

void wave_leader_pop(const output_header *header, byte_writer *writer)
{
    uint32_t bed = header->channel_count - header->object_count; /* an object's pop would sound once more from its place */
    for (uint32_t i = 0; i < header->leader.pop_frames; i++) {
        double value = pop_peak * pop_sine(i, header->sample_rate);
        for (uint32_t c = 0; c < header->channel_count; c++)
            put_sample(header->encoding, c == header->leader.silent_channel || c >= bed ? 0.0 : value, writer);
    }
    ENSURE(!writer->failed);
}

static void add_silence(uint64_t size, content_hash_stream *stream)
{
    static const uint8_t zeros[4096] = {0};
    for (uint64_t done = 0; done < size;) {
        size_t take = size - done < sizeof zeros ? (size_t)(size - done) : sizeof zeros;
        content_hash_stream_add(stream, zeros, take);
        done += take;
    }
}

void wave_leader_digest(const output_header *header, bool tail, content_hash_stream *stream)
{
    const output_leader *leader = &header->leader;
    uint64_t frame_bytes = (uint64_t)header->channel_count * sample_encoding_bytes(header->encoding);
    uint64_t frames = tail ? leader->tail_frames : leader->head_frames;
    uint64_t pop = tail ? leader->tail_pop : leader->head_pop;
    byte_writer bytes;
    byte_writer_init(&bytes, leader->pop_frames * frame_bytes + 1);
    wave_leader_pop(header, &bytes);
    add_silence(pop * frame_bytes, stream);
    content_hash_stream_add(stream, bytes.bytes, bytes.size);
    add_silence((frames - pop - leader->pop_frames) * frame_bytes, stream);
    byte_writer_deinit(&bytes);
}
