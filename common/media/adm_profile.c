#include "common/media/adm_profile_parts.h"

#include "common/base/byte_reader.h"
#include "common/base/status.h"
#include "common/media/adm_bed.h"
#include "common/media/adm_xml.h"

#include <libxml/parser.h>
#include <libxml/tree.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { PARTS_MAX = 65536, TRACKS_MAX = 128, CONTENTS_MAX = 123, OBJECT_PACKS_MAX = 118, BED_CHANNELS_MAX = 10 };

static const struct {
    const char *name, *id;
} kinds[ELEMENT_KINDS] = {
    {"audioProgramme", "audioProgrammeID"},         {"audioContent", "audioContentID"},
    {"audioObject", "audioObjectID"},               {"audioPackFormat", "audioPackFormatID"},
    {"audioChannelFormat", "audioChannelFormatID"}, {"audioStreamFormat", "audioStreamFormatID"},
    {"audioTrackFormat", "audioTrackFormatID"},     {"audioTrackUID", "UID"},
};

void adm_breach_add(judge *self, adm_rule rule, const char *format, ...)
{
    adm_profile *profile = self->profile;
    for (uint32_t i = 0; i < profile->breach_count; i++)
        if (profile->breaches[i].rule == rule)
            return; /* the first place is told */
    adm_breach *made = &profile->breaches[profile->breach_count++];
    made->rule = (uint8_t)rule;
    va_list values;
    va_start(values, format);
    vsnprintf(made->what, sizeof made->what, format, values);
    va_end(values);
    for (char *at = made->what; *at != '\0'; at++)
        if ((unsigned char)*at < ' ' || (unsigned char)*at > '~')
            *at = '?'; /* names of strangers; a cut UTF-8 sequence too */
}

/* ---- reading the tree ---- */

bool adm_is_named(const xmlNode *node, const char *name)
{
    return node->type == XML_ELEMENT_NODE && strcmp((const char *)node->name, name) == 0;
}

const xmlNode *adm_child(const xmlNode *node, const char *name)
{
    for (const xmlNode *at = node->children; at != NULL; at = at->next)
        if (adm_is_named(at, name))
            return at;
    return NULL;
}

uint32_t adm_child_count(const xmlNode *node, const char *name)
{
    uint32_t count = 0;
    for (const xmlNode *at = node->children; at != NULL; at = at->next)
        count += adm_is_named(at, name);
    return count;
}

static void take_value(char out[VALUE_SIZE], xmlChar *value)
{
    const char *from = value == NULL ? "" : (const char *)value;
    from += strspn(from, " \t\r\n");
    snprintf(out, VALUE_SIZE, "%.*s", (int)strcspn(from, " \t\r\n"), from);
    xmlFree(value);
}

const char *adm_text(const xmlNode *node, char out[VALUE_SIZE])
{
    take_value(out, node == NULL ? NULL : xmlNodeGetContent(node));
    return out;
}

const char *adm_attribute(const xmlNode *node, const char *name, char out[VALUE_SIZE])
{
    take_value(out, node == NULL ? NULL : xmlGetProp(node, BAD_CAST name));
    return out;
}

bool adm_attribute_is(const xmlNode *node, const char *name, const char *wanted)
{
    char found[VALUE_SIZE];
    return strcmp(adm_attribute(node, name, found), wanted) == 0;
}

bool adm_number(const char *text, double *out_number)
{
    char *end = NULL;
    *out_number = strtod(text, &end);
    return end != text && *end == '\0' && isfinite(*out_number);
}

int64_t adm_time(const char *text)
{
    unsigned hours = 0, minutes = 0, seconds = 0, rest = 0;
    int read = 0;
    if (strlen(text) != 14 || sscanf(text, "%2u:%2u:%2u.%5u%n", &hours, &minutes, &seconds, &rest, &read) != 4 || read != 14 ||
        minutes > 59 || seconds > 59)
        return -1;
    return (((int64_t)hours * 60 + minutes) * 60 + seconds) * 100000 + rest;
}

const element *adm_find(const judge *self, element_kind kind, const char *id)
{
    for (uint32_t i = 0; i < self->count[kind]; i++)
        if (strcasecmp(self->items[kind][i].id, id) == 0)
            return &self->items[kind][i];
    return NULL;
}

/* What elements other than channels, whose blocks are many, consist of: gone through for each of them and each reference. */
static bool parts_are_bounded(judge *self)
{
    uint32_t count = 0;
    for (int kind = 0; kind < ELEMENT_KINDS; kind++)
        for (uint32_t i = 0; kind != CHANNEL && i < self->count[kind]; i++)
            for (const xmlNode *at = self->items[kind][i].node->children; at != NULL; at = at->next)
                if (at->type != XML_TEXT_NODE && ++count > PARTS_MAX) {
                    adm_breach_add(self, ADM_RULE_AXML, "more than %d parts of elements up to %s; no profile has as many",
                                   PARTS_MAX, self->items[kind][i].id);
                    return false;
                }
    return true;
}

static bool collect(judge *self, const xmlNode *extended)
{
    for (const xmlNode *at = extended->children; at != NULL; at = at->next)
        for (int kind = 0; kind < ELEMENT_KINDS; kind++) {
            if (!adm_is_named(at, kinds[kind].name))
                continue;
            if (self->count[kind] == ELEMENTS_MAX) {
                adm_breach_add(self, ADM_RULE_AXML, "more than %d of %s; no profile has as many", ELEMENTS_MAX, kinds[kind].name);
                return false;
            }
            element *made = &self->items[kind][self->count[kind]++];
            made->node = at;
            (void)adm_attribute(at, kinds[kind].id, made->id);
        }
    return parts_are_bounded(self);
}

/* ---- what holds for every file ---- */

static void judge_identifiers(judge *self)
{
    for (int kind = 0; kind < ELEMENT_KINDS; kind++)
        for (uint32_t i = 0; i < self->count[kind]; i++) {
            const char *id = self->items[kind][i].id;
            if (id[0] == '\0')
                adm_breach_add(self, ADM_RULE_IDENTIFIER, "%s %u has no %s", kinds[kind].name, i + 1, kinds[kind].id);
            else if (adm_find(self, (element_kind)kind, id) != &self->items[kind][i])
                adm_breach_add(self, ADM_RULE_IDENTIFIER, "%s stands twice", id);
        }
}

/* The number of AP_00031001 or AT_00031001_01 is 1001, in hexadecimal; type is 3. */
bool adm_id_parts(const char *id, uint32_t *out_type, uint32_t *out_number)
{
    unsigned type = 0, number = 0;
    bool whole = strlen(id) >= 11 && sscanf(id + 3, "%4x%4x", &type, &number) == 2;
    *out_type = type;
    *out_number = number;
    return whole;
}

static bool is_common(const char *id)
{
    uint32_t type = 0, number = 0;
    return adm_id_parts(id, &type, &number) && number < COMMON_NUMBER_END;
}

static void judge_references(judge *self)
{
    static const struct {
        element_kind from;
        const char *name;
        element_kind to;
    } references[] = {
        {PROGRAMME, "audioContentIDRef", CONTENT},  {CONTENT, "audioObjectIDRef", OBJECT},
        {OBJECT, "audioPackFormatIDRef", PACK},     {OBJECT, "audioTrackUIDRef", UID},
        {PACK, "audioChannelFormatIDRef", CHANNEL}, {STREAM, "audioChannelFormatIDRef", CHANNEL},
        {STREAM, "audioPackFormatIDRef", PACK},     {STREAM, "audioTrackFormatIDRef", TRACK},
        {TRACK, "audioStreamFormatIDRef", STREAM},  {UID, "audioTrackFormatIDRef", TRACK},
        {UID, "audioPackFormatIDRef", PACK},        {UID, "audioChannelFormatIDRef", CHANNEL},
    };
    char id[VALUE_SIZE];
    for (size_t r = 0; r < sizeof references / sizeof references[0]; r++)
        for (uint32_t i = 0; i < self->count[references[r].from]; i++) {
            const element *from = &self->items[references[r].from][i];
            for (const xmlNode *at = from->node->children; at != NULL; at = at->next) {
                if (!adm_is_named(at, references[r].name))
                    continue;
                (void)adm_text(at, id);
                bool formats = references[r].to >= PACK && references[r].to <= TRACK;
                if (adm_find(self, references[r].to, id) == NULL && !(formats && is_common(id)))
                    adm_breach_add(self, ADM_RULE_REFERENCE, "%s names %s, which axml does not define", from->id, id);
            }
        }
}

static bool record_field(byte_reader *reader, size_t size, char out[VALUE_SIZE])
{
    const uint8_t *bytes = byte_reader_view(reader, size);
    if (bytes == NULL)
        return false;
    memcpy(out, bytes, size);
    out[size] = '\0';
    out[strcspn(out, " ")] = '\0';
    return true;
}

/* What an audioTrackUID of axml refers to. Read once: many records may name one, and its text may be long. */
typedef struct uid_formats {
    bool has_track, has_pack;
    char track[VALUE_SIZE], pack[VALUE_SIZE];
} uid_formats;

static uid_formats *read_uids(const judge *self)
{
    uid_formats *made = calloc(self->count[UID] + 1u, sizeof *made);
    for (uint32_t i = 0; made != NULL && i < self->count[UID]; i++) {
        const xmlNode *track = adm_child(self->items[UID][i].node, "audioTrackFormatIDRef");
        const xmlNode *pack = adm_child(self->items[UID][i].node, "audioPackFormatIDRef");
        made[i].has_track = track != NULL;
        made[i].has_pack = pack != NULL;
        (void)adm_text(track, made[i].track);
        (void)adm_text(pack, made[i].pack);
    }
    return made;
}

static void judge_record(judge *self, byte_reader *reader, const uid_formats *uids, bool *seen)
{
    char uid[VALUE_SIZE], track[VALUE_SIZE], pack[VALUE_SIZE];
    uint32_t index = byte_reader_u16(reader);
    bool whole = record_field(reader, 12, uid) && record_field(reader, 14, track) && record_field(reader, 11, pack);
    (void)byte_reader_u8(reader);
    if (!whole || index == 0)
        return; /* room for later records */
    if (index > self->audio->channel_count) {
        adm_breach_add(self, ADM_RULE_CHNA, "%s lies in track %u of %u", uid, index, self->audio->channel_count);
        return;
    }
    seen[index - 1] = true;
    const element *of = adm_find(self, UID, uid);
    if (of == NULL) {
        adm_breach_add(self, ADM_RULE_CHNA, "track %u is %s, which axml does not define", index, uid);
        return;
    }
    const uid_formats *said = &uids[of - self->items[UID]];
    if (said->has_track && strcasecmp(said->track, track) != 0)
        adm_breach_add(self, ADM_RULE_CHNA, "%s is %s in chna and %s in axml", uid, track, said->track);
    if (said->has_pack && strcasecmp(said->pack, pack) != 0)
        adm_breach_add(self, ADM_RULE_CHNA, "%s is of %s in chna and of %s in axml", uid, pack, said->pack);
}

static void judge_chna(judge *self, const uint8_t *chna, size_t size)
{
    byte_reader reader;
    byte_reader_init(&reader, chna, size);
    uint32_t tracks = byte_reader_u16(&reader);
    uint32_t count = byte_reader_u16(&reader);
    uint32_t distinct = 0;
    if (reader.failed || count * 40u > byte_reader_left(&reader)) {
        adm_breach_add(self, ADM_RULE_CHNA, "%u records do not fit in its %zu bytes", count, size);
        return;
    }
    uid_formats *uids = read_uids(self);
    bool *seen = uids == NULL ? NULL : calloc(self->audio->channel_count + 1u, sizeof *seen);
    for (uint32_t i = 0; seen != NULL && i < count; i++)
        judge_record(self, &reader, uids, seen);
    for (uint32_t i = 0; seen != NULL && i < self->audio->channel_count; i++) {
        distinct += seen[i];
        if (!seen[i])
            adm_breach_add(self, ADM_RULE_CHNA, "nothing says what track %u is", i + 1);
    }
    if (seen != NULL && tracks != distinct)
        adm_breach_add(self, ADM_RULE_CHNA, "it says %u tracks and has records of %u", tracks, distinct);
    free(uids);
    free(seen);
}

static void judge_uids(judge *self)
{
    for (uint32_t i = 0; i < self->count[UID]; i++) {
        const element *uid = &self->items[UID][i];
        char rate[VALUE_SIZE], depth[VALUE_SIZE], found[VALUE_SIZE];
        snprintf(rate, sizeof rate, "%u", self->audio->sample_rate);
        snprintf(depth, sizeof depth, "%u", self->audio->bit_depth);
        if (adm_attribute(uid->node, "sampleRate", found)[0] != '\0' && strcmp(found, rate) != 0)
            adm_breach_add(self, ADM_RULE_UID, "%s says %s Hz, the file has %s", uid->id, found, rate);
        if (adm_attribute(uid->node, "bitDepth", found)[0] != '\0' && strcmp(found, depth) != 0)
            adm_breach_add(self, ADM_RULE_UID, "%s says %s bit, the file has %s", uid->id, found, depth);
    }
}

/* ---- Dolby's profile ---- */

static void judge_counts(judge *self)
{
    const adm_audio *audio = self->audio;
    if ((audio->sample_rate != 48000 && audio->sample_rate != 96000) || audio->bit_depth != 24 ||
        audio->channel_count > TRACKS_MAX)
        adm_breach_add(self, ADM_RULE_AUDIO, "%u Hz, %u bit, %u tracks; 48000 or 96000 Hz, 24 bit and at most %d tracks belong there",
               audio->sample_rate, audio->bit_depth, audio->channel_count, TRACKS_MAX);
    for (int kind = CONTENT; kind < ELEMENT_KINDS; kind++) {
        uint32_t most = kind <= PACK ? CONTENTS_MAX : TRACKS_MAX;
        if (self->count[kind] > most)
            adm_breach_add(self, ADM_RULE_COUNTS, "%u of %s; at most %u", self->count[kind], kinds[kind].name, most);
    }
    uint32_t objects = 0;
    for (uint32_t i = 0; i < self->count[PACK]; i++)
        objects += adm_attribute_is(self->items[PACK][i].node, "typeDefinition", "Objects");
    if (objects > OBJECT_PACKS_MAX)
        adm_breach_add(self, ADM_RULE_COUNTS, "%u packs of objects; at most %d", objects, OBJECT_PACKS_MAX);
}

static void judge_programme(judge *self)
{
    char found[VALUE_SIZE], end[VALUE_SIZE];
    const element *programme = &self->items[PROGRAMME][0];
    if (self->count[PROGRAMME] != 1)
        adm_breach_add(self, ADM_RULE_PROGRAMME, "%u programmes; exactly one", self->count[PROGRAMME]);
    if (strcmp(programme->id, "APR_1001") != 0)
        adm_breach_add(self, ADM_RULE_PROGRAMME, "its identifier is %s; APR_1001", programme->id);
    if (adm_time(adm_attribute(programme->node, "start", found)) != 0)
        adm_breach_add(self, ADM_RULE_PROGRAMME, "it starts at \"%s\"; 00:00:00.00000", found);
    int64_t at = adm_time(adm_attribute(programme->node, "end", end));
    if (at < self->length - 1 || at > self->length + 1) /* the sixth decimal may have been cut or rounded */
        adm_breach_add(self, ADM_RULE_PROGRAMME, "it ends at \"%s\"; the audio lasts %.5f s", end, (double)self->length / 100000.0);
    for (uint32_t i = 0; i < self->count[CONTENT]; i++) {
        const element *content = &self->items[CONTENT][i];
        const xmlNode *dialogue = adm_child(content->node, "dialogue");
        char wanted[VALUE_SIZE];
        snprintf(wanted, sizeof wanted, "ACO_%04x", FIRST_NUMBER + i);
        if (strcasecmp(content->id, wanted) != 0)
            adm_breach_add(self, ADM_RULE_CONTENT, "content %u is %s; %s", i + 1, content->id, wanted);
        if (dialogue == NULL || !adm_attribute_is(dialogue, "mixedContentKind", "0") || strcmp(adm_text(dialogue, found), "2") != 0)
            adm_breach_add(self, ADM_RULE_CONTENT, "%s is not said to be mixed (dialogue 2, mixedContentKind 0)", content->id);
    }
}

static void judge_object(judge *self, const element *object, int64_t end)
{
    char pack[VALUE_SIZE], found[VALUE_SIZE];
    uint32_t type = 0, number = 0;
    unsigned own = 0;
    if (adm_child_count(object->node, "audioPackFormatIDRef") != 1)
        adm_breach_add(self, ADM_RULE_OBJECT, "%s names %u packs; exactly one", object->id,
               adm_child_count(object->node, "audioPackFormatIDRef"));
    (void)adm_text(adm_child(object->node, "audioPackFormatIDRef"), pack);
    if (adm_time(adm_attribute(object->node, "start", found)) != 0)
        adm_breach_add(self, ADM_RULE_OBJECT, "%s starts at \"%s\"; 00:00:00.00000", object->id, found);
    if (adm_time(adm_attribute(object->node, "duration", found)) != end)
        adm_breach_add(self, ADM_RULE_OBJECT, "%s lasts \"%s\"; as long as the programme", object->id, found);
    if (adm_attribute(object->node, "interact", found)[0] != '\0' && strcmp(found, "0") != 0)
        adm_breach_add(self, ADM_RULE_OBJECT, "%s has interact %s; 0", object->id, found);
    if (adm_attribute(object->node, "disableDucking", found)[0] != '\0' && strcmp(found, "1") != 0)
        adm_breach_add(self, ADM_RULE_OBJECT, "%s has disableDucking %s; 1", object->id, found);
    if (sscanf(object->id, "AO_%4x", &own) != 1 || own < FIRST_NUMBER)
        adm_breach_add(self, ADM_RULE_OBJECT, "%s is no identifier from AO_1001 on", object->id);
    if (adm_id_parts(pack, &type, &number) && type == 3 && own < FIRST_OBJECT_NUMBER)
        adm_breach_add(self, ADM_RULE_OBJECT, "%s is an object that moves; their identifiers begin at AO_100b", object->id);
}

/* The labels of a bed's channels, in order, are those of a layout. */
static void judge_bed(judge *self, const element *pack)
{
    channel_label labels[BED_CHANNELS_MAX];
    char id[VALUE_SIZE], found[VALUE_SIZE];
    uint32_t count = 0;
    for (const xmlNode *at = pack->node->children; at != NULL; at = at->next) {
        if (!adm_is_named(at, "audioChannelFormatIDRef"))
            continue;
        const element *channel = adm_find(self, CHANNEL, adm_text(at, id));
        const xmlNode *block = channel == NULL ? NULL : adm_child(channel->node, "audioBlockFormat");
        if (count == BED_CHANNELS_MAX) {
            adm_breach_add(self, ADM_RULE_BED, "%s has more than %d channels", pack->id, BED_CHANNELS_MAX);
            return;
        }
        labels[count++] = block == NULL ? CHANNEL_NONE : adm_speaker_label(adm_text(adm_child(block, "speakerLabel"), found));
    }
    for (int id_of = LAYOUT_NONE + 1; id_of < LAYOUT_COUNT; id_of++) {
        const channel_layout *layout = channel_layout_get((channel_layout_id)id_of);
        if (adm_bed_layout(layout->id) && layout->channel_count == count &&
            memcmp(layout->labels, labels, count * sizeof *labels) == 0)
            return;
    }
    adm_breach_add(self, ADM_RULE_BED, "the %u channels of %s are no bed in the order L R C LFE Lss Rss Lrs Rrs Lts Rts", count, pack->id);
}

static void judge_packs(judge *self)
{
    for (uint32_t i = 0; i < self->count[PACK]; i++) {
        const element *pack = &self->items[PACK][i];
        uint32_t type = 0, number = 0;
        bool bed = adm_attribute_is(pack->node, "typeDefinition", "DirectSpeakers") && adm_attribute_is(pack->node, "typeLabel", "0001");
        bool object = adm_attribute_is(pack->node, "typeDefinition", "Objects") && adm_attribute_is(pack->node, "typeLabel", "0003");
        if (!adm_id_parts(pack->id, &type, &number) || number < FIRST_NUMBER || !((bed && type == 1) || (object && type == 3)))
            adm_breach_add(self, ADM_RULE_PACK, "%s is no pack of DirectSpeakers (0001) or Objects (0003) from number 1001 on", pack->id);
        else if (bed)
            judge_bed(self, pack);
        else if (adm_child_count(pack->node, "audioChannelFormatIDRef") != 1)
            adm_breach_add(self, ADM_RULE_PACK, "%s has %u channels; an object has one", pack->id,
                   adm_child_count(pack->node, "audioChannelFormatIDRef"));
    }
}

static bool at_position(const xmlNode *block, const char *coordinate, const char *wanted)
{
    char found[VALUE_SIZE];
    double is = 0.0, should = 0.0;
    for (const xmlNode *at = block->children; at != NULL; at = at->next)
        if (adm_is_named(at, "position") && adm_attribute_is(at, "coordinate", coordinate))
            return adm_number(adm_text(at, found), &is) && adm_number(wanted, &should) && fabs(is - should) < 1e-5;
    return false;
}

static void judge_bed_blocks(judge *self, const element *channel)
{
    char found[VALUE_SIZE], name[VALUE_SIZE];
    const xmlNode *block = adm_child(channel->node, "audioBlockFormat");
    uint32_t count = adm_xml_block_count(channel->node);
    if (count != 1 || block == NULL) {
        adm_breach_add(self, ADM_RULE_BED_BLOCK, "%s has %u blocks; exactly one", channel->id, count);
        return;
    }
    if (adm_attribute(block, "rtime", found)[0] != '\0' || adm_attribute(block, "duration", found)[0] != '\0')
        adm_breach_add(self, ADM_RULE_BED_BLOCK, "%s has a time (%s); a bed's block lasts as long as the bed", channel->id, found);
    if (strcmp(adm_text(adm_child(block, "cartesian"), found), "1") != 0)
        adm_breach_add(self, ADM_RULE_BED_BLOCK, "%s is not cartesian", channel->id);
    const adm_speaker *speaker = adm_speaker_of(adm_speaker_label(adm_text(adm_child(block, "speakerLabel"), found)));
    if (speaker == NULL || strcmp(speaker->speaker_label, found) != 0)
        adm_breach_add(self, ADM_RULE_BED_BLOCK, "%s is called \"%s\"; RC_L, RC_R, RC_C ...", channel->id, found);
    else if (strcmp(adm_attribute(channel->node, "audioChannelFormatName", name), speaker->name) != 0)
        adm_breach_add(self, ADM_RULE_BED_BLOCK, "%s, %s, is named \"%.40s\"; %s", channel->id, found, name, speaker->name);
    else if (!at_position(block, "X", speaker->x) || !at_position(block, "Y", speaker->y) || !at_position(block, "Z", speaker->z))
        adm_breach_add(self, ADM_RULE_BED_BLOCK, "%s, %s, does not lie at %.4s %.4s %.4s", channel->id, found, speaker->x, speaker->y,
               speaker->z);
}

static void judge_streams(judge *self)
{
    static const char *const names[] = {"audioChannelFormatIDRef", "audioPackFormatIDRef", "audioTrackFormatIDRef"};
    for (uint32_t i = 0; i < self->count[STREAM]; i++)
        for (size_t k = 0; k < sizeof names / sizeof names[0]; k++)
            if (adm_child_count(self->items[STREAM][i].node, names[k]) != 1)
                adm_breach_add(self, ADM_RULE_STREAM, "%s has %u of %s; exactly one", self->items[STREAM][i].id,
                       adm_child_count(self->items[STREAM][i].node, names[k]), names[k]);
}

static void judge_dolby(judge *self)
{
    char end[VALUE_SIZE];
    judge_counts(self);
    judge_programme(self);
    int64_t last = adm_time(adm_attribute(self->items[PROGRAMME][0].node, "end", end));
    for (uint32_t i = 0; i < self->count[OBJECT]; i++)
        judge_object(self, &self->items[OBJECT][i], last);
    judge_packs(self);
    for (uint32_t i = 0; i < self->count[CHANNEL]; i++) {
        const element *channel = &self->items[CHANNEL][i];
        if (!adm_attribute_is(channel->node, "typeDefinition", "Objects"))
            judge_bed_blocks(self, channel);
        else if (adm_xml_block_count(channel->node) == 0)
            adm_breach_add(self, ADM_RULE_OBJECT_BLOCK, "%s has no block", channel->id);
        else if (channel->node == self->document->moves.channel)
            adm_breach_add(self, ADM_RULE_OBJECT_BLOCK, "%s", self->document->moves.what);
    }
    judge_streams(self);
}

/* ---- the whole ---- */

static void judge_tree(judge *self, const adm_chunks *chunks)
{
    char name[VALUE_SIZE];
    if (!collect(self, self->document->xml.extended))
        return;
    judge_identifiers(self);
    judge_references(self);
    judge_chna(self, chunks->chna, chunks->chna_size);
    judge_uids(self);
    for (uint32_t i = 0; i < self->count[PROGRAMME]; i++)
        self->profile->dolby = self->profile->dolby || strcmp(adm_attribute(self->items[PROGRAMME][i].node,
                                                                           "audioProgrammeName", name), "Atmos_Master") == 0;
    if (self->profile->dolby) {
        judge_dolby(self);
        adm_judge_formats(self);
        adm_judge_dbmd(self, chunks->dbmd, chunks->dbmd_size);
    } else {
        adm_judge_ebu(self);
    }
}

void adm_profile_judge(const adm_document *document, const adm_chunks *chunks, const adm_audio *audio, adm_profile *out_profile)
{
    *out_profile = (adm_profile){.judged = true};
    judge self = {.document = document, .audio = audio, .profile = out_profile};
    const char *why = document->xml.why;
    if (audio->sample_rate > 0)
        self.length = (int64_t)((double)audio->frame_count / audio->sample_rate * 100000.0 + 0.5);
    element *all = calloc((size_t)ELEMENT_KINDS * ELEMENTS_MAX, sizeof *all);
    for (int kind = 0; kind < ELEMENT_KINDS && all != NULL; kind++)
        self.items[kind] = all + (size_t)kind * ELEMENTS_MAX;
    if (all == NULL)
        out_profile->judged = false;
    else if (document->xml.extended == NULL)
        adm_breach_add(&self, ADM_RULE_AXML, "%s", why != NULL ? why : "axml has no audioFormatExtended");
    else
        judge_tree(&self, chunks);
    free(all);
}

void adm_profile_judge_axml(const adm_source *axml, const adm_chunks *chunks, const adm_audio *audio, adm_profile *out_profile)
{
    adm_document document;
    (void)adm_document_read(&document, axml);
    adm_profile_judge(&document, chunks, audio, out_profile);
    adm_document_deinit(&document);
}
