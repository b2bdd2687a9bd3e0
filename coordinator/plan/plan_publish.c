/* What PUBLISH looks at once more: every file that the deliverable was made and judged from. */
#include "coordinator/plan/plan_parts.h"

#include <string.h>

static void mark_program(const plan *self, uint32_t program, bool *stems)
{
    for (uint32_t i = 0; i < self->programs[program].input_count; i++)
        if (self->programs[program].inputs[i].stem != PLAN_STEM_RECEIVED)
            stems[self->programs[program].inputs[i].stem] = true;
}

/* Of its mix or what it is compared with, of the scan that found its gain, and its objects. */
static void mark_stems(const plan *self, uint32_t index, bool *stems)
{
    const plan_deliverable *deliverable = &self->deliverables[index];
    mark_program(self, deliverable->program, stems);
    if (deliverable->gain_scanned)
        mark_program(self, self->deliverables[deliverable->gain_source].scan_program, stems);
    for (uint32_t i = 0; i < deliverable->object_stem_count; i++)
        stems[deliverable->object_stems[i]] = true;
}

/* What was listened to for its verdict. */
static void mark_listens(const plan *self, uint32_t index, bool *inputs)
{
    for (uint32_t i = plan_listen_next(self, index, 0); i < self->listen_count; i = plan_listen_next(self, index, i + 1)) {
        const plan_listen *listen = &self->listens[i];
        memset(inputs + listen->first_input, true, listen->input_count);
        memset(inputs + listen->first_reference, true, listen->reference_count);
    }
}

/* The first input from `index` on that is none of another received programme. */
static uint32_t next_input(const plan *self, uint32_t deliverable, uint32_t index)
{
    const plan_deliverable *wanted = &self->deliverables[deliverable];
    const uint32_t end = self->first_received + self->received_count;
    if (index < self->first_received || index >= end)
        return index;
    uint32_t own = wanted->input_count == 0 ? end : wanted->first_input;
    return index < own ? own : index < own + wanted->input_count ? index : end;
}

status plan_publish_inputs(const plan *self, uint32_t deliverable, task_publish *out_publish, arena *memory)
{
    bool *stems = arena_take_array(memory, self->show->stem_count, sizeof *stems);
    bool *inputs = arena_take_array(memory, self->inputs.count, sizeof *inputs);
    mark_stems(self, deliverable, stems);
    mark_listens(self, deliverable, inputs);
    uint32_t count = 0;
    for (uint32_t i = next_input(self, deliverable, 0); i < self->inputs.count; i = next_input(self, deliverable, i + 1)) {
        const plan_input *input = &self->inputs.items[i];
        bool taken = inputs[i] || (input->stem >= 0 && stems[input->stem]) || input->deliverable == (int32_t)deliverable;
        inputs[i] = taken && self->facts[i].outcome == STATUS_OK;
        count += inputs[i];
    }
    if (count > TASK_PUBLISH_INPUTS_MAX)
        return STATUS_LIMIT;
    /* not room for all: of the 65,536 files of a catalogue a programme has few */
    out_publish->inputs = arena_take_array(memory, count, sizeof *out_publish->inputs);
    for (uint32_t i = next_input(self, deliverable, 0); i < self->inputs.count; i = next_input(self, deliverable, i + 1))
        if (inputs[i])
            out_publish->inputs[out_publish->input_count++] =
                (task_probed){.file = self->inputs.items[i].path, .identity = self->facts[i].identity};
    return STATUS_OK;
}
