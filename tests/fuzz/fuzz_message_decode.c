// links: proto
/* What is accepted must survive being sent on. Seeds: proto/vectors as binary (sed -z 's/\n/ /g' | xxd -r -p). */
#include "common/base/ensure.h"
#include "proto/message_decode.h"
#include "proto/message_encode.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t byte_size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t byte_size)
{
    static message decoded, again;
    byte_writer writer;
    error_detail detail;
    if (message_decode(&decoded, bytes, byte_size, NULL, &detail) != STATUS_OK)
        return 0;
    byte_writer_init(&writer, FRAME_BYTES_MAX);
    status code = message_encode(&decoded, &writer);
    /* The canonical form is never longer than what was read. */
    ENSURE(code == STATUS_OK && writer.size <= byte_size);
    ENSURE(message_decode(&again, writer.bytes, writer.size, NULL, NULL) == STATUS_OK);
    byte_writer_deinit(&writer);
    return 0;
}
