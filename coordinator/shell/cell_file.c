#define _GNU_SOURCE
#include "coordinator/shell/cell_file.h"

#include "common/base/byte_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static_assert(sizeof(content_hash) == CONTENT_HASH_BYTES, "digests lie in a record as they lie in memory");

void cell_record_encode(const message_cell *cell, byte_writer *writer)
{
    size_t start = writer->size;
    byte_writer_u32(writer, CELL_RECORD_MAGIC);
    byte_writer_u32(writer, 0);
    byte_writer_u32(writer, cell->attempt.task);
    byte_writer_u32(writer, cell->cell);
    byte_writer_u16(writer, (uint16_t)cell->input_count);
    byte_writer_u16(writer, (uint16_t)cell->output_count);
    byte_writer_u16(writer, (uint16_t)cell->measure_count);
    byte_writer_u16(writer, 0);
    byte_writer_bytes(writer, cell->inputs, cell->input_count * sizeof *cell->inputs);
    byte_writer_bytes(writer, cell->outputs, cell->output_count * sizeof *cell->outputs);
    for (uint32_t i = 0; i < cell->measure_count; i++)
        byte_writer_blob(writer, cell->measures[i].bytes, cell->measures[i].size);
    if (writer->failed)
        return;
    byte_writer_patch_u32(writer, start + 4, (uint32_t)(writer->size - start + CONTENT_HASH_BYTES));
    content_hash digest = content_hash_of(writer->bytes + start, writer->size - start);
    byte_writer_bytes(writer, digest.bytes, sizeof digest.bytes);
}

status cell_record_decode(cell_record *out_record, const uint8_t *bytes, size_t byte_size, size_t *offset)
{
    if (*offset > byte_size)
        return STATUS_STORAGE_MISMATCH;
    byte_reader reader;
    byte_reader_init(&reader, bytes + *offset, byte_size - *offset);
    uint32_t magic = byte_reader_u32(&reader);
    uint32_t size = byte_reader_u32(&reader);
    if (reader.failed || magic != CELL_RECORD_MAGIC || size > CELL_RECORD_MAX || size > byte_size - *offset ||
        size < 24 + CONTENT_HASH_BYTES)
        return STATUS_STORAGE_MISMATCH;
    content_hash digest = content_hash_of(bytes + *offset, size - CONTENT_HASH_BYTES);
    if (memcmp(digest.bytes, bytes + *offset + size - CONTENT_HASH_BYTES, CONTENT_HASH_BYTES) != 0)
        return STATUS_STORAGE_MISMATCH;
    byte_reader_init(&reader, bytes + *offset + 8, size - 8 - CONTENT_HASH_BYTES);
    cell_record record = {.task = byte_reader_u32(&reader), .cell = byte_reader_u32(&reader)};
    record.input_count = byte_reader_u16(&reader);
    record.output_count = byte_reader_u16(&reader);
    record.measure_count = byte_reader_u16(&reader);
    (void)byte_reader_u16(&reader);
    if (record.input_count > CELL_INPUTS_MAX || record.output_count > CELL_OUTPUTS_MAX ||
        record.measure_count > CELL_MEASURES_MAX)
        return STATUS_STORAGE_MISMATCH;
    record.inputs = (const content_hash *)byte_reader_view(&reader, record.input_count * sizeof(content_hash));
    record.outputs = (const content_hash *)byte_reader_view(&reader, record.output_count * sizeof(content_hash));
    for (uint32_t i = 0; i < record.measure_count; i++) {
        size_t measure_size = 0;
        record.measures[i].bytes = byte_reader_blob(&reader, MEASURE_BYTES_MAX, &measure_size);
        record.measures[i].size = (uint32_t)measure_size;
    }
    if (!byte_reader_complete(&reader))
        return STATUS_STORAGE_MISMATCH;
    *out_record = record;
    *offset += size;
    return STATUS_OK;
}

static status storage_code(int number)
{
    return number == ENOSPC || number == EDQUOT                     ? STATUS_STORAGE_FULL
           : number == EACCES || number == EPERM || number == EROFS ? STATUS_STORAGE_DENIED
                                                                    : STATUS_STORAGE_IO;
}

status cell_file_open(cell_file *self, const char *path, uint64_t end, journal_keep keep, error_detail *detail)
{
    int descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (descriptor < 0)
        return error_detail_set(detail, storage_code(errno), "cannot open the measures '%s': %s", path,
                                strerror(errno));
    if (end == 0) { /* it may be new, and its name must last as long as the records that point into it */
        char folder[PATH_MAX_BYTES];
        snprintf(folder, sizeof folder, "%s", path);
        char *slash = strrchr(folder, '/');
        if (slash != NULL)
            *slash = '\0';
        folder_sync(slash != NULL ? folder : ".", keep);
    }
    self->descriptor = descriptor;
    self->end = end;
    return STATUS_OK;
}

void folder_sync(const char *folder, journal_keep keep)
{
    int descriptor = keep == JOURNAL_KEEP_PROCESS ? -1 : open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0)
        return;
    (void)fsync(descriptor); /* a file system that cannot sync a folder keeps names by itself */
    close(descriptor);
}

void cell_file_close(cell_file *self)
{
    if (self->descriptor >= 0)
        close(self->descriptor);
    self->descriptor = -1;
}

status cell_file_write(cell_file *self, const void *bytes, size_t byte_size, cell_stretch *out_stretch,
                       error_detail *detail)
{
    const uint8_t *at = bytes;
    for (size_t done = 0; done < byte_size;) {
        ssize_t part = pwrite(self->descriptor, at + done, byte_size - done, (off_t)(self->end + done));
        if (part < 0 && errno == EINTR)
            continue;
        if (part <= 0)
            return error_detail_set(detail, part < 0 ? storage_code(errno) : STATUS_STORAGE_IO,
                                    "cannot write measures into the state folder: %s", strerror(errno));
        done += (size_t)part;
    }
    *out_stretch = (cell_stretch){.offset = self->end, .byte_size = byte_size};
    return STATUS_OK;
}

void cell_file_keep(cell_file *self, const cell_stretch *stretch)
{
    self->end = stretch->offset + stretch->byte_size;
}

static bool make_room(cell_bytes *self, size_t byte_size)
{
    if (byte_size <= self->room)
        return true;
    cell_bytes_deinit(self);
    *self = (cell_bytes){.bytes = malloc(byte_size)};
    self->room = self->bytes == NULL ? 0 : byte_size;
    return self->bytes != NULL;
}

void cell_bytes_deinit(cell_bytes *self)
{
    free(self->bytes);
    *self = (cell_bytes){0};
}

status cell_file_read(const char *path, const cell_stretch *stretch, cell_bytes *into, error_detail *detail)
{
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0)
        return error_detail_set(detail, storage_code(errno), "cannot open the measures '%s': %s", path,
                                strerror(errno));
    struct stat facts;
    status code = STATUS_OK;
    if (fstat(descriptor, &facts) != 0)
        code = error_detail_set(detail, storage_code(errno), "cannot read the measures '%s': %s", path, strerror(errno));
    else if ((uint64_t)facts.st_size < stretch->offset || (uint64_t)facts.st_size - stretch->offset < stretch->byte_size)
        code = error_detail_set(detail, STATUS_STORAGE_MISMATCH,
                                "the measures '%s' end before byte %llu, which the journal points to", path,
                                (unsigned long long)(stretch->offset + stretch->byte_size));
    else if (!make_room(into, stretch->byte_size))
        code = error_detail_set(detail, STATUS_NODE_MEMORY, "out of memory");
    for (size_t done = 0; code == STATUS_OK && done < stretch->byte_size;) {
        ssize_t part = pread(descriptor, into->bytes + done, stretch->byte_size - done, (off_t)(stretch->offset + done));
        if (part < 0 && errno == EINTR)
            continue;
        if (part <= 0)
            code =
                error_detail_set(detail, STATUS_STORAGE_IO, "cannot read the measures '%s': %s", path, strerror(errno));
        else
            done += (size_t)part;
    }
    close(descriptor);
    return code;
}
