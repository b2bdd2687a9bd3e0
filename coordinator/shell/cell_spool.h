/**
 * Cells of attempts that still run: held in memory, as the records they will be, until the attempt's RESULT is accepted
 * (then they go to the job's measure file) or refused (then they are dropped). An attempt holds each of its cells once:
 * a worker sends them again after a reconnect.
 *
 * Threads: the loop's.
 */
#ifndef COORDINATOR_SHELL_CELL_SPOOL_H
#define COORDINATOR_SHELL_CELL_SPOOL_H

#include "common/base/byte_writer.h"
#include "proto/message_types.h"

enum { CELL_SPOOL_BUCKETS = 1024, CELL_SPOOL_BYTES_MAX = 512 << 20 };

typedef struct spooled_attempt {
    struct spooled_attempt *next;
    attempt_id attempt;
    uint32_t worker;
    uint32_t cell_count;
    uint32_t cells[TASK_CELLS_MAX]; /**< which, in the order of the records */
    content_hash digests[TASK_CELLS_MAX]; /**< of the records: they say the task and what was made of the cell, not who
                                               made it */
    byte_writer records;
    const char *spoiled; /**< why nothing of this attempt can be believed; NULL = nothing is wrong */
    uint32_t spoiled_cell;
    uint32_t incomplete; /**< good RESULTs that came without all cells */
} spooled_attempt;

typedef struct cell_spool {
    spooled_attempt *buckets[CELL_SPOOL_BUCKETS];
} cell_spool;

void cell_spool_deinit(cell_spool *self);
/** NULL when nothing of the attempt has come. */
spooled_attempt *cell_spool_find(const cell_spool *self, const attempt_id *tried);
/**
 * Adds one cell; a second copy of it is dropped. STATUS_PEER_IMPOSSIBLE when the attempt belongs to another worker,
 * STATUS_LIMIT for more cells or bytes than an attempt can have.
 */
MUST_USE status cell_spool_add(cell_spool *self, uint32_t worker, const message_cell *cell);
/**
 * The worker sent something of this attempt that does not fit it: `why` (a text that lives for ever; the first stays).
 * False when out of memory, or when the attempt belongs to another worker.
 */
bool cell_spool_spoil(cell_spool *self, uint32_t worker, const message_cell *cell, const char *why);
/** A good RESULT came without all cells; how often by now. */
uint32_t cell_spool_incomplete(cell_spool *self, uint32_t worker, const attempt_id *tried);
/**
 * Two executions of a task (the second beside a straggler) must have made the same of each cell that both have sent.
 * True: they have not; out_cell is the first such cell, out_worker who ran the other execution.
 */
bool cell_spool_differs(const cell_spool *self, const attempt_id *tried, uint32_t *out_cell, uint32_t *out_worker);
void cell_spool_drop(cell_spool *self, const attempt_id *tried);
/** Every attempt of a task. */
void cell_spool_drop_task(cell_spool *self, uint32_t job, uint32_t task);

#endif
