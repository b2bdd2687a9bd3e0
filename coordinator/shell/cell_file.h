/**
 * The measures of a job's cells: one append-only file per job that the journal points into. A record is what one CELL
 * message said; it carries its own length and digest, so that a torn tail or a rotten byte is seen, never believed.
 *
 * Record, little-endian: u32 magic, u32 size of the whole record, u32 task, u32 cell, u16 inputs, u16 outputs, u16
 * measures, u16 0, input digests, output digests, measures as blobs, and last the XXH3-128 of everything before it.
 *
 * Threads: records are made and appended on the loop thread; any thread may read what the journal points to.
 */
#ifndef COORDINATOR_SHELL_CELL_FILE_H
#define COORDINATOR_SHELL_CELL_FILE_H

#include "common/base/byte_writer.h"
#include "coordinator/shell/journal_store.h"
#include "proto/message_types.h"

enum { CELL_RECORD_MAGIC = 0x314C4D43, CELL_RECORD_MAX = 4 << 20 };

/** A record read back; pointers point into the bytes it was read from. */
typedef struct cell_record {
    uint32_t task;
    uint32_t cell;
    uint32_t input_count;
    const content_hash *inputs;
    uint32_t output_count;
    const content_hash *outputs;
    uint32_t measure_count;
    message_bytes measures[CELL_MEASURES_MAX];
} cell_record;

void cell_record_encode(const message_cell *cell, byte_writer *writer);
/**
 * Reads the record at *offset of bytes and moves *offset behind it. STATUS_STORAGE_MISMATCH when it is torn, damaged or
 * not a record at all.
 */
MUST_USE status cell_record_decode(cell_record *out_record, const uint8_t *bytes, size_t byte_size, size_t *offset);

/** A stretch of the file: the records of one accepted attempt. */
typedef struct cell_stretch {
    uint64_t offset;
    uint64_t byte_size;
} cell_stretch;

typedef struct cell_file {
    int descriptor; /**< -1 = not open */
    uint64_t end; /**< where the next stretch goes; what lies beyond is nobody's */
} cell_file;

/** Opens or creates. end: behind the last stretch that the journal knows. */
MUST_USE status cell_file_open(cell_file *self, const char *path, uint64_t end, journal_keep keep, error_detail *detail);
/** Makes new names in a folder durable, if they are to be; once per job, so it may be done on the loop. */
void folder_sync(const char *folder, journal_keep keep);
void cell_file_close(cell_file *self);
/** Writes at the end; the end moves only by cell_file_keep, so a refused attempt's bytes are written over. */
MUST_USE status cell_file_write(cell_file *self, const void *bytes, size_t byte_size, cell_stretch *out_stretch,
                                error_detail *detail);
void cell_file_keep(cell_file *self, const cell_stretch *stretch);
/** Bytes of one stretch after the other: room for the largest so far, which is neither cleared nor given back in between. */
typedef struct cell_bytes {
    uint8_t *bytes;
    size_t room;
} cell_bytes;

/** Reads one stretch over the one before. */
MUST_USE status cell_file_read(const char *path, const cell_stretch *stretch, cell_bytes *into, error_detail *detail);
void cell_bytes_deinit(cell_bytes *self);

#endif
