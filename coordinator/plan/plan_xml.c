#include "coordinator/plan/plan_xml.h"

#include "common/base/ensure.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void put(xml_writer *self, const char *text)
{
    byte_writer_bytes(self->out, text, strlen(text));
}

static void put_escaped(xml_writer *self, const char *text, const char *special)
{
    while (*text != '\0') {
        size_t plain = strcspn(text, special);
        byte_writer_bytes(self->out, text, plain);
        text += plain;
        switch (*text) {
        case '\0':
            return;
        case '<':
            put(self, "&lt;");
            break;
        case '>':
            put(self, "&gt;");
            break;
        case '&':
            put(self, "&amp;");
            break;
        case '"':
            put(self, "&quot;");
            break;
        default: { /* white space that a reader would change */
            char number[8];
            snprintf(number, sizeof number, "&#%d;", *text);
            put(self, number);
        }
        }
        text++;
    }
}

static void put_indent(xml_writer *self)
{
    for (uint32_t i = 0; i < self->depth; i++)
        put(self, " ");
}

void xml_open_chunk(xml_writer *self, const char *id, byte_writer *out)
{
    *self = (xml_writer){.out = out};
    byte_writer_bytes(out, id, 4);
    byte_writer_u32(out, 0); /* its size is known at its end */
    self->chunk = out->size;
    put(self, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
}

void xml_close_chunk(xml_writer *self)
{
    while (self->depth > 0)
        xml_end(self);
    if (self->out->failed)
        return;
    size_t size = self->out->size - self->chunk;
    byte_writer_patch_u32(self->out, self->chunk - 4, (uint32_t)size);
    byte_writer_zeros(self->out, size % 2);
}

void xml_begin(xml_writer *self, const char *name)
{
    ENSURE(self->depth < XML_DEPTH_MAX && !self->has_text);
    if (self->in_tag)
        put(self, ">\n");
    put_indent(self);
    put(self, "<");
    put(self, name);
    self->open[self->depth++] = name;
    self->in_tag = true;
}

void xml_end(xml_writer *self)
{
    const char *name = self->open[--self->depth];
    if (self->in_tag) {
        put(self, "/>\n");
    } else {
        if (!self->has_text)
            put_indent(self);
        put(self, "</");
        put(self, name);
        put(self, ">\n");
    }
    self->in_tag = self->has_text = false;
}

void xml_attribute(xml_writer *self, const char *name, const char *value)
{
    put(self, " ");
    put(self, name);
    put(self, "=\"");
    put_escaped(self, value, "<>&\"\t\n\r");
    put(self, "\"");
}

void xml_content(xml_writer *self, const char *text)
{
    put(self, ">");
    put_escaped(self, text, "<>&\"\r");
    self->in_tag = false;
    self->has_text = true;
}

void xml_text(xml_writer *self, const char *name, const char *text)
{
    xml_begin(self, name);
    xml_content(self, text);
    xml_end(self);
}

void xml_number(xml_writer *self, const char *name, uint64_t number)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRIu64, number);
    xml_text(self, name, text);
}

void plan_chunk_write(byte_writer *writer, const char *id, const void *bytes, size_t size)
{
    byte_writer_bytes(writer, id, 4);
    byte_writer_blob(writer, bytes, size); /* a RIFF chunk is its id, a length and that many bytes */
    byte_writer_zeros(writer, size % 2);
}
