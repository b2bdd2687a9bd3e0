#include "worker/session/held_table.h"

#include "common/base/ensure.h"

#include <stdlib.h>
#include <string.h>

static uint8_t *copy_of(const void *bytes, size_t byte_size)
{
    uint8_t *copy = malloc(byte_size == 0 ? 1 : byte_size);
    ENSURE(copy != NULL);
    if (byte_size > 0)
        memcpy(copy, bytes, byte_size);
    return copy;
}

void held_table_deinit(held_table *self)
{
    while (self->count > 0)
        held_table_remove(self, &self->items[self->count - 1]);
}

held_attempt *held_table_add(held_table *self, const attempt_id *attempt, task_kind kind, const void *body,
                             size_t body_size)
{
    if (self->count == MESSAGE_ATTEMPTS_MAX)
        return NULL;
    held_attempt *item = &self->items[self->count++];
    *item = (held_attempt){.attempt = *attempt,
                           .kind = kind,
                           .state = HELD_QUEUED,
                           .body = copy_of(body, body_size),
                           .body_size = body_size};
    return item;
}

held_attempt *held_table_find(held_table *self, const attempt_id *attempt)
{
    for (uint32_t i = 0; i < self->count; i++) {
        if (attempt_id_equal(&self->items[i].attempt, attempt))
            return &self->items[i];
    }
    return NULL;
}

held_attempt *held_table_find_task(held_table *self, uint32_t job, uint32_t task, uint32_t from)
{
    for (uint32_t i = from; i < self->count; i++) {
        if (self->items[i].attempt.job == job && self->items[i].attempt.task == task)
            return &self->items[i];
    }
    return NULL;
}

void held_table_remove(held_table *self, held_attempt *item)
{
    held_table_drop_frames(self, item);
    free(item->frames);
    held_table_drop_body(item);
    size_t index = (size_t)(item - self->items);
    ENSURE(index < self->count);
    self->count--;
    memmove(item, item + 1, (self->count - index) * sizeof *item);
}

uint32_t held_table_count(const held_table *self, held_state state)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < self->count; i++)
        count += self->items[i].state == state;
    return count;
}

void held_table_keep_frame(held_table *self, held_attempt *item, const void *bytes, size_t byte_size)
{
    if (item->frame_count == item->frame_capacity) {
        size_t capacity = item->frame_capacity == 0 ? 8 : 2 * item->frame_capacity;
        held_frame *frames = realloc(item->frames, capacity * sizeof *frames);
        ENSURE(frames != NULL);
        item->frames = frames;
        item->frame_capacity = capacity;
    }
    item->frames[item->frame_count++] = (held_frame){.bytes = copy_of(bytes, byte_size), .size = byte_size};
    self->frame_bytes += byte_size;
}

void held_table_drop_body(held_attempt *item)
{
    free(item->body);
    item->body = NULL;
    item->body_size = 0;
}

void held_table_drop_frames(held_table *self, held_attempt *item)
{
    for (size_t i = 0; i < item->frame_count; i++) {
        self->frame_bytes -= item->frames[i].size;
        free(item->frames[i].bytes);
    }
    item->frame_count = 0;
}
