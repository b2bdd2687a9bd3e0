#include "coordinator/shell/farm_counters.h"

#include <string.h>

uint32_t farm_commit_step_ms(int step)
{
    static const uint32_t steps[COMMIT_STEPS] = {1, 3, 10, 30, 100, 300, 1000, 3000};
    return steps[step];
}

/* Empties the seconds that have gone by since the last entry. */
static void turn_ring(farm_counters *self, uint64_t now_ms)
{
    uint64_t second = now_ms / 1000;
    if (self->begun_ms == 0)
        self->begun_ms = now_ms;
    if (second - self->second >= RATE_SECONDS) {
        memset(self->lately_ms, 0, sizeof self->lately_ms);
        self->second = second;
    }
    while (self->second < second)
        self->lately_ms[++self->second % RATE_SECONDS] = 0;
}

void farm_counters_task(farm_counters *self, uint64_t now_ms, uint8_t kind, uint64_t spent_ms, uint64_t programme_ms)
{
    turn_ring(self, now_ms);
    if (kind < COUNTED_KINDS_MAX) {
        self->task_count[kind]++;
        self->task_ms[kind] += spent_ms;
    }
    self->programme_ms += programme_ms;
    self->lately_ms[self->second % RATE_SECONDS] += programme_ms;
}

void farm_counters_failure(farm_counters *self, status code)
{
    self->failures[status_class_of(code)]++;
}

void farm_counters_append(farm_counters *self, uint64_t now_us, uint64_t sequence)
{
    if (self->commit_sequence != 0)
        return;
    self->commit_sequence = sequence;
    self->commit_begun_us = now_us;
}

void farm_counters_durable(farm_counters *self, uint64_t now_us, uint64_t sequence)
{
    if (self->commit_sequence == 0 || sequence < self->commit_sequence)
        return;
    uint64_t spent_us = now_us - self->commit_begun_us;
    int step = 0;
    while (step < COMMIT_STEPS && spent_us > (uint64_t)farm_commit_step_ms(step) * 1000)
        step++;
    self->commits[step]++;
    self->commit_us += spent_us;
    self->commit_sequence = 0;
}

double farm_counters_rate(farm_counters *self, uint64_t now_ms)
{
    turn_ring(self, now_ms);
    uint64_t sum_ms = 0;
    for (int i = 0; i < RATE_SECONDS; i++)
        sum_ms += self->lately_ms[i];
    uint64_t over_ms = now_ms - self->begun_ms;
    over_ms = over_ms > RATE_SECONDS * 1000 ? RATE_SECONDS * 1000 : over_ms < 1000 ? 1000 : over_ms;
    return (double)sum_ms / 3600000.0 / ((double)over_ms / 60000.0);
}
