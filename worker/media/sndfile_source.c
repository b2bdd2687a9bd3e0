#include "worker/media/sndfile_source.h"

#include "worker/media/storage_root.h"

#include <errno.h>
#include <sndfile.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "frames are handed over as little-endian memory");
_Static_assert(sizeof(int) == 4, "sf_readf_int gives PCM_32");

enum { COUNT_BLOCK_FRAMES = 4096 };

struct sndfile_source {
    int descriptor;
    uint64_t size;
    uint64_t position;  /* of the byte stream */
    int read_error;     /* errno of a failed pread, 0 = none */
    SNDFILE *file;
    SF_INFO info;
    uint64_t next_frame; /* that a read without a seek would give; UINT64_MAX = not known */
};

static sf_count_t source_length(void *user)
{
    const sndfile_source *self = user;
    return (sf_count_t)self->size;
}

static sf_count_t source_seek(sf_count_t offset, int whence, void *user)
{
    sndfile_source *self = user;
    sf_count_t base = whence == SEEK_SET ? 0 : (sf_count_t)(whence == SEEK_CUR ? self->position : self->size);
    sf_count_t target;
    if (__builtin_add_overflow(base, offset, &target) || target < 0)
        return -1;
    self->position = (uint64_t)target;
    return target;
}

static sf_count_t source_read(void *bytes, sf_count_t count, void *user)
{
    sndfile_source *self = user;
    sf_count_t done = 0;
    while (done < count && self->position < self->size) {
        ssize_t got = pread(self->descriptor, (uint8_t *)bytes + done, (size_t)(count - done), (off_t)self->position);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            self->read_error = errno;
        if (got <= 0)
            break;
        done += got;
        self->position += (uint64_t)got;
    }
    return done;
}

static sf_count_t source_write(const void *bytes, sf_count_t count, void *user)
{
    (void)bytes;
    (void)count;
    (void)user;
    return 0;
}

static sf_count_t source_tell(void *user)
{
    const sndfile_source *self = user;
    return (sf_count_t)self->position;
}

static int source_major(media_container container)
{
    switch (container) {
    case CONTAINER_W64:
        return SF_FORMAT_W64;
    case CONTAINER_AIFF:
        return SF_FORMAT_AIFF;
    case CONTAINER_CAF:
        return SF_FORMAT_CAF;
    case CONTAINER_FLAC:
        return SF_FORMAT_FLAC;
    case CONTAINER_NONE:
    case CONTAINER_WAV:
    case CONTAINER_RF64:
    case CONTAINER_BW64:
        break;
    }
    return 0;
}

sample_encoding sndfile_source_file_encoding(const sndfile_source *self)
{
    switch (self->info.format & SF_FORMAT_SUBMASK) {
    case SF_FORMAT_PCM_S8:
    case SF_FORMAT_PCM_U8:
    case SF_FORMAT_PCM_16:
        return ENCODING_PCM_16;
    case SF_FORMAT_PCM_24:
        return ENCODING_PCM_24;
    case SF_FORMAT_PCM_32:
        return ENCODING_PCM_32;
    case SF_FORMAT_FLOAT:
        return ENCODING_FLOAT_32;
    case SF_FORMAT_DOUBLE:
        return ENCODING_FLOAT_64;
    default:
        return ENCODING_NONE;
    }
}

sample_encoding sndfile_source_encoding(const sndfile_source *self)
{
    return sample_encoding_is_float(sndfile_source_file_encoding(self)) ? ENCODING_FLOAT_64 : ENCODING_PCM_32;
}

uint32_t sndfile_source_sample_rate(const sndfile_source *self)
{
    return self->info.samplerate > 0 ? (uint32_t)self->info.samplerate : 0;
}

uint32_t sndfile_source_channel_count(const sndfile_source *self)
{
    return self->info.channels > 0 ? (uint32_t)self->info.channels : 0;
}

uint64_t sndfile_source_frame_count(const sndfile_source *self)
{
    return self->info.frames > 0 ? (uint64_t)self->info.frames : 0;
}

static status source_storage_failure(const sndfile_source *self, error_detail *detail)
{
    return error_detail_set(detail, STATUS_STORAGE_IO, "reading failed at byte %llu with error %d; check the storage",
                            (unsigned long long)self->position, self->read_error);
}

status sndfile_source_create(sndfile_source **out_source, int descriptor, media_container container, error_detail *detail)
{
    media_identity identity;
    status code = storage_identity(descriptor, &identity);
    if (code != STATUS_OK)
        return error_detail_set(detail, code, "its size cannot be read");
    sndfile_source *self = calloc(1, sizeof *self);
    if (self == NULL)
        return error_detail_set(detail, STATUS_NODE_MEMORY, "no memory is left to open it");
    self->descriptor = descriptor;
    self->size = identity.size;
    SF_VIRTUAL_IO io = {source_length, source_seek, source_read, source_write, source_tell};
    self->file = sf_open_virtual(&io, SFM_READ, &self->info, self);
    if (self->read_error != 0)
        code = source_storage_failure(self, detail);
    else if (self->file == NULL)
        code = error_detail_set(detail, STATUS_INPUT_INVALID, "libsndfile says: %.200s", sf_strerror(NULL));
    else if ((self->info.format & SF_FORMAT_TYPEMASK) != source_major(container) ||
             sndfile_source_file_encoding(self) == ENCODING_NONE)
        code = error_detail_set(detail, STATUS_INPUT_UNSUPPORTED, "its coding (libsndfile 0x%08X) is not read",
                                (unsigned)self->info.format);
    else if (sndfile_source_channel_count(self) == 0 || sndfile_source_channel_count(self) > FILE_CHANNELS_MAX)
        code = error_detail_set(detail, STATUS_INPUT_UNSUPPORTED, "it has %d channels, expected 1 to %d",
                                self->info.channels, FILE_CHANNELS_MAX);
    if (code != STATUS_OK) {
        sndfile_source_destroy(&self);
        return code;
    }
    *out_source = self;
    return STATUS_OK;
}

void sndfile_source_destroy(sndfile_source **self)
{
    if (*self == NULL)
        return;
    if ((*self)->file != NULL)
        sf_close((*self)->file);
    free(*self);
    *self = NULL;
}

status sndfile_source_read(sndfile_source *self, uint64_t first_frame, uint32_t frame_count, void *bytes,
                           uint32_t *out_frame_count, error_detail *detail)
{
    self->read_error = 0;
    sf_count_t got = 0;
    bool placed = first_frame == self->next_frame;
    if (!placed && first_frame <= INT64_MAX)
        placed = sf_seek(self->file, (sf_count_t)first_frame, SEEK_SET) == (sf_count_t)first_frame;
    if (placed)
        got = sndfile_source_encoding(self) == ENCODING_FLOAT_64 ? sf_readf_double(self->file, bytes, frame_count)
                                                                 : sf_readf_int(self->file, bytes, frame_count);
    if (got < 0)
        got = 0;
    self->next_frame = got == (sf_count_t)frame_count ? first_frame + frame_count : UINT64_MAX;
    if (self->read_error != 0)
        return source_storage_failure(self, detail);
    *out_frame_count = (uint32_t)got;
    return STATUS_OK;
}

status sndfile_source_count(sndfile_source *self, uint64_t frames_max, uint64_t *out_frame_count, error_detail *detail)
{
    void *block = calloc((size_t)COUNT_BLOCK_FRAMES * sndfile_source_channel_count(self), sizeof(double));
    if (block == NULL)
        return error_detail_set(detail, STATUS_NODE_MEMORY, "no memory is left to decode it");
    uint64_t total = 0;
    uint32_t got = COUNT_BLOCK_FRAMES;
    status code = STATUS_OK;
    while (code == STATUS_OK && got == COUNT_BLOCK_FRAMES && total < frames_max) {
        code = sndfile_source_read(self, total, COUNT_BLOCK_FRAMES, block, &got, detail);
        total += code == STATUS_OK ? got : 0;
    }
    free(block);
    if (code == STATUS_OK)
        *out_frame_count = total;
    return code;
}
