#include "coordinator/core/fact_record.h"

#include "common/base/byte_reader.h"

/* version 1, type 1, code 2, job 4, task 4, term 4, epoch 4, worker 4, value 4, priority 4, share 8 */
static_assert(FACT_RECORD_BYTES == 1 + 1 + 2 + 7 * 4 + 8, "the layout above");

void fact_record_encode(const scheduler_fact *fact, byte_writer *writer)
{
    byte_writer_u8(writer, FACT_RECORD_VERSION);
    byte_writer_u8(writer, (uint8_t)fact->type);
    byte_writer_u16(writer, (uint16_t)fact->code);
    byte_writer_u32(writer, fact->job);
    byte_writer_u32(writer, fact->task);
    byte_writer_u32(writer, fact->term);
    byte_writer_u32(writer, fact->epoch);
    byte_writer_u32(writer, fact->worker);
    byte_writer_u32(writer, fact->value);
    byte_writer_u32(writer, (uint32_t)fact->priority);
    byte_writer_u64(writer, fact->share);
}

static bool fact_plausible(unsigned type, unsigned code, uint32_t value)
{
    if (code >= STATUS_COUNT)
        return false;
    switch (type) {
    case FACT_TASK_ENDED:
        return value <= TASK_CANCELLED;
    case FACT_WORKER_STATE:
        return value <= WORKER_LOST;
    case FACT_JOB_EXTENDED:
        return value <= SCHEDULER_JOB_TASKS_MAX;
    default:
        return type >= FACT_JOB_SUBMITTED && type < FACT_TYPE_END;
    }
}

status fact_record_decode(scheduler_fact *out_fact, const void *bytes, size_t byte_size)
{
    byte_reader reader;
    byte_reader_init(&reader, bytes, byte_size);
    if (byte_reader_u8(&reader) > FACT_RECORD_VERSION && !reader.failed)
        return STATUS_PEER_VERSION;
    unsigned type = byte_reader_u8(&reader);
    unsigned code = byte_reader_u16(&reader);
    scheduler_fact fact = {.type = (scheduler_fact_type)type, .code = (status)code};
    fact.job = byte_reader_u32(&reader);
    fact.task = byte_reader_u32(&reader);
    fact.term = byte_reader_u32(&reader);
    fact.epoch = byte_reader_u32(&reader);
    fact.worker = byte_reader_u32(&reader);
    fact.value = byte_reader_u32(&reader);
    fact.priority = (int32_t)byte_reader_u32(&reader);
    fact.share = byte_reader_u64(&reader);
    if (!byte_reader_complete(&reader) || ((const uint8_t *)bytes)[0] != FACT_RECORD_VERSION ||
        !fact_plausible(type, code, fact.value))
        return STATUS_PEER_MALFORMED;
    *out_fact = fact;
    return STATUS_OK;
}
