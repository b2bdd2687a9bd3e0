/**
 * A little XML for the chunks of a file (axml, iXML). Memory is all that can fail, so nothing here returns a status. Internal to
 * coordinator/plan.
 */
#ifndef COORDINATOR_PLAN_PLAN_XML_H
#define COORDINATOR_PLAN_PLAN_XML_H

#include "common/base/byte_writer.h"

#include <libxml/xmlwriter.h>

xmlTextWriterPtr xml_open(xmlBufferPtr buffer);
void xml_begin(xmlTextWriterPtr xml, const char *name);
void xml_end(xmlTextWriterPtr xml);
void xml_attribute(xmlTextWriterPtr xml, const char *name, const char *value);
void xml_text(xmlTextWriterPtr xml, const char *name, const char *text);
void xml_number(xmlTextWriterPtr xml, const char *name, uint64_t number);
/** Ends the document, appends it as one chunk and frees both. */
void xml_close_chunk(xmlTextWriterPtr xml, xmlBufferPtr buffer, const char *id, byte_writer *writer);

/** A chunk with its header and pad byte. */
void plan_chunk_write(byte_writer *writer, const char *id, const void *bytes, size_t size);

#endif
