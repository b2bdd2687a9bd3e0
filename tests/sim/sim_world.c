#include "sim_world.h"

#include "common/base/ensure.h"
#include "proto/message_encode.h"
#include "sim_check.h"
#include "sim_coordinator.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *sim_mutation_name(sim_mutation mutation)
{
    static const char *const names[MUTATION_COUNT] = {"none",        "early-release", "stale-result",
                                                      "any-sender",  "dead-leases",   "lost-tail",
                                                      "no-ack",      "no-fence",      "no-cancel",
                                                      "old-reports"};
    return mutation < MUTATION_COUNT ? names[mutation] : "?";
}

void sim_world_say(const sim_world *self, const char *format, ...)
{
    if (!self->verbose)
        return;
    va_list arguments;
    va_start(arguments, format);
    printf("%8" PRIu64 " ", self->now_ms);
    (void)vprintf(format, arguments);
    printf("\n");
    va_end(arguments);
}

/* ---- the events ahead ---- */

static bool event_before(const sim_event *a, const sim_event *b)
{
    return a->time_ms != b->time_ms ? a->time_ms < b->time_ms : a->order < b->order;
}

void sim_world_push(sim_world *self, sim_event event)
{
    if (self->event_count == self->event_capacity) {
        self->event_capacity = self->event_capacity == 0 ? 1024 : 2 * self->event_capacity;
        self->events = realloc(self->events, self->event_capacity * sizeof *self->events);
        ENSURE(self->events != NULL);
    }
    event.order = self->event_order++;
    size_t place = self->event_count++;
    for (; place > 0 && event_before(&event, &self->events[(place - 1) / 2]); place = (place - 1) / 2)
        self->events[place] = self->events[(place - 1) / 2];
    self->events[place] = event;
}

void sim_world_push_again(sim_world *self, const sim_event *event, uint64_t time_ms)
{
    sim_event later = *event;
    later.time_ms = time_ms;
    if (event->byte_size > 0) {
        later.bytes = malloc(event->byte_size);
        ENSURE(later.bytes != NULL);
        memcpy(later.bytes, event->bytes, event->byte_size);
    }
    sim_world_push(self, later);
}

static sim_event event_pop(sim_world *self)
{
    sim_event first = self->events[0];
    sim_event last = self->events[--self->event_count];
    size_t place = 0;
    for (;;) {
        size_t child = 2 * place + 1;
        if (child >= self->event_count)
            break;
        if (child + 1 < self->event_count && event_before(&self->events[child + 1], &self->events[child]))
            child++;
        if (!event_before(&self->events[child], &last))
            break;
        self->events[place] = self->events[child];
        place = child;
    }
    self->events[place] = last;
    return first;
}

/* ---- one run ---- */

static void world_init(sim_world *self, uint64_t seed, sim_mutation mutation, bool verbose)
{
    *self = (sim_world){.seed = seed, .mutation = mutation, .verbose = verbose, .random = {.state = seed}};
    byte_writer_init(&self->frame, FRAME_BYTES_MAX);
    self->check = sim_check_create();
    self->coordinator = sim_coordinator_create();
    ENSURE(self->check != NULL && self->coordinator != NULL);
    sim_weather_make(self);
    self->node_count = sim_random_between(&self->random, 2, SIM_NODES_MAX);
    for (uint32_t i = 0; i < self->node_count; i++) {
        self->nodes[i] = (sim_node){.slots = sim_random_between(&self->random, 1, SIM_SLOTS_MAX),
                                    .process = UINT32_MAX,
                                    .slowness = i == 0 ? self->weather.slow_node : 1};
        uint64_t start_ms = sim_random_below(&self->random, 3000);
        sim_world_push(self, (sim_event){.time_ms = start_ms, .type = SIM_NODE_START, .a = i});
    }
    self->limits = sim_plan_limits(seed);
    self->client_count = sim_random_between(&self->random, 1, SIM_JOBS_MAX);
    for (uint32_t i = 0; i < self->client_count; i++) {
        sim_plan_make(&self->clients[i].plan, &self->random, self->weather.flaws);
        sim_plan_terms(&self->clients[i].plan, seed, i);
        uint64_t speaks_ms = sim_random_below(&self->random, SIM_FAULTS_MS / 2);
        sim_world_push(self, (sim_event){.time_ms = speaks_ms, .type = SIM_CLIENT, .a = i});
    }
    sim_coordinator_start(self);
    sim_world_push(self, (sim_event){.time_ms = 1000, .type = SIM_SECOND});
}

static void world_deinit(sim_world *self)
{
    for (size_t i = 0; i < self->event_count; i++)
        free(self->events[i].bytes);
    free(self->events);
    for (uint32_t i = 0; i < self->process_count; i++)
        worker_session_destroy(&self->processes[i].session);
    session_orders_deinit(&self->orders);
    byte_writer_deinit(&self->frame);
    sim_coordinator_destroy(&self->coordinator);
    sim_check_destroy(&self->check);
}

static void event_run(sim_world *self, const sim_event *event)
{
    switch (event->type) {
    case SIM_TO_PROCESS:
    case SIM_PROCESS_TICK:
    case SIM_CELL:
    case SIM_EXECUTION_END:
    case SIM_EXECUTION_KILLED:
    case SIM_NODE_START:
        sim_machine_event(self, event);
        break;
    case SIM_TO_COORDINATOR:
    case SIM_COORDINATOR_TICK:
    case SIM_COORDINATOR_START:
    case SIM_LOCAL_END:
    case SIM_DURABLE:
    case SIM_CLIENT:
        sim_coordinator_event(self, event);
        break;
    case SIM_SECOND:
        sim_weather_second(self);
        if (self->coordinator->dying)
            sim_coordinator_crash(self);
        break;
    case SIM_CALM_CANCEL:
        sim_weather_cancel(self);
        break;
    case SIM_CALM_CHECK:
        sim_check_stopped(self->check, self, event->a);
        break;
    }
}

/* Every job has ended and the workers have had time to say that they hold nothing. */
static bool world_quiet(sim_world *self)
{
    if (!self->healed || !self->coordinator->up || self->coordinator->deferred_count > 0)
        return false;
    bool over = true;
    for (uint32_t i = 0; i < self->client_count && over; i++) {
        job_view view;
        over = self->clients[i].told &&
               scheduler_job_view(self->coordinator->core, self->clients[i].job, &view) && view.state == JOB_ENDED;
    }
    if (!over)
        self->over_ms = 0;
    else if (self->over_ms == 0)
        self->over_ms = self->now_ms;
    return over && self->now_ms >= self->over_ms + 4 * SIM_LEASE_MS;
}

bool sim_world_run(uint64_t seed, sim_mutation mutation, bool verbose, char *out_reason, size_t reason_size,
                   uint64_t *out_events)
{
    sim_world *self = malloc(sizeof *self);
    ENSURE(self != NULL);
    world_init(self, seed, mutation, verbose);
    uint64_t quiet_check_ms = 0;
    while (sim_check_reason(self->check) == NULL) {
        if (self->event_count == 0 || self->events_done >= SIM_EVENTS_MAX || self->now_ms >= SIM_END_MS) {
            sim_check_end(self->check, self);
            sim_check_fail(self->check, "the farm does not come to rest");
            break;
        }
        sim_event event = event_pop(self);
        self->events_done++;
        ENSURE(event.time_ms >= self->now_ms);
        self->now_ms = event.time_ms;
        event_run(self, &event);
        free(event.bytes);
        if (self->now_ms >= quiet_check_ms) {
            quiet_check_ms = self->now_ms + 500;
            if (world_quiet(self)) {
                sim_check_end(self->check, self);
                break;
            }
        }
    }
    *out_events = self->events_done;
    const char *reason = sim_check_reason(self->check);
    bool well = reason == NULL;
    (void)snprintf(out_reason, reason_size, "%s", well ? "" : reason);
    world_deinit(self);
    free(self);
    return well;
}
