/* Frames on their way. A link keeps its order, as a ZeroMQ connection does, unless the weather says otherwise. */
#include "sim_world.h"

#include "common/base/ensure.h"
#include "proto/message_encode.h"

#include <stdlib.h>
#include <string.h>

static uint64_t arrival_ms(sim_world *self, uint64_t *last_ms)
{
    const sim_weather *weather = &self->weather;
    uint64_t delay_ms = 1 + sim_random_below(&self->random, weather->delay_ms);
    if (sim_random_chance(&self->random, weather->long_delay))
        delay_ms += sim_random_below(&self->random, 3 * SIM_LEASE_MS);
    uint64_t time_ms = self->now_ms + delay_ms;
    if (!weather->reorder && time_ms < *last_ms)
        time_ms = *last_ms;
    if (time_ms > *last_ms)
        *last_ms = time_ms;
    return time_ms;
}

static void frame_push(sim_world *self, sim_event event, const uint8_t *bytes, size_t byte_size)
{
    event.bytes = malloc(byte_size + 1);
    ENSURE(event.bytes != NULL);
    memcpy(event.bytes, bytes, byte_size);
    event.byte_size = byte_size;
    sim_world_push(self, event);
}

static void frame_send(sim_world *self, sim_event_type type, uint32_t process, const uint8_t *bytes, size_t byte_size)
{
    sim_process *peer = &self->processes[process];
    uint64_t *last_ms = type == SIM_TO_PROCESS ? &peer->inbound_ms : &peer->outbound_ms;
    uint64_t cut_ms = type == SIM_TO_PROCESS ? self->nodes[peer->node].cut_in_ms : self->nodes[peer->node].cut_out_ms;
    if (cut_ms > self->now_ms || sim_random_chance(&self->random, self->weather.loss))
        return;
    uint32_t copies = sim_random_chance(&self->random, self->weather.doubling) ? 2 : 1;
    for (uint32_t i = 0; i < copies; i++)
        frame_push(self, (sim_event){.time_ms = arrival_ms(self, last_ms), .type = type, .a = process}, bytes,
                   byte_size);
}

void sim_network_to_coordinator(sim_world *self, uint32_t process, const uint8_t *bytes, size_t byte_size)
{
    frame_send(self, SIM_TO_COORDINATOR, process, bytes, byte_size);
    /* A report that waited in a queue of somebody who stood still. [type, version, ...]: the type is the second byte. */
    if (byte_size > 1 && bytes[1] == MESSAGE_HEARTBEAT &&
        sim_random_chance(&self->random, self->weather.late_report)) {
        uint64_t time_ms = self->now_ms + sim_random_below(&self->random, 3 * SIM_LEASE_MS);
        frame_push(self, (sim_event){.time_ms = time_ms, .type = SIM_TO_COORDINATOR, .a = process}, bytes, byte_size);
    }
}

void sim_network_to_process(sim_world *self, uint32_t process, const message *told)
{
    byte_writer_reset(&self->frame);
    ENSURE(message_encode(told, &self->frame) == STATUS_OK);
    frame_send(self, SIM_TO_PROCESS, process, self->frame.bytes, self->frame.size);
}
