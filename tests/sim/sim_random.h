/** The one source of chance in a simulation: splitmix64 (Steele, Lea, Flood 2014), from the seed. */
#ifndef TESTS_SIM_SIM_RANDOM_H
#define TESTS_SIM_SIM_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

typedef struct sim_random {
    uint64_t state;
} sim_random;

static inline uint64_t sim_random_next(sim_random *self)
{
    uint64_t value = self->state += 0x9e3779b97f4a7c15u;
    value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9u;
    value = (value ^ value >> 27) * 0x94d049bb133111ebu;
    return value ^ value >> 31;
}

/** 0 .. bound - 1; bound 0 gives 0. */
static inline uint32_t sim_random_below(sim_random *self, uint32_t bound)
{
    return bound == 0 ? 0 : (uint32_t)((sim_random_next(self) >> 32) * bound >> 32);
}

/** low .. high, both included. */
static inline uint32_t sim_random_between(sim_random *self, uint32_t low, uint32_t high)
{
    return low + sim_random_below(self, high - low + 1);
}

static inline bool sim_random_chance(sim_random *self, uint32_t permille)
{
    return sim_random_below(self, 1000) < permille;
}

#endif
