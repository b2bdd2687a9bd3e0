/* The axml of a bed with objects: the bed's elements as they are, and behind those of each kind the objects'. */
#include "worker/media/adm_objects_parts.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { OBJECT_NUMBER_FIRST = 0x100B, FORMAT_NUMBER_FIRST = 0x1001, ID_SIZE = 32, COPY_DEPTH_MAX = 32 };
static const int64_t SECOND = 1000000000, UNIT = 10000, FOREVER = INT64_MAX / 4; /* nanoseconds; axml has units of 10 us */

typedef struct object_writer {
    const object_merge *merge;
    xmlTextWriterPtr xml;
    bool failed;
    uint32_t block; /* of the channel that is written */
    bool first_block;
    int64_t covered;          /* units of the output up to which its sources reach so far */
    xmlNode *standing;        /* a copy of the last block that was taken; NULL: none yet */
} object_writer;

static const char *id_of(char out[ID_SIZE], const char *format, ...) PRINTF_LIKE(2, 3);
static const char *id_of(char out[ID_SIZE], const char *format, ...)
{
    va_list numbers;
    va_start(numbers, format);
    vsnprintf(out, ID_SIZE, format, numbers);
    va_end(numbers);
    return out;
}

static void begin(object_writer *self, const char *name)
{
    self->failed = xmlTextWriterStartElement(self->xml, BAD_CAST name) < 0 || self->failed;
}

static void end(object_writer *self)
{
    self->failed = xmlTextWriterEndElement(self->xml) < 0 || self->failed;
}

static void attribute(object_writer *self, const char *name, const char *value)
{
    self->failed = xmlTextWriterWriteAttribute(self->xml, BAD_CAST name, BAD_CAST value) < 0 || self->failed;
}

static void text(object_writer *self, const char *name, const char *value)
{
    self->failed = xmlTextWriterWriteElement(self->xml, BAD_CAST name, BAD_CAST value) < 0 || self->failed;
}

/* Attributes of a node but those named; a value is one text, since there are no entities. */
static void copy_attributes(object_writer *self, const xmlNode *node, const char *const *but)
{
    for (const xmlAttr *from = node->properties; from != NULL; from = from->next) {
        bool left_out = false;
        for (uint32_t i = 0; but != NULL && but[i] != NULL; i++)
            left_out = left_out || strcmp((const char *)from->name, but[i]) == 0;
        char name[OBJECT_TEXT_SIZE];
        bool prefixed = from->ns != NULL && from->ns->prefix != NULL;
        snprintf(name, sizeof name, "%s%s%s", prefixed ? (const char *)from->ns->prefix : "", prefixed ? ":" : "",
                 (const char *)from->name);
        bool known = !prefixed || strcmp(name, "xml:lang") == 0; /* the bed's document declares no other prefixes */
        const xmlNode *value = from->children;
        if (!left_out && known)
            attribute(self, name, value == NULL || value->content == NULL ? "" : (const char *)value->content);
    }
}

static void copy_tree(object_writer *self, const xmlNode *node, int depth);

static void copy_children(object_writer *self, const xmlNode *node, const char *const *but, int depth)
{
    for (const xmlNode *child = node->children; child != NULL; child = child->next) {
        bool left_out = false;
        for (uint32_t i = 0; but != NULL && but[i] != NULL; i++)
            left_out = left_out || object_named(child, but[i]);
        if (!left_out && child->type == XML_ELEMENT_NODE)
            copy_tree(self, child, depth + 1);
    }
}

static void copy_text(object_writer *self, const xmlNode *node)
{
    for (const xmlNode *text_node = node->children; text_node != NULL; text_node = text_node->next)
        if ((text_node->type == XML_TEXT_NODE || text_node->type == XML_CDATA_SECTION_NODE) && text_node->content != NULL)
            self->failed = xmlTextWriterWriteString(self->xml, text_node->content) < 0 || self->failed;
}

/* Elements hold elements or text, as everywhere in ADM. */
static void copy_tree(object_writer *self, const xmlNode *node, int depth)
{
    if (depth > COPY_DEPTH_MAX) {
        self->failed = true;
        return;
    }
    const xmlNode *child = node->children;
    while (child != NULL && child->type != XML_ELEMENT_NODE)
        child = child->next;
    begin(self, (const char *)node->name);
    copy_attributes(self, node, NULL);
    if (child != NULL)
        copy_children(self, node, NULL, depth);
    else
        copy_text(self, node);
    end(self);
}

/* ---- blocks ---- */

/* hh:mm:ss.fff... to nanoseconds; false for any other form (BS.2076-2 knows fractions of samples too). */
static bool read_time(const char *from, int64_t *out_time)
{
    unsigned hours = 0, minutes = 0, seconds = 0;
    int used = 0;
    if (sscanf(from, "%3u:%2u:%2u%n", &hours, &minutes, &seconds, &used) != 3 || hours > 999 || minutes > 59 || seconds > 60)
        return false;
    int64_t fraction = 0;
    int64_t step = SECOND / 10;
    if (from[used] == '.')
        for (used++; from[used] >= '0' && from[used] <= '9'; used++, step /= 10)
            fraction += step * (from[used] - '0');
    *out_time = ((int64_t)hours * 3600 + minutes * 60 + seconds) * SECOND + fraction;
    return from[used] == '\0';
}

static const char *write_time(char out[ID_SIZE], int64_t units)
{
    snprintf(out, ID_SIZE, "%02" PRId64 ":%02" PRId64 ":%02" PRId64 ".%05" PRId64, units / 360000000, units / 6000000 % 60,
             units / 100000 % 60, units % 100000);
    return out;
}

static int64_t time_of(int64_t frames, uint32_t rate)
{
    return frames / rate * SECOND + frames % rate * SECOND / rate;
}

/* Nearest unit of a frame, as the length of the programme is written (coordinator/plan/plan_adm.c). */
static int64_t units_of(uint64_t frames, uint32_t rate)
{
    return (int64_t)((frames * 100000 + rate / 2) / rate);
}

/* Of a time that may lie before the programme. */
static int64_t nearest_unit(int64_t time)
{
    time += UNIT / 2;
    return time / UNIT - (time % UNIT < 0);
}

typedef struct block_place {
    int64_t first, end;   /* units of the output */
    bool first_of_file;   /* what it is at its start does not come from a block before */
    bool cut;
    bool starts_piece;
} block_place;

/* One block: everything it has, in its new place. */
static void write_block(object_writer *self, const xmlNode *node, uint32_t number, const block_place *place)
{
    static const char *const times[] = {"audioBlockFormatID", "rtime", "duration", NULL};
    static const char *const jump[] = {"jumpPosition", NULL};
    char value[OBJECT_TEXT_SIZE], id[ID_SIZE];
    const xmlNode *position = object_child(node, "jumpPosition");
    bool jumps = strcmp(object_text(position, value), "1") == 0;
    begin(self, "audioBlockFormat");
    attribute(self, "audioBlockFormatID", id_of(id, "AB_0003%04" PRIx32 "_%08" PRIx32, number, ++self->block));
    attribute(self, "rtime", write_time(id, place->first));
    attribute(self, "duration", write_time(id, place->end - place->first));
    copy_attributes(self, node, times);
    copy_children(self, node, jump, 0);
    /* At a join an object is at once where the next piece has it, at the profile's shortest pace. */
    bool joins = place->starts_piece && !self->first_block;
    bool stands = jumps && (place->cut || (place->starts_piece && !place->first_of_file));
    if (joins || stands) {
        begin(self, "jumpPosition");
        attribute(self, "interpolationLength", joins && self->merge->dolby ? "0.005208" : "0.000000");
        self->failed = xmlTextWriterWriteString(self->xml, BAD_CAST "1") < 0 || self->failed;
        end(self);
    } else if (position != NULL) {
        copy_tree(self, position, 0);
    }
    end(self);
    self->first_block = false;
}

/* Where no source reaches (leaders, reels without the object) it stands where it was, and at first where it will be. */
static void write_standing(object_writer *self, const xmlNode *next, uint32_t number, int64_t until)
{
    const xmlNode *node = self->standing != NULL ? self->standing : next;
    if (node != NULL && until > self->covered + 1) /* times are rounded one by one */
        write_block(self, node, number, &(block_place){.first = self->covered, .end = until, .cut = true, .starts_piece = true});
}

static status refuse(const object_merge *self, uint32_t source, const object_part *part, const char *why)
{
    char name[OBJECT_TEXT_SIZE];
    return error_detail_set(self->detail, STATUS_INPUT_UNSUPPORTED,
                            "the object \"%.60s\" on track %u of '%s' cannot be carried: %s",
                            object_attribute(part->nodes.object, "audioObjectName", name), part->track + 1u,
                            self->header->object_sources[source].input.file.path, why);
}

/* Blocks count from the start of their object. */
static status check_span(const object_merge *self, uint32_t source, const object_part *part)
{
    const task_input *input = &self->header->object_sources[source].input;
    char value[OBJECT_TEXT_SIZE];
    int64_t start = 0, length = FOREVER;
    bool read = (object_attribute(part->nodes.object, "start", value)[0] == '\0' || read_time(value, &start)) &&
                (object_attribute(part->nodes.object, "duration", value)[0] == '\0' || read_time(value, &length));
    if (read && start == 0 && length >= time_of((int64_t)input->frame_count, input->sample_rate) - SECOND / 100)
        return STATUS_OK;
    return refuse(self, source, part, "its start and duration are not those of its file; export it as long as the programme");
}

/* The blocks of one object in one piece. */
typedef struct block_run {
    object_writer *writer;
    const object_part *part;
    uint32_t source, number;
    int64_t shift;                 /* nanoseconds from the file to the output */
    int64_t first, last;           /* units of the output: the piece, */
    int64_t file_first, file_last; /* and how far the file reaches in it */
    bool starts_piece;
    status code;
} block_run;

/* One block, cut to the piece. */
static void place_block(void *context, const xmlNode *node, uint32_t index)
{
    block_run *self = context;
    object_writer *writer = self->writer;
    char value[OBJECT_TEXT_SIZE];
    int64_t start = 0, length = FOREVER;
    bool timed = object_attribute(node, "rtime", value)[0] == '\0' || read_time(value, &start);
    timed = timed && (object_attribute(node, "duration", value)[0] == '\0' || read_time(value, &length));
    if (self->code != STATUS_OK)
        return;
    if (!timed) {
        self->code = refuse(writer->merge, self->source, self->part, "a block's rtime or duration is not of the form hh:mm:ss.fffff");
        return;
    }
    int64_t begins = nearest_unit(start + self->shift);
    int64_t ends = length == FOREVER ? self->last : nearest_unit(start + length + self->shift);
    block_place place = {.first = begins > self->first ? begins : self->first,
                         .end = ends < self->last ? ends : self->last,
                         .first_of_file = index == 1,
                         .cut = begins < self->first,
                         .starts_piece = self->starts_piece};
    if (place.end <= place.first)
        return; /* not in this piece, or of no length */
    bool jumps = strcmp(object_text(object_child(node, "jumpPosition"), value), "1") == 0;
    if (!jumps && !place.first_of_file && (place.cut || ends > self->last || place.starts_piece)) {
        self->code = refuse(writer->merge, self->source, self->part,
                            "it moves along a block that FFOA or LFOA cuts (jumpPosition 0); export it with jumps, as Dolby's tools do");
        return;
    }
    if (place.starts_piece)
        write_standing(writer, node, self->number, self->file_first);
    self->starts_piece = false;
    write_block(writer, node, self->number, &place);
    self->file_last = place.end > self->file_last ? place.end : self->file_last;
    xmlFreeNode(writer->standing);
    writer->standing = xmlCopyNode((xmlNode *)node, 1);
    writer->failed = writer->standing == NULL || writer->failed;
}

static status write_blocks(object_writer *self, uint32_t source, uint32_t object, uint32_t number)
{
    const object_merge *merge = self->merge;
    const output_object_source *from = &merge->header->object_sources[source];
    const object_part *part = &merge->parts[source * merge->header->object_count + object];
    object_file *file = &merge->files[part->file];
    uint32_t rate = merge->header->sample_rate;
    block_run run = {.writer = self, .part = part, .source = source, .number = number, .starts_piece = true};
    run.shift = time_of((int64_t)from->programme_frame - from->file_frame, rate);
    run.first = run.file_first = units_of(from->programme_frame, rate);
    run.last = units_of(from->programme_frame + from->frame_count, rate);
    run.file_last = nearest_unit(run.shift + time_of((int64_t)from->input.frame_count, rate));
    if (nearest_unit(run.shift) > run.first)
        run.file_first = nearest_unit(run.shift);
    if (run.file_last > run.last)
        run.file_last = run.last;
    run.code = check_span(merge, source, part);
    if (run.code == STATUS_OK && !adm_xml_read_blocks(part->nodes.channel, &file->axml, &(adm_block_visitor){place_block, &run}))
        run.code = error_detail_set(merge->detail, file->source.failure != STATUS_OK ? file->source.failure : STATUS_INPUT_CHANGED,
                                    "the blocks of '%s' cannot be read again; submit the show again when the file is final",
                                    file->source.display);
    self->covered = run.file_last;
    return run.code;
}

/* ---- elements ---- */

static const object_part *first_part(const object_merge *self, uint32_t object)
{
    for (uint32_t i = 0; i < self->header->object_source_count; i++)
        if (self->parts[i * self->header->object_count + object].taken)
            return &self->parts[i * self->header->object_count + object];
    return NULL;
}

static void write_contents(object_writer *self)
{
    static const char *const id_attribute[] = {"audioContentID", NULL};
    static const char *const references[] = {"audioObjectIDRef", NULL};
    const object_merge *merge = self->merge;
    char id[ID_SIZE];
    for (uint32_t i = 0; i < merge->content_count; i++) {
        begin(self, "audioContent");
        attribute(self, "audioContentID", id_of(id, "ACO_%04" PRIx32, FORMAT_NUMBER_FIRST + 1 + i));
        if (merge->contents[i] == NULL)
            attribute(self, "audioContentName", "Objects");
        else
            copy_attributes(self, merge->contents[i], id_attribute);
        for (uint32_t k = 0; k < merge->header->object_count; k++)
            if (merge->content_of[k] == i)
                text(self, "audioObjectIDRef", id_of(id, "AO_%04" PRIx32, OBJECT_NUMBER_FIRST + k));
        if (merge->contents[i] != NULL)
            copy_children(self, merge->contents[i], references, 0);
        end(self);
    }
}

static void write_object(object_writer *self, uint32_t index, const object_nodes *nodes)
{
    static const char *const times[] = {"audioObjectID", "start", "duration", NULL};
    static const char *const references[] = {"audioPackFormatIDRef", "audioTrackUIDRef", NULL};
    char id[ID_SIZE];
    begin(self, "audioObject");
    attribute(self, "audioObjectID", id_of(id, "AO_%04" PRIx32, OBJECT_NUMBER_FIRST + index));
    attribute(self, "start", "00:00:00.00000");
    attribute(self, "duration", write_time(id, units_of(self->merge->header->frame_count, self->merge->header->sample_rate)));
    copy_attributes(self, nodes->object, times);
    text(self, "audioPackFormatIDRef", id_of(id, "AP_0003%04" PRIx32, FORMAT_NUMBER_FIRST + index));
    text(self, "audioTrackUIDRef", id_of(id, "ATU_%08" PRIx32, self->merge->bed_count + index + 1));
    copy_children(self, nodes->object, references, 0);
    end(self);
}

static void write_pack(object_writer *self, uint32_t index, const object_nodes *nodes)
{
    static const char *const id_attribute[] = {"audioPackFormatID", NULL};
    static const char *const references[] = {"audioChannelFormatIDRef", NULL};
    char id[ID_SIZE];
    begin(self, "audioPackFormat");
    attribute(self, "audioPackFormatID", id_of(id, "AP_0003%04" PRIx32, FORMAT_NUMBER_FIRST + index));
    copy_attributes(self, nodes->pack, id_attribute);
    text(self, "audioChannelFormatIDRef", id_of(id, "AC_0003%04" PRIx32, FORMAT_NUMBER_FIRST + index));
    copy_children(self, nodes->pack, references, 0);
    end(self);
}

static status write_channel(object_writer *self, uint32_t index, const object_nodes *nodes)
{
    static const char *const id_attribute[] = {"audioChannelFormatID", NULL};
    static const char *const blocks[] = {"audioBlockFormat", NULL};
    const object_merge *merge = self->merge;
    char id[ID_SIZE];
    status code = STATUS_OK;
    self->block = 0;
    self->first_block = true;
    self->covered = 0;
    begin(self, "audioChannelFormat");
    attribute(self, "audioChannelFormatID", id_of(id, "AC_0003%04" PRIx32, FORMAT_NUMBER_FIRST + index));
    copy_attributes(self, nodes->channel, id_attribute);
    copy_children(self, nodes->channel, blocks, 0);
    for (uint32_t i = 0; i < merge->header->object_source_count && code == STATUS_OK; i++)
        if (merge->parts[i * merge->header->object_count + index].taken)
            code = write_blocks(self, i, index, FORMAT_NUMBER_FIRST + index);
    write_standing(self, NULL, FORMAT_NUMBER_FIRST + index, units_of(merge->header->frame_count, merge->header->sample_rate));
    xmlFreeNode(self->standing);
    self->standing = NULL;
    end(self);
    return code;
}

/* Stream and track format, and the track itself: nothing in them but references. */
static void write_references(object_writer *self, const char *kind, uint32_t index, const object_nodes *nodes)
{
    uint32_t number = FORMAT_NUMBER_FIRST + index;
    char id[ID_SIZE], name[OBJECT_TEXT_SIZE + 8], channel[OBJECT_TEXT_SIZE];
    snprintf(name, sizeof name, "PCM_%s", object_attribute(nodes->channel, "audioChannelFormatName", channel));
    begin(self, kind);
    if (strcmp(kind, "audioTrackUID") == 0) {
        attribute(self, "UID", id_of(id, "ATU_%08" PRIx32, self->merge->bed_count + index + 1));
        attribute(self, "bitDepth", id_of(id, "%" PRIu32, sample_encoding_bits(self->merge->header->encoding)));
        attribute(self, "sampleRate", id_of(id, "%" PRIu32, self->merge->header->sample_rate));
        text(self, "audioTrackFormatIDRef", id_of(id, "AT_0003%04" PRIx32 "_01", number));
        text(self, "audioPackFormatIDRef", id_of(id, "AP_0003%04" PRIx32, number));
        end(self);
        return;
    }
    bool stream = strcmp(kind, "audioStreamFormat") == 0;
    attribute(self, stream ? "audioStreamFormatID" : "audioTrackFormatID",
              id_of(id, stream ? "AS_0003%04" PRIx32 : "AT_0003%04" PRIx32 "_01", number));
    attribute(self, stream ? "audioStreamFormatName" : "audioTrackFormatName", name);
    attribute(self, "formatDefinition", "PCM");
    attribute(self, "formatLabel", "0001");
    if (!stream)
        text(self, "audioStreamFormatIDRef", id_of(id, "AS_0003%04" PRIx32, number));
    if (stream) {
        text(self, "audioChannelFormatIDRef", id_of(id, "AC_0003%04" PRIx32, number));
        if (self->merge->dolby)
            text(self, "audioPackFormatIDRef", id_of(id, "AP_0003%04" PRIx32, number));
        text(self, "audioTrackFormatIDRef", id_of(id, "AT_0003%04" PRIx32 "_01", number));
    }
    end(self);
}

static status write_kind(object_writer *self, const char *kind)
{
    status code = STATUS_OK;
    if (strcmp(kind, "audioContent") == 0)
        write_contents(self);
    for (uint32_t i = 0; i < self->merge->header->object_count && code == STATUS_OK; i++) {
        const object_nodes *nodes = &first_part(self->merge, i)->nodes;
        if (strcmp(kind, "audioObject") == 0)
            write_object(self, i, nodes);
        else if (strcmp(kind, "audioPackFormat") == 0)
            write_pack(self, i, nodes);
        else if (strcmp(kind, "audioChannelFormat") == 0)
            code = write_channel(self, i, nodes);
        else if (strcmp(kind, "audioContent") != 0)
            write_references(self, kind, i, nodes);
    }
    return code;
}

/* The bed's programme, with the objects' contents. */
static void write_programme(object_writer *self, const xmlNode *node)
{
    char id[ID_SIZE];
    begin(self, "audioProgramme");
    copy_attributes(self, node, NULL);
    copy_children(self, node, NULL, 0);
    for (uint32_t i = 0; i < self->merge->content_count; i++)
        text(self, "audioContentIDRef", id_of(id, "ACO_%04" PRIx32, FORMAT_NUMBER_FIRST + 1 + i));
    end(self);
}

/* The elements around the bed's audioFormatExtended, with the namespaces that they declare. */
static void begin_around(object_writer *self, const xmlNode *node)
{
    if (node == NULL || node->type != XML_ELEMENT_NODE)
        return;
    begin_around(self, node->parent);
    begin(self, (const char *)node->name);
    for (const xmlNs *ns = node->nsDef; ns != NULL; ns = ns->next) {
        char name[OBJECT_TEXT_SIZE];
        snprintf(name, sizeof name, "xmlns%s%s", ns->prefix == NULL ? "" : ":", ns->prefix == NULL ? "" : (const char *)ns->prefix);
        attribute(self, name, (const char *)ns->href);
    }
    for (const xmlAttr *from = node->properties; from != NULL; from = from->next) {
        char name[OBJECT_TEXT_SIZE];
        bool prefixed = from->ns != NULL && from->ns->prefix != NULL;
        snprintf(name, sizeof name, "%s%s%s", prefixed ? (const char *)from->ns->prefix : "", prefixed ? ":" : "",
                 (const char *)from->name);
        attribute(self, name, from->children == NULL ? "" : (const char *)from->children->content);
    }
}

static int append(void *context, const char *bytes, int size)
{
    byte_writer *writer = context;
    byte_writer_bytes(writer, bytes, (size_t)size);
    return writer->failed ? -1 : size;
}

status object_axml_write(const object_merge *self, const xmlNode *bed, byte_writer *out_axml)
{
    static const char *const kinds[] = {"audioContent",      "audioObject",      "audioPackFormat", "audioChannelFormat",
                                        "audioStreamFormat", "audioTrackFormat", "audioTrackUID"};
    object_writer writer = {.merge = self, .xml = xmlNewTextWriter(xmlOutputBufferCreateIO(append, NULL, out_axml, NULL))};
    status code = STATUS_OK;
    if (writer.xml == NULL)
        return STATUS_NODE_MEMORY;
    writer.failed = xmlTextWriterSetIndent(writer.xml, 1) < 0 || xmlTextWriterStartDocument(writer.xml, NULL, "UTF-8", NULL) < 0;
    begin_around(&writer, bed);
    for (const xmlNode *node = object_child(bed, "audioProgramme"); node != NULL; node = object_next(node->next, "audioProgramme"))
        write_programme(&writer, node);
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0] && code == STATUS_OK; k++) {
        for (const xmlNode *node = object_child(bed, kinds[k]); node != NULL; node = object_next(node->next, kinds[k]))
            copy_tree(&writer, node, 0);
        code = write_kind(&writer, kinds[k]);
    }
    writer.failed = xmlTextWriterEndDocument(writer.xml) < 0 || writer.failed;
    xmlFreeTextWriter(writer.xml);
    return code == STATUS_OK && writer.failed && !out_axml->failed ? STATUS_NODE_MEMORY : code;
}
