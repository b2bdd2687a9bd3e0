/**
 * A programme of three reels of odd length, made from three stems on disk, with the exact value of every input sample kept
 * in memory: a 5.1 stem in 24 bit with a leader, a stereo stem as two mono files in 16 bit, and a mono stem in float
 * that the second reel lacks and that holds NaN, infinity and 1e30 in the third. The second reel is shorter than the
 * meters' pre-roll, so the third reaches back over two.
 */
#ifndef TESTS_UNIT_RENDER_RENDER_SCENE_H
#define TESTS_UNIT_RENDER_RENDER_SCENE_H

#include "tests/unit/worker_media/temp_folder.h"
#include "worker/render/render_engine.h"

enum { SCENE_REELS = 3, SCENE_LANES = 9, SCENE_OUTPUTS = 4, SCENE_CELLS = 8, SCENE_FILES = 7, SCENE_OUTPUT_LANES = 11 };
/** Outputs: 5.1 in 24 bit, stereo in 16 bit, stereo in float, mono measured only. */
enum { OUTPUT_51, OUTPUT_STEREO_16, OUTPUT_STEREO_FLOAT, OUTPUT_MEASURED };
/** Files: the first four are the joined programme, one file per channel for the 16-bit stereo. */
enum { FILE_51, FILE_16_L, FILE_16_R, FILE_FLOAT, FILE_REEL_51 };

typedef struct scene_bytes {
    uint8_t *bytes;
    size_t size;
} scene_bytes;

/** What one run over the whole programme gave. */
typedef struct scene_result {
    scene_bytes files[SCENE_FILES]; /**< audio only */
    scene_bytes measures[SCENE_REELS][SCENE_CELLS][SCENE_OUTPUTS];
    content_hash outputs[SCENE_REELS][SCENE_CELLS][SCENE_FILES];
} scene_result;

typedef struct scene {
    temp_folder folder;
    storage_roots roots;
    uint64_t reel_frames[SCENE_REELS], programme_frame[SCENE_REELS], frame_count;
    double *lanes[SCENE_LANES]; /**< [frame_count]; what the files hold, silence where they hold nothing */
    render_program program;
    render_term terms[64];
    task_input inputs[SCENE_REELS][4];
    task_binding bindings[SCENE_REELS][SCENE_LANES];
    scene_result *result; /* of the run in progress */
    uint32_t reel;
} scene;

int scene_create(void **state);
int scene_destroy(void **state);
/** Renders everything in tasks of at most cells_per_task cells. */
scene_result scene_run(scene *self, uint32_t cells_per_task, cpu_features features);
void scene_result_free(scene_result *self);
/** Fails the test unless both are the same bytes, digests and measures. */
void scene_results_equal(const scene_result *a, const scene_result *b);
/** The mix of an output lane before quantising, in long double. Non-finite inputs make the sample 0 (returns false). */
bool scene_mix(const scene *self, uint32_t output_lane, uint64_t frame, long double *out_value);
/** The samples of one channel as the joined file holds them, [frame_count]; to be freed. */
double *scene_channel(const scene *self, const scene_result *result, uint32_t output, uint32_t channel);

#endif
