#include "coordinator/plan/plan_xml.h"

#include "common/base/ensure.h"

#include <inttypes.h>
#include <stdio.h>

xmlTextWriterPtr xml_open(xmlBufferPtr buffer)
{
    xmlTextWriterPtr xml = buffer == NULL ? NULL : xmlNewTextWriterMemory(buffer, 0);
    ENSURE(xml != NULL);
    xmlTextWriterSetIndent(xml, 1);
    ENSURE(xmlTextWriterStartDocument(xml, NULL, "UTF-8", NULL) >= 0);
    return xml;
}

void xml_begin(xmlTextWriterPtr xml, const char *name)
{
    ENSURE(xmlTextWriterStartElement(xml, BAD_CAST name) >= 0);
}

void xml_end(xmlTextWriterPtr xml)
{
    ENSURE(xmlTextWriterEndElement(xml) >= 0);
}

void xml_attribute(xmlTextWriterPtr xml, const char *name, const char *value)
{
    ENSURE(xmlTextWriterWriteAttribute(xml, BAD_CAST name, BAD_CAST value) >= 0);
}

void xml_text(xmlTextWriterPtr xml, const char *name, const char *text)
{
    ENSURE(xmlTextWriterWriteElement(xml, BAD_CAST name, BAD_CAST text) >= 0);
}

void xml_number(xmlTextWriterPtr xml, const char *name, uint64_t number)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRIu64, number);
    xml_text(xml, name, text);
}

void plan_chunk_write(byte_writer *writer, const char *id, const void *bytes, size_t size)
{
    byte_writer_bytes(writer, id, 4);
    byte_writer_blob(writer, bytes, size); /* a RIFF chunk is its id, a length and that many bytes */
    byte_writer_zeros(writer, size % 2);
}

void xml_close_chunk(xmlTextWriterPtr xml, xmlBufferPtr buffer, const char *id, byte_writer *writer)
{
    ENSURE(xmlTextWriterEndDocument(xml) >= 0);
    xmlFreeTextWriter(xml);
    plan_chunk_write(writer, id, xmlBufferContent(buffer), (size_t)xmlBufferLength(buffer));
    xmlBufferFree(buffer);
}
