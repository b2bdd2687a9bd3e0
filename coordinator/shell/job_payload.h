/**
 * What the coordinator's own tasks leave in the journal (the payloads of PLAN, GAIN, MERGE and COMPOSE results): versioned,
 * little-endian, enough to go on after a restart without doing the work again. And whether a worker's payload is one.
 */
#ifndef COORDINATOR_SHELL_JOB_PAYLOAD_H
#define COORDINATOR_SHELL_JOB_PAYLOAD_H

#include "common/base/arena.h"
#include "common/base/byte_writer.h"
#include "coordinator/show/show_file.h"
#include "coordinator/verdict/verdict.h"
#include "proto/message_types.h"

enum { MERGE_FINDINGS_MAX = 16, FINDING_TEXT_SIZE = 512 };

/** The worst findings of a deliverable, as `status` shows them while the job runs. */
typedef struct merged_finding {
    uint8_t severity; /**< finding_severity */
    char check[NAME_MAX_BYTES];
    char message[FINDING_TEXT_SIZE];
} merged_finding;

/** What became of one deliverable's measures. */
typedef struct merge_outcome {
    uint8_t verdict; /**< verdict_word */
    bool publish; /**< false: its spec holds what fails */
    int16_t loudness_value, loudness_range, max_true_peak, max_momentary,
        max_short_term; /**< hundredths, 0x7FFF = none */
    uint32_t by_severity[FINDING_FAIL + 1];
    uint32_t finding_count;
    merged_finding findings[MERGE_FINDINGS_MAX];
    uint32_t place_count;
    task_place places[TASK_PLACES_MAX]; /**< what its EXCERPT looks at */
} merge_outcome;

void merge_outcome_encode(const merge_outcome *self, byte_writer *writer);
MUST_USE status merge_outcome_decode(merge_outcome *out_outcome, const void *bytes, size_t byte_size);

/** The gain that a GAIN task found, in dB. */
void gain_outcome_encode(double gain_db, byte_writer *writer);
MUST_USE status gain_outcome_decode(double *out_gain_db, const void *bytes, size_t byte_size);

/** Documents of a job that lie in its folder and can be fetched and asked for. */
typedef enum job_document_id {
    DOCUMENT_REPORT_JSON,
    DOCUMENT_REPORT_HTML,
    DOCUMENT_REPORT_PDF,
    DOCUMENT_MEASURES,
    DOCUMENT_DELIVERY,
    DOCUMENT_RESULT,
    DOCUMENT_COUNT
} job_document_id;
enum { DOCUMENTS_COMPOSED = DOCUMENT_DELIVERY + 1 }; /**< the first ones: what COMPOSE makes and DEPOSIT writes */
/** "report.json", "delivery_list.json", "result.json" ...: also the name of the file in the job's folder. */
const char *job_document_file(job_document_id id);

typedef struct composed_document {
    uint64_t size;
    content_hash digest;
} composed_document;
typedef struct compose_outcome {
    uint8_t verdict; /**< verdict_word of the whole job */
    composed_document documents[DOCUMENTS_COMPOSED]; /**< of size 0: was not made */
} compose_outcome;

void compose_outcome_encode(const compose_outcome *self, byte_writer *writer);
MUST_USE status compose_outcome_decode(compose_outcome *out_outcome, const void *bytes, size_t byte_size);

/** Problems that planning found; cut at 256 KiB with `dropped` counting the rest. */
void problems_encode(const problem_list *problems, byte_writer *writer);
MUST_USE status problems_decode(problem_list *out_problems, const void *bytes, size_t byte_size, arena *memory);

/** Of a PROBE: there is no such file; the sentence that says so. */
bool payload_finds_none(const message_bytes *payload, char out_text[ERROR_MESSAGE_SIZE]);
/** Whether it is what a worker's task of this kind leaves. */
bool payload_fits(uint8_t kind, bool of_input, const message_bytes *payload);

#endif
