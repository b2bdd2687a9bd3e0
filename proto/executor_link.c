#include "proto/executor_link.h"

#include "common/base/engine_version.h"
#include "common/measure/cell_measure.h"
#include "common/measure/stem_features.h"
#include "common/measure/sync_measure.h"
#include "common/media/media_facts.h"
#include "common/media/render_program.h"
#include "proto/message_types.h"
#include "proto/task_body.h"

#include <stdio.h>

const char *executor_link_version(char out[EXECUTOR_VERSION_MAX])
{
    snprintf(out, EXECUTOR_VERSION_MAX, ENGINE_VERSION ", protocol %d, tasks %d, render %d, facts %d, cells %d, stems %d, sync %d",
             PROTOCOL_VERSION, TASK_BODY_VERSION, RENDER_VERSION, MEDIA_FACTS_VERSION, CELL_MEASURE_VERSION, STEM_FEATURES_VERSION,
             SYNC_MEASURE_VERSION);
    return out;
}
