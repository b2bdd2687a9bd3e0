/* The plan for people. */
#include "coordinator/plan/plan_parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void text_add(byte_writer *writer, const char *text)
{
    byte_writer_bytes(writer, text, strlen(text));
}

/* "12.3 MB" and the like, decimal as disks are sold. */
static void text_size(uint64_t byte_count, char out[32])
{
    static const char *const units[] = {"bytes", "kB", "MB", "GB", "TB", "PB"};
    double value = (double)byte_count;
    size_t unit = 0;
    while (value >= 1000.0 && unit + 1 < sizeof units / sizeof units[0]) {
        value /= 1000.0;
        unit++;
    }
    snprintf(out, 32, unit == 0 ? "%.0f %s" : "%.1f %s", value, units[unit]);
}

/* Numbers waited for as runs: "3-18, 20". */
static void text_waits(const plan *self, const plan_task *task, byte_writer *writer)
{
    for (uint32_t i = 0; i < task->wait_count;) {
        uint32_t first = self->waits[task->first_wait + i];
        uint32_t end = i + 1;
        while (end < task->wait_count && self->waits[task->first_wait + end] == first + (end - i))
            end++;
        char text[64];
        if (end - i == 1)
            snprintf(text, sizeof text, "%s%" PRIu32, i == 0 ? "  after " : ", ", first);
        else
            snprintf(text, sizeof text, "%s%" PRIu32 "-%" PRIu32, i == 0 ? "  after " : ", ", first,
                     first + (end - i) - 1);
        text_add(writer, text);
        i = end;
    }
}

/* Names of the deliverables that a program makes, as "PM_51+PM_20". */
static void text_program(const plan *self, const render_program *program, byte_writer *writer)
{
    for (uint32_t i = 0; i < program->output_count; i++) {
        if (program->outputs[i].deliverable == PLAN_DELIVERABLE_NONE)
            continue;
        if (i > 0)
            text_add(writer, "+");
        text_add(writer, self->show->deliverables[program->outputs[i].deliverable].name);
    }
}

static void text_what(const plan *self, const plan_task *task, byte_writer *writer)
{
    char text[128];
    char size[32];
    switch (task->kind) {
    case TASK_ALLOCATE:
    case TASK_SEAL:
        text_add(writer, self->files[task->file].display);
        if (task->kind == TASK_ALLOCATE) {
            text_size(self->files[task->file].file_size, size);
            snprintf(text, sizeof text, " (%s)", size);
            text_add(writer, text);
        }
        break;
    case TASK_VERIFY:
        text_add(writer, task->of_input ? self->inputs.items[task->file].display : self->files[task->file].display);
        text_size(task->of_input ? self->facts[task->file].identity.size : self->files[task->file].file_size, size);
        snprintf(text, sizeof text, " (%s%s)", size, task->of_input ? ", received" : "");
        text_add(writer, text);
        break;
    case TASK_RENDER:
    case TASK_INSPECT: {
        const plan_piece *piece = &self->timelines[task->timeline].pieces[task->piece];
        const char *reel = piece->spans_reels ? "" : self->show->reels[piece->reel].name;
        text_program(self, &self->programs[task->program], writer);
        snprintf(text, sizeof text, "%s%.*s cells %" PRIu32 "-%" PRIu32 " of %" PRIu32, reel[0] == '\0' ? "" : " ",
                 NAME_MAX_BYTES, reel, task->first_cell, task->first_cell + task->cell_count - 1, piece->cell_count);
        text_add(writer, text);
        break;
    }
    case TASK_GAIN:
    case TASK_MERGE:
    case TASK_PUBLISH:
    case TASK_DISCARD:
    case TASK_METER:
    case TASK_EXCERPT:
        text_add(writer, self->show->deliverables[task->deliverable].name);
        break;
    case TASK_LISTEN:
        text_add(writer, self->inputs.items[self->listens[task->file].first_input].display);
        break;
    case TASK_COMPOSE:
    case TASK_DEPOSIT:
        text_add(writer, "report");
        break;
    case TASK_PROBE:
    case TASK_PLAN:
    case TASK_KIND_REMOTE_END:
        break;
    }
}

static void text_deliverable(const plan *self, uint32_t index, byte_writer *writer)
{
    const plan_deliverable *deliverable = &self->deliverables[index];
    char line[512];
    if (deliverable->timeline == PLAN_TIMELINE_NONE)
        return;
    const plan_timeline *timeline = &self->timelines[deliverable->timeline];
    char gain[32] = "";
    if (deliverable->gain_scanned)
        snprintf(gain, sizeof gain, ", to the spec");
    else if (deliverable->gain_db != 0.0)
        snprintf(gain, sizeof gain, ", %+.2f dB", deliverable->gain_db);
    snprintf(line, sizeof line, "%s: %s, %s %u Hz, %.3f s, %" PRIu32 " piece%s, %" PRIu32 " file%s%s\n",
             self->show->deliverables[index].name, channel_layout_get(deliverable->layout)->name,
             sample_encoding_name(deliverable->encoding), deliverable->sample_rate,
             (double)timeline->frame_count / deliverable->sample_rate, timeline->piece_count,
             timeline->piece_count == 1 ? "" : "s",
             deliverable->rendered ? deliverable->file_count : deliverable->input_count,
             (deliverable->rendered ? deliverable->file_count : deliverable->input_count) == 1
                 ? (deliverable->rendered ? "" : " received")
                 : (deliverable->rendered ? "s" : "s received"),
             gain);
    text_add(writer, line);
}

const char *plan_text(const plan *self, arena *memory)
{
    enum { PLAN_TEXT_MAX = 1 << 28 };
    byte_writer writer;
    byte_writer_init(&writer, PLAN_TEXT_MAX);
    for (uint32_t i = 0; i < self->deliverable_count; i++)
        text_deliverable(self, i, &writer);
    char reads[32];
    char writes[32];
    char line[256];
    text_size(self->read_bytes, reads);
    text_size(self->write_bytes, writes);
    snprintf(line, sizeof line, "%" PRIu32 " tasks, reads %s, writes %s\n", self->task_count, reads, writes);
    text_add(&writer, line);
    for (uint32_t i = 0; i < self->task_count; i++) {
        const plan_task *task = &self->tasks[i];
        snprintf(line, sizeof line, "%6" PRIu32 "  %-8s  ", self->first_task + i, task_kind_name(task->kind));
        text_add(&writer, line);
        text_what(self, task, &writer);
        text_waits(self, task, &writer);
        text_add(&writer, "\n");
    }
    const char *text = arena_copy_bytes(memory, writer.bytes, writer.size);
    byte_writer_deinit(&writer);
    return text;
}
