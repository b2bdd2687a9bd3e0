/*
 * Where one side of a pair is turned upside down for a while: what its sides have in common turns its sign from one block to the
 * next, both sides going on as loud as they were, and turns back. Sound that is wide by itself comes and goes otherwise.
 */
#include "coordinator/verdict/finding_places.h"
#include "coordinator/verdict/judge_signal.h"

#include <math.h>

/* Ours; docs/qc-checks.md says what they find and miss. Blocks of 100 ms. */
enum { SIDE_BLOCKS = 10, NEAR_BLOCKS = 3, TURN_BLOCKS_MIN = 30 }; /* shorter ones are sound that has both */
static const double turned_min = 0.25;     /* correlation of the second on either side of an edge, its sign apart */
static const double unlike_max = 0.35;     /* between these two */
static const double level_change_db = 10.0; /* of a side over the edge */
static const double balance_change_db = 3.0;
static const double active_power = 1e-6;   /* -60 dBFS */
static const double against_share = 0.75;  /* of the blocks between the edges */

typedef struct turn_pair {
    const programme_signal *signal;
    uint32_t left, pair;
} turn_pair;

/* Of some blocks of a pair. */
typedef struct turn_sums {
    double left, right, cross;
} turn_sums;

static turn_sums sum_of(const turn_pair *self, size_t first, size_t end)
{
    turn_sums sums = {0};
    for (size_t b = first; b < end; b++) {
        const signal_block *block = &self->signal->blocks[b];
        sums.left += (double)block->energy[self->left];
        sums.right += (double)block->energy[self->left + 1];
        sums.cross += (double)block->cross[self->pair];
    }
    return sums;
}

static double correlation_of(const turn_sums *sums, size_t blocks)
{
    double floor = active_power * (double)blocks;
    return fmin(sums->left, sums->right) > floor ? sums->cross / sqrt(sums->left * sums->right) : 0.0;
}

/* Both sides go on, at one balance. */
static bool goes_on(const turn_pair *self, size_t block)
{
    const turn_sums before = sum_of(self, block - NEAR_BLOCKS, block);
    const turn_sums behind = sum_of(self, block + 1, block + 1 + NEAR_BLOCKS);
    double left = signal_db(behind.left) - signal_db(before.left);
    double right = signal_db(behind.right) - signal_db(before.right);
    return fabs(left) < level_change_db && fabs(right) < level_change_db && fabs(left - right) < balance_change_db;
}

/* What both have in common on either side of a block, which may hold some of both. */
typedef struct turn {
    double before, behind;
} turn;

static turn turn_at(const turn_pair *self, size_t block)
{
    if (block + SIDE_BLOCKS >= self->signal->block_count)
        return (turn){0};
    const turn_sums before = sum_of(self, block - SIDE_BLOCKS, block);
    const turn_sums behind = sum_of(self, block + 1, block + 1 + SIDE_BLOCKS);
    return (turn){correlation_of(&before, SIDE_BLOCKS), correlation_of(&behind, SIDE_BLOCKS)};
}

/* By how much it turns: below 0 where it turns against; 0: it does not. */
static double size_of(turn self)
{
    bool turns = fmin(fabs(self.before), fabs(self.behind)) >= turned_min && self.before * self.behind < 0.0;
    return turns ? self.behind - self.before : 0.0;
}

static bool is_against(const turn_pair *self, size_t first, size_t end)
{
    size_t against = 0;
    for (size_t b = first; b < end; b++)
        against += self->signal->blocks[b].cross[self->pair] < 0.0f;
    return (double)against >= against_share * (double)(end - first);
}

static void tell_turn(judgement *self, signal_rule *rule, const turn_pair *pair, size_t first, size_t last)
{
    const signal_block *blocks = pair->signal->blocks;
    const turn_sums sums = sum_of(pair, first + 1, last);
    const double correlation = correlation_of(&sums, last - first - 1);
    const double mono_db = signal_db((sums.left + sums.right + 2.0 * sums.cross) / (sums.left + sums.right));
    const uint64_t end = blocks[last].frame + blocks[last].frame_count;
    finding *item = signal_tell(self, rule, pair->left, blocks[first].frame, end, correlation, "");
    if (item == NULL)
        return;
    item->channels[item->channel_count++] = signal_channel_name(self, pair->left + 1);
    item->details_json = arena_format(self->memory, "{\"mono_change_db\": %.1f}", fmax(mono_db, -99.0));
    item->message = arena_format(self->memory, "%s or %s is upside down %s: what both have in common turns against itself there within 0.1 s, and back (correlation %.2f between). Turn the polarity of one of them there.",
                                 item->channels[0], item->channels[1],
                                 judgement_stretch(self, blocks[first].frame, end), correlation);
}

finding_stretches judge_signal_turns(judgement *self, signal_rule *rule, const programme_signal *signal, uint32_t left,
                                     uint32_t pair)
{
    const turn_pair sides = {signal, left, pair};
    finding_stretches found = {0};
    size_t open = 0; /* where it last turned against */
    for (size_t b = SIDE_BLOCKS; b + SIDE_BLOCKS < signal->block_count; b++) {
        turn best = turn_at(&sides, b);
        size_t at = b;
        for (turn next = turn_at(&sides, b + 1); size_of(next) * size_of(best) > 0.0; next = turn_at(&sides, b + 1)) {
            b++; /* the blocks beside an edge show it too */
            at = fabs(size_of(next)) > fabs(size_of(best)) ? b : at;
            best = at == b ? next : best;
        }
        if (size_of(best) == 0.0 || fabs(best.before + best.behind) > unlike_max || !goes_on(&sides, at))
            continue;
        bool back = size_of(best) > 0.0;
        if (back && open > 0 && at - open >= TURN_BLOCKS_MIN && is_against(&sides, open + 1, at)) {
            const signal_block *last = &signal->blocks[at];
            finding_stretches_add(self, &found, signal->blocks[open].frame, last->frame + last->frame_count);
            tell_turn(self, rule, &sides, open, at);
        }
        open = back ? 0 : at;
    }
    return found;
}
