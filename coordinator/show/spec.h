/**
 * A spec: what a deliverable must satisfy; checks with limits, each naming the clause it comes from. Read from YAML
 * (deploy/specs), errors with line and column; versioned and digested.
 */
#ifndef COORDINATOR_SHOW_SPEC_H
#define COORDINATOR_SHOW_SPEC_H

#include "common/base/arena.h"
#include "common/base/content_hash.h"
#include "common/media/media_facts.h"

struct problem_list;

typedef enum spec_evidence { EVIDENCE_PRIMARY, EVIDENCE_SECONDARY, EVIDENCE_UNVERIFIED } spec_evidence;
typedef enum spec_severity { SPEC_INFO, SPEC_WARN, SPEC_FAIL } spec_severity;

enum { SPEC_LIMITS_MAX = 64, SPEC_WORDS_MAX = 16 };

/** One limit on one check. Numeric limits use min, max, target (NAN = not set); word limits list what is allowed. */
typedef struct spec_limit {
    const char *check;        /**< a check name of the contract: "loudness.integrated", "format.container", ... */
    double min, max, target;
    const char *unit;         /**< "LUFS", "LU", "dBTP", "dBFS", "Hz", "bit", "" */
    uint32_t word_count;
    const char *words[SPEC_WORDS_MAX]; /**< allowed values ("WAV", "RF64"; "PCM_24"; "5.1") */
    spec_severity severity;   /**< of a breach; EVIDENCE_UNVERIFIED never gives better than a warning */
    spec_evidence evidence;
    const char *clause;       /**< document and clause */
    double speech_at_least, speech_below; /**< in force only where the share of speech (0 to 1) is in this; 0 = always */
    const char *layout;       /**< the level is that of a programme of this layout ("5.1": of the re-render); NULL = of any */
    int group;                /**< -1, or index of the any_of group it belongs to: the group passes if one member does */
    uint32_t line, column;
} spec_limit;

typedef struct spec {
    const char *name;
    const char *title;
    const char *version;
    const char *source;
    content_hash digest;      /**< of the text */
    bool hold_on_fail;        /**< on_fail: hold */
    uint32_t limit_count;
    spec_limit limits[SPEC_LIMITS_MAX];
    uint32_t group_count;
    const char *text;
} spec;

MUST_USE status spec_parse(spec *out_spec, const char *name, const char *text, size_t text_size, const char *source_name,
                           arena *arena, struct problem_list *problems);

#endif
