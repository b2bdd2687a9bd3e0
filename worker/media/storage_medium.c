/* Reading past the page cache: what lies on the medium, not what this node remembers of it. */
#define _GNU_SOURCE
#include "common/base/ensure.h"
#include "worker/media/storage_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/magic.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

static uint64_t page_floor(uint64_t offset)
{
    return offset / PAGE_BYTES * PAGE_BYTES;
}

/* A disk of this machine: of a file server one reading in its own time is the better proof, and costs the network less. */
static bool storage_has_disk(int descriptor)
{
    struct stat info;
    struct statfs facts;
    if (fstat(descriptor, &info) != 0 || fstatfs(descriptor, &facts) != 0)
        return false;
    return major(info.st_dev) != 0 || (unsigned)facts.f_type == BTRFS_SUPER_MAGIC; /* btrfs numbers its volumes for itself */
}

/* Some file systems take the flag and read through the cache all the same (0: ext4 with data=journal, encrypted files). */
static bool reads_by_pages(int descriptor)
{
    struct statx facts;
    return statx(descriptor, "", AT_EMPTY_PATH, STATX_DIOALIGN, &facts) != 0 || (facts.stx_mask & STATX_DIOALIGN) == 0 ||
           (facts.stx_dio_offset_align > 0 && facts.stx_dio_offset_align <= PAGE_BYTES && facts.stx_dio_mem_align <= PAGE_BYTES);
}

bool storage_read_past_cache(int descriptor)
{
    int flags = fcntl(descriptor, F_GETFL);
    return flags >= 0 && storage_has_disk(descriptor) && reads_by_pages(descriptor) &&
           fcntl(descriptor, F_SETFL, flags | O_DIRECT) == 0;
}

size_t storage_medium_room(uint64_t offset, size_t byte_size)
{
    return (size_t)(page_floor(offset + byte_size + PAGE_BYTES - 1) - page_floor(offset));
}

status storage_wait_written(int descriptor, uint64_t offset, uint64_t byte_size, error_detail *detail)
{
    while (sync_file_range(descriptor, (off_t)offset, (off_t)byte_size,
                           SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER) != 0) {
        if (errno == EINTR)
            continue;
        if (errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP) /* no such call here: storage_sync() does it all */
            return STATUS_OK;
        /* An error is told once: who syncs after this one would hear that all is well. */
        status code = storage_status_of_errno(errno);
        return error_detail_set(detail, status_class_of(code) == STATUS_CLASS_STORAGE ? code : STATUS_STORAGE_IO,
                                "%llu bytes at byte %llu did not reach the storage (%s); check it", (unsigned long long)byte_size,
                                (unsigned long long)offset, strerrorname_np(errno));
    }
    return STATUS_OK;
}

/* Nobody's at the moment. To undo one takes the kernel 40 ms: it waits until no processor can be in it any more. */
static _Atomic storage_queue spare_queue = STORAGE_QUEUE_NONE;

storage_queue storage_queue_open(void)
{
    aio_context_t queue = atomic_exchange(&spare_queue, STORAGE_QUEUE_NONE);
    return queue != STORAGE_QUEUE_NONE || syscall(SYS_io_setup, 1, &queue) == 0 ? queue : STORAGE_QUEUE_NONE;
}

void storage_queue_close(storage_queue self)
{
    storage_queue before = self == STORAGE_QUEUE_NONE ? self : atomic_exchange(&spare_queue, self);
    if (before != STORAGE_QUEUE_NONE)
        syscall(SYS_io_destroy, before);
}

/* pread; by a queue the kernel is asked and then waited for, and holds no lock of the file between the two. */
static ssize_t queued_read(storage_queue queue, int descriptor, uint8_t *bytes, size_t byte_size, uint64_t offset)
{
    struct iocb request = {.aio_lio_opcode = IOCB_CMD_PREAD, .aio_fildes = (uint32_t)descriptor, .aio_buf = (uintptr_t)bytes,
                           .aio_nbytes = byte_size, .aio_offset = (int64_t)offset};
    struct iocb *requests[1] = {&request};
    struct io_event event;
    if (queue == STORAGE_QUEUE_NONE || syscall(SYS_io_submit, queue, 1, requests) != 1)
        return pread(descriptor, bytes, byte_size, (off_t)offset);
    while (syscall(SYS_io_getevents, queue, 1, 1, &event, NULL) != 1) /* EINTR: the bytes are still on their way into `bytes` */
        ENSURE(errno == EINTR);
    if (event.res < 0)
        errno = (int)-event.res;
    return event.res < 0 ? -1 : (ssize_t)event.res;
}

status storage_read_medium(storage_queue queue, int descriptor, uint8_t *room, size_t byte_size, uint64_t offset,
                           const uint8_t **out_bytes, error_detail *detail)
{
    uint64_t first = page_floor(offset);
    size_t before = (size_t)(offset - first);
    size_t span = storage_medium_room(offset, byte_size);
    size_t done = 0;
    *out_bytes = room + before;
    while (done < before + byte_size) { /* the last page may end behind the file: what was asked for does not */
        size_t whole = done / PAGE_BYTES * PAGE_BYTES; /* such readings begin at pages */
        ssize_t got = queued_read(queue, descriptor, room + whole, span - whole, first + whole);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_detail_set(detail, storage_status_of_errno(errno),
                                    "reading %zu bytes at byte %llu back from the medium failed with %s; check the storage",
                                    byte_size, (unsigned long long)offset, strerrorname_np(errno));
        if (whole + (size_t)got <= done)
            return error_detail_set(detail, STATUS_INPUT_TRUNCATED,
                                    "the file ends at byte %llu, expected bytes up to %llu; it was cut short",
                                    (unsigned long long)(first + done), (unsigned long long)(offset + byte_size));
        done = whole + (size_t)got;
    }
    return STATUS_OK;
}
