#include "worker/media/bext_parse.h"

#include <string.h>

/* Length of the valid, printable UTF-8 sequence at bytes, or 0. */
static size_t text_sequence(const uint8_t *bytes, size_t left)
{
    uint8_t first = bytes[0];
    if (first < 0x80)
        return first >= 0x20 && first != 0x7F ? 1 : 0;
    size_t length = first >= 0xF0 && first <= 0xF4 ? 4 : first >= 0xE0 && first < 0xF0 ? 3 : first >= 0xC2 && first < 0xE0 ? 2 : 0;
    if (length == 0 || length > left)
        return 0;
    static const uint8_t lead_bits[5] = {0, 0, 0x1F, 0x0F, 0x07};
    static const uint32_t smallest[5] = {0, 0, 0x80, 0x800, 0x10000};
    uint32_t code = first & lead_bits[length];
    for (size_t i = 1; i < length; i++) {
        if ((bytes[i] & 0xC0) != 0x80)
            return 0;
        code = code << 6 | (bytes[i] & 0x3Fu);
    }
    bool surrogate = code >= 0xD800 && code <= 0xDFFF;
    bool control = code >= 0x80 && code < 0xA0;
    /* Marks that turn the direction of what follows would let a file's name lie in a report. */
    bool direction = (code >= 0x202A && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069);
    return code < smallest[length] || code > 0x10FFFF || surrogate || control || direction ? 0 : length;
}

/* Up to the first NUL; what is not printable becomes '?' (line ends a space), spaces at the end go. */
static void text_clean(const uint8_t *bytes, size_t byte_size, char *out)
{
    size_t size = strnlen((const char *)bytes, byte_size);
    size_t written = 0;
    for (size_t i = 0; i < size;) {
        size_t length = text_sequence(bytes + i, size - i);
        if (length == 0) {
            bool space = bytes[i] == '\r' || bytes[i] == '\n' || bytes[i] == '\t';
            out[written++] = space ? ' ' : '?';
            i++;
        } else {
            memcpy(out + written, bytes + i, length);
            written += length;
            i += length;
        }
    }
    while (written > 0 && out[written - 1] == ' ')
        written--;
    out[written] = '\0';
}

static uint64_t bext_number(const uint8_t *bytes, size_t byte_size)
{
    uint64_t value = 0;
    for (size_t i = 0; i < byte_size; i++)
        value |= (uint64_t)bytes[i] << (8 * i);
    return value;
}

void bext_parse(const uint8_t *bytes, size_t byte_size, media_bext *out_bext)
{
    /* Offsets: EBU Tech 3285, restated in domain.md section 5. Text is at most as long as its field: out has one more. */
    media_bext bext = {.present = true,
                       .loudness_value = 0x7FFF,
                       .loudness_range = 0x7FFF,
                       .max_true_peak_level = 0x7FFF,
                       .max_momentary_loudness = 0x7FFF,
                       .max_short_term_loudness = 0x7FFF};
    text_clean(bytes, 256, bext.description);
    text_clean(bytes + 256, 32, bext.originator);
    text_clean(bytes + 288, 32, bext.originator_reference);
    text_clean(bytes + 320, 10, bext.origination_date);
    text_clean(bytes + 330, 8, bext.origination_time);
    bext.time_reference = bext_number(bytes + 338, 8);
    bext.version = (uint16_t)bext_number(bytes + 346, 2);
    if (bext.version >= 2 && byte_size >= 422) {
        bext.loudness_value = (int16_t)bext_number(bytes + 412, 2);
        bext.loudness_range = (int16_t)bext_number(bytes + 414, 2);
        bext.max_true_peak_level = (int16_t)bext_number(bytes + 416, 2);
        bext.max_momentary_loudness = (int16_t)bext_number(bytes + 418, 2);
        bext.max_short_term_loudness = (int16_t)bext_number(bytes + 420, 2);
    }
    *out_bext = bext;
}
