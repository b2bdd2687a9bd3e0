/**
 * XML of strangers, as axml chunks hold it: read in pieces, within bounds, never from elsewhere. UTF-8 (or ASCII, its part)
 * alone: other encodings would pass by what is looked for in the bytes, and no tool writes them.
 *
 * Nearly all of an axml, up to gigabytes of it, are the audioBlockFormats of objects that move. They are looked at one by one
 * and let go of, so that memory is bounded by what else there is, however long the programme.
 */
#ifndef COMMON_MEDIA_ADM_XML_H
#define COMMON_MEDIA_ADM_XML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct _xmlDoc;
struct _xmlNode;

/** The bytes of an axml, wherever they lie. */
typedef struct adm_source {
    const uint8_t *bytes; /**< in memory; NULL: read is asked */
    bool (*read)(void *context, uint64_t offset, void *bytes, size_t size);
    void *context;
    uint64_t first, size; /**< it lies from the first byte on */
} adm_source;

/** An audioChannelFormat; its element's _private leads to it (adm_channel_of). */
typedef struct adm_channel {
    struct adm_channel *next;
    uint64_t begin, end;  /**< its bytes behind its name and attributes, up to the end of its end tag */
    uint32_t block_count;
} adm_channel;

/** Sees each audioBlockFormat of an audioChannelFormat, whole and in its place, as the number-th of it from 1 on. */
typedef struct adm_block_visitor {
    void (*visit)(void *context, const struct _xmlNode *block, uint32_t number);
    void *context;
} adm_block_visitor;

typedef struct adm_xml {
    struct _xmlDoc *tree;      /**< without comments, and of a channel's blocks the first; NULL: why says it */
    struct _xmlNode *extended; /**< its audioFormatExtended; NULL if it has none */
    const char *why;           /**< there is no tree, as a clause of a sentence: "axml is not in UTF-8" */
    adm_channel *channels;
} adm_xml;

/** False when the bytes could not be read: read has said why. A document type, and with it every entity, is refused. */
bool adm_xml_read(adm_xml *out_xml, const adm_source *text, const adm_block_visitor *visitor);
/** The blocks of one channel alone, once more. text: what channel was read from. False as above, or if it is another by now. */
bool adm_xml_read_blocks(const struct _xmlNode *channel, const adm_source *text, const adm_block_visitor *visitor);
void adm_xml_deinit(adm_xml *self);
/** How many blocks an audioChannelFormat has. */
uint32_t adm_xml_block_count(const struct _xmlNode *channel);

#endif
