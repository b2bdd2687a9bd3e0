#include "tests/unit/proto/sample_bodies.h"

#include <stdio.h>
#include <string.h>

static task_path path_of(const char *root, const char *path)
{
    task_path out = {0};
    snprintf(out.root, sizeof out.root, "%s", root);
    snprintf(out.path, sizeof out.path, "%s", path);
    return out;
}

static content_hash digest_of(const char *text)
{
    return content_hash_of(text, strlen(text));
}

static task_input input_of(uint32_t number)
{
    bool direct = number == 0;
    return (task_input){.file = path_of("media", direct ? "R1_DX.wav" : "mx/R1_MX.flac"),
                        .identity = {.dev = 1, .ino = 99, .size = 10000000, .mtime_ns = -5, .ctime_ns = 7},
                        .container = direct ? CONTAINER_WAV : CONTAINER_FLAC,
                        .encoding = ENCODING_PCM_24,
                        .sample_rate = 48000,
                        .channel_count = direct ? 2 : 1,
                        .frame_count = 1000000,
                        .data_offset = direct ? 44 : 0,
                        .direct = direct};
}

static output_header header_of(arena *memory)
{
    static const uint8_t chunk[] = {'a', 'x', 'm', 'l', 2, 0, 0, 0, '<', '>'};
    output_header header = {.container = CONTAINER_RF64,
                            .encoding = ENCODING_PCM_24,
                            .sample_rate = 48000,
                            .channel_count = 6,
                            .channel_mask = 0x3F,
                            .frame_count = 700000,
                            .leader = {384000, 192000, 288000, 94000, 2000, 3},
                            .data_offset = 8192,
                            .bext = {.present = true,
                                     .version = 2,
                                     .time_reference = 172800000,
                                     .description = "Night Train PM_51",
                                     .originator = "reelmill",
                                     .originator_reference = "1",
                                     .origination_date = "2026-11-20",
                                     .origination_time = "00:00:00",
                                     .loudness_value = -2701,
                                     .loudness_range = 910,
                                     .max_true_peak_level = -210,
                                     .max_momentary_loudness = 0x7FFF,
                                     .max_short_term_loudness = -1500},
                            .coding_history = "A=PCM,F=48000,W=24\r\n",
                            .plain_format = true,
                            .chunks_size = sizeof chunk,
                            .chunks = chunk,
                            .object_count = 2,
                            .object_source_count = 1};
    header.object_sources = arena_take_array(memory, 1, sizeof *header.object_sources);
    header.object_sources[0] = (output_object_source){.input = input_of(0),
                                                      .file_frame = -48000,
                                                      .programme_frame = 96000,
                                                      .frame_count = 480000,
                                                      .first_object = 1,
                                                      .object_count = 1};
    return header;
}

static void sample_program(render_program *program, arena *memory)
{
    *program = (render_program){.sample_rate = 48000, .input_count = 3, .output_count = 2, .output_lane_count = 3};
    program->inputs[0] = (render_lane){.stem = 0, .label = CHANNEL_L};
    program->inputs[1] = (render_lane){.stem = 0, .label = CHANNEL_R};
    program->inputs[2] = (render_lane){.stem = 1, .label = CHANNEL_M};
    program->outputs[0] = (render_output){
        .deliverable = 0, .layout = LAYOUT_STEREO, .encoding = ENCODING_PCM_24, .overload = OVERLOAD_FAIL};
    program->outputs[1] = (render_output){
        .deliverable = 1, .layout = LAYOUT_MONO, .encoding = ENCODING_NONE, .overload = OVERLOAD_CLIP, .first_lane = 2};
    static const render_term terms[] = {{0, 0, 1.0}, {2, 0, 0.5}, {1, 1, 1.0}, {2, 1, 0.5}, {2, 2, -1.0},
                                        {0, 3, 0.25}, {1, 4, 1.0}};
    program->term_count = sizeof terms / sizeof terms[0];
    program->terms = arena_take_array(memory, program->term_count, sizeof *terms);
    memcpy(program->terms, terms, sizeof terms);
    program->side_lane_count = 2;
    program->node_count = 2;
    program->nodes[0] = (render_node){.kind = NODE_PHASE_90, .side = 0, .output = 1};
    program->nodes[1] = (render_node){.kind = NODE_DUCK, .duck = 0, .side = 1, .output = 2};
    program->phase_reach = 2047;
    program->duck_count = 1;
    program->ducks[0] = (render_duck){.shape = {1e-5, 0.355, 30, 30, 50, 80}, .key_count = 1, .keys = {2}};
}

static void sample_render(task_kind kind, task_render *render, arena *memory)
{
    sample_program(&render->program, memory);
    render->input_count = 2;
    render->inputs = arena_take_array(memory, 2, sizeof *render->inputs);
    for (uint32_t i = 0; i < 2; i++)
        render->inputs[i] = input_of(i);
    render->piece_count = 2;
    render->pieces = arena_take_array(memory, 2, sizeof *render->pieces);
    for (uint32_t i = 0; i < 2; i++) {
        render->pieces[i] = (task_piece){.reel = (uint16_t)(1 - i), .programme_frame = i == 0 ? 50000 : 0,
                                         .frame_count = i == 0 ? 650000 : 50000, .join_before = 480, .join_after = 960};
        render->pieces[i].bindings = arena_take_array(memory, 3, sizeof *render->pieces[i].bindings);
        render->pieces[i].bindings[0] = (task_binding){.file = 0, .channel = 0, .file_frame = 384000};
        render->pieces[i].bindings[1] = (task_binding){.file = 0, .channel = 1, .file_frame = -10};
        render->pieces[i].bindings[2] = (task_binding){.file = i == 0 ? 1 : TASK_FILE_NONE};
        render->pieces[i].objects = arena_take_array(memory, 1, sizeof *render->pieces[i].objects);
        render->pieces[i].objects[0] = (task_binding){.file = i == 0 ? 0 : TASK_FILE_NONE, .channel = 1};
    }
    render->object_count = 1;
    if (kind == TASK_RENDER) {
        render->file_count = 1;
        render->files = arena_take_array(memory, 1, sizeof *render->files);
        render->files[0] = (task_output_file){.part = path_of("out", "A/v01/PM/A_PM.wav.1-1.part"),
                                              .output = 0,
                                              .data_offset = 4096,
                                              .file_frame = 50000,
                                              .file_frame_count = 700000,
                                              .channel_count = 3,
                                              .object_count = 1,
                                              .channels = {1, 0}};
    }
    render->first_cell = 1;
    render->cell_count = 2;
    render->programme_end = true;
    render->programme_frame_count = 700000;
    render->stems = STEMS_ENERGY;
}

/* One part, stereo, in one file that this job published: inode 0. */
static void sample_meter(task_meter *meter, arena *memory)
{
    static const render_term terms[] = {{0, 0, 1.0}, {1, 1, 1.0}};
    meter->part_count = 1;
    meter->parts = arena_take_array(memory, 1, sizeof *meter->parts);
    task_render *part = &meter->parts[0];
    part->program = (render_program){.sample_rate = 48000, .input_count = 2, .output_count = 1, .output_lane_count = 2};
    part->program.inputs[0] = (render_lane){.stem = 0xFFFF, .label = CHANNEL_L};
    part->program.inputs[1] = (render_lane){.stem = 0xFFFF, .label = CHANNEL_R};
    part->program.outputs[0] = (render_output){.layout = LAYOUT_STEREO, .encoding = ENCODING_NONE};
    part->program.term_count = 2;
    part->program.terms = arena_take_array(memory, 2, sizeof *terms);
    memcpy(part->program.terms, terms, sizeof terms);
    part->input_count = 1;
    part->inputs = arena_take_array(memory, 1, sizeof *part->inputs);
    part->inputs[0] = (task_input){.file = path_of("out", "A/v01/PM/A_PM.wav"),
                                   .identity = {.size = 4096 + 700000 * 6},
                                   .container = CONTAINER_WAV,
                                   .encoding = ENCODING_PCM_24,
                                   .sample_rate = 48000,
                                   .channel_count = 2,
                                   .frame_count = 700000,
                                   .data_offset = 4096,
                                   .direct = true};
    part->piece_count = 1;
    part->pieces = arena_take_array(memory, 1, sizeof *part->pieces);
    part->pieces[0] = (task_piece){.frame_count = 700000};
    part->pieces[0].bindings = arena_take_array(memory, 2, sizeof *part->pieces[0].bindings);
    part->pieces[0].bindings[1] = (task_binding){.channel = 1};
    part->cell_count = 1;
    part->programme_end = true;
    part->programme_frame_count = 700000;
}

static void sample_verify(task_verify *verify, arena *memory)
{
    *verify = (task_verify){.file = path_of("out", "x.part"),
                            .file_size = 4096 + 700000 * 6 + 1,
                            .data_offset = 4096,
                            .data_size = 700000 * 6,
                            .bytes_per_frame = 6,
                            .header_digest = digest_of("header"),
                            .trailer_digest = digest_of("trailer"),
                            .read_back = true,
                            .range_count = 2};
    verify->ranges = arena_take_array(memory, 2, sizeof *verify->ranges);
    verify->ranges[0] = (task_verify_range){.frame_count = 307200, .digest = digest_of("a")};
    verify->ranges[1] = (task_verify_range){.frame_count = 392800, .digest = digest_of("b")};
}

static void sample_listen(task_listen *listen, arena *memory)
{
    *listen = (task_listen){.input_count = 2, .range_count = 2};
    listen->inputs = arena_take_array(memory, 2, sizeof *listen->inputs);
    for (uint32_t i = 0; i < 2; i++)
        listen->inputs[i] = (task_input){.file = path_of("media", i == 0 ? "R1_MX.L.wav" : "R1_MX.R.wav"),
                                         .identity = {1, 2 + i, 4096 + 3 * 48000, 5, 6},
                                         .container = CONTAINER_WAV,
                                         .encoding = ENCODING_PCM_24,
                                         .sample_rate = 48000,
                                         .channel_count = 1,
                                         .frame_count = 48000,
                                         .data_offset = 4096,
                                         .direct = true};
    listen->ranges = arena_take_array(memory, 2, sizeof *listen->ranges);
    listen->ranges[0] = (task_listen_range){.first_frame = 0, .frame_count = 20000};
    listen->ranges[1] = (task_listen_range){.first_frame = 30000, .frame_count = 18000};
    listen->reference_count = 1;
    listen->references = arena_take_array(memory, 1, sizeof *listen->references);
    listen->references[0] = listen->inputs[0];
    listen->frame = 300;
    listen->reference_frame = 400;
    listen->frame_count = 40000;
    listen->join = true;
}

void sample_body(task_kind kind, task_body *out_body, arena *memory)
{
    memset(out_body, 0, sizeof *out_body);
    out_body->kind = kind;
    if (kind == TASK_PROBE) {
        out_body->probe.file = path_of("media", "R1 \xE9t\xE9.wav"); /* a name that is no UTF-8 */
    } else if (kind == TASK_ALLOCATE) {
        out_body->allocate = (task_allocate){
            .part = path_of("out", "a/b.part"), .final = path_of("out", "a/b"), .header = header_of(memory)};
    } else if (kind == TASK_RENDER || kind == TASK_INSPECT) {
        sample_render(kind, &out_body->render, memory);
    } else if (kind == TASK_SEAL) {
        out_body->seal = (task_seal){.part = path_of("out", "a/b.part"), .header = header_of(memory), .side_count = 1};
        out_body->seal.sides = arena_take(memory, sizeof *out_body->seal.sides);
        sample_render(TASK_RENDER, out_body->seal.sides, memory);
        task_render *side = out_body->seal.sides;
        side->piece_count = 1;
        side->first_cell = 0;
        side->cell_count = 3;
        side->files[0].data_offset = out_body->seal.header.data_offset;
        side->files[0].exact = true;
        out_body->seal.header.channel_count = 3;
    } else if (kind == TASK_VERIFY) {
        sample_verify(&out_body->verify, memory);
    } else if (kind == TASK_PUBLISH) {
        out_body->publish = (task_publish){
            .replace = true,
            .checksums = CHECKSUMS_MD5,
            .file_count = 2,
            .input_count = 2,
            .has_control = true,
            .control = {{0.00001, 0.35, 30, 30, 50, 80}, ENCODING_PCM_24, 48000, 4096, 4800000}};
        out_body->publish.files = arena_take_array(memory, 2, sizeof *out_body->publish.files);
        out_body->publish.inputs = arena_take_array(memory, 2, sizeof *out_body->publish.inputs);
        for (uint32_t i = 0; i < 2; i++)
            out_body->publish.inputs[i] = (task_probed){path_of("media", "R1_DX.wav"), {5, i + 1, 3, 2, -1}};
        for (uint32_t i = 0; i < 2; i++)
            out_body->publish.files[i] =
                (task_publish_file){path_of("out", "p.part"), path_of("out", "p"), {{7, 7}}, {1, 2, 3, -4, 5}};
    } else if (kind == TASK_DISCARD) {
        out_body->discard.file_count = 1;
        out_body->discard.files = arena_take_array(memory, 1, sizeof *out_body->discard.files);
        out_body->discard.files[0] = path_of("out", "q.part");
    } else if (kind == TASK_METER) {
        sample_meter(&out_body->meter, memory);
    } else if (kind == TASK_LISTEN) {
        sample_listen(&out_body->listen, memory);
    } else if (kind == TASK_EXCERPT) {
        task_excerpt *excerpt = &out_body->excerpt;
        task_meter programme;
        sample_meter(&programme, memory);
        *excerpt = (task_excerpt){.part_count = programme.part_count,
                                  .parts = programme.parts,
                                  .place_count = 2,
                                  .audition = true,
                                  .folder = path_of("out", "NT/v01/report/audition")};
        excerpt->places = arena_take_array(memory, 2, sizeof *excerpt->places);
        excerpt->places[0] = (task_place){.name = "0a1b2c3d4e5f", .first_frame = 5, .frame_count = 96000, .channels = 1};
        excerpt->places[1] = (task_place){.name = "0a1b2c3d4e5f-2", .first_frame = 99, .frame_count = 1, .channels = 3};
    } else if (kind == TASK_DEPOSIT) {
        out_body->deposit.document_count = 1;
        out_body->deposit.documents[0] = (task_document){
            .final = path_of("out", "report/report.json"), .document = 3, .size = 4, .digest = digest_of("doc")};
        out_body->deposit.standing_count = 1;
        out_body->deposit.standing = arena_take_array(memory, 1, sizeof *out_body->deposit.standing);
        out_body->deposit.standing[0] = path_of("out", "PM_51/ascmhl/ascmhl_chain.xml");
    }
}
