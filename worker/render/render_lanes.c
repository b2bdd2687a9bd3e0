/* Where the channels of outputs lie in tiles, and which of them hold the same samples. */
#include "worker/render/render_parts.h"

#include <string.h>

static uint32_t quantise_bits(uint8_t encoding)
{
    switch ((sample_encoding)encoding) {
    case ENCODING_PCM_16:
    case ENCODING_PCM_24:
    case ENCODING_PCM_32:
        return sample_encoding_bits((sample_encoding)encoding);
    case ENCODING_FLOAT_32:
        return QUANTISE_FLOAT_32;
    case ENCODING_NONE:
    case ENCODING_FLOAT_64:
    default:
        return QUANTISE_MEASURE_ONLY;
    }
}

/* Nothing is done to the sum of an output's terms but rounding. */
static bool output_plain(const render_program *program, uint32_t output)
{
    const render_output *wanted = &program->outputs[output];
    uint32_t end = wanted->first_lane + channel_layout_get((channel_layout_id)wanted->layout)->channel_count;
    bool plain = wanted->dither_seed == 0;
    for (uint32_t i = 0; i < program->limit_count; i++)
        plain = plain && program->limits[i].output != output;
    for (uint32_t i = 0; i < program->node_count; i++)
        plain = plain && (program->nodes[i].output < wanted->first_lane || program->nodes[i].output >= end);
    return plain;
}

/* The first of an output lane's terms; they follow each other. */
static const render_term *lane_terms(const render_program *program, uint32_t lane, uint32_t *out_count)
{
    uint32_t first = 0;
    while (first < program->term_count && program->terms[first].output < lane)
        first++;
    uint32_t end = first;
    while (end < program->term_count && program->terms[end].output == lane)
        end++;
    *out_count = end - first;
    return program->terms + first;
}

static bool lanes_alike(const render_program *program, uint32_t a, uint32_t b)
{
    uint32_t a_count = 0;
    uint32_t b_count = 0;
    const render_term *a_terms = lane_terms(program, a, &a_count);
    const render_term *b_terms = lane_terms(program, b, &b_count);
    bool alike = a_count == b_count;
    for (uint32_t i = 0; alike && i < a_count; i++)
        alike = a_terms[i].input == b_terms[i].input && memcmp(&a_terms[i].gain, &b_terms[i].gain, sizeof(double)) == 0;
    return alike;
}

/*
 * A fold leaves many channels as they are, and those of two outputs hold the same samples: they are mixed, rounded and measured
 * once. Two channels at a time, as they are correlated in pairs.
 */
static void find_same(render_lanes *self, const render_program *program)
{
    for (uint32_t i = 0; i < program->output_lane_count; i++)
        self->same_as[i] = (uint16_t)i;
    for (uint32_t b = 1; b < program->output_count; b++) {
        const render_output *output = &program->outputs[b];
        uint32_t channels = channel_layout_get((channel_layout_id)output->layout)->channel_count;
        for (uint32_t a = 0; a < b && output_plain(program, b); a++) {
            const render_output *before = &program->outputs[a];
            uint32_t other = channel_layout_get((channel_layout_id)before->layout)->channel_count;
            if (before->encoding != output->encoding || !output_plain(program, a))
                continue;
            for (uint32_t c = 0; c + 1 < channels; c += 2)
                for (uint32_t k = 0; k + 1 < other && self->same_as[output->first_lane + c] == output->first_lane + c; k += 2)
                    if (self->same_as[before->first_lane + k] == before->first_lane + k &&
                        lanes_alike(program, before->first_lane + k, output->first_lane + c) &&
                        lanes_alike(program, before->first_lane + k + 1, output->first_lane + c + 1)) {
                        self->same_as[output->first_lane + c] = (uint16_t)(before->first_lane + k);
                        self->same_as[output->first_lane + c + 1] = (uint16_t)(before->first_lane + k + 1);
                    }
        }
    }
}

/* Where another lane stands. */
static void place_other(render_lanes *self, uint32_t lane, uint32_t output, uint32_t channel)
{
    self->tile_of[lane] = self->tile_of[self->same_as[lane]];
    self->lane_of[lane] = self->lane_of[self->same_as[lane]];
    render_owner *first = &self->owners[self->tile_of[lane]][self->lane_of[lane]];
    self->others[lane] = (render_owner){.used = true, .output = (uint8_t)output, .channel = (uint8_t)channel, .also = first->also};
    first->also = &self->others[lane];
}

/* whole: eight channels of an output at a time stay in one tile, and so does the rest; else lanes just follow each other. */
static void place_lanes(render_lanes *self, const render_program *program, bool whole)
{
    uint32_t used[OUTPUT_TILES_MAX] = {0};
    *self = (render_lanes){0};
    find_same(self, program);
    for (uint32_t i = 0; i < program->output_count; i++) {
        const render_output *output = &program->outputs[i];
        uint32_t channels = channel_layout_get((channel_layout_id)output->layout)->channel_count;
        uint32_t bits = quantise_bits(output->encoding);
        uint32_t edge = channels > 1 ? 2 : 1; /* pairs of channels side by side: dsp_table.signal_measure() correlates them */
        uint8_t own[LAYOUT_CHANNELS_MAX];
        uint32_t own_count = 0;
        for (uint32_t c = 0; c < channels; c++)
            if (self->same_as[output->first_lane + c] == output->first_lane + c)
                own[own_count++] = (uint8_t)c;
            else
                place_other(self, output->first_lane + c, i, c);
        for (uint32_t c = 0; c < own_count;) {
            uint32_t left = own_count - c < TILE_LANES ? own_count - c : TILE_LANES;
            uint32_t tile = whole || self->tile_count == 0 ? 0 : self->tile_count - 1;
            uint32_t lane = 0;
            for (; tile < self->tile_count; tile++) {
                lane = (used[tile] + edge - 1) / edge * edge;
                if (self->bits[tile] == bits && lane + (whole ? left : 1) <= TILE_LANES)
                    break;
            }
            if (tile == self->tile_count) {
                self->bits[self->tile_count++] = bits;
                lane = 0;
            }
            for (; left > 0 && lane < TILE_LANES; left--, lane++, c++) {
                self->tile_of[output->first_lane + own[c]] = (uint16_t)tile;
                self->lane_of[output->first_lane + own[c]] = (uint8_t)lane;
                self->owners[tile][lane] = (render_owner){.used = true, .output = (uint8_t)i, .channel = own[c]};
            }
            used[tile] = lane;
        }
    }
}

/*
 * Lanes are packed across outputs; a tile is quantised as a whole, so it holds one depth only. What lies in one tile is packed at
 * once, but another tile costs more than that saves.
 */
void render_lanes_make(render_lanes *self, const render_program *program)
{
    place_lanes(self, program, false);
    uint32_t least = self->tile_count;
    place_lanes(self, program, true);
    if (self->tile_count > least)
        place_lanes(self, program, false);
}

uint32_t render_lanes_terms(const render_lanes *self, const render_program *program, mix_term *out_terms)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < program->term_count; i++) {
        const render_term *term = &program->terms[i];
        mix_term *placed = &out_terms[count];
        *placed = (mix_term){.input_tile = term->input / TILE_LANES, .input_lane = term->input % TILE_LANES, .gain = term->gain};
        if (term->output >= program->output_lane_count) {
            uint32_t side = term->output - program->output_lane_count;
            placed->output_tile = (uint16_t)(self->tile_count + side / TILE_LANES);
            placed->output_lane = (uint16_t)(side % TILE_LANES);
        } else if (self->same_as[term->output] == term->output) {
            placed->output_tile = self->tile_of[term->output];
            placed->output_lane = self->lane_of[term->output];
        } else {
            continue;
        }
        count++;
    }
    return count;
}
