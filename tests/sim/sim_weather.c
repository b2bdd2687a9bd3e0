/* Faults: which of them this seed has and how often, what happens in a second, and the calm at the end. */
#include "sim_coordinator.h"

/* A fault is there in half of the seeds, so that each is also seen without the others. */
static uint32_t maybe(sim_random *random, uint32_t most)
{
    return sim_random_chance(random, 500) ? sim_random_between(random, 1, most) : 0;
}

void sim_weather_make(sim_world *self)
{
    sim_random *random = &self->random;
    self->weather = (sim_weather){.loss = maybe(random, 200),
                                  .doubling = maybe(random, 200),
                                  .long_delay = maybe(random, 30),
                                  .delay_ms = sim_random_between(random, 1, 100),
                                  .reorder = sim_random_chance(random, 150),
                                  .partition = maybe(random, 60),
                                  .process_crash = maybe(random, 50),
                                  .freeze = maybe(random, 60),
                                  .coordinator_crash = maybe(random, 150),
                                  .coordinator_stall = maybe(random, 50),
                                  .storage_outage = maybe(random, 30),
                                  .executor_crash = maybe(random, 100),
                                  .flaws = maybe(random, 60),
                                  .journal_ms = sim_random_between(random, 1, 30),
                                  .journal_slow = maybe(random, 20),
                                  .liar = maybe(random, 200),
                                  .people = maybe(random, 100),
                                  .clock_jump = maybe(random, 30),
                                  .bad_node = sim_random_chance(random, 200) ? sim_random_between(random, 300, 1000) : 0,
                                  .late_report = maybe(random, 150),
                                  .slow_node = sim_random_chance(random, 300) ? sim_random_between(random, 2, 20) : 1};
    self->disordered = self->weather.reorder;
}

static void node_second(sim_world *self, uint32_t index)
{
    const sim_weather *weather = &self->weather;
    sim_random *random = &self->random;
    sim_node *node = &self->nodes[index];
    if (sim_random_chance(random, weather->partition)) {
        uint32_t ways = sim_random_between(random, 1, 3); /* in, out, or both */
        uint64_t until_ms = self->now_ms + sim_random_below(random, 4 * SIM_LEASE_MS);
        node->cut_in_ms = (ways & 1u) != 0 ? until_ms : node->cut_in_ms;
        node->cut_out_ms = (ways & 2u) != 0 ? until_ms : node->cut_out_ms;
        sim_world_say(self, "node %u is cut off (%u) until %u", index, ways, (unsigned)until_ms);
    }
    uint32_t process = node->process;
    if (process == UINT32_MAX)
        return;
    if (sim_random_chance(random, weather->freeze)) {
        uint64_t until_ms = self->now_ms + sim_random_below(random, 4 * SIM_LEASE_MS);
        if (until_ms > self->processes[process].frozen_until_ms)
            self->processes[process].frozen_until_ms = until_ms;
        sim_world_say(self, "process %u freezes until %u", process, (unsigned)self->processes[process].frozen_until_ms);
    }
    if (sim_random_chance(random, weather->liar))
        sim_machine_lie(self, process);
    if (sim_random_chance(random, weather->process_crash))
        sim_machine_kill(self, process);
}

void sim_weather_second(sim_world *self)
{
    const sim_weather *weather = &self->weather;
    sim_random *random = &self->random;
    sim_coordinator *coordinator = self->coordinator;
    for (uint32_t i = 0; i < self->node_count; i++)
        node_second(self, i);
    if (sim_random_chance(random, weather->storage_outage))
        self->storage_out_ms = self->now_ms + sim_random_below(random, self->seed % 4 == 2 ? 60000 : 10000);
    if (coordinator->up && coordinator->stalled_until_ms <= self->now_ms &&
        sim_random_chance(random, weather->coordinator_stall))
        coordinator->stalled_until_ms = self->now_ms + sim_random_below(random, 3 * SIM_LEASE_MS);
    if (coordinator->up && sim_random_chance(random, weather->coordinator_crash))
        coordinator->fuse = sim_random_below(random, 40); /* at some point of what it does next */
    if (sim_random_chance(random, weather->clock_jump))
        /* A leap of less than half a lease cannot be told from time that has passed, and eats into leases. */
        coordinator->clock_ahead_ms += SIM_LEASE_MS / 2 + 1 + sim_random_below(random, 100000);
    if (coordinator->up && sim_random_chance(random, weather->people))
        sim_coordinator_people(self);
    if (self->now_ms + 1000 < SIM_FAULTS_MS)
        sim_world_push(self, (sim_event){.time_ms = self->now_ms + 1000, .type = SIM_SECOND});
    else
        sim_weather_heal(self);
}

void sim_weather_heal(sim_world *self)
{
    sim_world_say(self, "the faults stop");
    uint32_t slow = self->weather.slow_node; /* a slow machine stays slow */
    uint32_t flaws = self->weather.flaws;
    self->weather = (sim_weather){.delay_ms = 5, .journal_ms = 5, .slow_node = slow, .flaws = flaws};
    self->healed = true;
    self->storage_out_ms = 0;
    for (uint32_t i = 0; i < self->node_count; i++) {
        sim_node *node = &self->nodes[i];
        node->cut_in_ms = node->cut_out_ms = 0;
        if (node->process == UINT32_MAX)
            sim_world_push(self, (sim_event){.time_ms = self->now_ms + 100, .type = SIM_NODE_START, .a = i});
    }
    /* Whoever a person has drained comes back, and whatever was held goes on, or all would wait for ever. */
    sim_coordinator_calm(self);
    /* Machines and the coordinator may stand still for four leases yet. */
    if (sim_random_chance(&self->random, 300))
        sim_world_push(self, (sim_event){.time_ms = self->now_ms + 5 * SIM_LEASE_MS, .type = SIM_CALM_CANCEL});
}

void sim_weather_cancel(sim_world *self)
{
    sim_coordinator *coordinator = self->coordinator;
    uint32_t job = coordinator->job_of[sim_random_below(&self->random, self->client_count)];
    const scheduler_event event = {.type = EVENT_JOB_CANCEL, .job = {.job = job}};
    if (!coordinator->up || job == 0)
        return;
    (void)sim_shell_step(self, &event, NULL, 0);
    sim_world_push(self, (sim_event){.time_ms = self->now_ms + SIM_HEARTBEAT_MS, .type = SIM_CALM_CHECK, .a = job});
}
