/** The journal: records in order; those up to `durable` survive a crash, later ones by luck, in order. */
#ifndef TESTS_SIM_SIM_JOURNAL_H
#define TESTS_SIM_SIM_JOURNAL_H

#include "coordinator/core/fact_record.h"
#include "proto/message_types.h"

typedef enum sim_record_kind { SIM_RECORD_JOB, SIM_RECORD_RESULT, SIM_RECORD_FACT } sim_record_kind;

typedef struct sim_record {
    sim_record_kind kind;
    uint32_t client, job;                 /* JOB */
    attempt_id attempt;                   /* RESULT */
    uint64_t payload;
    uint8_t fact[FACT_RECORD_BYTES];      /* FACT, as it lies on disk */
} sim_record;

typedef struct sim_journal {
    sim_record *records;
    uint64_t count, durable;
    uint64_t checked; /* given to the checks */
    size_t capacity;
} sim_journal;

void sim_journal_deinit(sim_journal *self);
/** Sequence of the record: 1 for the first. */
uint64_t sim_journal_append(sim_journal *self, const sim_record *record);
/** Forgets everything after `kept` records. */
void sim_journal_cut(sim_journal *self, uint64_t kept);

#endif
