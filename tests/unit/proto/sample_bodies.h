/** One task body of every kind, every field set. */
#ifndef TESTS_UNIT_PROTO_SAMPLE_BODIES_H
#define TESTS_UNIT_PROTO_SAMPLE_BODIES_H

#include "proto/task_body.h"

/** kind: below TASK_KIND_REMOTE_END. What the body points to lives in memory. */
void sample_body(task_kind kind, task_body *out_body, arena *memory);

#endif
