#include "coordinator/core/retry_policy.h"

#include "common/base/ensure.h"

#include <stdlib.h>

retry_count retry_policy_counter(status code)
{
    switch (status_class_of(code)) {
    case STATUS_CLASS_OK:
        return RETRY_COUNT_NONE;
    case STATUS_CLASS_WAIT:
        return RETRY_COUNT_LOST;
    case STATUS_CLASS_NODE:
        return code == STATUS_NODE_LOST ? RETRY_COUNT_LOST : RETRY_COUNT_FAILED;
    case STATUS_CLASS_PEER:
    case STATUS_CLASS_INPUT:
    case STATUS_CLASS_LIMIT:
    case STATUS_CLASS_STORAGE:
    case STATUS_CLASS_DEFECT:
        return RETRY_COUNT_FAILED;
    }
    return RETRY_COUNT_FAILED;
}

task_state retry_policy_next(status code, const task_record *task, uint32_t attempts_max)
{
    uint32_t failed = task->failed + 1u;
    switch (status_class_of(code)) {
    case STATUS_CLASS_OK:
        return TASK_READY;
    case STATUS_CLASS_INPUT:
    case STATUS_CLASS_LIMIT:
        return TASK_FAILED;
    case STATUS_CLASS_PEER:
    case STATUS_CLASS_DEFECT:
        return failed >= RETRY_DEFECTS_MAX || failed >= attempts_max ? TASK_FAILED : TASK_BACKOFF;
    case STATUS_CLASS_WAIT:
        return task->lost + 1u >= RETRY_LOST_MAX ? TASK_FAILED : TASK_BACKOFF;
    case STATUS_CLASS_NODE:
        if (code == STATUS_NODE_LOST) /* no pause: the machine is gone, the task is as good as before */
            return task->lost + 1u >= RETRY_LOST_MAX ? TASK_FAILED : TASK_READY;
        return failed >= attempts_max ? TASK_FAILED : TASK_BACKOFF;
    case STATUS_CLASS_STORAGE:
        return failed >= attempts_max ? TASK_FAILED : TASK_BACKOFF;
    }
    return TASK_FAILED;
}

uint32_t retry_policy_delay_ms(const task_record *task, uint32_t base_ms)
{
    uint32_t count = task->failed + (uint32_t)task->lost;
    uint64_t delay = (uint64_t)base_ms << (count > 0 ? count - 1 : 0);
    return delay < RETRY_BACKOFF_MAX_MS ? (uint32_t)delay : RETRY_BACKOFF_MAX_MS;
}

bool retry_policy_storage_waits(status code)
{
    return code == STATUS_STORAGE_FULL || code == STATUS_STORAGE_IO;
}

bool retry_policy_strikes(status code)
{
    return status_class_of(code) == STATUS_CLASS_NODE && code != STATUS_NODE_LOST;
}

bool retry_policy_rests(status code)
{
    return retry_policy_strikes(code) || status_class_of(code) == STATUS_CLASS_STORAGE;
}

bool trouble_table_init(trouble_table *self, uint32_t capacity)
{
    *self = (trouble_table){.troubles = calloc(capacity, sizeof *self->troubles),
                            .free_slots = malloc(capacity * sizeof *self->free_slots),
                            .capacity = capacity,
                            .free_count = capacity,
                            .parked_head = SLOT_NONE,
                            .parked_tail = SLOT_NONE};
    if (!id_map_init(&self->by_task, capacity) || self->troubles == NULL || self->free_slots == NULL)
        return false;
    for (uint32_t i = 0; i < capacity; i++)
        self->free_slots[i] = capacity - 1 - i;
    return true;
}

void trouble_table_deinit(trouble_table *self)
{
    free(self->troubles);
    free(self->free_slots);
    id_map_deinit(&self->by_task);
    *self = (trouble_table){0};
}

static uint64_t trouble_key(uint32_t job_slot, uint32_t task)
{
    return (uint64_t)job_slot << 32 | task;
}

uint32_t trouble_table_find(const trouble_table *self, uint32_t job_slot, uint32_t task)
{
    if (self->free_count == self->capacity)
        return SLOT_NONE; /* as almost always */
    return id_map_find(&self->by_task, trouble_key(job_slot, task));
}

uint32_t trouble_table_take(trouble_table *self, uint32_t job_slot, uint32_t task)
{
    uint32_t slot = trouble_table_find(self, job_slot, task);
    if (slot != SLOT_NONE || self->free_count == 0)
        return slot;
    slot = self->free_slots[--self->free_count];
    self->troubles[slot] = (task_trouble){.used = true,
                                          .job_slot = job_slot,
                                          .task = task,
                                          .key = trouble_key(job_slot, task),
                                          .previous = SLOT_NONE,
                                          .next = SLOT_NONE};
    id_map_put(&self->by_task, self->troubles[slot].key, slot);
    return slot;
}

void trouble_table_give(trouble_table *self, uint32_t trouble)
{
    task_trouble *entry = &self->troubles[trouble];
    ENSURE(entry->used);
    if (entry->parked)
        trouble_table_unpark(self, trouble);
    id_map_remove(&self->by_task, entry->key);
    entry->used = false;
    self->free_slots[self->free_count++] = trouble;
}

void task_trouble_avoid(task_trouble *self, uint32_t worker, status code)
{
    status blamed = retry_policy_strikes(code) || code == STATUS_INPUT_MISSING ? code : STATUS_OK;
    if (worker == SCHEDULER_LOCAL)
        return;
    for (uint32_t i = 0; i < self->avoid_count; i++) {
        if (self->avoid[i] == worker) {
            self->blamed[i] = self->blamed[i] != STATUS_OK ? self->blamed[i] : blamed;
            return;
        }
    }
    if (self->avoid_count == TROUBLE_AVOID_MAX) {
        for (uint32_t i = 1; i < TROUBLE_AVOID_MAX; i++) {
            self->avoid[i - 1] = self->avoid[i];
            self->blamed[i - 1] = self->blamed[i];
        }
        self->avoid_count--;
    }
    self->avoid[self->avoid_count] = worker;
    self->blamed[self->avoid_count++] = blamed;
}

bool task_trouble_avoids(const task_trouble *self, uint32_t worker)
{
    for (uint32_t i = 0; i < self->avoid_count; i++) {
        if (self->avoid[i] == worker)
            return true;
    }
    return false;
}

void trouble_table_park(trouble_table *self, uint32_t trouble)
{
    task_trouble *entry = &self->troubles[trouble];
    ENSURE(entry->used && !entry->parked);
    entry->parked = true;
    entry->previous = self->parked_tail;
    entry->next = SLOT_NONE;
    if (self->parked_tail == SLOT_NONE)
        self->parked_head = trouble;
    else
        self->troubles[self->parked_tail].next = trouble;
    self->parked_tail = trouble;
}

void trouble_table_unpark(trouble_table *self, uint32_t trouble)
{
    task_trouble *entry = &self->troubles[trouble];
    ENSURE(entry->parked);
    entry->parked = false;
    if (entry->previous == SLOT_NONE)
        self->parked_head = entry->next;
    else
        self->troubles[entry->previous].next = entry->next;
    if (entry->next == SLOT_NONE)
        self->parked_tail = entry->previous;
    else
        self->troubles[entry->next].previous = entry->previous;
    entry->previous = entry->next = SLOT_NONE;
}
