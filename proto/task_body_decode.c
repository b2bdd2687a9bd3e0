#include "proto/task_body.h"

#include "common/measure/cell_signal.h"
#include <math.h>
#include <string.h>

/* Frame positions and sizes stay below this, so that sums and products with channel counts cannot overflow. */
static const uint64_t FRAMES_END = (uint64_t)1 << 40;

/* Every decode_* marks the reader failed for anything out of range; task_body_decode looks at it once. After a failure reads give
 * zeros, so loops are bounded by counts that were checked before. */
static void require(byte_reader *reader, bool fact)
{
    if (!fact)
        reader->failed = true;
}

static bool decode_flag(byte_reader *reader)
{
    uint8_t value = byte_reader_u8(reader);
    require(reader, value <= 1);
    return value == 1;
}

/* A count whose items take at least item_size bytes each: never larger than what is left can hold. */
static uint32_t decode_count(byte_reader *reader, uint32_t minimum, uint32_t maximum, size_t item_size)
{
    uint32_t count = byte_reader_u32(reader);
    require(reader, count >= minimum && count <= maximum && count <= byte_reader_left(reader) / item_size);
    return reader->failed ? 0 : count;
}

static void decode_path(byte_reader *reader, task_path *path)
{
    byte_reader_text(reader, path->root, sizeof path->root);
    byte_reader_text(reader, path->path, sizeof path->path);
    require(reader, task_path_valid(path->root) && strchr(path->root, '/') == NULL && task_path_valid(path->path));
}

static content_hash decode_digest(byte_reader *reader)
{
    content_hash digest = {{0}};
    const uint8_t *at = byte_reader_view(reader, sizeof digest.bytes);
    if (at != NULL)
        memcpy(digest.bytes, at, sizeof digest.bytes);
    return digest;
}

static void decode_bext(byte_reader *reader, media_bext *bext)
{
    bext->present = decode_flag(reader);
    bext->version = byte_reader_u16(reader);
    bext->time_reference = byte_reader_u64(reader);
    byte_reader_text(reader, bext->description, sizeof bext->description);
    byte_reader_text(reader, bext->originator, sizeof bext->originator);
    byte_reader_text(reader, bext->originator_reference, sizeof bext->originator_reference);
    byte_reader_text(reader, bext->origination_date, sizeof bext->origination_date);
    byte_reader_text(reader, bext->origination_time, sizeof bext->origination_time);
    bext->loudness_value = (int16_t)byte_reader_u16(reader);
    bext->loudness_range = (int16_t)byte_reader_u16(reader);
    bext->max_true_peak_level = (int16_t)byte_reader_u16(reader);
    bext->max_momentary_loudness = (int16_t)byte_reader_u16(reader);
    bext->max_short_term_loudness = (int16_t)byte_reader_u16(reader);
}

static bool data_offset_valid(uint32_t data_offset)
{
    return data_offset >= PAGE_BYTES && data_offset <= OUTPUT_OFFSET_MAX && data_offset % PAGE_BYTES == 0;
}

static void decode_leader(byte_reader *reader, output_leader *leader, uint64_t frame_count)
{
    leader->head_frames = byte_reader_u32(reader);
    leader->tail_frames = byte_reader_u32(reader);
    leader->head_pop = byte_reader_u32(reader);
    leader->tail_pop = byte_reader_u32(reader);
    leader->pop_frames = byte_reader_u32(reader);
    leader->silent_channel = byte_reader_u32(reader);
    require(reader, (uint64_t)leader->head_frames + leader->tail_frames <= frame_count &&
                        leader->pop_frames <= LEADER_POP_FRAMES_MAX &&
                        (uint64_t)leader->head_pop + leader->pop_frames <= leader->head_frames &&
                        (uint64_t)leader->tail_pop + leader->pop_frames <= leader->tail_frames);
}

static void decode_input(byte_reader *reader, task_input *input)
{
    decode_path(reader, &input->file);
    media_identity_decode(&input->identity, reader);
    input->container = (media_container)byte_reader_u8(reader);
    input->encoding = (sample_encoding)byte_reader_u8(reader);
    input->sample_rate = byte_reader_u32(reader);
    input->channel_count = byte_reader_u32(reader);
    input->frame_count = byte_reader_u64(reader);
    input->data_offset = byte_reader_u64(reader);
    input->direct = decode_flag(reader);
    require(reader, input->container >= CONTAINER_WAV && input->container <= CONTAINER_FLAC);
    require(reader, input->encoding >= ENCODING_PCM_16 && input->encoding <= ENCODING_FLOAT_64);
    require(reader, input->sample_rate >= SAMPLE_RATE_MIN && input->sample_rate <= SAMPLE_RATE_MAX);
    require(reader, input->channel_count >= 1 && input->channel_count <= FILE_CHANNELS_MAX);
    require(reader, input->frame_count < FRAMES_END);
    /* What is read directly lies within the file as it was probed. */
    if (input->direct && !reader->failed) {
        uint64_t audio = input->frame_count * input->channel_count * sample_encoding_bytes(input->encoding);
        require(reader, input->data_offset <= input->identity.size &&
                            audio <= input->identity.size - input->data_offset);
    }
}

/* Objects of files in pieces, whose numbers lie within object_count. */
static void decode_objects(byte_reader *reader, output_header *header, arena *memory)
{
    enum { SOURCE_BYTES_MIN = 105, SOURCES_MAX = SHOW_REELS_MAX * OBJECT_STEMS_MAX };
    header->object_count = byte_reader_u32(reader);
    header->object_source_count = decode_count(reader, 0, SOURCES_MAX, SOURCE_BYTES_MIN);
    require(reader, header->object_count < header->channel_count && (header->object_count > 0 || header->object_source_count == 0));
    header->object_sources = arena_take_array(memory, header->object_source_count, sizeof *header->object_sources);
    for (uint32_t i = 0; i < header->object_source_count && !reader->failed; i++) {
        output_object_source *source = &header->object_sources[i];
        decode_input(reader, &source->input);
        source->file_frame = (int64_t)byte_reader_u64(reader);
        source->programme_frame = byte_reader_u64(reader);
        source->frame_count = byte_reader_u64(reader);
        source->first_object = byte_reader_u16(reader);
        source->object_count = byte_reader_u16(reader);
        require(reader, source->file_frame > -(int64_t)FRAMES_END && source->file_frame < (int64_t)FRAMES_END);
        require(reader, source->programme_frame < FRAMES_END && source->frame_count < FRAMES_END &&
                            source->programme_frame + source->frame_count <= header->frame_count);
        require(reader, source->object_count >= 1 && (uint32_t)source->first_object + source->object_count <= header->object_count);
    }
}

static void decode_header(byte_reader *reader, output_header *header, arena *memory)
{
    size_t chunks_size = 0;
    header->container = (media_container)byte_reader_u8(reader);
    header->encoding = (sample_encoding)byte_reader_u8(reader);
    header->sample_rate = byte_reader_u32(reader);
    header->channel_count = byte_reader_u32(reader);
    header->channel_mask = byte_reader_u32(reader);
    header->frame_count = byte_reader_u64(reader);
    decode_leader(reader, &header->leader, header->frame_count);
    header->data_offset = byte_reader_u32(reader);
    decode_bext(reader, &header->bext);
    byte_reader_text(reader, header->coding_history, sizeof header->coding_history);
    header->plain_format = decode_flag(reader);
    const uint8_t *chunks = byte_reader_blob(reader, OUTPUT_HEADER_MAX, &chunks_size);
    if (chunks != NULL && chunks_size > 0)
        header->chunks = (const uint8_t *)arena_copy_bytes(memory, chunks, chunks_size);
    header->chunks_size = header->chunks == NULL ? 0 : (uint32_t)chunks_size;
    require(reader, header->container == CONTAINER_WAV || header->container == CONTAINER_RF64 ||
                        header->container == CONTAINER_BW64);
    require(reader, header->encoding >= ENCODING_PCM_16 && header->encoding <= ENCODING_FLOAT_64);
    require(reader, header->sample_rate >= SAMPLE_RATE_MIN && header->sample_rate <= SAMPLE_RATE_MAX);
    require(reader, header->channel_count >= 1 && header->channel_count <= FILE_CHANNELS_MAX);
    require(reader, header->frame_count < FRAMES_END && data_offset_valid(header->data_offset));
    decode_objects(reader, header, memory);
}

static task_binding *decode_bindings(byte_reader *reader, uint32_t count, const task_render *render, arena *memory)
{
    require(reader, byte_reader_left(reader) / 12 >= count);
    if (reader->failed)
        return NULL;
    task_binding *bindings = arena_take_array(memory, count, sizeof *bindings);
    for (uint32_t i = 0; i < count; i++) {
        task_binding *binding = &bindings[i];
        binding->file = byte_reader_u16(reader);
        binding->channel = byte_reader_u16(reader);
        binding->file_frame = (int64_t)byte_reader_u64(reader);
        require(reader, binding->file_frame > -(int64_t)FRAMES_END && binding->file_frame < (int64_t)FRAMES_END);
        if (binding->file != TASK_FILE_NONE)
            require(reader, binding->file < render->input_count &&
                                binding->channel < render->inputs[binding->file].channel_count);
    }
    return bindings;
}

static void decode_piece(byte_reader *reader, task_piece *piece, const task_render *render, arena *memory)
{
    piece->reel = byte_reader_u16(reader);
    piece->programme_frame = byte_reader_u64(reader);
    piece->frame_count = byte_reader_u64(reader);
    piece->join_before = byte_reader_u32(reader);
    piece->join_after = byte_reader_u32(reader);
    require(reader, piece->programme_frame < FRAMES_END && piece->frame_count >= 1 && piece->frame_count < FRAMES_END);
    piece->bindings = decode_bindings(reader, render->program.input_count, render, memory);
    piece->objects = decode_bindings(reader, render->object_count, render, memory);
    for (uint32_t i = 0; i < render->object_count && !reader->failed; i++) {
        uint16_t file = piece->objects[i].file;
        const task_input *input = file == TASK_FILE_NONE ? NULL : &render->inputs[file];
        require(reader, input == NULL || (input->encoding == ENCODING_PCM_24 && input->direct &&
                                          input->sample_rate == render->program.sample_rate));
    }
}

static void decode_output_file(byte_reader *reader, task_output_file *file, const task_render *render)
{
    decode_path(reader, &file->part);
    file->output = byte_reader_u16(reader);
    file->data_offset = byte_reader_u32(reader);
    file->file_frame = byte_reader_u64(reader);
    file->file_frame_count = byte_reader_u64(reader);
    file->leader_frames = byte_reader_u32(reader);
    file->exact = decode_flag(reader);
    file->channel_count = byte_reader_u8(reader);
    file->object_count = byte_reader_u8(reader);
    const uint8_t *channels = byte_reader_view(reader, sizeof file->channels);
    require(reader, file->output < render->program.output_count && data_offset_valid(file->data_offset));
    require(reader, file->file_frame < FRAMES_END && file->file_frame_count < FRAMES_END &&
                        file->leader_frames <= file->file_frame);
    require(reader, file->object_count == 0 || file->object_count == render->object_count);
    require(reader, file->channel_count > file->object_count && file->channel_count - file->object_count <= LAYOUT_CHANNELS_MAX &&
                        file->channel_count <= FILE_CHANNELS_MAX);
    if (reader->failed)
        return;
    memcpy(file->channels, channels, sizeof file->channels);
    const render_output *output = &render->program.outputs[file->output];
    const channel_layout *layout = channel_layout_get((channel_layout_id)output->layout);
    for (uint32_t i = 0; i + file->object_count < file->channel_count; i++)
        require(reader, file->channels[i] < layout->channel_count);
    require(reader, file->object_count == 0 || output->encoding == ENCODING_PCM_24);
    require(reader, output->encoding != ENCODING_NONE); /* what is only measured has no file */
    require(reader, file->file_frame + render->pieces[0].frame_count <= file->file_frame_count);
}

static void decode_program(byte_reader *reader, render_program *program, arena *memory)
{
    enum { TERM_BYTES = 12 };
    size_t capacity = byte_reader_left(reader) / TERM_BYTES;
    if (capacity > PROGRAM_TERMS_MAX)
        capacity = PROGRAM_TERMS_MAX;
    render_term *terms = arena_take_array(memory, capacity, sizeof *terms);
    require(reader, render_program_decode(program, terms, (uint32_t)capacity, reader) == STATUS_OK);
}

/* Every frame of the one file, each once and in order. */
static bool reads_whole_file(const task_render *render, uint64_t cell_count)
{
    const task_piece *piece = &render->pieces[0];
    bool whole = render->input_count == 1 && render->piece_count == 1 && render->first_cell == 0 &&
                 render->cell_count == cell_count && render->inputs[0].direct &&
                 render->inputs[0].frame_count == piece->frame_count &&
                 render->inputs[0].sample_rate == render->program.sample_rate;
    for (uint32_t i = 0; whole && i < render->program.input_count; i++)
        whole = piece->bindings[i].file == 0 && piece->bindings[i].file_frame == 0;
    return whole && render->program.input_count > 0;
}

static void decode_render(byte_reader *reader, task_kind kind, task_render *render, arena *memory)
{
    enum { INPUT_BYTES_MIN = 77, PIECE_BYTES_MIN = 18, FILE_BYTES_MIN = 50 };
    decode_program(reader, &render->program, memory);
    render->input_count = decode_count(reader, 0, TASK_FILES_MAX, INPUT_BYTES_MIN);
    render->inputs = arena_take_array(memory, render->input_count, sizeof *render->inputs);
    for (uint32_t i = 0; i < render->input_count && !reader->failed; i++)
        decode_input(reader, &render->inputs[i]);
    render->object_count = byte_reader_u32(reader);
    require(reader, render->object_count < FILE_CHANNELS_MAX);
    render->piece_count = decode_count(reader, 1, TASK_PIECES_MAX, PIECE_BYTES_MIN);
    render->pieces = arena_take_array(memory, render->piece_count, sizeof *render->pieces);
    for (uint32_t i = 0; i < render->piece_count && !reader->failed; i++)
        decode_piece(reader, &render->pieces[i], render, memory);
    render->following_count = byte_reader_u32(reader);
    require(reader, render->following_count < render->piece_count);
    render->file_count = decode_count(reader, 0, kind == TASK_INSPECT ? 0 : CELL_OUTPUTS_MAX, FILE_BYTES_MIN);
    render->files = arena_take_array(memory, render->file_count, sizeof *render->files);
    for (uint32_t i = 0; i < render->file_count && !reader->failed; i++)
        decode_output_file(reader, &render->files[i], render);
    render->first_cell = byte_reader_u32(reader);
    render->cell_count = byte_reader_u32(reader);
    render->programme_end = decode_flag(reader);
    render->stems = byte_reader_u8(reader);
    require(reader, render->stems <= STEMS_CROSSED && (render->stems == STEMS_NONE || render->program.input_count >= 1) &&
                        (render->stems != STEMS_CROSSED || render->program.input_count <= STEM_CROSSED_LANES_MAX));
    render->signal_groups = byte_reader_u8(reader);
    require(reader, render->signal_groups <= SIGNAL_GROUPS_MAX);
    render->digests_file = decode_flag(reader);
    render->programme_frame_count = byte_reader_u64(reader);
    require(reader, render->cell_count >= 1 && render->cell_count <= TASK_CELLS_MAX);
    require(reader, render->programme_frame_count < FRAMES_END);
    if (reader->failed)
        return;
    const task_piece *piece = &render->pieces[0];
    uint64_t piece_cells = (piece->frame_count + CELL_FRAMES - 1) / CELL_FRAMES;
    require(reader, (uint64_t)render->first_cell + render->cell_count <= piece_cells);
    require(reader, piece->programme_frame + piece->frame_count <= render->programme_frame_count);
    require(reader, !render->digests_file || (kind == TASK_INSPECT && reads_whole_file(render, piece_cells)));
}

static void decode_sides(byte_reader *reader, task_seal *seal, arena *memory)
{
    seal->side_count = decode_count(reader, 0, 2, 1);
    seal->sides = arena_take_array(memory, seal->side_count, sizeof *seal->sides);
    for (uint32_t i = 0; i < seal->side_count && !reader->failed; i++) {
        task_render *side = &seal->sides[i];
        decode_render(reader, TASK_RENDER, side, memory);
        require(reader, !reader->failed && side->piece_count == 1 && side->file_count == 1 && side->first_cell == 0 &&
                            side->files[0].channel_count == seal->header.channel_count &&
                            side->cell_count == (side->pieces[0].frame_count + CELL_FRAMES - 1) / CELL_FRAMES &&
                            side->files[0].data_offset == seal->header.data_offset);
    }
}

static void decode_verify(byte_reader *reader, task_verify *verify, arena *memory)
{
    enum { RANGE_BYTES = 24, RANGES_MAX = FRAME_BYTES_MAX / RANGE_BYTES };
    decode_path(reader, &verify->file);
    verify->file_size = byte_reader_u64(reader);
    verify->data_offset = byte_reader_u32(reader);
    verify->data_size = byte_reader_u64(reader);
    verify->bytes_per_frame = byte_reader_u32(reader);
    verify->header_digest = decode_digest(reader);
    verify->trailer_digest = decode_digest(reader);
    verify->read_back = decode_flag(reader);
    verify->range_count = decode_count(reader, 0, RANGES_MAX, RANGE_BYTES);
    verify->ranges = arena_take_array(memory, verify->range_count, sizeof *verify->ranges);
    uint64_t left = verify->data_size;
    for (uint32_t i = 0; i < verify->range_count && !reader->failed; i++) {
        task_verify_range *range = &verify->ranges[i];
        range->frame_count = byte_reader_u64(reader);
        range->digest = decode_digest(reader);
        require(reader, range->frame_count >= 1 && range->frame_count < FRAMES_END &&
                            verify->bytes_per_frame >= 1 && verify->bytes_per_frame <= FILE_CHANNELS_MAX * 8 &&
                            range->frame_count * verify->bytes_per_frame <= left);
        left -= range->frame_count * verify->bytes_per_frame;
    }
    /* What is compared is compared whole, and lies in the file. */
    require(reader, verify->range_count == 0 ? !verify->read_back : left == 0);
    require(reader, verify->file_size == 0 || (verify->data_size <= verify->file_size &&
                                               verify->data_offset <= verify->file_size - verify->data_size));
}

enum { PATH_BYTES_MIN = 10 }; /* two texts of one byte */

static void decode_control(byte_reader *reader, task_control *control)
{
    control->shape.threshold = byte_reader_f64(reader);
    control->shape.floor = byte_reader_f64(reader);
    control->shape.look_ahead = byte_reader_u16(reader);
    control->shape.attack = byte_reader_u16(reader);
    control->shape.hold = byte_reader_u16(reader);
    control->shape.release = byte_reader_u16(reader);
    control->encoding = (sample_encoding)byte_reader_u8(reader);
    control->sample_rate = byte_reader_u32(reader);
    control->data_offset = byte_reader_u32(reader);
    control->frame_count = byte_reader_u64(reader);
    require(reader, duck_shape_valid(&control->shape));
    require(reader, control->encoding >= ENCODING_PCM_16 && control->encoding <= ENCODING_FLOAT_64);
    require(reader, control->sample_rate >= SAMPLE_RATE_MIN && control->sample_rate <= SAMPLE_RATE_MAX);
    require(reader, control->frame_count > 0 && control->frame_count < FRAMES_END && data_offset_valid(control->data_offset));
}

static void decode_publish(byte_reader *reader, task_publish *publish, arena *memory)
{
    publish->replace = decode_flag(reader);
    publish->checksums = byte_reader_u8(reader);
    require(reader, publish->checksums <= (CHECKSUMS_MD5 | CHECKSUMS_XXH128));
    publish->has_control = decode_flag(reader);
    if (publish->has_control)
        decode_control(reader, &publish->control);
    publish->file_count = decode_count(reader, 0, TASK_PUBLISH_FILES_MAX, 2 * PATH_BYTES_MIN + CONTENT_HASH_BYTES + 40);
    publish->files = arena_take_array(memory, publish->file_count, sizeof *publish->files);
    for (uint32_t i = 0; i < publish->file_count && !reader->failed; i++) {
        decode_path(reader, &publish->files[i].part);
        decode_path(reader, &publish->files[i].final);
        publish->files[i].digest = decode_digest(reader);
        media_identity_decode(&publish->files[i].identity, reader);
    }
    publish->input_count = decode_count(reader, 0, TASK_PUBLISH_INPUTS_MAX, PATH_BYTES_MIN + 40);
    publish->inputs = arena_take_array(memory, publish->input_count, sizeof *publish->inputs);
    for (uint32_t i = 0; i < publish->input_count && !reader->failed; i++) {
        decode_path(reader, &publish->inputs[i].file);
        media_identity_decode(&publish->inputs[i].identity, reader);
    }
    require(reader, publish->file_count > 0 || publish->input_count > 0);
}

static void decode_discard(byte_reader *reader, task_discard *discard, arena *memory)
{
    discard->file_count = decode_count(reader, 0, TASK_PUBLISH_FILES_MAX, PATH_BYTES_MIN);
    discard->files = arena_take_array(memory, discard->file_count, sizeof *discard->files);
    for (uint32_t i = 0; i < discard->file_count && !reader->failed; i++)
        decode_path(reader, &discard->files[i]);
}

static void decode_deposit(byte_reader *reader, task_deposit *deposit, arena *memory)
{
    deposit->document_count = decode_count(reader, 0, TASK_DOCUMENTS_MAX, PATH_BYTES_MIN);
    for (uint32_t i = 0; i < deposit->document_count && !reader->failed; i++) {
        decode_path(reader, &deposit->documents[i].final);
        deposit->documents[i].document = byte_reader_u32(reader);
        deposit->documents[i].size = byte_reader_u64(reader);
        deposit->documents[i].digest = decode_digest(reader);
    }
    deposit->standing_count = decode_count(reader, 0, SHOW_DELIVERABLES_MAX, PATH_BYTES_MIN);
    deposit->standing = arena_take_array(memory, deposit->standing_count, sizeof *deposit->standing);
    for (uint32_t i = 0; i < deposit->standing_count && !reader->failed; i++)
        decode_path(reader, &deposit->standing[i]);
}

/* Of one programme: input i is channel i of the only output's layout. */
static void decode_part(byte_reader *reader, task_render *part, const task_render *first, arena *memory)
{
    const render_program *program = &part->program;
    decode_render(reader, TASK_INSPECT, part, memory);
    require(reader, program->output_count == 1 && program->input_count == program->output_lane_count &&
                        program->sample_rate == first->program.sample_rate &&
                        program->outputs[0].layout == first->program.outputs[0].layout);
}

static void decode_meter(byte_reader *reader, task_meter *meter, arena *memory)
{
    enum { PART_BYTES_MIN = 64 };
    meter->part_count = decode_count(reader, 1, SHOW_REELS_MAX, PART_BYTES_MIN);
    meter->parts = arena_take_array(memory, meter->part_count, sizeof *meter->parts);
    for (uint32_t i = 0; i < meter->part_count && !reader->failed; i++)
        decode_part(reader, &meter->parts[i], &meter->parts[0], memory);
}

static void decode_listen(byte_reader *reader, task_listen *listen, arena *memory)
{
    enum { INPUT_BYTES_MIN = 60, RANGE_BYTES = 16 };
    listen->input_count = decode_count(reader, 1, TASK_FILES_MAX, INPUT_BYTES_MIN);
    listen->inputs = arena_take_array(memory, listen->input_count, sizeof *listen->inputs);
    for (uint32_t i = 0; i < listen->input_count && !reader->failed; i++) {
        decode_input(reader, &listen->inputs[i]);
        require(reader, listen->inputs[i].sample_rate == listen->inputs[0].sample_rate);
    }
    listen->range_count = decode_count(reader, 0, TASK_LISTEN_RANGES_MAX, RANGE_BYTES);
    listen->ranges = arena_take_array(memory, listen->range_count, sizeof *listen->ranges);
    for (uint32_t i = 0; i < listen->range_count && !reader->failed; i++) {
        listen->ranges[i].first_frame = byte_reader_u64(reader);
        listen->ranges[i].frame_count = byte_reader_u64(reader);
        require(reader, listen->ranges[i].first_frame < FRAMES_END && listen->ranges[i].frame_count < FRAMES_END);
    }
    listen->reference_count = decode_count(reader, 0, TASK_FILES_MAX, INPUT_BYTES_MIN);
    listen->references = arena_take_array(memory, listen->reference_count, sizeof *listen->references);
    for (uint32_t i = 0; i < listen->reference_count && !reader->failed; i++) {
        decode_input(reader, &listen->references[i]);
        require(reader, listen->references[i].sample_rate == listen->inputs[0].sample_rate);
    }
    listen->frame = byte_reader_u64(reader);
    listen->reference_frame = byte_reader_u64(reader);
    listen->frame_count = byte_reader_u64(reader);
    require(reader, listen->frame < FRAMES_END && listen->reference_frame < FRAMES_END && listen->frame_count < FRAMES_END);
    listen->join = decode_flag(reader);
}

/* A finding's id: it becomes part of a file's name. */
void task_place_decode(task_place *out_place, byte_reader *reader)
{
    byte_reader_text(reader, out_place->name, sizeof out_place->name);
    out_place->first_frame = byte_reader_u64(reader);
    out_place->frame_count = byte_reader_u32(reader);
    out_place->channels = byte_reader_u32(reader);
    require(reader, out_place->name[0] != '\0' && out_place->name[0] != '-' &&
                        out_place->name[strspn(out_place->name, "0123456789abcdef-")] == '\0');
    require(reader, out_place->first_frame < FRAMES_END && out_place->frame_count >= 1 &&
                        out_place->frame_count <= TASK_PLACE_FRAMES_MAX);
    require(reader, out_place->channels != 0 && out_place->channels >> LAYOUT_CHANNELS_MAX == 0);
}

static void decode_excerpt(byte_reader *reader, task_excerpt *excerpt, arena *memory)
{
    enum { PART_BYTES_MIN = 64, PLACE_BYTES_MIN = 17 };
    excerpt->part_count = decode_count(reader, 0, 2 * TASK_PLACES_MAX, PART_BYTES_MIN);
    excerpt->parts = arena_take_array(memory, excerpt->part_count, sizeof *excerpt->parts);
    for (uint32_t i = 0; i < excerpt->part_count && !reader->failed; i++)
        decode_part(reader, &excerpt->parts[i], &excerpt->parts[0], memory);
    excerpt->place_count = decode_count(reader, 0, TASK_PLACES_MAX, PLACE_BYTES_MIN);
    excerpt->places = arena_take_array(memory, excerpt->place_count, sizeof *excerpt->places);
    for (uint32_t i = 0; i < excerpt->place_count && !reader->failed; i++)
        task_place_decode(&excerpt->places[i], reader);
    require(reader, excerpt->place_count == 0 || excerpt->part_count > 0);
    excerpt->audition = decode_flag(reader);
    if (excerpt->audition)
        decode_path(reader, &excerpt->folder);
}

static void decode_kind(byte_reader *reader, task_body *body, arena *memory)
{
    switch (body->kind) {
    case TASK_PROBE:
        decode_path(reader, &body->probe.file);
        return;
    case TASK_ALLOCATE:
        decode_path(reader, &body->allocate.part);
        decode_path(reader, &body->allocate.final);
        decode_header(reader, &body->allocate.header, memory);
        return;
    case TASK_RENDER:
    case TASK_INSPECT:
        decode_render(reader, body->kind, &body->render, memory);
        return;
    case TASK_SEAL:
        decode_path(reader, &body->seal.part);
        decode_header(reader, &body->seal.header, memory);
        decode_sides(reader, &body->seal, memory);
        return;
    case TASK_VERIFY:
        decode_verify(reader, &body->verify, memory);
        return;
    case TASK_PUBLISH:
        decode_publish(reader, &body->publish, memory);
        return;
    case TASK_DISCARD:
        decode_discard(reader, &body->discard, memory);
        return;
    case TASK_DEPOSIT:
        decode_deposit(reader, &body->deposit, memory);
        return;
    case TASK_METER:
        decode_meter(reader, &body->meter, memory);
        return;
    case TASK_LISTEN:
        decode_listen(reader, &body->listen, memory);
        return;
    case TASK_EXCERPT:
        decode_excerpt(reader, &body->excerpt, memory);
        return;
    case TASK_KIND_REMOTE_END:
    case TASK_PLAN:
    case TASK_MERGE:
    case TASK_GAIN:
    case TASK_COMPOSE:
        break;
    }
    reader->failed = true;
}

status task_body_decode(task_body *out_body, task_kind kind, const void *bytes, size_t byte_size, arena *memory)
{
    byte_reader reader;
    byte_reader_init(&reader, bytes, byte_size);
    memset(out_body, 0, sizeof *out_body);
    out_body->kind = kind;
    require(&reader, byte_reader_u16(&reader) == TASK_BODY_VERSION);
    require(&reader, byte_reader_u8(&reader) == (uint8_t)kind);
    if (!reader.failed)
        decode_kind(&reader, out_body, memory);
    return byte_reader_complete(&reader) ? STATUS_OK : STATUS_PEER_MALFORMED;
}

status task_verify_result_decode(task_verify_result *out_result, const void *bytes, size_t byte_size)
{
    byte_reader reader;
    byte_reader_init(&reader, bytes, byte_size);
    require(&reader, byte_reader_u16(&reader) == TASK_BODY_VERSION);
    out_result->file_digest = decode_digest(&reader);
    out_result->audio_digest = decode_digest(&reader);
    media_identity_decode(&out_result->identity, &reader);
    return byte_reader_complete(&reader) ? STATUS_OK : STATUS_PEER_MALFORMED;
}

status task_meter_result_decode(task_meter_result *out_result, const void *bytes, size_t byte_size)
{
    byte_reader reader;
    byte_reader_init(&reader, bytes, byte_size);
    bool version = byte_reader_u16(&reader) == TASK_BODY_VERSION;
    double figures[6];
    for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++) {
        figures[i] = byte_reader_f64(&reader);
        require(&reader, figures[i] < (double)INFINITY); /* no NaN either */
    }
    if (!version || !byte_reader_complete(&reader))
        return STATUS_PEER_MALFORMED;
    *out_result = (task_meter_result){figures[0], figures[1], figures[2], figures[3], figures[4], figures[5]};
    return STATUS_OK;
}

status task_excerpt_result_decode(task_excerpt_result *out_result, const void *bytes, size_t byte_size, arena *memory)
{
    byte_reader reader;
    byte_reader_init(&reader, bytes, byte_size);
    memset(out_result, 0, sizeof *out_result);
    require(&reader, byte_reader_u16(&reader) == TASK_BODY_VERSION);
    out_result->count = byte_reader_u32(&reader);
    require(&reader, out_result->count <= TASK_PLACES_MAX);
    for (uint32_t i = 0; i < out_result->count && !reader.failed; i++) {
        task_excerpt_item *item = &out_result->items[i];
        task_place_decode(&item->place, &reader);
        item->row_count = byte_reader_u32(&reader);
        require(&reader, item->row_count >= 1 && item->row_count <= EXCERPT_ROWS_MAX);
        const uint32_t count = reader.failed ? 0 : item->row_count * EXCERPT_COLUMNS;
        const uint8_t *packed = byte_reader_view(&reader, count / 2);
        item->levels = arena_take_array(memory, count, 1);
        for (uint32_t k = 0; packed != NULL && k < count; k++)
            item->levels[k] = packed[k / 2] >> (k % 2 * 4) & 15;
        item->audition_size = byte_reader_u64(&reader);
        item->audition_digest = decode_digest(&reader);
        item->audition_gain = byte_reader_f64(&reader);
        require(&reader, item->audition_gain >= 0.0 && item->audition_gain <= 1.0);
    }
    byte_reader_text(&reader, out_result->failure, sizeof out_result->failure);
    if (reader.failed || !byte_reader_complete(&reader)) {
        out_result->count = 0;
        return STATUS_PEER_MALFORMED;
    }
    return STATUS_OK;
}
