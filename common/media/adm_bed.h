/**
 * Channels of a loudspeaker bed in the Audio Definition Model (ITU-R BS.2076): names and room positions of the Dolby Atmos
 * Master ADM Profile 1.0, as far as it is public (MediaInfo's checks of that profile and files made by Dolby's and Avid's
 * tools), and the ITU's common definitions (BS.2094) for reading.
 *
 * The table is shared by who writes ADM (coordinator/plan) and who reads it (worker/media).
 */
#ifndef COMMON_MEDIA_ADM_BED_H
#define COMMON_MEDIA_ADM_BED_H

#include "common/media/channel_layout.h"

/** What ADM flavour a file has: the Dolby profile and the EBU's reference renderer contradict each other on two points. */
typedef enum adm_flavour { ADM_NONE, ADM_DOLBY, ADM_EBU } adm_flavour;

typedef struct adm_speaker {
    channel_label label;
    const char *name;            /**< "RoomCentricLeft": audioChannelFormatName */
    const char *speaker_label;   /**< "RC_L" */
    const char *x, *y, *z;       /**< room position as written */
} adm_speaker;

/** NULL for a channel that no bed has. */
const adm_speaker *adm_speaker_of(channel_label label);
/** By speakerLabel: RC_* of the Dolby profile, or the ITU's "M+030", "U-090" ...; CHANNEL_NONE if unknown. */
channel_label adm_speaker_label(const char *speaker_label);
/** True if the profile knows this layout as a bed (2.0 3.0 5.0 5.1 7.0 7.1 7.0.2 7.1.2). */
bool adm_bed_layout(channel_layout_id layout);

#endif
