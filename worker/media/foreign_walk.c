#include "worker/media/foreign_walk.h"

#include <string.h>

/* Sony/Sonic Foundry Wave64: every chunk has a GUID and a size that counts its own header; chunks begin at 8 bytes. */
static const uint8_t w64_riff[16] = {0x72, 0x69, 0x66, 0x66, 0x2E, 0x91, 0xCF, 0x11,
                                     0xA5, 0xD6, 0x28, 0xDB, 0x04, 0xC1, 0x00, 0x00};
static const uint8_t w64_tail[12] = {0xF3, 0xAC, 0xD3, 0x11, 0x8C, 0xD1, 0x00, 0xC0, 0x4F, 0x8E, 0xDB, 0x8A};

enum { W64_HEADER_BYTES = 24, FLAC_STREAMINFO_BYTES = 34, AIFF_COMM_BYTES = 18, CAF_DESC_BYTES = 32 };

static uint64_t foreign_big(const uint8_t *bytes, uint32_t byte_size)
{
    uint64_t value = 0;
    for (uint32_t i = 0; i < byte_size; i++)
        value = value << 8 | bytes[i];
    return value;
}

static uint64_t foreign_little(const uint8_t *bytes, uint32_t byte_size)
{
    uint64_t value = 0;
    for (uint32_t i = byte_size; i > 0; i--)
        value = value << 8 | bytes[i - 1];
    return value;
}

media_container foreign_walk_container(const uint8_t magic[16])
{
    if (memcmp(magic, "fLaC", 4) == 0)
        return CONTAINER_FLAC;
    if (memcmp(magic, "caff", 4) == 0)
        return CONTAINER_CAF;
    if (memcmp(magic, "FORM", 4) == 0 && (memcmp(magic + 8, "AIFF", 4) == 0 || memcmp(magic + 8, "AIFC", 4) == 0))
        return CONTAINER_AIFF;
    return memcmp(magic, w64_riff, sizeof w64_riff) == 0 ? CONTAINER_W64 : CONTAINER_NONE;
}

static bool foreign_refuse_codec(probe_source *source, const uint8_t *name)
{
    char text[5] = "????";
    for (int i = 0; i < 4; i++)
        if (name[i] >= 0x20 && name[i] <= 0x7E)
            text[i] = (char)name[i];
    return probe_refuse(source, STATUS_INPUT_UNSUPPORTED,
                        "holds audio coded as \"%s\", expected uncompressed PCM or float; export it as 24-bit PCM WAV", text);
}

static bool foreign_refuse_chunk(probe_source *source, uint64_t offset, uint64_t size, uint64_t left)
{
    return probe_refuse(source, STATUS_INPUT_TRUNCATED,
                        "is truncated: its chunk at byte %llu has %llu bytes, the file holds %llu of them; copy it again "
                        "from its source",
                        (unsigned long long)offset, (unsigned long long)size, (unsigned long long)left);
}

static bool foreign_refuse_missing(probe_source *source, const char *what)
{
    return probe_refuse(source, STATUS_INPUT_INVALID, "has no %s chunk, expected one; export it again", what);
}

static bool foreign_refuse_layout(probe_source *source, uint64_t channels, uint64_t bits)
{
    return probe_refuse(source, STATUS_INPUT_UNSUPPORTED,
                        "has %llu channels of %llu bits, expected 1 to %d channels of at most 64 bits",
                        (unsigned long long)channels, (unsigned long long)bits, FILE_CHANNELS_MAX);
}

/* ---- AIFF and AIFF-C ---- */

typedef struct aiff_walker {
    foreign_form form;
    bool has_common;
    uint64_t frame_bytes;
    uint64_t sound_bytes; /* in the file, behind the chunk's own offset field */
} aiff_walker;

static bool aiff_common(probe_source *source, aiff_walker *self, uint64_t body, uint64_t size, bool compressed_form)
{
    static const char allowed[][5] = {"NONE", "sowt", "twos", "in24", "in32", "42n1", "23ni",
                                     "fl32", "FL32", "fl64", "FL64", "raw "}; /* 42n1, 23ni: in24, in32 turned round */
    uint8_t bytes[AIFF_COMM_BYTES + 4] = "";
    size_t need = AIFF_COMM_BYTES + (compressed_form ? 4 : 0);
    if (self->has_common || size < need)
        return probe_refuse(source, STATUS_INPUT_INVALID,
                            "has a broken COMM chunk at byte %llu (%llu bytes); export it again", (unsigned long long)body,
                            (unsigned long long)size);
    if (!probe_read(source, body, bytes, need))
        return false;
    const uint8_t *codec = compressed_form ? bytes + AIFF_COMM_BYTES : (const uint8_t *)"NONE";
    bool known = false;
    for (size_t i = 0; i < sizeof allowed / sizeof allowed[0]; i++)
        known |= memcmp(codec, allowed[i], 4) == 0;
    if (!known)
        return foreign_refuse_codec(source, codec);
    uint64_t bits = foreign_big(bytes + 6, 2);
    uint64_t channels = foreign_big(bytes, 2);
    if (channels == 0 || channels > FILE_CHANNELS_MAX || bits == 0 || bits > 64)
        return foreign_refuse_layout(source, channels, bits);
    bool is_float = codec[0] == 'f' || codec[0] == 'F';
    uint64_t sample_bytes = is_float ? (codec[2] == '6' ? 8 : 4) : (bits + 7) / 8;
    self->has_common = true;
    self->form.big_endian =
        memcmp(codec, "sowt", 4) != 0 && memcmp(codec, "42n1", 4) != 0 && memcmp(codec, "23ni", 4) != 0;
    self->form.channel_count = (uint32_t)channels;
    self->form.valid_bits = is_float ? (uint32_t)(8 * sample_bytes) : (uint32_t)bits;
    self->form.is_float = is_float;
    self->form.frame_count = foreign_big(bytes + 2, 4);
    self->form.frames_known = true;
    self->frame_bytes = channels * sample_bytes;
    return true;
}

static bool aiff_walk(probe_source *source, foreign_form *out_form)
{
    aiff_walker self = {.form.container = CONTAINER_AIFF};
    uint8_t head[16];
    if (!probe_read(source, 0, head, 12))
        return false;
    bool compressed_form = memcmp(head + 8, "AIFC", 4) == 0;
    bool has_sound = false;
    uint64_t offset = 12;
    for (int count = 0; offset <= source->size && source->size - offset >= 8 && count < CONTAINER_CHUNKS_MAX; count++) {
        if (!probe_read(source, offset, head, 8))
            return false;
        uint64_t size = foreign_big(head + 4, 4);
        uint64_t body = offset + 8;
        uint64_t left = source->size - body;
        if (memcmp(head, "SSND", 4) == 0 && !has_sound) {
            has_sound = true;
            uint8_t place[8];
            if (left < sizeof place)
                return foreign_refuse_chunk(source, offset, size, left);
            if (!probe_read(source, body, place, sizeof place))
                return false;
            uint64_t skip = 8 + foreign_big(place, 4);
            uint64_t held = size < left ? size : left;
            self.sound_bytes = held > skip ? held - skip : 0;
        } else if (size > left) {
            /* Behind the sound, bytes that are no chunk (padding, tags of players) harm nobody. */
            if (has_sound && self.has_common)
                break;
            return foreign_refuse_chunk(source, offset, size, left);
        }
        if (memcmp(head, "COMM", 4) == 0 && !aiff_common(source, &self, body, size, compressed_form))
            return false;
        if (size > left)
            break;
        offset = body + size + (size & 1);
    }
    if (!self.has_common)
        return foreign_refuse_missing(source, "COMM");
    if (!has_sound)
        return foreign_refuse_missing(source, "SSND");
    if (self.form.frame_count > self.sound_bytes / self.frame_bytes)
        return probe_refuse_truncated(source, self.sound_bytes / self.frame_bytes, self.form.frame_count);
    *out_form = self.form;
    return true;
}

/* ---- CAF ---- */

static bool caf_description(probe_source *source, const uint8_t *bytes, foreign_form *form, uint64_t *out_frame_bytes)
{
    enum { CAF_FLAG_FLOAT = 1, CAF_FLAG_LITTLE = 2 };
    if (memcmp(bytes + 8, "lpcm", 4) != 0)
        return foreign_refuse_codec(source, bytes + 8);
    uint64_t packet_bytes = foreign_big(bytes + 16, 4);
    uint64_t packet_frames = foreign_big(bytes + 20, 4);
    uint64_t channels = foreign_big(bytes + 24, 4);
    uint64_t bits = foreign_big(bytes + 28, 4);
    if (channels == 0 || channels > FILE_CHANNELS_MAX || bits == 0 || bits > 64)
        return foreign_refuse_layout(source, channels, bits);
    if (packet_frames != 1 || packet_bytes != channels * ((bits + 7) / 8))
        return probe_refuse(source, STATUS_INPUT_UNSUPPORTED,
                            "states packets of %llu bytes and %llu frames for %llu channels of %llu bits, expected plain "
                            "interleaved frames; export it as 24-bit PCM WAV",
                            (unsigned long long)packet_bytes, (unsigned long long)packet_frames,
                            (unsigned long long)channels, (unsigned long long)bits);
    form->big_endian = (foreign_big(bytes + 12, 4) & CAF_FLAG_LITTLE) == 0;
    form->is_float = (foreign_big(bytes + 12, 4) & CAF_FLAG_FLOAT) != 0;
    form->channel_count = (uint32_t)channels;
    form->valid_bits = (uint32_t)bits;
    *out_frame_bytes = packet_bytes;
    return true;
}

static bool caf_walk(probe_source *source, foreign_form *out_form)
{
    foreign_form form = {.container = CONTAINER_CAF};
    uint64_t frame_bytes = 0;
    uint64_t offset = 8;
    for (int count = 0; offset <= source->size && source->size - offset >= 12 && count < CONTAINER_CHUNKS_MAX; count++) {
        uint8_t head[12 + CAF_DESC_BYTES];
        if (!probe_read(source, offset, head, 12))
            return false;
        uint64_t size = foreign_big(head + 4, 8);
        uint64_t body = offset + 12;
        uint64_t left = source->size - body;
        bool data = memcmp(head, "data", 4) == 0;
        if ((count == 0) != (memcmp(head, "desc", 4) == 0))
            return probe_refuse(source, STATUS_INPUT_INVALID,
                                "has its chunk at byte %llu out of order, expected one desc chunk first; export it again",
                                (unsigned long long)offset);
        if (data && size == UINT64_MAX)
            size = left; /* allowed for the last chunk: up to the end */
        if (data && frame_bytes > 0) {
            uint64_t held = size < left ? size : left;
            form.frame_count = size < 4 ? 0 : (size - 4) / frame_bytes;
            form.frames_known = true;
            if (size > left)
                return probe_refuse_truncated(source, held < 4 ? 0 : (held - 4) / frame_bytes, form.frame_count);
            break;
        }
        if (size > left)
            return foreign_refuse_chunk(source, offset, size, left);
        if (count == 0 && size < CAF_DESC_BYTES)
            return probe_refuse(source, STATUS_INPUT_INVALID, "has a desc chunk of %llu bytes, expected %d; export it again",
                                (unsigned long long)size, CAF_DESC_BYTES);
        if (count == 0) {
            if (!probe_read(source, body, head + 12, CAF_DESC_BYTES) ||
                !caf_description(source, head + 12, &form, &frame_bytes))
                return false;
        }
        offset = body + size;
    }
    if (!form.frames_known)
        return foreign_refuse_missing(source, "data");
    *out_form = form;
    return true;
}

/* ---- W64 ---- */

static bool w64_is(const uint8_t *guid, const char *id)
{
    return memcmp(guid, id, 4) == 0 && memcmp(guid + 4, w64_tail, sizeof w64_tail) == 0;
}

static bool w64_walk(probe_source *source, foreign_form *out_form)
{
    foreign_form form = {.container = CONTAINER_W64};
    riff_format format = {0};
    uint8_t head[W64_HEADER_BYTES];
    if (source->size < 40)
        return probe_refuse(source, STATUS_INPUT_TRUNCATED, "is %llu bytes long, too short for a W64 header; copy it again",
                            (unsigned long long)source->size);
    if (!probe_read(source, 24, head, 16))
        return false;
    if (!w64_is(head, "wave"))
        return probe_refuse(source, STATUS_INPUT_INVALID, "begins as W64 but holds no wave form; export it again");
    uint64_t offset = 40;
    for (int count = 0; offset <= source->size && source->size - offset >= W64_HEADER_BYTES && count < CONTAINER_CHUNKS_MAX;
         count++) {
        if (!probe_read(source, offset, head, sizeof head))
            return false;
        uint64_t size = foreign_little(head + 16, 8);
        uint64_t body = offset + W64_HEADER_BYTES;
        uint64_t left = source->size - body;
        if (size < W64_HEADER_BYTES)
            return probe_refuse(source, STATUS_INPUT_INVALID, "has a chunk of %llu bytes at byte %llu, expected at least 24; "
                                                              "export it again",
                                (unsigned long long)size, (unsigned long long)offset);
        size -= W64_HEADER_BYTES;
        if (w64_is(head, "data") && format.sample_bytes > 0) {
            uint64_t frame_bytes = (uint64_t)format.channel_count * format.sample_bytes;
            form.frame_count = size / frame_bytes;
            form.frames_known = true;
            form.data_offset = body;
            if (size > left)
                return probe_refuse_truncated(source, left / frame_bytes, form.frame_count);
            break;
        }
        if (size > left)
            return foreign_refuse_chunk(source, offset, size, left);
        if (w64_is(head, "fmt ")) {
            uint8_t bytes[RIFF_FORMAT_BYTES_MAX] = {0};
            if (!probe_read(source, body, bytes, size < sizeof bytes ? (size_t)size : sizeof bytes) ||
                !riff_format_parse(source, bytes, size, false, &format))
                return false;
        }
        offset = body + size;
        if (offset > UINT64_MAX - 8)
            break;
        offset = (offset + 7) / 8 * 8;
    }
    if (!form.frames_known)
        return foreign_refuse_missing(source, format.sample_bytes == 0 ? "fmt" : "data");
    form.channel_count = format.channel_count;
    form.valid_bits = format.valid_bits;
    form.is_float = format.is_float;
    form.direct = format.sample_bytes > 1;
    form.format = format;
    *out_form = form;
    return true;
}

/* ---- FLAC ---- */

static bool flac_walk(probe_source *source, foreign_form *out_form)
{
    uint8_t bytes[4 + FLAC_STREAMINFO_BYTES];
    if (!probe_read(source, 4, bytes, sizeof bytes))
        return false;
    uint64_t length = foreign_big(bytes + 1, 3);
    if ((bytes[0] & 0x7F) != 0 || length != FLAC_STREAMINFO_BYTES)
        return probe_refuse(source, STATUS_INPUT_INVALID,
                            "is FLAC but does not begin with its STREAMINFO block; encode it again");
    /* RFC 9639 section 8.2: rate 20 bits, channels - 1 in 3, bits - 1 in 5, frames in 36 (0 = not known). */
    const uint8_t *info = bytes + 4 + 10;
    uint64_t packed = foreign_big(info, 8);
    uint64_t frames = packed & 0xFFFFFFFFFull;
    uint64_t bits = (packed >> 36 & 31) + 1;
    if (bits != 8 && bits != 16 && bits != 24)
        return probe_refuse(source, STATUS_INPUT_UNSUPPORTED,
                            "is FLAC of %llu bits, expected 8, 16 or 24; decode it to a 24-bit WAV",
                            (unsigned long long)bits);
    *out_form = (foreign_form){
        .container = CONTAINER_FLAC,
        .channel_count = (uint32_t)(packed >> 41 & 7) + 1,
        .valid_bits = (uint32_t)bits,
        .frame_count = frames,
        .frames_known = frames != 0,
    };
    return true;
}

bool foreign_walk(probe_source *source, media_container container, foreign_form *out_form)
{
    switch (container) {
    case CONTAINER_AIFF:
        return aiff_walk(source, out_form);
    case CONTAINER_CAF:
        return caf_walk(source, out_form);
    case CONTAINER_W64:
        return w64_walk(source, out_form);
    case CONTAINER_FLAC:
        return flac_walk(source, out_form);
    case CONTAINER_NONE:
    case CONTAINER_WAV:
    case CONTAINER_RF64:
    case CONTAINER_BW64:
        break;
    }
    return probe_refuse(source, STATUS_INPUT_UNSUPPORTED, "is in a container that is not read");
}
