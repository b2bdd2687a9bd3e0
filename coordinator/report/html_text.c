#include "coordinator/report/html_text.h"

#include "common/base/plain_text.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void html_text(byte_writer *writer, const char *text)
{
    const unsigned char *at = (const unsigned char *)(text == NULL ? "" : text);
    size_t left = text == NULL ? 0 : strlen(text);
    while (left > 0) {
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
        size_t length = plain_text_length(at, left);
        if (entity == NULL && (length == 0 || plain_text_hidden(at, length)))
            entity = "?";
        length = length == 0 ? 1 : length;
        if (entity != NULL)
            byte_writer_bytes(writer, entity, strlen(entity));
        else
            byte_writer_bytes(writer, at, length);
        at += length;
        left -= length;
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

void html_coordinate(byte_writer *writer, double value)
{
    long tenths = lround(value * 10.0);
    unsigned long left = tenths < 0 ? 0UL - (unsigned long)tenths : (unsigned long)tenths;
    char text[32];
    size_t at = sizeof text;
    if (left % 10 != 0) {
        text[--at] = (char)('0' + left % 10);
        text[--at] = '.';
    }
    do {
        left /= 10;
        text[--at] = (char)('0' + left % 10);
    } while (left >= 10);
    if (tenths < 0)
        text[--at] = '-';
    byte_writer_bytes(writer, text + at, sizeof text - at);
}
