/* Which elements of an ADM file belong to an object track: from chna by the references of BS.2076. */
#include "worker/media/adm_objects_parts.h"

#include "common/base/byte_reader.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

bool object_named(const xmlNode *node, const char *name)
{
    return node->type == XML_ELEMENT_NODE && strcmp((const char *)node->name, name) == 0;
}

const xmlNode *object_next(const xmlNode *node, const char *name)
{
    while (node != NULL && !object_named(node, name))
        node = node->next;
    return node;
}

const xmlNode *object_child(const xmlNode *parent, const char *name)
{
    return parent == NULL ? NULL : object_next(parent->children, name);
}

static const char *trimmed(const char *from, char out[OBJECT_TEXT_SIZE])
{
    from += strspn(from, " \t\r\n");
    size_t length = strlen(from);
    while (length > 0 && strchr(" \t\r\n", from[length - 1]) != NULL)
        length--;
    if (length >= OBJECT_TEXT_SIZE)
        length = OBJECT_TEXT_SIZE - 1;
    memcpy(out, from, length);
    out[length] = '\0';
    return out;
}

const char *object_text(const xmlNode *node, char out[OBJECT_TEXT_SIZE])
{
    const xmlNode *text = node == NULL ? NULL : node->children;
    while (text != NULL && text->type != XML_TEXT_NODE)
        text = text->next;
    return trimmed(text == NULL || text->content == NULL ? "" : (const char *)text->content, out);
}

const char *object_attribute(const xmlNode *node, const char *name, char out[OBJECT_TEXT_SIZE])
{
    const xmlAttr *attribute = node->properties;
    while (attribute != NULL && strcmp((const char *)attribute->name, name) != 0)
        attribute = attribute->next;
    const xmlNode *text = attribute == NULL ? NULL : attribute->children;
    return trimmed(text == NULL || text->content == NULL ? "" : (const char *)text->content, out);
}

/* The element of a kind with that identifier; NULL if there is none. */
static const xmlNode *find_id(const object_file *file, const char *kind, const char *id_attribute, const char *id)
{
    char text[OBJECT_TEXT_SIZE];
    const xmlNode *node = object_child(file->document.xml.extended, kind);
    while (node != NULL && strcasecmp(object_attribute(node, id_attribute, text), id) != 0)
        node = object_next(node->next, kind);
    return node;
}

/* The element of a kind that has a child `reference` of that text. */
static const xmlNode *find_reference(const object_file *file, const char *kind, const char *reference, const char *id)
{
    char text[OBJECT_TEXT_SIZE];
    for (const xmlNode *node = object_child(file->document.xml.extended, kind); node != NULL; node = object_next(node->next, kind))
        for (const xmlNode *child = object_child(node, reference); child != NULL; child = object_next(child->next, reference))
            if (strcasecmp(object_text(child, text), id) == 0)
                return node;
    return NULL;
}

static uint32_t count_children(const xmlNode *node, const char *name)
{
    uint32_t count = 0;
    for (const xmlNode *child = object_child(node, name); child != NULL; child = object_next(child->next, name))
        count++;
    return count;
}

/* From a track format of chna, or since BS.2076-2 a channel format, to the channel format. */
static const xmlNode *find_channel(const object_file *file, const char *track)
{
    char id[OBJECT_TEXT_SIZE];
    const xmlNode *format = find_id(file, "audioTrackFormat", "audioTrackFormatID", track);
    const xmlNode *reference = object_child(format, "audioStreamFormatIDRef");
    const xmlNode *stream = reference == NULL
                                ? find_reference(file, "audioStreamFormat", "audioTrackFormatIDRef", track)
                                : find_id(file, "audioStreamFormat", "audioStreamFormatID", object_text(reference, id));
    reference = object_child(stream, "audioChannelFormatIDRef");
    if (reference != NULL)
        return find_id(file, "audioChannelFormat", "audioChannelFormatID", object_text(reference, id));
    char channel[16];
    snprintf(channel, sizeof channel, "AC_%.8s", strlen(track) > 3 ? track + 3 : "");
    return find_id(file, "audioChannelFormat", "audioChannelFormatID", channel);
}

static void take_field(byte_reader *reader, size_t size, char out[16])
{
    const uint8_t *bytes = byte_reader_view(reader, size);
    memset(out, 0, 16);
    if (bytes != NULL)
        memcpy(out, bytes, size);
    out[strcspn(out, " ")] = '\0';
}

/* A group that is a name for its objects and nothing else; what it says of them would be lost otherwise. */
static bool plain_group(const object_file *file, const xmlNode *group)
{
    static const char *const plain[] = {"audioObjectID", "audioObjectName", "start", "duration"};
    char value[OBJECT_TEXT_SIZE];
    for (const xmlAttr *at = group->properties; at != NULL; at = at->next) {
        bool known = false;
        for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++)
            known = known || strcmp((const char *)at->name, plain[i]) == 0;
        if (!known)
            return false;
    }
    for (const xmlNode *child = group->children; child != NULL; child = child->next)
        if (child->type == XML_ELEMENT_NODE && !object_named(child, "audioObjectIDRef"))
            return false;
    object_attribute(group, "start", value);
    return value[strspn(value, "0:.")] == '\0' &&
           find_reference(file, "audioObject", "audioObjectIDRef", object_attribute(group, "audioObjectID", value)) == NULL;
}

status object_nodes_find(const object_file *file, uint16_t track, const char *display, object_nodes *out_nodes,
                         error_detail *detail)
{
    char uid[16] = "", format[16] = "", pack[16] = "", id[OBJECT_TEXT_SIZE], name[OBJECT_TEXT_SIZE] = "";
    byte_reader reader;
    byte_reader_init(&reader, file->bytes, file->chna_size);
    (void)byte_reader_u16(&reader);
    uint32_t count = byte_reader_u16(&reader);
    for (uint32_t i = 0, index = 0; i < count && !reader.failed && index != track + 1u; i++) {
        index = byte_reader_u16(&reader);
        take_field(&reader, 12, uid);
        take_field(&reader, 14, format);
        take_field(&reader, 11, pack);
        (void)byte_reader_u8(&reader);
    }
    object_nodes found = {.object = find_reference(file, "audioObject", "audioTrackUIDRef", uid),
                          .pack = find_id(file, "audioPackFormat", "audioPackFormatID", pack),
                          .channel = find_channel(file, format)};
    const char *why = NULL;
    const xmlNode *group = NULL;
    if (found.object != NULL) {
        object_attribute(found.object, "audioObjectName", name);
        group = find_reference(file, "audioObject", "audioObjectIDRef", object_attribute(found.object, "audioObjectID", id));
    }
    if (reader.failed || found.object == NULL)
        why = "no audioObject names it";
    else if (found.pack == NULL || found.channel == NULL)
        why = "its audioPackFormat or audioChannelFormat is missing";
    else if (count_children(found.object, "audioTrackUIDRef") != 1 || count_children(found.object, "audioPackFormatIDRef") != 1 ||
             count_children(found.pack, "audioChannelFormatIDRef") != 1 || count_children(found.pack, "audioPackFormatIDRef") != 0 ||
             count_children(found.object, "audioObjectIDRef") != 0)
        why = "it is part of a group of tracks or objects, and only single ones are carried";
    else if (adm_xml_block_count(found.channel) == 0)
        why = "it has no audioBlockFormat";
    else if (group != NULL && !plain_group(file, group))
        why = "it is nested in an audioObject that has tracks, settings or a group of its own";
    if (why != NULL)
        return error_detail_set(detail, STATUS_INPUT_UNSUPPORTED,
                                "the object \"%.60s\" on track %u of '%s' cannot be carried: %s; export the ADM file again", name,
                                track + 1u, display, why);
    found.content = find_reference(file, "audioContent", "audioObjectIDRef",
                                   object_attribute(group != NULL ? group : found.object, "audioObjectID", id));
    *out_nodes = found;
    return STATUS_OK;
}
