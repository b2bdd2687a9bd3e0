/**
 * The bytes before and after the audio of a WAV, RF64 or BW64 file that we make: a pure function of output_header, so that
 * every attempt writes the same header. Layout: RIFF/RF64/BW64, [ds64 | JUNK], bext, fmt, the header's own chunks, JUNK up
 * to data_offset - 8, data; after the audio a pad byte where its size is odd.
 *
 * WAVE_FORMAT_EXTENSIBLE (cbSize 22) with the channel mask when there are more than two channels; plain fmt else, and
 * where the header asks for it.
 * fmt of the audio: little-endian PCM. Sources: EBU Tech 3285 v2, EBU Tech 3306 v2, ITU-R BS.2088.
 */
#ifndef WORKER_MEDIA_WAVE_WRITER_H
#define WORKER_MEDIA_WAVE_WRITER_H

#include "common/base/byte_writer.h"
#include "proto/task_body.h"

/** Appends exactly header->data_offset bytes. STATUS_LIMIT if the chunks do not fit before data_offset. */
MUST_USE status wave_header_build(const output_header *header, byte_writer *writer);
/** Bytes after the audio: 0 or 1 zero byte. */
uint32_t wave_trailer_size(const output_header *header);
/** Size of the complete file. */
uint64_t wave_file_size(const output_header *header);

#endif
