/* One digest over everything that tasks depend on, in a fixed order: two plans with the same digest have the same
 * tasks. */
#include "coordinator/plan/plan_parts.h"

#include "common/base/ensure.h"
#include "common/measure/cell_measure.h"
#include "common/measure/speech_detector.h"
#include "common/measure/stem_features.h"
#include "common/measure/sync_measure.h"

/* Sections are hashed one after the other, so that memory stays small for a catalogue of files. */
enum { DIGEST_SECTION_MAX = 1 << 20 };

typedef struct digest_run {
    content_hash_stream stream;
    byte_writer writer;
} digest_run;

static void digest_flush(digest_run *self)
{
    ENSURE(!self->writer.failed);
    content_hash_stream_add(&self->stream, self->writer.bytes, self->writer.size);
    byte_writer_reset(&self->writer);
}

static void digest_timeline(digest_run *self, const plan_timeline *timeline)
{
    byte_writer *writer = &self->writer;
    byte_writer_u32(writer, timeline->piece_count);
    byte_writer_u32(writer, timeline->sample_rate);
    byte_writer_u64(writer, timeline->frame_count);
    byte_writer_u64(writer, timeline->start_frame);
    byte_writer_u8(writer, timeline->has_start);
    byte_writer_u32(writer, timeline->speed_num);
    byte_writer_u32(writer, timeline->speed_den);
    for (uint32_t i = 0; i < timeline->piece_count; i++) {
        const plan_piece *piece = &timeline->pieces[i];
        byte_writer_u16(writer, piece->reel);
        byte_writer_u64(writer, piece->programme_frame);
        byte_writer_u64(writer, piece->frame_count);
        byte_writer_u32(writer, piece->join_before);
        byte_writer_u32(writer, piece->join_after);
        byte_writer_u64(writer, piece->file_frame);
        byte_writer_u8(writer, piece->spans_reels);
    }
    digest_flush(self);
}

static void digest_header(byte_writer *writer, const output_header *header)
{
    byte_writer_u8(writer, (uint8_t)header->container);
    byte_writer_u8(writer, (uint8_t)header->encoding);
    byte_writer_u32(writer, header->sample_rate);
    byte_writer_u32(writer, header->channel_count);
    byte_writer_u32(writer, header->channel_mask);
    byte_writer_u64(writer, header->frame_count);
    byte_writer_u32(writer, header->leader.head_frames);
    byte_writer_u32(writer, header->leader.tail_frames);
    byte_writer_u32(writer, header->leader.head_pop);
    byte_writer_u32(writer, header->leader.tail_pop);
    byte_writer_u32(writer, header->leader.pop_frames);
    byte_writer_u32(writer, header->leader.silent_channel);
    byte_writer_u32(writer, header->data_offset);
    byte_writer_u64(writer, header->bext.time_reference);
    byte_writer_text(writer, header->bext.description);
    byte_writer_text(writer, header->bext.originator);
    byte_writer_text(writer, header->bext.origination_date);
    byte_writer_text(writer, header->bext.origination_time);
    byte_writer_text(writer, header->coding_history);
    byte_writer_u8(writer, header->plain_format);
    byte_writer_blob(writer, header->chunks, header->chunks_size);
    byte_writer_u32(writer, header->object_count);
    for (uint32_t i = 0; i < header->object_source_count; i++) {
        byte_writer_text(writer, header->object_sources[i].input.file.path);
        byte_writer_u64(writer, (uint64_t)header->object_sources[i].file_frame);
    }
}

static void digest_file(digest_run *self, const plan_file *file)
{
    byte_writer_u16(&self->writer, file->deliverable);
    byte_writer_u32(&self->writer, (uint32_t)file->reel);
    byte_writer_u8(&self->writer, (uint8_t)file->channel);
    byte_writer_text(&self->writer, file->final.root);
    byte_writer_text(&self->writer, file->final.path);
    byte_writer_u64(&self->writer, file->file_size);
    digest_header(&self->writer, &file->header);
    digest_flush(self);
}

static void digest_input(digest_run *self, const plan_input *input, const media_facts *facts)
{
    byte_writer_text(&self->writer, input->path.root);
    byte_writer_text(&self->writer, input->path.path);
    byte_writer_u32(&self->writer, (uint32_t)input->stem);
    byte_writer_u32(&self->writer, (uint32_t)input->deliverable);
    byte_writer_u32(&self->writer, (uint32_t)input->reel);
    byte_writer_u8(&self->writer, (uint8_t)input->channel);
    media_facts_encode(facts, &self->writer);
    digest_flush(self);
}

static void digest_deliverable(digest_run *self, const plan_deliverable *deliverable)
{
    byte_writer *writer = &self->writer;
    byte_writer_u16(writer, deliverable->timeline);
    byte_writer_u8(writer, deliverable->rendered);
    byte_writer_u8(writer, (uint8_t)deliverable->layout);
    byte_writer_u8(writer, deliverable->order.channel_count);
    for (uint32_t i = 0; i < deliverable->order.channel_count; i++)
        byte_writer_u8(writer, (uint8_t)deliverable->order.labels[i]);
    byte_writer_u8(writer, (uint8_t)deliverable->encoding);
    byte_writer_u32(writer, deliverable->sample_rate);
    byte_writer_f64(writer, deliverable->gain_db);
    byte_writer_u8(writer, deliverable->gain_scanned);
    byte_writer_u16(writer, deliverable->gain_source);
    byte_writer_u16(writer, deliverable->scan_program);
    byte_writer_u16(writer, deliverable->scan_output);
    byte_writer_u16(writer, deliverable->scan_speech);
    byte_writer_u32(writer, deliverable->first_file);
    byte_writer_u32(writer, deliverable->file_count);
    byte_writer_u32(writer, deliverable->first_input);
    byte_writer_u32(writer, deliverable->input_count);
    byte_writer_u16(writer, deliverable->program);
    byte_writer_u16(writer, deliverable->program_output);
    byte_writer_u16(writer, deliverable->speech_output);
    digest_flush(self);
}

static void digest_task(digest_run *self, const plan *target, const plan_task *task)
{
    byte_writer *writer = &self->writer;
    byte_writer_u8(writer, (uint8_t)task->kind);
    byte_writer_u8(writer, task->local);
    byte_writer_u8(writer, task->even_if_failed);
    byte_writer_u8(writer, task->of_input);
    byte_writer_u16(writer, task->affinity);
    byte_writer_u32(writer, task->cost);
    byte_writer_u32(writer, task->file);
    byte_writer_u16(writer, task->deliverable);
    byte_writer_u16(writer, task->program);
    byte_writer_u16(writer, task->timeline);
    byte_writer_u16(writer, task->piece);
    byte_writer_u32(writer, task->first_cell);
    byte_writer_u32(writer, task->cell_count);
    byte_writer_u32(writer, task->wait_count);
    for (uint32_t i = 0; i < task->wait_count; i++) {
        byte_writer_u32(writer, target->waits[task->first_wait + i]);
        if (writer->size > DIGEST_SECTION_MAX / 2)
            digest_flush(self);
    }
    digest_flush(self);
}

/* What another version left cannot be read, or is not what this one would measure: nothing of it is kept. */
static void digest_versions(digest_run *self)
{
    byte_writer_u32(&self->writer, RENDER_VERSION);
    byte_writer_u32(&self->writer, TASK_BODY_VERSION);
    byte_writer_u32(&self->writer, MEDIA_FACTS_VERSION);
    byte_writer_u32(&self->writer, CELL_MEASURE_VERSION);
    byte_writer_u32(&self->writer, SPEECH_DETECTOR_VERSION);
    byte_writer_u32(&self->writer, STEM_FEATURES_VERSION);
    byte_writer_u32(&self->writer, SYNC_MEASURE_VERSION);
}

content_hash plan_digest(const plan *self)
{
    digest_run run;
    content_hash_stream_init(&run.stream);
    byte_writer_init(&run.writer, DIGEST_SECTION_MAX);
    digest_versions(&run);
    byte_writer_u8(&run.writer, self->signal_groups);
    byte_writer_u32(&run.writer, self->inputs.count);
    byte_writer_u32(&run.writer, self->timeline_count);
    byte_writer_u32(&run.writer, self->program_count);
    byte_writer_u32(&run.writer, self->deliverable_count);
    byte_writer_u32(&run.writer, self->file_count);
    byte_writer_u32(&run.writer, self->first_task);
    byte_writer_u32(&run.writer, self->task_count);
    digest_flush(&run);
    for (uint32_t i = 0; i < self->inputs.count; i++)
        digest_input(&run, &self->inputs.items[i], &self->facts[i]);
    for (uint32_t i = 0; i < self->timeline_count; i++)
        digest_timeline(&run, &self->timelines[i]);
    for (uint32_t i = 0; i < self->program_count; i++) {
        render_program_encode(&self->programs[i], &run.writer);
        byte_writer_u8(&run.writer, self->program_stems[i]);
        byte_writer_u16(&run.writer, self->program_timelines[i]);
        byte_writer_u8(&run.writer, self->program_scans[i]);
        digest_flush(&run);
    }
    for (uint32_t i = 0; i < self->deliverable_count; i++)
        digest_deliverable(&run, &self->deliverables[i]);
    for (uint32_t i = 0; i < self->file_count; i++)
        digest_file(&run, &self->files[i]);
    for (uint32_t i = 0; i < self->task_count; i++)
        digest_task(&run, self, &self->tasks[i]);
    content_hash digest = content_hash_stream_digest(&run.stream);
    byte_writer_deinit(&run.writer);
    return digest;
}
