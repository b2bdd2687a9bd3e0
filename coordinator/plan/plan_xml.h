/**
 * XML for the chunks of a file (axml, iXML), one line for each element, indented by a space for each level: the form that libxml2
 * gives it. An element holds text or elements, not both. Names are literals; texts are UTF-8. What fails is the byte_writer.
 * Internal to coordinator/plan.
 */
#ifndef COORDINATOR_PLAN_PLAN_XML_H
#define COORDINATOR_PLAN_PLAN_XML_H

#include "common/base/byte_writer.h"

enum { XML_DEPTH_MAX = 8 };

typedef struct xml_writer {
    byte_writer *out;
    size_t chunk;                    /**< where its payload begins */
    uint32_t depth;
    const char *open[XML_DEPTH_MAX]; /**< the elements around this place */
    bool in_tag;                     /**< of the innermost: attributes can follow */
    bool has_text;                   /**< the innermost */
} xml_writer;

/** Begins a chunk that is an XML document. */
void xml_open_chunk(xml_writer *self, const char *id, byte_writer *out);
/** Ends its elements and the chunk. */
void xml_close_chunk(xml_writer *self);
void xml_begin(xml_writer *self, const char *name);
void xml_end(xml_writer *self);
void xml_attribute(xml_writer *self, const char *name, const char *value);
/** The text of the element that was begun. */
void xml_content(xml_writer *self, const char *text);
/** An element of nothing but a text. */
void xml_text(xml_writer *self, const char *name, const char *text);
void xml_number(xml_writer *self, const char *name, uint64_t number);

/** A chunk with its header and pad byte. */
void plan_chunk_write(byte_writer *writer, const char *id, const void *bytes, size_t size);

#endif
