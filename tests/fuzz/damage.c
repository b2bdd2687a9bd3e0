#include "tests/fuzz/damage.h"

#include "common/base/ensure.h"

#include <stdlib.h>
#include <string.h>

/* splitmix64 */
static uint64_t draw(uint64_t *state)
{
    uint64_t z = (*state += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

/* One damage: a flipped bit, another byte, an extreme number, a stretch of zeros or of another place, a cut. */
static size_t damage_once(uint8_t *bytes, size_t size, uint64_t *state)
{
    static const uint64_t extremes[] = {0, 1, 0x7FFFFFFF, 0x80000000, UINT32_MAX, UINT64_MAX, 0x7FF0000000000000u};
    static const char marks[] = "{}[]:,-\n\"'#&*!|>%@` \t0.~";
    if (size < 9)
        return size;
    size_t place = draw(state) % (size - 8);
    switch (draw(state) % 7) {
    case 0:
        bytes[place] ^= (uint8_t)(1u << (draw(state) % 8));
        break;
    case 1:
        bytes[place] = (uint8_t)draw(state);
        break;
    case 2:
        memcpy(bytes + place, &extremes[draw(state) % 7], draw(state) % 2 == 0 ? 4 : 8);
        break;
    case 3:
        memset(bytes + place, 0, 1 + draw(state) % 8);
        break;
    case 4:
        memmove(bytes + place, bytes + draw(state) % (size - 8), 1 + draw(state) % 8);
        break;
    case 5: /* what texts are built of */
        bytes[place] = (uint8_t)marks[draw(state) % (sizeof marks - 1)];
        break;
    default:
        if (draw(state) % 4 == 0)
            size = draw(state) % size;
        break;
    }
    return size;
}

void damage_everywhere(const uint8_t *bytes, size_t byte_size, size_t kept, uint32_t count, uint64_t seed)
{
    uint64_t state = seed;
    ENSURE(byte_size > kept);
    uint8_t *copy = malloc(byte_size);
    ENSURE(copy != NULL);
    LLVMFuzzerTestOneInput(bytes, byte_size);
    for (uint32_t i = 0; i < count; i++) {
        memcpy(copy, bytes, byte_size);
        size_t size = byte_size - kept;
        for (uint64_t damages = 1 + draw(&state) % 4; damages > 0; damages--)
            size = damage_once(copy + kept, size, &state);
        LLVMFuzzerTestOneInput(copy, kept + size);
    }
    free(copy);
}
