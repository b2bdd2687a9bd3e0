#define _GNU_SOURCE
/* Everything that a task writes, read back from the medium and compared, by a thread of its own while the task goes on. */
#include "common/base/ensure.h"
#include "worker/render/render_parts.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { READBACK_ROOM_BYTES = 2 << 20 /* for a span; and one huge page: the kernel looks up one, not 256 */ };
/* Spans that one flush covers: a disk answers what it has not flushed from a cache of its own, which it may lose. */
enum { READBACK_FLUSH_SPANS = 16 };

/* One span, or what of it a task writes. */
typedef struct readback_place {
    uint64_t offset;
    size_t byte_size;
    uint32_t file;
    content_hash digest;
} readback_place;

struct render_readback {
    const task_render *task;
    int *descriptors;          /* [file] for storage_read_medium(); -1: none yet */
    storage_queue queue;       /* the task writes to what is being read */
    uint8_t *room;             /* READBACK_ROOM_BYTES, at such an edge */
    readback_place *places;    /* in the order of writing */
    uint32_t place_room;
    bool running;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed;    /* what follows */
    uint32_t added, flushed, done; /* only what is flushed is read */
    bool last;                 /* nothing more is added */
    bool ended;                /* nothing more is to be read */
    status code;
    error_detail detail;
};

/* Which file it is about. */
static status readback_name(render_readback *self, status code, uint32_t file)
{
    char sentence[400];
    snprintf(sentence, sizeof sentence, "%.399s", self->detail.message);
    return error_detail_set(&self->detail, code, "%.600s: %s", self->task->files[file].part.path, sentence);
}

static status readback_compare(render_readback *self, const readback_place *place)
{
    const uint8_t *bytes = NULL;
    status code = storage_read_medium(self->queue, self->descriptors[place->file], self->room, place->byte_size, place->offset,
                                      &bytes, &self->detail);
    if (code != STATUS_OK && code != STATUS_INPUT_TRUNCATED)
        return readback_name(self, code, place->file);
    content_hash found = content_hash_of(bytes, code == STATUS_OK ? place->byte_size : 0);
    if (code == STATUS_OK && content_hash_equal(&found, &place->digest))
        return STATUS_OK;
    return error_detail_set(&self->detail, STATUS_STORAGE_MISMATCH,
                            "%.600s: bytes %llu to %llu read back differently from what was written; the storage or its path is "
                            "not to be trusted: check it, then retry",
                            self->task->files[place->file].part.path, (unsigned long long)place->offset,
                            (unsigned long long)(place->offset + place->byte_size));
}

/* What was written from `flushed` up to there is on the medium behind this. */
static status readback_flush(render_readback *self, uint32_t end)
{
    status code = STATUS_OK;
    for (uint32_t i = self->flushed; i < end; i++) {
        const readback_place *place = &self->places[i];
        code = storage_wait_written(self->descriptors[place->file], place->offset, place->byte_size, &self->detail);
        if (code != STATUS_OK)
            return readback_name(self, code, place->file);
    }
    for (uint32_t file = 0; code == STATUS_OK && file < self->task->file_count; file++) {
        bool written = false;
        for (uint32_t i = self->flushed; i < end && !written; i++)
            written = self->places[i].file == file;
        if (written)
            code = storage_sync(self->descriptors[file], &self->detail);
        if (code != STATUS_OK)
            return readback_name(self, code, file);
    }
    return code;
}

static void *readback_run(void *context)
{
    render_readback *self = context;
    pthread_mutex_lock(&self->mutex);
    while (self->code == STATUS_OK && !self->ended) {
        uint32_t added = self->added;
        if (self->done == self->flushed && (added == self->done || (added - self->done < READBACK_FLUSH_SPANS && !self->last))) {
            pthread_cond_wait(&self->changed, &self->mutex);
            continue;
        }
        if (self->done == self->flushed) {
            pthread_mutex_unlock(&self->mutex);
            status synced = readback_flush(self, added);
            pthread_mutex_lock(&self->mutex);
            self->code = synced;
            self->flushed = added;
            pthread_cond_signal(&self->changed);
            continue;
        }
        const readback_place *place = &self->places[self->done];
        pthread_mutex_unlock(&self->mutex);
        status code = readback_compare(self, place);
        pthread_mutex_lock(&self->mutex);
        self->code = code;
        self->done++;
        pthread_cond_signal(&self->changed);
    }
    pthread_mutex_unlock(&self->mutex);
    return NULL;
}

/* Opens each file once more. False: one of them cannot be read so. */
static bool readback_open(render_readback *self, const storage_roots *roots)
{
    for (uint32_t i = 0; i < self->task->file_count; i++) {
        const task_path *part = &self->task->files[i].part;
        const storage_root *root = storage_roots_find(roots, part->root);
        if (root == NULL || storage_open_published(root, part->path, &self->descriptors[i], NULL) != STATUS_OK ||
            !storage_read_past_cache(self->descriptors[i]))
            return false;
    }
    return true;
}

render_readback *render_readback_start(const task_render *task, const storage_roots *roots, arena *memory)
{
    render_readback *self = arena_take(memory, sizeof *self);
    self->task = task;
    self->descriptors = arena_take_array(memory, task->file_count, sizeof *self->descriptors);
    uint64_t spans = 0;
    for (uint32_t i = 0; i < task->file_count; i++) {
        self->descriptors[i] = -1;
        uint32_t encoding = task->program.outputs[task->files[i].output].encoding;
        uint64_t frame_bytes = task->files[i].channel_count * sample_encoding_bytes((sample_encoding)encoding);
        spans += (task->cell_count * (uint64_t)CELL_FRAMES * frame_bytes + SPAN_BYTES - 1) / SPAN_BYTES + 2;
    }
    self->room = aligned_alloc(READBACK_ROOM_BYTES, READBACK_ROOM_BYTES);
    if (self->room == NULL || !readback_open(self, roots)) {
        render_readback_stop(self);
        return NULL;
    }
    self->queue = storage_queue_open();
    (void)madvise(self->room, READBACK_ROOM_BYTES, MADV_HUGEPAGE);
    self->place_room = (uint32_t)spans;
    self->places = arena_take_array(memory, spans, sizeof *self->places);
    pthread_mutex_init(&self->mutex, NULL);
    pthread_cond_init(&self->changed, NULL);
    self->running = pthread_create(&self->thread, NULL, readback_run, self) == 0;
    if (self->running)
        return self;
    pthread_cond_destroy(&self->changed);
    pthread_mutex_destroy(&self->mutex);
    render_readback_stop(self);
    return NULL;
}

void render_readback_add(render_readback *self, uint32_t file, uint64_t offset, size_t byte_size,
                         const content_hash *digest)
{
    pthread_mutex_lock(&self->mutex);
    ENSURE(self->added < self->place_room && byte_size <= SPAN_BYTES);
    self->places[self->added++] =
        (readback_place){.offset = offset, .byte_size = byte_size, .file = file, .digest = *digest};
    pthread_cond_signal(&self->changed);
    pthread_mutex_unlock(&self->mutex);
}

void render_readback_last(render_readback *self)
{
    pthread_mutex_lock(&self->mutex);
    self->last = true;
    pthread_cond_signal(&self->changed);
    pthread_mutex_unlock(&self->mutex);
}

status render_readback_finish(render_readback *self, const render_observer *observer, error_detail *detail)
{
    pthread_mutex_lock(&self->mutex);
    while (self->code == STATUS_OK && self->done < self->added) {
        pthread_cond_wait(&self->changed, &self->mutex);
        if (observer->progress != NULL) /* the task is done but for the storage: it does not hang */
            observer->progress(observer->context, 1000);
    }
    status code = self->code;
    pthread_mutex_unlock(&self->mutex);
    if (code != STATUS_OK && detail != NULL)
        *detail = self->detail;
    return code;
}

void render_readback_stop(render_readback *self)
{
    if (self->running) {
        pthread_mutex_lock(&self->mutex);
        self->ended = true;
        pthread_cond_signal(&self->changed);
        pthread_mutex_unlock(&self->mutex);
        pthread_join(self->thread, NULL);
        pthread_cond_destroy(&self->changed);
        pthread_mutex_destroy(&self->mutex);
    }
    self->running = false;
    storage_queue_close(self->queue);
    free(self->room);
    self->room = NULL;
    for (uint32_t i = 0; i < self->task->file_count; i++)
        if (self->descriptors[i] >= 0)
            close(self->descriptors[i]);
}
