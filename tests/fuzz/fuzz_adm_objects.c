// links: worker_media
/*
 * Objects of a hostile ADM file on their way into another: whatever the bytes are, there are chunks, or a sentence. Seeds:
 * ADM files with objects.
 */
#define _GNU_SOURCE
#include "common/base/ensure.h"
#include "worker/media/adm_objects.h"
#include "worker/media/media_reader.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t byte_size);

enum { CHNA_ENTRY = 40 };

/* A bed of one track, as the planner would make it. */
static const char bed_axml[] =
    "<e xmlns='urn:x'><audioFormatExtended><audioProgramme audioProgrammeID='APR_1001'/>"
    "<audioTrackUID UID='ATU_00000001' sampleRate='48000' bitDepth='24'><audioTrackFormatIDRef>AT_00010001_01"
    "</audioTrackFormatIDRef></audioTrackUID></audioFormatExtended></e>";

static void bed_write(byte_writer *writer)
{
    uint8_t chna[4 + CHNA_ENTRY] = {1, 0, 1, 0, 1, 0};
    memcpy(chna + 6, "ATU_00000001", 12);
    memcpy(chna + 18, "AT_00010001_01", 14);
    memcpy(chna + 32, "AP_00010001", 11);
    byte_writer_bytes(writer, "chna", 4);
    byte_writer_u32(writer, sizeof chna);
    byte_writer_bytes(writer, chna, sizeof chna);
    byte_writer_bytes(writer, "axml", 4);
    byte_writer_u32(writer, sizeof bed_axml - 1);
    byte_writer_bytes(writer, bed_axml, sizeof bed_axml - 1);
    if (sizeof bed_axml % 2 == 0)
        byte_writer_u8(writer, 0);
}

/* The folder of this process, made once; what lies in it is written over. */
static const char *folder_of_files(void)
{
    static char folder[64];
    if (folder[0] == '\0') {
        strcpy(folder, "/dev/shm/fuzz_adm_objects_XXXXXX");
        ENSURE(mkdtemp(folder) != NULL);
    }
    return folder;
}

static bool probe(const char *folder, const uint8_t *bytes, size_t size, media_facts *facts)
{
    char path[128];
    snprintf(path, sizeof path, "%s/master.wav", folder);
    int descriptor = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ENSURE(descriptor >= 0);
    bool written = write(descriptor, bytes, size) == (ssize_t)size;
    ENSURE(written && media_probe(descriptor, "master.wav", facts) == STATUS_OK);
    close(descriptor);
    return facts->outcome == STATUS_OK && facts->direct && facts->has_adm && facts->frame_count > 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t byte_size)
{
    static media_facts facts;
    const char *folder = folder_of_files();
    uint32_t objects = 0;
    if (!probe(folder, bytes, byte_size, &facts))
        return 0;
    while (objects < UINT16_MAX && media_adm_object_track(&facts.adm, objects) >= 0)
        objects++;
    uint64_t first = byte_size % 2 == 0 ? 0 : facts.frame_count / 3; /* whole, or cut */
    storage_roots roots = {0};
    byte_writer bed, chunks;
    error_detail detail = {0};
    byte_writer_init(&bed, 1 << 16);
    byte_writer_init(&chunks, 1 << 24);
    bed_write(&bed);
    ENSURE(storage_roots_add(&roots, "media", folder, false, NULL) == STATUS_OK);
    output_object_source source = {.input = {.file = {"media", "master.wav"},
                                             .identity = facts.identity,
                                             .container = facts.container,
                                             .encoding = facts.encoding,
                                             .sample_rate = facts.sample_rate,
                                             .channel_count = facts.channel_count,
                                             .frame_count = facts.frame_count,
                                             .data_offset = facts.data_offset,
                                             .direct = true},
                                   .file_frame = (int64_t)first,
                                   .frame_count = facts.frame_count - first,
                                   .object_count = (uint16_t)objects};
    output_header header = {.container = CONTAINER_WAV,
                            .encoding = ENCODING_PCM_24,
                            .sample_rate = facts.sample_rate,
                            .channel_count = 1 + objects,
                            .frame_count = facts.frame_count - first,
                            .data_offset = 65536,
                            .chunks = bed.bytes,
                            .chunks_size = (uint32_t)bed.size,
                            .object_count = objects,
                            .object_source_count = 1,
                            .object_sources = &source};
    status code = objects == 0 ? STATUS_OK : adm_objects_chunks(&header, &roots, &chunks, &detail);
    ENSURE(code == STATUS_OK || code == STATUS_NODE_MEMORY || detail.message[0] != '\0');
    storage_roots_deinit(&roots);
    byte_writer_deinit(&bed);
    byte_writer_deinit(&chunks);
    return 0;
}
