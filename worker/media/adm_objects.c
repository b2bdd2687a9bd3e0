#define _GNU_SOURCE
#include "worker/media/adm_objects_parts.h"

#include "common/base/byte_reader.h"
#include "worker/media/adm_read.h"
#include "worker/media/riff_walk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DBMD_BYTES_MAX = 1 << 16, DBMD_TRIMS = 10, DBMD_TRIMS_FIXED = 142, TRACKS_AT = 4 };

/* ---- the files ---- */

static status read_chunks(object_file *self, error_detail *detail)
{
    riff_form form;
    if (!riff_walk(&self->source, &form) || !form.has_chna || !form.has_axml || form.chna_size > ADM_CHNA_BYTES_MAX ||
        form.axml_size > OBJECT_AXML_MAX)
        return error_detail_set(detail, self->source.failure != STATUS_OK ? self->source.failure : STATUS_INPUT_INVALID,
                                "the chna and axml of '%s' cannot be read again; export the ADM file again", self->source.display);
    self->chna_size = (size_t)form.chna_size;
    self->dbmd_size = form.dbmd_size <= DBMD_BYTES_MAX ? (size_t)form.dbmd_size : 0;
    self->axml = probe_text(&self->source, form.axml_offset, form.axml_size);
    self->bytes = malloc(self->chna_size + self->dbmd_size + 1);
    if (self->bytes == NULL)
        return STATUS_NODE_MEMORY;
    bool read = probe_read(&self->source, form.chna_offset, self->bytes, self->chna_size) &&
                probe_read(&self->source, form.dbmd_offset, self->bytes + self->chna_size, self->dbmd_size) &&
                adm_document_read(&self->document, &self->axml);
    return read ? STATUS_OK : self->source.failure != STATUS_OK ? self->source.failure : STATUS_INPUT_TRUNCATED;
}

static status open_file(object_file *self, const task_input *input, const storage_roots *roots, error_detail *detail)
{
    self->source = (probe_source){
        .descriptor = -1, .size = input->identity.size, .display = input->file.path, .facts = &self->facts};
    status code =
        storage_open_probed(roots, input->file.root, input->file.path, &input->identity, &self->source.descriptor, detail);
    if (code == STATUS_OK)
        code = read_chunks(self, detail);
    if (code != STATUS_OK)
        return code;
    adm_read(&self->document, self->bytes, self->chna_size, input->channel_count, &self->adm);
    if (self->document.xml.extended == NULL)
        return error_detail_set(detail, STATUS_INPUT_INVALID,
                                "the metadata of '%s' cannot be carried: %s; export the ADM file again", input->file.path,
                                self->document.xml.why != NULL ? self->document.xml.why : "axml has no audioFormatExtended");
    return STATUS_OK;
}

static void close_file(object_file *self)
{
    adm_document_deinit(&self->document);
    free(self->bytes);
    if (self->source.descriptor >= 0)
        close(self->source.descriptor);
}

static status open_files(object_merge *self, const storage_roots *roots)
{
    for (uint32_t i = 0; i < self->header->object_source_count; i++) {
        const task_input *input = &self->header->object_sources[i].input;
        uint32_t known = 0;
        while (known < i && memcmp(&self->header->object_sources[known].input.file, &input->file, sizeof input->file) != 0)
            known++;
        self->file_of[i] = known < i ? self->file_of[known] : self->file_count++;
        status code = known < i ? STATUS_OK : open_file(&self->files[self->file_of[i]], input, roots, self->detail);
        if (code != STATUS_OK)
            return code;
    }
    return STATUS_OK;
}

/* ---- who is who ---- */

static status same_object(const object_merge *self, uint32_t source, const object_part *part, const object_part *known)
{
    char name[OBJECT_TEXT_SIZE], before[OBJECT_TEXT_SIZE];
    if (strcmp(object_attribute(part->nodes.object, "audioObjectName", name),
               object_attribute(known->nodes.object, "audioObjectName", before)) == 0)
        return STATUS_OK;
    return error_detail_set(self->detail, STATUS_INPUT_UNSUPPORTED,
                            "the object on track %u of '%s' is called \"%.60s\", and \"%.60s\" in the reel before; deliver "
                            "the same objects on the same tracks of every reel",
                            part->track + 1u, self->header->object_sources[source].input.file.path, name, before);
}

static status find_objects(object_merge *self)
{
    uint32_t count = self->header->object_count;
    for (uint32_t i = 0; i < self->header->object_source_count; i++) {
        const output_object_source *source = &self->header->object_sources[i];
        const object_file *file = &self->files[self->file_of[i]];
        for (uint32_t k = 0; k < source->object_count; k++) {
            object_part *part = &self->parts[i * count + source->first_object + k];
            int track = media_adm_object_track(&file->adm, k);
            if (track < 0)
                return error_detail_set(self->detail, STATUS_INPUT_CHANGED, "'%s' has fewer objects than when it was probed",
                                        source->input.file.path);
            *part = (object_part){.taken = true, .file = self->file_of[i], .track = (uint16_t)track};
            status code = object_nodes_find(file, part->track, source->input.file.path, &part->nodes, self->detail);
            for (uint32_t before = i; code == STATUS_OK && before > 0; before--)
                if (self->parts[(before - 1) * count + source->first_object + k].taken) {
                    code = same_object(self, i, part, &self->parts[(before - 1) * count + source->first_object + k]);
                    break;
                }
            if (code != STATUS_OK)
                return code;
        }
    }
    return STATUS_OK;
}

/* Objects of one content in one file have one content in the output; files of several reels count as the first. */
static status find_contents(object_merge *self)
{
    for (uint32_t i = 0; i < self->header->object_count; i++) {
        const object_part *part = NULL;
        for (uint32_t k = 0; k < self->header->object_source_count && part == NULL; k++)
            if (self->parts[k * self->header->object_count + i].taken)
                part = &self->parts[k * self->header->object_count + i];
        if (part == NULL)
            return error_detail_set(self->detail, STATUS_DEFECT, "object %u comes from no file", i + 1);
        uint32_t known = 0;
        while (known < self->content_count && self->contents[known] != part->nodes.content)
            known++;
        if (known == self->content_count)
            self->contents[self->content_count++] = part->nodes.content;
        self->content_of[i] = known;
    }
    return STATUS_OK;
}

/* ---- chunks ---- */

static void write_chunk(byte_writer *writer, const char *id, const void *bytes, size_t size)
{
    byte_writer_bytes(writer, id, 4);
    byte_writer_blob(writer, bytes, size);
    byte_writer_zeros(writer, size % 2);
}

static void write_chna(const object_merge *self, const uint8_t *bed, size_t bed_size, byte_writer *writer)
{
    uint32_t count = self->bed_count + self->header->object_count;
    byte_writer_bytes(writer, "chna", 4);
    byte_writer_u32(writer, 4 + 40 * count);
    byte_writer_u16(writer, (uint16_t)count);
    byte_writer_u16(writer, (uint16_t)count);
    byte_writer_bytes(writer, bed + 4, bed_size - 4);
    for (uint32_t i = 0; i < self->header->object_count; i++) {
        char id[48];
        snprintf(id, sizeof id, "ATU_%08xAT_0003%04x_01AP_0003%04x", self->bed_count + i + 1, 0x1001 + i, 0x1001 + i);
        byte_writer_u16(writer, (uint16_t)(self->bed_count + i + 1));
        byte_writer_bytes(writer, id, 12 + 14 + 11);
        byte_writer_u8(writer, 0);
    }
}

/* The payload of a segment; NULL if the chunk has none of that number. */
static const uint8_t *segment_of(const uint8_t *dbmd, size_t size, uint8_t wanted, size_t *out_size)
{
    for (size_t at = 4; at + 3 <= size && dbmd[at] != 0; at += 4 + *out_size) {
        *out_size = (size_t)dbmd[at + 1] | (size_t)dbmd[at + 2] << 8;
        if (at + 4 + *out_size > size)
            break;
        if (dbmd[at] == wanted)
            return dbmd + at + 3;
    }
    return NULL;
}

/* The two bytes of a track: trims passed by, and binaural mode (0x84: not indicated). */
static void track_bytes(const object_merge *self, uint32_t object, uint8_t *out_bypass, uint8_t *out_binaural)
{
    *out_bypass = 0;
    *out_binaural = 0x84;
    for (uint32_t i = 0; i < self->header->object_source_count; i++) {
        const object_part *part = &self->parts[i * self->header->object_count + object];
        const object_file *file = &self->files[part->file];
        size_t size = 0;
        if (!part->taken)
            continue;
        const uint8_t *trims = segment_of(file->bytes + file->chna_size, file->dbmd_size, DBMD_TRIMS, &size);
        uint32_t tracks = self->header->object_sources[i].input.channel_count;
        if (trims != NULL && size == DBMD_TRIMS_FIXED + 2 * (size_t)tracks && trims[TRACKS_AT] == (tracks & 0xFF)) {
            *out_bypass = trims[DBMD_TRIMS_FIXED + part->track];
            *out_binaural = trims[DBMD_TRIMS_FIXED + tracks + part->track];
        }
        return;
    }
}

/* Its tracks are those of the output, and all of it is taken. */
static bool dbmd_applies(const object_merge *self, const media_adm *made)
{
    const output_object_source *source = &self->header->object_sources[0];
    const object_file *file = &self->files[0];
    return self->header->object_source_count == 1 && file->dbmd_size > 0 && source->file_frame == 0 &&
           source->programme_frame == 0 && source->frame_count == source->input.frame_count &&
           source->frame_count == self->header->frame_count &&
           source->input.channel_count == self->header->channel_count &&
           memcmp(file->adm.labels, made->labels, sizeof made->labels) == 0;
}

/* The bed's dbmd, its segment of tracks with the objects too. */
static void write_dbmd(const object_merge *self, const uint8_t *bed, size_t bed_size, const media_adm *made, byte_writer *writer)
{
    const object_file *file = &self->files[0];
    if (dbmd_applies(self, made)) {
        write_chunk(writer, "dbmd", file->bytes + file->chna_size, file->dbmd_size);
        return;
    }
    size_t size = 0;
    uint32_t count = self->bed_count + self->header->object_count;
    const uint8_t *trims = segment_of(bed, bed_size, DBMD_TRIMS, &size);
    uint8_t segment[DBMD_TRIMS_FIXED + 2 * FILE_CHANNELS_MAX] = {0};
    if (trims == NULL || size != DBMD_TRIMS_FIXED + 2 * (size_t)self->bed_count || count > FILE_CHANNELS_MAX) {
        writer->failed = true;
        return;
    }
    memcpy(segment, trims, DBMD_TRIMS_FIXED + self->bed_count);
    segment[TRACKS_AT] = (uint8_t)count;
    memcpy(segment + DBMD_TRIMS_FIXED + count, trims + DBMD_TRIMS_FIXED + self->bed_count, self->bed_count);
    for (uint32_t i = 0; i < self->header->object_count; i++)
        track_bytes(self, i, &segment[DBMD_TRIMS_FIXED + self->bed_count + i],
                    &segment[DBMD_TRIMS_FIXED + count + self->bed_count + i]);
    byte_writer made_chunk;
    byte_writer_init(&made_chunk, DBMD_BYTES_MAX);
    byte_writer_bytes(&made_chunk, bed, (size_t)(trims - bed) - 3);
    uint32_t sum = DBMD_TRIMS_FIXED + 2 * count;
    byte_writer_u8(&made_chunk, DBMD_TRIMS);
    byte_writer_u16(&made_chunk, (uint16_t)sum);
    byte_writer_bytes(&made_chunk, segment, DBMD_TRIMS_FIXED + 2 * (size_t)count);
    for (uint32_t i = 0; i < DBMD_TRIMS_FIXED + 2 * count; i++)
        sum += segment[i];
    byte_writer_u8(&made_chunk, (uint8_t)(0u - sum));
    byte_writer_u8(&made_chunk, 0);
    if (made_chunk.failed)
        writer->failed = true;
    else
        write_chunk(writer, "dbmd", made_chunk.bytes, made_chunk.size);
    byte_writer_deinit(&made_chunk);
}

/* The chunk of that id among chunks one behind the other; NULL if there is none. */
static const uint8_t *chunk_of(const uint8_t *chunks, size_t chunks_size, const char *id, size_t *out_size)
{
    byte_reader reader;
    byte_reader_init(&reader, chunks, chunks_size);
    while (byte_reader_left(&reader) >= 8) {
        const uint8_t *name = byte_reader_view(&reader, 4);
        const uint8_t *bytes = byte_reader_blob(&reader, chunks_size, out_size);
        if (bytes != NULL && memcmp(name, id, 4) == 0)
            return bytes;
        (void)byte_reader_view(&reader, *out_size % 2);
    }
    *out_size = 0;
    return NULL;
}

/* A chunk of the bed, as the planner made it. */
static const uint8_t *bed_chunk(const output_header *header, const char *id, size_t *out_size)
{
    return chunk_of(header->chunks, header->chunks_size, id, out_size);
}

/* What was made is held against the rules, before anything is delivered. */
static status check_made(const object_merge *self, const adm_document *document, const adm_chunks *chunks)
{
    adm_profile profile;
    const output_header *header = self->header;
    adm_audio audio = {header->sample_rate, sample_encoding_bits(header->encoding), header->channel_count, header->frame_count};
    adm_profile_judge(document, chunks, &audio, &profile);
    if (profile.breach_count == 0)
        return STATUS_OK;
    return error_detail_set(self->detail, STATUS_INPUT_UNSUPPORTED,
                            "the objects of '%s' cannot be carried: the metadata would break rule %s: %.200s; export the ADM file "
                            "again, or take a recipe with `adm: ebu`",
                            header->object_sources[0].input.file.path, adm_rule_name((adm_rule)profile.breaches[0].rule),
                            profile.breaches[0].what);
}

/* chna and axml of all that the output has. */
static status write_tracks(object_merge *self, byte_writer *writer)
{
    size_t chna_size = 0, axml_size = 0;
    const uint8_t *chna = bed_chunk(self->header, "chna", &chna_size);
    const uint8_t *axml = bed_chunk(self->header, "axml", &axml_size);
    adm_document bed = {.number = 0};
    bool read = axml != NULL && adm_document_read(&bed, &(adm_source){.bytes = axml, .size = axml_size});
    status code = !read || bed.xml.extended == NULL || chna == NULL || chna_size != 4 + 40 * (size_t)self->bed_count
                      ? STATUS_PEER_MALFORMED
                      : STATUS_OK;
    if (code == STATUS_OK) {
        write_chna(self, chna, chna_size, writer);
        byte_writer_bytes(writer, "axml", 4);
        size_t size_at = writer->size;
        byte_writer_u32(writer, 0);
        code = object_axml_write(self, bed.xml.extended, writer);
        axml_size = writer->size - size_at - 4;
        byte_writer_patch_u32(writer, size_at, (uint32_t)axml_size);
        byte_writer_zeros(writer, axml_size % 2);
    }
    adm_document_deinit(&bed);
    return code;
}

/* dbmd too, and all of it judged. */
static status write_dbmd_and_check(object_merge *self, byte_writer *writer)
{
    adm_chunks made = {0};
    adm_document document;
    media_adm labels;
    size_t axml_size = 0, dbmd_size = 0;
    const uint8_t *dbmd = bed_chunk(self->header, "dbmd", &dbmd_size);
    const uint8_t *axml = chunk_of(writer->bytes, writer->size, "axml", &axml_size);
    made.chna = chunk_of(writer->bytes, writer->size, "chna", &made.chna_size);
    (void)adm_document_read(&document, &(adm_source){.bytes = axml, .size = axml_size});
    adm_read(&document, made.chna, made.chna_size, self->header->channel_count, &labels);
    if (dbmd != NULL)
        write_dbmd(self, dbmd, dbmd_size, &labels, writer);
    made.chna = chunk_of(writer->bytes, writer->size, "chna", &made.chna_size); /* it may have moved */
    made.dbmd = chunk_of(writer->bytes, writer->size, "dbmd", &made.dbmd_size);
    status code = writer->failed ? STATUS_OK /* told at the end */ : check_made(self, &document, &made);
    adm_document_deinit(&document);
    return code;
}

static status write_chunks(object_merge *self, byte_writer *writer)
{
    size_t size = 0;
    self->dolby = bed_chunk(self->header, "dbmd", &size) != NULL;
    self->bed_count = self->header->channel_count - self->header->object_count;
    status code = write_tracks(self, writer);
    if (code == STATUS_OK && !writer->failed)
        code = write_dbmd_and_check(self, writer);
    /* What else the bed's file has (iXML). */
    byte_reader reader;
    byte_reader_init(&reader, self->header->chunks, self->header->chunks_size);
    while (code == STATUS_OK && byte_reader_left(&reader) >= 8) {
        const uint8_t *id = byte_reader_view(&reader, 4);
        const uint8_t *bytes = byte_reader_blob(&reader, self->header->chunks_size, &size);
        (void)byte_reader_view(&reader, size % 2);
        if (bytes != NULL && memcmp(id, "chna", 4) != 0 && memcmp(id, "axml", 4) != 0 && memcmp(id, "dbmd", 4) != 0)
            write_chunk(writer, (const char[5]){(char)id[0], (char)id[1], (char)id[2], (char)id[3], 0}, bytes, size);
    }
    if (code == STATUS_OK && writer->failed)
        code = error_detail_set(self->detail, STATUS_LIMIT,
                                "the metadata of the objects of '%s' take more than the room planned for them",
                                self->header->object_sources[0].input.file.path);
    return code;
}

status adm_objects_chunks(const output_header *header, const storage_roots *roots, byte_writer *out_chunks, error_detail *detail)
{
    uint32_t sources = header->object_source_count;
    uint32_t objects = header->object_count;
    object_merge self = {.header = header,
                         .files = calloc(sources + 1u, sizeof *self.files),
                         .file_of = calloc(sources + 1u, sizeof *self.file_of),
                         .parts = calloc((size_t)sources * objects + 1, sizeof *self.parts),
                         .content_of = calloc(objects + 1u, sizeof *self.content_of),
                         .contents = calloc(objects + 1u, sizeof *self.contents),
                         .detail = detail};
    bool taken = self.files != NULL && self.file_of != NULL && self.parts != NULL && self.content_of != NULL &&
                 self.contents != NULL;
    status code = taken ? open_files(&self, roots) : STATUS_NODE_MEMORY;
    if (code == STATUS_OK)
        code = find_objects(&self);
    if (code == STATUS_OK)
        code = find_contents(&self);
    if (code == STATUS_OK)
        code = write_chunks(&self, out_chunks);
    for (uint32_t i = 0; self.files != NULL && i < self.file_count; i++)
        close_file(&self.files[i]);
    free(self.files);
    free(self.file_of);
    free(self.parts);
    free(self.content_of);
    free(self.contents);
    return code;
}
