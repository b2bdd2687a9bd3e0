#include "coordinator/report/html_text.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Length of the well-formed UTF-8 sequence at text (Unicode, table 3-7: no overlong form, no surrogate), or 0. */
static size_t sequence_length(const unsigned char *text)
{
    size_t length = text[0] < 0x80 ? 1 : text[0] >= 0xC2 && text[0] < 0xE0 ? 2 : (text[0] & 0xF0) == 0xE0 ? 3
                    : text[0] >= 0xF0 && text[0] < 0xF5                   ? 4
                                                                          : 0;
    for (size_t i = 1; i < length; i++)
        if ((text[i] & 0xC0) != 0x80)
            return 0;
    bool overlong = (text[0] == 0xE0 && text[1] < 0xA0) || (text[0] == 0xF0 && text[1] < 0x90);
    bool beyond = (text[0] == 0xED && text[1] > 0x9F) || (text[0] == 0xF4 && text[1] > 0x8F);
    return overlong || beyond ? 0 : length;
}

void html_text(byte_writer *writer, const char *text)
{
    const unsigned char *at = (const unsigned char *)(text == NULL ? "" : text);
    while (*at != '\0') {
        const char *entity = NULL;
        switch (*at) {
        case '&':
            entity = "&amp;";
            break;
        case '<':
            entity = "&lt;";
            break;
        case '>':
            entity = "&gt;";
            break;
        case '"':
            entity = "&quot;";
            break;
        case '\'':
            entity = "&#39;";
            break;
        default:
            break;
        }
        size_t length = sequence_length(at);
        if (entity == NULL && (length == 0 || *at < 0x20 || *at == 0x7F))
            entity = "?";
        if (entity != NULL) {
            byte_writer_bytes(writer, entity, strlen(entity));
            at++;
        } else {
            byte_writer_bytes(writer, at, length);
            at += length;
        }
    }
}

void html_markup(byte_writer *writer, const char *format, ...)
{
    char text[2048];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (size < 0 || (size_t)size >= sizeof text)
        writer->failed = true;
    else
        byte_writer_bytes(writer, text, (size_t)size);
}
