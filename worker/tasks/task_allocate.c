/* ALLOCATE: a new inode for this generation of one output, its whole size reserved, its first header in place. */
#include "worker/media/wave_writer.h"
#include "worker/tasks/task_kinds.h"

#include <unistd.h>

status task_allocate_run(const task_context *context, const task_allocate *task)
{
    const storage_root *root = NULL;
    const storage_root *final_root = NULL;
    status code = task_root(context, &task->part, &root);
    if (code == STATUS_OK)
        code = task_root(context, &task->final, &final_root);
    /* Whatever is left of earlier generations, and of an earlier attempt of this one: late writers keep the old inode. */
    if (code == STATUS_OK)
        code = storage_remove_stale_parts(final_root, task->final.path, NULL, context->detail);
    if (code == STATUS_OK)
        code = storage_remove(root, task->part.path, context->detail);
    if (code != STATUS_OK)
        return code;

    byte_writer header;
    byte_writer_init(&header, OUTPUT_HEADER_MAX);
    int descriptor = -1;
    code = wave_header_build(&task->header, &header);
    if (code != STATUS_OK)
        error_detail_set(context->detail, code, "the header of %.600s does not fit: %u bytes are planned before its audio",
                         task->final.path, (unsigned)task->header.data_offset);
    if (code == STATUS_OK)
        code = storage_create_output(root, task->part.path, wave_file_size(&task->header), &descriptor, context->detail);
    if (code == STATUS_OK) {
        code = storage_write_at(descriptor, header.bytes, header.size, 0, context->detail);
        if (close(descriptor) != 0 && code == STATUS_OK) /* some network storage reports a full disk only here */
            code = error_detail_set(context->detail, STATUS_STORAGE_IO, "closing failed; check the storage");
        code = task_name_file(context, code, &task->part);
        if (code != STATUS_OK)
            (void)!storage_remove(root, task->part.path, NULL);
    }
    byte_writer_deinit(&header);
    return code;
}
