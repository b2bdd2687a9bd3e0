#include "worker/media/adm_read.h"

#include "common/base/byte_reader.h"
#include "common/media/adm_bed.h"

#include <libxml/tree.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { ID_SIZE = ADM_NAME_SIZE, FORMATS_MAX = 2048, OBJECTS_TYPE = 3, SPEAKERS_TYPE = 1 };

typedef struct adm_format {
    char id[ID_SIZE];
    char refers[ID_SIZE]; /* track to stream, stream to channel; a channel's speaker label; a track's object by name */
} adm_format;

typedef enum format_kind { FORMAT_TRACK, FORMAT_STREAM, FORMAT_STREAM_TRACK, FORMAT_CHANNEL,
                           FORMAT_OBJECT_TRACK, FORMAT_KINDS } format_kind;

typedef struct adm_model {
    uint32_t count[FORMAT_KINDS];
    adm_format items[FORMAT_KINDS][FORMATS_MAX];
    char programme[ID_SIZE];
    char track_names[FILE_CHANNELS_MAX][ID_SIZE]; /* of the objects that they are */
    bool too_many;
} adm_model;

static adm_format *model_add(adm_model *self, format_kind kind, const char *id)
{
    if (self->count[kind] == FORMATS_MAX) {
        self->too_many = true;
        return NULL;
    }
    adm_format *made = &self->items[kind][self->count[kind]++];
    snprintf(made->id, sizeof made->id, "%s", id);
    made->refers[0] = '\0';
    return made;
}

static const adm_format *model_find(const adm_model *self, format_kind kind, const char *id)
{
    for (uint32_t i = 0; i < self->count[kind]; i++)
        if (strcasecmp(self->items[kind][i].id, id) == 0)
            return &self->items[kind][i];
    return NULL;
}

/* Text without the white space around it, cut to what an identifier or label takes. */
static void take_text(char out[ID_SIZE], const xmlChar *text)
{
    const char *from = (const char *)text;
    from += strspn(from, " \t\r\n");
    size_t length = strcspn(from, " \t\r\n");
    if (length >= ID_SIZE)
        length = ID_SIZE - 1;
    memcpy(out, from, length);
    out[length] = '\0';
}

/* A name for people: what cannot be printed is '?', and what is too long is cut between characters of UTF-8. */
static void take_name(char out[ID_SIZE], xmlChar *value)
{
    const char *from = value == NULL ? "" : (const char *)value;
    from += strspn(from, " \t\r\n");
    size_t length = strlen(from);
    if (length >= ID_SIZE)
        for (length = ID_SIZE - 1; length > 0 && ((unsigned char)from[length] & 0xC0) == 0x80;)
            length--;
    memcpy(out, from, length);
    out[length] = '\0';
    for (char *at = out; *at != '\0'; at++)
        if ((unsigned char)*at < ' ' || *at == 0x7F)
            *at = '?';
    xmlFree(value);
}

/* The formats that are open on the way through them, and the element whose text comes next. */
typedef struct adm_walk {
    adm_model *model;
    adm_format *open[FORMAT_KINDS];
    bool in_object;
    char object[ID_SIZE]; /* name of the one that is open */
    enum { TEXT_NONE, TEXT_OBJECT_TRACK, TEXT_TRACK_STREAM, TEXT_STREAM_CHANNEL, TEXT_STREAM_TRACK, TEXT_SPEAKER } wants;
} adm_walk;

static adm_format *walk_open(adm_walk *self, const xmlNode *node, format_kind kind, const char *attribute)
{
    char id[ID_SIZE] = "";
    xmlChar *value = xmlGetNoNsProp(node, BAD_CAST attribute);
    if (value != NULL)
        take_text(id, value);
    xmlFree(value);
    return model_add(self->model, kind, id);
}

static void walk_element(adm_walk *self, const xmlNode *node)
{
    const char *name = (const char *)node->name;
    self->wants = TEXT_NONE;
    if (strcmp(name, "audioTrackFormat") == 0)
        self->open[FORMAT_TRACK] = walk_open(self, node, FORMAT_TRACK, "audioTrackFormatID");
    else if (strcmp(name, "audioStreamFormat") == 0)
        self->open[FORMAT_STREAM] = walk_open(self, node, FORMAT_STREAM, "audioStreamFormatID");
    else if (strcmp(name, "audioChannelFormat") == 0)
        self->open[FORMAT_CHANNEL] = walk_open(self, node, FORMAT_CHANNEL, "audioChannelFormatID");
    else if (strcmp(name, "audioProgramme") == 0 && self->model->programme[0] == '\0')
        take_name(self->model->programme, xmlGetNoNsProp(node, BAD_CAST "audioProgrammeName"));
    else if (strcmp(name, "audioObject") == 0) {
        self->in_object = true;
        take_name(self->object, xmlGetNoNsProp(node, BAD_CAST "audioObjectName"));
    } else if (strcmp(name, "audioTrackUIDRef") == 0 && self->in_object)
        self->wants = TEXT_OBJECT_TRACK;
    else if (strcmp(name, "audioStreamFormatIDRef") == 0 && self->open[FORMAT_TRACK] != NULL)
        self->wants = TEXT_TRACK_STREAM;
    else if (strcmp(name, "audioChannelFormatIDRef") == 0 && self->open[FORMAT_STREAM] != NULL)
        self->wants = TEXT_STREAM_CHANNEL;
    else if (strcmp(name, "audioTrackFormatIDRef") == 0 && self->open[FORMAT_STREAM] != NULL)
        self->wants = TEXT_STREAM_TRACK;
    else if (strcmp(name, "speakerLabel") == 0 && self->open[FORMAT_CHANNEL] != NULL)
        self->wants = TEXT_SPEAKER;
}

static void walk_end(adm_walk *self, const char *name)
{
    self->wants = TEXT_NONE;
    if (strcmp(name, "audioTrackFormat") == 0)
        self->open[FORMAT_TRACK] = NULL;
    else if (strcmp(name, "audioStreamFormat") == 0)
        self->open[FORMAT_STREAM] = NULL;
    else if (strcmp(name, "audioChannelFormat") == 0)
        self->open[FORMAT_CHANNEL] = NULL;
    else if (strcmp(name, "audioObject") == 0)
        self->in_object = false;
}

static void walk_text(adm_walk *self, const xmlChar *text)
{
    if (self->wants == TEXT_TRACK_STREAM)
        take_text(self->open[FORMAT_TRACK]->refers, text);
    else if (self->wants == TEXT_STREAM_CHANNEL)
        take_text(self->open[FORMAT_STREAM]->refers, text);
    else if (self->wants == TEXT_SPEAKER && self->open[FORMAT_CHANNEL]->refers[0] == '\0')
        take_text(self->open[FORMAT_CHANNEL]->refers, text);
    else if (self->wants == TEXT_STREAM_TRACK || self->wants == TEXT_OBJECT_TRACK) {
        bool stream = self->wants == TEXT_STREAM_TRACK;
        char track[ID_SIZE];
        take_text(track, text);
        adm_format *back = model_add(self->model, stream ? FORMAT_STREAM_TRACK : FORMAT_OBJECT_TRACK, track);
        if (back != NULL)
            snprintf(back->refers, sizeof back->refers, "%s", stream ? self->open[FORMAT_STREAM]->id : self->object);
    }
    self->wants = TEXT_NONE;
}

/* As deep as libxml2 lets elements nest, which is 256. */
static void walk_nodes(adm_walk *self, const xmlNode *node)
{
    for (; node != NULL; node = node->next) {
        if (node->type == XML_ELEMENT_NODE) {
            walk_element(self, node);
            walk_nodes(self, node->children);
            walk_end(self, (const char *)node->name);
        } else if (node->type == XML_TEXT_NODE && self->wants != TEXT_NONE && !xmlIsBlankNode(node)) {
            walk_text(self, node->content);
        }
    }
}

/* ITU-R BS.2094: the common channels that files name without defining them. */
static channel_label common_channel(const char *id)
{
    static const struct {
        const char *id;
        channel_label label;
    } common[] = {
        {"AC_00010001", CHANNEL_L},   {"AC_00010002", CHANNEL_R},   {"AC_00010003", CHANNEL_C},   {"AC_00010004", CHANNEL_LFE},
        {"AC_00010005", CHANNEL_LS},  {"AC_00010006", CHANNEL_RS},  {"AC_0001000a", CHANNEL_LSS}, {"AC_0001000b", CHANNEL_RSS},
        {"AC_0001001c", CHANNEL_LRS}, {"AC_0001001d", CHANNEL_RRS},
    };
    for (size_t i = 0; i < sizeof common / sizeof common[0]; i++)
        if (strcasecmp(common[i].id, id) == 0)
            return common[i].label;
    return CHANNEL_NONE;
}

/* From a track format of chna ("AT_00011001_01", since BS.2076-2 also "AC_00011001_00") to its channel format. */
static void track_channel(const adm_model *self, const char *track, char out_channel[ID_SIZE])
{
    const adm_format *of_track = model_find(self, FORMAT_TRACK, track);
    const adm_format *back = model_find(self, FORMAT_STREAM_TRACK, track);
    const char *stream = of_track != NULL && of_track->refers[0] != '\0' ? of_track->refers : back != NULL ? back->refers : "";
    const adm_format *of_stream = model_find(self, FORMAT_STREAM, stream);
    if (of_stream != NULL && of_stream->refers[0] != '\0')
        snprintf(out_channel, ID_SIZE, "%s", of_stream->refers);
    else
        snprintf(out_channel, ID_SIZE, "AC_%.8s", strlen(track) > 3 ? track + 3 : "");
}

static uint32_t channel_type(const char *channel)
{
    unsigned type = 0;
    return sscanf(channel, "AC_%4x", &type) == 1 ? type : 0;
}

static bool record_field(byte_reader *reader, size_t size, char out[ID_SIZE])
{
    const uint8_t *bytes = byte_reader_view(reader, size);
    if (bytes == NULL)
        return false;
    memcpy(out, bytes, size);
    out[size] = '\0';
    out[strcspn(out, " ")] = '\0';
    return true;
}

static void say(media_adm *adm, const char *sentence)
{
    snprintf(adm->problem, sizeof adm->problem, "%s", sentence);
}

static void read_record(adm_model *model, byte_reader *reader, uint32_t channel_count, media_adm *adm)
{
    char uid[ID_SIZE], track[ID_SIZE], channel[ID_SIZE];
    uint32_t index = byte_reader_u16(reader);
    bool whole = record_field(reader, 12, uid) && record_field(reader, 14, track);
    (void)byte_reader_view(reader, 12);
    if (!whole || index == 0)
        return; /* BS.2088: records without a track are room for later ones */
    if (index > channel_count || index > FILE_CHANNELS_MAX) {
        say(adm, "chna names a track that the file does not have");
        return;
    }
    track_channel(model, track, channel);
    uint32_t type = channel_type(channel);
    const adm_format *format = model_find(model, FORMAT_CHANNEL, channel);
    channel_label label = format == NULL ? common_channel(channel) : adm_speaker_label(format->refers);
    const adm_format *object = model_find(model, FORMAT_OBJECT_TRACK, uid);
    if (object != NULL)
        memcpy(model->track_names[index - 1], object->refers, ID_SIZE);
    if (type == SPEAKERS_TYPE && label != CHANNEL_NONE) {
        adm->labels[index - 1] = (uint8_t)label;
        if (adm->bed[0] == '\0' && object != NULL)
            memcpy(adm->bed, object->refers, ID_SIZE);
    } else if (type == OBJECTS_TYPE && adm->labels[index - 1] != ADM_TRACK_OBJECT) {
        adm->labels[index - 1] = ADM_TRACK_OBJECT;
        adm->object_count++;
    } else if (type != OBJECTS_TYPE) {
        adm->unknown_count++;
    }
}

static void pack_names(const adm_model *model, media_adm *adm)
{
    memcpy(adm->programme, model->programme, ID_SIZE);
    for (uint32_t i = 0; i < FILE_CHANNELS_MAX; i++) {
        size_t size = strlen(model->track_names[i]) + 1;
        if (adm->labels[i] != ADM_TRACK_OBJECT || adm->names_size + size > ADM_NAMES_BYTES)
            continue;
        memcpy(adm->names + adm->names_size, model->track_names[i], size);
        adm->names_size = (uint16_t)(adm->names_size + size);
    }
}

void adm_read(const adm_document *document, const uint8_t *chna, size_t chna_size, uint32_t channel_count, media_adm *out_adm)
{
    adm_model *model = calloc(1, sizeof *model);
    byte_reader reader;
    byte_reader_init(&reader, chna, chna_size);
    (void)byte_reader_u16(&reader);
    uint32_t uid_count = byte_reader_u16(&reader);
    *out_adm = (media_adm){.present = true};
    if (model != NULL && document->xml.tree != NULL)
        walk_nodes(&(adm_walk){.model = model}, document->xml.tree->children);
    if (model == NULL)
        say(out_adm, "no memory is left to read it");
    else if (document->xml.why != NULL)
        say(out_adm, document->xml.why);
    else if (model->too_many)
        say(out_adm, "axml describes more formats than any profile allows");
    else if (reader.failed || uid_count * 40u > byte_reader_left(&reader))
        say(out_adm, "chna is shorter than it says");
    for (uint32_t i = 0; out_adm->problem[0] == '\0' && i < uid_count; i++)
        read_record(model, &reader, channel_count, out_adm);
    if (model != NULL)
        pack_names(model, out_adm);
    free(model);
}
