// links: common_measure
/* What a worker says that it measured. What is accepted must survive being written again. */
#include "common/base/ensure.h"
#include "common/measure/cell_measure.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t byte_size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t byte_size)
{
    static cell_measure measure, again;
    if (cell_measure_decode(&measure, bytes, byte_size) != STATUS_OK)
        return 0;
    byte_writer writer;
    byte_writer_init(&writer, MEASURE_BYTES_MAX);
    cell_measure_encode(&measure, &writer);
    ENSURE(!writer.failed && writer.size == byte_size);
    ENSURE(cell_measure_decode(&again, writer.bytes, writer.size) == STATUS_OK);
    cell_measure_deinit(&again);
    cell_measure_deinit(&measure);
    byte_writer_deinit(&writer);
    return 0;
}
