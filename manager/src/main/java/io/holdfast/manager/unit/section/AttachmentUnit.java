package io.holdfast.manager.unit.section;

import io.holdfast.manager.unit.settings.ExecSettings;
import io.holdfast.manager.unit.settings.KillSettings;
import io.holdfast.manager.unit.value.TimeSpan;

/**
 * What a command of the unit attaches to the system until another detaches it: a mount or a swap.
 */
public interface AttachmentUnit extends Unit {
    /** {@return the settings of its commands} */
    ExecSettings exec();

    /** {@return how its commands are ended} */
    KillSettings kill();

    /** {@return the limit of each command} */
    TimeSpan timeout();
}
