/* XML of chunks: the same bytes as by libxml2's writer, whatever elements, attributes and texts come. */
#include "coordinator/plan/plan_xml.h"

#include <libxml/xmlwriter.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { DOCUMENTS = 2000, STEPS = 40, PIECES = 10, TEXT_SIZE = 64 };

typedef struct both {
    uint32_t random;
    xml_writer ours;
    xmlTextWriterPtr theirs;
    uint32_t depth;
} both;

static uint32_t draw(both *self, uint32_t count)
{
    self->random = self->random * 1664525u + 1013904223u;
    return (self->random >> 16) % count;
}

static const char *draw_text(both *self, char out[TEXT_SIZE])
{
    static const char *const pieces[] = {"a", "<", ">", "&", "\"", "'", "\n", "\r", "\t", " ", "\xc3\xa9", "\xf0\x9f\x8e\xac", "]]>"};
    out[0] = '\0';
    for (uint32_t left = draw(self, PIECES); left > 0; left--)
        strcat(out, pieces[draw(self, sizeof pieces / sizeof pieces[0])]);
    return out;
}

static void begin(both *self)
{
    static const char *const names[] = {"x", "yy", "TRACK_LIST"};
    const char *name = names[draw(self, 3)];
    xml_begin(&self->ours, name);
    xmlTextWriterStartElement(self->theirs, BAD_CAST name);
    self->depth++;
}

static void end(both *self)
{
    xml_end(&self->ours);
    xmlTextWriterEndElement(self->theirs);
    self->depth--;
}

static void step(both *self)
{
    static const char *const names[] = {"UID", "xml:lang", "z"};
    char text[TEXT_SIZE];
    uint32_t what = draw(self, 4);
    if (what == 0 && self->depth > 1) {
        end(self);
    } else if (what == 1 && self->depth < XML_DEPTH_MAX) {
        begin(self);
        for (uint32_t i = draw(self, 4); i-- > 0;) {
            draw_text(self, text);
            xml_attribute(&self->ours, names[i], text);
            xmlTextWriterWriteAttribute(self->theirs, BAD_CAST names[i], BAD_CAST text);
        }
        if (draw(self, 2) == 0)
            return;
        draw_text(self, text);
        xml_content(&self->ours, text);
        xmlTextWriterWriteString(self->theirs, BAD_CAST text);
        end(self);
    } else if (what == 2 && self->depth < XML_DEPTH_MAX) {
        draw_text(self, text);
        xml_text(&self->ours, "NOTE", text);
        xmlTextWriterWriteElement(self->theirs, BAD_CAST "NOTE", BAD_CAST text);
    } else if (what == 3 && self->depth < XML_DEPTH_MAX) {
        xml_number(&self->ours, "COUNT", UINT64_MAX);
        xmlTextWriterWriteElement(self->theirs, BAD_CAST "COUNT", BAD_CAST "18446744073709551615");
    }
}

static void plan_xml__is_as_libxml2_writes_it(void **state)
{
    (void)state;
    for (uint32_t seed = 0; seed < DOCUMENTS; seed++) {
        both self = {.random = seed};
        byte_writer out;
        byte_writer_init(&out, 1 << 20);
        xml_open_chunk(&self.ours, "iXML", &out);
        xmlBufferPtr buffer = xmlBufferCreate();
        self.theirs = xmlNewTextWriterMemory(buffer, 0);
        xmlTextWriterSetIndent(self.theirs, 1);
        xmlTextWriterStartDocument(self.theirs, NULL, "UTF-8", NULL);
        begin(&self);
        for (int i = 0; i < STEPS; i++)
            step(&self);
        xml_close_chunk(&self.ours);
        xmlTextWriterEndDocument(self.theirs);
        xmlFreeTextWriter(self.theirs);
        size_t size = (size_t)xmlBufferLength(buffer);
        const uint8_t head[8] = {'i', 'X', 'M', 'L', (uint8_t)size, (uint8_t)(size >> 8), (uint8_t)(size >> 16)};
        assert_false(out.failed);
        assert_int_equal(out.size, sizeof head + size + size % 2);
        assert_memory_equal(out.bytes, head, sizeof head);
        assert_memory_equal(out.bytes + sizeof head, xmlBufferContent(buffer), size);
        xmlBufferFree(buffer);
        byte_writer_deinit(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(plan_xml__is_as_libxml2_writes_it)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
