/**
 * What a received programme was made of, found from the Gram matrices of its channels and the stems: which stems are in it, at
 * which gains, when; the matrix that was used; and what no stem explains.
 *
 * The nominal programme is the sum over the stems that are in it of nominal gain x lane. Where programme and nominal do not
 * cancel, each stem's gain is solved per block and channel; where gains of whole stems do not explain the programme, gains
 * of channels are (a wrong matrix). Pure; the same sums give the same findings on every machine.
 */
#ifndef COMMON_MEASURE_STEM_TRUTH_H
#define COMMON_MEASURE_STEM_TRUTH_H

#include "common/measure/stem_features.h"

enum { STEM_ELEMENTS_MAX = 64, STEM_BED_MAX = 32, STEM_RUNS_MAX = 1024 };

/** Whether a stem should be in a programme, as far as its kind and the spec say. */
typedef enum stem_belonging {
    STEM_BY_MAJORITY, /**< it should if it is in most of it */
    STEM_BELONGS,     /**< it should unless it is hardly anywhere in it: then what lacks is missing, however long */
    STEM_FOREIGN      /**< it should not */
} stem_belonging;

/** How a programme should have been made. Lanes 0 .. output_count are the programme, the rest the stems' channels. */
typedef struct stem_model {
    uint32_t output_count;
    uint32_t lane_count;
    uint32_t element_count;                    /**< stems */
    stem_belonging belongs[STEM_ELEMENTS_MAX];
    uint8_t element_of[STEM_CROSSED_LANES_MAX];/**< by lane */
    uint32_t bed_count;                        /**< different channel labels among the stems */
    uint8_t bed_of[STEM_CROSSED_LANES_MAX];    /**< by lane */
    double nominal[LAYOUT_CHANNELS_MAX][STEM_CROSSED_LANES_MAX]; /**< gain of a lane in an output; 0 = not in it */
    double step;                               /**< of the programme's samples, linear; 0 for float */
} stem_model;

typedef enum stem_fault {
    STEM_FAULT_MISSING,     /**< a stem that is in the programme is not in it here */
    STEM_FAULT_GAIN,        /**< it is, at another gain */
    STEM_FAULT_POLARITY,    /**< it is, upside down */
    STEM_FAULT_EXTRA,       /**< a stem that is not in the programme is in it here */
    STEM_FAULT_UNEXPLAINED  /**< something that the stems at no gain give */
} stem_fault;

typedef struct stem_run {
    stem_fault fault;
    uint8_t element;        /**< UINT8_MAX for UNEXPLAINED */
    uint32_t outputs;       /**< bit per channel of the programme */
    uint64_t start_frame, end_frame;
    double gain_db;         /**< of the stem against nominal; MISSING: its upper bound, unless it is */
    bool heard;             /**< MISSING: it is there all the same, at that gain */
    double residual_dbfs;   /**< RMS of programme minus nominal there, of the loudest of the channels */
} stem_run;

typedef enum stem_presence { STEM_UNKNOWN, STEM_PRESENT, STEM_ABSENT } stem_presence;

typedef struct stem_truth {
    stem_presence presence[STEM_ELEMENTS_MAX]; /**< UNKNOWN: it never plays where it could be told apart */
    double programme_gain;                     /**< that all stems have in common, linear; 1 where there is none */
    double null_dbfs;                          /**< RMS of programme minus nominal over everything, -HUGE_VAL = exact */
    double worst_dbfs;                         /**< of the worst block and channel */
    uint64_t worst_frame;                      /**< where that block begins */
    double hidden[STEM_ELEMENTS_MAX];          /**< FOREIGN: RMS of what no gain explains over the stem's, the most of 8 blocks */
    uint64_t hidden_frame[STEM_ELEMENTS_MAX];  /**< where these begin */
    bool nulls;                                /**< every block cancels down to the rounding of its samples */
    bool matrix_wrong;                         /**< the matrix below explains the programme and is not the nominal one */
    double matrix[LAYOUT_CHANNELS_MAX][STEM_BED_MAX];  /**< solved over the whole programme, beside the gain of all */
    double matrix_nominal[LAYOUT_CHANNELS_MAX][STEM_BED_MAX];
    bool matrix_known[LAYOUT_CHANNELS_MAX][STEM_BED_MAX]; /**< the channel plays, and not as a copy of others */
    uint32_t run_count;                        /**< by time */
    uint32_t run_dropped;
    stem_run runs[STEM_RUNS_MAX];
} stem_truth;

/** Solves. STATUS_NODE_MEMORY only. out_truth is large; take it from an arena. */
MUST_USE status stem_truth_find(stem_truth *out_truth, const stem_model *model, const stem_programme *programme);

#endif
