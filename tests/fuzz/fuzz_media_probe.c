// links: worker_media
/*
 * Hostile files against the probe and the readers: whatever the bytes are, probing ends with STATUS_OK and either facts that
 * survive their own encoding or a sentence, and what was promised can be read or is refused. Built for libFuzzer with
 * REELMILL_FUZZ, and linked into the ordinary suite, which feeds it generated and mutated files.
 */
#define _GNU_SOURCE
#include "common/base/ensure.h"
#include "worker/media/media_reader.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t byte_size);

enum { READ_FRAMES = 512 };

static void fuzz_read(int descriptor, const media_facts *facts)
{
    media_reader *reader = NULL;
    error_detail detail = {0};
    status code = media_reader_create(&reader, descriptor, facts->container, facts->encoding, facts->channel_count,
                                      facts->frame_count, facts->data_offset, facts->direct, &detail);
    if (code != STATUS_OK)
        return;
    uint32_t take = facts->frame_count < READ_FRAMES ? (uint32_t)facts->frame_count : READ_FRAMES;
    uint32_t width = sample_encoding_bytes(media_reader_encoding(reader));
    uint8_t *frames = malloc((size_t)take * facts->channel_count * width + 1);
    ENSURE(frames != NULL && width > 0);
    const uint64_t places[] = {0, facts->frame_count - take, facts->frame_count / 2 <= facts->frame_count - take
                                                                  ? facts->frame_count / 2
                                                                  : facts->frame_count - take};
    for (size_t i = 0; i < 3; i++) {
        code = media_reader_frames(reader, places[i], take, frames, &detail);
        ENSURE(code == STATUS_OK || detail.message[0] != '\0');
        /* Our own reader needs nothing but the bytes, and those were counted. */
        ENSURE(code == STATUS_OK || facts->container >= CONTAINER_W64);
    }
    free(frames);
    media_reader_destroy(&reader);
}

static void fuzz_encode(const media_facts *facts)
{
    byte_writer writer;
    byte_writer_init(&writer, 65536);
    media_facts_encode(facts, &writer);
    ENSURE(!writer.failed);
    byte_reader reader;
    byte_reader_init(&reader, writer.bytes, writer.size);
    media_facts back;
    memset(&back, 0, sizeof back);
    media_facts_decode(&back, &reader);
    ENSURE(byte_reader_complete(&reader));
    ENSURE(back.frame_count == facts->frame_count && strcmp(back.message, facts->message) == 0);
    byte_writer_deinit(&writer);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t byte_size)
{
    int descriptor = memfd_create("fuzz", MFD_CLOEXEC);
    ENSURE(descriptor >= 0);
    for (size_t done = 0; done < byte_size;) {
        ssize_t put = write(descriptor, bytes + done, byte_size - done);
        ENSURE(put > 0);
        done += (size_t)put;
    }
    media_facts facts;
    ENSURE(media_probe(descriptor, "input.wav", &facts) == STATUS_OK);
    ENSURE((facts.outcome == STATUS_OK) == (facts.message[0] == '\0'));
    fuzz_encode(&facts);
    if (facts.outcome == STATUS_OK)
        fuzz_read(descriptor, &facts);
    close(descriptor);
    return 0;
}
