/** WAV files written chunk by chunk, for tests that need them wrong. */
#ifndef TESTS_UNIT_WORKER_MEDIA_RIFF_BUILDER_H
#define TESTS_UNIT_WORKER_MEDIA_RIFF_BUILDER_H

#include "common/base/byte_writer.h"

/** "RIFF", "RF64"...: the form's header with size 0; riff_builder_finish fills it in. */
void riff_builder_begin(byte_writer *self, const char *magic);
/** A chunk with its pad byte. */
void riff_builder_chunk(byte_writer *self, const char *id, const void *bytes, uint32_t byte_size);
void riff_builder_format(byte_writer *self, uint16_t tag, uint16_t channels, uint32_t rate, uint16_t bits);
void riff_builder_extensible(byte_writer *self, uint16_t channels, uint16_t bits, uint16_t valid_bits, uint32_t mask,
                             uint16_t sub_tag);
void riff_builder_ds64(byte_writer *self, uint64_t riff_size, uint64_t data_size, uint64_t frame_count);
/** A data chunk of byte_size bytes 0, 1, 2, ... */
void riff_builder_data(byte_writer *self, uint32_t byte_size);
/** A bext chunk with every field set; loudness 1..5 hundredths, text as given. */
void riff_builder_bext(byte_writer *self, uint16_t version, uint64_t time_reference, const char *description);
/** Only the header of a chunk: size may be a lie. */
void riff_builder_header(byte_writer *self, const char *id, uint32_t byte_size);
/** Sets the form's size to what follows it. */
void riff_builder_finish(byte_writer *self);

#endif
