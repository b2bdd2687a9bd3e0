#include "worker/media/riff_walk.h"

#include "worker/media/bext_parse.h"

#include <string.h>

#define SIZE_UNKNOWN 0xFFFFFFFFu

enum {
    CHUNK_HEADER_BYTES = 8,
    FORM_HEADER_BYTES = 12,
    DS64_BYTES_MIN = 24,   /* some writers leave out the table's length */
    DS64_ENTRIES_MAX = 64,
    DS64_ENTRY_BYTES = 12,
    /* Writers that count the whole file as the RIFF size are off by 8, those that forget the last pad byte by 1. */
    FORM_SIZE_SLACK = 9,
    SMPL_FIXED_BYTES = 36, /* of a sampler chunk, and of each of its loops */
    SMPL_LOOP_BYTES = 24
};

typedef struct riff_walker {
    probe_source *source;
    riff_form form;
    bool has_format;
    bool has_data;
    bool data_empty;         /**< its size field is 0 */
    uint64_t form_end;
    uint64_t ds64_data_size;
    uint64_t ds64_frame_count; /**< 0: not given */
    uint32_t ds64_entry_count;
    struct {
        uint8_t id[4];
        uint64_t size;
    } ds64_entries[DS64_ENTRIES_MAX];
} riff_walker;

typedef struct riff_chunk {
    uint8_t id[4];
    uint64_t body;
    uint64_t size;
} riff_chunk;

static uint64_t riff_number(const uint8_t *bytes, uint32_t byte_size, bool big_endian)
{
    uint64_t value = 0;
    for (uint32_t i = 0; i < byte_size; i++)
        value |= (uint64_t)bytes[i] << (8 * (big_endian ? byte_size - 1 - i : i));
    return value;
}

static bool riff_id_printable(const uint8_t *id)
{
    for (int i = 0; i < 4; i++)
        if (id[i] < 0x20 || id[i] > 0x7E)
            return false;
    return true;
}

static bool riff_id_is(const riff_chunk *chunk, const char *id)
{
    return memcmp(chunk->id, id, 4) == 0;
}

bool riff_walk_knows(const uint8_t magic[4])
{
    return memcmp(magic, "RIFF", 4) == 0 || memcmp(magic, "RIFX", 4) == 0 || memcmp(magic, "RF64", 4) == 0 ||
           memcmp(magic, "BW64", 4) == 0;
}

static bool riff_walk_ds64(riff_walker *self)
{
    probe_source *source = self->source;
    uint8_t bytes[CHUNK_HEADER_BYTES + 28 + DS64_ENTRIES_MAX * DS64_ENTRY_BYTES];
    uint64_t left = source->size - FORM_HEADER_BYTES;
    uint64_t size = 0;
    bool found = left >= CHUNK_HEADER_BYTES;
    if (found) {
        if (!probe_read(source, FORM_HEADER_BYTES, bytes, CHUNK_HEADER_BYTES))
            return false;
        size = riff_number(bytes + 4, 4, false);
        found = memcmp(bytes, "ds64", 4) == 0;
    }
    if (!found)
        return probe_refuse(source, STATUS_INPUT_INVALID,
                            "begins as %s but its first chunk is not ds64, so its length is unknown; export it again",
                            media_container_name(self->form.container));
    if (size < DS64_BYTES_MIN || size > left - CHUNK_HEADER_BYTES)
        return probe_refuse(source, STATUS_INPUT_INVALID,
                            "has a ds64 chunk of %llu bytes where %llu are left, expected at least %d; export it again",
                            (unsigned long long)size, (unsigned long long)(left - CHUNK_HEADER_BYTES), DS64_BYTES_MIN);
    size_t take = size < sizeof bytes ? (size_t)size : sizeof bytes;
    if (!probe_read(source, FORM_HEADER_BYTES + CHUNK_HEADER_BYTES, bytes, take))
        return false;
    uint64_t riff_size = riff_number(bytes, 8, false);
    self->ds64_data_size = riff_number(bytes + 8, 8, false);
    self->ds64_frame_count = riff_number(bytes + 16, 8, false);
    if (self->form_end == CHUNK_HEADER_BYTES + (uint64_t)SIZE_UNKNOWN)
        self->form_end = riff_size > UINT64_MAX - CHUNK_HEADER_BYTES ? UINT64_MAX : riff_size + CHUNK_HEADER_BYTES;
    uint64_t entries = take >= 28 ? riff_number(bytes + 24, 4, false) : 0;
    for (size_t at = 28; entries > 0 && at + DS64_ENTRY_BYTES <= take && self->ds64_entry_count < DS64_ENTRIES_MAX;
         at += DS64_ENTRY_BYTES, entries--) {
        memcpy(self->ds64_entries[self->ds64_entry_count].id, bytes + at, 4);
        self->ds64_entries[self->ds64_entry_count++].size = riff_number(bytes + at + 4, 8, false);
    }
    return true;
}

static bool riff_walk_begin(riff_walker *self)
{
    probe_source *source = self->source;
    uint8_t head[FORM_HEADER_BYTES];
    if (source->size < sizeof head)
        return probe_refuse(source, STATUS_INPUT_TRUNCATED,
                            "is %llu bytes long, too short for the header of a WAV file; copy it again from its source",
                            (unsigned long long)source->size);
    if (!probe_read(source, 0, head, sizeof head))
        return false;
    if (memcmp(head + 8, "WAVE", 4) != 0)
        return probe_refuse(source, STATUS_INPUT_INVALID,
                            "is a RIFF file but holds no WAVE form, expected audio; export it as WAV");
    self->form.big_endian = memcmp(head, "RIFX", 4) == 0;
    self->form.container = memcmp(head, "RF64", 4) == 0   ? CONTAINER_RF64
                           : memcmp(head, "BW64", 4) == 0 ? CONTAINER_BW64
                                                          : CONTAINER_WAV;
    self->form_end = CHUNK_HEADER_BYTES + riff_number(head + 4, 4, self->form.big_endian);
    return self->form.container == CONTAINER_WAV || riff_walk_ds64(self);
}

/* A size of 0xFFFFFFFF stands for the one in ds64, and in plain WAV for "was never filled in". */
static bool riff_chunk_size(riff_walker *self, riff_chunk *chunk)
{
    if (chunk->size != SIZE_UNKNOWN)
        return true;
    bool data = riff_id_is(chunk, "data");
    if (self->form.container != CONTAINER_WAV) {
        if (data) {
            chunk->size = self->ds64_data_size;
            return true;
        }
        for (uint32_t i = 0; i < self->ds64_entry_count; i++)
            if (memcmp(self->ds64_entries[i].id, chunk->id, 4) == 0) {
                chunk->size = self->ds64_entries[i].size;
                return true;
            }
    }
    if (data)
        return probe_refuse(self->source, STATUS_INPUT_INVALID,
                            "does not say how long its audio is (data size 0xFFFFFFFF, as a stream has it); write it to a "
                            "file again, as RF64 if it is over 4 GiB");
    return true; /* too large for what is left, which refuses it next */
}

static bool riff_walk_data(riff_walker *self, const riff_chunk *chunk, uint64_t left)
{
    probe_source *source = self->source;
    if (!self->has_format)
        return probe_refuse(source, STATUS_INPUT_INVALID,
                            "has its data chunk at byte %llu before any fmt chunk, expected the format first; export it again",
                            (unsigned long long)(chunk->body - CHUNK_HEADER_BYTES));
    if (self->has_data)
        return probe_refuse(source, STATUS_INPUT_INVALID,
                            "has a second data chunk at byte %llu, expected one; which is meant is not clear: export it again",
                            (unsigned long long)(chunk->body - CHUNK_HEADER_BYTES));
    uint64_t frame_bytes = (uint64_t)self->form.format.channel_count * self->form.format.sample_bytes;
    if (chunk->size > left)
        return probe_refuse_truncated(source, left / frame_bytes, chunk->size / frame_bytes);
    /* ffmpeg counts the padding byte in the size of an RF64 file's data; the frames beside it tell. */
    uint64_t size = chunk->size;
    if (size % frame_bytes == 1 && size / frame_bytes == self->ds64_frame_count)
        size--;
    if (size % frame_bytes != 0)
        return probe_refuse(source, STATUS_INPUT_TRUNCATED,
                            "ends within a frame: %llu bytes of audio are no multiple of %llu; copy or export it again",
                            (unsigned long long)size, (unsigned long long)frame_bytes);
    self->has_data = true;
    self->data_empty = size == 0;
    self->form.data_offset = chunk->body;
    self->form.frame_count = size / frame_bytes;
    return true;
}

static bool riff_walk_format(riff_walker *self, const riff_chunk *chunk)
{
    if (self->has_format)
        return probe_refuse(self->source, STATUS_INPUT_INVALID,
                            "has a second fmt chunk at byte %llu, expected one; export it again",
                            (unsigned long long)(chunk->body - CHUNK_HEADER_BYTES));
    uint8_t bytes[RIFF_FORMAT_BYTES_MAX] = {0};
    size_t take = chunk->size < sizeof bytes ? (size_t)chunk->size : sizeof bytes;
    if (!probe_read(self->source, chunk->body, bytes, take))
        return false;
    self->has_format = true;
    return riff_format_parse(self->source, bytes, chunk->size, self->form.big_endian, &self->form.format);
}

/* Loop points are not used, but a chunk that contradicts itself means that the walk is not where it believes to be. */
static bool riff_walk_sampler(riff_walker *self, const riff_chunk *chunk)
{
    uint8_t bytes[SMPL_FIXED_BYTES];
    uint64_t need = SMPL_FIXED_BYTES;
    if (chunk->size >= SMPL_FIXED_BYTES) {
        if (!probe_read(self->source, chunk->body, bytes, sizeof bytes))
            return false;
        need += riff_number(bytes + 28, 4, self->form.big_endian) * SMPL_LOOP_BYTES;
        need += riff_number(bytes + 32, 4, self->form.big_endian);
    }
    if (need <= chunk->size)
        return true;
    return probe_refuse(self->source, STATUS_INPUT_INVALID,
                        "has a broken smpl chunk at byte %llu: %llu bytes, expected %llu; export it again without loops",
                        (unsigned long long)(chunk->body - CHUNK_HEADER_BYTES), (unsigned long long)chunk->size,
                        (unsigned long long)need);
}

static bool riff_walk_bext(riff_walker *self, const riff_chunk *chunk)
{
    uint8_t bytes[BEXT_FIXED_BYTES] = {0};
    if (chunk->size < BEXT_USABLE_BYTES || self->form.bext.present)
        return true;
    size_t take = chunk->size < sizeof bytes ? (size_t)chunk->size : sizeof bytes;
    if (!probe_read(self->source, chunk->body, bytes, take))
        return false;
    bext_parse(bytes, take, &self->form.bext);
    return true;
}

static bool riff_walk_chunk(riff_walker *self, const riff_chunk *chunk)
{
    uint64_t left = self->source->size - chunk->body;
    if (riff_id_is(chunk, "data"))
        return riff_walk_data(self, chunk, left);
    if (chunk->size > left && self->data_empty)
        return probe_refuse(self->source, STATUS_INPUT_INVALID,
                            "says that it has no audio while %llu bytes follow: its recorder never finished it; repair "
                            "its header or copy it again",
                            (unsigned long long)(left + CHUNK_HEADER_BYTES));
    if (chunk->size > left)
        return probe_refuse(self->source, STATUS_INPUT_TRUNCATED,
                            "is truncated: its %.4s chunk at byte %llu has %llu bytes, the file holds %llu of them; copy it "
                            "again from its source",
                            (const char *)chunk->id, (unsigned long long)(chunk->body - CHUNK_HEADER_BYTES),
                            (unsigned long long)chunk->size, (unsigned long long)left);
    if (riff_id_is(chunk, "fmt "))
        return riff_walk_format(self, chunk);
    if (riff_id_is(chunk, "bext"))
        return riff_walk_bext(self, chunk);
    if (riff_id_is(chunk, "smpl"))
        return riff_walk_sampler(self, chunk);
    if (riff_id_is(chunk, "chna") && !self->form.has_chna) {
        self->form.has_chna = true;
        self->form.chna_offset = chunk->body;
        self->form.chna_size = chunk->size;
    }
    if (riff_id_is(chunk, "dbmd") && self->form.dbmd_size == 0) {
        self->form.dbmd_offset = chunk->body;
        self->form.dbmd_size = chunk->size;
    }
    if (riff_id_is(chunk, "axml") && !self->form.has_axml) {
        self->form.has_axml = true;
        self->form.axml_offset = chunk->body;
        self->form.axml_size = chunk->size;
    }
    return true;
}

/*
 * Chunks begin at even bytes. Some writers forget the byte after an odd data chunk; a chunk name right behind the audio
 * and none after the pad byte shows that.
 */
static bool riff_chunk_end(riff_walker *self, const riff_chunk *chunk, uint64_t *out_next)
{
    uint64_t end = chunk->body + chunk->size;
    *out_next = end + (chunk->size & 1);
    if ((chunk->size & 1) == 0 || !riff_id_is(chunk, "data") || self->source->size - end < 5)
        return true;
    uint8_t peek[5];
    if (!probe_read(self->source, end, peek, sizeof peek))
        return false;
    if (peek[0] != 0 && riff_id_printable(peek) && !riff_id_printable(peek + 1))
        *out_next = end;
    return true;
}

static bool riff_walk_finish(riff_walker *self, riff_form *out_form)
{
    probe_source *source = self->source;
    if (!self->has_format || !self->has_data) {
        /* What a form promises beyond the file's end explains a missing chunk better than its absence does. */
        if (self->form_end > source->size && self->form_end - source->size > FORM_SIZE_SLACK)
            return probe_refuse(source, STATUS_INPUT_TRUNCATED,
                                "is truncated: its header promises %llu bytes, the file holds %llu and no %s; copy it again",
                                (unsigned long long)self->form_end, (unsigned long long)source->size,
                                self->has_format ? "audio" : "format");
        return probe_refuse(source, STATUS_INPUT_INVALID, "has no %s chunk, expected one; export it again",
                            self->has_format ? "data" : "fmt");
    }
    bool open_ended = self->form_end == CHUNK_HEADER_BYTES + (uint64_t)SIZE_UNKNOWN;
    if (!open_ended && self->form_end > source->size && self->form_end - source->size > FORM_SIZE_SLACK)
        return probe_refuse(source, STATUS_INPUT_TRUNCATED,
                            "is truncated: its header promises %llu bytes, the file holds %llu; copy it again from its source",
                            (unsigned long long)self->form_end, (unsigned long long)source->size);
    *out_form = self->form;
    return true;
}

bool riff_walk(probe_source *source, riff_form *out_form)
{
    riff_walker self = {.source = source};
    if (!riff_walk_begin(&self))
        return false;
    uint64_t offset = FORM_HEADER_BYTES;
    for (uint32_t count = 0; source->size - offset >= CHUNK_HEADER_BYTES; count++) {
        if (self.has_data && offset >= self.form_end && !self.data_empty)
            break; /* what follows the form is no part of it */
        if (count == CONTAINER_CHUNKS_MAX)
            return probe_refuse(source, STATUS_LIMIT, "has more than %d chunks; export it again", CONTAINER_CHUNKS_MAX);
        uint8_t head[CHUNK_HEADER_BYTES];
        if (!probe_read(source, offset, head, sizeof head))
            return false;
        riff_chunk chunk = {.body = offset + sizeof head, .size = riff_number(head + 4, 4, self.form.big_endian)};
        memcpy(chunk.id, head, 4);
        if (!riff_id_printable(chunk.id)) {
            if (self.has_data && !self.data_empty)
                break; /* padding behind the last chunk */
            if (self.data_empty)
                chunk.size = UINT64_MAX; /* audio, where a chunk should be */
            else
                return probe_refuse(source, STATUS_INPUT_INVALID,
                                    "has no chunk name at byte %llu where one is expected: it is damaged; copy it again",
                                    (unsigned long long)offset);
        }
        if (!riff_chunk_size(&self, &chunk) || !riff_walk_chunk(&self, &chunk) ||
            !riff_chunk_end(&self, &chunk, &offset))
            return false;
        if (offset > source->size)
            break; /* the last pad byte is missing, which harms nobody */
    }
    return riff_walk_finish(&self, out_form);
}
