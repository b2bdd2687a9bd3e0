/**
 * Objects of ADM files (ITU-R BS.2076) on their way into another: their metadata behind those of a bed, with numbers of their
 * own, cut to the pieces of the programme and moved to where these lie. Names, positions, sizes, gains and whatever else an
 * element holds are carried as they stand; audioBlockFormats keep everything but identifier and times. What starts anew at a
 * cut stands still there: a jump's interpolation is not taken up again.
 *
 * One object is one track: an audioObject of one audioTrackUID and one audioPackFormat of one channel. Others are refused, and
 * so is a block that moves along its whole length (jumpPosition 0) where it would be cut.
 *
 * dbmd, where the bed has one: carried byte for byte when the only file's tracks are what the output's are and it is taken
 * from its first to its last frame; else made anew, with each object's two bytes (trims passed by, binaural mode) as its file
 * has them, since those alone belong to tracks. Internal to worker/media and worker/tasks; runs on bytes of strangers.
 */
#ifndef WORKER_MEDIA_ADM_OBJECTS_H
#define WORKER_MEDIA_ADM_OBJECTS_H

#include "common/base/byte_writer.h"
#include "proto/task_body.h"
#include "worker/media/storage_root.h"

/**
 * Appends the header's chunks with its objects added to chna, axml and dbmd. Opens the files by their identity.
 * STATUS_INPUT_*: a sentence names file and object. What is made satisfies adm_profile_judge.
 */
MUST_USE status adm_objects_chunks(const output_header *header, const storage_roots *roots, byte_writer *out_chunks,
                                   error_detail *detail);

#endif
