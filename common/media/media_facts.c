#include "common/media/media_facts.h"

#include <string.h>

#include "common/media/channel_layout.h"

const char *media_container_name(media_container container)
{
    switch (container) {
    case CONTAINER_NONE:
        return "none";
    case CONTAINER_WAV:
        return "WAV";
    case CONTAINER_RF64:
        return "RF64";
    case CONTAINER_BW64:
        return "BW64";
    case CONTAINER_W64:
        return "W64";
    case CONTAINER_AIFF:
        return "AIFF";
    case CONTAINER_CAF:
        return "CAF";
    case CONTAINER_FLAC:
        return "FLAC";
    }
    return "?";
}

typedef struct encoding_row {
    const char *name;
    uint8_t bytes;
    bool is_float;
} encoding_row;

static const encoding_row *encoding_row_of(sample_encoding encoding)
{
    static const encoding_row rows[] = {
        [ENCODING_NONE] = {"none", 0, false},        [ENCODING_PCM_16] = {"PCM_16", 2, false},
        [ENCODING_PCM_24] = {"PCM_24", 3, false},    [ENCODING_PCM_32] = {"PCM_32", 4, false},
        [ENCODING_FLOAT_32] = {"FLOAT_32", 4, true}, [ENCODING_FLOAT_64] = {"FLOAT_64", 8, true},
    };
    return &rows[(unsigned)encoding <= ENCODING_FLOAT_64 ? encoding : ENCODING_NONE];
}

const char *sample_encoding_name(sample_encoding encoding)
{
    return encoding_row_of(encoding)->name;
}

uint32_t sample_encoding_bytes(sample_encoding encoding)
{
    return encoding_row_of(encoding)->bytes;
}

uint32_t sample_encoding_bits(sample_encoding encoding)
{
    return 8 * (uint32_t)encoding_row_of(encoding)->bytes;
}

bool sample_encoding_is_float(sample_encoding encoding)
{
    return encoding_row_of(encoding)->is_float;
}

bool sample_rate_converts(uint32_t from, uint32_t to)
{
    static const uint32_t rates[] = {44100, 48000, 88200, 96000, 176400, 192000};
    bool known_from = false;
    bool known_to = false;
    for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++) {
        known_from = known_from || rates[i] == from;
        known_to = known_to || rates[i] == to;
    }
    return known_from && known_to;
}

uint64_t sample_rate_frames(uint64_t frame_count, uint32_t from, uint32_t to)
{
    /* frame_count is below 2^40 and rates below 2^20: the product fits. */
    return (frame_count * to + from - 1) / from;
}

static void media_bext_encode(const media_bext *self, byte_writer *writer)
{
    byte_writer_u8(writer, self->present);
    if (!self->present)
        return;
    byte_writer_u16(writer, self->version);
    byte_writer_u64(writer, self->time_reference);
    byte_writer_text(writer, self->description);
    byte_writer_text(writer, self->originator);
    byte_writer_text(writer, self->originator_reference);
    byte_writer_text(writer, self->origination_date);
    byte_writer_text(writer, self->origination_time);
    byte_writer_u16(writer, (uint16_t)self->loudness_value);
    byte_writer_u16(writer, (uint16_t)self->loudness_range);
    byte_writer_u16(writer, (uint16_t)self->max_true_peak_level);
    byte_writer_u16(writer, (uint16_t)self->max_momentary_loudness);
    byte_writer_u16(writer, (uint16_t)self->max_short_term_loudness);
}

static void media_bext_decode(media_bext *out_bext, byte_reader *reader)
{
    uint8_t present = byte_reader_u8(reader);
    if (present > 1)
        reader->failed = true;
    out_bext->present = present == 1;
    if (present != 1)
        return;
    out_bext->version = byte_reader_u16(reader);
    out_bext->time_reference = byte_reader_u64(reader);
    byte_reader_text(reader, out_bext->description, sizeof out_bext->description);
    byte_reader_text(reader, out_bext->originator, sizeof out_bext->originator);
    byte_reader_text(reader, out_bext->originator_reference, sizeof out_bext->originator_reference);
    byte_reader_text(reader, out_bext->origination_date, sizeof out_bext->origination_date);
    byte_reader_text(reader, out_bext->origination_time, sizeof out_bext->origination_time);
    out_bext->loudness_value = (int16_t)byte_reader_u16(reader);
    out_bext->loudness_range = (int16_t)byte_reader_u16(reader);
    out_bext->max_true_peak_level = (int16_t)byte_reader_u16(reader);
    out_bext->max_momentary_loudness = (int16_t)byte_reader_u16(reader);
    out_bext->max_short_term_loudness = (int16_t)byte_reader_u16(reader);
}

static void media_adm_encode(const media_adm *self, byte_writer *writer)
{
    byte_writer_u8(writer, self->present);
    if (!self->present)
        return;
    byte_writer_text(writer, self->problem);
    byte_writer_u16(writer, self->object_count);
    byte_writer_u16(writer, self->unknown_count);
    byte_writer_bytes(writer, self->labels, sizeof self->labels);
    byte_writer_u32(writer, self->axml_size);
    byte_writer_text(writer, self->programme);
    byte_writer_text(writer, self->bed);
    byte_writer_u16(writer, self->names_size);
    byte_writer_bytes(writer, self->names, self->names_size);
    byte_writer_u8(writer, self->profile.judged);
    byte_writer_u8(writer, self->profile.dolby);
    byte_writer_u8(writer, self->profile.breach_count);
    for (uint32_t i = 0; i < self->profile.breach_count; i++) {
        byte_writer_u8(writer, self->profile.breaches[i].rule);
        byte_writer_text(writer, self->profile.breaches[i].what);
    }
}

static void adm_profile_decode(adm_profile *out_profile, byte_reader *reader)
{
    uint8_t judged = byte_reader_u8(reader);
    uint8_t dolby = byte_reader_u8(reader);
    uint8_t count = byte_reader_u8(reader);
    if (judged > 1 || dolby > 1 || count > ADM_RULE_COUNT) {
        reader->failed = true;
        return;
    }
    *out_profile = (adm_profile){.judged = judged == 1, .dolby = dolby == 1, .breach_count = count};
    for (uint32_t i = 0; i < count; i++) {
        out_profile->breaches[i].rule = byte_reader_u8(reader);
        if (out_profile->breaches[i].rule >= ADM_RULE_COUNT)
            reader->failed = true;
        byte_reader_text(reader, out_profile->breaches[i].what, sizeof out_profile->breaches[i].what);
    }
}

static void media_adm_decode(media_adm *out_adm, byte_reader *reader)
{
    uint8_t present = byte_reader_u8(reader);
    if (present > 1)
        reader->failed = true;
    out_adm->present = present == 1;
    if (present != 1)
        return;
    byte_reader_text(reader, out_adm->problem, sizeof out_adm->problem);
    out_adm->object_count = byte_reader_u16(reader);
    out_adm->unknown_count = byte_reader_u16(reader);
    for (uint32_t i = 0; i < FILE_CHANNELS_MAX; i++) {
        out_adm->labels[i] = byte_reader_u8(reader);
        if (out_adm->labels[i] >= CHANNEL_LABEL_COUNT && out_adm->labels[i] != ADM_TRACK_OBJECT)
            reader->failed = true;
    }
    out_adm->axml_size = byte_reader_u32(reader);
    byte_reader_text(reader, out_adm->programme, sizeof out_adm->programme);
    byte_reader_text(reader, out_adm->bed, sizeof out_adm->bed);
    out_adm->names_size = byte_reader_u16(reader);
    const uint8_t *names = out_adm->names_size > ADM_NAMES_BYTES ? NULL : byte_reader_view(reader, out_adm->names_size);
    if (names == NULL || (out_adm->names_size > 0 && names[out_adm->names_size - 1] != '\0')) {
        reader->failed = true;
        return;
    }
    memcpy(out_adm->names, names, out_adm->names_size);
    adm_profile_decode(&out_adm->profile, reader);
}

const char *media_adm_object_name(const media_adm *self, uint32_t object)
{
    size_t at = 0;
    for (; object > 0 && at < self->names_size; object--)
        at += strlen(self->names + at) + 1;
    return at < self->names_size ? self->names + at : "";
}

int media_adm_track(const media_adm *self, uint8_t label)
{
    int found = -1;
    for (int i = 0; self->present && self->problem[0] == '\0' && i < FILE_CHANNELS_MAX; i++)
        if (self->labels[i] == label) {
            if (found >= 0)
                return -1;
            found = i;
        }
    return found;
}

void media_identity_encode(const media_identity *self, byte_writer *writer)
{
    byte_writer_u64(writer, self->dev);
    byte_writer_u64(writer, self->ino);
    byte_writer_u64(writer, self->size);
    byte_writer_u64(writer, (uint64_t)self->mtime_ns);
    byte_writer_u64(writer, (uint64_t)self->ctime_ns);
}

void media_identity_decode(media_identity *out_identity, byte_reader *reader)
{
    out_identity->dev = byte_reader_u64(reader);
    out_identity->ino = byte_reader_u64(reader);
    out_identity->size = byte_reader_u64(reader);
    out_identity->mtime_ns = (int64_t)byte_reader_u64(reader);
    out_identity->ctime_ns = (int64_t)byte_reader_u64(reader);
}

void media_facts_encode(const media_facts *self, byte_writer *writer)
{
    byte_writer_u16(writer, MEDIA_FACTS_VERSION);
    byte_writer_u32(writer, (uint32_t)self->outcome);
    byte_writer_text(writer, self->message);
    media_identity_encode(&self->identity, writer);
    byte_writer_u8(writer, (uint8_t)self->container);
    byte_writer_u8(writer, (uint8_t)self->encoding);
    byte_writer_u32(writer, self->valid_bits);
    byte_writer_u8(writer, self->big_endian);
    byte_writer_u32(writer, self->sample_rate);
    byte_writer_u32(writer, self->channel_count);
    byte_writer_u64(writer, self->frame_count);
    byte_writer_u64(writer, self->data_offset);
    byte_writer_u8(writer, self->direct);
    byte_writer_u8(writer, self->has_channel_mask);
    byte_writer_u32(writer, self->channel_mask);
    byte_writer_u8(writer, self->has_adm);
    media_adm_encode(&self->adm, writer);
    media_bext_encode(&self->bext, writer);
}

static bool media_facts_flag(byte_reader *reader)
{
    uint8_t value = byte_reader_u8(reader);
    if (value > 1)
        reader->failed = true;
    return value == 1;
}

/* What a usable file must be; the numbers of an unusable one say only what its header claimed. */
static bool media_facts_plausible(const media_facts *self)
{
    if (self->outcome != STATUS_OK)
        return true;
    if (self->container == CONTAINER_NONE || self->encoding == ENCODING_NONE || self->valid_bits > 64)
        return false;
    if (self->sample_rate < SAMPLE_RATE_MIN || self->sample_rate > SAMPLE_RATE_MAX)
        return false;
    if (self->channel_count == 0 || self->channel_count > FILE_CHANNELS_MAX)
        return false;
    if (self->frame_count > INT64_MAX || self->identity.size > INT64_MAX)
        return false;
    if (!self->direct)
        return true;
    uint64_t frame_bytes = (uint64_t)self->channel_count * sample_encoding_bytes(self->encoding);
    return self->data_offset <= self->identity.size &&
           self->frame_count <= (self->identity.size - self->data_offset) / frame_bytes;
}

void media_facts_decode(media_facts *out_facts, byte_reader *reader)
{
    media_facts facts = {0};
    if (byte_reader_u16(reader) != MEDIA_FACTS_VERSION)
        reader->failed = true;
    uint32_t outcome = byte_reader_u32(reader);
    byte_reader_text(reader, facts.message, sizeof facts.message);
    media_identity_decode(&facts.identity, reader);
    uint8_t container = byte_reader_u8(reader);
    uint8_t encoding = byte_reader_u8(reader);
    if (outcome >= STATUS_COUNT || container > CONTAINER_FLAC || encoding > ENCODING_FLOAT_64) {
        reader->failed = true;
        outcome = STATUS_DEFECT;
        container = CONTAINER_NONE;
        encoding = ENCODING_NONE;
    }
    facts.outcome = (status)outcome;
    facts.container = (media_container)container;
    facts.encoding = (sample_encoding)encoding;
    facts.valid_bits = byte_reader_u32(reader);
    facts.big_endian = media_facts_flag(reader);
    facts.sample_rate = byte_reader_u32(reader);
    facts.channel_count = byte_reader_u32(reader);
    facts.frame_count = byte_reader_u64(reader);
    facts.data_offset = byte_reader_u64(reader);
    facts.direct = media_facts_flag(reader);
    facts.has_channel_mask = media_facts_flag(reader);
    facts.channel_mask = byte_reader_u32(reader);
    facts.has_adm = media_facts_flag(reader);
    media_adm_decode(&facts.adm, reader);
    media_bext_decode(&facts.bext, reader);
    if (!media_facts_plausible(&facts))
        reader->failed = true;
    if (!reader->failed)
        *out_facts = facts;
}

int media_adm_object_track(const media_adm *self, uint32_t object)
{
    for (int i = 0; self->present && self->problem[0] == '\0' && i < FILE_CHANNELS_MAX; i++)
        if (self->labels[i] == ADM_TRACK_OBJECT && object-- == 0)
            return i;
    return -1;
}
