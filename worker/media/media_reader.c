#include "worker/media/media_reader.h"

#include "common/base/ensure.h"
#include "worker/media/riff_walk.h"
#include "worker/media/sndfile_source.h"
#include "worker/media/storage_root.h"

#include <stdlib.h>
#include <string.h>

/* Raw frames of an odd WAV are widened in pieces of this many bytes. */
enum { SCRATCH_BYTES = 65536 };

struct media_reader {
    int descriptor;
    sample_encoding encoding; /* of what frames() gives */
    uint32_t channel_count;
    uint64_t frame_count;
    uint64_t data_offset;
    uint32_t sample_bytes;    /* in the file */
    bool big_endian;
    sndfile_source *decoder;  /* NULL: read by ourselves */
    uint8_t *scratch;         /* NULL: the bytes of the file are what is asked for */
};

/* 8-bit or big-endian WAV: the walk is cheap and says what the given facts cannot. */
static status reader_open_odd(media_reader *self, media_container container, error_detail *detail)
{
    media_facts facts = {0};
    probe_source source = {.descriptor = self->descriptor, .display = "the file", .facts = &facts};
    status code = storage_identity(self->descriptor, &facts.identity);
    if (code != STATUS_OK)
        return error_detail_set(detail, code, "the file cannot be examined");
    source.size = facts.identity.size;
    riff_form form;
    if (!riff_walk(&source, &form))
        return error_detail_set(detail, source.failure != STATUS_OK ? source.failure : facts.outcome, "%s", facts.message);
    if (form.container != container || form.format.channel_count != self->channel_count ||
        form.frame_count != self->frame_count)
        return error_detail_set(detail, STATUS_INPUT_CHANGED,
                                "the file is not what it was when it was examined; run again");
    self->data_offset = form.data_offset;
    self->sample_bytes = form.format.sample_bytes;
    self->big_endian = form.big_endian;
    self->encoding = form.format.is_float ? ENCODING_FLOAT_64 : ENCODING_PCM_32;
    self->scratch = malloc(SCRATCH_BYTES);
    return self->scratch == NULL ? error_detail_set(detail, STATUS_NODE_MEMORY, "no memory is left to read the file")
                                 : STATUS_OK;
}

static status reader_open_decoded(media_reader *self, media_container container, error_detail *detail)
{
    status code = sndfile_source_create(&self->decoder, self->descriptor, container, detail);
    if (code != STATUS_OK)
        return code;
    self->encoding = sndfile_source_encoding(self->decoder);
    if (sndfile_source_channel_count(self->decoder) != self->channel_count)
        return error_detail_set(detail, STATUS_INPUT_CHANGED,
                                "the file has %u channels and had %u when it was examined; run again",
                                (unsigned)sndfile_source_channel_count(self->decoder), (unsigned)self->channel_count);
    return STATUS_OK;
}

status media_reader_create(media_reader **out_reader, int descriptor, media_container container, sample_encoding encoding,
                           uint32_t channel_count, uint64_t frame_count, uint64_t data_offset, bool direct,
                           error_detail *detail)
{
    uint32_t sample_bytes = sample_encoding_bytes(encoding);
    uint64_t frame_bytes = (uint64_t)channel_count * sample_bytes;
    if (channel_count == 0 || channel_count > FILE_CHANNELS_MAX || sample_bytes == 0 || frame_count > INT64_MAX ||
        (direct && (data_offset > INT64_MAX || frame_count > (INT64_MAX - data_offset) / frame_bytes)))
        return error_detail_set(detail, STATUS_PEER_IMPOSSIBLE, "the facts given for a file are impossible");
    media_reader *self = calloc(1, sizeof *self);
    if (self == NULL)
        return error_detail_set(detail, STATUS_NODE_MEMORY, "no memory is left to read the file");
    self->descriptor = descriptor;
    self->encoding = encoding;
    self->channel_count = channel_count;
    self->frame_count = frame_count;
    self->data_offset = data_offset;
    self->sample_bytes = sample_bytes;
    status code = STATUS_OK;
    bool ours = container == CONTAINER_WAV || container == CONTAINER_RF64 || container == CONTAINER_BW64;
    if (!direct)
        code = ours ? reader_open_odd(self, container, detail) : reader_open_decoded(self, container, detail);
    if (code != STATUS_OK) {
        media_reader_destroy(&self);
        return code;
    }
    *out_reader = self;
    return STATUS_OK;
}

void media_reader_destroy(media_reader **self)
{
    if (*self == NULL)
        return;
    sndfile_source_destroy(&(*self)->decoder);
    free((*self)->scratch);
    free(*self);
    *self = NULL;
}

sample_encoding media_reader_encoding(const media_reader *self)
{
    return self->encoding;
}

/* Samples of 1 to 4 bytes to left-justified PCM_32: a shift, so nothing is lost; 8-bit WAV is offset binary. */
static void reader_widen_pcm(const media_reader *self, const uint8_t *raw, size_t sample_count, uint8_t *out)
{
    uint32_t width = self->sample_bytes;
    for (size_t i = 0; i < sample_count; i++, raw += width, out += 4) {
        uint32_t value = 0;
        for (uint32_t b = 0; b < width; b++)
            value |= (uint32_t)raw[self->big_endian ? b : width - 1 - b] << (24 - 8 * b);
        if (width == 1)
            value ^= 0x80000000u;
        memcpy(out, &value, sizeof value);
    }
}

static void reader_widen_float(const media_reader *self, const uint8_t *raw, size_t sample_count, uint8_t *out)
{
    uint32_t width = self->sample_bytes;
    for (size_t i = 0; i < sample_count; i++, raw += width, out += 8) {
        uint8_t turned[8];
        for (uint32_t b = 0; b < width; b++)
            turned[b] = raw[self->big_endian ? width - 1 - b : b];
        double value;
        if (width == 4) {
            float narrow;
            memcpy(&narrow, turned, sizeof narrow);
            value = (double)narrow;
        } else {
            memcpy(&value, turned, sizeof value);
        }
        memcpy(out, &value, sizeof value);
    }
}

static status reader_widen(media_reader *self, uint64_t offset, uint64_t sample_count, uint8_t *out, error_detail *detail)
{
    uint32_t out_bytes = sample_encoding_bytes(self->encoding);
    status code = STATUS_OK;
    while (code == STATUS_OK && sample_count > 0) {
        uint64_t room = SCRATCH_BYTES / self->sample_bytes;
        size_t take = (size_t)(sample_count < room ? sample_count : room);
        code = storage_read_at(self->descriptor, self->scratch, take * self->sample_bytes, offset, detail);
        if (code != STATUS_OK)
            break;
        if (self->encoding == ENCODING_FLOAT_64)
            reader_widen_float(self, self->scratch, take, out);
        else
            reader_widen_pcm(self, self->scratch, take, out);
        offset += take * self->sample_bytes;
        out += take * out_bytes;
        sample_count -= take;
    }
    return code;
}

status media_reader_frames(media_reader *self, uint64_t first_frame, uint32_t frame_count, void *bytes, error_detail *detail)
{
    ENSURE(first_frame <= self->frame_count && frame_count <= self->frame_count - first_frame);
    if (frame_count == 0)
        return STATUS_OK;
    if (self->decoder != NULL) {
        uint32_t got = 0;
        status code = sndfile_source_read(self->decoder, first_frame, frame_count, bytes, &got, detail);
        if (code == STATUS_OK && got < frame_count)
            return error_detail_set(detail, STATUS_INPUT_TRUNCATED,
                                    "decoding stops after frame %llu, expected %llu frames; the file is damaged, make it again",
                                    (unsigned long long)(first_frame + got), (unsigned long long)self->frame_count);
        return code;
    }
    uint64_t frame_bytes = (uint64_t)self->channel_count * self->sample_bytes;
    uint64_t offset = self->data_offset + first_frame * frame_bytes;
    if (self->scratch == NULL)
        return storage_read_at(self->descriptor, bytes, (size_t)(frame_count * frame_bytes), offset, detail);
    return reader_widen(self, offset, (uint64_t)frame_count * self->channel_count, bytes, detail);
}
