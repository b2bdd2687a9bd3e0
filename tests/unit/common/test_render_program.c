#include "common/media/render_program.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* A stereo and a mono output from one stereo stem. */
static void program_sample(render_program *out_program, render_term terms[4])
{
    *out_program = (render_program){.sample_rate = 48000,
                                    .input_count = 2,
                                    .output_count = 2,
                                    .output_lane_count = 3,
                                    .term_count = 4,
                                    .terms = terms};
    out_program->inputs[0] = (render_lane){.stem = 1, .label = CHANNEL_L};
    out_program->inputs[1] = (render_lane){.stem = 1, .label = CHANNEL_R};
    out_program->outputs[0] = (render_output){
        .deliverable = 0, .layout = LAYOUT_STEREO, .encoding = ENCODING_PCM_24, .dither_seed = 9};
    out_program->outputs[1] = (render_output){
        .deliverable = 5, .layout = LAYOUT_MONO, .encoding = ENCODING_NONE, .overload = OVERLOAD_CLIP, .first_lane = 2};
    terms[0] = (render_term){.input = 0, .output = 0, .gain = 1.0};
    terms[1] = (render_term){.input = 1, .output = 1, .gain = 1.0};
    terms[2] = (render_term){.input = 0, .output = 2, .gain = 0.5};
    terms[3] = (render_term){.input = 1, .output = 2, .gain = -0.1};
}

static status program_pass(const render_program *program, render_program *out_program, render_term *storage,
                           uint32_t capacity, size_t cut)
{
    byte_writer writer;
    byte_reader reader;
    byte_writer_init(&writer, 1 << 20);
    render_program_encode(program, &writer);
    assert_false(writer.failed);
    byte_reader_init(&reader, writer.bytes, cut < writer.size ? cut : writer.size);
    status code = render_program_decode(out_program, storage, capacity, &reader);
    if (code == STATUS_OK)
        assert_true(byte_reader_complete(&reader));
    byte_writer_deinit(&writer);
    return code;
}

/* The canonical form by hand: version, rate, counts, lanes, outputs, terms; little-endian. */
static void render_program__has_one_canonical_form(void **state)
{
    (void)state;
    static const uint8_t head[] = {
        5,    0,                                        /* RENDER_VERSION */
        0x80, 0xBB, 0, 0,                               /* 48000 */
        2,    0,    2, 0, 3, 0,                         /* inputs, outputs, output lanes */
        4,    0,    0, 0,                               /* terms */
        1,    0,    2, 1, 0, 3,                         /* lanes: stem 1 L, stem 1 R */
        0,    0,    2, 2, 0, 0, 0, 9, 0, 0, 0,          /* deliverable 0, stereo, PCM_24, fail, lane 0, dither seed 9 */
        5,    0,    1, 0, 1, 2, 0, 0, 0, 0, 0,          /* deliverable 5, mono, measured only, clip, lane 2 */
        0,    0,    0, 0, 0, 0, 0, 0, 0, 0, 0xF0, 0x3F, /* lane 0 to 0 at 1.0 = 0x3FF0000000000000 */
    };
    render_program program;
    render_term terms[4];
    byte_writer writer;
    program_sample(&program, terms);
    byte_writer_init(&writer, 4096);
    render_program_encode(&program, &writer);
    /* side lanes, nodes, ducks, phase reach, speed, join, limiters: none */
    assert_int_equal(writer.size, sizeof head + 3 * 12 + 10 + 10);
    assert_memory_equal(writer.bytes, head, sizeof head);
    content_hash digest = render_program_digest(&program);
    content_hash expected = content_hash_of(writer.bytes, writer.size);
    assert_true(content_hash_equal(&digest, &expected));
    byte_writer_deinit(&writer);
}

static void render_program__comes_back_as_it_went(void **state)
{
    (void)state;
    render_program program;
    render_program back;
    render_term terms[4];
    render_term storage[4];
    program_sample(&program, terms);
    assert_int_equal(program_pass(&program, &back, storage, 4, SIZE_MAX), STATUS_OK);
    content_hash a = render_program_digest(&program);
    content_hash b = render_program_digest(&back);
    assert_true(content_hash_equal(&a, &b));
    assert_ptr_equal(back.terms, storage);
    assert_true(storage[3].gain == -0.1);
}

static void render_program__refuses_every_cut(void **state)
{
    (void)state;
    render_program program;
    render_program back;
    render_term terms[4];
    render_term storage[4];
    program_sample(&program, terms);
    for (size_t cut = 0; cut < 112; cut++) /* 44 + 4 x 12 + 10 + 10 = 112 bytes in all, see the canonical form */
        assert_int_equal(program_pass(&program, &back, storage, 4, cut), STATUS_PEER_MALFORMED);
    assert_int_equal(program_pass(&program, &back, storage, 4, 112), STATUS_OK);
}

static void render_program__refuses_what_cannot_be(void **state)
{
    (void)state;
    render_program program;
    render_program back;
    render_term terms[4];
    render_term storage[4];
#define REFUSED(change)                                                                                                \
    do {                                                                                                               \
        program_sample(&program, terms);                                                                               \
        change;                                                                                                        \
        assert_int_equal(program_pass(&program, &back, storage, 4, SIZE_MAX), STATUS_PEER_MALFORMED);                  \
    } while (0)
    REFUSED(program.sample_rate = 0);
    REFUSED(program.output_count = 0);
    REFUSED(program.output_lane_count = 4);
    REFUSED(program.inputs[0].label = CHANNEL_NONE);
    REFUSED(program.inputs[0].label = CHANNEL_LABEL_COUNT);
    REFUSED(program.outputs[0].layout = LAYOUT_NONE);
    REFUSED(program.outputs[0].layout = LAYOUT_COUNT);
    REFUSED(program.outputs[1].first_lane = 1);
    REFUSED(program.outputs[0].encoding = ENCODING_FLOAT_64 + 1);
    REFUSED(program.outputs[0].overload = OVERLOAD_CLIP + 1);
    REFUSED(program.outputs[1].dither_seed = 1); /* nothing is rounded there */
    REFUSED(terms[0].input = 2);
    REFUSED(terms[3].output = 3);
    REFUSED(terms[1].gain = (double)NAN);
    REFUSED(terms[1].gain = (double)INFINITY);
    REFUSED(terms[2].input = 1);  /* the same term twice */
    REFUSED(terms[1].output = 2); /* not sorted */
    REFUSED(program.side_lane_count = PROGRAM_SIDE_LANES_MAX + 1);
    REFUSED(program.phase_reach = 2047); /* nothing shifts */
    REFUSED((program.node_count = 1, program.side_lane_count = 0, program.phase_reach = 2047)); /* reads a lane that is none */
    REFUSED((program.node_count = 1, program.side_lane_count = 1, program.phase_reach = 2048));
    REFUSED((program.node_count = 1, program.side_lane_count = 1, program.phase_reach = 1, program.nodes[0].output = 3));
    REFUSED((program.node_count = 1, program.side_lane_count = 1, program.nodes[0].kind = NODE_DUCK)); /* there is no duck */
    REFUSED(program.duck_count = 1); /* a duck without shape or narration */
    REFUSED(program.speed_num = 25); /* by nothing */
    REFUSED((program.speed_num = PROGRAM_SPEED_TERM_MAX + 1, program.speed_den = 24));
    REFUSED(program.limit_count = 1); /* a limiter without shape */
    const limit_shape shape = {.ceiling = 0.5, .look_ahead = 5, .release = 100};
    REFUSED((program.limit_count = 1, program.limits[0] = (render_limiter){.output = 1, .shape = shape})); /* not written */
    REFUSED((program.limit_count = 2, program.limits[0].shape = program.limits[1].shape = shape)); /* one output twice */
#undef REFUSED
    program_sample(&program, terms);
    assert_int_equal(program_pass(&program, &back, storage, 3, SIZE_MAX), STATUS_PEER_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(render_program__has_one_canonical_form),
        cmocka_unit_test(render_program__comes_back_as_it_went),
        cmocka_unit_test(render_program__refuses_every_cut),
        cmocka_unit_test(render_program__refuses_what_cannot_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
