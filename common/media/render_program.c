#include "common/media/render_program.h"

#include "common/base/ensure.h"

#include <assert.h>
#include <math.h>

static_assert(PROGRAM_OUTPUTS_MAX * LAYOUT_CHANNELS_MAX >= PROGRAM_OUTPUT_LANES_MAX,
              "the lane bound is the tighter one");

void render_program_encode(const render_program *self, byte_writer *writer)
{
    byte_writer_u16(writer, RENDER_VERSION);
    byte_writer_u32(writer, self->sample_rate);
    byte_writer_u16(writer, self->input_count);
    byte_writer_u16(writer, self->output_count);
    byte_writer_u16(writer, self->output_lane_count);
    byte_writer_u32(writer, self->term_count);
    for (uint32_t i = 0; i < self->input_count; i++) {
        byte_writer_u16(writer, self->inputs[i].stem);
        byte_writer_u8(writer, self->inputs[i].label);
    }
    for (uint32_t i = 0; i < self->output_count; i++) {
        byte_writer_u16(writer, self->outputs[i].deliverable);
        byte_writer_u8(writer, self->outputs[i].layout);
        byte_writer_u8(writer, self->outputs[i].encoding);
        byte_writer_u8(writer, self->outputs[i].overload);
        byte_writer_u16(writer, self->outputs[i].first_lane);
        byte_writer_u32(writer, self->outputs[i].dither_seed);
    }
    for (uint32_t i = 0; i < self->term_count; i++) {
        byte_writer_u16(writer, self->terms[i].input);
        byte_writer_u16(writer, self->terms[i].output);
        byte_writer_f64(writer, self->terms[i].gain);
    }
    byte_writer_u16(writer, self->side_lane_count);
    byte_writer_u16(writer, self->node_count);
    byte_writer_u16(writer, self->duck_count);
    byte_writer_u32(writer, self->phase_reach);
    for (uint32_t i = 0; i < self->node_count; i++) {
        byte_writer_u8(writer, self->nodes[i].kind);
        byte_writer_u8(writer, self->nodes[i].duck);
        byte_writer_u16(writer, self->nodes[i].side);
        byte_writer_u16(writer, self->nodes[i].output);
    }
    for (uint32_t i = 0; i < self->duck_count; i++) {
        const render_duck *duck = &self->ducks[i];
        byte_writer_f64(writer, duck->shape.threshold);
        byte_writer_f64(writer, duck->shape.floor);
        byte_writer_u16(writer, duck->shape.look_ahead);
        byte_writer_u16(writer, duck->shape.attack);
        byte_writer_u16(writer, duck->shape.hold);
        byte_writer_u16(writer, duck->shape.release);
        byte_writer_u16(writer, duck->key_count);
        for (uint32_t k = 0; k < duck->key_count; k++)
            byte_writer_u16(writer, duck->keys[k]);
    }
    byte_writer_u32(writer, self->speed_num);
    byte_writer_u32(writer, self->speed_den);
    byte_writer_u8(writer, self->join);
    byte_writer_u8(writer, self->limit_count);
    for (uint32_t i = 0; i < self->limit_count; i++) {
        byte_writer_u8(writer, self->limits[i].output);
        byte_writer_f64(writer, self->limits[i].shape.ceiling);
        byte_writer_u16(writer, self->limits[i].shape.look_ahead);
        byte_writer_u16(writer, self->limits[i].shape.release);
    }
}

/* Outputs follow each other without gap and use up exactly the lanes that the program says it has. */
static bool render_program_outputs_valid(const render_program *self)
{
    uint32_t lane = 0;
    for (uint32_t i = 0; i < self->output_count; i++) {
        const render_output *output = &self->outputs[i];
        if (output->layout == LAYOUT_NONE || output->layout >= LAYOUT_COUNT || output->encoding > ENCODING_FLOAT_64 ||
            output->overload > OVERLOAD_CLIP || output->first_lane != lane)
            return false;
        bool rounds = output->encoding != ENCODING_NONE && !sample_encoding_is_float((sample_encoding)output->encoding);
        if (output->dither_seed != 0 && !rounds)
            return false;
        lane += channel_layout_get((channel_layout_id)output->layout)->channel_count;
    }
    return lane == self->output_lane_count;
}

static bool render_program_terms_valid(const render_program *self)
{
    for (uint32_t i = 0; i < self->term_count; i++) {
        const render_term *term = &self->terms[i];
        if (term->input >= self->input_count || !isfinite(term->gain) ||
            term->output >= self->output_lane_count + self->side_lane_count)
            return false;
        if (i == 0)
            continue;
        const render_term *before = &self->terms[i - 1];
        if (before->output > term->output || (before->output == term->output && before->input >= term->input))
            return false;
    }
    return true;
}

static bool render_program_nodes_valid(const render_program *self)
{
    bool shifts = false;
    for (uint32_t i = 0; i < self->node_count; i++) {
        const render_node *node = &self->nodes[i];
        bool ducks = node->kind == NODE_DUCK;
        uint32_t side = node->output < self->output_lane_count ? 0 : (uint32_t)node->output - self->output_lane_count;
        if (node->kind > NODE_DUCK || node->side >= self->side_lane_count ||
            (node->output >= self->output_lane_count && (!ducks || side >= self->side_lane_count || side == node->side)) ||
            (ducks ? node->duck >= self->duck_count : node->duck != 0))
            return false;
        shifts = shifts || node->kind == NODE_PHASE_90;
        for (uint32_t k = 0; node->output >= self->output_lane_count && k < self->node_count; k++)
            if (self->nodes[k].kind == NODE_DUCK && self->nodes[k].side == side)
                return false; /* one step deep: a duck reads what was mixed */
    }
    if (shifts ? self->phase_reach % 2 == 0 || self->phase_reach > PHASE_REACH_MAX : self->phase_reach != 0)
        return false;
    for (uint32_t i = 0; i < self->duck_count; i++) {
        const render_duck *duck = &self->ducks[i];
        if (!duck_shape_valid(&duck->shape) || duck->key_count == 0)
            return false;
        for (uint32_t k = 0; k < duck->key_count; k++)
            if (duck->keys[k] >= self->input_count || (k > 0 && duck->keys[k] <= duck->keys[k - 1]))
                return false;
    }
    return true;
}

static bool render_program_limits_valid(const render_program *self)
{
    bool as_it_is = self->speed_num == 0 && self->speed_den == 0;
    if (!as_it_is && (self->speed_num == 0 || self->speed_den == 0 || self->speed_num > PROGRAM_SPEED_TERM_MAX ||
                      self->speed_den > PROGRAM_SPEED_TERM_MAX))
        return false;
    if (self->join > JOIN_EQUAL_POWER)
        return false;
    for (uint32_t i = 0; i < self->limit_count; i++) {
        const render_limiter *limit = &self->limits[i];
        if (limit->output >= self->output_count || (i > 0 && limit->output <= self->limits[i - 1].output) ||
            self->outputs[limit->output].encoding == ENCODING_NONE || !limit_shape_valid(&limit->shape))
            return false;
    }
    return true;
}

static void render_program_decode_limits(render_program *self, byte_reader *reader)
{
    self->speed_num = byte_reader_u32(reader);
    self->speed_den = byte_reader_u32(reader);
    self->join = byte_reader_u8(reader);
    self->limit_count = byte_reader_u8(reader);
    if (self->limit_count > PROGRAM_OUTPUTS_MAX)
        reader->failed = true;
    for (uint32_t i = 0; i < self->limit_count && !reader->failed; i++) {
        self->limits[i].output = byte_reader_u8(reader);
        self->limits[i].shape.ceiling = byte_reader_f64(reader);
        self->limits[i].shape.look_ahead = byte_reader_u16(reader);
        self->limits[i].shape.release = byte_reader_u16(reader);
    }
}

static void render_program_decode_nodes(render_program *self, byte_reader *reader)
{
    self->side_lane_count = byte_reader_u16(reader);
    self->node_count = byte_reader_u16(reader);
    self->duck_count = byte_reader_u16(reader);
    self->phase_reach = byte_reader_u32(reader);
    if (self->side_lane_count > PROGRAM_SIDE_LANES_MAX || self->node_count > PROGRAM_NODES_MAX ||
        self->duck_count > PROGRAM_DUCKS_MAX)
        reader->failed = true;
    for (uint32_t i = 0; i < self->node_count && !reader->failed; i++) {
        self->nodes[i].kind = byte_reader_u8(reader);
        self->nodes[i].duck = byte_reader_u8(reader);
        self->nodes[i].side = byte_reader_u16(reader);
        self->nodes[i].output = byte_reader_u16(reader);
    }
    for (uint32_t i = 0; i < self->duck_count && !reader->failed; i++) {
        render_duck *duck = &self->ducks[i];
        duck->shape.threshold = byte_reader_f64(reader);
        duck->shape.floor = byte_reader_f64(reader);
        duck->shape.look_ahead = byte_reader_u16(reader);
        duck->shape.attack = byte_reader_u16(reader);
        duck->shape.hold = byte_reader_u16(reader);
        duck->shape.release = byte_reader_u16(reader);
        duck->key_count = byte_reader_u16(reader);
        if (duck->key_count > DUCK_KEYS_MAX)
            reader->failed = true;
        for (uint32_t k = 0; k < duck->key_count && !reader->failed; k++)
            duck->keys[k] = byte_reader_u16(reader);
    }
}

status render_program_decode(render_program *out_program, render_term *terms_storage, uint32_t terms_capacity,
                             byte_reader *reader)
{
    render_program program = {0};
    if (byte_reader_u16(reader) != RENDER_VERSION)
        return STATUS_PEER_MALFORMED;
    program.sample_rate = byte_reader_u32(reader);
    program.input_count = byte_reader_u16(reader);
    program.output_count = byte_reader_u16(reader);
    program.output_lane_count = byte_reader_u16(reader);
    program.term_count = byte_reader_u32(reader);
    if (reader->failed || program.sample_rate < SAMPLE_RATE_MIN || program.sample_rate > SAMPLE_RATE_MAX ||
        program.input_count > PROGRAM_INPUT_LANES_MAX || program.output_count == 0 ||
        program.output_count > PROGRAM_OUTPUTS_MAX || program.output_lane_count > PROGRAM_OUTPUT_LANES_MAX ||
        program.term_count > PROGRAM_TERMS_MAX || program.term_count > terms_capacity)
        return STATUS_PEER_MALFORMED;
    for (uint32_t i = 0; i < program.input_count; i++) {
        program.inputs[i].stem = byte_reader_u16(reader);
        program.inputs[i].label = byte_reader_u8(reader);
        if (program.inputs[i].label == CHANNEL_NONE || program.inputs[i].label >= CHANNEL_LABEL_COUNT)
            return STATUS_PEER_MALFORMED;
    }
    for (uint32_t i = 0; i < program.output_count; i++) {
        program.outputs[i].deliverable = byte_reader_u16(reader);
        program.outputs[i].layout = byte_reader_u8(reader);
        program.outputs[i].encoding = byte_reader_u8(reader);
        program.outputs[i].overload = byte_reader_u8(reader);
        program.outputs[i].first_lane = byte_reader_u16(reader);
        program.outputs[i].dither_seed = byte_reader_u32(reader);
    }
    program.terms = terms_storage;
    for (uint32_t i = 0; i < program.term_count; i++) {
        terms_storage[i].input = byte_reader_u16(reader);
        terms_storage[i].output = byte_reader_u16(reader);
        terms_storage[i].gain = byte_reader_f64(reader);
    }
    render_program_decode_nodes(&program, reader);
    render_program_decode_limits(&program, reader);
    if (reader->failed || !render_program_outputs_valid(&program) || !render_program_terms_valid(&program) ||
        !render_program_nodes_valid(&program) || !render_program_limits_valid(&program))
        return STATUS_PEER_MALFORMED;
    *out_program = program;
    return STATUS_OK;
}

/* Frames of a number of slots, rounded up, and one slot more: a frame lies somewhere inside its own. */
static uint64_t slot_frames(const render_program *self, uint32_t slots)
{
    return ((uint64_t)slots + 1) * (self->sample_rate / 100 + 1);
}

/* The same in slots of a limiter. Its scan begins a tile earlier still, so that the filter has seen what was before. */
static uint64_t limit_frames(const render_program *self, uint32_t slots)
{
    return ((uint64_t)slots + 2) * (self->sample_rate / 1000 + 1) + PROGRAM_LIMIT_LEAD;
}

uint64_t render_program_limit_before(const render_program *self)
{
    uint64_t reach = 0;
    for (uint32_t i = 0; i < self->limit_count; i++) {
        uint64_t back = limit_frames(self, limit_shape_before(&self->limits[i].shape));
        reach = back > reach ? back : reach;
    }
    return reach;
}

uint64_t render_program_limit_after(const render_program *self)
{
    uint64_t reach = 0;
    for (uint32_t i = 0; i < self->limit_count; i++) {
        uint64_t ahead = limit_frames(self, limit_shape_after(&self->limits[i].shape));
        reach = ahead > reach ? ahead : reach;
    }
    return reach;
}

/* A duck whose sound is shifted afterwards sees its narration from the phase shifter's edge. */
static bool ducks_then_shifts(const render_program *self)
{
    bool chained = false;
    for (uint32_t i = 0; i < self->node_count; i++)
        chained = chained || self->nodes[i].output >= self->output_lane_count;
    return chained;
}

uint64_t render_program_reach_before(const render_program *self)
{
    uint64_t reach = self->phase_reach;
    for (uint32_t i = 0; i < self->duck_count; i++) {
        uint64_t back = slot_frames(self, duck_shape_before(&self->ducks[i].shape) + 1);
        back += ducks_then_shifts(self) ? self->phase_reach : 0;
        reach = back > reach ? back : reach;
    }
    return reach + render_program_limit_before(self);
}

uint64_t render_program_reach_after(const render_program *self)
{
    uint64_t reach = self->phase_reach;
    for (uint32_t i = 0; i < self->duck_count; i++) {
        uint64_t ahead = slot_frames(self, duck_shape_after(&self->ducks[i].shape) + 1);
        ahead += ducks_then_shifts(self) ? self->phase_reach : 0;
        reach = ahead > reach ? ahead : reach;
    }
    return reach + render_program_limit_after(self);
}

content_hash render_program_digest(const render_program *self)
{
    enum { CANONICAL_MAX = 1 << 20 };
    byte_writer writer;
    byte_writer_init(&writer, CANONICAL_MAX);
    render_program_encode(self, &writer);
    ENSURE(!writer.failed); /* the bounds of limits.h keep every program far below CANONICAL_MAX */
    content_hash digest = content_hash_of(writer.bytes, writer.size);
    byte_writer_deinit(&writer);
    return digest;
}
