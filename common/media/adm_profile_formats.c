/* Numbers and labels of formats, blocks, dbmd, and the two points where the EBU's renderer contradicts Dolby's profile. */
#include "common/media/adm_profile_parts.h"

#include "common/base/byte_reader.h"
#include "common/media/adm_bed.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { DBMD_VERSION = 0x01000006, DBMD_TRIMS = 10, DBMD_TRIMS_FIXED = 142, LFE_HIGHEST_HZ = 200 };
static const uint32_t dbmd_trims_sync = 0xF8726FBD;

static void judge_channel(judge *self, const element *channel, uint32_t type)
{
    const adm_block_breach *numbers = &self->document->numbers;
    bool speakers = adm_attribute_is(channel->node, "typeDefinition", "DirectSpeakers") &&
                    adm_attribute_is(channel->node, "typeLabel", "0001");
    bool objects = adm_attribute_is(channel->node, "typeDefinition", "Objects") && adm_attribute_is(channel->node, "typeLabel", "0003");
    if (!(speakers && type == 1) && !(objects && type == 3))
        adm_breach_add(self, ADM_RULE_FORMAT, "%s is not of DirectSpeakers (0001) or Objects (0003), as it is numbered", channel->id);
    if (channel->node == numbers->channel)
        adm_breach_add(self, ADM_RULE_BLOCK, "%s", numbers->what);
}

/* As Dolby's profile numbers formats; *out_number is 0 otherwise. */
static bool format_number(const char *id, uint32_t *out_type, uint32_t *out_number)
{
    bool good = adm_id_parts(id, out_type, out_number) && *out_number >= FIRST_NUMBER && (*out_type == 1 || *out_type == 3);
    *out_number = good ? *out_number : 0;
    return good;
}

void adm_judge_formats(judge *self)
{
    char wanted[VALUE_SIZE], rate[VALUE_SIZE], depth[VALUE_SIZE];
    for (int kind = CHANNEL; kind <= TRACK; kind++)
        for (uint32_t i = 0; i < self->count[kind]; i++) {
            const element *item = &self->items[kind][i];
            uint32_t type = 0, number = 0;
            bool good = format_number(item->id, &type, &number);
            if (!good)
                adm_breach_add(self, ADM_RULE_FORMAT, "%s is not numbered from 1001 on, of type 0001 or 0003", item->id);
            else if (kind == TRACK && strcmp(item->id + strlen(item->id) - 3, "_01") != 0)
                adm_breach_add(self, ADM_RULE_FORMAT, "%s does not end in _01", item->id);
            else if (kind != CHANNEL && (!adm_attribute_is(item->node, "formatDefinition", "PCM") ||
                                         !adm_attribute_is(item->node, "formatLabel", "0001")))
                adm_breach_add(self, ADM_RULE_FORMAT, "%s is not PCM, 0001", item->id);
            if (good && kind == CHANNEL)
                judge_channel(self, item, type);
        }
    for (uint32_t i = 0; i < self->count[UID]; i++) {
        const element *uid = &self->items[UID][i];
        snprintf(wanted, sizeof wanted, "ATU_%08x", i + 1);
        if (strcasecmp(uid->id, wanted) != 0)
            adm_breach_add(self, ADM_RULE_TRACK, "track %u is %s; %s", i + 1, uid->id, wanted);
        if (adm_attribute(uid->node, "sampleRate", rate)[0] == '\0' || adm_attribute(uid->node, "bitDepth", depth)[0] == '\0')
            adm_breach_add(self, ADM_RULE_TRACK, "%s does not say its sampleRate and bitDepth", uid->id);
    }
}

/* ---- blocks, as they come by ---- */

static void PRINTF_LIKE(3, 4) keep_breach(adm_block_breach *self, const xmlNode *channel, const char *format, ...)
{
    va_list values;
    if (self->channel != NULL)
        return; /* the first place is told */
    self->channel = channel;
    va_start(values, format);
    vsnprintf(self->what, sizeof self->what, format, values);
    va_end(values);
}

static void look_at_move(adm_document *self, const xmlNode *block, bool first)
{
    adm_block_breach *breach = &self->moves;
    const xmlNode *channel = block->parent;
    const char *id = self->id;
    char found[VALUE_SIZE];
    const xmlNode *jump = adm_child(block, "jumpPosition");
    double length = 0.0;
    double wanted = first ? 0.0 : 0.005208;
    if (adm_time(adm_attribute(block, "rtime", found)) < 0 || adm_time(adm_attribute(block, "duration", found)) < 0)
        keep_breach(breach, channel, "%s has a block without rtime and duration of five decimals", id);
    else if (strcmp(adm_text(adm_child(block, "cartesian"), found), "1") != 0)
        keep_breach(breach, channel, "%s has a block that is not cartesian", id);
    else if (jump == NULL || strcmp(adm_text(jump, found), "1") != 0)
        keep_breach(breach, channel, "%s has a block without jumpPosition 1", id);
    else if (!adm_number(adm_attribute(jump, "interpolationLength", found), &length) || fabs(length - wanted) > 1e-6)
        keep_breach(breach, channel, "%s has interpolationLength \"%s\"; %.6f", id, found, wanted);
}

static void look_at_block(void *context, const xmlNode *block, uint32_t number)
{
    adm_document *self = context;
    const xmlNode *channel = block->parent;
    char wanted[VALUE_SIZE], found[VALUE_SIZE];
    if (channel->parent != self->xml.extended)
        return;
    if (self->channel != channel) { /* once: it has many blocks, and its attributes may be long */
        self->channel = channel;
        self->objects = adm_attribute_is(channel, "typeDefinition", "Objects");
        (void)format_number(adm_attribute(channel, "audioChannelFormatID", self->id), &self->type, &self->number);
    }
    if (self->moves.channel == NULL && self->objects)
        look_at_move(self, block, number == 1);
    if (self->numbers.channel != NULL || self->number == 0)
        return;
    snprintf(wanted, sizeof wanted, "AB_%04x%04x_%08x", self->type, self->number, number);
    if (strcasecmp(adm_attribute(block, "audioBlockFormatID", found), wanted) != 0)
        keep_breach(&self->numbers, channel, "block %u of %s is %.24s; %s", number, self->id, found, wanted);
}

bool adm_document_read(adm_document *out_document, const adm_source *axml)
{
    *out_document = (adm_document){.number = 0};
    return adm_xml_read(&out_document->xml, axml, &(adm_block_visitor){look_at_block, out_document});
}

void adm_document_deinit(adm_document *self)
{
    adm_xml_deinit(&self->xml);
}

/* ---- dbmd ---- */

static void judge_segment(judge *self, uint32_t id, const uint8_t *bytes, size_t size, uint8_t checksum)
{
    uint32_t tracks = self->audio->channel_count;
    size_t wanted = id == 7 ? 96 : id == 9 ? 248 : id == DBMD_TRIMS ? DBMD_TRIMS_FIXED + 2 * (size_t)tracks : size;
    uint32_t sum = (uint32_t)size + checksum;
    for (size_t i = 0; i < size; i++)
        sum += bytes[i];
    byte_reader reader;
    byte_reader_init(&reader, bytes, size);
    if (sum % 256 != 0)
        adm_breach_add(self, ADM_RULE_DBMD, "the checksum of segment %u is wrong", id);
    else if (size != wanted)
        adm_breach_add(self, ADM_RULE_DBMD, "segment %u has %zu bytes; %zu", id, size, wanted);
    else if (id == DBMD_TRIMS && byte_reader_u32(&reader) != dbmd_trims_sync)
        adm_breach_add(self, ADM_RULE_DBMD, "segment %u does not begin with its sync word", id);
    else if (id == DBMD_TRIMS && byte_reader_u16(&reader) != tracks)
        adm_breach_add(self, ADM_RULE_DBMD, "segment %u is not of the %u tracks of the file", id, tracks);
}

void adm_judge_dbmd(judge *self, const uint8_t *dbmd, size_t size)
{
    bool seen[256] = {false};
    byte_reader reader;
    byte_reader_init(&reader, dbmd, size);
    if (size == 0) {
        adm_breach_add(self, ADM_RULE_DBMD, "the file has none");
        return;
    }
    if (byte_reader_u32(&reader) != DBMD_VERSION)
        adm_breach_add(self, ADM_RULE_DBMD, "it is not of version 1.0.0.6");
    for (;;) {
        uint8_t id = byte_reader_u8(&reader);
        if (reader.failed) {
            adm_breach_add(self, ADM_RULE_DBMD, "it ends before its last segment");
            return;
        }
        if (id == 0)
            break;
        uint32_t length = byte_reader_u16(&reader);
        const uint8_t *bytes = byte_reader_view(&reader, length);
        uint8_t checksum = byte_reader_u8(&reader);
        if (reader.failed)
            continue;
        seen[id] = true;
        judge_segment(self, id, bytes, length, checksum);
    }
    if (!seen[9] || !seen[DBMD_TRIMS])
        adm_breach_add(self, ADM_RULE_DBMD, "it has no segment %d", !seen[9] ? 9 : DBMD_TRIMS);
}

/* ---- the EBU's renderer ---- */

/* It knows an LFE by its low-pass alone. */
static bool sounds_low(const xmlNode *channel)
{
    char found[VALUE_SIZE];
    bool low = false;
    for (const xmlNode *at = channel->children; at != NULL; at = at->next) {
        double hertz = 0.0;
        if (!adm_is_named(at, "frequency"))
            continue;
        if (!adm_attribute_is(at, "typeDefinition", "lowPass"))
            return false;
        low = adm_number(adm_text(at, found), &hertz) && hertz > 0.0 && hertz <= LFE_HIGHEST_HZ;
    }
    return low;
}

void adm_judge_ebu(judge *self)
{
    char found[VALUE_SIZE];
    for (uint32_t i = 0; i < self->count[STREAM]; i++)
        if (adm_child(self->items[STREAM][i].node, "audioPackFormatIDRef") != NULL &&
            adm_child(self->items[STREAM][i].node, "audioChannelFormatIDRef") != NULL)
            adm_breach_add(self, ADM_RULE_EBU_STREAM, "%s names a channel and a pack, which the EBU's renderer refuses; one of them",
                           self->items[STREAM][i].id);
    for (uint32_t i = 0; i < self->count[CHANNEL]; i++) {
        const element *channel = &self->items[CHANNEL][i];
        const xmlNode *block = adm_child(channel->node, "audioBlockFormat");
        const xmlNode *label = block == NULL ? NULL : adm_child(block, "speakerLabel");
        if (adm_speaker_label(adm_text(label, found)) == CHANNEL_LFE && !sounds_low(channel->node))
            adm_breach_add(self, ADM_RULE_EBU_LFE, "%s, %s, has no lowPass frequency of at most %d Hz; the EBU's renderer plays it full-range",
                           channel->id, found, LFE_HIGHEST_HZ);
    }
}
