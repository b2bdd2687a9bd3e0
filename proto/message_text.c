#include "proto/message_text.h"

#include <stdint.h>

static bool follows(const uint8_t *bytes, size_t count)
{
    for (size_t i = 1; i <= count; i++) {
        if ((bytes[i] & 0xC0) != 0x80)
            return false;
    }
    return true;
}

/* Ranges of well-formed UTF-8: Unicode 15, table 3-7. */
size_t message_text_character(const char *text, size_t byte_size)
{
    const uint8_t *b = (const uint8_t *)text;
    if (byte_size == 0 || b[0] < 0x20 || b[0] == 0x7F || (b[0] >= 0x80 && b[0] < 0xC2) || b[0] > 0xF4)
        return 0;
    if (b[0] < 0x80)
        return 1;
    if (b[0] < 0xE0) {
        bool control = byte_size >= 2 && b[0] == 0xC2 && b[1] < 0xA0;
        return byte_size >= 2 && follows(b, 1) && !control ? 2 : 0;
    }
    if (b[0] < 0xF0) {
        if (byte_size < 3 || !follows(b, 2) || (b[0] == 0xE0 && b[1] < 0xA0) || (b[0] == 0xED && b[1] > 0x9F))
            return 0;
        return 3;
    }
    if (byte_size < 4 || !follows(b, 3) || (b[0] == 0xF0 && b[1] < 0x90) || (b[0] == 0xF4 && b[1] > 0x8F))
        return 0;
    return 4;
}

bool message_text_valid(const char *text, size_t byte_size)
{
    for (size_t at = 0; at < byte_size;) {
        size_t step = message_text_character(text + at, byte_size - at);
        if (step == 0)
            return false;
        at += step;
    }
    return true;
}

size_t message_text_clean(const char *text, char *out, size_t out_size)
{
    size_t byte_size = 0;
    while (byte_size < out_size - 1 && text[byte_size] != '\0')
        byte_size++;
    for (size_t at = 0; at < byte_size;) {
        size_t step = message_text_character(text + at, byte_size - at);
        if (step == 0)
            out[at++] = '?';
        for (; step > 0; step--, at++)
            out[at] = text[at];
    }
    out[byte_size] = '\0';
    return byte_size;
}
