/*
 * sim_farm --seed N [--mutate NAME] [--verbose]      one run
 * sim_farm --from N --count M [--mutate NAME]        seeds N .. N+M-1; ends at the first that fails
 * sim_farm --prove [--count M]                       every mutation must be caught within M seeds
 */
#include "sim_world.h"

#include <inttypes.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct sim_options {
    uint64_t from, count;
    sim_mutation mutation;
    bool verbose, prove;
} sim_options;

static bool options_read(sim_options *self, int argc, char **argv)
{
    *self = (sim_options){.from = 1, .count = 1};
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (strcmp(argv[i], "--verbose") == 0) {
            self->verbose = true;
            continue;
        }
        if (strcmp(argv[i], "--prove") == 0) {
            self->prove = true;
            continue;
        }
        if (value == NULL)
            return false;
        i++;
        if (strcmp(argv[i - 1], "--seed") == 0 || strcmp(argv[i - 1], "--from") == 0) {
            self->from = strtoull(value, NULL, 10);
        } else if (strcmp(argv[i - 1], "--count") == 0) {
            self->count = strtoull(value, NULL, 10);
        } else if (strcmp(argv[i - 1], "--mutate") == 0) {
            while (self->mutation < MUTATION_COUNT && strcmp(value, sim_mutation_name(self->mutation)) != 0)
                self->mutation++;
            if (self->mutation == MUTATION_COUNT)
                return false;
        } else {
            return false;
        }
    }
    return true;
}

/* An assertion of the scheduler or the session ends the program: it too must say which seed that was. */
static uint64_t seed_now;

static void on_abort(int number)
{
    char line[80];
    (void)number;
    int size = snprintf(line, sizeof line, "seed %" PRIu64 ": the assertion above; repeat it with --%s %" PRIu64 "\n", seed_now,
                        "seed", seed_now);
    if (size > 0 && write(STDOUT_FILENO, line, (size_t)size) < 0)
        _exit(3);
}

/* The first seed of the range that fails, or 0. */
static uint64_t seeds_run(const sim_options *options, sim_mutation mutation, char *reason, size_t reason_size,
                          uint64_t *out_events)
{
    *out_events = 0;
    for (uint64_t seed = options->from; seed < options->from + options->count; seed++) {
        uint64_t events = 0;
        seed_now = seed;
        bool well = sim_world_run(seed, mutation, options->verbose, reason, reason_size, &events);
        *out_events += events;
        if (!well)
            return seed;
    }
    return 0;
}

static int mutations_prove(const sim_options *options)
{
    int missed = 0;
    for (sim_mutation mutation = MUTATION_NONE + 1; mutation < MUTATION_COUNT; mutation++) {
        char reason[512];
        uint64_t events = 0;
        uint64_t seed = seeds_run(options, mutation, reason, sizeof reason, &events);
        if (seed != 0)
            printf("%-14s caught by seed %" PRIu64 ": %s\n", sim_mutation_name(mutation), seed, reason);
        else
            printf("%-14s NOT caught by %" PRIu64 " seeds\n", sim_mutation_name(mutation), options->count);
        missed += seed == 0;
    }
    return missed == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    sim_options options;
    if (!options_read(&options, argc, argv)) {
        fprintf(stderr, "usage: sim_farm [--seed N | --from N --count M] [--mutate NAME] [--prove] [--verbose]\n");
        return 2;
    }
    /* The checks' tables are wanted again within a moment: the kernel's fresh pages took longer than the simulation. */
    (void)mallopt(M_MMAP_THRESHOLD, 1 << 25);
    (void)mallopt(M_TRIM_THRESHOLD, 1 << 30);
    (void)signal(SIGABRT, on_abort);
    if (options.prove)
        return mutations_prove(&options);
    char reason[512];
    uint64_t events = 0;
    uint64_t seed = seeds_run(&options, options.mutation, reason, sizeof reason, &events);
    if (seed == 0) {
        printf("%" PRIu64 " seeds from %" PRIu64 ", %" PRIu64 " events: all well\n", options.count,
               options.from, events);
        return 0;
    }
    printf("seed %" PRIu64 ": %s\nrepeat it with: %s --seed %" PRIu64 "%s%s --verbose\n", seed, reason, argv[0], seed,
           options.mutation == MUTATION_NONE ? "" : " --mutate ",
           options.mutation == MUTATION_NONE ? "" : sim_mutation_name(options.mutation));
    return 1;
}
