#include "common/base/ensure.h"
#include "proto/task_body.h"

static void encode_path(byte_writer *writer, const task_path *path)
{
    byte_writer_text(writer, path->root);
    byte_writer_text(writer, path->path);
}

static void encode_digest(byte_writer *writer, const content_hash *digest)
{
    byte_writer_bytes(writer, digest->bytes, sizeof digest->bytes);
}

static void encode_bext(byte_writer *writer, const media_bext *bext)
{
    byte_writer_u8(writer, bext->present);
    byte_writer_u16(writer, bext->version);
    byte_writer_u64(writer, bext->time_reference);
    byte_writer_text(writer, bext->description);
    byte_writer_text(writer, bext->originator);
    byte_writer_text(writer, bext->originator_reference);
    byte_writer_text(writer, bext->origination_date);
    byte_writer_text(writer, bext->origination_time);
    byte_writer_u16(writer, (uint16_t)bext->loudness_value);
    byte_writer_u16(writer, (uint16_t)bext->loudness_range);
    byte_writer_u16(writer, (uint16_t)bext->max_true_peak_level);
    byte_writer_u16(writer, (uint16_t)bext->max_momentary_loudness);
    byte_writer_u16(writer, (uint16_t)bext->max_short_term_loudness);
}

static void encode_leader(byte_writer *writer, const output_leader *leader)
{
    byte_writer_u32(writer, leader->head_frames);
    byte_writer_u32(writer, leader->tail_frames);
    byte_writer_u32(writer, leader->head_pop);
    byte_writer_u32(writer, leader->tail_pop);
    byte_writer_u32(writer, leader->pop_frames);
    byte_writer_u32(writer, leader->silent_channel);
}

static void encode_input(byte_writer *writer, const task_input *input)
{
    encode_path(writer, &input->file);
    media_identity_encode(&input->identity, writer);
    byte_writer_u8(writer, (uint8_t)input->container);
    byte_writer_u8(writer, (uint8_t)input->encoding);
    byte_writer_u32(writer, input->sample_rate);
    byte_writer_u32(writer, input->channel_count);
    byte_writer_u64(writer, input->frame_count);
    byte_writer_u64(writer, input->data_offset);
    byte_writer_u8(writer, input->direct);
}

static void encode_header(byte_writer *writer, const output_header *header)
{
    byte_writer_u8(writer, (uint8_t)header->container);
    byte_writer_u8(writer, (uint8_t)header->encoding);
    byte_writer_u32(writer, header->sample_rate);
    byte_writer_u32(writer, header->channel_count);
    byte_writer_u32(writer, header->channel_mask);
    byte_writer_u64(writer, header->frame_count);
    encode_leader(writer, &header->leader);
    byte_writer_u32(writer, header->data_offset);
    encode_bext(writer, &header->bext);
    byte_writer_text(writer, header->coding_history);
    byte_writer_u8(writer, header->plain_format);
    byte_writer_blob(writer, header->chunks, header->chunks_size);
    byte_writer_u32(writer, header->object_count);
    byte_writer_u32(writer, header->object_source_count);
    for (uint32_t i = 0; i < header->object_source_count; i++) {
        const output_object_source *source = &header->object_sources[i];
        encode_input(writer, &source->input);
        byte_writer_u64(writer, (uint64_t)source->file_frame);
        byte_writer_u64(writer, source->programme_frame);
        byte_writer_u64(writer, source->frame_count);
        byte_writer_u16(writer, source->first_object);
        byte_writer_u16(writer, source->object_count);
    }
}

static void encode_bindings(byte_writer *writer, const task_binding *bindings, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        byte_writer_u16(writer, bindings[i].file);
        byte_writer_u16(writer, bindings[i].channel);
        byte_writer_u64(writer, (uint64_t)bindings[i].file_frame);
    }
}

static void encode_piece(byte_writer *writer, const task_piece *piece, const task_render *render)
{
    byte_writer_u16(writer, piece->reel);
    byte_writer_u64(writer, piece->programme_frame);
    byte_writer_u64(writer, piece->frame_count);
    byte_writer_u32(writer, piece->join_before);
    byte_writer_u32(writer, piece->join_after);
    encode_bindings(writer, piece->bindings, render->program.input_count);
    encode_bindings(writer, piece->objects, render->object_count);
}

static void encode_output_file(byte_writer *writer, const task_output_file *file)
{
    encode_path(writer, &file->part);
    byte_writer_u16(writer, file->output);
    byte_writer_u32(writer, file->data_offset);
    byte_writer_u64(writer, file->file_frame);
    byte_writer_u64(writer, file->file_frame_count);
    byte_writer_u32(writer, file->leader_frames);
    byte_writer_u8(writer, file->exact);
    byte_writer_u8(writer, file->channel_count);
    byte_writer_u8(writer, file->object_count);
    byte_writer_bytes(writer, file->channels, sizeof file->channels);
}

static void encode_render(byte_writer *writer, const task_render *render)
{
    ENSURE(render->input_count <= TASK_FILES_MAX && render->piece_count >= 1 &&
           render->piece_count <= TASK_PIECES_MAX && render->file_count <= CELL_OUTPUTS_MAX);
    render_program_encode(&render->program, writer);
    byte_writer_u32(writer, render->input_count);
    for (uint32_t i = 0; i < render->input_count; i++)
        encode_input(writer, &render->inputs[i]);
    byte_writer_u32(writer, render->object_count);
    byte_writer_u32(writer, render->piece_count);
    for (uint32_t i = 0; i < render->piece_count; i++)
        encode_piece(writer, &render->pieces[i], render);
    byte_writer_u32(writer, render->following_count);
    byte_writer_u32(writer, render->file_count);
    for (uint32_t i = 0; i < render->file_count; i++)
        encode_output_file(writer, &render->files[i]);
    byte_writer_u32(writer, render->first_cell);
    byte_writer_u32(writer, render->cell_count);
    byte_writer_u8(writer, render->programme_end);
    byte_writer_u8(writer, render->stems);
    byte_writer_u8(writer, render->signal_groups);
    byte_writer_u8(writer, render->digests_file);
    byte_writer_u64(writer, render->programme_frame_count);
}

static void encode_verify(byte_writer *writer, const task_verify *verify)
{
    encode_path(writer, &verify->file);
    byte_writer_u64(writer, verify->file_size);
    byte_writer_u32(writer, verify->data_offset);
    byte_writer_u64(writer, verify->data_size);
    byte_writer_u32(writer, verify->bytes_per_frame);
    encode_digest(writer, &verify->header_digest);
    encode_digest(writer, &verify->trailer_digest);
    byte_writer_u8(writer, verify->read_back);
    byte_writer_u32(writer, verify->range_count);
    for (uint32_t i = 0; i < verify->range_count; i++) {
        byte_writer_u64(writer, verify->ranges[i].frame_count);
        encode_digest(writer, &verify->ranges[i].digest);
    }
}

static void encode_publish(byte_writer *writer, const task_publish *publish)
{
    ENSURE(publish->file_count <= TASK_PUBLISH_FILES_MAX && publish->input_count <= TASK_PUBLISH_INPUTS_MAX);
    byte_writer_u8(writer, publish->replace);
    byte_writer_u8(writer, publish->checksums);
    byte_writer_u8(writer, publish->has_control);
    if (publish->has_control) {
        const task_control *control = &publish->control;
        byte_writer_f64(writer, control->shape.threshold);
        byte_writer_f64(writer, control->shape.floor);
        byte_writer_u16(writer, control->shape.look_ahead);
        byte_writer_u16(writer, control->shape.attack);
        byte_writer_u16(writer, control->shape.hold);
        byte_writer_u16(writer, control->shape.release);
        byte_writer_u8(writer, (uint8_t)control->encoding);
        byte_writer_u32(writer, control->sample_rate);
        byte_writer_u32(writer, control->data_offset);
        byte_writer_u64(writer, control->frame_count);
    }
    byte_writer_u32(writer, publish->file_count);
    for (uint32_t i = 0; i < publish->file_count; i++) {
        encode_path(writer, &publish->files[i].part);
        encode_path(writer, &publish->files[i].final);
        encode_digest(writer, &publish->files[i].digest);
        media_identity_encode(&publish->files[i].identity, writer);
    }
    byte_writer_u32(writer, publish->input_count);
    for (uint32_t i = 0; i < publish->input_count; i++) {
        encode_path(writer, &publish->inputs[i].file);
        media_identity_encode(&publish->inputs[i].identity, writer);
    }
}

static void encode_discard(byte_writer *writer, const task_discard *discard)
{
    ENSURE(discard->file_count <= TASK_PUBLISH_FILES_MAX);
    byte_writer_u32(writer, discard->file_count);
    for (uint32_t i = 0; i < discard->file_count; i++)
        encode_path(writer, &discard->files[i]);
}

static void encode_deposit(byte_writer *writer, const task_deposit *deposit)
{
    ENSURE(deposit->document_count <= TASK_DOCUMENTS_MAX && deposit->standing_count <= SHOW_DELIVERABLES_MAX);
    byte_writer_u32(writer, deposit->document_count);
    for (uint32_t i = 0; i < deposit->document_count; i++) {
        encode_path(writer, &deposit->documents[i].final);
        byte_writer_u32(writer, deposit->documents[i].document);
        byte_writer_u64(writer, deposit->documents[i].size);
        encode_digest(writer, &deposit->documents[i].digest);
    }
    byte_writer_u32(writer, deposit->standing_count);
    for (uint32_t i = 0; i < deposit->standing_count; i++)
        encode_path(writer, &deposit->standing[i]);
}

static void encode_meter(byte_writer *writer, const task_meter *meter)
{
    ENSURE(meter->part_count >= 1 && meter->part_count <= SHOW_REELS_MAX);
    byte_writer_u32(writer, meter->part_count);
    for (uint32_t i = 0; i < meter->part_count; i++)
        encode_render(writer, &meter->parts[i]);
}

static void encode_listen(byte_writer *writer, const task_listen *listen)
{
    ENSURE(listen->input_count >= 1 && listen->input_count <= TASK_FILES_MAX &&
           listen->range_count <= TASK_LISTEN_RANGES_MAX);
    byte_writer_u32(writer, listen->input_count);
    for (uint32_t i = 0; i < listen->input_count; i++)
        encode_input(writer, &listen->inputs[i]);
    byte_writer_u32(writer, listen->range_count);
    for (uint32_t i = 0; i < listen->range_count; i++) {
        byte_writer_u64(writer, listen->ranges[i].first_frame);
        byte_writer_u64(writer, listen->ranges[i].frame_count);
    }
    ENSURE(listen->reference_count <= TASK_FILES_MAX);
    byte_writer_u32(writer, listen->reference_count);
    for (uint32_t i = 0; i < listen->reference_count; i++)
        encode_input(writer, &listen->references[i]);
    byte_writer_u64(writer, listen->frame);
    byte_writer_u64(writer, listen->reference_frame);
    byte_writer_u64(writer, listen->frame_count);
    byte_writer_u8(writer, listen->join);
}

static void encode_excerpt(byte_writer *writer, const task_excerpt *excerpt)
{
    ENSURE(excerpt->part_count <= 2 * TASK_PLACES_MAX && excerpt->place_count <= TASK_PLACES_MAX);
    byte_writer_u32(writer, excerpt->part_count);
    for (uint32_t i = 0; i < excerpt->part_count; i++)
        encode_render(writer, &excerpt->parts[i]);
    byte_writer_u32(writer, excerpt->place_count);
    for (uint32_t i = 0; i < excerpt->place_count; i++)
        task_place_encode(&excerpt->places[i], writer);
    byte_writer_u8(writer, excerpt->audition ? 1 : 0);
    if (excerpt->audition)
        encode_path(writer, &excerpt->folder);
}

void task_body_encode(const task_body *self, byte_writer *writer)
{
    byte_writer_u16(writer, TASK_BODY_VERSION);
    byte_writer_u8(writer, (uint8_t)self->kind);
    switch (self->kind) {
    case TASK_PROBE:
        encode_path(writer, &self->probe.file);
        return;
    case TASK_ALLOCATE:
        encode_path(writer, &self->allocate.part);
        encode_path(writer, &self->allocate.final);
        encode_header(writer, &self->allocate.header);
        return;
    case TASK_RENDER:
    case TASK_INSPECT:
        encode_render(writer, &self->render);
        return;
    case TASK_SEAL:
        encode_path(writer, &self->seal.part);
        encode_header(writer, &self->seal.header);
        byte_writer_u32(writer, self->seal.side_count);
        for (uint32_t i = 0; i < self->seal.side_count; i++)
            encode_render(writer, &self->seal.sides[i]);
        return;
    case TASK_VERIFY:
        encode_verify(writer, &self->verify);
        return;
    case TASK_PUBLISH:
        encode_publish(writer, &self->publish);
        return;
    case TASK_DISCARD:
        encode_discard(writer, &self->discard);
        return;
    case TASK_DEPOSIT:
        encode_deposit(writer, &self->deposit);
        return;
    case TASK_METER:
        encode_meter(writer, &self->meter);
        return;
    case TASK_LISTEN:
        encode_listen(writer, &self->listen);
        return;
    case TASK_EXCERPT:
        encode_excerpt(writer, &self->excerpt);
        return;
    case TASK_KIND_REMOTE_END:
    case TASK_PLAN:
    case TASK_MERGE:
    case TASK_GAIN:
    case TASK_COMPOSE:
        break;
    }
    ENSURE(false && "this kind of task is never sent");
}

void task_verify_result_encode(const task_verify_result *self, byte_writer *writer)
{
    byte_writer_u16(writer, TASK_BODY_VERSION);
    encode_digest(writer, &self->file_digest);
    encode_digest(writer, &self->audio_digest);
    media_identity_encode(&self->identity, writer);
}

void task_meter_result_encode(const task_meter_result *self, byte_writer *writer)
{
    byte_writer_u16(writer, TASK_BODY_VERSION);
    byte_writer_f64(writer, self->integrated_lufs);
    byte_writer_f64(writer, self->range_lu);
    byte_writer_f64(writer, self->max_momentary_lufs);
    byte_writer_f64(writer, self->max_short_term_lufs);
    byte_writer_f64(writer, self->true_peak);
    byte_writer_f64(writer, self->sample_peak);
}

void task_place_encode(const task_place *self, byte_writer *writer)
{
    byte_writer_text(writer, self->name);
    byte_writer_u64(writer, self->first_frame);
    byte_writer_u32(writer, self->frame_count);
    byte_writer_u32(writer, self->channels);
}

void task_excerpt_result_encode(const task_excerpt_result *self, byte_writer *writer)
{
    byte_writer_u16(writer, TASK_BODY_VERSION);
    byte_writer_u32(writer, self->count);
    for (uint32_t i = 0; i < self->count; i++) {
        const task_excerpt_item *item = &self->items[i];
        task_place_encode(&item->place, writer);
        byte_writer_u32(writer, item->row_count);
        for (uint32_t k = 0; k < item->row_count * EXCERPT_COLUMNS; k += 2)
            byte_writer_u8(writer, (uint8_t)(item->levels[k] | item->levels[k + 1] << 4));
        byte_writer_u64(writer, item->audition_size);
        encode_digest(writer, &item->audition_digest);
        byte_writer_f64(writer, item->audition_gain);
    }
    byte_writer_text(writer, self->failure);
}
