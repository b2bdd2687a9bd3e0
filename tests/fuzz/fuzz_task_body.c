// links: proto
/* The first byte chooses the kind. What is accepted must encode to the very bytes it came from. */
#include "common/base/ensure.h"
#include "proto/task_body.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t byte_size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t byte_size)
{
    static task_body body;
    if (byte_size < 1)
        return 0;
    arena memory;
    byte_writer writer;
    arena_init(&memory);
    byte_writer_init(&writer, 1 << 20);
    task_kind kind = (task_kind)(bytes[0] % 16);
    if (task_body_decode(&body, kind, bytes + 1, byte_size - 1, &memory) == STATUS_OK) {
        task_body_encode(&body, &writer);
        ENSURE(!writer.failed && writer.size == byte_size - 1);
        ENSURE(memcmp(writer.bytes, bytes + 1, writer.size) == 0);
    }
    byte_writer_deinit(&writer);
    arena_deinit(&memory);
    return 0;
}
